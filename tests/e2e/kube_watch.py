"""The kubelet's pages, read over and over, so that what an agent shows at a moment can be found among them.

The agent reads the same pages at moments of its own, and some container's sample changes nearly every second: a page of the agent is
right when it equals, in every number, what one of the readings of the last seconds says.
"""
import collections
import json
import threading
import time

import capture_sums
from kube_node import GAUGES, PATHS, ask, told

KEPT_SECONDS = 6  # a round of the agent, its rendering, and what a loaded machine adds
Reading = collections.namedtuple("Reading", "at sums instances")


class Watch(threading.Thread):
    def __init__(self, token):
        super().__init__(daemon=True)
        self.token, self.readings, self.ended = token, collections.deque(), threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.3):
            try:
                pods, cadvisor = (ask(path, self.token)[1] for path in PATHS[:2])
                self.readings.append(self.read(json.loads(pods), cadvisor))
            except (OSError, ValueError):
                continue  # a test froze or changed something: the agent has no newer page either
            while len(self.readings) > 1 and self.readings[0].at < time.time() - KEPT_SECONDS:
                self.readings.popleft()

    @staticmethod
    def read(document, cadvisor):
        now = time.time()
        rows = capture_sums.parse_text(cadvisor)
        instances = {(labels.get("namespace"), labels.get("id"), value) for name, labels, value, _ in rows if name == "container_start_time_seconds"}
        statuses = {(p["metadata"].get("namespace"), p["metadata"]["uid"], json.dumps([p["status"].get("phase")] + [
            (c["name"], c.get("restartCount"), sorted(c.get("state", {}))) for c in capture_sums.Pods.statuses(p)])) for p in document["items"]}
        return Reading(now, capture_sums.node_sums(cadvisor, document, now_ms=int(now * 1000)), instances | statuses)

    def stop(self):
        self.ended.set()
        self.join(30)

    def find(self, agent, group, labels, prefix, tries=40):
        """A page of the agent and the readings whose gauges it shows, every one; AssertionError when there is never any."""
        for _ in range(tries):
            page = agent.page()
            time.sleep(0.7)  # a reading that began before the page was made has ended
            readings = list(self.readings)
            differences = [gauge_differences(page, reading.sums[group[0]].get(group[1], {}), labels, prefix) for reading in readings]
            same = [reading for reading, difference in zip(readings, differences) if not difference]
            if same:
                return page, same
        raise AssertionError(f"{group}: no reading of the kubelet has the agent's gauges; nearest: {min(differences, key=len, default='no reading')}")


def gauge_differences(page, sums, labels, prefix):
    """[(family, ours, the agent's)] of the gauges that differ; absent equals absent only."""
    out = []
    for family, source in GAUGES.items():
        measure = family if source == 1 else source
        want, got = sums.get(measure), told(page, prefix + family, labels)
        if got is not None and measure.endswith("millicores"):
            got *= 1000
        if (want is None) != (got is None) or (want is not None and abs(want - got) > 1e-6):
            out.append((family, want, got))
    return out


def instances_of(reading, group):
    namespace = group[1].split("/")[0]
    return {instance for instance in reading.instances if instance[0] == namespace}
