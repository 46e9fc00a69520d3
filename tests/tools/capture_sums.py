#!/usr/bin/env python3
"""Sums of one moment of a kubelet, read independently of the agent: Python standard library, written from the format's rules.

  capture_sums.py --cadvisor FILE [--pods FILE] [--summary FILE] [--now MS]

FILE may be gzipped. Prints JSON: samples, and per namespace, per application (namespace/app_id/role) and for the node the
sum of every measure. With --pods, rows count for the pod that the pod list names: live containers only for gauges, the
newest instance of a container, no host-network traffic. Without --pods, rows count for the namespace label they carry.

Measures: cpu_usage_seconds cpu_cfs_periods cpu_cfs_throttled_periods cpu_cfs_throttled_seconds memory_major_page_faults
oom_events fs_read_bytes fs_written_bytes network_receive_bytes network_transmit_bytes, network_* _errors and _dropped,
pressure_<resource>_<kind>_seconds (counters, as they stand), memory_working_set_bytes memory_rss_bytes
memory_cache_bytes swap_bytes (gauges), and from the pods: pods_<phase>, resizing_<state>, restarts, oom_kills (containers whose present or last end was one), cpu_requests_millicores cpu_limits_millicores memory_requests_bytes memory_limits_bytes; from the summary:
ephemeral_storage_bytes, volume_usage_bytes <claim>, volume_capacity_bytes <claim>.
"""
import argparse
import collections
import gzip
import json
import re
import sys
from fractions import Fraction

COUNTERS = {
    "container_cpu_usage_seconds_total": "cpu_usage_seconds",
    "container_cpu_cfs_periods_total": "cpu_cfs_periods",
    "container_cpu_cfs_throttled_periods_total": "cpu_cfs_throttled_periods",
    "container_cpu_cfs_throttled_seconds_total": "cpu_cfs_throttled_seconds",
    "container_oom_events_total": "oom_events",
    "container_fs_reads_bytes_total": "fs_read_bytes",
    "container_fs_writes_bytes_total": "fs_written_bytes",
}
GAUGES = {
    "container_memory_working_set_bytes": "memory_working_set_bytes",
    "container_memory_rss": "memory_rss_bytes",
    "container_memory_cache": "memory_cache_bytes",
}
NETWORK = {
    "container_network_receive_bytes_total": "network_receive_bytes",
    "container_network_transmit_bytes_total": "network_transmit_bytes",
    "container_network_receive_errors_total": "network_receive_errors",
    "container_network_transmit_errors_total": "network_transmit_errors",
    "container_network_receive_packets_dropped_total": "network_receive_dropped",
    "container_network_transmit_packets_dropped_total": "network_transmit_dropped",
}
PRESSURE = {f"container_pressure_{resource}_{kind}_seconds_total": f"pressure_{resource}_{kind}_seconds"
            for resource in ("cpu", "memory", "io") for kind in ("waiting", "stalled")}
SWAP = {"container_memory_swap": "swap_bytes"}
FRESH_MS = 60_000
LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*(\S+)(?:\s+(-?\d+))?\s*$', re.S)
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
UNESCAPE = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def read(path):
    data = open(path, "rb").read()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def parse_text(text):
    """[(name, labels, value, timestamp_ms or None)] of every sample line."""
    rows = []
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.match(line)
        if not match:
            raise ValueError("not a sample: " + line[:120])
        name, labels, value, at = match.groups()
        pairs = {k: re.sub(r'\\[\\"n]', lambda m: UNESCAPE[m.group()], v) for k, v in LABEL.findall(labels or "")}
        rows.append((name, pairs, float(value), int(at) if at else None))
    return rows


def first(labels, *names):
    return next((labels[n] for n in names if labels.get(n)), "")


def names_of(labels):
    """(namespace, pod, container) in whichever dialect the row speaks."""
    prefix = "container_label_io_kubernetes_"
    return (first(labels, "namespace", prefix + "pod_namespace"), first(labels, "pod", "pod_name", prefix + "pod_name"),
            first(labels, "container", "container_name", prefix + "container_name"))


def ids_of(labels):
    """(container id, pod uid) as the cgroup path or the runtime's name spell them."""
    path = labels.get("id", "")
    container = re.search(r"([0-9a-f]{64})(?:\.scope)?$", path) or re.fullmatch(r"([0-9a-f]{64})", labels.get("name", ""))
    uid = re.search(r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./:]|$)", path)
    return container.group(1) if container else "", uid.group(1).replace("_", "-") if uid else ""


