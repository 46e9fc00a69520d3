#!/usr/bin/env python3
"""Run by tests/e2e/spark-on-kube inside kube_up: two tenants' real Spark, read by an agent beside the node and by the DaemonSet of deploy/.

team-a shuffles and loses an executor pod; team-b has far more tasks than its quota has room for executors. Of each application, by each agent:
1 the DaemonSet runs from an image made without a registry, with Pod Security "restricted" enforced
2 gauges and totals of the kubelet per application and role equal an independent sum of the same pages
3 a deleted executor pod is one executor lost, and its place is taken again
4 the tenant at its quota is said to starve for it, which no API server told
5 Spark's totals equal the driver's REST, and the event log, whatever became of executors
6 executors by state (active, dead; wanted and needed as dynamic allocation tells), losses by reason and pods by phase were right all the time
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kube_node  # noqa: E402
from kube_node import GAUGES, INFO, ROOT, TOTALS, ask, kubectl, new_token, read_page, snapshot, told, wait_for  # noqa: E402

VERSION = os.environ.get("SPARK_VERSION", "4.3.0")
SECONDS, LINGER = 300, 45  # the whole list of stages is asked for every 30 s
TENANTS = {
    "team-a": ("--workload", "shuffle", "--max-executors", "3", "--conf", "spark.dynamicAllocation.minExecutors=3"),
    "team-b": ("--workload", "backlog", "--max-executors", "8", "--quota-executors", "2", "--conf", "spark.executor.maxNumFailures=1000000")}
EXECUTORS = {"team-a": 3, "team-b": 2}
SPARK = {  # family without "flintgauge_spark_" and "_total": (what the event log calls it, how many of it are one unit)
    "tasks_completed": ("tasks_completed", 1), "tasks_failed": ("tasks_failed", 1), "executor_run_seconds": ("run_ms", 1e3),
    "executor_cpu_seconds": ("cpu_ns", 1e9), "gc_seconds": ("gc_ms", 1e3), "input_bytes": ("input_bytes", 1),
    "input_records": ("input_records", 1), "output_bytes": ("output_bytes", 1), "shuffle_read_bytes": ("shuffle_read_bytes", 1),
    "shuffle_write_bytes": ("shuffle_write_bytes", 1), "shuffle_fetch_wait_seconds": ("fetch_wait_ms", 1e3),
    "memory_spilled_bytes": ("memory_spilled_bytes", 1), "disk_spilled_bytes": ("disk_spilled_bytes", 1),
    "output_records": ("output_records", 1), "shuffle_read_records": ("shuffle_read_records", 1),
    "shuffle_write_records": ("shuffle_write_records", 1)}
REASONS = {"The executor with id": "exited", "Executor killed by driver": "killed_by_driver"}  # beginnings of removeReason
ALLOCATION = {"ExecutorAllocationManager.executors.numberTargetExecutors": "target",
              "ExecutorAllocationManager.executors.numberMaxNeededExecutors": "max_needed",
              "ExecutorAllocationManager.executors.numberExecutorsPendingToRemove": "pending_to_remove"}
STATES = ("active", "dead", *ALLOCATION.values())  # an executor is busy and idle again within a second
SETTLED, SETTLED_LOSS = 10, 40  # seconds: rounds of both agents; a pod may still tell why an executor went


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class DaemonSet:
    """The agent as deploy/ ships it, but for its intervals."""

    def __init__(self):
        with tempfile.TemporaryDirectory(prefix="flintgauge-image-") as folder:
            image = os.path.join(folder, "image.tar")
            subprocess.run([os.path.join(ROOT, "tests/tools/kube/agent_image"), os.path.join(ROOT, "build/release/flintgauge"), "flintgauge:0.1.0", image],
                           check=True)
            subprocess.run([*INFO["ctr"].split(), "images", "import", image], check=True, stdout=sys.stderr)
            base = os.path.join(ROOT, "deploy/kustomize/base")
            with open(os.path.join(base, "flintgauge.yaml")) as file:
                config = file.read()
            for shipped, quick in (("  interval: 10s\nspark", "  interval: 1s\nspark"), ("spark:\n  interval: 10s", "spark:\n  interval: 2s")):
                assert shipped in config, config
                config = config.replace(shipped, quick)
            with open(os.path.join(folder, "flintgauge.yaml"), "w") as file:
                file.write(config)
            with open(os.path.join(folder, "kustomization.yaml"), "w") as file:
                json.dump({"resources": [os.path.relpath(base, os.path.realpath(folder))], "configMapGenerator": [
                    {"name": "flintgauge", "namespace": "flintgauge", "behavior": "merge", "files": ["flintgauge.yaml"]}]}, file)
            kubectl("apply", "-k", folder)
        self.address = ""

    def pod(self):
        return json.loads(kubectl("-n", "flintgauge", "get", "pods", "-l", "app.kubernetes.io/component=node-agent", "-o", "json"))["items"][0]

    def is_ready(self):
        try:
            status = self.pod()["status"]
        except IndexError:
            return False
        self.address = status.get("podIP", "") + ":14040"
        return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))

    def page(self):
        return read_page(self.address)


class Tenant:
    """spark_on_kube in the background; start() waits for its first line, finish() gives its second."""

    def __init__(self, namespace, options):
        self.namespace = namespace
        self.process = subprocess.Popen([os.path.join(ROOT, "tests/tools/spark_on_kube"), "--version", VERSION, "--namespace", namespace, "--seconds",
                                         str(SECONDS), "--linger", str(LINGER), *options], stdout=subprocess.PIPE, text=True)

    def start(self):
        line = self.process.stdout.readline()
        assert line, f"{self.namespace} did not start, exit {self.process.wait()}"
        self.line = json.loads(line)
        self.app_id = self.line["app_id"]
        say(self.namespace, line.strip())

    def finish(self):
        rest = self.process.stdout.read()
        assert self.process.wait() == 0, rest
        return json.loads(rest)

    def labels(self, **more):
        return tuple(sorted({"namespace": self.namespace, "app_id": self.app_id, **more}.items()))

    def rows(self):
        with urllib.request.urlopen(self.line["rest"] + "/allexecutors", timeout=10) as answer:
            return [row for row in json.load(answer) if row["id"] != "driver"]

    def executors(self):
        """{id: None while it is active, else why it went}, as the driver says."""
        return fates(self.rows())

    def allocation(self):
        """{state: executors}, as the driver's allocation manager says."""
        with urllib.request.urlopen(self.line["rest"].split("/api/")[0] + "/metrics/json/", timeout=10) as answer:
            gauges = json.load(answer)["gauges"]
        return {state: value["value"] for name, value in gauges.items() for end, state in ALLOCATION.items() if name.endswith(end)}


