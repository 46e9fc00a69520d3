"""DStreams: what the agent tells of their batches are the driver's own words, from /streaming/statistics and from its registry.

Spark 3.5.9 loses the executor of the receiver when the context stops: exit code 50, SocketReceiver restarts while it is stopped. The
totals then are those of a run in which an executor was lost.
"""
import contextlib
import threading
import time

import spark_node

WORKLOAD = "dstream"
PREFIX = "flintgauge_spark_streaming_"
QUERY = (("namespace", spark_node.NAMESPACE), ("query", "__dstreams__"))
# Family without prefix: (field of /streaming/statistics, end of the registry's name, how many are one unit).
FAMILIES = {"input_rows_per_second": ("avgInputRate", None, 1), "batch_seconds": ("avgProcessingTime", "lastCompletedBatch_processingDelay", 1e3),
            "lag_seconds": ("avgSchedulingDelay", "lastCompletedBatch_schedulingDelay", 1e3)}
HEAD = ("version", "source", "family", "values told", "the driver's own", "least", "most")


class Watch:
    """Asks the driver itself five times a second: each of the numbers stands for a batch of two seconds, and the agent tells one for half a minute."""

    def __init__(self, run):
        self.run, self.over = run, threading.Event()
        self.own = {source: {name: set() for name in FAMILIES} for source in ("spark_streaming", "spark_metrics_json")}
        self.told, self.rows = {}, []
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        while not self.over.wait(0.2):
            with contextlib.suppress(OSError, KeyError):  # not there before the first batch, gone with the context
                self.note()

    def note(self):
        statistics = self.run.ask("streaming/statistics")
        gauges = {name.rsplit(".", 1)[1]: row.get("value") for name, row in self.run.ask("")["gauges"].items() if ".StreamingMetrics." in name}
        for name, (field, gauge, unit) in FAMILIES.items():
            if field in statistics:
                self.own["spark_streaming"][name].add(statistics[field] / unit)
            if gauge in gauges:
                self.own["spark_metrics_json"][name].add(gauges[gauge] / unit)

    def look(self, agents):
        for agent in agents:
            for name in FAMILIES:
                value = agent.page.get((f"{PREFIX}{name}", (("app_id", self.run.app_id), *QUERY)))
                if value is not None:
                    self.told.setdefault((agent.source, name), set()).add(value)

    def end(self, expect):
        """Each number that an agent told was the driver's; both sources told all that they can."""
        self.over.set()
        self.thread.join()
        for (source, name), told in sorted(self.told.items()):
            own = [value for which, families in self.own.items() if source in (which, "all") for value in families[name]]
            off = [value for value in told if not any(abs(value - one) <= 1e-9 * max(1, abs(one)) for one in own)]
            expect(not off, f"{source}: streaming {name}: {off[:5]} were never the driver's, of {len(own)} different values")
            self.rows.append((self.run.version, source, name, len(told), "all" if not off else f"{len(told) - len(off)} of {len(told)}",
                              f"{min(told):.3f}", f"{max(told):.3f}"))
        due = {("spark_streaming", name) for name in FAMILIES} | {("spark_metrics_json", name) for name, row in FAMILIES.items() if row[1]}
        due |= {("all", name) for name in FAMILIES}
        told = set(self.told)
        told_by_driver = {f"{which} {name}": len(values) for which, names in self.own.items() for name, values in names.items()}
        expect(told == due, f"streaming: not told {sorted(due - told)}, told too much {sorted(told - due)}; the driver told {told_by_driver}")
        rates = self.told.get(("spark_streaming", "input_rows_per_second"), {0})
        expect(max(rates) > 0, "streaming: the driver never said that a record came")
