#!/usr/bin/env python3
"""Every fault of serve_node against the real program: usage faults_test.py FLINTGAUGE [--sanitized]

For each fault of one endpoint: the last good data stays, its age grows, the counter of the right reason moves, nothing else is
touched, memory stays flat, the endpoint is back within two rounds of the fault's end, and afterwards every total and gauge is
exactly what the node's own books (truth.json) say. At the end the node goes away for good: what it said is dropped at its TTL.
--sanitized: do not look at memory, a sanitizer needs its own.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True  # no cache beside the sources
import page_text
from processes import TOOLS, Processes, free_port, get

STEP = 5          # seconds of the node's time from one tick to the next
TICKS = 60        # five minutes; the test takes less than two
FLAT_MIB = 16     # how much more memory a fault may cost, for a moment; a body may be 24 MiB, a bomb is 32 MiB
CADVISOR, PODS, EXECUTORS = "cadvisor", "kubelet_pods", "spark_executors_page"
PATHS = {CADVISOR: "/metrics/cadvisor", PODS: "/pods", EXECUTORS: "/metrics/executors/prometheus"}
# (endpoint, fault, reason). The kinds are those of serve_node; "closed" is a port that nobody listens on.
FAULTS = [
    (CADVISOR, "500", "http_status"), (CADVISOR, "401", "auth"), (CADVISOR, "redirect", "redirect"),
    (CADVISOR, "empty", "truncated"), (CADVISOR, "html", "content_type"), (CADVISOR, "garbage", None),
    (CADVISOR, "halfline", "truncated"), (CADVISOR, "truncate", "partial"), (CADVISOR, "chunkcut", "partial"),
    (CADVISOR, "reset", "recv"), (CADVISOR, "stall", "timeout"), (CADVISOR, "slow", "timeout"),
    (CADVISOR, "huge", None), (CADVISOR, "badgzip", "content_encoding"), (CADVISOR, "bomb", "content_encoding"),
    (PODS, "500", "http_status"), (PODS, "halfline", None), (PODS, "huge", None), (PODS, "chunkcut", "partial"),
    (EXECUTORS, "html", "content_type"), (EXECUTORS, "truncate", "partial"),
]
# Of several right reasons the one that is noticed first counts: it depends on where a block of bytes ends.
ALSO = {"garbage": {"parse", "utf8", "line_too_long", "truncated"}, "huge": {"too_large", "limit", "parse", "json"},
        "halfline": {"json", "truncated"}}
# serve_node may need longer to make a bomb than the agent waits.
BESIDES = {"bomb": {"timeout"}}
# Name in truth.json, family, factor, label that picks series. Totals: the increase since the first tick; gauges: the value.
TOTALS = [("cpu_usage_ns", "cpu_usage_seconds_total", 1e-9, {}), ("cfs_periods", "cpu_cfs_periods_total", 1, {}),
          ("cfs_throttled_periods", "cpu_cfs_throttled_periods_total", 1, {}),
          ("cfs_throttled_ns", "cpu_throttled_seconds_total", 1e-9, {}),
          ("oom_events", "oom_kills_total", 1, {"scope": "process"}), ("restarts", "container_restarts_total", 1, {}),
          ("network_receive_bytes", "network_receive_bytes_total", 1, {}),
          ("network_transmit_bytes", "network_transmit_bytes_total", 1, {}),
          ("fs_read_bytes", "fs_read_bytes_total", 1, {}), ("fs_write_bytes", "fs_written_bytes_total", 1, {})]
GAUGES = [("working_set_bytes", "memory_working_set_bytes", 1, {}), ("rss_bytes", "memory_rss_bytes", 1, {}),
          ("cache_bytes", "memory_cache_bytes", 1, {}), ("memory_request_bytes", "memory_requests_bytes", 1, {}),
          ("memory_limit_bytes", "memory_limits_bytes", 1, {}), ("cpu_request_millicores", "cpu_requests_cores", 1e-3, {}),
          ("cpu_limit_millicores", "cpu_limits_cores", 1e-3, {}), ("pods", "pods", 1, {}),
          ("running_pods", "pods", 1, {"phase": "Running"})]
OF_APPLICATIONS = [("drivers", "pods", 1, {"role": "driver"}), ("executors", "pods", 1, {"role": "executor"})]


class Node:
    """serve_node over a directory of ticks; the tick follows the clock, so samples are never old."""

    def __init__(self, processes, folder, name):
        self.processes, self.folder, self.name, self.port = processes, folder, name, free_port()
        self.began = None
        self.start()

    def start(self):
        self.process = self.processes.start(
            self.name, TOOLS / "serve_node", self.folder, "--now", "--port", self.port, "--at-pod-ips", "--huge", "32",
            "--stall", "60")
        self.processes.wait_for(self.process, "never served", lambda: get(f"{self.url}/healthz"))
        self.began = self.began or time.monotonic()

    def stop(self):
        self.process.kill()
        self.process.wait()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def post(self, path):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST"), timeout=30):
            pass

    def fault(self, kind, path=""):
        self.post(f"/-/fault?kind={kind}&every=1&path={path}")

    def follow_clock(self):
        tick = int((time.monotonic() - self.began) / STEP)
        if tick >= TICKS:
            raise SystemExit("the test took longer than the node's time; make TICKS larger")
        self.post(f"/-/tick?to={tick}")
        return tick

    def truth(self, tick):
        return json.loads((self.folder / f"tick-{tick:06d}/truth.json").read_text())


class Agent:
    def __init__(self, processes, program, url, name):
        self.processes = processes
        settings = {"kubelet.url": url, "kubelet.interval": "500ms", "kubelet.summary_interval": "500ms",
                    "kubelet.token_file": "", "kubelet.body_limit": "24MiB", "spark.interval": "500ms",
                    # the simulated drivers have no REST lists, whose page of executors is a stand-in
                    "targets.disabled_collectors": "spark_executors", "targets.allow_loopback": "true",
                    "web.listen_address": "127.0.0.1:0", "node.name": "node-1"}
        flags = [part for key, text in settings.items() for part in ("--set", f"{key}={text}")]
        self.process = processes.start(name, program, "node", *flags)
        self.address = processes.logged(self.process, r"msg=serving address=(\S+)")

    def page(self):
        return page_text.samples(get(f"http://{self.address}/metrics"))

    def until(self, what, condition, seconds=40):
        """The first page for which `condition` holds."""
        def look():
            page = self.page()
            return page if condition(page) else None
        return self.processes.wait_for(self.process, what, look, seconds)

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.peak_mib()


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def value(page, name, **labels):
    return page.get((name, tuple(sorted(labels.items()))), 0.0)


def pick(page, name, **labels):
    """{labels: value} of the series of a family that carry these labels."""
    return {key[1]: number for key, number in page.items() if key[0] == name and set(labels.items()) <= set(key[1])}


def source_of(endpoint):
    return "spark" if endpoint == EXECUTORS else "kubelet"


def errors(page, endpoint):
    return {dict(labels)["reason"]: number
            for labels, number in pick(page, "flintgauge_scrape_errors_total", endpoint=endpoint).items()}


def scrapes(page, endpoint):
    return value(page, "flintgauge_scrapes_total", source=source_of(endpoint), endpoint=endpoint)


def targets_up(page, endpoint):
    """{target: up} of the endpoint's targets: one at the kubelet, one per driver."""
    return {dict(labels)["target"]: number for labels, number in pick(page, "flintgauge_target_up").items()
            if dict(labels)["target"].split("/")[0] == endpoint}