def quantity(text, scale):
    """A Kubernetes quantity times scale, rounded away from zero."""
    number, suffix = re.fullmatch(r"([+-]?[0-9.]+)(.*)", str(text)).groups()
    binary = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
    decimal = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
    if suffix in binary:
        factor = Fraction(1024) ** binary[suffix]
    elif suffix in decimal:
        factor = Fraction(10) ** decimal[suffix]
    else:
        factor = Fraction(10) ** int(suffix[1:])
    exact = Fraction(number) * factor * scale
    return -int(-exact // 1) if exact > 0 else int(exact // 1)


class Pods:
    """Who is who, from a PodList."""

    def __init__(self, document):
        self.pods = document.get("items") or []
        self.by_name, self.by_uid, self.by_container = {}, {}, {}
        for pod in self.pods:
            meta = pod["metadata"]
            self.by_name[meta.get("namespace", ""), meta["name"]] = pod
            self.by_uid[meta.get("uid", "")] = pod
            for status in self.statuses(pod):
                for place in (status, (status.get("lastState") or {}).get("terminated") or {}):
                    cid = (place.get("containerID") or "").split("://")[-1]
                    if cid:
                        self.by_container[cid] = (pod, status["name"])

    @staticmethod
    def statuses(pod):
        status = pod.get("status") or {}
        return sum((status.get(k) or [] for k in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")), [])

    def find(self, labels):
        """(pod, container name) of a row, or (None, "")."""
        namespace, name, container = names_of(labels)
        if (namespace, name) in self.by_name:
            return self.by_name[namespace, name], container
        cid, uid = ids_of(labels)
        if cid in self.by_container:
            return self.by_container[cid]
        if uid in self.by_uid:
            return self.by_uid[uid], container
        return None, ""

    def live(self, pod, container):
        if (pod.get("status") or {}).get("phase") != "Running":
            return False
        return any(s["name"] == container and "running" in (s.get("state") or {}) for s in self.statuses(pod))

    @staticmethod
    def groups(pod):
        """Keys of the sums that a pod counts for."""
        meta = pod["metadata"]
        labels, namespace = meta.get("labels") or {}, meta.get("namespace", "")
        keys = [("namespaces", namespace)]
        app, role = labels.get("spark-app-selector", ""), labels.get("spark-role", "")
        if app and role in ("driver", "executor"):
            keys.append(("applications", f"{namespace}/{app}/{role}"))
        return keys


def pod_numbers(pods, add):
    for pod in pods.pods:
        spec, status, groups = pod.get("spec") or {}, pod.get("status") or {}, pods.groups(pod)
        phase = status.get("phase", "Unknown")
        for key in groups:
            add(key, "pods_" + phase.lower(), 1)
            for measure in ("restarts", "oom_kills"):  # none known, until a status says more
                add(key, measure, 0)
            for container in pods.statuses(pod):
                add(key, "restarts", container.get("restartCount", 0))
                ends = [(container.get(s) or {}).get("terminated") or {} for s in ("state", "lastState")]
                add(key, "oom_kills", len({e.get("containerID") for e in ends if e.get("reason") == "OOMKilled"}))
        conditions = {(c.get("type"), c.get("reason")) for c in status.get("conditions") or [] if c.get("status") == "True"}
        told = status.get("resize")
        resizing = {"deferred": told == "Deferred" or ("PodResizePending", "Deferred") in conditions,
                    "infeasible": told == "Infeasible" or ("PodResizePending", "Infeasible") in conditions,
                    "in_progress": told == "InProgress" or any(t == "PodResizeInProgress" and r != "Error" for t, r in conditions),
                    "error": ("PodResizeInProgress", "Error") in conditions}
        for state in resizing:
            if resizing[state] and phase not in ("Succeeded", "Failed"):
                for key in groups:
                    add(key, "resizing_" + state, 1)
        if phase != "Running":
            continue
        counted = list(spec.get("containers") or []) + [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
        actual = {s["name"]: s for s in pods.statuses(pod)}
        hopeless = status.get("resize") == "Infeasible" or any(
            c.get("type") == "PodResizePending" and c.get("status") == "True" and c.get("reason") == "Infeasible"
            for c in status.get("conditions") or [])
        for which, plural in (("requests", "requests"), ("limits", "limits")):
            for resource, scale, unit in (("cpu", 1000, "millicores"), ("memory", 1, "bytes")):
                total, stated = 0, False
                for container in counted:
                    have = actual.get(container["name"], {})
                    options = [(container.get("resources") or {}).get(which), (have.get("resources") or {}).get(which)]
                    if which == "requests":
                        options.append(have.get("allocatedResources"))
                        if hopeless and any(o and resource in o for o in options[1:]):
                            options[0] = None  # KEP-1287: a wish that the kubelet will never grant does not count
                    values = [quantity(o[resource], scale) for o in options if o and resource in o]
                    if which == "limits" and len(values) == 2:
                        values = values[1:]  # the limit on the cgroup is the actual one
                    if values:
                        total, stated = total + max(values), True
                pod_level = ((spec.get("resources") or {}).get(which) or {}).get(resource)
                if pod_level is not None:
                    total, stated = quantity(pod_level, scale), True
                overhead = (spec.get("overhead") or {}).get(resource)
                if overhead and which == "requests":
                    total, stated = total + quantity(overhead, scale), True
                if stated:
                    for key in groups:
                        add(key, f"{resource}_{plural}_{unit}", total)


def newest_instances(rows, pods):
    """{(pod uid, container): id label of the instance that counts}: the one started last."""
    best = {}
    for name, labels, value, _ in rows:
        if name == "container_start_time_seconds":
            pod, container = pods.find(labels)
            if pod and container and container != "POD":
                key = (pod["metadata"].get("uid"), container)
                best[key] = max(best.get(key, (-1, "")), (value, labels.get("id", "")))
    return {key: value[1] for key, value in best.items()}


def cadvisor_numbers(rows, pods, now_ms, add):
    newest = newest_instances(rows, pods)
    # All rows 0, the root's too: nobody measures it. Swap beyond 2^63 is an underflow.
    counters, gauges = dict(COUNTERS), dict(GAUGES)
    if any(value > 0 for name, _, value, _ in rows if name in PRESSURE):
        counters.update(PRESSURE)
    if any(0 < value < 2 ** 63 for name, _, value, _ in rows if name in SWAP):
        gauges.update(SWAP)
    for name, labels, value, at in rows:
        if name in SWAP and not 0 <= value < 2 ** 63:
            continue
        if labels.get("id") == "/":
            for table in (COUNTERS, GAUGES):
                if table.get(name) in ("cpu_usage_seconds", "memory_working_set_bytes"):
                    add(("node", ""), table[name], value)
            continue
        major = name == "container_memory_failures_total" and labels.get("failure_type") == "pgmajfault" and labels.get("scope") == "container"
        measure = "memory_major_page_faults" if major else counters.get(name) or gauges.get(name) or NETWORK.get(name)
        if measure is None or value != value:
            continue
        pod, container = pods.find(labels)
        if pod is None:
            continue
        sandbox = container in ("", "POD") and (labels.get("name") or labels.get("image") or re.fullmatch("[0-9a-f]{64}", labels.get("id", ""))
                                                or container == "POD" or ids_of(labels)[0])
        if name in NETWORK:
            if not sandbox or labels.get("interface") == "lo" or (pod.get("spec") or {}).get("hostNetwork"):
                continue
        elif container in ("", "POD"):
            continue
        elif name in gauges:
            stale = at is not None and now_ms is not None and now_ms - at > FRESH_MS
            key = (pod["metadata"].get("uid"), container)
            if stale or not pods.live(pod, container) or newest.get(key, labels.get("id", "")) != labels.get("id", ""):
                continue
        for key in pods.groups(pod):
            add(key, measure, value)


def summary_numbers(summary, pods, add):
    claims = {}  # several pods may mount one claim: it is told once
    for entry in summary.get("pods") or []:
        used = (entry.get("ephemeral-storage") or {}).get("usedBytes")
        ref = entry.get("podRef") or {}
        pod = pods.by_name.get((ref.get("namespace"), ref.get("name")))
        if used is not None and pod is not None and (pod.get("status") or {}).get("phase") == "Running":
            for key in pods.groups(pod):
                add(key, "ephemeral_storage_bytes", used)
        if pod is None or (pod.get("status") or {}).get("phase") != "Running":
            continue
        for volume in entry.get("volume") or []:
            claim = (volume.get("pvcRef") or {}).get("name")
            for field, measure in (("usedBytes", "volume_usage_bytes"), ("capacityBytes", "volume_capacity_bytes")):
                if claim and field in volume:
                    for key in pods.groups(pod):
                        at = key, f"{measure} {claim}"
                        claims[at] = max(claims.get(at, 0), volume[field])
    for (key, measure), value in claims.items():
        add(key, measure, value)


def label_numbers(rows, add):
    """Without a pod list: container rows by the namespace they carry."""
    for name, labels, value, _ in rows:
        namespace, _, container = names_of(labels)
        measure = COUNTERS.get(name) or GAUGES.get(name)
        if measure and namespace and container not in ("", "POD") and value == value:
            add(("namespaces", namespace), measure, value)


def node_sums(cadvisor_text, pod_document=None, summary_document=None, now_ms=None):
    sums = {"node": collections.defaultdict(dict), "namespaces": collections.defaultdict(dict), "applications": collections.defaultdict(dict)}

    def add(key, measure, value):
        group = sums[key[0]][key[1]]
        group[measure] = group.get(measure, 0) + value

    rows = parse_text(cadvisor_text)
    if pod_document is None:
        label_numbers(rows, add)
    else:
        pods = Pods(pod_document)
        pod_numbers(pods, add)
        cadvisor_numbers(rows, pods, now_ms, add)
        if summary_document is not None:
            summary_numbers(summary_document, pods, add)
    return {"samples": len(rows), "node": dict(sums["node"].get("", {})), "namespaces": dict(sums["namespaces"]), "applications": dict(sums["applications"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cadvisor", required=True)
    parser.add_argument("--pods")
    parser.add_argument("--summary")
    parser.add_argument("--now", type=int, help="Unix ms of the moment; rows older than 60 s do not count as gauges")
    args = parser.parse_args()
    document = node_sums(read(args.cadvisor), json.loads(read(args.pods)) if args.pods else None,
                         json.loads(read(args.summary)) if args.summary else None, args.now)
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
