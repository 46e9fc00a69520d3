#!/usr/bin/env python3
"""What collectors and folds make of every captured page equals an independent reading of its files.

  capture_compare.py CAPTURE_DUMP FIXTURES

CAPTURE_DUMP is the test program of that name: it runs the agent's own collectors and folds. capture_sums.py reads the
same files with the Python standard library. Integers must be equal, seconds within 1e-9; every sample of a page must be
counted once, and every wanted one must end in one count of the fold.
"""
import json
import math
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
import capture_sums
from capture_files import (JOINED, K, LABELS_ONLY, NOT_ASKED, ON_KUBE, PODS_ONLY, RESOURCE, SEQUENCES, SPARK, SUMMARY_ONLY)

# Our families and the measures of capture_sums.py; labels that make several series one number are summed over.
FAMILIES = {
    "cpu_usage_seconds_total": "cpu_usage_seconds",
    "cpu_cfs_periods_total": "cpu_cfs_periods",
    "cpu_cfs_throttled_periods_total": "cpu_cfs_throttled_periods",
    "cpu_throttled_seconds_total": "cpu_cfs_throttled_seconds",
    "memory_major_page_faults_total": "memory_major_page_faults",
    "fs_read_bytes_total": "fs_read_bytes",
    "fs_written_bytes_total": "fs_written_bytes",
    "network_receive_bytes_total": "network_receive_bytes",
    "network_transmit_bytes_total": "network_transmit_bytes",
    "network_receive_errors_total": "network_receive_errors",
    "network_transmit_errors_total": "network_transmit_errors",
    "network_receive_packets_dropped_total": "network_receive_dropped",
    "network_transmit_packets_dropped_total": "network_transmit_dropped",
    "memory_working_set_bytes": "memory_working_set_bytes",
    "memory_rss_bytes": "memory_rss_bytes",
    "memory_cache_bytes": "memory_cache_bytes",
    "swap_usage_bytes": "swap_bytes",
    "container_restarts_total": "restarts",
    "cpu_requests_cores": "cpu_requests_millicores",
    "cpu_limits_cores": "cpu_limits_millicores",
    "memory_requests_bytes": "memory_requests_bytes",
    "memory_limits_bytes": "memory_limits_bytes",
    "ephemeral_storage_usage_bytes": "ephemeral_storage_bytes",
}
# Measure enumerators in the order of measure.h, for the sums by label.
MEASURES = {0: "cpu_usage_seconds", 1: "cpu_cfs_periods", 2: "cpu_cfs_throttled_periods", 3: "cpu_cfs_throttled_seconds",
            5: "oom_events", 6: "fs_read_bytes", 7: "fs_written_bytes", 20: "memory_working_set_bytes",
            21: "memory_rss_bytes", 22: "memory_cache_bytes"}
COUNTERS = {measure for family, measure in FAMILIES.items() if family.endswith("_total")} | {"oom_events", "oom_kills"}
COUNTERS |= set(capture_sums.PRESSURE.values())

# Totals of the whole application: (column of the executors, column of the stages, scale).
SPARK_TOTALS = {
    "tasks_completed_total": ("completedTasks", "numCompleteTasks", 1),
    "tasks_failed_total": ("failedTasks", "numFailedTasks", 1),
    "gc_seconds_total": ("totalGCTime", "jvmGcTime", 1000),
    "input_bytes_total": ("totalInputBytes", "inputBytes", 1),
    "shuffle_read_bytes_total": ("totalShuffleRead", "shuffleReadBytes", 1),
    "shuffle_write_bytes_total": ("totalShuffleWrite", "shuffleWriteBytes", 1),
    "executor_run_seconds_total": (None, "executorRunTime", 1000),
    "executor_cpu_seconds_total": (None, "executorCpuTime", 1_000_000_000),
    "input_records_total": (None, "inputRecords", 1),
    "output_bytes_total": (None, "outputBytes", 1),
    "shuffle_fetch_wait_seconds_total": (None, "shuffleFetchWaitTime", 1000),
    "memory_spilled_bytes_total": (None, "memoryBytesSpilled", 1),
    "disk_spilled_bytes_total": (None, "diskBytesSpilled", 1),
}

