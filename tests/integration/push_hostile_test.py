#!/usr/bin/env python3
"""Hostile pushers against the real program: usage push_hostile_test.py FLINTGAUGE [--sanitized]

After each attack of team-b the series of team-a are bit for bit what they were, the right counter has moved, memory is flat, and
team-a can still push. --sanitized: do not look at memory, a sanitizer needs its own.
"""
import contextlib
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no cache beside the sources
import push_gateway_attacks
from processes import Processes
from push_node import APP, PushAgent, all_lines, lines, pod, refused, value

FLAT_MIB = 16
NET = f"127.{160 + time.time_ns() % 60}.9"
VICTIM, VICTIM_EXECUTOR, ENEMY, HELPER = (f"{NET}.{last}" for last in (1, 2, 50, 51))
ENEMY_APP = "spark-" + "e" * 32
MIB = 1024 * 1024


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def pods():
    return [pod("driver", VICTIM, role="driver"), pod("exec-1", VICTIM_EXECUTOR, executor="1"),
            pod("enemy", ENEMY, "team-b", ENEMY_APP, role="driver"), pod("helper", HELPER, "team-b", ENEMY_APP, executor="1"),
            pod("web", f"{NET}.60", "team-c", app=None), pod("twin-1", f"{NET}.61", "team-c", "spark-c", role="driver"),
            pod("twin-2", f"{NET}.61", "team-c", "spark-d", role="driver"),
            pod("net", f"{NET}.62", "team-c", "spark-f", role="driver", spec={"hostNetwork": True}),
            pod("far", f"{NET}.63", "team-c", "spark-f2", executor="1")]


def of_victim(page):
    return {key: number for key, number in page.items() if ("namespace", "team-a") in key[1] and
            key[0].startswith(("flintgauge_spark_", "flintgauge_push_", "flintgauge_app_"))}


class Victim:
    """Pushes once more after each attack: what it says is there, and nothing else has changed."""

    def __init__(self, agent):
        self.agent, self.tasks = agent, 0
        self.push()

    def push(self):
        self.tasks += 1
        self.agent.graphite(VICTIM, b"%s.driver.DAGScheduler.job.activeJobs 1 1\n" % APP.encode())
        self.agent.graphite(VICTIM_EXECUTOR, b"%s.1.executor.succeededTasks.count %d 1\n" % (APP.encode(), self.tasks))
        page = self.agent.until("the victim's push", lambda page: value(
            page, "flintgauge_spark_tasks_completed_total", namespace="team-a", app_id=APP) == self.tasks)
        self.known = of_victim(page)

    def check(self, what):
        now = of_victim(self.agent.page())
        changed = {key for key in now.keys() | self.known.keys() if now.get(key) != self.known.get(key)}
        expect(not changed, f"{what}: series of another tenant changed: {sorted(changed)[:3]}")
        self.push()


