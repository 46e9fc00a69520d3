"""A real Spark, an agent that reads it, and what Spark itself says: its REST interface while it lives, its event log afterwards."""
import collections
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/tools"), str(ROOT / "tests/integration"), str(ROOT / "tests/e2e")]
sys.dont_write_bytecode = True  # no cache beside the sources
import capture_sums  # noqa: E402
import spark_node  # noqa: E402
from importlib.machinery import SourceFileLoader  # noqa: E402
from importlib.util import module_from_spec, spec_from_loader  # noqa: E402
from processes import free_port, get  # noqa: E402

loader = SourceFileLoader("run_spark", str(ROOT / "tests/tools/run_spark"))
run_spark = module_from_spec(spec_from_loader("run_spark", loader))
loader.exec_module(run_spark)

# Family without "flintgauge_spark_" and "_total": the event log's name in tests/tools/run_spark, how many of it are one unit (in REST
# too), the field of a stage, and that of an executor's row where it has one.
FAMILIES = {
    "tasks_completed": ("tasks_completed", 1, "numCompleteTasks", "completedTasks"),
    "tasks_failed": ("tasks_failed", 1, "numFailedTasks", "failedTasks"),
    "executor_run_seconds": ("run_ms", 1e3, "executorRunTime", None),
    "executor_cpu_seconds": ("cpu_ns", 1e9, "executorCpuTime", None),
    "gc_seconds": ("gc_ms", 1e3, "jvmGcTime", "totalGCTime"),
    "input_bytes": ("input_bytes", 1, "inputBytes", "totalInputBytes"),
    "input_records": ("input_records", 1, "inputRecords", None),
    "output_bytes": ("output_bytes", 1, "outputBytes", None),
    "output_records": ("output_records", 1, "outputRecords", None),
    "shuffle_read_bytes": ("shuffle_read_bytes", 1, "shuffleReadBytes", "totalShuffleRead"),
    "shuffle_read_records": ("shuffle_read_records", 1, "shuffleReadRecords", None),
    "shuffle_write_bytes": ("shuffle_write_bytes", 1, "shuffleWriteBytes", "totalShuffleWrite"),
    "shuffle_write_records": ("shuffle_write_records", 1, "shuffleWriteRecords", None),
    "shuffle_fetch_wait_seconds": ("fetch_wait_ms", 1e3, "shuffleFetchWaitTime", None),
    "memory_spilled_bytes": ("memory_spilled_bytes", 1, "memoryBytesSpilled", None),
    "disk_spilled_bytes": ("disk_spilled_bytes", 1, "diskBytesSpilled", None)}
BY_EXECUTOR = tuple(name for name, row in FAMILIES.items() if row[3])
SOURCES = {"all": tuple(FAMILIES), "spark_stages": tuple(FAMILIES), "spark_executors": BY_EXECUTOR, "spark_executors_page": BY_EXECUTOR}
COLLECTORS = ("spark_stages", "spark_executors", "spark_executors_page", "spark_driver_page", "spark_metrics_json")


def lasting_port():
    """A free one that no program is given by chance, since it is to be used again and again."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = random.randrange(15_000, 30_000)
            probe.bind(("127.0.0.1", port))
            return port


class Agent:
    """`flintgauge node` with one source of Spark's tasks, or with all."""

    def __init__(self, node, source, port=None, interval="1s"):
        self.source, self.port, self.page = source, port or free_port(), {}
        self.before, self.falls = {}, []
        self.log = pathlib.Path(tempfile.gettempdir()) / f"flintgauge-e2e-{source}-{self.port}.log"
        off = "" if source == "all" else ",".join(c for c in COLLECTORS if c != source)
        settings = {"kubelet.url": node.url, "kubelet.token_file": "", "node.name": "e2e", "kubelet.interval": "2s",
                    "spark.interval": interval, "targets.allow_loopback": "true", "targets.disabled_collectors": off,
                    "hints.bottleneck_window": "20s", "web.listen_address": f"127.0.0.1:{self.port}"}
        command = [str(ROOT / "build/release/flintgauge"), "node"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)

    def get(self, path):
        return get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def read(self):
        """Reads the page; notes every total that fell."""
        rows = capture_sums.parse_text(self.get("/metrics"))
        self.page = {(name, tuple(sorted(labels.items()))): value for name, labels, value, _ in rows}
        for key, value in self.page.items():
            if key[0].startswith("flintgauge_spark_") and key[0].endswith("_total"):
                if value < self.before.get(key, value):
                    self.falls.append((key, self.before[key], value))
                self.before[key] = value

    def total(self, app_id, name):
        return self.page.get((f"flintgauge_spark_{name}_total", (("app_id", app_id), ("namespace", spark_node.NAMESPACE))))

    def lines(self, *words):
        """Of its log, with all these words."""
        return [line for line in self.log.read_text().splitlines() if all(word in line for word in words)]

    def errors(self):
        """{endpoint: failed scrapes} of Spark's."""
        found = collections.Counter()
        for (name, labels), value in self.page.items():
            if name == "flintgauge_scrape_errors_total" and ("source", "spark") in labels:
                found[dict(labels)["endpoint"]] += value
        return found

    def hint(self, app_id):
        """The answer of ?explain=1; None where there is no hint."""
        with contextlib.suppress(OSError):
            return json.loads(self.get(f"/api/v1/hints/{spark_node.NAMESPACE}/{app_id}?explain=1"))
        return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        if code == 0:
            self.log.unlink()
        return code


