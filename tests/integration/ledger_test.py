#!/usr/bin/env python3
"""The ledger: what the agent publishes of a simulated node is compared with the truth, moment by moment.

  ledger_test.py --program LEDGER --gen-node GEN_NODE [--jobs N] [--soak] [--twin] [SHAPE ...]

For each shape gen_node writes the pages of a node over at least 60 moments and the sums that its model knows. The program
LEDGER decodes and folds them with the agent's own code. Then must hold, at every moment:
  * every gauge equals the sum of truth.json, per namespace and per application, exactly;
  * every total equals what an independent observer of the same pages counts (ledger_observer.py): integers exactly,
    seconds within 1e-9 of the increase, from any moment to any other;
  * where no container restarts, the increases equal those of the model;
  * no counter falls.
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

from ledger_observer import Observer, SparkObserver

COMMON = ["--apps", "3", "--namespaces", "3", "--cores", "32"]
# name: (arguments of gen_node, moments with only the stand-in page)
SHAPES = {
    "plain": (["--seed", "1", "--pods", "14"], ()),
    "restarts": (["--seed", "2", "--pods", "14", "--restart-every", "60"], ()),
    "restarts-cgroupfs": (["--seed", "3", "--pods", "14", "--restart-every", "45", "--cgroup-driver", "cgroupfs"], ()),
    "churn": (["--seed", "4", "--pods", "14", "--churn", "90", "--housekeeping", "0"], ()),
    "churn-restarts": (["--seed", "5", "--pods", "14", "--churn", "70", "--restart-every", "50", "--housekeeping", "0"], ()),
    "two-containers": (["--seed", "6", "--pods", "9", "--containers", "2", "--restart-every", "80", "--flavor", "head"], ()),
    "interfaces": (["--seed", "7", "--pods", "12", "--interfaces", "3", "--devices", "3", "--flavor", "1.28"], ()),
    "hostile": (["--seed", "8", "--pods", "14", "--hostile", "--restart-every", "70"], ()),
    "pod-sandbox": (["--seed", "9", "--pods", "14", "--sandbox-container", "POD", "--cgroup-driver", "cgroupfs",
                     "--container-fs", "--host-network", "3"], ()),
    "slow-housekeeping": (["--seed", "10", "--pods", "14", "--housekeeping", "25", "--completed", "4"], ()),
    "fallback": (["--seed", "11", "--pods", "14"], set(range(10, 18)) | set(range(30, 45))),
    "fallback-restarts": (["--seed", "12", "--pods", "14", "--restart-every", "60", "--housekeeping", "0"],
                          set(range(10, 18)) | set(range(30, 45))),
}
# Families of the model's own sums, and the unit in which it has them.
TRUE_GAUGES = {"memory_working_set_bytes": "working_set_bytes", "memory_rss_bytes": "rss_bytes",
               "memory_cache_bytes": "cache_bytes", "memory_requests_bytes": "memory_request_bytes",
               "memory_limits_bytes": "memory_limit_bytes", "cpu_requests_millicores": "cpu_request_millicores",
               "cpu_limits_millicores": "cpu_limit_millicores", "pods": "pods", "pods:Running": "running_pods"}
# What no family tells: the agent's own reading of the pod list.
TRUE_LIST = ("containers", "drivers", "executors", "host_network_pods")
TRUE_TOTALS = {"cpu_usage_seconds_total": ("cpu_usage_ns", 1e9), "cpu_throttled_seconds_total": ("cfs_throttled_ns", 1e9),
               "cpu_cfs_periods_total": ("cfs_periods", 1), "cpu_cfs_throttled_periods_total": ("cfs_throttled_periods", 1),
               "oom_kills_total:process": ("oom_events", 1), "fs_read_bytes_total": ("fs_read_bytes", 1),
               "fs_written_bytes_total": ("fs_write_bytes", 1),
               "network_receive_bytes_total": ("network_receive_bytes", 1),
               "network_transmit_bytes_total": ("network_transmit_bytes", 1),
               "container_restarts_total": ("restarts", 1)}
NOT_CPU_AND_MEMORY = ("rss", "cache")


class Failure(Exception):
    pass


def expect(condition, *what):
    if not condition:
        raise Failure(" ".join(map(str, what)))


def parse_series(text):
    """'name{a="b",c="d"}' -> (name, (values)). Values of this test's node need no escapes."""
    name, _, labels = text.partition("{")
    return name, tuple(part.partition("=")[2].strip('"') for part in labels.rstrip("}").split(",") if part)


