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
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kube_node import INFO, PATHS, ROOT, TOTALS, Agent, ask, kubectl, new_token, snapshot, told, wait_for  # noqa: E402
from kube_watch import Watch, instances_of  # noqa: E402


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
        cls.watch = Watch(cls.token)

    @classmethod
    def tearDownClass(cls):
        cls.watch.stop()
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

    def compare(self, group, labels, prefix, totals=TOTALS):
        """Gauges at two moments, and what every total grew between them, in a while in which nothing of the namespace starts or ends:
        what a container counted between its last sample and its end nobody can know."""
        for _ in range(12):
            page_1, readings_1 = self.watch.find(self.agent, group, labels, prefix)
            time.sleep(25)
            page_2, readings_2 = self.watch.find(self.agent, group, labels, prefix)
            if len({frozenset(instances_of(reading, group)) for reading in readings_1 + readings_2}) == 1:
                break
        else:
            self.fail(f"{group}: something starts or ends every 25 s")
        pairs = [self.total_differences(group, (page_1, page_2), (first, second), labels, prefix, totals) for first in readings_1 for second in readings_2]
        self.assertEqual([], min(pairs, key=len), f"{group}: what the kubelet's counters grew, and what the agent's did")

    @staticmethod
    def total_differences(group, pages, readings, labels, prefix, totals):
        """[(family, growth by the kubelet's pages, by the agent's)] where they differ."""
        first, second = (reading.sums[group[0]][group[1]] for reading in readings)
        out = []
        for family, measure in totals.items():
            if measure not in first:
                continue
            scope = labels + (("scope", "process"),) if family == "oom_kills_total" else labels
            before, after = (told(page, prefix + family, scope) for page in pages)
            want, got = second[measure] - first[measure], None if before is None or after is None else after - before
            if got is None or abs(want - got) > 1e-6 + 1e-9 * abs(want):
                out.append((family, want, got))
        return out

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
        sums = snapshot(self.token)[0]["applications"]["team-a/spark-4f1c0d5e9a7b4c21/executor"]
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

    def told_of(self, family, **labels):
        """Sum of a family's series that carry these labels."""
        return sum(value for (name, have), value in self.agent.page().items() if name == family and set(labels.items()) <= set(have))

    def test_5_frozen_api_server(self):
        wait_for("every page is read again", lambda: all(self.agent.up(one) == 1 for one in ("cadvisor", "kubelet_pods", "kubelet_summary")), 60)
        refused = self.told_of("flintgauge_scrape_errors_total", reason="auth")
        status = re.search(r"\d+", str(INFO["pids"]["kube-apiserver"])).group()
        os.kill(int(status), signal.SIGSTOP)
        try:
            end = time.time() + 60
            while time.time() < end:
                age = time.time() - self.told_of("flintgauge_target_last_success_timestamp_seconds", target="cadvisor")
                errors = {label: value for (name, label), value in self.agent.page().items() if name == "flintgauge_scrape_errors_total" and value}
                self.assertLess(age, 15, f"the kubelet goes on answering; failures so far: {errors}")
                self.assertEqual(refused, self.told_of("flintgauge_scrape_errors_total", reason="auth"), "token and path are in the kubelet's cache")
                time.sleep(2)
        finally:
            os.kill(int(status), signal.SIGCONT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
