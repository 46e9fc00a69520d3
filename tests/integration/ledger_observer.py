"""What a patient observer of a node's pages knows: sums and increases, the slow and obvious way.

Written from the rules of the formats and of the kubelet, not from the agent's code. Counters start with the first sample:
nothing of it counts when the thing is older than the observer, all of it when it is younger. Afterwards an increase is the
difference of two samples, or the whole value after a fall. A sample with the stamp of the one before tells nothing new.
"""
import calendar
import collections
import json
import os
import re
import time

LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
CONTAINER_COUNTERS = {
    "container_cpu_usage_seconds_total": ("cpu_usage_seconds_total", ""),
    "container_cpu_cfs_periods_total": ("cpu_cfs_periods_total", ""),
    "container_cpu_cfs_throttled_periods_total": ("cpu_cfs_throttled_periods_total", ""),
    "container_cpu_cfs_throttled_seconds_total": ("cpu_throttled_seconds_total", ""),
    "container_oom_events_total": ("oom_kills_total", "process"),
    "container_fs_reads_bytes_total": ("fs_read_bytes_total", ""),
    "container_fs_writes_bytes_total": ("fs_written_bytes_total", ""),
    "container_memory_failures_total": ("memory_major_page_faults_total", ""),
}
PRESSURE_COUNTERS = {f"container_pressure_{resource}_{kind}_seconds_total": ("pressure_seconds_total", resource + kind)
                     for resource in ("cpu", "memory", "io") for kind in ("waiting", "stalled")}
CONTAINER_COUNTERS.update(PRESSURE_COUNTERS)
NETWORK_COUNTERS = {
    "container_network_receive_bytes_total": ("network_receive_bytes_total", ""),
    "container_network_transmit_bytes_total": ("network_transmit_bytes_total", ""),
    "container_network_receive_errors_total": ("network_errors_total", "receive"),
    "container_network_transmit_errors_total": ("network_errors_total", "transmit"),
    "container_network_receive_packets_dropped_total": ("network_packets_dropped_total", "receive"),
    "container_network_transmit_packets_dropped_total": ("network_packets_dropped_total", "transmit"),
}
GAUGES = {
    "container_memory_working_set_bytes": "memory_working_set_bytes",
    "container_memory_rss": "memory_rss_bytes",
    "container_memory_cache": "memory_cache_bytes",
}
WANTED = tuple(list(CONTAINER_COUNTERS) + list(NETWORK_COUNTERS) + list(GAUGES) + ["container_start_time_seconds"])
COMPANIONS = {"kafka": "kafka", "zeppelin": "zeppelin", "jupyter": "jupyter"}


def rows(path):
    """(name, labels, label text, value, stamp or None) of every wanted line of a page."""
    with open(path, encoding="utf-8") as file:
        for text in file.read().split("\n"):
            if not text.startswith(WANTED):
                continue
            name, labels, value, stamp = LINE.match(text).groups()
            yield name, dict(LABEL.findall(labels or "")), labels, float(value), int(stamp) if stamp else None


