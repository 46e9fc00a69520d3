"""Every total of a Spark application: where the event log and the driver's own REST tell it, and which source can tell it to the agent.

Not compared, and why:
  executorDeserializeCpuTime, resultSerializationTime: no family publishes them.
  driver_gc_seconds, driver_cpu_seconds are in no event log; the first is held against the driver's row of REST, the second against
  /proc, both as they were at some moment between the agent's last reading and now (Moving).
  listener_bus_dropped_events is in neither: held against the driver's own /metrics/json/; so is tasks_killed where only a registry tells it,
  which does not count tasks that end after their stage.
  Disagreements that are Spark's own, and what is expected instead: Rest.own (failed and killed tasks), has_result_sizes (3.5 and before),
  Play.may_differ in spark_test.py (killed executors).
"""
import dataclasses
import time

# Family without "flintgauge_spark_" and "_total": the event log's name in tests/tools/run_spark, how many of it are one unit (in REST
# too), the field of a stage, and that of an executor's row where it has one.
TASKS = {
    "tasks_completed": ("tasks_completed", 1, "numCompleteTasks", "completedTasks"),
    "tasks_failed": ("tasks_failed", 1, "numFailedTasks", "failedTasks"),
    "executor_run_seconds": ("run_ms", 1e3, "executorRunTime", None),
    "executor_cpu_seconds": ("cpu_ns", 1e9, "executorCpuTime", None),
    "gc_seconds": ("gc_ms", 1e3, "jvmGcTime", "totalGCTime"),
    "input_bytes": ("input_bytes", 1, "inputBytes", "totalInputBytes"),
    "input_records": ("input_records", 1, "inputRecords", None),
    "output_bytes": ("output_bytes", 1, "outputBytes", None),
    "output_records": ("output_records", 1, "outputRecords", None),
    "shuffle_read_bytes": ("shuffle_read_bytes", 1, "shuffleReadBytes", "totalShuffleRead"),
    "shuffle_read_records": ("shuffle_read_records", 1, "shuffleReadRecords", None),
    "shuffle_write_bytes": ("shuffle_write_bytes", 1, "shuffleWriteBytes", "totalShuffleWrite"),
    "shuffle_write_records": ("shuffle_write_records", 1, "shuffleWriteRecords", None),
    "shuffle_write_seconds": ("shuffle_write_ns", 1e9, "shuffleWriteTime", None),
    "shuffle_fetch_wait_seconds": ("fetch_wait_ms", 1e3, "shuffleFetchWaitTime", None),
    "memory_spilled_bytes": ("memory_spilled_bytes", 1, "memoryBytesSpilled", None),
    "disk_spilled_bytes": ("disk_spilled_bytes", 1, "diskBytesSpilled", None),
    "task_deserialize_seconds": ("deserialize_ms", 1e3, "executorDeserializeTime", None),
    "task_result_bytes": ("result_bytes", 1, "resultSize", None)}
BY_EXECUTOR = tuple(name for name, row in TASKS.items() if row[3])
OF_REGISTRY = tuple(name for name in TASKS if name != "tasks_failed")  # a registry has no counter of failed tasks
JOBS = ("jobs_succeeded", "jobs_failed")
STATUS = ("stages_completed", "stages_failed", "stages_skipped", "tasks_killed")
MOVING = ("driver_gc_seconds", "driver_cpu_seconds")
SINGLE = (*JOBS, *STATUS, *MOVING)                         # what a push of the driver has: a counter of its queues is none
REGISTRY = (*SINGLE, "listener_bus_dropped_events")
LOSSES = ("executors_lost", "executors_unseen")
# Families with executor_id (spark.per_executor): the event log's name, its unit, the field of a row.
EACH = {"tasks_completed": ("tasks_completed", 1, "completedTasks"), "tasks_failed": ("tasks_failed", 1, "failedTasks"),
        "task_seconds": ("duration_ms", 1e3, "totalDuration"), "gc_seconds": ("gc_ms", 1e3, "totalGCTime"),
        "input_bytes": ("input_bytes", 1, "totalInputBytes"), "shuffle_read_bytes": ("shuffle_read_bytes", 1, "totalShuffleRead"),
        "shuffle_write_bytes": ("shuffle_write_bytes", 1, "totalShuffleWrite")}


@dataclasses.dataclass(frozen=True)
class Source:
    """`collectors`: what the agent asks; None: everything. `view`: whose account it repeats, see Rest.own and Log.true."""
    families: tuple
    collectors: tuple | None
    view: str = "stages"
    pushes: tuple = ()
    lag: int = 5            # seconds that its last reading may be old
    forgets: bool = False   # an executor that dies takes with it what it did since the last reading


SOURCES = {
    "all": Source((*TASKS, *REGISTRY, *LOSSES), None, pushes=("graphite", "statsd"), lag=15),
    "spark_stages": Source((*TASKS, "tasks_killed"), ("spark_stages",)),
    "spark_executors": Source((*BY_EXECUTOR, *LOSSES), ("spark_executors",), "executors"),
    "spark_executors_page": Source(BY_EXECUTOR, ("spark_executors_page",), "executors", forgets=True),
    "spark_jobs": Source(JOBS, ("spark_jobs",), lag=70),
    "spark_metrics_json": Source(REGISTRY, ("spark_metrics_json",), "registries"),
    "spark_driver_page": Source(REGISTRY, ("spark_driver_page",), "registries"),
    "spark_jmx": Source((*OF_REGISTRY, *REGISTRY), ("spark_jmx",), "registries", lag=75, forgets=True),
    "push_graphite": Source((*OF_REGISTRY, *SINGLE), (), "registries", ("graphite",), 15, True),
    "push_statsd": Source((*OF_REGISTRY, *SINGLE), (), "registries", ("statsd",), 15, True),
    "spark_streaming": Source((), ("spark_streaming",))}  # no totals: spark_dstream looks at it
