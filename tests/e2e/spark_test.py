#!/usr/bin/env python3
"""Run by tests/e2e/spark: for each version and workload a real Spark, read by an agent with every source and by one for each source alone.

  spark_test.py [--version 4.3.0]... [--workload wordcount]... [--seconds 50]      all of both unless named

What each agent tells at the end is compared with the driver's own REST interface, read before it ends, and with the event log that Spark
leaves: counts, bytes and times, exactly. A source is only asked for the families that it can tell (docs/metrics.md). No total may ever fall.
The tables at the end: what equals what; the cause named for workloads whose cause is known; hints worked out again from their JSON;
panels of dashboards/application.json that had data; what the agent costs an idle driver.
"""
import argparse
import pathlib
import random
import signal
import sys
import tempfile

import spark_causes
import spark_load
import spark_panels
import spark_run
from spark_run import FAMILIES, SOURCES, Agent, SparkRun, lasting_port, until

sys.path.append(str(spark_run.ROOT / "tests/tools"))
import recompute_hints  # noqa: E402
import spark_node  # noqa: E402

VERSIONS = ("4.3.0", "3.5.9")
KILLED = "killed"  # the workload shuffle, and an executor dies on the way
WORKLOADS = ("wordcount", "skew", "spill", "shuffle", "streaming", "failing", "cached", "idle", KILLED, "gc", "tiny", "slots")
LOAD = "load"
ASKED_OFTEN = {"spark_stages", "spark_executors", "spark_metrics_json"}
MORE = {KILLED: ("--kill-executor-at", "10"), "skew": ("--rows", "12000000")}  # a long task of seconds, on a quick machine too


def same(a, b):
    return a is not None and b is not None and abs(a - b) <= 1e-9 * max(1.0, abs(b))


class Play:
    """One run of one workload."""

    def __init__(self, version, workload, seconds, port):
        self.version, self.workload, self.seconds, self.port = version, workload, seconds, port
        self.wrong, self.rows, self.hints = [], [], []
        self.causes = spark_causes.Watch()

    def expect(self, good, what):
        if not good:
            self.wrong.append(what)
            print(f"FAILED: {self.version} {self.workload}: {what}", flush=True)

    def run(self, panels):
        run = SparkRun(self.version, "shuffle" if self.workload == KILLED else self.workload, self.seconds, *MORE.get(self.workload, ()))
        node = spark_node.Node()
        run.show(node)
        agents = [Agent(node, source, self.port if source == "all" else None) for source in SOURCES]
        try:
            self.watch(run, node, agents)
            rest = self.settle(run, agents)
            panels.look(run.app_id)
            before = len(agents[0].lines("target down", run.app_id))  # a busy machine may have been too slow for a page
            log, second = run.end()
            self.compare(run.app_id, agents, rest, log, second)
            self.check_goodbye(agents[0], run.app_id, before)
            if self.workload == KILLED:
                self.expect("killed_executor" in second, "no executor was killed")
            missed = self.causes.misses(self.workload) if self.seconds >= spark_causes.LONG_ENOUGH else None
            self.expect(missed is None, f"the cause {missed} was not named")
        finally:
            run.kill()
            codes = [agent.stop() for agent in agents]
        self.expect(codes == [0] * len(codes), f"the agents ended with {codes}")

    def watch(self, run, node, agents):
        """Reads all pages every second while Spark works."""
        def look():
            run.show(node)
            for agent in agents:
                if agent.process.poll() is not None:
                    raise AssertionError(f"agent {agent.source} ended, see {agent.log}")
                try:
                    agent.read()
                except OSError:
                    continue  # it has only just begun
            self.causes.add(agents[0].page, run.app_id)
            hint = agents[0].hint(run.app_id)
            if hint is not None:
                self.hints.append(hint)
        self.expect(until("the passes are over", run.worked, self.seconds + 600, look), "the workload did not end")

    def settle(self, run, agents):
        """The whole list of stages is asked for every 30 s; then each agent's totals are the driver's own. Returns those."""
        rest = run.rest()
        def settled():
            nonlocal rest
            rest = run.rest()
            for agent in agents:
                agent.read()
            return all(same(agent.total(run.app_id, name), self.own(agent.source, rest[name]))
                       for agent in agents if not self.forgets(agent.source) for name in SOURCES[agent.source])
        until("totals are those of the driver's REST interface", settled, 120)
        return rest

    @staticmethod
    def own(source, pair):
        """What the driver's own REST says where this source looks: stages, or rows of executors."""
        return pair[1] if source.startswith("spark_executors") else pair[0]

    def forgets(self, source):
        """Of a killed executor the page loses the row at once, and with it what was done since the agent's last look."""
        return self.workload == KILLED and source == "spark_executors_page"

    def compare(self, app_id, agents, rest, log, second):
        """Equal to the event log; where tasks or an executor were killed, to the log or to the driver's own REST.

        Those two differ then. The log has the metrics of a task from its end event, and a task that dies with its executor ends without
        any. The driver's stages keep what the last heartbeat told of it (bytes, records, GC and fetch wait of a task that never ended). Of
        a killed task it is the log that may have more, the time it ran. Executors' rows do not count a failure when the row was closed
        first. All are Spark's own words; flintgauge tells the driver's.
        """
        # The end of a streaming query cancels the batch under way; its tasks may end after their stage.
        may_differ = self.workload in (KILLED, "streaming") or second["truth"]["tasks_killed"] > 0
        for agent in agents:
            names, totals = SOURCES[agent.source], {}
            for name in names:
                totals[name] = (agent.total(app_id, name), self.own(agent.source, rest[name]), log[name])
            off_rest = {name for name, (told, own, _) in totals.items() if not same(told, own)}
            off_log = {name for name, (told, _, true) in totals.items() if not same(told, true)}
            self.rows.append((self.version, self.workload, agent.source, len(names), off_log, off_rest, len(agent.falls)))
            for name in sorted(off_rest | off_log):
                told, own, true = totals[name]
                print(f"  {self.version} {self.workload} {agent.source} {name}: told {told}, driver's REST {own}, event log {true}",
                      f"({second['truth']['tasks_killed']} tasks killed)", flush=True)
            self.expect(not agent.falls, f"{agent.source}: a total fell: {agent.falls[:3]}")
            if self.forgets(agent.source):
                more = [name for name, (told, own, _) in totals.items() if told is None or told > own * (1 + 1e-9)]
                self.expect(not more, f"{agent.source}: more than the driver ever told: {more}")
            else:
                good = not off_log or (may_differ and not off_rest)
                self.expect(good, f"{agent.source}: {sorted(off_log)} are not the event log's")

    def check_goodbye(self, agent, app_id, before):
        """The driver is gone, its pod still in the list: one line says so."""
        errors = agent.errors()
        ended = until("each of its pages was asked", lambda: all(agent.errors()[page] > errors[page] for page in ASKED_OFTEN), 120, agent.read)
        every = agent.lines("target down", app_id)
        self.expect(ended and every and len(every) <= before + 1, f"{len(every) - before} lines for one driver that ended:\n" + "\n".join(every))