def all_up(page):
    return all(targets_up(page, one) and all(targets_up(page, one).values()) for one in PATHS)


def successes(page, endpoint):
    return {dict(labels)["target"]: number
            for labels, number in pick(page, "flintgauge_target_last_success_timestamp_seconds").items()
            if dict(labels)["target"].split("/")[0] == endpoint}


def totals(page):
    kinds = ("flintgauge_app_", "flintgauge_namespace_", "flintgauge_spark_")
    return {key: number for key, number in page.items() if key[0].endswith("_total") and key[0].startswith(kinds)}


def gauges(page):
    kinds = ("flintgauge_app_memory", "flintgauge_namespace_memory", "flintgauge_spark_")
    return {key for key in page if key[0].startswith(kinds) and not key[0].endswith("_total")}


def good_rounds(agent, endpoint, count):
    """A page on which the endpoint was asked `count` times more, each time with success."""
    page = agent.page()
    begin, bad = scrapes(page, endpoint), sum(errors(page, endpoint).values())
    drivers = max(1, len(targets_up(page, endpoint)))
    page = agent.until(f"{count} rounds of {endpoint}", lambda now: scrapes(now, endpoint) >= begin + count * drivers)
    expect(sum(errors(page, endpoint).values()) == bad, f"{endpoint} fails although the node is well: {errors(page, endpoint)}")
    return page


