"""A node with a standalone cluster of one application whose stream is too slow, for the delivery test: all hints that an autoscaler may
follow at once. Its driver can fail while the agent lives."""
import http.server
import json
import threading

from processes import ROOT, free_port, get
from push_node import APP, DriverUi, Kubelet, pod, read_capture

CAPTURES = ROOT / "tests/fixtures/spark/real-4.3.0/shuffle"
NAMESPACE, CLUSTER, QUERY = "team-p", "cluster", "orders"
EXECUTORS = 1  # in the captures, of one core, and workers of one core
RATE, PROCESSED = 3000, 1000  # rows a second: three times as many executors are needed
WANTED = RATE // PROCESSED * EXECUTORS  # executors, and workers
INTERVAL = 1  # seconds between two readings of the driver; hints are gone after three


class SlowStream(DriverUi):
    """The captured driver with a query that never keeps up. Each reading is of another batch."""

    def __init__(self, ip):
        super().__init__(ip, CAPTURES / "t050")
        self.pages["environment"] = read_capture(CAPTURES / "t002/rest_environment.json")
        self.registry = json.loads(self.pages["metrics/json"])
        self.batches = 0
        self.is_broken = False

    def page(self, name):
        self.status_without_page = 503 if self.is_broken else 404
        if self.is_broken:
            return None
        if name != "metrics/json":
            return super().page(name)
        self.batches += 1
        head = f"{APP}.driver.spark.streaming.{QUERY}."
        for gauge, rate in (("inputRate-total", RATE), ("processingRate-total", PROCESSED)):
            self.registry["gauges"][head + gauge] = {"value": rate * (1 + self.batches / 1e6)}
        return json.dumps(self.registry).encode()


MASTER_LABELS = {"app.kubernetes.io/name": "spark", "app.kubernetes.io/component": "master", "app.kubernetes.io/instance": CLUSTER}


def serve_master(ip, **changed):
    """The master's page /json/ at the address and a free port; `changed`: members of it. The annotations by which it is found."""
    body = json.dumps(json.loads(read_capture(CAPTURES / "t050/master_json.json")) | changed).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/json/"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body if found else b"")))
            self.end_headers()
            self.wfile.write(body if found else b"")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((ip, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return {"prometheus.io/path": "/metrics/master/prometheus/", "prometheus.io/port": str(server.server_port)}


def start_driver():
    """(its UI, its address, the master's) in the first network of 127.80.x where nobody listens."""
    for network in range(32):
        try:
            return SlowStream(f"127.80.{network}.1"), f"127.80.{network}.1", f"127.80.{network}.2"
        except OSError:
            continue
    raise SystemExit("no address for the driver")


class ClusterNode:
    """The agent of that node. `settings`: others than the usual ones, by their dotted names."""

    def __init__(self, processes, program, settings=None):
        self.processes, self.program = processes, program
        self.driver, driver_ip, master_ip = start_driver()
        labels, notes = MASTER_LABELS, serve_master(master_ip)
        self.kubelet = Kubelet([pod("pipeline-driver", driver_ip, NAMESPACE, role="driver"),
                                pod("cluster-master-0", master_ip, NAMESPACE, app=None, metadata={"labels": labels, "annotations": notes})])
        self.start(settings or {})

    def start(self, settings):
        self.address = f"127.0.0.1:{free_port()}"
        values = {"kubelet.url": self.kubelet.url, "kubelet.interval": "1s", "kubelet.token_file": "", "spark.interval": f"{INTERVAL}s",
                  "companions.interval": "1s", "targets.allow_loopback": "true", "web.listen_address": self.address, "node.name": "node-1"} | settings
        flags = [part for key, text in values.items() for part in ("--set", f"{key}={text}")]
        self.process = self.processes.start("cluster-agent", self.program, "node", *flags)
        self.processes.wait_for(self.process, "no hint by rate, or none of workers", self.is_whole, 60)

    def hints(self):
        return json.loads(get(f"http://{self.address}/api/v1/hints"))

    def is_whole(self):
        """Every hint is there and settled."""
        told = self.hints()
        return [hint["byRate"] for hint in told["hints"]] == [WANTED] and [pool["desired"] for pool in told["pools"]] == [WANTED]
