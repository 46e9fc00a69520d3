"""The kubelet of kube_up read twice: by an agent, and by ourselves, with an independent reading of the same pages."""
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import capture_sums  # noqa: E402

INFO = json.load(open(os.environ["KUBE_UP_JSON"]))
TLS = ssl.create_default_context(cafile=INFO["ca"])
PATHS = ("/pods", "/metrics/cadvisor", "/stats/summary")
GAUGES = {"memory_working_set_bytes": 1, "memory_rss_bytes": 1, "memory_cache_bytes": 1, "cpu_requests_cores": "cpu_requests_millicores",
          "cpu_limits_cores": "cpu_limits_millicores", "memory_requests_bytes": 1, "memory_limits_bytes": 1}
TOTALS = {"cpu_usage_seconds_total": "cpu_usage_seconds", "cpu_cfs_periods_total": "cpu_cfs_periods",
          "cpu_cfs_throttled_periods_total": "cpu_cfs_throttled_periods", "cpu_throttled_seconds_total": "cpu_cfs_throttled_seconds",
          "network_receive_bytes_total": "network_receive_bytes", "network_transmit_bytes_total": "network_transmit_bytes",
          "container_restarts_total": "restarts"}


def kubectl(*args, text=None):
    return subprocess.run([INFO["kubectl"], "--kubeconfig", INFO["kubeconfig"], *args], input=text, check=True, capture_output=True, text=True).stdout


def new_token(account, namespace="flintgauge"):
    return kubectl("-n", namespace, "create", "token", account).strip()


def ask(path, token, timeout=20):
    """(status, body) of the kubelet."""
    request = urllib.request.Request(INFO["kubelet_url"] + path, headers={"Authorization": "Bearer " + token} if token else {})
    try:
        with urllib.request.urlopen(request, context=TLS, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read_page(address):
    """{(family, ((label, value), ...)): value} of an agent's page."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {(name, tuple(sorted(labels.items()))): value for name, labels, value, _ in capture_sums.parse_text(text)}


class Agent:
    def __init__(self, token):
        self.dir = tempfile.mkdtemp(prefix="flintgauge-e2e-")
        self.token_file = os.path.join(self.dir, "token")
        self.write_token(token)
        self.address = f"127.0.0.1:{free_port()}"
        settings = {"kubelet.url": INFO["kubelet_url"], "kubelet.ca_file": INFO["ca"], "kubelet.token_file": self.token_file, "node.name": "node-a",
                    "kubelet.interval": "1s", "kubelet.summary_interval": "5s", "spark.interval": "2s", "web.listen_address": self.address}
        self.log = open(os.path.join(self.dir, "log"), "w")
        command = [os.path.join(ROOT, "build/release/flintgauge"), "node"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        self.process = subprocess.Popen(command, stderr=self.log)

    def write_token(self, token):
        with open(self.token_file + ".new", "w") as f:
            f.write(token + "\n")
        os.rename(self.token_file + ".new", self.token_file)

    def page(self):
        return read_page(self.address)

    def up(self, target):
        return self.page().get(("flintgauge_target_up", (("source", "kubelet"), ("target", target))))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def wait_for(what, ready, seconds=90):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if ready():
                return
        except (OSError, subprocess.CalledProcessError):
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds} s")


def snapshot(token):
    """(sums of the kubelet's pages, who is there in which state)"""
    pods, cadvisor = (ask(path, token)[1] for path in PATHS[:2])
    document = json.loads(pods)
    sums = capture_sums.node_sums(cadvisor, document, now_ms=int(time.time() * 1000))
    return sums, sorted((p["metadata"]["uid"], p["status"].get("phase"),
                         [(c["name"], c.get("restartCount"), sorted(c.get("state", {}))) for c in capture_sums.Pods.statuses(p)])
                        for p in document["items"])


def told(page, family, labels):
    """The agent's number for a group: the sum over the workloads of a namespace, one series for an application's role."""
    series = [value for (name, found), value in page.items() if name == family and set(labels) <= set(found)]
    return sum(series) if series else None
