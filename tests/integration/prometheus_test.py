#!/usr/bin/env python3
"""A real Prometheus scrapes two agents in both formats for 80 s: usage prometheus_test.py FLINTGAUGE [SECONDS]

One agent reads a moving node served by tests/tools, the other one is `flintgauge demo`, which has Spark drivers with stages
and so hints. Both go through a proxy that keeps every page, so what Prometheus stored can be compared with what was served.
Needs Debian's packages prometheus and python3-yaml.
"""
import importlib.util
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import yaml

sys.dont_write_bytecode = True  # no cache beside the sources
import page_text
from companion_pods import add_companions
from processes import ROOT, TOOLS, Processes, free_port, get
from prometheus_api import Prometheus
from recording_proxy import RecordingProxy

STEP = 2  # seconds: of the node, of the agents' scrapes and of Prometheus' scrapes
# Loopback addresses of the node's drivers, port 4040, and of the companions: tests that run at once have their own.
FIRST_NET = 40 + os.getpid() % 10 * 2
POD_NET, COMPANION_NET = f"127.{FIRST_NET}", f"127.{FIRST_NET + 1}.0"
TEXT = "text/plain;version=0.0.4"
JOBS = {"text": "text/plain; version=0.0.4", "openmetrics": "application/openmetrics-text; version=1.0.0"}
# What Prometheus hears of the types of docs/metrics.md. A state set of OpenMetrics would have to carry its state in a label
# called like the family.
TYPES = {"counter": "counter", "gauge": "gauge", "info": "info", "state set": "gauge", "histogram": "histogram"}