def fates(rows):
    return {row["id"]: None if row["isActive"] else row.get("removeReason", "") for row in rows}


class Watch(threading.Thread):
    """Every second: what the drivers and the kubelet say, and the pages of the agents."""

    def __init__(self, tenants, agents, token):
        super().__init__(daemon=True)
        self.tenants, self.agents, self.token, self.records, self.ended = tenants, agents, token, [], threading.Event()

    def run(self):
        while not self.ended.wait(1):
            record = {"at": time.time(), "executors": {}, "states": {}, "pods": {}, "pages": {}}
            try:
                pods = json.loads(ask("/pods", self.token)[1])["items"]
                record["pages"] = {name: agent.page() for name, agent in self.agents.items()}
            except (OSError, ValueError):
                continue
            for namespace, tenant in self.tenants.items():
                mine = [p for p in pods if p["metadata"]["labels"].get("spark-app-selector") == tenant.app_id]
                record["pods"][namespace] = sorted((p["metadata"]["labels"]["spark-role"], p["status"]["phase"]) for p in mine)
                try:
                    rows, allocation = tenant.rows(), tenant.allocation()
                    active = [row for row in rows if row["isActive"]]
                    record["executors"][namespace] = fates(rows)
                    record["states"][namespace] = allocation | {"active": len(active), "dead": len(rows) - len(active)}
                except (OSError, ValueError):
                    continue  # the driver is busy, or over
            self.records.append(record)

    def settled(self, seconds, fact):
        """Each record whose fact has been the same for so long, and still was in the next one, with it and since when it was known."""
        since, known, last = 0, 0, None
        for record, following in zip(self.records, self.records[1:]):
            now = fact(record)
            if now is None or now != last:
                since, known, last = record["at"], following["at"], now
            if last is not None and record["at"] - since >= seconds and fact(following) == last:
                yield record, last, known


