#!/usr/bin/env python3
"""Run by tests/e2e/spark: for each version and workload a real Spark, read by an agent with every source and by one for each source alone.

  spark_test.py [--version 4.3.0]... [--workload wordcount]... [--seconds 50]      all of both unless named

What each agent tells at the end is compared with the driver's own REST interface, read before it ends, and with the event log that Spark
leaves: counts, bytes and times, exactly. What a source cannot tell (docs/metrics.md, spark_sources.py) must be absent, not zero. No total
may ever fall. Pushes are those of Spark's own sinks. The tables at the end: what equals what; the cause named for workloads whose cause is
known; streaming statistics; the driver's size; hints worked out again from their JSON; panels of dashboards/application.json that had
data; what the agent costs an idle driver.
"""
import argparse
import pathlib
import random
import signal
import sys
import tempfile
import time

import spark_causes
import spark_driver_hint
import spark_dstream
import spark_load
import spark_panels
import spark_pushes
import spark_run
from spark_run import Agent, SparkRun, cpu_seconds, lasting_port, until
from spark_sources import EACH, MOVING, SOURCES, TASKS, Moving, families_of

sys.path.append(str(spark_run.ROOT / "tests/tools"))
import recompute_hints  # noqa: E402
import spark_node  # noqa: E402

VERSIONS = ("4.3.0", "3.5.9")
KILLED = "killed"  # the workload shuffle, and an executor dies on the way
WORKLOADS = ("wordcount", "skew", "spill", "shuffle", "streaming", "failing", "cached", "idle", KILLED, "gc", "tiny", "slots",
             spark_dstream.WORKLOAD)
LOAD = "load"
ASKED_OFTEN = {"spark_stages", "spark_executors", "spark_metrics_json"}
MORE = {KILLED: ("--kill-executor-at", "10"), "skew": ("--rows", "12000000")}  # a long task of seconds, on a quick machine too


def same(a, b):
    return a is not None and b is not None and abs(a - b) <= 1e-9 * max(1.0, abs(b))


