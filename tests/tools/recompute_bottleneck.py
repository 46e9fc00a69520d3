"""The bottleneck's part of recompute_hints.py: sections 3.1 and 3.2 of docs/hints.md."""
DESTROYS = ["oom", "failing_tasks", "quota"]
LACKS = ["scheduling", "max_executors", "slots"]
WORKS = ["cpu", "io_wait"]
KINDS = ["unknown", "unreliable_data", "oom", "failing_tasks", "idle", "driver", "skew", "parallelism", "gc", "spill",
         "shuffle_read", "shuffle_write", "cpu_limit", "small_tasks", "quota", "scheduling", "max_executors", "slots",
         "cpu", "io_wait"]


class Window:
    """Sections 3.1 and 3.2: finds {kind: (share, confidence)}."""

    def __init__(self, i):
        self.i, self.found = i, {}
        self.W, self.S, self.T = i["windowSeconds"], i["slots"], i["runSeconds"]
        read = self.plus("inputBytes", "shuffleReadBytes")
        self.figures = {
            "busy": self.busy(), "gc": self.of_run("gcSeconds"), "fetch": self.of_run("fetchWaitSeconds"),
            "write": self.of_run("shuffleWriteSeconds"), "cpu": self.of_run("cpuSeconds"),
            "throttled": self.part(i["cfsThrottledPeriods"], i["cfsPeriods"]),
            "failed": self.part(i["tasksFailed"], self.plus("tasksFailed", "tasksCompleted")),
            "spill": self.part(i["diskSpilledBytes"], None if read is None else max(1, read)),
            "skew": self.part(i["stageMaxSeconds"], i["stageMedianSeconds"]),
            "meanTaskSeconds": self.part(self.T, i["tasksCompleted"])}
        if self.W > 0:
            self.run()

    @staticmethod
    def part(a, b):
        return a / b if a is not None and b else None

    def plus(self, *names):
        known = [self.i[n] for n in names if self.i[n] is not None]
        return sum(known) if known else None

    def of_run(self, name):
        return self.part(self.i[name], self.T)

    def busy(self):
        busy = self.part(self.i["activeTasks"], self.S)
        if busy is None and self.W:
            busy = self.part(self.part(self.T, self.S), self.W)
        return None if busy is None else min(1, busy)

    def n(self, name):
        return self.i[name] or 0

    def note(self, kind, share, confidence):
        if confidence < 0.1:
            return
        self.found[kind] = (min(max(share, 0), 1), min(max(confidence, 0), 1))

    def run(self):
        i, f = self.i, self.figures
        ended = self.n("tasksCompleted") + self.n("tasksFailed")
        trust = min(1, ended / 30)
        backlog = i["backlogShare"] is not None and i["backlogShare"] >= 0.5
        no_backlog = i["backlogShare"] is not None and i["backlogShare"] < 0.5
        busy = 1 if f["busy"] is None else f["busy"]

        if self.n("droppedEvents") > 0:
            self.note("unreliable_data", 0, 1)
        killed = max(self.n("oomKills"), self.n("oomExecutors"))
        lost = max(killed, self.n("exitedExecutors"))
        if lost > 0:
            self.note("oom", lost / max(self.n("executors"), lost), 1 if killed > 0 else 0.5)
        if f["failed"] is not None and f["failed"] >= 0.1:
            self.note("failing_tasks", f["failed"], trust)
        if self.is_idle():
            return
        self.idle_slots(busy, no_backlog)
        for kind, figure, least, sure in (("gc", "gc", 0.1, 1), ("shuffle_read", "fetch", 0.2, 0.7),
                                          ("shuffle_write", "write", 0.2, 0.7), ("cpu_limit", "throttled", 0.25, 0.7)):
            if f[figure] is not None and f[figure] >= least:
                self.note(kind, min(1, f[figure]) * busy, sure * trust)
        if f["spill"] is not None and f["spill"] >= 0.1:
            self.note("spill", f["spill"] / (1 + f["spill"]) * busy, 0.7 * trust)
        self.small_tasks(busy, trust)
        self.missing(busy, backlog)
        self.work(busy, trust)

    def is_idle(self):
        i = self.i
        if any(self.n(x) > 0 for x in ("jobShare", "stageShare", "activeTasks", "runSeconds", "tasksCompleted")):
            return False
        if i["jobShare"] is None and i["stageShare"] is None:
            return False
        if i["jobShare"] is None and self.n("driverCpuCores") >= 0.8:
            self.note("driver", 1, 0.5)
        else:
            self.note("idle", 1, 0.7 if i["jobShare"] is None else 1)
        return True

    def idle_slots(self, busy, no_backlog):
        i, f = self.i, self.figures
        if f["busy"] is None or not no_backlog:
            return
        if self.n("jobShare") >= 0.5 and busy < 0.1 and self.n("idleShare") >= 0.5:
            self.note("driver", 1 - busy, 1 if self.n("driverCpuCores") >= 0.8 else 0.7)
            return
        if busy <= 0.9:
            if f["skew"] is not None and f["skew"] >= 10 and i["stageMaxSeconds"] >= 5:
                self.note("skew", 1 - busy, 1)
                return
            median = self.n("stageMedianSeconds")
            if median > 0 and self.n("tailSeconds") >= max(3 * median, 5):
                self.note("skew", 1 - busy, 0.7)
                return
        if busy < 0.25 and self.n("stageShare") >= 0.5 and self.S and 0 < self.n("stageTasks") < self.S:
            self.note("parallelism", 1 - busy, 1)

    def small_tasks(self, busy, trust):
        i, f = self.i, self.figures
        length = i["stageMedianSeconds"] if i["stageMedianSeconds"] is not None else f["meanTaskSeconds"]
        if length is None or length >= 0.5:
            return
        share = max(1 - busy, (self.of_run("deserializeSeconds") or 0) * busy)
        if max(self.n("stageTasks"), self.n("tasksCompleted")) > 5000:
            self.note("small_tasks", share, 1)
        elif i["stageSchedulerDelaySeconds"] is not None and i["stageSchedulerDelaySeconds"] > length:
            self.note("small_tasks", share, 0.7 * trust)

    def missing(self, busy, backlog):
        i, waiting = self.i, self.n("pendingTasks")
        if waiting <= 0:
            return
        share = waiting / (waiting + self.n("activeTasks"))
        short = self.n("shortfallSeconds") >= 30
        room = i["quotaHeadroomExecutors"]
        if room is not None and room < 1 and backlog:
            self.note("quota", share, 1)
        elif short and max(self.n("pendingPods"), self.n("clusterPendingPods")) > 0:
            self.note("scheduling", share, 1)
        elif short and room is None and i["pendingPods"] is not None:
            self.note("quota", share, 0.5 if i["clusterPendingPods"] is None else 0.7)
        elif backlog and (self.n("slots") <= 0 or busy > 0.9):
            if i["maxExecutors"] is not None and self.n("executors") >= i["maxExecutors"]:
                self.note("max_executors", share, 1)
            else:
                self.note("slots", share, 0.7)

    def work(self, busy, trust):
        f = self.figures
        if f["cpu"] is None or busy < 0.1:
            return
        if f["cpu"] >= 0.8:
            self.note("cpu", min(1, f["cpu"]) * busy, 0.7 * trust)
        elif f["cpu"] < 0.3 and None not in (f["gc"], f["fetch"], f["write"]):
            if f["gc"] < 0.1 and f["fetch"] < 0.2 and f["write"] < 0.2 and (f["spill"] or 0) < 0.1:
                self.note("io_wait", (1 - f["cpu"] - f["gc"] - f["fetch"] - f["write"]) * busy, 0.7 * trust)

    def ranking(self):
        def rank(kind):
            if kind == "unreliable_data":
                return 0
            return 1 if kind in DESTROYS else 3 if kind in LACKS else 4 if kind in WORKS else 2
        return sorted(self.found, key=lambda k: (rank(k), -self.found[k][0], KINDS.index(k)))
