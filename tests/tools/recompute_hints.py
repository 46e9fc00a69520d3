#!/usr/bin/env python3
"""Does the sums of the hints again, from the JSON of ?explain=1 alone and the text of docs/hints.md.

  recompute_hints.py FILE...             answers of /api/v1/hints[/NAMESPACE[/APP_ID]]?explain=1, or "-"

Independent of the C++ code on purpose: it shares no constant and no table with it. Exit 1 names what differs.
"""
import json
import math
import sys

from recompute_bottleneck import Window


def horizontal(i):
    """Section 1.3: (terms, reason)."""
    E, X, B, R, P = i["executors"], i["executorPods"], i["busyExecutors"], i["runningTasks"], i["pendingTasks"]
    U, c, a, d = i["unschedulableSets"], i["tasksPerExecutor"], i["allocationRatio"], i["meanTaskSeconds"]
    T, S, low, high = i["drainTargetSeconds"], i["startupSeconds"], i["minExecutors"], i["maxExecutors"]
    parity = math.ceil((R + P) * a / c)
    if U > 0:
        parity = max(parity, E + math.ceil(U * a / c))
    N = i["maxNeededExecutors"]
    if N is not None and (N > 0 or R + P == 0):
        parity = N
    W, Te = P * d + R * d / 2, max(T, 2 * S)
    if R + P + U == 0:
        need, reason = 0, "idle"
    elif T == 0 or i["confidence"] < 0.3 or d == 0:
        need, reason = parity, "parity"
    else:
        if E > 0 and W <= E * c * S:
            need, reason = min(E, math.ceil(W / (c * Te))), "startup_bound"
        elif W > E * c * Te:
            need, reason = E + math.ceil((W - E * c * Te) / (c * (Te - S))), "backlog"
        else:
            need, reason = math.ceil(W / (c * Te)), "drain"
        if parity < need:
            need, reason = parity, "parity"
        if math.ceil(R / c) > need:
            need, reason = math.ceil(R / c), "busy_floor"
    raw = min(max(need, low), high)
    if raw < need:
        reason = "max"
    elif raw > need and reason != "idle":
        reason = "min"
    safe = raw
    if min(B, high) > raw:
        safe, reason = min(B, high), "busy_floor"
    rooms = [max(0, i[name]) for name in ("quotaHeadroomExecutors", "clusterHeadroomExecutors") if i[name] is not None]
    desired, H = safe, min(rooms, default=None)
    if H is not None and safe > X:
        desired = max(min(safe, X + H), low)
        if desired < safe:
            reason = "quota"
    terms = {"parity": parity, "workTaskSeconds": W, "effectiveTargetSeconds": Te, "need": need, "raw": raw,
             "safe": safe, "headroomExecutors": H, "desired": desired}
    return terms, reason


def by_rate(i, query):
    """Section 1.8: executors that a streaming query needs."""
    wanted, fast = i["executors"], query["processedRowsPerSecond"]
    if query["batchesBehind"] >= 3 and 0 < fast < query["inputRowsPerSecond"]:
        wanted = math.ceil(i["executors"] * query["inputRowsPerSecond"] / fast)
    return min(max(wanted, i["minExecutors"]), i["maxExecutors"])


MIB = 1 << 20