# Gauges that only the driver's registry tells.
DRIVER_GAUGES = {
    "executors target": "ExecutorAllocationManager.executors.numberTargetExecutors",
    "executors max_needed": "ExecutorAllocationManager.executors.numberMaxNeededExecutors",
    "jobs active": "DAGScheduler.job.activeJobs",
}


class Comparison:
    def __init__(self, dump, fixtures):
        self.dump, self.fixtures = dump, pathlib.Path(fixtures)
        self.failures, self.compared, self.used = [], 0, set()

    def path(self, name):
        plain = self.fixtures / name
        found = plain if plain.exists() else plain.with_name(plain.name + ".gz")
        self.used.add(str(found.relative_to(self.fixtures)))
        return str(found)

    def read(self, name):
        return capture_sums.read(self.path(name))

    def run(self, arguments):
        done = subprocess.run([self.dump, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {done.stderr}")
        return json.loads(done.stdout)

    def expect(self, where, ours, theirs):
        self.compared += 1
        if not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9 if isinstance(theirs, float) else 0):
            self.failures.append(f"{where}: the agent says {ours}, the files {theirs}")

    def expect_sums(self, where, ours, theirs):
        """Two dictionaries of numbers: the same names (nothing known is not zero), the same numbers."""
        for key in sorted(set(ours) ^ set(theirs)):
            self.failures.append(f"{where} {key}: only {'the agent' if key in ours else 'the files'} have it")
        for key in sorted(set(ours) & set(theirs)):
            self.expect(f"{where} {key}", ours[key], theirs[key])

    def accounted(self, name, file, lines=None):
        """Nothing is dropped silently."""
        scraped = sum(file[k] for k in ("kept", "skipped", "bad", "duplicate", "not_finite"))
        if lines is not None:
            self.expect(name + ": samples of the page", scraped, lines)
        if "samples" in file:
            self.expect(name + ": fate of the kept samples", sum(file["fold"].values()), file["samples"])


def series_of(text):
    """name{a="b"} -> (name, {a: b})"""
    name, _, rest = text.partition("{")
    return name, dict(part.split('="', 1) for part in rest[:-2].split('",') if part) if rest else {}


def our_sums(series):
    """The agent's series in the words of capture_sums.py."""
    sums = {"node": {}, "namespaces": {}, "applications": {}}
    for text, value in series.items():
        name, labels = series_of(text)
        for prefix, table in (("flintgauge_app_", "applications"), ("flintgauge_namespace_", "namespaces")):
            if not name.startswith(prefix):
                continue
            suffix = name[len(prefix):].replace("network_", f"network_{labels['direction']}_" if "direction" in labels else "network_")
            key = labels["namespace"] + (f"/{labels['app_id']}/{labels['role']}" if table == "applications" else "")
            group = sums[table].setdefault(key, {})
            if suffix == "pods":
                measure = "pods_" + labels["phase"].lower()
            elif suffix == "pods_resizing":
                measure = "resizing_" + labels["state"]
            elif suffix == "pressure_seconds_total":
                measure = "pressure_{resource}_{kind}_seconds".format(**labels)
            elif "persistentvolumeclaim" in labels:
                measure = suffix + " " + labels["persistentvolumeclaim"]
            elif suffix == "oom_kills_total":
                measure = {"process": "oom_events", "container": "oom_kills"}[labels["scope"]]
            else:
                measure = FAMILIES.get(suffix)
            if measure is None:
                continue
            scale = 1000 if suffix.endswith("_cores") else 1
            group[measure] = group.get(measure, 0) + (round(value * scale) if scale != 1 else value)
        if name == "flintgauge_node_cpu_usage_seconds_total":
            sums["node"]["cpu_usage_seconds"] = value
        if name == "flintgauge_node_memory_working_set_bytes":
            sums["node"]["memory_working_set_bytes"] = value
    return sums


def newest(rows):
    return max((at for _, _, _, at in rows if at), default=1_700_000_000_000)


class Moment:
    """One scrape of all pages of a node."""

    def __init__(self, c, name):
        cadvisor, pods, summary = JOINED[name]
        text = c.read(cadvisor)
        self.name, self.rows = name, capture_sums.parse_text(text)
        self.pods, summary_document = json.loads(c.read(pods)), json.loads(c.read(summary))
        now = newest(self.rows) + 1
        self.sums = capture_sums.node_sums(text, self.pods, summary_document, now)
        for measure, place, field in (("cpu_usage_seconds", "cpu", "usageCoreNanoSeconds"),
                                      ("memory_working_set_bytes", "memory", "workingSetBytes")):
            if measure not in self.sums["node"]:  # no root row when the runtime feeds the page
                value = summary_document["node"][place][field]
                self.sums["node"][measure] = value / 1e9 if measure.endswith("seconds") else value
        self.arguments = ["--now", str(now), "kubelet_pods=" + c.path(pods), "cadvisor=" + c.path(cadvisor),
                          "kubelet_summary=" + c.path(summary)]

    def containers_of(self, key):
        """The instances that count for a group, and how they fare."""
        found = set()
        for pod in self.pods["items"]:
            if any(key == group for _, group in capture_sums.Pods.groups(pod)):
                found |= {(pod["metadata"]["uid"], s["name"], s.get("containerID"), *s.get("state", {}))
                          for s in capture_sums.Pods.statuses(pod)}
        return found


def compare_joined(c, moment):
    dump = c.run(moment.arguments)
    for what, file in dump["files"].items():
        c.accounted(f"{moment.name} {what}", file, len(moment.rows) if what.startswith("cadvisor=") else None)
    ours = our_sums(dump["series"])
    for table in ("namespaces", "applications"):
        for key in sorted(set(ours[table]) | set(moment.sums[table])):
            c.expect_sums(f"{moment.name} {key}", ours[table].get(key, {}), moment.sums[table].get(key, {}))
    c.expect(moment.name + " node's working set", ours["node"].get("memory_working_set_bytes", 0), moment.sums["node"]["memory_working_set_bytes"])


def compare_sequence(c, moments):
    """Totals grow from moment to moment by what the pages grew by, where no container came or went; and never fall."""
    before = {"node": {}, "namespaces": {}, "applications": {}}
    for i, moment in enumerate(moments):
        ours = our_sums(c.run(sum((m.arguments for m in moments[:i + 1]), []))["series"])
        if i:
            last = moments[i - 1]
            grown = ours["node"]["cpu_usage_seconds"] - before["node"].get("cpu_usage_seconds", 0)
            c.expect(moment.name + ": node's CPU", grown, moment.sums["node"]["cpu_usage_seconds"] - last.sums["node"]["cpu_usage_seconds"])
        for table in ("namespaces", "applications"):
            for key, group in ours[table].items():
                for measure in COUNTERS & set(group):
                    grown = group[measure] - before[table].get(key, {}).get(measure, 0)
                    if grown < 0:
                        c.failures.append(f"{moment.name} {key} {measure} fell by {-grown}")
                    if i and moment.containers_of(key) == last.containers_of(key):
                        there = [m.sums[table][key].get(measure, 0) for m in (last, moment)]
                        c.expect(f"{moment.name} {key} {measure} grew", grown, there[1] - there[0])
        before = ours


def label_sums(dump):
    ours = {}
    for key, value in dump["labels"].items():
        namespace, measure = key.rsplit(" ", 1)
        if int(measure) in MEASURES:
            ours.setdefault(namespace, {})[MEASURES[int(measure)]] = value
    return ours


def compare_labels(c, name):
    text = c.read(name)
    rows = capture_sums.parse_text(text)
    dump = c.run(["--now", str(newest(rows)), "cadvisor=" + c.path(name)])
    for what, file in dump["files"].items():
        c.accounted(f"{name} {what}", file, len(rows))
    ours = label_sums(dump)
    theirs = capture_sums.node_sums(text)["namespaces"]
    for namespace in sorted(set(ours) | set(theirs)):
        c.expect_sums(f"{name} {namespace}", ours.get(namespace, {}), theirs.get(namespace, {}))


def compare_resource(c, name, pods):
    """CPU and working set of the page that stands in for cAdvisor's."""
    text = c.read(name)
    rows = [row for row in capture_sums.parse_text(text)]
    now = newest(rows) + 1
    document = json.loads(c.read(pods)) if pods else None
    dump = c.run(["--now", str(now)] + (["kubelet_pods=" + c.path(pods)] if pods else []) + ["kubelet_resource=" + c.path(name)])
    for what, file in dump["files"].items():
        c.accounted(f"{name} {what}", file, len(rows) if what.startswith("kubelet_resource=") else None)
    theirs = capture_sums.node_sums(text, document, None, now)["namespaces"]
    ours = our_sums(dump["series"])["namespaces"] if pods else label_sums(dump)
    for namespace in sorted(set(ours) | set(theirs)):
        for measure in ("cpu_usage_seconds", "memory_working_set_bytes"):
            both = [group.get(namespace, {}).get(measure) for group in (ours, theirs)]
            if both != [None, None]:
                c.expect(f"{name} {namespace} {measure}", both[0] or 0, both[1] or 0)


def compare_not_asked(c, name):
    rows = capture_sums.parse_text(c.read(name))
    file, = c.run(["--now", str(newest(rows)), "cadvisor=" + c.path(name)])["files"].values()
    c.accounted(name, file, len(rows))
    c.expect(name + ": samples skipped", file["skipped"], len(rows))


def compare_pods(c, name):
    document = json.loads(c.read(name))
    dump = c.run(["kubelet_pods=" + c.path(name)])
    c.accounted(name, *dump["files"].values())
    for item in document.get("items") or []:
        if not item.setdefault("metadata", {}).setdefault("name", "") or not item["metadata"].get("creationTimestamp"):
            for status in capture_sums.Pods.statuses(item):  # nobody knows when these restarts were: before the agent
                status["restartCount"] = 0
    theirs = capture_sums.node_sums("", document)["namespaces"]
    ours = our_sums(dump["series"])["namespaces"]
    for namespace in sorted(set(ours) | set(theirs)):
        c.expect_sums(f"{name} {namespace}", ours.get(namespace, {}), theirs.get(namespace, {}))


def compare_summary(c, name):
    """No pods to join with: the readings that are taken, counted in the tree."""
    document = json.loads(c.read(name))
    dump = c.run(["kubelet_summary=" + c.path(name)])
    file, = dump["files"].values()
    c.accounted(name, file)
    node = document.get("node") or {}
    wanted = sum(field in (node.get(place) or {}) for place, field in
                 (("cpu", "usageCoreNanoSeconds"), ("memory", "workingSetBytes"), ("fs", "capacityBytes"), ("fs", "availableBytes")))
    for pod in document.get("pods") or []:
        wanted += "usedBytes" in (pod.get("ephemeral-storage") or {})
        wanted += sum(field in (pod.get("network") or {}) for field in ("rxBytes", "txBytes", "rxErrors", "txErrors"))
        wanted += sum(field in volume for volume in pod.get("volume") or [] if (volume.get("pvcRef") or {}).get("name")
                      for field in ("usedBytes", "capacityBytes"))
    c.expect(name + ": readings", file["samples"], wanted)


def compare_spark(c, moment, team):
    folder = f"{ON_KUBE}{moment}/"
    executors, stages = (json.loads(c.read(f"{folder}{team}.{page}.json")) for page in ("allexecutors", "stages"))
    pods = json.loads(c.read(folder + "pods.json"))
    app, = {p["metadata"]["labels"]["spark-app-selector"] for p in pods["items"]
            if p["metadata"]["namespace"] == team and "spark-app-selector" in p["metadata"].get("labels", {})}
    dump = c.run(["kubelet_pods=" + c.path(folder + "pods.json"),
                  f"spark_executors:{team}/{app}=" + c.path(f"{folder}{team}.allexecutors.json"),
                  f"spark_stages/1:{team}/{app}=" + c.path(f"{folder}{team}.stages.json"),
                  f"spark_metrics_json:{team}/{app}=" + c.path(f"{folder}{team}.metrics.json")])
    ours = {}
    for text, value in dump["series"].items():
        name, labels = series_of(text)
        if name.startswith("flintgauge_spark_") and labels.get("app_id") == app:
            ours[name[len("flintgauge_spark_"):] + (" " + labels["state"] if "state" in labels else "")] = value
    workers = [e for e in executors if e["id"] != "driver"]
    for family, (of_executor, of_stage, scale) in SPARK_TOTALS.items():
        by_stage = sum(s[of_stage] for s in stages)
        by_executor = sum(e[of_executor] for e in workers) if of_executor else 0
        c.expect(f"{moment} {team} {family}", ours[family], max(by_stage, by_executor) / scale)
    active = [s for s in stages if s["status"] == "ACTIVE"]
    c.expect(f"{moment} {team} executors", ours["executors active"], sum(e["isActive"] for e in workers))
    c.expect(f"{moment} {team} dead executors", ours["executors dead"], sum(not e["isActive"] for e in workers))
    c.expect(f"{moment} {team} active tasks", ours["tasks active"], sum(min(e["activeTasks"], e["maxTasks"]) for e in workers if e["isActive"]))
    c.expect(f"{moment} {team} pending tasks", ours["tasks pending"],
             sum(max(0, s["numTasks"] - s["numCompleteTasks"] - s["numActiveTasks"]) for s in active))
    c.expect(f"{moment} {team} active stages", ours["stages active"], len(active))
    gauges = json.loads(c.read(f"{folder}{team}.metrics.json"))["gauges"]
    for series, gauge in DRIVER_GAUGES.items():
        theirs = [gauges[name]["value"] for name in (f"{app}.driver.{gauge}",) if name in gauges]
        c.expect_sums(f"{moment} {team}", {series: ours[series]} if series in ours else {}, {series: theirs[0]} if theirs else {})


# Read one by one, against a slow reading, by the test of their collector (EveryCapture... in tests/collectors).
READ_THERE = ("applications.json", "environment.json", "jobs.json", ".prometheus.txt", "executors-prometheus.txt")


def expect_all_used(c):
    for file in sorted(c.fixtures.rglob("*")):
        name = str(file.relative_to(c.fixtures))
        if not file.is_file() or not name.startswith((K, ON_KUBE)) or file.suffix == ".prom" or file.name == "truth.json":
            continue
        if name not in c.used and not name.removesuffix(".gz").endswith(READ_THERE):
            c.failures.append(f"{name}: nobody reads this capture")


def main():
    dump, fixtures = sys.argv[1:]
    c = Comparison(dump, fixtures)
    moments = {name: Moment(c, name) for name in JOINED}
    for moment in moments.values():
        compare_joined(c, moment)
    for names in SEQUENCES:
        compare_sequence(c, [moments[name] for name in names])
    for name in LABELS_ONLY:
        compare_labels(c, name)
    for name, pods in RESOURCE:
        compare_resource(c, name, pods)
    for name in NOT_ASKED:
        compare_not_asked(c, name)
    for name in PODS_ONLY:
        compare_pods(c, name)
    for name in SUMMARY_ONLY:
        compare_summary(c, name)
    for moment, team in SPARK:
        compare_spark(c, moment, team)
    expect_all_used(c)
    print("\n".join(c.failures))
    print(f"{c.compared} numbers compared, {len(c.failures)} differ")
    return 1 if c.failures else 0


if __name__ == "__main__":
    sys.exit(main())