def epoch(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def workload(labels):
    if labels.get("spark-app-selector"):
        return "spark"
    return COMPANIONS.get(labels.get("app.kubernetes.io/name"), "other")


class Pod:
    def __init__(self, item):
        meta, status = item["metadata"], item["status"]
        labels = meta.get("labels", {})
        self.uid, self.key = meta["uid"], (meta["namespace"], meta["name"])
        self.created, self.phase = epoch(meta["creationTimestamp"]), status["phase"]
        self.host_network = item["spec"].get("hostNetwork", False)
        self.spec = item["spec"]["containers"]
        self.statuses = {s["name"]: s for s in status.get("containerStatuses", [])}
        self.groups = [("namespace", meta["namespace"], workload(labels))]
        if labels.get("spark-app-selector"):
            self.groups.append(("app", meta["namespace"], labels["spark-app-selector"], labels["spark-role"]))

    def runs(self, container):
        return self.phase == "Running" and "running" in self.statuses.get(container, {}).get("state", {})


class Observer:
    """totals and gauges: {(group, family suffix, last label): value}."""

    def __init__(self, started_ms):
        self.started_ms = started_ms
        self.totals = collections.defaultdict(float)
        self.gauges = {}
        self.samples = {}        # series text -> (value, stamp)
        self.restarts = {}       # (uid, container) -> count
        self.killed = set()      # container ids
        self.pressured = False   # whether anything ever waited: a node without pressure accounting shows zeros

    def moment(self, directory, page="cadvisor.prom"):
        """Looks at one moment. With page None only CPU time is taken from the container rows: what a stand-in tells too."""
        with open(os.path.join(directory, "pods.json"), encoding="utf-8") as file:
            pods = [Pod(item) for item in json.load(file)["items"]]
        self.gauges = collections.defaultdict(float)
        for pod in pods:
            self.look_at(pod)
        self.read({pod.key: pod for pod in pods}, os.path.join(directory, "cadvisor.prom"), page is None)
        self.read_summary({pod.key: pod for pod in pods}, os.path.join(directory, "summary.json"))

    def look_at(self, pod):
        for group in pod.groups:
            self.gauges[group, "pods", pod.phase] += 1
            self.totals[group, "container_restarts_total", ""] += 0
            self.totals[group, "oom_kills_total", "container"] += 0
            if pod.phase == "Running":
                self.add_resources(group, pod)
        for name, status in pod.statuses.items():
            before = self.restarts.get((pod.uid, name))
            if before is None:
                before = 0 if pod.created * 1000 > self.started_ms else status["restartCount"]
            self.add(pod, "container_restarts_total", "", status["restartCount"] - before)
            self.restarts[pod.uid, name] = status["restartCount"]
            for state in ("state", "lastState"):
                ended = status.get(state, {}).get("terminated")
                if not ended or ended["reason"] != "OOMKilled" or epoch(ended["finishedAt"]) * 1000 < self.started_ms:
                    continue
                if ended["containerID"] not in self.killed:
                    self.killed.add(ended["containerID"])
                    self.add(pod, "oom_kills_total", "container", 1)

    def add_resources(self, group, pod):
        for container in pod.spec:
            for kind, family in (("requests", "requests"), ("limits", "limits")):
                have = container["resources"].get(kind, {})
                if "memory" in have:
                    self.gauges[group, f"memory_{family}_bytes", ""] += in_bytes(have["memory"])
                if "cpu" in have:
                    self.gauges[group, f"cpu_{family}_millicores", ""] += in_millicores(have["cpu"])

    def read_summary(self, pods, path):
        with open(path, encoding="utf-8") as file:
            summary = json.load(file)
        for entry in summary["pods"]:
            for group in pods[entry["podRef"]["namespace"], entry["podRef"]["name"]].groups:
                self.gauges[group, "ephemeral_storage_usage_bytes", ""] += entry["ephemeral-storage"]["usedBytes"]
                for volume in entry["volume"]:
                    for field, family in (("usedBytes", "volume_usage_bytes"), ("capacityBytes", "volume_capacity_bytes")):
                        if "pvcRef" in volume:
                            key = group, family, volume["pvcRef"]["name"]
                            self.gauges[key] = max(self.gauges[key], volume[field])

    def add(self, pod, family, label, amount):
        for group in pod.groups:
            self.totals[group, family, label] += amount

    def read(self, pods, path, cpu_only):
        page = list(rows(path))
        starts = {labels["id"]: value * 1000 for name, labels, _, value, _ in page if name == "container_start_time_seconds"}
        for name, labels, text, value, stamp in page:
            self.pressured = self.pressured or (name in PRESSURE_COUNTERS and value > 0 and not cpu_only)
            pod = pods.get((labels["namespace"], labels["pod"]))
            if pod is None:
                continue                                  # slices, the node
            is_sandbox = labels["container"] == "POD" or (not labels["container"] and labels["name"])
            is_container = labels["container"] not in ("", "POD")
            if name in CONTAINER_COUNTERS and is_container:
                if name == "container_memory_failures_total" and (labels["failure_type"], labels["scope"]) != (
                        "pgmajfault", "container"):
                    continue
                if not cpu_only or name == "container_cpu_usage_seconds_total":
                    self.count(pod, CONTAINER_COUNTERS[name], name + text, value, stamp, starts[labels["id"]])
            elif name in NETWORK_COUNTERS and is_sandbox and not pod.host_network and not cpu_only:
                self.count(pod, NETWORK_COUNTERS[name], name + text, value, stamp, pod.created * 1000)
            elif name in GAUGES and is_container and pod.runs(labels["container"]):
                for group in pod.groups:
                    self.gauges[group, GAUGES[name], ""] += value
                    if name == "container_memory_working_set_bytes":
                        key = group, "memory_working_set_max_bytes", ""
                        self.gauges[key] = max(self.gauges[key], value)

    def count(self, pod, family, series, value, stamp, started_ms):
        if value < 0:                                     # no counter (gen_node: a container that has yet to start)
            return
        if series not in self.samples:
            increase = value if started_ms > self.started_ms else 0
        else:
            before, stamped = self.samples[series]
            if stamp <= stamped:
                return
            increase = value if value < before else value - before
        self.samples[series] = (value, stamp)
        self.add(pod, *family, increase)


def in_bytes(text):
    for suffix, factor in (("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)):
        if text.endswith(suffix):
            return int(text[:-2]) * factor
    return int(text)


def in_millicores(text):
    return int(text[:-1]) if text.endswith("m") else int(text) * 1000


class SparkObserver:
    """Whole-application totals from the executors that a driver lists: each counts with the most it ever showed."""

    FIELDS = {"tasks_completed_total": "completedTasks", "tasks_failed_total": "failedTasks", "gc_seconds_total": "totalGCTime",
              "input_bytes_total": "totalInputBytes", "shuffle_read_bytes_total": "totalShuffleRead",
              "shuffle_write_bytes_total": "totalShuffleWrite"}

    def __init__(self):
        self.seen = collections.defaultdict(dict)          # app id -> {executor: {family: value}}
        self.now = {}

    def moment(self, directory):
        self.now = {}
        root = os.path.join(directory, "spark")
        for app in sorted(os.listdir(root)) if os.path.isdir(root) else ():
            with open(os.path.join(root, app, "executors.json"), encoding="utf-8") as file:
                listed = [row for row in json.load(file) if row["id"] != "driver"]
            for row in listed:
                known = self.seen[app].setdefault(row["id"], dict.fromkeys(self.FIELDS, 0))
                for family, field in self.FIELDS.items():
                    known[family] = max(known[family], row[field] / 1000 if field == "totalGCTime" else row[field])
            self.now[app] = {"executors": len(listed), "active": sum(min(r["activeTasks"], r["maxTasks"]) for r in listed)}

    def total(self, app, family):
        return sum(known[family] for known in self.seen[app].values())