def load_check():
    """.ci/check-dashboards.py, which knows how to find the queries of a dashboard."""
    spec = importlib.util.spec_from_file_location("check_dashboards", ROOT / ".ci/check-dashboards.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load_check()
failures = []


def expect(good, message):
    if not good:
        failures.append(message)
        print(f"FAILED: {message}", flush=True)


# ---- the parts -----------------------------------------------------------------------------------------------------

def start_node(processes, program, folder, seconds):
    """A node that moves every STEP seconds, and an agent that reads it. Returns the agent's host:port."""
    subprocess.run([TOOLS / "gen_node", "--out", folder / "node", "--pods", "24", "--spark", "16", "--apps", "3", "--namespaces",
                    "2", "--ticks", str(seconds // STEP + 20), "--step", str(STEP), "--housekeeping", "4", "--churn", "30",
                    "--restart-every", "40", "--pod-net", POD_NET, "--quiet"], check=True)
    add_companions(folder / "node", COMPANION_NET)
    served = processes.start("serve_node", TOOLS / "serve_node", folder / "node", "--port", "0", "--advance", str(STEP),
                             "--now", "--at-pod-ips")
    kubelet = processes.logged(served, r"node (http://\S+)")
    address = f"127.0.0.1:{free_port()}"
    agent = processes.start("node", program, "node", "--set", f"web.listen_address={address}", "--set", "node.name=node-1",
                            "--set", f"kubelet.url={kubelet}", "--set", f"kubelet.interval={STEP}s", "--set",
                            "kubelet.summary_interval=4s", "--set", "kubelet.token_file=", "--set",
                            "targets.allow_loopback=true", "--set", f"spark.interval={STEP}s", "--set", f"companions.interval={STEP}s")
    processes.wait_for(agent, "never ready", lambda: get(f"http://{address}/-/ready"))
    return address


def start_demo(processes, program):
    address = f"127.0.0.1:{free_port()}"
    agent = processes.start("demo", program, "demo", "--listen", address)
    processes.wait_for(agent, "never ready", lambda: get(f"http://{address}/-/ready"))
    return address


def start_prometheus(processes, folder, agents, proxies):
    config = {
        "global": {"scrape_interval": f"{STEP}s", "scrape_timeout": f"{STEP}s", "evaluation_interval": f"{STEP}s"},
        "rule_files": [str(ROOT / "dashboards/rules" / file) for file in ("recording.yaml", "alerts.yaml")],
        "scrape_configs": [{"job_name": job, "proxy_url": proxies[job].url, "static_configs": [{"targets": agents}]}
                           for job in JOBS],
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    process = processes.start("prometheus", "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'data'}",
                              f"--web.listen-address={address}")
    processes.wait_for(process, "never ready", lambda: get(f"http://{address}/-/ready"))
    return Prometheus(f"http://{address}")


# ---- what must be true ---------------------------------------------------------------------------------------------

def check_up(prometheus, agents, now):
    for job in JOBS:
        for agent in agents:
            samples = prometheus.raw(f'up{{job="{job}",instance="{agent}"}}', "10m", now)
            values = list(samples[0][1].values()) if samples else []
            expect(len(values) >= 10 and all(value == 1 for value in values),
                   f"{agent} as {job}: up is {values.count(1.0)} times 1 in {len(values)} scrapes")
    for target in prometheus.targets():
        expect(target["health"] == "up", f"{target['scrapeUrl']}: {target['lastError']}")


def check_formats(proxies):
    for job, content_type in JOBS.items():
        for agent, pages in proxies[job].pages.items():
            other = {found for found, _ in pages if not found.startswith(content_type)}
            expect(not other, f"{agent} as {job}: content types {other}")
            end = [page.endswith("\n# EOF\n") for _, page in pages]
            expect(all(end) if job == "openmetrics" else not any(end), f"{agent} as {job}: # EOF where it does not belong")


def check_lint(pages):
    for agent, recorded in pages.items():
        for _, page in (recorded[0], recorded[len(recorded) // 2], recorded[-1]):
            result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
            expect(result.returncode == 0, f"{agent}: promtool check metrics: {result.stdout}{result.stderr}")


def check_values(prometheus, job, agent, recorded, now):
    """Every sample of every recorded page is stored, with its value, and nothing else is. Returns how many."""
    stored = {}
    for labels, values in prometheus.raw(f'{{job="{job}",instance="{agent}"}}', "10m", now):
        name = labels.pop("__name__")
        key = (name, tuple(sorted((label, value) for label, value in labels.items() if label not in ("job", "instance"))))
        for at, value in values.items():
            stored.setdefault(at, {})[key] = value
    times = sorted(at for at, series in stored.items() if ("up", ()) in series)
    expect(len(recorded) - len(times) in (0, 1, 2), f"{agent} as {job}: {len(recorded)} pages, {len(times)} scrapes")
    for before, after in zip(times, times[1:]):
        fell = [key for key, value in stored[after].items() if key[0].endswith("_total") and stored[before].get(key, 0) > value]
        expect(not fell, f"{agent} as {job} at {after}: counters fell: {fell[:3]}")
    compared = 0
    for at, (_, page) in zip(times, recorded):
        made_by_prometheus = {key for key in stored[at] if key[0] == "up" or key[0].startswith("scrape_")}
        served = page_text.samples(page)
        kept = {key: value for key, value in stored[at].items() if key not in made_by_prometheus}
        different = [key for key in served.keys() | kept.keys()
                     if not same(served.get(key, "absent"), kept.get(key, "absent"))]
        expect(not different, f"{agent} as {job} at {at}: {len(different)} of {len(served)} samples differ, e.g. "
               f"{[(key, served.get(key), kept.get(key)) for key in different[:3]]}")
        compared += len(served)
    return compared


def same(a, b):
    return a == b or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


def check_types(prometheus):
    """OpenMetrics says type and unit of every family; Prometheus must have understood those of the catalogue."""
    said = prometheus.metadata("openmetrics")
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    catalogue = {name: TYPES[kind] for name, kind in rows}
    for name, kind in catalogue.items():
        family = name.removesuffix("_total").removesuffix("_info")
        if family not in said:
            continue  # nothing to show of this family here
        expect(said[family][0] == kind, f"{family}: Prometheus understood the type {said[family][0]}, not {kind}")
        unit = said[family][1]
        expect(not unit or family.endswith("_" + unit), f"{family}: unit {unit}")
    expect(any(unit for _, unit in said.values()), "no family has a unit in OpenMetrics")


def check_movement(prometheus, agents, now):
    for agent in agents:
        where = f'instance="{agent}",job="text"'
        moved = prometheus.query(f"sum(increase(flintgauge_namespace_cpu_usage_seconds_total{{{where}}}[10m]))", now)
        expect(moved and moved[0][1] > 0, f"{agent}: CPU of the namespaces does not grow: {moved}")


def check_rules(prometheus, now):
    rules = prometheus.rules()
    expect(len(rules) >= 30, f"only {len(rules)} rules loaded")
    for rule in rules:
        expect(rule["health"] == "ok" and not rule.get("lastError"), f"{rule['name']}: {rule.get('lastError')}")
        if rule["type"] == "alerting":  # what fires and what does not: dashboards/rules/alerts_test.yaml
            continue
        values = [value for _, value in prometheus.query(rule["name"], now)]
        expect(values and all(map(math.isfinite, values)), f"{rule['name']}: {values or 'no data'}")
    return sum(rule["type"] == "recording" for rule in rules), sum(rule["type"] == "alerting" for rule in rules)


def legend_of(target):
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))


def panel_answer(prometheus, target, variables, now):
    """None when the query gives finite numbers with the labels that its legend names, else what is wrong."""
    check.VARIABLES.update(variables)
    expr = check.substitute(target["expr"])
    if target.get("instant"):
        series = [(labels, [value]) for labels, value in prometheus.query(expr, now)]
    else:
        series = prometheus.query_range(expr, now - 20, now, STEP)
    if not series:
        return f"no data: {expr}"
    for labels, values in series:
        if not all(map(math.isfinite, values)):
            return f"not finite {values}: {expr}"
        missing = {label for label in legend_of(target) if label not in labels}
        if missing and " or 0 * " not in expr:  # the zero that stands for "none" has no labels
            return f"legend names {missing}, there are {labels}: {expr}"
    return None


def check_board(prometheus, board, choices, now):
    """Every query answers for one of `choices` at least: no application does everything. Returns their number."""
    count = 0
    for panel in check.panels_of(board):
        for target in panel["targets"]:
            count += 1
            answers = [panel_answer(prometheus, target, variables, now) for variables in choices]
            expect(None in answers, f"{board['uid']}: '{panel['title']}' {target['refId']}: {answers[0]}")
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and variable["name"] != "cluster":
            selector, label = check.variable_selector(variable)
            check.VARIABLES.update(choices[0])
            values = prometheus.query(f"count by ({label}) ({check.substitute(selector)})", now)
            expect(values and all(label in labels for labels, _ in values), f"{board['uid']}: variable {variable['name']}: no values")
    return count


def check_boards(prometheus, now):
    hints = prometheus.query('flintgauge_hint_executors_desired{job="openmetrics"}', now)
    expect(hints, "no hints to show")
    common = {"job": "openmetrics", "cluster": ".*", "__rate_interval": "20s"}
    boards = {file.stem: json.loads(file.read_text()) for file in (ROOT / "dashboards").glob("*.json")}
    everything = [common | {"namespace": ".+", "application": ".+"}]
    applications = [common | {"namespace": labels["namespace"], "application": labels["app_id"]} for labels, _ in hints]
    return (check_board(prometheus, boards["overview"], everything, now) +
            check_board(prometheus, boards["hints"], everything, now) +
            check_board(prometheus, boards["application"], applications or everything, now))


def run(program, seconds, folder, processes):
    proxies = {"text": RecordingProxy(accept=TEXT), "openmetrics": RecordingProxy()}
    agents = [start_node(processes, program, folder, seconds), start_demo(processes, program)]
    prometheus = start_prometheus(processes, folder, agents, proxies)
    time.sleep(seconds)
    now = time.time()
    recorded = {job: {agent: list(proxy.pages.get(agent, [])) for agent in agents} for job, proxy in proxies.items()}
    check_up(prometheus, agents, now)
    check_formats(proxies)
    check_lint(recorded["text"])
    samples = sum(check_values(prometheus, job, agent, pages, now) for job in JOBS for agent, pages in recorded[job].items())
    check_types(prometheus)
    check_movement(prometheus, agents, now)
    rules, alerts = check_rules(prometheus, now)
    queries = check_boards(prometheus, now)
    pages = sum(len(pages) for by_agent in recorded.values() for pages in by_agent.values())
    print(f"{pages} pages, {samples} samples compared, {rules} recording rules, {alerts} alerts, {queries} panel queries")


def main():
    program, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 80
    for tool in ("prometheus", "promtool"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is not installed: apt-get install prometheus (./dev test does it)")
    import pathlib
    with tempfile.TemporaryDirectory(prefix="flintgauge-prometheus-") as folder, Processes(folder) as processes:
        run(program, seconds, pathlib.Path(folder), processes)
        if failures:
            for log in sorted(pathlib.Path(folder).glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-3000:]}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
