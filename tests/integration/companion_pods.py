"""Annotated pods of Kafka, JupyterHub, a notebook server, Zeppelin and a standalone Spark master on a node of gen_node, with their pages
at the pods' addresses."""
import http.server
import json
import re
import threading

from delivery_node import MASTER_LABELS, serve_master
from processes import ROOT

PAGES = ROOT / "tests/golden/companion_page"
PODS = ("kafka-3.9.1-jmx-rules", "kafka_exporter-excerpt", "jupyterhub-6.1.1", "jupyter-server-2.21.1", "zeppelin-derived")
COUNTER = re.compile(r"^(\w+(?:_total|_count|_sum)(?:\{[^}]*\})?) (\S+)$", re.M)
GAUGE = re.compile(r"^kernel_currently_running_total")  # a counter by its name only


def serve(address, page):
    """The page at `address` and a free port; its counters grow by one with every answer."""
    answers = 0

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            nonlocal answers
            answers += 1
            body = COUNTER.sub(lambda m: m[0] if GAUGE.match(m[0]) else f"{m[1]} {float(m[2]) + answers}", page).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def pod_of(number, name, address, port, like):
    """A running pod in the namespace of `like`, started with it."""
    state = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    return {"metadata": {"name": f"companion-{number}", "namespace": like["metadata"]["namespace"], "uid": f"companion-{number}",
                         "creationTimestamp": like["metadata"]["creationTimestamp"],
                         "labels": {"app.kubernetes.io/name": name.partition("-")[0]},
                         "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": str(port)}},
            "spec": {"nodeName": like["spec"]["nodeName"], "containers": [{"name": "main"}]},
            "status": {key: like["status"][key] for key in ("hostIP", "startTime")} | state}


def add_companions(node, network):
    """Adds the pods to every moment of a directory made by gen_node, and the master of a standalone cluster without applications, and
    starts what answers for them."""
    made = [(name, f"{network}.{number}", serve(f"{network}.{number}", (PAGES / f"{name}.in").read_text()))
            for number, name in enumerate(PODS, 1)]
    master_ip = f"{network}.{len(PODS) + 1}"
    notes = serve_master(master_ip, activeapps=[])
    for file in node.glob("tick-*/pods.json"):
        document = json.loads(file.read_text())
        like = next(pod for pod in document["items"] if pod["status"]["phase"] == "Running")
        document["items"] += [pod_of(number, *one, like) for number, one in enumerate(made)]
        master = pod_of(len(made), "master", master_ip, 0, like)
        master["metadata"] |= {"labels": MASTER_LABELS, "annotations": notes}
        document["items"].append(master)
        file.write_text(json.dumps(document))
