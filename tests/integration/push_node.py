"""A node for the tests of pushes: a kubelet that names addresses in 127.0.0.0/8 as pods, an agent that listens for pushes, and
sockets that send from a pod's address."""
import gzip
import http.server
import json
import re
import socket
import subprocess
import threading

import page_text
from processes import free_port, get

APP = "app-20261122190152-0000"  # of the captures in tests/fixtures/spark/real-4.3.0/shuffle/push


def pod(name, ip, namespace="team-a", app=APP, role="executor", executor=None, **extra):
    labels = {"spark-app-selector": app, "spark-role": role} if app else {}
    if executor is not None:
        labels["spark-exec-id"] = executor
    made = {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}", "labels": labels,
                         "creationTimestamp": "2026-11-22T19:00:00Z"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "main"}]},
            "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": "192.0.2.1",
                       "startTime": "2026-11-22T19:00:00Z"}}
    for part, fields in extra.items():
        made[part].update(fields)
    return made


class Kubelet:
    """Serves /pods; every other page of a kubelet is not there."""

    def __init__(self, pods):
        self.pods = pods
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                is_pods = self.path.startswith("/pods")
                body = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": outer.pods}).encode() if is_pods else b""
                self.send_response(200 if is_pods else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"


class DriverUi:
    """What a driver's UI answered at one moment of the captured run, at a pod's own address."""

    status_without_page = 404
    PAGES = {"allexecutors": "rest_allexecutors.json", "stages": "rest_stages.json", "metrics/json": "metrics.json"}

    def __init__(self, ip, folder):
        self.pages = {name: read_capture(folder / file) for name, file in self.PAGES.items()}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                body = outer.page("metrics/json" if path == "/metrics/json/" else path.rsplit("/", 1)[-1])
                if body is not None and "status=" in query:  # active and pending stages: of these there are none listed
                    body = b"[]"
                self.send_response(outer.status_without_page if body is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((ip, 4040), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def page(self, name):
        """The bytes of a page, None: `status_without_page`."""
        return self.pages.get(name)


def read_capture(path):
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())


def gateway_body(report):
    """A Graphite report as the sink for a Pushgateway writes the same registry: names mangled, counters without ".count"."""
    lines = []
    for name, number, _ in map(str.split, report.decode().splitlines()):
        name = re.sub("[^a-zA-Z0-9_:]", "_", name.removesuffix(".count"))
        lines.append(f"# HELP {name} Generated from Dropwizard metric import\n# TYPE {name} gauge\n{name} {float(number)}\n")
    return "".join(lines).encode()


class PushAgent:
    """The real program with its listeners open."""

    def __init__(self, processes, program, pods, name, **settings):
        self.processes, self.kubelet = processes, Kubelet(pods)
        self.ports = {name: free_port() for name in ("graphite", "graphite_udp", "statsd", "pushgateway")}
        values = {"kubelet.url": self.kubelet.url, "kubelet.interval": "300ms", "kubelet.token_file": "",
                  "spark.interval": "1s", "targets.allow_loopback": "true", "web.listen_address": "127.0.0.1:0",
                  "node.name": "node-1", **{f"push.{name}_listen_address": f"127.0.0.1:{port}" for name, port in self.ports.items()}} | settings
        flags = [part for key, text in values.items() for part in ("--set", f"{key}={text}")]
        self.process = processes.start(name, program, "node", *flags)
        self.address = processes.logged(self.process, r"msg=serving address=(\S+)")
        processes.wait_for(self.process, "never ready", lambda: get(f"http://{self.address}/-/ready"))

    def page(self):
        return page_text.samples(get(f"http://{self.address}/metrics"))

    def until(self, what, condition, seconds=20):
        def look():
            page = self.page()
            return page if condition(page) else None
        return self.processes.wait_for(self.process, what, look, seconds)

    def connect(self, ip):
        return socket.create_connection(("127.0.0.1", self.ports["graphite"]), source_address=(ip, 0), timeout=20)

    def graphite(self, ip, data):
        with self.connect(ip) as connection:
            connection.sendall(data)

    def statsd(self, ip, *datagrams, to="statsd"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((ip, 0))
            for datagram in datagrams:
                sender.sendto(datagram, ("127.0.0.1", self.ports[to]))

    def push(self, ip, path, data=b"", method="POST", *options):
        """Through curl, as a client of a Pushgateway: the status, and what the agent says of it."""
        done = subprocess.run(["curl", "-sS", "--max-time", "20", "--interface", ip, "-X", method, "-w", "\n%{http_code}", *options, "--data-binary", "@-",
                               f"http://127.0.0.1:{self.ports['pushgateway']}{path}"], input=data, capture_output=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"curl: {done.stderr.decode()}")
        text, _, status = done.stdout.decode().rpartition("\n")
        return int(status), text.strip()


def value(page, name, **labels):
    return page.get((name, tuple(sorted(labels.items()))), 0.0)


def lines(page, protocol, result, namespace="team-a"):
    return value(page, "flintgauge_push_lines_total", protocol=protocol, namespace=namespace, result=result)


def all_lines(page, protocol, namespace="team-a"):
    return sum(number for (name, labels), number in page.items() if name == "flintgauge_push_lines_total" and
               {("protocol", protocol), ("namespace", namespace)} <= set(labels))


def refused(page, protocol, reason):
    return value(page, "flintgauge_push_refused_total", protocol=protocol, reason=reason)
