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
import spark_sources  # noqa: E402
from importlib.machinery import SourceFileLoader  # noqa: E402
from importlib.util import module_from_spec, spec_from_loader  # noqa: E402
from processes import free_port, get  # noqa: E402

loader = SourceFileLoader("run_spark", str(ROOT / "tests/tools/run_spark"))
run_spark = module_from_spec(spec_from_loader("run_spark", loader))
loader.exec_module(run_spark)


def lasting_port():
    """A free one that no program is given by chance, since it is to be used again and again."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            port = random.randrange(15_000, 30_000)
            probe.bind(("127.0.0.1", port))
            return port


class Agent:
    """`flintgauge node` with one source of Spark's totals, or with all."""

    def __init__(self, node, source, port=None, interval="1s"):
        self.source, self.port, self.page = source, port or free_port(), {}
        self.before, self.falls, self.began = {}, [], time.monotonic()
        self.log = pathlib.Path(tempfile.gettempdir()) / f"flintgauge-e2e-{source}-{self.port}.log"
        self.of = spark_sources.SOURCES[source]
        asked = spark_sources.COLLECTORS if self.of.collectors is None else self.of.collectors
        self.pushes = {kind: free_port() for kind in self.of.pushes}
        settings = {"kubelet.url": node.url, "kubelet.token_file": "", "node.name": "e2e", "kubelet.interval": "2s",
                    "spark.interval": interval, "spark.per_executor": str(source == "spark_executors").lower(), "targets.allow_loopback": "true",
                    "targets.disabled_collectors": ",".join(c for c in spark_sources.COLLECTORS if c not in asked),
                    "hints.bottleneck_window": "20s", "web.listen_address": f"127.0.0.1:{self.port}"}
        settings |= {f"push.{kind}_listen_address": f"127.0.0.1:{port}" for kind, port in self.pushes.items()}
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

    def totals(self, app_id):
        """{family without "flintgauge_spark_" and "_total": value}, reasons added up."""
        found = collections.Counter()
        for (name, labels), value in self.page.items():
            labels = dict(labels)
            if name.endswith("_total") and name.startswith(("flintgauge_spark_", "flintgauge_executors_")) and "executor_id" not in labels and \
                    (labels.get("app_id"), labels.get("namespace")) == (app_id, spark_node.NAMESPACE):
                found[name.removeprefix("flintgauge_").removeprefix("spark_").removesuffix("_total")] += value
        return dict(found)

    def total(self, app_id, name):
        return self.totals(app_id).get(name)

    def each(self, app_id):
        """{(executor, family without "flintgauge_spark_executor_" and "_total"): value}"""
        return {(dict(labels)["executor_id"], name.removeprefix("flintgauge_spark_executor_").removesuffix("_total")): value
                for (name, labels), value in self.page.items()
                if name.startswith("flintgauge_spark_executor_") and name.endswith("_total") and "executor_id" in dict(labels) and ("app_id", app_id) in labels}

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

    def __init__(self, version, workload, seconds, *more, sinks=("prometheus",)):
        self.version, self.jmx_port = version, free_port() if "jmx" in sinks else None
        more += ("--sinks", ",".join(sinks), *(("--jmx-port", str(self.jmx_port)) if self.jmx_port else ()),
                 "--conf", "spark.metrics.appStatusSource.enabled=true")  # as Spark 4 has it by itself
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

    @staticmethod
    def address_of(instance):
        """Of a pod: where the JMX exporter of its JVM listens, see run_spark."""
        return "127.0.0.1" if instance == "driver" else f"127.1.0.{instance}"

    def pod(self, number=None):
        exporter = {"prometheus.io/scrape": "true", "prometheus.io/port": str(self.jmx_port), "prometheus.io/path": "/metrics"}
        annotations = exporter if self.jmx_port else {}
        if number is not None:
            return spark_node.pod(f"exec-{number}", self.address_of(number), self.app_id, "executor", number, annotations=annotations)
        port = int(self.line["ui"].rsplit(":", 1)[1])
        return spark_node.pod("driver-pod", self.address_of("driver"), self.app_id, "driver", annotations=annotations, ui_port=port)

    def show(self, node):
        """The driver's and the executors' processes as pods of the node; an executor that has ended is no pod any more."""
        (driver,) = self.pids("driver")
        pids = {"driver-pod": driver}
        pods = [self.driver_pod]
        for pid, command in run_spark.descendants(self.process.pid).items():
            if "--executor-id" in command:
                number = command[command.index("--executor-id") + 1]
                if number not in self.executor_pods:
                    self.executor_pods[number] = self.pod(number)
                pods.append(self.executor_pods[number])
                pids[f"exec-{number}"] = pid
        node.pods, node.pids = pods, pids

    def ask(self, path):
        """JSON of the application's REST interface; "" is its /metrics/json/."""
        with urllib.request.urlopen(f"{self.line['rest']}/{path}" if path else self.line["metrics_json"], timeout=60) as answer:
            return json.load(answer)

    def rest(self):
        return spark_sources.Rest(self.ask, set(self.executor_pods))

    def end(self, rest):
        """Ends the driver in order. Returns what its event log tells, and the whole second line."""
        self.process.terminate()
        second = json.loads(self.process.stdout.read())
        self.process.wait()
        return spark_sources.Log(second["truth"], rest), second

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