class Executor:
    """Section 2.3: parts {name: (target, lower, upper)}, reasons, cpu (target, lower, upper), terms."""

    def __init__(self, i, role="executor"):
        self.i, self.role = i, role
        self.confidence = min(1, i["runs"] / 5) * (1 if role == "driver" else min(1, i["executors"] / 10))
        self.parts, self.reasons, self.terms = {}, {}, {}
        if i["heapBytes"] > 0 and i["heapPeakBytes"]["p90"] > 0:
            self.memory()
        cpu = i["cpuCores"]
        self.cpu = [max(self.margin(cpu[p] * 1000), 25) / 1000 for p in ("p90", "p50", "p95")] if cpu["p90"] > 0 else None

    @staticmethod
    def up(size, mib):
        return math.ceil(size / (mib * MIB)) * mib * MIB

    @staticmethod
    def margin(amount):
        return math.trunc(amount) + math.trunc(math.trunc(amount) * 0.15)

    def region(self, unified):
        return unified / self.i["memoryFraction"] + 300 * MIB if unified > 0 else 0

    def beside(self, p):
        i = self.i
        return self.margin(i["nonHeapPeakBytes"][p] + (0 if i["pysparkBytes"] > 0 else i["pythonPeakBytes"][p]))

    def decide(self, now, need, mib, floor, may_grow, may_shrink):
        size, why = self.up(need, mib), "peaks"
        if size > now and not may_grow:
            size, why = now, "quiet"
        if size < now:
            trusted = self.confidence >= 0.6 and may_shrink
            least = min(now, self.up(now * 0.8, mib)) if trusted else now
            if least > size:
                size, why = least, "step" if trusted else "low_confidence"
        if floor > size:
            size, why = self.up(floor, mib), "oom"
        return size, why

    def heap(self):
        i = self.i
        peaks, region = self.margin(i["heapPeakBytes"]["p90"]), self.region(i["unifiedPeakBytes"]["p95"])
        self.terms |= {"heapNeedBytes": peaks, "unifiedNeedBytes": region}
        size, why = self.decide(i["heapBytes"], max(peaks, region), 256, i["heapFloorBytes"], i["heapPeakIsLive"], True)
        if i["gcRatio"] is not None and i["gcRatio"] > 0.1 and self.up(i["heapBytes"] * 1.2, 256) > size:
            size, why = self.up(i["heapBytes"] * 1.2, 256), "gc"
        self.reasons["heapReason"] = why
        return size

    def overhead(self):
        i, need = self.i, self.beside("p90")
        self.terms["overheadNeedBytes"] = need
        limit = i["heapBytes"] + i["overheadBytes"] + i["offheapBytes"] + i["pysparkBytes"]
        known, container = i["nonHeapPeakBytes"]["p90"] > 0, i["containerPeakBytes"]["p95"]
        size, why = self.decide(i["overheadBytes"], max(384 * MIB, need) if known else i["overheadBytes"], 64,
                                i["overheadFloorBytes"], known and (container == 0 or container > 0.9 * limit), container > 0)
        if not known and why != "oom":
            why = "setting"
        elif why == "peaks" and need < 384 * MIB:
            why = "least"
        self.reasons["overheadReason"] = why
        return size

    def pyspark(self):
        i = self.i
        used = i["pysparkBytes"] > 0
        self.terms["pysparkNeedBytes"] = self.margin(i["pythonPeakBytes"]["p90"]) if used else 0
        if not used or i["pythonPeakBytes"]["p90"] == 0:
            return i["pysparkBytes"]
        return self.decide(i["pysparkBytes"], self.terms["pysparkNeedBytes"], 64, 0, True, True)[0]

    def bound(self, p):
        i = self.i
        python = i["pythonPeakBytes"][p]
        return {"heap": self.up(max(self.margin(i["heapPeakBytes"][p]), self.region(i["unifiedPeakBytes"][p]), i["heapFloorBytes"]), 256),
                "overhead": self.up(max(384 * MIB, self.beside(p), i["overheadFloorBytes"]), 64),
                "offheap": i["offheapBytes"],
                "pyspark": self.up(self.margin(python), 64) if i["pysparkBytes"] > 0 and python > 0 else i["pysparkBytes"]}

    def memory(self):
        target = {"heap": self.heap(), "overhead": self.overhead(), "offheap": self.i["offheapBytes"], "pyspark": self.pyspark()}
        low, high = self.bound("p50"), self.bound("p95")
        self.parts = {n: (size, min(low[n], size), max(high[n], size)) for n, size in target.items()}
        self.parts["total"] = tuple(sum(part[k] for part in self.parts.values()) for k in range(3))

    def lines(self):
        def size(value):
            mib = math.ceil(value / MIB)
            return f"{mib // 1024}g" if mib % 1024 == 0 else f"{mib}m"
        out = []
        if self.parts:
            out += [f"spark.{self.role}.memory=" + size(self.parts["heap"][0]),
                    f"spark.{self.role}.memoryOverhead=" + size(self.parts["overhead"][0])]
            if self.i["pysparkBytes"] > 0:
                out.append("spark.executor.pyspark.memory=" + size(self.parts["pyspark"][0]))
        if self.cpu:
            out.append(f"spark.kubernetes.{self.role}.request.cores={round(self.cpu[0] * 1000)}m")
        return out