def table(title, head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def yes(off, names):
    return "equal" if not off else f"{len(off)} of {names} not"


def explain(plays):
    """Ten hints of each run, by chance, worked out again from their JSON alone."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"hints are chosen with the seed {seed}")
    chance, wrong, rows = random.Random(seed), [], []
    for play in plays:
        told = chance.sample(play.hints, min(10, len(play.hints)))
        off = [line for hint in told for line in recompute_hints.check(hint)]
        wrong += off
        rows.append((play.version, play.workload, len(told), len(off)))
        for line in off[:5]:
            print(f"FAILED: {play.version} {play.workload}: recompute_hints: {line}")
    if rows:
        table("?explain=1 worked out again by tests/tools/recompute_hints.py", ("version", "workload", "hints", "differences"), rows)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="append", help=f"version of Spark; may be repeated (default: {' '.join(VERSIONS)})")
    parser.add_argument("--workload", action="append", choices=[*WORKLOADS, LOAD], help="may be repeated (default: all)")
    parser.add_argument("--seconds", type=int, default=50, help="how long each workload works; causes are watched for 40 s (default 50)")
    options = parser.parse_args()
    workloads, port, plays, loads = options.workload or [*WORKLOADS, LOAD], lasting_port(), [], []
    with tempfile.TemporaryDirectory(prefix="flintgauge-e2e-") as folder, spark_panels.Panels(pathlib.Path(folder), port) as panels:
        for version in options.version or VERSIONS:
            for workload in workloads:
                print(f"==> {workload} on Spark {version}", flush=True)
                if workload == LOAD:
                    loads += spark_load.measure(version)
                    continue
                plays.append(Play(version, workload, options.seconds, port))
                plays[-1].run(panels)
        wrong = [f"{play.version} {play.workload}: {line}" for play in plays for line in play.wrong]
        table("Totals", ("version", "workload", "source", "families", "event log", "driver's REST", "falls"),
              [(*row[:4], yes(row[4], row[3]), yes(row[5], row[3]), row[6]) for play in plays for row in play.rows])
        table("Causes", spark_causes.HEAD, [(play.version, play.workload, *play.causes.row(play.workload)) for play in plays])
        wrong += explain(plays) + panels.report(set(WORKLOADS) <= set(workloads)) + spark_load.report(loads, table)
    print(f"\n{len(FAMILIES)} families, {len(plays)} runs: {'all good' if not wrong else f'{len(wrong)} FAILED'}")
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    sys.exit(main())