class Play:
    """One run of one workload."""

    def __init__(self, version, workload, seconds, port, without):
        self.version, self.workload, self.seconds, self.port = version, workload, seconds, port
        self.sources = [name for name in SOURCES if name not in without and (name != "spark_streaming" or workload == spark_dstream.WORKLOAD)]
        self.wrong, self.rows, self.hints, self.driver_hints, self.batches = [], [], [], None, None
        self.causes, self.moving = spark_causes.Watch(), Moving()

    def expect(self, good, what):
        if not good:
            self.wrong.append(what)
            print(f"FAILED: {self.version} {self.workload}: {what}", flush=True)

    def run(self, panels):
        network = spark_pushes.Network(SparkRun.address_of)
        sinks = ["prometheus", *network.sinks, *(["jmx"] if "spark_jmx" in self.sources else [])]
        run = SparkRun(self.version, "shuffle" if self.workload == KILLED else self.workload, self.seconds, *MORE.get(self.workload, ()), sinks=sinks)
        node = spark_node.Node()
        run.show(node)
        agents = [Agent(node, source, self.port if source == "all" else None) for source in self.sources]
        network.graphite_to = [agent.pushes["graphite"] for agent in agents if "graphite" in agent.pushes]
        network.statsd_to = [agent.pushes["statsd"] for agent in agents if "statsd" in agent.pushes]
        try:
            self.watch(run, node, agents)
            panels.look(run.app_id)  # while a stream's rates are fresh
            rest = self.settle(run, agents)
            spark_driver_hint.check(self, self.hints, agents[0], run.app_id, until)
            panels.look(run.app_id)
            before = len(agents[0].lines("target down", run.app_id))  # a busy machine may have been too slow for a page
            log, second = run.end(rest)
            if rest.lost and self.workload != KILLED:
                print(f"  {self.version} {self.workload}: executors lost: {[rest.rows[number].get('removeReason') for number in sorted(rest.lost)]}")
            node.pods = [run.driver_pod]  # Spark deletes its executors' pods
            self.compare(run.app_id, agents, rest, log)
            self.compare_each(run.app_id, next((agent for agent in agents if agent.source == "spark_executors"), None), rest, log)
            self.check_goodbye(agents[0], run.app_id, before)
            if self.workload == KILLED:
                self.expect("killed_executor" in second, "no executor was killed")
            missed = self.causes.misses(self.workload) if self.seconds >= spark_causes.LONG_ENOUGH else None
            self.expect(missed is None, f"the cause {missed} was not named")
        finally:
            run.kill()
            codes = [agent.stop() for agent in agents]
            network.close()
        self.expect(codes == [0] * len(codes), f"the agents ended with {codes}")

    def watch(self, run, node, agents):
        """Reads all pages every second while Spark works."""
        self.batches = spark_dstream.Watch(run) if self.workload == spark_dstream.WORKLOAD else None

        def look():
            run.show(node)
            for agent in agents:
                if agent.process.poll() is not None:
                    raise AssertionError(f"agent {agent.source} ended, see {agent.log}")
                try:
                    agent.read()
                except OSError:
                    continue  # it has only just begun
            self.note_driver(run)
            self.causes.add(agents[0].page, run.app_id)
            if self.batches is not None:
                self.batches.look(agents)
            self.note_hint(run, agents[0])
        try:
            self.expect(until("the passes are over", run.worked, self.seconds + 600, look), "the workload did not end")
        finally:
            if self.batches is not None:
                self.batches.end(self.expect)

    def note_hint(self, run, agent):
        hint = agent.hint(run.app_id)
        if hint is not None:
            self.hints.append((time.monotonic() - agent.began, hint))

    def note_driver(self, run):
        (row,) = [row for row in run.ask("allexecutors") if row["id"] == "driver"]
        self.moving.add(row["totalGCTime"] / 1e3, cpu_seconds(*run.pids("driver")))

    def settle(self, run, agents):
        """The whole list of stages is asked for every 30 s; then each agent's totals are the driver's own. Returns those."""
        rest, began = run.rest(), time.monotonic()

        def is_settled(agent):
            totals = agent.totals(run.app_id)
            own = {name: rest.own(agent.of.view, name) for name in families_of(agent.source, self.version) if name not in MOVING}
            rested = time.monotonic() - began >= agent.of.lag or None not in [value for name, value in own.items() if name in TASKS]
            return rested and all(same(totals.get(name), value) for name, value in own.items() if value is not None)

        def settled():
            nonlocal rest
            rest = run.rest()
            for agent in agents:
                agent.read()
            self.note_driver(run)
            self.note_hint(run, agents[0])
            if self.workload == "idle":  # on a slow machine its one job at the start lasts
                self.causes.add(agents[0].page, run.app_id)
            return all(is_settled(agent) for agent in agents if not self.forgets(agent, rest))
        until("totals are those of the driver's REST interface", settled, 150)
        return rest

    @staticmethod
    def forgets(agent, rest):
        """Of a lost executor the page loses the row at once, its registry dies, and with it what was done since the agent's last look."""
        return agent.of.forgets and bool(rest.lost)

    def may_differ(self, log):
        """Event log and REST of the same driver.

        Those two differ where tasks or an executor were killed. The log has the metrics of a task from its end event, and a task that dies
        with its executor ends without any. The driver's stages keep what the last heartbeat told of it (bytes, records, GC and fetch wait
        of a task that never ended). Of a killed task it is the log that may have more, the time it ran. Executors' rows do not count a
        failure when the row was closed first. All are Spark's own words; flintgauge tells the driver's. The end of a streaming query
        cancels the batch under way; its tasks may end after their stage. So may killed tasks, which the registry then does not count.
        """
        return bool(log.rest.lost) or self.workload in (KILLED, "streaming", spark_dstream.WORKLOAD) or log.truth["tasks_killed"] > 0

    def compare(self, app_id, agents, rest, log):
        """Equal to the event log; where that and REST differ by themselves, to the log or to the driver's own REST."""
        for agent in agents:
            of, told, families = agent.of, agent.totals(app_id), families_of(agent.source, self.version)
            self.expect(set(told) == set(families), f"{agent.source}: told or not told against docs: {sorted(set(told) ^ set(families))}")
            self.expect(not agent.falls, f"{agent.source}: a total fell: {agent.falls[:3]}")
            values = {name: (told.get(name), rest.own(of.view, name), log.true(of.view, name)) for name in families if name not in MOVING}
            moving = {name: self.moving.holds(name, told.get(name), of.lag) for name in families if name in MOVING}
            for name, (good, least, most) in moving.items():
                self.expect(good, f"{agent.source}: {name} {told.get(name)}, the driver's was {least:.3f} to {most:.3f}")
            bounds = {name: (log.least(of.view, name), max(log.true(of.view, name), values[name][1] or 0)) for name in values if name in TASKS} \
                if self.forgets(agent, rest) else {}
            for name, (least, most) in bounds.items():
                value = told.get(name)
                self.expect(value is not None and least * (1 - 1e-9) <= value <= most * (1 + 1e-9),
                            f"{agent.source}: {name} {value}, living executors did {least}, all {most}")
            self.judge(agent.source, values, log, set(bounds), moving, len(agent.falls))

    def compare_each(self, app_id, agent, rest, log):
        """Series of each living executor. Not from all sources: with the default series.app they would leave no room for streaming queries."""
        if agent is None:
            return
        told, values = agent.each(app_id), {}
        for number, row in rest.rows.items():
            if row["isActive"]:
                for name, (_, unit, field) in EACH.items():
                    values[number, name] = (told.pop((number, name), None), row[field] / unit, log.of_executor(number, name))
        self.expect(not told, f"each executor: told of {sorted(told)}, which do not live")
        self.judge("each executor's own", values, log, set(), {}, 0)

    def judge(self, source, values, log, lost, moving, falls):
        """`lost`: names that were judged otherwise."""
        rest_knows = {name for name, (_, own, _) in values.items() if own is not None}
        log_knows = {name for name, (_, _, true) in values.items() if true is not None}
        off_rest = {name for name in rest_knows if not same(values[name][0], values[name][1])}
        off_log = {name for name in log_knows if not same(values[name][0], values[name][2])}
        for name in sorted(off_rest | off_log):
            told, own, true = values[name]
            print(f"  {self.version} {self.workload} {source} {name}: told {told}, driver's REST {own}, event log {true}",
                  f"({log.truth['tasks_failed']} tasks failed, {log.truth['tasks_killed']} killed)", flush=True)
        if "executors_lost" in off_rest | off_log:
            print(f"  by the log added {log.truth['executors_added']}, removed {log.truth['executors_removed']}; REST has {sorted(log.rest.rows)}, "
                  f"lost {sorted(log.rest.lost)}", flush=True)
        agreed = rest_knows - off_rest
        wrong = {name for name in off_log - lost if not (self.may_differ(log) and name in agreed)}
        wrong |= {name for name in off_rest - lost if name not in log_knows - off_log}
        self.expect(not wrong, f"{source}: {sorted(wrong)} are not Spark's")
        off_moving = {name for name, row in moving.items() if not row[0]}
        self.rows.append((self.version, self.workload, source, len(values) + len(moving), yes(off_log, log_knows),
                          yes(off_rest | off_moving, rest_knows | set(moving)), falls))

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


