"""The cause that the classifier names, second by second, beside the cause that a workload was made for."""
import time

import spark_node

WINDOW = 20  # seconds: hints.bottleneck_window of the agents
LONG_ENOUGH = 50  # seconds of work: two windows and the start
KNOWN = {"skew": "skew", "spill": "spill", "gc": "gc", "tiny": "small_tasks", "idle": "idle", "slots": "slots",
         "failing": "failing_tasks", "killed": "oom"}
HEAD = ("version", "workload", "made for", "named", "after s", "others within two windows", "all in order")


class Watch:
    def __init__(self):
        self.began, self.seen = None, []  # [(seconds since the first reading of the application, kind)]

    def add(self, page, app_id):
        kinds = [dict(labels)["kind"] for (name, labels), value in page.items()
                 if name == "flintgauge_app_bottleneck" and value == 1 and
                 ("app_id", app_id) in labels and ("namespace", spark_node.NAMESPACE) in labels]
        if not kinds:
            return
        self.began = self.began or time.monotonic()
        self.seen.append((time.monotonic() - self.began, kinds[0]))

    def named(self):
        """[(kind, when first)] in the order in which they were named, without "unknown"."""
        first = {}
        for at, kind in self.seen:
            if kind != "unknown":
                first.setdefault(kind, at)
        return sorted(first.items(), key=lambda entry: entry[1])

    def misses(self, workload):
        """What the workload was made for, when that was not named."""
        made_for = KNOWN.get(workload)
        return None if made_for in dict(self.named()) else made_for

    def row(self, workload):
        made_for, named = KNOWN.get(workload, "-"), self.named()
        at = dict(named).get(made_for)
        others = [kind for kind, when in named if kind != made_for and when <= 2 * WINDOW]
        runs = []
        for _, kind in self.seen:
            if not runs or runs[-1][0] != kind:
                runs.append([kind, 0])
            runs[-1][1] += 1
        return (made_for, "yes" if at is not None else "no" if made_for != "-" else "-", "-" if at is None else round(at),
                " ".join(others) or "-", " ".join(f"{kind}*{count}" for kind, count in runs))