def peak_mib(agent, forget=False):
    if forget:
        pathlib.Path(f"/proc/{agent.process.pid}/clear_refs").write_text("5")
    return int(pathlib.Path(f"/proc/{agent.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def send_all(agent, ip, pieces):
    """What of it the agent reads; it may hang up. Bytes sent."""
    sent = 0
    with contextlib.suppress(ConnectionError), agent.connect(ip) as connection:
        for piece in pieces:
            connection.sendall(piece)
            sent += len(piece)
    return sent


def hundred_megabytes(agent):
    line = b"%s.driver.jvm.heap.used 12345678 1795374148\n" % ENEMY_APP.encode()
    piece = line * 20_000
    sent = send_all(agent, ENEMY, (piece for _ in range(100 * MIB // len(piece) + 1)))
    count = sent // len(line)
    page = agent.until("100 MB counted", lambda page: all_lines(page, "graphite", "team-b") == count, 60)
    expect(sent > 100 * MIB and lines(page, "graphite", "budget", "team-b") > 0, "100 MB are within the budget")
    return f"{lines(page, 'graphite', 'budget', 'team-b'):.0f} of {count} lines over the budget"


def endless_line(agent):
    before = lines(agent.page(), "graphite", "line_too_long", "team-b")
    sent = send_all(agent, ENEMY, (b"x" * MIB for _ in range(64)))
    agent.until("endless line", lambda page: lines(page, "graphite", "line_too_long", "team-b") == before + 1)
    return f"hung up after at most {sent / MIB:.0f} MiB"


def million_names(agent):
    before = all_lines(agent.page(), "graphite", "team-b")
    send_all(agent, HELPER, (b"".join(b"%s.1.executor.metric%d %d 1\n" % (ENEMY_APP.encode(), number, number)
                                      for number in range(first, first + 10_000)) for first in range(0, 1_000_000, 10_000)))
    page = agent.until("10^6 names", lambda page: all_lines(page, "graphite", "team-b") == before + 1_000_000, 60)
    series = {labels for (name, labels) in page if "team-b" in str(labels) and not name.startswith("flintgauge_push_")}
    expect(len(series) < 30, f"{len(series)} series of team-b")
    return "10^6 names"


def lies(agent):
    before = lines(agent.page(), "graphite", "identity", "team-b")
    agent.graphite(ENEMY, b"%s.driver.DAGScheduler.job.activeJobs 99 1\n" % APP.encode() * 100)
    agent.graphite(HELPER, b"%s.1.executor.succeededTasks.count 99 1\n" % APP.encode() * 100)
    agent.until("lies", lambda page: lines(page, "graphite", "identity", "team-b") == before + 200)
    agent.statsd(HELPER, b"%s.1.executor.succeededTasks:99|c" % APP.encode())
    agent.until("lies", lambda page: lines(page, "statsd", "identity", "team-b") == 1)
    return "201 claims of another's application"


def strangers(agent):
    was = agent.page()
    for reason, ip in (("unknown_peer", f"{NET}.99"), ("not_spark", f"{NET}.60"), ("ambiguous_address", f"{NET}.61"),
                       ("host_network", f"{NET}.62")):
        for protocol, send in (("graphite", agent.graphite), ("statsd", agent.statsd)):
            with contextlib.suppress(ConnectionError):
                send(ip, b"spark-c.driver.DAGScheduler.job.activeJobs 1 1\n")
            agent.until(f"{protocol} {reason}", lambda page: refused(page, protocol, reason) == refused(was, protocol, reason) + 1)
    agent.graphite(f"{NET}.63", b"spark-f2.1.executor.succeededTasks.count 1 1\n")
    agent.until("driver elsewhere", lambda page: lines(page, "graphite", "driver_elsewhere", "team-c") == 1)
    return "unknown, not Spark, two of one address, host network, driver elsewhere"


def many_connections(agent):
    before = refused(agent.page(), "graphite", "pod_connections")
    with contextlib.ExitStack() as all_of_them:
        for _ in range(300):
            with contextlib.suppress(ConnectionError):
                all_of_them.enter_context(agent.connect(ENEMY))
        page = agent.until("connections", lambda page: refused(page, "graphite", "pod_connections") == before + 292)
        agent.until("gauge", lambda page: value(page, "flintgauge_push_connections", protocol="graphite") == 8)
    agent.until("closed", lambda page: value(page, "flintgauge_push_connections", protocol="graphite") == 0)
    return f"{refused(page, 'graphite', 'pod_connections'):.0f} of 300 connections refused"


def flood(agent):
    datagram = b"%s.1.executor.succeededTasks:7|c" % ENEMY_APP.encode()
    before = all_lines(agent.page(), "statsd", "team-b")
    agent.statsd(HELPER, *[datagram] * 200_000)
    agent.statsd(f"{NET}.99", *[datagram] * 50_000)
    agent.statsd(HELPER, b"", b"x" * 60_000, datagram)

    def is_over(page):
        agent.statsd(HELPER, datagram)  # the kernel tells what it dropped with the next datagram that it keeps
        seen = (all_lines(page, "statsd", "team-b") - before + refused(page, "statsd", "unknown_peer") +
                value(page, "flintgauge_push_kernel_drops_total"))
        return seen >= 250_000
    page = agent.until("flood", is_over, 60)
    return (f"{all_lines(page, 'statsd', 'team-b') - before:.0f} taken, of these {lines(page, 'statsd', 'budget', 'team-b'):.0f} over "
            f"the budget; {value(page, 'flintgauge_push_kernel_drops_total'):.0f} dropped by the kernel")


def nothing(agent):
    def graphite():
        return {key: number for key, number in agent.page().items() if ("protocol", "graphite") in key[1] and
                key[0].endswith("_total")}
    before = graphite()
    for _ in range(5):
        agent.connect(ENEMY).close()
    agent.until("closed", lambda page: value(page, "flintgauge_push_connections", protocol="graphite") == 0)
    expect(graphite() == before, "connections without a byte count as something")
    return "5 connections without a byte"


ATTACKS = [hundred_megabytes, endless_line, million_names, lies, strangers, many_connections, flood, nothing]


def check_patience(processes, program):
    """With the usual budgets a flooder waits, and nobody else does."""
    agent = PushAgent(processes, program, pods(), "patient", **{"push.pod_bytes_per_second": "64KiB"})
    victim = Victim(agent)
    with agent.connect(ENEMY) as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while True:
                connection.sendall(b"%s.driver.jvm.heap.used 1 1\n" % ENEMY_APP.encode() * 10_000)
        taken = value(agent.page(), "flintgauge_push_bytes_total", protocol="graphite", namespace="team-b")
        expect(taken < 2 * MIB, f"{taken} bytes of one pod in some seconds")
        victim.check("a pod that waits")
    print("a pod over its bytes waits, others do not", flush=True)


def run(program, processes, watch_memory):
    wide = {"push.pod_bytes_per_second": "1GiB", "push.namespace_bytes_per_second": "1GiB",
            "push.pod_lines_per_second": "30000", "push.namespace_lines_per_second": "40000"}  # a slow machine passes them too
    agent = PushAgent(processes, program, pods(), "agent", **wide)
    victim = Victim(agent)
    for attack in ATTACKS + push_gateway_attacks.attacks(ENEMY, ENEMY_APP):
        before = peak_mib(agent, forget=True)
        said = attack(agent)
        victim.check(attack.__name__)
        grown = peak_mib(agent) - before
        expect(not watch_memory or grown <= FLAT_MIB, f"{attack.__name__}: memory grew by {grown:.1f} MiB")
        print(f"{attack.__name__:18} {grown:+5.1f} MiB  {said}", flush=True)
    check_patience(processes, program)


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="flintgauge-push-") as folder, Processes(folder) as processes:
        run(pathlib.Path(sys.argv[1]), processes, "--sanitized" not in sys.argv[2:])
    print(f"passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