def yes(off, known):
    return "-" if not known else f"{len(known)} equal" if not off else f"{len(off)} of {len(known)} not"


def explain(plays):
    """Ten hints of each run, by chance, worked out again from their JSON alone."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"hints are chosen with the seed {seed}")
    chance, wrong, rows = random.Random(seed), [], []
    for play in plays:
        told = [hint for _, hint in chance.sample(play.hints, min(10, len(play.hints)))]
        off = [line for hint in told for line in recompute_hints.check(hint)]
        wrong += off
        rows.append((play.version, play.workload, len(told), sum(bool((hint.get("vertical") or {}).get("driver")) for hint in told), len(off)))
        for line in off[:5]:
            print(f"FAILED: {play.version} {play.workload}: recompute_hints: {line}")
    if rows:
        table("?explain=1 worked out again by tests/tools/recompute_hints.py", ("version", "workload", "hints", "with a driver", "differences"), rows)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="append", help=f"version of Spark; may be repeated (default: {' '.join(VERSIONS)})")
    parser.add_argument("--workload", action="append", choices=[*WORKLOADS, LOAD], help="may be repeated (default: all)")
    parser.add_argument("--seconds", type=int, default=50, help="how long each workload works; causes are watched for 40 s (default 50)")
    parser.add_argument("--without", action="append", default=[], choices=[name for name in SOURCES if name != "all"],
                        help="leave out an agent of one source; without spark_jmx, which is asked once a minute, a run is a minute shorter")
    options = parser.parse_args()
    workloads, port, plays, loads = options.workload or [*WORKLOADS, LOAD], lasting_port(), [], []
    with tempfile.TemporaryDirectory(prefix="flintgauge-e2e-") as folder, spark_panels.Panels(pathlib.Path(folder), port) as panels:
        for version in options.version or VERSIONS:
            for workload in workloads:
                print(f"==> {workload} on Spark {version}", flush=True)
                if workload == LOAD:
                    loads += spark_load.measure(version)
                    continue
                plays.append(Play(version, workload, options.seconds, port, options.without))
                plays[-1].run(panels)
        wrong = [f"{play.version} {play.workload}: {line}" for play in plays for line in play.wrong]
        table("Totals", ("version", "workload", "source", "families", "event log", "driver's REST", "falls"),
              [row for play in plays for row in play.rows])
        table("Causes", spark_causes.HEAD, [(play.version, play.workload, *play.causes.row(play.workload)) for play in plays])
        if rows := [row for play in plays if play.batches for row in play.batches.rows]:
            table("DStreams: batches as the driver's /streaming/statistics and registry have them", spark_dstream.HEAD, rows)
        if rows := [(play.version, play.workload, *play.driver_hints) for play in plays if play.driver_hints]:
            table("The driver's size", spark_driver_hint.HEAD, rows)
        wrong += explain(plays) + panels.report(set(WORKLOADS) <= set(workloads)) + spark_load.report(loads, table)
    print(f"\n{len(SOURCES['all'].families)} families, {len(plays)} runs: {'all good' if not wrong else f'{len(wrong)} FAILED'}")
    for line in wrong:
        print("FAILED: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends too
    sys.exit(main())
