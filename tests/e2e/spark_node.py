"""A node as the kubelet would tell it, for Spark processes that run on loopback addresses instead of in pods."""
import contextlib
import http.server
import json
import os
import pathlib
import threading
import time

NAMESPACE = "team-a"


def pod(name, ip, app_id, role, executor_id=None, annotations=None, phase="Running", ui_port=None):
    labels = {"spark-role": role, "spark-app-selector": app_id, "spark-app-name": "e2e"}
    if executor_id is not None:
        labels["spark-exec-id"] = executor_id
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    container = {"name": f"spark-kubernetes-{role}", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}}
    if ui_port is not None:
        container["ports"] = [{"name": "spark-ui", "containerPort": ui_port, "protocol": "TCP"}]
    status = {"name": container["name"], "containerID": "containerd://" + name.encode().hex().ljust(64, "0")[:64], "restartCount": 0,
              "ready": True, "state": {"running": {"startedAt": now}}}
    return {"metadata": {"name": name, "namespace": NAMESPACE, "uid": name, "creationTimestamp": now, "labels": labels, "annotations": annotations or {}},
            "spec": {"nodeName": "e2e", "containers": [container]},
            "status": {"phase": phase, "hostIP": "192.0.2.1", "podIP": ip, "podIPs": [{"ip": ip}], "startTime": now, "containerStatuses": [status]}}


def container_rows(one, pid):
    """What cAdvisor would say of a container with this process in it; nothing when it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        resident = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        moved = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    except OSError:
        return []
    meta, container = one["metadata"], one["status"]["containerStatuses"][0]
    cid = container["containerID"].split("//")[1]
    labels = (f'container="{container["name"]}",pod="{meta["name"]}",namespace="{meta["namespace"]}",id="/kubepods/pod{meta["uid"]}/{cid}",'
              f'name="{cid}",image="e2e"')
    rows = {"cpu_usage_seconds_total": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), "memory_working_set_bytes": resident,
            "memory_rss": resident, "memory_cache": 0, "fs_reads_bytes_total": moved["read_bytes"], "fs_writes_bytes_total": moved["write_bytes"]}
    more = labels + ',failure_type="pgmajfault",scope="container"'
    return [f"container_{name}{{{labels}}} {value}" for name, value in rows.items()] + [f"container_memory_failures_total{{{more}}} {fields[9]}"]


class Node:
    """Serves /pods, a cAdvisor page and a summary on a free loopback port. `pods` may be replaced at any time.

    A pod whose process is in `pids` (by the pod's name) has CPU, memory and disk as /proc tells them.
    """

    def __init__(self):
        self.pods, self.pids = [], {}
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                answer = node.answer(self.path)
                self.send_response(404 if answer is None else 200)
                kind, body = answer or ("text/plain", "")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # an agent that stops hangs up
                    self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        if path.rstrip("/") == "/pods":
            return "application/json", json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": self.pods})
        if path == "/metrics/cadvisor":
            rows = [row for one in self.pods if one["metadata"]["name"] in self.pids for row in container_rows(one, self.pids[one["metadata"]["name"]])]
            return "text/plain; version=0.0.4", "\n".join(["# TYPE machine_cpu_cores gauge", "machine_cpu_cores 2", *rows, ""])
        if path == "/stats/summary":
            return "application/json", json.dumps({"node": {"nodeName": "e2e"}, "pods": []})
        return None
