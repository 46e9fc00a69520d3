#!/usr/bin/env python3
"""Run by tests/e2e/kubelet inside kube_up: the agent against a real kubelet, compared with an independent reading.

1 the shipped manifests are accepted with Pod Security "restricted" enforced, and the DaemonSet's pod is admitted
2 the shipped ClusterRole opens what the agent reads and nothing else
3 per namespace and application: gauges, and increases of every total, equal an independent sum of the same pages
4 a rotated token is picked up; a frozen API server for a minute costs no scrape of a path that was asked before
"""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
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


class Agent:
    def __init__(self, token):
        self.dir = tempfile.mkdtemp(prefix="flintgauge-e2e-")
        self.token_file = os.path.join(self.dir, "token")
        self.write_token(token)
        self.port = free_port()
        settings = {"kubelet.url": INFO["kubelet_url"], "kubelet.ca_file": INFO["ca"], "kubelet.token_file": self.token_file, "node.name": "node-a",
                    "kubelet.interval": "1s", "kubelet.summary_interval": "5s", "spark.interval": "2s", "web.listen_address": f"127.0.0.1:{self.port}"}
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
        """{(family, ((label, value), ...)): value}"""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {(name, tuple(sorted(labels.items()))): value for name, labels, value, _ in capture_sums.parse_text(text)}

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


class KubeletTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        kubectl("apply", "-k", os.path.join(ROOT, "deploy/kustomize/base"))
        volume = tempfile.mkdtemp(prefix="flintgauge-pv-")
        objects = subprocess.run([sys.executable, os.path.join(ROOT, "tests/tools/kube/workload.py"), "a", volume], check=True, capture_output=True, text=True).stdout
        kubectl("create", "namespace", "unprivileged")
        kubectl("-n", "unprivileged", "create", "serviceaccount", "nobody")
        subprocess.run([INFO["kubectl"], "--kubeconfig", INFO["kubeconfig"], "apply", "-f", "-"], input=objects, text=True, check=True, capture_output=True)
        cls.token = new_token("flintgauge")
        wait_for("kubelet answers the shipped account", lambda: all(ask(p, cls.token)[0] == 200 for p in PATHS))
        cls.agent = Agent(cls.token)
        wait_for("the agent's first page", lambda: cls.agent.up("cadvisor") == 1)

    @classmethod
    def tearDownClass(cls):
        status = cls.agent.stop()
        print("agent's exit status:", status, "; its log:", os.path.join(cls.agent.dir, "log"), file=sys.stderr)
        assert status == 0

    def test_1_manifests_are_accepted_under_restricted(self):
        namespace = json.loads(kubectl("get", "namespace", "flintgauge", "-o", "json"))
        self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted")

        def admitted():  # the image is nowhere to be had: the pod exists, its container waits
            return kubectl("-n", "flintgauge", "get", "pods", "-l", "app.kubernetes.io/name=flintgauge", "-o", "name").strip()

        wait_for("the DaemonSet's pod", admitted, 30)
        events = json.loads(kubectl("-n", "flintgauge", "get", "events", "-o", "json"))["items"]
        self.assertEqual([], [e["message"] for e in events if e["reason"] == "FailedCreate"])
        bad = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": {"containers": [{"name": "c", "image": INFO["image"]}]}}
        with self.assertRaises(subprocess.CalledProcessError) as refused:  # the namespace does enforce
            kubectl("-n", "flintgauge", "apply", "-f", "-", text=json.dumps(bad))
        self.assertIn("restricted", refused.exception.stderr)

    def test_2_role_opens_what_is_read_and_nothing_else(self):
        for path in PATHS + ("/metrics/resource",):
            self.assertEqual(200, ask(path, self.token)[0], path)
        for path in ("/configz", "/logs/", "/healthz"):
            self.assertEqual(403, ask(path, self.token)[0], path)
        nobody = new_token("nobody", "unprivileged")
        for path in PATHS:
            self.assertEqual(403, ask(path, nobody)[0], path)
            self.assertEqual(401, ask(path, "")[0], path)
        who = "--as=system:serviceaccount:flintgauge:flintgauge"
        for verb, thing in (("list", "pods"), ("get", "secrets"), ("get", "nodes/proxy"), ("create", "pods"), ("get", "configmaps"), ("list", "nodes")):
            answer = subprocess.run([INFO["kubectl"], "--kubeconfig", INFO["kubeconfig"], "auth", "can-i", verb, thing, who, "-A"], capture_output=True, text=True)
            self.assertEqual("no", answer.stdout.strip(), f"{verb} {thing}")

    def snapshot(self):
        pods, cadvisor = (ask(p, self.token)[1] for p in PATHS[:2])
        sums = capture_sums.node_sums(cadvisor, json.loads(pods), now_ms=int(time.time() * 1000))
        rows = capture_sums.parse_text(cadvisor)
        stamps = {(n, tuple(sorted(l.items()))): t for n, l, _, t in rows if t and "container_last_seen" != n and l.get("namespace")}
        return sums, stamps, self.status_of(json.loads(pods))

    @staticmethod
    def status_of(document):
        return [(p["metadata"]["uid"], p["status"].get("phase"), [(c["name"], c.get("restartCount"), sorted(c.get("state", {}))) for c in capture_sums.Pods.statuses(p)])
                for p in document["items"]]

    def quiet_moment(self, group):
        """The page at a moment at which the kubelet's numbers of `group` are the same before and after, with those numbers."""
        for _ in range(60):
            before, stamps_before, pods_before = self.snapshot()
            time.sleep(2.2)  # two rounds of the agent
            page = self.agent.page()
            after, stamps_after, pods_after = self.snapshot()
            kind, key = group
            if before[kind].get(key) == after[kind].get(key) and pods_before == pods_after:
                return page, after[kind][key]
        self.fail(f"{group} never stood still for 3 s")

    @staticmethod
    def told(page, family, labels):
        """The agent's number for a group: the sum over the workloads of a namespace, one series for an application's role."""
        series = [value for (name, found), value in page.items() if name == family and set(labels) <= set(found)]
        return sum(series) if series else None

    def compare(self, group, labels, prefix, totals=TOTALS):
        page_1, sums_1 = self.quiet_moment(group)
        for family, source in GAUGES.items():
            measure = family if source == 1 else source
            if measure not in sums_1:
                self.assertIsNone(self.told(page_1, prefix + family, labels), family)
                continue
            scale = 1000 if measure.endswith("millicores") else 1
            told = self.told(page_1, prefix + family, labels)
            self.assertIsNotNone(told, f"{group} {family}")
            self.assertAlmostEqual(sums_1[measure], told * scale, delta=1e-6, msg=f"{group} {family}")
        time.sleep(25)
        page_2, sums_2 = self.quiet_moment(group)
        for family, measure in totals.items():
            if measure in sums_1:
                scope = labels + (("scope", "process"),) if family == "oom_kills_total" else labels
                before, after = (self.told(page, prefix + family, scope) for page in (page_1, page_2))
                self.assertIsNotNone(before, f"{group} {family}")
                want, got = sums_2[measure] - sums_1[measure], after - before
                self.assertGreaterEqual(got, 0)
                self.assertAlmostEqual(want, got, delta=1e-6 + 1e-9 * abs(want), msg=f"{group} {family}")
                print(f"{group[1]:48s} {family:32s} +{got:g}", file=sys.stderr)
        return page_1, page_2

    def test_3a_driver_of_team_a(self):
        self.compare(("applications", "team-a/spark-4f1c0d5e9a7b4c21/driver"),
                     (("app_id", "spark-4f1c0d5e9a7b4c21"), ("namespace", "team-a"), ("role", "driver")), "flintgauge_app_")

    def test_3b_driver_and_executor_of_team_b(self):
        for role in ("driver", "executor"):
            self.compare(("applications", f"team-b/spark-9b02e7d1c4a84f6d/{role}"),
                         (("app_id", "spark-9b02e7d1c4a84f6d"), ("namespace", "team-b"), ("role", role)), "flintgauge_app_")

    def test_3c_namespace_on_the_host_network(self):
        self.compare(("namespaces", "monitoring"), (("namespace", "monitoring"), ("workload", "other")), "flintgauge_namespace_")

    def test_3d_namespace_of_several_workloads(self):
        self.compare(("namespaces", "team-b"), (("namespace", "team-b"),), "flintgauge_namespace_")

    def test_3e_executors_that_are_throttled_and_whose_children_are_killed(self):
        self.compare(("applications", "team-a/spark-4f1c0d5e9a7b4c21/executor"),
                     (("app_id", "spark-4f1c0d5e9a7b4c21"), ("namespace", "team-a"), ("role", "executor")), "flintgauge_app_",
                     TOTALS | {"oom_kills_total": "oom_events"})

    def test_3f_executors_are_throttled_and_killed_as_the_kubelet_says(self):
        labels = (("app_id", "spark-4f1c0d5e9a7b4c21"), ("namespace", "team-a"), ("role", "executor"))
        page = self.agent.page()
        self.assertGreater(page["flintgauge_app_cpu_cfs_throttled_periods_total", labels], 0)
        process = tuple(sorted(labels + (("scope", "process"),)))
        container = tuple(sorted(labels + (("scope", "container"),)))
        first = page["flintgauge_app_oom_kills_total", process]
        wait_for("a child process is killed every 12 s", lambda: self.agent.page()["flintgauge_app_oom_kills_total", process] > first, 60)
        sums = self.snapshot()[0]["applications"]["team-a/spark-4f1c0d5e9a7b4c21/executor"]
        self.assertEqual(1, sums["oom_kills"])  # exec-3, for good
        self.assertEqual(sums["oom_kills"], self.agent.page()["flintgauge_app_oom_kills_total", container])
        for phase, count in (("Pending", 1), ("Running", 3), ("Failed", 1)):
            self.assertEqual(count, page["flintgauge_app_pods", tuple(sorted(labels + (("phase", phase),)))], phase)

    def test_4_rotated_token(self):
        reloads = ("flintgauge_token_reloads_total", ())
        before = self.agent.page()[reloads]
        self.agent.write_token(new_token("flintgauge"))
        wait_for("the new token is read", lambda: self.agent.page()[reloads] > before, 75)
        self.assertEqual(1, self.agent.up("cadvisor"))
        self.agent.write_token("broken")
        wait_for("a refused token shows as auth", lambda: self.agent.up("cadvisor") == 0, 90)
        errors = {l: v for (n, l), v in self.agent.page().items() if n == "flintgauge_scrape_errors_total" and dict(l)["reason"] == "auth"}
        self.assertGreater(sum(errors.values()), 0)
        self.agent.write_token(self.token)
        wait_for("recovery", lambda: self.agent.up("cadvisor") == 1, 75)

    def test_5_frozen_api_server(self):
        status = re.search(r"\d+", str(INFO["pids"]["kube-apiserver"])).group()
        os.kill(int(status), signal.SIGSTOP)
        try:
            end = time.time() + 60
            while time.time() < end:
                self.assertEqual(1, self.agent.up("cadvisor"), "token and path are in the kubelet's cache")
                time.sleep(2)
        finally:
            os.kill(int(status), signal.SIGCONT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