def settle(node, agent):
    """A page that shows exactly one tick, and the tick."""
    tick = node.follow_clock()
    good_rounds(agent, PODS, 2)
    return good_rounds(agent, CADVISOR, 2), tick


def sums_by(page, family, label, only):
    out = {}
    for labels, number in pick(page, family, **only).items():
        out[dict(labels)[label]] = out.get(dict(labels)[label], 0) + number
    return out


def check_exact(node, first, page, tick):
    """Totals since `first` (page, tick) and gauges against the node's books, per namespace and per application."""
    was, now = node.truth(first[1]), node.truth(tick)
    for kind, prefix, label in (("namespaces", "flintgauge_namespace_", "namespace"),
                                ("applications", "flintgauge_app_", "app_id")):
        for group, books in now[kind].items():
            for key, family, factor, only in TOTALS:
                got = sums_by(page, prefix + family, label, only).get(group, 0)
                got -= sums_by(first[0], prefix + family, label, only).get(group, 0)
                due = (books[key] - was[kind][group][key]) * factor
                expect(abs(got - due) <= 1e-9 * max(abs(due), 1) + (1e-6 if factor != 1 else 0),
                       f"tick {first[1]} to {tick}: {prefix}{family} of {group} grew by {got}, the node says {due}")
            for key, family, factor, only in GAUGES + (OF_APPLICATIONS if kind == "applications" else []):
                got = sums_by(page, prefix + family, label, only).get(group, 0)
                expect(abs(got - books[key] * factor) <= 1e-9 * max(books[key], 1),
                       f"tick {tick}: {prefix}{family}{only} of {group} is {got}, the node says {books[key] * factor}")


def check_fault(node, agent, endpoint, kind, reason, watch_memory):
    before = agent.page()
    was = errors(before, endpoint)
    rss = agent.forget_peak() if watch_memory else 0
    node.fault(kind, PATHS[endpoint])
    right = ALSO.get(kind, set()) | ({reason} if reason else set())

    def moved(page):
        return {name for name, number in errors(page, endpoint).items() if number > was.get(name, 0)}

    during = agent.until(f"{endpoint} {kind}: no error counted", lambda page: len(moved(page) & right) > 0 and
                         all(up == 0 for up in targets_up(page, endpoint).values()))
    later = agent.until("others go on", lambda page: all(scrapes(page, other) >= scrapes(during, other) + 2
                                                         for other in PATHS if other != endpoint))
    expect(moved(later) <= right | BESIDES.get(kind, set()), f"{endpoint} {kind}: counted as {moved(later)}, right is {right}")
    check_rest(before, later, endpoint, kind)
    node.fault("none")
    cleared = agent.page()
    back = agent.until(f"{endpoint} {kind}: never back", lambda page: all(targets_up(page, endpoint).values()))
    drivers = len(targets_up(back, endpoint))
    rounds = (scrapes(back, endpoint) - scrapes(cleared, endpoint)) / drivers
    expect(rounds <= 3, f"{endpoint} {kind}: back after {rounds} rounds")  # one may have been under way
    if watch_memory:
        expect(agent.peak_mib() <= rss + FLAT_MIB, f"{endpoint} {kind}: memory from {rss:.1f} to {agent.peak_mib():.1f} MiB")
    print(f"{endpoint:21} {kind:9} {'/'.join(sorted(moved(later))):18} back after {rounds:.0f} rounds, "
          f"{agent.peak_mib() - rss:+.1f} MiB", flush=True)