class SparkOnKube(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.daemon_set = DaemonSet()
        cls.token = new_token("flintgauge")
        wait_for("kubelet answers the shipped account", lambda: all(ask(path, cls.token)[0] == 200 for path in kube_node.PATHS))
        cls.agents = {"process": kube_node.Agent(cls.token), "DaemonSet": cls.daemon_set}
        wait_for("the first page of the process", lambda: cls.agents["process"].up("cadvisor") == 1)
        wait_for("the DaemonSet is ready", cls.daemon_set.is_ready)
        cls.tenants = {namespace: Tenant(namespace, options) for namespace, options in TENANTS.items()}
        try:
            for tenant in cls.tenants.values():
                tenant.start()
        except BaseException:
            cls.tearDownClass()
            raise
        cls.watch = Watch(cls.tenants, cls.agents, cls.token)
        cls.watch.start()

    @classmethod
    def tearDownClass(cls):
        for tenant in cls.tenants.values():
            if tenant.process.poll() is None:
                tenant.process.terminate()
                tenant.process.wait()
        status = cls.agents["process"].stop()
        say("agent's exit status:", status, "; its log:", os.path.join(cls.agents["process"].dir, "log"))
        assert status == 0

    def wait_for_executors(self):
        for namespace, count in EXECUTORS.items():
            wait_for(f"{namespace} has {count} executors",
                     lambda: list(self.tenants[namespace].executors().values()).count(None) == count, 120)

    def test_1_daemon_set_runs_under_restricted(self):
        namespace = json.loads(kubectl("get", "namespace", "flintgauge", "-o", "json"))
        self.assertEqual("restricted", namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"])
        pod = self.daemon_set.pod()
        self.assertEqual([0], [c["restartCount"] for c in pod["status"]["containerStatuses"]])
        page = self.daemon_set.page()
        up = {dict(labels)["target"]: value for (name, labels), value in page.items()
              if name == "flintgauge_target_up" and ("source", "kubelet") in labels}
        say("  targets of the kubelet:", up, f"; the agent's memory {page['process_resident_memory_bytes', ()] / 2 ** 20:.1f} MiB")
        self.assertGreaterEqual(len(up), 3)
        self.assertEqual({1}, set(up.values()))
        for tenant in self.tenants.values():
            wait_for("both agents show the application", lambda: all(
                told(agent.page(), "flintgauge_spark_tasks_completed_total", tenant.labels()) is not None for agent in self.agents.values()))

    def quiet_moments(self, groups):
        """{group: (pages, sums, pods)} at moments at which the kubelet's numbers of the group are the same before and after."""
        found = {}
        end = time.time() + 150
        while len(found) < len(groups) and time.time() < end:
            before, pods_before = snapshot(self.token)
            time.sleep(2.2)  # two rounds of the agents
            pages = {name: agent.page() for name, agent in self.agents.items()}
            after, pods_after = snapshot(self.token)
            for group in groups:
                if group not in found and before["applications"].get(group) == after["applications"].get(group) and pods_before == pods_after:
                    found[group] = pages, after["applications"][group], pods_after
        self.assertEqual(set(groups), set(found), "stood still for 3 s")
        return found

    def test_2_kubelet_joined_to_application_and_role(self):
        self.wait_for_executors()
        groups = {f"{t.namespace}/{t.app_id}/{role}": t.labels(role=role) for t in self.tenants.values() for role in ("driver", "executor")}
        first = self.quiet_moments(groups)
        time.sleep(15)
        second = self.quiet_moments(groups)
        for group, labels in groups.items():
            pages_1, sums_1, pods_1 = first[group]
            pages_2, sums_2, pods_2 = second[group]
            self.assertEqual(pods_1, pods_2, "no pod came or went")
            for name in self.agents:
                self.compare(f"{name} {group}", labels, (pages_1[name], sums_1), (pages_2[name], sums_2))

    def compare(self, what, labels, first, second):
        for page, sums in (first, second):
            for family, source in GAUGES.items():
                measure = family if source == 1 else source
                value, scale = told(page, "flintgauge_app_" + family, labels), 1000 if measure.endswith("millicores") else 1
                if measure not in sums:
                    self.assertIsNone(value, f"{what} {family}")
                    continue
                self.assertIsNotNone(value, f"{what} {family}")
                self.assertAlmostEqual(sums[measure], value * scale, delta=1e-6, msg=f"{what} {family}")
            for family, measure in TOTALS.items():  # the agents were there first, so they know all of each total
                if measure in sums:
                    value = told(page, "flintgauge_app_" + family, labels)
                    self.assertIsNotNone(value, f"{what} {family}")
                    self.assertAlmostEqual(sums[measure], value, delta=1e-6 + 1e-9 * sums[measure], msg=f"{what} {family}")
        say(f"  {what}:", ", ".join(f"{family} {told(second[0], 'flintgauge_app_' + family, labels):.10g}" for family in (
            "cpu_usage_seconds_total", "memory_working_set_bytes", "network_receive_bytes_total", "network_transmit_bytes_total")))

    def test_3_deleted_executor_is_lost_and_replaced(self):
        tenant = self.tenants["team-a"]
        before = {name: self.lost_in(agent.page(), tenant) for name, agent in self.agents.items()}
        active = [one for one, reason in tenant.executors().items() if reason is None]
        victim = min(active, key=int)
        kubectl("-n", "team-a", "delete", "pod", "-l", f"spark-role=executor,spark-exec-id={victim}", "--wait=false")
        deleted = time.time()
        wait_for("the driver knows", lambda: tenant.executors()[victim] is not None, 60)
        say(f"  executor {victim} deleted; the driver, {time.time() - deleted:.1f} s later:", tenant.executors()[victim])
        for name, agent in self.agents.items():
            want = before[name] | {"exited": before[name].get("exited", 0) + 1}
            wait_for(f"{name} counts it once", lambda: self.lost_in(agent.page(), tenant) == want, 45)
            say(f"  {name}: {want} {time.time() - deleted:.1f} s after the deletion")
        self.wait_for_executors()
        say(f"  replaced {time.time() - deleted:.1f} s after the deletion")

    @staticmethod
    def hint(agent, tenant):
        with urllib.request.urlopen(f"http://{agent.address}/api/v1/hints/{tenant.namespace}/{tenant.app_id}?explain=1", timeout=10) as answer:
            return json.load(answer)

    def pressure(self, agent, namespace):
        return self.hint(agent, self.tenants[namespace]).get("quota", {}).get("pressure")

    def cause(self, agent, namespace):
        return self.hint(agent, self.tenants[namespace]).get("bottleneck", {}).get("kind")

    def test_4_tenant_at_its_quota(self):
        quota = json.loads(kubectl("-n", "team-b", "get", "resourcequota", "compute", "-o", "json"))["status"]
        say("  quota of team-b: hard", quota["hard"], "used", quota["used"])
        for what, question, answer, seconds in (("pressure", self.pressure, "suspected", 120), ("cause", self.cause, "quota", 180)):
            for name, agent in self.agents.items():  # causes are told after two minutes of tasks
                try:
                    wait_for(f"{name}: {what} {answer}", lambda: question(agent, "team-b") == answer, seconds)
                finally:
                    for namespace, tenant in self.tenants.items():
                        hint = self.hint(agent, tenant)
                        say(f"  {name} of {namespace}: quota", json.dumps(hint.get("quota")))
                        say(f"  {name} of {namespace}: cause", json.dumps({k: v for k, v in hint.get("bottleneck", {}).items() if k != "inputs"}))
                self.assertNotEqual(answer, question(agent, "team-a"))

    def test_5_totals_equal_what_spark_recorded(self):
        for namespace, tenant in self.tenants.items():
            second = tenant.finish()
            pages = {name: agent.page() for name, agent in self.agents.items()}
            say(f"  {namespace}: {second}")
            self.assertEqual("Succeeded", second["phase"])
            (self.assertGreater if namespace == "team-b" else self.assertEqual)(second["quota_refusals"], 0)
            for name, page in pages.items():
                for family, (key, scale) in SPARK.items():
                    with self.subTest(agent=name, namespace=namespace, family=family):
                        log, rest = (second["truth"][source][key] / scale for source in ("event_log", "rest"))
                        value = told(page, f"flintgauge_spark_{family}_total", tenant.labels())
                        say(f"  {name:10s} {namespace} {family:28s} event log {log:<16.12g} REST {rest:<16.12g} agent {value}")
                        self.assertIsNotNone(value)
                        self.assertAlmostEqual(rest, value, delta=1e-9 * max(1.0, rest))
                        if not second["truth"]["event_log"]["tasks_failed"]:
                            self.assertAlmostEqual(log, value, delta=1e-9 * max(1.0, log))
                        else:  # REST keeps what a lost task had told of itself, the event log has no metrics of it
                            self.assertGreaterEqual(value, log * (1 - 1e-9))
        self.watch.ended.set()
        self.watch.join()
        last = {}
        for record in self.watch.records:
            for name, page in record["pages"].items():
                for key, value in page.items():
                    if key[0].startswith(("flintgauge_spark_", "flintgauge_app_")) and key[0].endswith("_total"):
                        self.assertGreaterEqual(value, last.get((name, key), value), f"{name} {key} fell")
                        last[name, key] = value

    def test_6_executors_were_right_all_the_time(self):
        for namespace, tenant in self.tenants.items():
            driver = f"/{namespace}/{tenant.app_id}"
            for what, source, seconds, fact, seen in (
                    *((state, ("spark_metrics_json" if state in ALLOCATION.values() else "spark_executors") + driver, SETTLED,
                       lambda r, state=state: r["states"].get(namespace, {}).get(state),
                       lambda p, state=state: told(p, "flintgauge_spark_executors", tenant.labels(state=state))) for state in STATES),
                    ("lost", "spark_executors" + driver, SETTLED_LOSS, lambda r: self.losses(r, namespace), lambda p: self.lost_in(p, tenant)),
                    ("pods", "kubelet_pods", SETTLED, lambda r: r["pods"].get(namespace), lambda p: self.phases_in(p, tenant))):
                compared = 0
                for record, want, known in self.watch.settled(seconds, fact):
                    for name, page in record["pages"].items():
                        if self.read_at(page, source) < known + 2:
                            continue  # a loaded machine: it has not been able to read the source since
                        self.assertEqual(want, seen(page), f"{namespace}: {what} by {name} at {record['at']:.1f}")
                        compared += 1
                say(f"  {namespace}: {what} right in all of {compared} readings")
                self.assertGreater(compared, 20)

    @staticmethod
    def read_at(page, target):
        """When an agent last read a target with success, in seconds since the epoch."""
        return max((value for (name, labels), value in page.items()
                    if name == "flintgauge_target_last_success_timestamp_seconds" and ("target", target) in labels), default=0)

    @staticmethod
    def losses(record, namespace):
        """{reason: executors} as the driver says, None while it says nothing."""
        executors, found = record["executors"].get(namespace), {}
        for reason in (executors or {}).values():
            if reason is not None:
                name = next((name for beginning, name in REASONS.items() if reason.startswith(beginning)), reason)
                found[name] = found.get(name, 0) + 1
        return executors and found

    @staticmethod
    def lost_in(page, tenant):
        return {dict(labels)["reason"]: value for (name, labels), value in page.items()
                if name == "flintgauge_spark_executors_lost_total" and set(tenant.labels()) <= set(labels) and value}

    @staticmethod
    def phases_in(page, tenant):
        found = []
        for (name, labels), value in page.items():
            if name == "flintgauge_app_pods" and set(tenant.labels()) <= set(labels):
                found += [(dict(labels)["role"], dict(labels)["phase"])] * int(value)
        return sorted(found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