def read_output(text):
    moments = []
    for line in text.splitlines():
        if line.startswith("tick "):
            moments.append({})
        else:
            series, _, value = line.partition("\t")
            expect(series not in moments[-1], "twice:", series)
            moments[-1][series] = float(value)
    return moments


def by_group(series):
    """{(group, family suffix, last label): value} of the kubelet's families; CPU amounts in millicores, as sums are exact."""
    out = {}
    for text, value in series.items():
        name, labels = parse_series(text)
        for prefix, kind, own in (("flintgauge_app_", "app", 3), ("flintgauge_namespace_", "namespace", 2)):
            if not name.startswith(prefix):
                continue
            family = name[len(prefix):]
            if family.endswith("_cores"):
                family, value = family[:-len("cores")] + "millicores", round(value * 1000, 6)
            out[(kind, *labels[:own]), family, "".join(labels[own:])] = value
    return out


def sums(groups, family):
    """Sums over roles and workloads, as truth.json has them: {("namespace", ns) or ("app", id): value}."""
    family, _, label = family.partition(":")
    out = {}
    for (group, name, last), value in groups.items():
        if name != family or (label and last != label):
            continue
        key = ("namespace", group[1]) if group[0] == "namespace" else ("app", group[2])
        out[key] = out.get(key, 0) + value
    return out


class Judge:
    def __init__(self, arguments, gaps):
        self.gaps = gaps
        self.restarts = "--restart-every" in arguments
        self.churn = "--churn" in arguments
        self.last_series, self.first = {}, None
        self.offsets = {}        # seconds: how far total and observer were apart, at least and at most

    def moment(self, index, series, truth, observer, spark):
        groups = by_group(series)
        self.check_monotone(series)
        self.check_gauges(index, groups, truth)
        self.check_list(series, truth)
        self.check_observer(index, groups, observer)
        if not self.churn and not self.gaps:
            self.check_true_increases(groups, truth)
        self.check_node(series, truth, index)
        self.check_spark(series, truth, spark)
        self.last_series = series

    def check_monotone(self, series):
        for name, value in series.items():
            if parse_series(name)[0].endswith("_total") and name in self.last_series:
                expect(value >= self.last_series[name], name, "fell from", self.last_series[name], "to", value)

    def check_gauges(self, index, groups, truth):
        for family, field in TRUE_GAUGES.items():
            if index in self.gaps and any(word in family for word in NOT_CPU_AND_MEMORY):
                continue
            have = sums(groups, family)
            want = {("namespace", n): t[field] for n, t in truth["namespaces"].items()}
            want.update({("app", n): t[field] for n, t in truth["applications"].items()})
            for key in want.keys() | have.keys():
                expect(have.get(key, 0) == want.get(key, 0), key, family, "is", have.get(key), "not", want.get(key))

    def check_list(self, series, truth):
        for field in TRUE_LIST:
            for label, table in (("namespace", truth["namespaces"]), ("app_id", truth["applications"])):
                for group, books in table.items():
                    have = series.get(f'list_{field}{{{label}="{group}"}}', 0)
                    expect(have == books[field], group, field, "is", have, "not", books[field])

    def check_observer(self, index, groups, observer):
        for key, want in observer.gauges.items():
            if index in self.gaps and any(word in key[1] for word in NOT_CPU_AND_MEMORY):
                continue
            expect(groups.get(key) == want, key, "is", groups.get(key), "observer says", want)
        for key, want in observer.totals.items():
            if index in self.gaps and "network" in key[1]:
                continue    # the summary goes on telling them: compared again when the page is back
            have = groups.get(key)
            if key[1].startswith("pressure") and not observer.pressured:
                expect(have is None, key, "is told by a node that does not measure it")
                continue
            expect(have is not None, key, "is absent, observer says", want)
            if "_seconds_" not in key[1]:
                expect(have == want, key, "is", have, "observer says", want)
                continue
            # From any moment to any other: both differences of the offsets must be small.
            low, high = self.offsets.get(key, (0.0, 0.0))
            low, high = min(low, have - want), max(high, have - want)
            self.offsets[key] = low, high
            expect(high - low <= 1e-9 * max(1.0, want), key, "is", have, "observer says", want)

    def check_true_increases(self, groups, truth):
        now = {}
        for family, (field, unit) in TRUE_TOTALS.items():
            if self.restarts and family != "container_restarts_total":
                continue
            for key, value in sums(groups, family).items():
                table = truth["namespaces"] if key[0] == "namespace" else truth["applications"]
                now[family, key] = (value, table[key[1]][field], unit)
        self.first = self.first or now
        for key, (value, true, unit) in now.items():
            first_value, first_true, _ = self.first[key]
            increase, want = value - first_value, (true - first_true) / unit
            tolerance = 0 if unit == 1 else 1e-9 * max(want, 1e-3)
            expect(abs(increase - want) <= tolerance, key, "grew by", increase, "the model by", want)

    def check_node(self, series, truth, index):
        if index not in self.gaps:
            expect(series["flintgauge_node_cpu_capacity_cores"] == 32, "cores of the node")
            expect(series["flintgauge_node_memory_working_set_bytes"] >= truth["node_total"]["working_set_bytes"], "node memory")
        expect("flintgauge_node_cpu_usage_seconds_total" in series, "no CPU time of the node")

    def check_spark(self, series, truth, spark):
        for app, now in spark.now.items():
            namespace = truth["applications"][app]["namespace"]
            want = {f"{family}": spark.total(app, family) for family in SparkObserver.FIELDS}
            told = truth["applications"][app]["spark"]
            if not self.churn:  # then the executors that are listed are all that ever were
                for family, field in SparkObserver.FIELDS.items():
                    true = told[field] / (1000 if field == "totalGCTime" else 1)
                    expect(abs(want[family] - true) <= 1e-9 * true, "the observer errs:", family)
            for family, value in want.items():
                have = series[f'flintgauge_spark_{family}{{namespace="{namespace}",app_id="{app}"}}']
                tolerance = 1e-9 * value if "seconds" in family else 0
                expect(abs(have - value) <= tolerance, app, family, "is", have, "not", value)
            gauges = {("executors", "active"): now["executors"], ("tasks", "active"): now["active"],
                      ("executors", "target"): told["numberTargetExecutors"],
                      ("executors", "max_needed"): told["numberMaxNeededExecutors"]}
            for (family, state), value in gauges.items():
                have = series[f'flintgauge_spark_{family}{{namespace="{namespace}",app_id="{app}",state="{state}"}}']
                expect(have == value, app, family, state, "is", have, "not", value)


