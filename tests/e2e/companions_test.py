#!/usr/bin/env python3
"""Run by tests/e2e/companions: a real Kafka broker, JupyterHub, notebook server and Spark stream as pods of a node, and an agent that reads them.

What the agent publishes is compared with Kafka's own JmxTool, GetOffsetShell and ConsumerGroupCommand, with the REST interfaces of the hub
and of the notebook server, and with the progress of the stream. A real Prometheus scrapes the agent: every panel of the overview's row of tools must have had data.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
import companion_programs as programs  # noqa: E402
import spark_node  # noqa: E402
import spark_panels  # noqa: E402
from companion_programs import BROKER, HUB, LAG, NOTEBOOK, ROOT, STREAM, TOKEN, free_port  # noqa: E402

sys.path[:0] = [os.path.join(ROOT, "tests", "tools")]
import capture_sums  # noqa: E402

NAMESPACE = spark_node.NAMESPACE
NO_ZEPPELIN = {f"flintgauge_tool_zeppelin_{one}": "no Zeppelin runs here" for one in ("interpreter_groups", "connections")}
GROUP, ORDERS, READ = "e2e-stream", 1000, 600  # messages in the topic, and those the stream reads before it stops


def pod(name, ip, port, path=None, labels=None):
    made = spark_node.pod(name, ip, "", "", annotations={"prometheus.io/scrape": "true", "prometheus.io/port": str(port),
                                                         **({"prometheus.io/path": path} if path else {})})
    made["metadata"]["labels"] = labels or {}
    return made


def fetch(url, data=None, method=None):
    request = urllib.request.Request(url, data=data, method=method, headers={"Authorization": "token " + TOKEN})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def eventually(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, KeyError):
            if found := condition():
                return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")


class Companions(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.libs, cls.jmx, cls.hub, cls.spark = programs.install()
        cls.work = tempfile.mkdtemp(prefix="flintgauge-e2e-companions-")
        cls.processes = []
        cls.node = spark_node.Node()
        print("companions: logs are in", cls.work, file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
                continue
            os.killpg(process.pid, signal.SIGKILL)

    @classmethod
    def run_program(cls, name, command, **more):
        with open(os.path.join(cls.work, name + ".log"), "w") as log:
            cls.processes.append(subprocess.Popen(command, cwd=cls.work, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **more))

    def path(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def java(self, *arguments, text=None):
        command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", self.libs, *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=self.work, timeout=180)
        self.assertEqual(0, done.returncode, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def start_agent(self):
        type(self).address = f"127.0.0.1:{free_port('127.0.0.1')}"
        settings = {"kubelet.url": self.node.url, "kubelet.token_file": "", "node.name": "e2e", "kubelet.interval": "1s", "spark.interval": "1s",
                    "companions.interval": "1s", "targets.allow_loopback": "true", "web.listen_address": self.address}
        command = [os.path.join(ROOT, "build/release/flintgauge"), "node"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        self.run_program("agent", command)
        eventually(lambda: fetch(f"http://{self.address}/-/ready"), 60, "the agent is ready")
        port = int(self.address.rsplit(":", 1)[1])
        panels = spark_panels.Panels(pathlib.Path(self.work), port, "overview", NO_ZEPPELIN, "flintgauge_tool_")
        type(self).panels = self.enterContext(panels)
        time.sleep(1.1)  # creation times of pods are in whole seconds: younger than the agent

    def page(self):
        return [(name, labels, value) for name, labels, value, _ in capture_sums.parse_text(fetch(f"http://{self.address}/metrics"))
                if labels.get("namespace") == NAMESPACE]

    def tools(self):
        """{(family without flintgauge_tool_, workload[, status]): value} of the page."""
        return {(name.removeprefix("flintgauge_tool_"), *[labels[k] for k in ("workload", "status") if k in labels]): value
                for name, labels, value in self.page() if name.startswith("flintgauge_tool_")}

    def expect(self, want, what):
        with contextlib.suppress(AssertionError):
            eventually(lambda: want.items() <= self.tools().items(), 60, what)
        tools = self.tools()
        self.panels.look()
        self.assertEqual(want, {key: tools.get(key) for key in want}, what)
        print(f"  equal: {what}: {want}", file=sys.stderr)

    # ---- Kafka -----------------------------------------------------------------------------------------------------

    def start_broker(self):
        port, self.jmx_port, exporter = (free_port(BROKER) for _ in range(3))
        type(self).bootstrap = ("--bootstrap-server", f"{BROKER}:{port}")
        server = self.path("server.properties", programs.SERVER.format(address=BROKER, port=port, controller=free_port(BROKER), folder=self.work))
        rules = self.path("rules.yml", programs.RULES)
        cluster = self.java("kafka.tools.StorageTool", "random-uuid").split()[-1]
        self.java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", server)
        self.run_program("kafka", [
            "java", "-Xmx512m", f"-javaagent:{self.jmx}={BROKER}:{exporter}:{rules}", f"-Dcom.sun.management.jmxremote.port={self.jmx_port}",
            f"-Dcom.sun.management.jmxremote.host={BROKER}", f"-Djava.rmi.server.hostname={BROKER}", "-Dcom.sun.management.jmxremote.ssl=false",
            "-Dcom.sun.management.jmxremote.authenticate=false", "-cp", self.libs, "kafka.Kafka", server])
        eventually(lambda: fetch(f"http://{BROKER}:{exporter}/metrics"), 120, "the broker's page answers")
        self.node.pods = self.node.pods + [pod("kafka-0", BROKER, exporter, labels={"app.kubernetes.io/name": "kafka"})]

    def jmx_count(self, name):
        out = self.java("org.apache.kafka.tools.JmxTool", "--jmx-url", f"service:jmx:rmi:///jndi/rmi://{BROKER}:{self.jmx_port}/jmxrmi",
                        "--object-name", f"kafka.server:type=BrokerTopicMetrics,name={name}", "--attributes", "Count", "--one-time",
                        "--report-format", "csv")
        found = re.findall(r":Count,\"([0-9.]+)\"$", out, re.M)
        self.assertTrue(found, out)
        return float(found[-1])

    def produce(self, topic, count):
        self.java("kafka.tools.ConsoleProducer", *self.bootstrap, "--topic", topic, text="".join(f"message {i}\n" for i in range(count)))

    def make_topic(self, topic):
        self.java("org.apache.kafka.tools.TopicCommand", *self.bootstrap, "--create", "--topic", topic, "--partitions", "3")

    def check_broker(self):
        self.make_topic("events")
        for round_ in (1, 2):
            self.produce("events", 500)
            read = self.java("org.apache.kafka.tools.consumer.ConsoleConsumer", *self.bootstrap, "--topic", "events", "--from-beginning",
                             "--max-messages", str(500 * round_))
            self.assertEqual(read.count("message"), 500 * round_)
        offsets = self.java("org.apache.kafka.tools.GetOffsetShell", *self.bootstrap, "--exclude-internal-topics")
        self.assertEqual(sum(int(line.split(":")[2]) for line in offsets.split() if line.count(":") == 2), 1000)
        want = {("kafka_received_bytes_total", "kafka"): self.jmx_count("BytesInPerSec"),
                ("kafka_sent_bytes_total", "kafka"): self.jmx_count("BytesOutPerSec"),
                ("kafka_received_messages_total", "kafka"): self.jmx_count("MessagesInPerSec"),
                ("kafka_under_replicated_partitions", "kafka"): 0, ("pods", "kafka"): 1}
        self.assertGreaterEqual(want[("kafka_received_messages_total", "kafka")], 1000)
        self.expect(want, "the broker's numbers, as JmxTool tells them")

    # ---- Jupyter ---------------------------------------------------------------------------------------------------

    def start_hub(self):
        hub, notebook = free_port(HUB), free_port(NOTEBOOK)
        environment = {**os.environ, "PATH": self.hub + ":" + os.environ["PATH"], "HOME": self.work}
        config = self.path("hub.py", programs.HUB_CONFIG.format(address=HUB, port=hub, public=free_port(HUB), token=TOKEN))
        self.run_program("hub", [os.path.join(self.hub, "jupyterhub"), "-f", config], env=environment)
        self.run_program("notebook", [
            os.path.join(self.hub, "jupyter-server"), "--allow-root", "--no-browser", f"--ServerApp.ip={NOTEBOOK}", f"--ServerApp.port={notebook}",
            f"--IdentityProvider.token={TOKEN}", "--ServerApp.authenticate_prometheus=False"], env=environment)
        self.api, self.kernels = f"http://{HUB}:{hub}/hub/api", f"http://{NOTEBOOK}:{notebook}/api/kernels"
        self.hub_page = f"http://{HUB}:{hub}/hub/metrics"
        eventually(lambda: fetch(self.hub_page), 120, "the hub's page answers")
        eventually(lambda: fetch(f"http://{NOTEBOOK}:{notebook}/metrics"), 120, "the notebook server's page answers")
        self.node.pods = self.node.pods + [
            pod("hub-0", HUB, hub, "/hub/metrics", {"app": "jupyterhub", "component": "hub"}), pod("notebook-0", NOTEBOOK, notebook)]

    def check_hub(self):
        user = f"{self.api}/users/{os.environ.get('USER') or 'root'}"
        self.expect({("jupyter_spawns_total", "jupyter", "success"): 0}, "the hub before a start")
        fetch(user, b"", "POST")
        fetch(f"{user}/server", b"", "POST")
        eventually(lambda: json.loads(fetch(user))["servers"][""]["ready"], 120, "the user's server is ready")
        for _ in range(2):
            fetch(self.kernels, b"", "POST")
        kernels = len(json.loads(fetch(self.kernels)))
        self.assertEqual(kernels, 2)
        rows = capture_sums.parse_text(fetch(self.hub_page))
        seconds = sum(value for name, labels, value, _ in rows
                      if name == "jupyterhub_server_spawn_duration_seconds_sum" and labels["status"] == "success")
        self.assertGreater(seconds, 0)
        self.expect({("jupyter_running_servers", "jupyter"): 1, ("jupyter_spawns_total", "jupyter", "success"): 1,
                     ("jupyter_spawns_total", "jupyter", "failure"): 0, ("jupyter_spawn_seconds_total", "jupyter"): seconds,
                     ("jupyter_running_kernels", "jupyter"): kernels, ("pods", "jupyter"): 2}, "the hub's and the notebook server's numbers")
        fetch(f"{user}/server", None, "DELETE")
        self.expect({("jupyter_running_servers", "jupyter"): 0, ("jupyter_spawns_total", "jupyter", "success"): 1}, "the server has stopped")

    # ---- a stream from the broker ----------------------------------------------------------------------------------

    def start_stream(self):
        home, python, parts = self.spark
        ui, lag = free_port(STREAM), free_port(LAG)
        broker = self.bootstrap[1]
        conf = {"spark.ui.port": ui, "spark.driver.host": STREAM, "spark.driver.bindAddress": STREAM, "spark.driver.memory": "512m",
                "spark.sql.streaming.metricsEnabled": "true", "spark.sql.shuffle.partitions": 1,
                "spark.sql.streaming.checkpointLocation": os.path.join(self.work, "checkpoint")}
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "PYSPARK_"))}
        environment.update(SPARK_HOME=home, PYSPARK_PYTHON=python, PYSPARK_DRIVER_PYTHON=python, SPARK_LOCAL_IP=STREAM)
        self.run_program("stream", [
            home + "/bin/spark-submit", "--master", "local[1]", "--name", "orders", "--jars", ",".join(parts),
            *(word for key, value in conf.items() for word in ("--conf", f"{key}={value}")),
            os.path.join(ROOT, "tests/e2e/companions_stream.py"), broker, "orders", GROUP, str(READ), self.work], env=environment)
        self.run_program("lag", [os.path.join(self.hub, "python"), os.path.join(ROOT, "tests/e2e/companions_lag.py"), LAG, str(lag), broker])
        app_id = eventually(lambda: json.loads(self.read("ready.json")), 240, "the stream has started")["app_id"]
        eventually(lambda: fetch(f"http://{LAG}:{lag}/metrics"), 60, "the exporter of lags answers")
        driver = spark_node.pod("orders-driver", STREAM, app_id, "driver",
                                annotations={"prometheus.io/port": str(ui), "prometheus.io/path": "/metrics/prometheus/"})
        self.node.pods = self.node.pods + [driver, pod("kafka-exporter-0", LAG, lag, labels={"app.kubernetes.io/name": "kafka-exporter"})]
        return app_id

    def read(self, name):
        with open(os.path.join(self.work, name)) as file:
            return file.read()

    def lag_of_broker(self, *groups):
        """Sum of the column LAG of Kafka's own tool."""
        out = self.java("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", *self.bootstrap, "--describe", *groups)
        at = next(line.split().index("LAG") for line in out.splitlines() if line.startswith("GROUP"))
        return sum(int(line.split()[at]) for line in out.splitlines() if len(line.split()) > at and line.split()[at].isdigit())

    def rate(self, app_id, family):
        return next((value for name, labels, value in self.page() if name == "flintgauge_spark_streaming_" + family and
                     labels["app_id"] == app_id and labels["query"] == "orders"), None)

    def check_stream(self, app_id):
        told = {2: set(), 3: set()}  # column of the stream's progress: what the agent said
        lags = set()
        while not os.path.exists(os.path.join(self.work, "done.json")):
            for column, family in ((2, "input_rows_per_second"), (3, "processed_rows_per_second")):
                told[column].add(self.rate(app_id, family))
            lags.add(self.tools().get(("kafka_consumer_lag_messages", "kafka")))
            self.assertLess(len(told[2]), 1000, "the stream never ended")
            self.assertIsNone(self.processes[-2].poll(), "the stream runs")
            time.sleep(0.3)
        progress = json.loads(self.read("progress.json"))
        for column, values in told.items():
            values -= {None, 0}
            self.assertGreater(len(values), 1, "the agent saw the stream at work")
            strange = {value for value in values if all(abs(value - batch[column]) > 0.0501 for batch in progress)}  # told in tenths
            self.assertEqual(set(), strange, f"each rate that the agent told is one that a batch had: {progress}")
        print(f"  rates of {len(told[3])} batches equal the stream's progress; lags on the way: {sorted(v for v in lags if v is not None)}",
              file=sys.stderr)
        rows = json.loads(self.read("done.json"))["rows"]
        for more in (0, 50):
            if more:
                self.produce("orders", more)
            lag = self.lag_of_broker("--group", GROUP)
            self.assertEqual(ORDERS + more - rows, lag)
            self.expect({("kafka_consumer_lag_messages", "kafka"): self.lag_of_broker("--all-groups"), ("pods", "kafka"): 2},
                        f"the stream's lag of {lag} messages is the broker's")

    def test_tool_families_equal_what_the_tools_say(self):
        self.start_agent()
        self.start_broker()
        self.start_hub()
        self.check_broker()
        self.check_hub()
        self.make_topic("orders")
        self.produce("orders", ORDERS)
        self.check_stream(self.start_stream())
        self.assertEqual([], self.panels.report(has_all=True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