def check_rest(before, page, endpoint, kind):
    """What a fault of one endpoint must not touch."""
    for key, number in totals(before).items():
        expect(page.get(key, -1) >= number, f"{endpoint} {kind}: {key} fell from {number} to {page.get(key)}")
    lost = gauges(before) - gauges(page)
    expect(not lost, f"{endpoint} {kind}: gone though not older than their TTL: {sorted(lost)[:3]}")
    expect(all(at < time.time() - 0.5 for at in successes(page, endpoint).values()), f"{endpoint} {kind}: age does not grow")
    for other in PATHS:
        if other == endpoint:
            continue
        expect(all(targets_up(page, other).values()), f"{endpoint} {kind}: {other} is down too")
        expect(errors(page, other) == errors(before, other), f"{endpoint} {kind}: {other} fails too")
        expect(all(at > successes(before, other)[name] for name, at in successes(page, other).items()),
               f"{endpoint} {kind}: {other} stands still")


def check_closed_port(node, agent):
    before = agent.page()
    node.stop()
    during = agent.until("closed port: no error counted",
                         lambda page: all(errors(page, one).get("connect", 0) > errors(before, one).get("connect", 0)
                                          for one in (CADVISOR, EXECUTORS)))
    expect(not gauges(before) - gauges(during), "closed port: last good data gone")
    node.start()
    agent.until("closed port: never back", lambda page: all(targets_up(page, CADVISOR).values()) and
                all(targets_up(page, EXECUTORS).values()))
    print("closed port           connect", flush=True)


class Abandoned:
    """An agent whose node goes away for good: what it said lives on for its TTL, and then goes too."""

    def __init__(self, processes, program, folder):
        node = Node(processes, make_node(folder / "short", ticks=1), "abandoned node")
        self.agent = Agent(processes, program, node.url, "abandoned")
        self.before = self.agent.until("never up", lambda page: gauges(page) and all_up(page))
        node.stop()
        self.gone_at = time.monotonic()
        self.is_checked = False

    def check_not_yet(self):
        age = time.monotonic() - self.gone_at
        if self.is_checked or not 30 < age < 50:
            return
        page = self.agent.page()
        expect(not gauges(self.before) - gauges(page), f"dropped before its TTL, after {age:.0f} s")
        self.is_checked = True

    def check_gone(self):
        left = self.gone_at + 90 - time.monotonic()
        page = self.agent.until("data never dropped", lambda page: not gauges(page), max(5, left))
        expect(not pick(page, "flintgauge_hint_executors_desired"), "a hint from dropped data")
        fell = {key for key, number in totals(self.before).items() if page.get(key, number) < number}
        expect(not fell, f"totals fell when the data was dropped: {sorted(fell)[:3]}")
        expect(get(f"http://{self.agent.address}/-/healthy"), "not healthy")
        expect(self.is_checked, "nobody looked between 30 and 50 s")
        print("dropped at its TTL, not before", flush=True)


def make_node(folder, ticks):
    make_node.count = getattr(make_node, "count", 0) + 1
    # Tests that run at once must not listen at the same pod addresses.
    net = 100 + (os.getpid() + 50 * make_node.count) % 100
    subprocess.run([TOOLS / "gen_node", "--out", folder, "--pods", "12", "--apps", "2", "--namespaces", "2",
                    "--remote-drivers", "0", "--ticks", str(ticks), "--step", str(STEP), "--truth", "--quiet",
                    "--pod-net", f"127.{net}"], check=True)
    return folder


def run(program, folder, processes, watch_memory):
    abandoned = Abandoned(processes, program, folder)
    node = Node(processes, make_node(folder / "long", TICKS), "node")
    agent = Agent(processes, program, node.url, "agent")
    agent.until("never all up", all_up)
    first = settle(node, agent)
    expect(totals(first[0]), "no totals at all")
    for endpoint, kind, reason in FAULTS:
        check_fault(node, agent, endpoint, kind, reason, watch_memory)
        node.follow_clock()
        abandoned.check_not_yet()
    check_exact(node, first, *settle(node, agent))
    print("all totals and gauges are exactly the node's", flush=True)
    check_closed_port(node, agent)
    abandoned.check_gone()


def main():
    program, watch_memory = pathlib.Path(sys.argv[1]), "--sanitized" not in sys.argv[2:]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="flintgauge-faults-") as folder, Processes(folder) as processes:
        run(program, pathlib.Path(folder), processes, watch_memory)
    print(f"passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