def sideways(i):
    """Section 5: (members, shape), of this node by itself."""
    need = {"cpu": i["executor"]["cpuCores"], "memory": i["executor"]["memoryBytes"]}

    def left(part):
        return {"cpu": max(0, i["capacity"]["cpuCores"] - i[part]["cpuCores"]),
                "memory": max(0, i["capacity"]["memoryBytes"] - i[part]["memoryBytes"])}

    def fit(room):
        return min(math.floor(room[r] / n + 1e-9) for r, n in need.items() if n > 0)

    def lacks(room):
        short = {r: (n - room[r]) / n for r, n in need.items() if n > room[r]}
        worst = max(short, key=lambda r: (short[r], r == "cpu"), default=None)
        return worst, None if worst is None else need[worst] - room[worst]

    empty, unused = left("daemonsets"), left("requested")
    each, free = fit(empty), fit(unused)
    code = "fits" if free >= 1 else "no_free_node" if each >= 1 else "never_fits"
    resource, gap = (None, None) if free >= 1 else lacks(unused if each >= 1 else empty)
    count = max(1, each)
    memory = math.floor(empty["memory"] / count / MIB) * MIB
    factor, heap = i["overheadFactor"], None
    if factor is not None:
        rest = max(0, memory - 384 * MIB)
        heap = rest if factor * rest <= 384 * MIB else math.floor(memory / (1 + factor) / MIB) * MIB
    again = {"code": code, "resource": resource, "gap": gap, "executorsPerNode": each, "freeExecutors": free}
    for name, r in (("wasteCpu", "cpu"), ("wasteMemory", "memory")):
        again[name] = min(1, max(0, 1 - each * need[r] / empty[r])) if empty[r] > 0 else 1
    shape = {"cores": math.floor(empty["cpu"] / count + 1e-9), "memoryBytes": memory, "heapBytes": heap,
             "executorsPerNode": count}
    return again, shape


def beside(told, expect):
    """Sections 1.5, 1.7 and 1.8: confidence, the stable number, the waste, and what is derived from E, B and W."""
    seen, i = told["confidenceInputs"], told["inputs"]
    k = min(1, seen["completedTasks"] / 30) * min(1, seen["observedSeconds"] / 60)
    expect("confidence of the formula", i["confidence"], k)
    expect("confidence", told["confidence"], k * max(0, 1 - seen["ageSeconds"] / seen["maxAgeSeconds"]))
    window = [point["desired"] for point in told["stableWindow"] if point["ageSeconds"] <= 305]
    expect("stable", told["desiredStable"], max(window + [told["desired"]]))
    expect("points of the window", len(window), len(told["stableWindow"]))
    waste = told["waste"]
    expect("waste", told["wastedCoreSeconds"], waste["beforeCoreSeconds"] + waste["idleCores"] * waste["seconds"])
    expect("idle", told["idleExecutors"], i["executors"] - i["busyExecutors"])
    slots = i["tasksPerExecutor"] * max(i["executors"], 1)
    expect("backlog", told["backlogSeconds"], (i["pendingTasks"] + i["runningTasks"] / 2) * i["meanTaskSeconds"] / slots)
    expect("unmet", told["unmet"], told["terms"]["safe"] - told["terms"]["desired"])


def quota(told, expect):
    """Section 4.3."""
    i, E, H = told["inputs"], told["current"], told["headroomExecutors"]
    target, step = i["targetExecutors"] or 0, i["executorsToAdd"]
    following = max(target, 0 if step is None else E) + (step or 0)
    if i["maxNeeded"] is not None:
        following = min(following, max(target, i["maxNeeded"]))
    if i["maxExecutors"] is not None:
        following = min(following, i["maxExecutors"])
    pods = max(i["executorPods"], E)
    short = i["targetExecutors"] is not None and target > E and (i["shortfallSeconds"] or 0) >= i["startupSeconds"]
    if H is not None:
        starved = H < 1 and target > i["executorPods"]
        pressure = "starved" if starved else "next_step" if following - pods > H else "none"
    else:
        pressure = "suspected" if short and i["pendingPods"] == 0 else "unknown"
    sure = {"starved": 1, "next_step": 1, "suspected": 0.5}.get(pressure, 0)
    expect("quota pressure", told["pressure"], pressure)
    expect("quota next target", told["nextTarget"], following)
    expect("quota confidence", told["confidence"], sure)
    expect("quota maximum", told["settings"]["spark.dynamicAllocation.maxExecutors"], max(1, pods + (H or 0)) if sure else None)
    expect("quota failures", told["settings"]["spark.executor.maxNumFailures"], 1000000 if sure else None)


def pool(told, hints, expect):
    """Section 1.8: workers of a standalone cluster, from the hints of its applications in the same answer."""
    own = [hint for hint in hints if hint["namespace"] == told["namespace"] and hint["appId"].startswith("app-") and "desired" in hint]
    name, cores = f"pool {told['cluster']}", 0
    expect(f"{name} applications", [app["appId"] for app in told["applications"]], [hint["appId"] for hint in own])
    for app, hint in zip(told["applications"], own):
        wanted, each = max(hint["desired"], hint["byRate"] or 0), hint["waste"]["executorCores"]
        expect(f"{name} desired of {app['appId']}", app["desired"], wanted)
        expect(f"{name} cores of {app['appId']}", app["executorCores"], each)
        cores += wanted * each
    expect(f"{name} cores", told["terms"]["demandCores"], cores)
    expect(f"{name} desired", told["desired"], math.ceil(cores / told["coresPerWorker"]))