def run_shape(name, program, gen_node, ticks, seed_offset=0, twin=False):
    arguments, gaps = SHAPES[name]
    if seed_offset:
        arguments = ["--seed", f"{arguments[1]}.{seed_offset}"] + arguments[2:]
    root = tempfile.mkdtemp(prefix="ledger-")
    try:
        subprocess.run([sys.executable, gen_node, "--out", root, "--ticks", str(ticks), "--step", "5", "--truth", "--quiet",
                        *COMMON, *arguments], check=True)
        moments = [os.path.join(root, d) for d in sorted(os.listdir(root)) if d.startswith("tick-")]
        truths = [json.load(open(os.path.join(m, "truth.json"), encoding="utf-8")) for m in moments]
        plan = [f"{m} {t['time'] * 1000} " + ("cadvisor" if i in gaps else "kubelet_resource")
                for i, (m, t) in enumerate(zip(moments, truths))]
        done = subprocess.run([program, str(seed_offset + 1)] + ["--twin"] * twin, input="\n".join(plan), capture_output=True, text=True, check=False)
        expect(done.returncode == 0, done.stderr)
        outputs = read_output(done.stdout)
        expect(len(outputs) == len(moments) >= 60, "moments:", len(outputs))
        judge, observer, spark = Judge(arguments, gaps), Observer(truths[0]["time"] * 1000), SparkObserver()
        for i, (directory, series, truth) in enumerate(zip(moments, outputs, truths)):
            observer.moment(directory, None if i in gaps else "cadvisor.prom")
            spark.moment(directory)
            try:
                judge.moment(i, series, truth, observer, spark)
            except Failure as failure:
                raise Failure(f"moment {i}: {failure}") from None
        return f"{name}: {len(moments)} moments, {len(outputs[-1])} series"
    except Failure as failure:
        raise Failure(f"{name} ({' '.join(arguments)}): {failure}") from None
    finally:
        shutil.rmtree(root)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--gen-node", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--soak", action="store_true", default=bool(os.environ.get("FLINTGAUGE_SOAK")),
                        help="300 moments of every shape with five seeds (default: when FLINTGAUGE_SOAK is set)")
    parser.add_argument("--twin", action="store_true",
                        help="every text page, and a damaged copy, is read by the slow decoder too, sample by sample")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help="default: all")
    options = parser.parse_args()
    failed = False
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(run_shape, name, options.program, options.gen_node, 300 if options.soak else 61, offset, options.twin)
                for offset in range(5 if options.soak else 1) for name in options.shapes or SHAPES]
        for job in concurrent.futures.as_completed(jobs):
            try:
                print(job.result(), flush=True)
            except (Failure, KeyError) as failure:
                failed = True
                print("FAILED", repr(failure), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