COLLECTORS = ("spark_stages", "spark_executors", "spark_executors_page", "spark_jobs", "spark_metrics_json", "spark_driver_page", "spark_jmx",
              "spark_streaming", "spark_connect", "spark_applications", "spark_environment")


def has_result_sizes(version):
    """In registries of executors. Before Spark 4 the driver fills them in after the executor has counted: 0 for ever."""
    return int(version.split(".")[0]) >= 4


def families_of(source, version):
    of = SOURCES[source]
    lacks = {"task_result_bytes"} if of.view == "registries" and not has_result_sizes(version) else set()
    return tuple(name for name in of.families if name not in lacks)


class Rest:
    """What a driver tells of itself, at one moment."""

    def __init__(self, ask, known_pods):
        """`ask(path)`: JSON of the application's REST interface; "" for that of /metrics/json/. `known_pods`: ids of executors."""
        self.at_ms = time.time() * 1e3
        self.rows = {row["id"]: row for row in ask("allexecutors")}
        self.driver_row = self.rows.pop("driver")
        stages, jobs = ask("stages"), ask("jobs")
        self.stages = {name: sum(row[field] for row in stages) / unit for name, (_, unit, field, _) in TASKS.items()}
        self.executors = {name: sum(row[field] for row in self.rows.values()) / unit for name, (_, unit, _, field) in TASKS.items() if field}
        def status(rows, word):
            return sum(row["status"] == word for row in rows)
        def counters(end):
            return sum(row["count"] for name, row in registry.items() if name.endswith(end))
        registry = ask("")["counters"]
        self.other = {
            "jobs_succeeded": status(jobs, "SUCCEEDED"), "jobs_failed": status(jobs, "FAILED"), "stages_completed": status(stages, "COMPLETE"),
            "stages_failed": status(stages, "FAILED"), "stages_skipped": status(stages, "SKIPPED"),
            "tasks_killed": sum(row["numKilledTasks"] for row in stages), "listener_bus_dropped_events": counters(".numDroppedEvents"),
            "executors_lost": sum(not row["isActive"] for row in self.rows.values()), "executors_unseen": len(known_pods - set(self.rows))}
        self.killed_in_registry = counters(".appStatus.tasks.killedTasks")
        self.is_smooth = not (self.stages["tasks_failed"] or any(row["numKilledTasks"] for row in stages))
        self.lost = {number for number, row in self.rows.items() if not row["isActive"]}

    def own(self, view, name):
        """In the family's unit; None where REST cannot tell it as the source does.

        A registry counts a task's figures when it has succeeded, REST those of failed and killed tasks too (Spark's Executor.scala).
        """
        if name == "tasks_killed" and view == "registries":
            return self.killed_in_registry
        if name not in TASKS:
            return self.other.get(name)
        if view == "registries":
            return self.stages[name] if self.is_smooth else None
        return self.executors[name] if view == "executors" else self.stages[name]


class Log:
    """What the event log tells, when all is over."""

    def __init__(self, truth, rest):
        self.truth, self.rest = truth, rest
        self.executors = truth["by_executor"]

    def true(self, view, name):
        if name in TASKS:
            key, unit = TASKS[name][:2]
            if view != "registries":
                return self.truth[key] / unit
            return sum(one["succeeded"][key] for one in self.executors.values()) / unit
        if name == "executors_lost":  # those that end with the application come after
            return sum(at <= self.rest.at_ms for at in self.truth["executors_removed_at"].values())
        return self.truth.get(name)

    def least(self, view, name):
        """What a source that forgets must tell all the same: the work of executors that were not lost."""
        if name not in TASKS:
            return self.true(view, name)
        key, unit = TASKS[name][:2]
        which = "succeeded" if view == "registries" else "all"
        return sum(one[which][key] for number, one in self.executors.items() if number not in self.rest.lost) / unit

    def of_executor(self, number, name):
        key, unit = EACH[name][:2]
        return self.executors[number]["all"][key] / unit if number in self.executors else 0


class Moving:
    """Counters of the driver that never rest, second by second."""

    def __init__(self):
        self.seen = []  # [(monotonic time, {family: value})]

    def add(self, gc_seconds, cpu_seconds):
        self.seen.append((time.monotonic(), {"driver_gc_seconds": gc_seconds, "driver_cpu_seconds": cpu_seconds}))

    def holds(self, name, told, lag):
        """Was it so within the last `lag` seconds, a heartbeat and a tick of /proc? Returns (whether, least, most)."""
        heartbeat, tick = 10, 0.05
        before = [row[name] for at, row in self.seen if at <= time.monotonic() - lag - heartbeat] or [self.seen[0][1][name]]
        least, most = before[-1] - tick, self.seen[-1][1][name] + tick
        return told is not None and least <= told <= most, least, most