def near(a, b):
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def check_vertical(told, expect, role="executor"):
    again = Executor(told["inputs"], role)
    expect("vertical confidence", told["confidence"], again.confidence)
    for name, value in again.terms.items():
        expect(f"vertical {name}", told["terms"][name], value)
    if role == "executor":
        slots = told["slotInputs"]
        known = slots["slotSeconds"] is not None
        expect("slot efficiency", told["slotEfficiency"], slots["taskCpuSeconds"] / slots["slotSeconds"] if known else None)
    expect("vertical settings", told["settings"], again.lines())
    expect("vertical has memory", told["memoryBytes"] is not None, bool(again.parts))
    expect("vertical has cpu", told["cpuCores"] is not None, again.cpu is not None)
    for k, which in enumerate(("target", "lower", "upper")):
        for name, sizes in again.parts.items():
            expect(f"vertical {which} {name}", told["memoryBytes"][which][name], sizes[k])
        if again.cpu is not None:
            expect(f"vertical {which} cpu", told["cpuCores"][which], again.cpu[k])
    for name, why in again.reasons.items():
        expect(f"vertical {name}", told["memoryBytes"][name], why)


def comparison():
    """(what differs, as lines; the function that compares)."""
    wrong = []

    def expect(what, told, again):
        same = near(told, again) if isinstance(again, (int, float)) or again is None else told == again
        if not same:
            wrong.append(f"{what}: told {told}, again {again}")

    return wrong, expect


def check_answer(answer):
    """What differs in an answer of one application, of a namespace or of the whole node, as lines."""
    wrong, expect = comparison()
    for one in answer.get("pools", []):
        pool(one, answer["hints"], expect)
    for hint in [answer, *answer.get("hints", [])]:
        wrong += [f"{hint.get('namespace')}/{hint.get('appId')}: {line}" for line in check(hint)]
    return wrong


def check(hint):
    """What differs, as lines."""
    wrong, expect = comparison()
    for one in [hint, *hint.get("profiles", [])] if "desired" in hint and "terms" in hint else []:
        terms, reason = horizontal(one["inputs"])
        for name, value in terms.items():
            expect(f"horizontal {name}", one["terms"][name], value)
        expect("horizontal desired", one["desired"], terms["desired"])
        expect("horizontal reason", one["reason"], reason)
    if "stableWindow" in hint:
        beside(hint, expect)
    for query in hint.get("queries", []):
        expect(f"query {query['query']}", query["executors"], by_rate(hint["inputs"], query))
    if hint.get("queries"):
        expect("byRate", hint["byRate"], max(query["executors"] for query in hint["queries"]))
    told = hint.get("vertical", hint if "memoryBytes" in hint else None)
    if told is not None:
        for role, one in (("executor", told), ("driver", told["driver"])):
            if one:
                check_vertical(one, expect, role)
    told = hint.get("bottleneck", hint if "causes" in hint else None)
    if told is not None:
        window = Window(told["inputs"])
        for name, value in window.figures.items():
            expect(f"figure {name}", told["figures"][name], value)
        ranking = window.ranking()
        expect("causes", [c["kind"] for c in told["causes"]], ranking)
        expect("kind", told["kind"], ranking[0] if ranking else "unknown")
        for cause in told["causes"]:
            share, confidence = window.found.get(cause["kind"], (None, None))
            expect(f"{cause['kind']} share", cause["share"], share)
            expect(f"{cause['kind']} confidence", cause["confidence"], confidence)
    told = hint.get("quota", hint if "pressure" in hint else None)
    if told is not None:
        quota(told, expect)
    told = hint.get("sideways", hint if "executorsPerNode" in hint else None)
    if told is not None:
        again, shape = sideways(told["inputs"])
        for name, value in again.items():
            expect(f"sideways {name}", told[name], value)
        for name, value in shape.items():
            expect(f"sideways shape {name}", told["shape"][name], value)
    return wrong


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = False
    for name in sys.argv[1:]:
        with sys.stdin if name == "-" else open(name, encoding="utf-8") as file:
            answer = json.load(file)
        for line in check_answer(answer):
            failed = True
            print(line)
    sys.exit(failed)


if __name__ == "__main__":
    main()
