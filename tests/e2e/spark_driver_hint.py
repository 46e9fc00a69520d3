"""The hint of the driver's size on a real driver: docs/hints.md section 2.8. Its sums are done again by recompute_hints."""
import math

import spark_node

PREFIX = "flintgauge_hint_driver_"
PARTS = ("heap", "overhead", "total")
SIZES = {"target": "memory_bytes", "lower": "memory_lower_bytes", "upper": "memory_upper_bytes"}
CORES = {"target": "cpu_cores", "lower": "cpu_lower_cores", "upper": "cpu_upper_cores"}
HEAD = ("version", "workload", "answers", "with a driver", "first after s", "heap now MiB", "peak MiB", "heap MiB", "total MiB", "CPU cores", "confidence")
CPU_AFTER = 70  # seconds: CPU is a sample a minute
MIB = 1 << 20


def shown(page, app_id):
    """{(family without prefix, part or None): value} of the application."""
    return {(name.removeprefix(PREFIX), dict(labels).get("part")): value for (name, labels), value in page.items()
            if name.startswith(PREFIX) and ("app_id", app_id) in labels and ("namespace", spark_node.NAMESPACE) in labels}


def wrong_of(driver):
    """What is out of bounds in one answer, as lines."""
    wrong, memory, cpu = [], driver["memoryBytes"], driver["cpuCores"]
    sizes = [(f"memory {part}", [memory[which][part] for which in ("lower", "target", "upper")]) for part in PARTS] if memory else []
    cores = [("cpu", [cpu[which] for which in ("lower", "target", "upper")])] if cpu else []
    for what, values in [*sizes, *cores]:
        if not all(math.isfinite(value) and value > 0 for value in values):
            wrong.append(f"{what} {values} is not finite and above 0")
        elif sorted(values) != values:
            wrong.append(f"{what}: lower, target, upper are {values}")
    if memory and memory["target"]["heap"] + memory["target"]["overhead"] != memory["target"]["total"]:
        wrong.append(f"the parts are not the total: {memory['target']}")
    if not 0 <= driver["confidence"] <= 1:
        wrong.append(f"confidence {driver['confidence']}")
    return wrong


def differs(driver, page):
    """What the page shows other than the answer, as lines. Both may be of moments one after the other: asked while nothing moves."""
    due = {("confidence_ratio", None): driver["confidence"]}
    if driver["memoryBytes"]:
        due |= {(family, part): driver["memoryBytes"][which][part] for which, family in SIZES.items() for part in PARTS}
    if driver["cpuCores"]:
        due |= {(family, None): driver["cpuCores"][which] for which, family in CORES.items()}
    return [f"{key}: page {page.get(key)}, answer {due.get(key)}" for key in sorted(due.keys() | page.keys(), key=str)
            if key not in due or key not in page or not math.isclose(page[key], due[key], rel_tol=1e-6)]


def check(play, hints, agent, app_id, until):
    """Fills play.driver_hints. `hints`: the answers of the run, (seconds since the agent began, answer)."""
    told = [(at, hint["vertical"]["driver"]) for at, hint in hints if hint.get("vertical") and hint["vertical"].get("driver")]
    drivers = [driver for _, driver in told]
    play.expect(drivers, "the driver's size was never told")
    if not drivers:
        return
    wrong = [line for driver in drivers for line in wrong_of(driver)]
    play.expect(not wrong, f"the driver's size: {wrong[:3]}")
    play.expect(any(driver["memoryBytes"] for driver in drivers), "the driver's size lacks memory, though its peaks are known")
    play.expect(hints[-1][0] < CPU_AFTER or any(driver["cpuCores"] for driver in drivers), "the driver's size lacks CPU")

    def same():
        agent.read()
        hint = agent.hint(app_id)
        return hint and hint["vertical"]["driver"] and not differs(hint["vertical"]["driver"], shown(agent.page, app_id))
    play.expect(until("page and answer tell one driver's size", same, 30), "the page tells another size of the driver than the answer")
    last = drivers[-1]
    memory, cpu = last["memoryBytes"], last["cpuCores"]
    play.driver_hints = (len(hints), len(drivers), round(told[0][0]),
                         *(f"{value / MIB:.0f}" for value in (last["inputs"]["heapBytes"], last["inputs"]["heapPeakBytes"]["p90"],
                                                             memory["target"]["heap"] if memory else 0, memory["target"]["total"] if memory else 0)),
                         f"{cpu['target']:.3f}" if cpu else "-", f"{last['confidence']:.2f}")
