#!/usr/bin/env python3
"""The ledger over HTTP: ledger_test.py's comparison, with the whole program between the node and the page.

  ledger_http_test.py FLINTGAUGE [SHAPE ...]

gen_node makes 61 moments of a node, two seconds apart; serve_node serves them as a kubelet and Spark drivers do, at the pace of the
clock; the real agent scrapes, folds, publishes and renders. At every moment the test waits until the agent has read every
endpoint anew, takes /metrics, reads the node's pages itself over HTTP, and holds the one against the other: gauges against
truth.json, totals against the independent observer (ledger_observer.py) and, without restarts, against the model; no counter
falls. What ledger_test.py sees of the folds alone is seen here of the socket, the event loop, the store and the page too.
"""
import concurrent.futures
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
from ledger_observer import Observer, SparkObserver
from ledger_test import COMMON, Failure, Judge, expect
from processes import TOOLS, Processes, free_port, get

TICKS, STEP = 61, 2  # seconds: a machine that needs a second more for each moment has samples of 60 s, which still count
KUBELET_PAGES = {"/metrics/cadvisor": "cadvisor.prom", "/pods": "pods.json", "/stats/summary": "summary.json"}
# Endpoints that feed what is judged; the simulated drivers have no other lists, they answer 404 to them.
ENDPOINTS = ("cadvisor", "kubelet_pods", "kubelet_summary", "spark_executors", "spark_metrics_json")
SHAPES = {  # arguments of gen_node
    "plain": ["--seed", "21", "--pods", "14", "--interfaces", "3", "--devices", "3"],
    "restarts": ["--seed", "22", "--pods", "9", "--containers", "2", "--restart-every", "15", "--cgroup-driver", "cgroupfs"],
    "hostile": ["--seed", "23", "--pods", "14", "--hostile", "--restart-every", "20", "--flavor", "head"],
}


class PageJudge(Judge):
    def check_list(self, series, truth):
        """The page does not tell the agent's reading of the pod list; ledger_test.py judges it."""


def series_of(page):
    """{series as the page writes it: value}, what Judge reads."""
    lines = (line.rpartition(" ") for line in page.splitlines() if line and not line.startswith("#"))
    return {series: float(value) for series, _, value in lines}


class Node:
    def __init__(self, processes, folder, net, arguments):
        self.folder = folder
        subprocess.run([TOOLS / "gen_node", "--out", folder, "--ticks", str(TICKS), "--step", str(STEP), "--truth", "--quiet",
                        "--remote-drivers", "0", "--pod-net", f"127.{net}", *COMMON, *arguments], check=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        server = processes.start("node", TOOLS / "serve_node", folder, "--now", "--port", port, "--at-pod-ips")
        processes.wait_for(server, "never served", lambda: get(f"{self.url}/healthz"))
        self.began = time.monotonic()

    def turn_to(self, tick):
        """Not before its time has come: samples are as old as they say."""
        time.sleep(max(0.0, self.began + tick * STEP - time.monotonic()))
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/-/tick?to={tick}", method="POST"), timeout=30):
            pass

    def read_pages(self, folder):
        """The kubelet's pages of this moment, as served: with the times of now."""
        for path, name in KUBELET_PAGES.items():
            (folder / name).write_text(get(self.url + path), encoding="utf-8")

    def tick_folder(self, tick):
        return self.folder / f"tick-{tick:06d}"


class Agent:
    def __init__(self, processes, program, url):
        settings = {"kubelet.url": url, "kubelet.interval": "200ms", "kubelet.summary_interval": "200ms", "kubelet.token_file": "",
                    "spark.interval": "200ms", "targets.allow_loopback": "true", "web.listen_address": "127.0.0.1:0",
                    "node.name": "node-1"}
        self.processes = processes
        self.process = processes.start("agent", program, "node", *(part for key, text in settings.items()
                                                                    for part in ("--set", f"{key}={text}")))
        self.url = "http://" + processes.logged(self.process, r"msg=serving address=(\S+)") + "/metrics"

    def fresh_page(self):
        """A page on which every target that feeds it has been asked, and has answered, after this call."""
        seen = {}

        def look():
            page = get(self.url)
            samples = page_text.samples(page)
            targets = {dict(labels)["target"]: value for (name, labels), value in samples.items()
                       if name == "flintgauge_target_last_success_timestamp_seconds"}
            targets = {name: at for name, at in targets.items() if name.split("/")[0] in ENDPOINTS}
            for name, at in targets.items():
                seen.setdefault(name, set()).add(at)
            # The first success that is new may have been under way; the one before this call is in the set too.
            complete = {name.split("/")[0] for name in targets} == set(ENDPOINTS)
            return page if complete and all(len(seen[name]) > 2 for name in targets) else None
        return self.processes.wait_for(self.process, "not every endpoint is read", look)


def run_shape(name, program, net):
    arguments = SHAPES[name]
    with tempfile.TemporaryDirectory(prefix="flintgauge-ledger-") as root, Processes(root) as processes:
        node = Node(processes, pathlib.Path(root) / "node", net, arguments)
        agent = Agent(processes, program, node.url)
        observed = pathlib.Path(root) / "observed"
        observed.mkdir()
        judge, spark, observer = PageJudge(arguments, ()), SparkObserver(), None
        for tick in range(TICKS):
            node.turn_to(tick)
            series = series_of(agent.fresh_page())
            node.read_pages(observed)
            observer = observer or Observer(series["process_start_time_seconds"] * 1000)
            observer.moment(observed)
            spark.moment(node.tick_folder(tick))
            truth = json.loads((node.tick_folder(tick) / "truth.json").read_text(encoding="utf-8"))
            try:
                judge.moment(tick, series, truth, observer, spark)
            except (Failure, KeyError) as failure:
                late = time.monotonic() - node.began - tick * STEP
                raise SystemExit(f"FAILED {name} ({' '.join(arguments)}): moment {tick}, {late:.0f} s late: {failure!r}") from None
        return f"{name}: {TICKS} moments, {len(series)} series, {time.monotonic() - node.began:.0f} s"


def main():
    program, shapes = pathlib.Path(sys.argv[1]), sys.argv[2:] or SHAPES
    first = 240 + os.getpid() % 5 * len(SHAPES)  # pods at 127.N: all shapes run at once, and perhaps another run of this test
    with concurrent.futures.ProcessPoolExecutor(len(shapes)) as pool:
        jobs = [pool.submit(run_shape, name, program, first + i) for i, name in enumerate(shapes)]
        for job in concurrent.futures.as_completed(jobs):
            print(job.result(), flush=True)


if __name__ == "__main__":
    main()