class SparkRun:
    """tests/tools/run_spark in the background. The driver lives until end() is called, so that its last words can be read."""

    def __init__(self, version, workload, seconds, *more):
        base = [str(ROOT / "tests/tools/run_spark"), "--version", version, "--workload", workload, "--seconds", str(seconds),
                "--linger", "600", "--start-timeout", "600", *more]
        for left in reversed(range(3)):  # on a machine with many times more work than cores Spark gives up starting
            command = [*base, "--ui", f"127.0.0.1:{free_port()}"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            first = self.process.stdout.readline()
            if first:
                break
            code = self.process.wait()
            if not left:
                raise AssertionError(f"{' '.join(command)} did not start, exit {code}")
        self.line = json.loads(first)
        self.app_id, self.dir = self.line["app_id"], pathlib.Path(self.line["dir"])
        self.driver_pod, self.executor_pods = self.pod(), {}

    def worked(self):
        """All passes are over, the driver only waits."""
        return (self.dir / "done.json").exists()

    def pids(self, role):
        return [int(pid) for pid, what in self.line["pids"].items() if what == role]

    def pod(self):
        host, port = self.line["ui"].removeprefix("http://").rsplit(":", 1)
        place = {} if port == "4040" else {"prometheus.io/port": port, "prometheus.io/path": "/metrics/json/"}
        return spark_node.pod("driver-pod", host, self.app_id, "driver", annotations=place)

    def show(self, node):
        """The driver's and the executors' processes as pods of the node; an executor that has ended is no pod any more."""
        (driver,) = self.pids("driver")
        pids = {"driver-pod": driver}
        pods = [self.driver_pod]
        for pid, command in run_spark.descendants(self.process.pid).items():
            if "--executor-id" in command:
                number = command[command.index("--executor-id") + 1]
                if number not in self.executor_pods:
                    self.executor_pods[number] = spark_node.pod(f"exec-{number}", f"127.0.1.{int(number) + 10}", self.app_id, "executor", number)
                pods.append(self.executor_pods[number])
                pids[f"exec-{number}"] = pid
        node.pods, node.pids = pods, pids

    def rest(self):
        """{family: (sum over stages, sum over executors that ever were, or None)}, in the families' units."""
        def ask(path):
            with urllib.request.urlopen(f"{self.line['rest']}/{path}", timeout=60) as answer:
                return json.load(answer)
        stages, executors = ask("stages"), [row for row in ask("allexecutors") if row["id"] != "driver"]
        return {name: (sum(row[stage] for row in stages) / unit, sum(row[own] for row in executors) / unit if own else None)
                for name, (_, unit, stage, own) in FAMILIES.items()}

    def end(self):
        """Ends the driver in order. Returns the event log's sums in the families' units, and the whole second line."""
        self.process.terminate()
        second = json.loads(self.process.stdout.read())
        self.process.wait()
        return {name: second["truth"][row[0]] / row[1] for name, row in FAMILIES.items()}, second

    def kill(self):
        self.process.terminate()
        self.process.wait()


def until(what, condition, seconds, each=lambda: None):
    """Waits for a condition, doing `each` every second. False when the time is over."""
    def holds():
        with contextlib.suppress(OSError):  # a busy machine: the next time
            return condition()
        return False

    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            print(f"after {seconds} s still not: {what}", file=sys.stderr)
            return False
        with contextlib.suppress(OSError):
            each()
        time.sleep(1)
    return True


def cpu_seconds(pid):
    """User and system time of a process and all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
