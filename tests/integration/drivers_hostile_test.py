#!/usr/bin/env python3
"""Hostile driver UIs against the real program: usage drivers_hostile_test.py FLINTGAUGE [--sanitized]

Each pod of team-b is another kind of harm; the series of team-a are bit for bit those of an agent that never met them, budgets bite
and are counted, team-a's driver is asked as before, and memory is flat. --sanitized: do not look at memory.
"""
import json
import os
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no cache beside the sources
import hostile_drivers
from processes import ROOT, Processes
from push_node import APP, DriverUi, PushAgent, pod, read_capture, value

SHUFFLE = ROOT / "tests/fixtures/spark/real-4.3.0/shuffle"
EARLY, LATE = SHUFFLE / "t022", SHUFFLE / "t080"
NET = f"127.{20 + os.getpid() % 20}.{1 + os.getpid() // 60 % 250}"
VICTIM = f"{NET}.1"
ROUNDS = 12
FLAT_MIB = 24
BEGAN = time.monotonic()
SERIES_PER_APP = 500
REASONS = {"content_type", "json", "limit", "redirect", "timeout", "too_large"}


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


class VictimUi(DriverUi):
    """Counts what it is asked; moves to another moment of the captured run."""

    def __init__(self):
        self.asked = 0
        super().__init__(VICTIM, EARLY)

    def page(self, name):
        self.asked += name == "allexecutors"
        return super().page(name)

    def move(self, folder):
        self.pages = {name: read_capture(folder / file) for name, file in self.PAGES.items()}


def completed(folder):
    return sum(row["completedTasks"] for row in json.loads(read_capture(folder / "rest_allexecutors.json")))


def run_seconds(folder):
    return sum(stage["executorRunTime"] for stage in json.loads(read_capture(folder / "rest_stages.json"))) / 1000


def of_victim(page):
    return {key: number for key, number in page.items() if ("namespace", "team-a") in key[1] and
            key[0].startswith(("flintgauge_spark_", "flintgauge_app_"))}


def enemy_app(kind):
    return "spark-" + kind.encode().hex()[:32].ljust(32, "0")


def agent_of(processes, program, pods, name):
    return PushAgent(processes, program, pods, name, **{"spark.interval": "500ms", "spark.per_executor": "true"})


def victim(page, family, **labels):
    return value(page, f"flintgauge_spark_{family}", namespace="team-a", app_id=APP, **labels)


def victim_at(agent, ui, folder):
    """The victim's series some rounds after its pages are those of a moment."""
    ui.move(folder)
    due = completed(folder)
    agent.until("the victim's stages", lambda page: abs(victim(page, "executor_run_seconds_total") - run_seconds(folder)) < 1e-6, 60)
    # A loss is held back for a while: perhaps the pod tells more of it.
    agent.until("the victim's totals", lambda page: victim(page, "tasks_completed_total") == due and
                victim(page, "executors_lost_total", reason="exited") == 1, 60)
    asked = ui.asked
    return of_victim(agent.until("rounds more", lambda page: ui.asked >= asked + ROUNDS, 60))


def rss_mib(agent):
    text = pathlib.Path(f"/proc/{agent.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def errors(page):
    """{reason: count} of the Spark source."""
    out = {}
    for (name, labels), number in page.items():
        if name == "flintgauge_scrape_errors_total" and ("source", "spark") in labels and number:
            reason = dict(labels)["reason"]
            out[reason] = out.get(reason, 0) + number
    return out


def check_bounded(page):
    """No enemy has more series than its budget, none writes into another's, and what an odd name says is no line of its own."""
    of_app = {}
    for (name, labels), number in page.items():
        fields = dict(labels)
        expect(number != 666, f"an odd name became a line: {name} {fields}")
        expect((fields.get("namespace"), fields.get("app_id")) != ("team-b", APP), f"a lie was believed: {name} {fields}")
        if fields.get("namespace") == "team-b":
            of_app.setdefault(fields.get("app_id"), set()).add((name, labels))
        expect(fields.get("namespace") in (None, "team-a", "team-b", "default"), f"a namespace that is none: {fields}")
    worst = max(len(series) for series in of_app.values())
    expect(worst <= SERIES_PER_APP, f"{worst} series of one hostile application")
    return worst


def same(found, known, when):
    print(f"{time.monotonic() - BEGAN:.0f} s: {when}", flush=True)
    changed = {key for key in found.keys() | known.keys() if found.get(key) != known.get(key)}
    expect(not changed, f"{when}: series of another tenant differ: "
           f"{[(key, known.get(key), found.get(key)) for key in sorted(changed)[:3]]}")


def run(program, processes, watch_memory):
    ui = VictimUi()
    driver = pod("driver", VICTIM, role="driver")
    alone = agent_of(processes, program, [driver], "alone")
    known = [victim_at(alone, ui, folder) for folder in (EARLY, LATE)]
    expect(len(known[1]) > 30 and known[0] != known[1], "the victim's series do not move")
    alone.process.terminate()
    alone.process.wait(10)
    ui.move(EARLY)
    check_beside(processes, program, ui, driver, known, watch_memory)


def check_beside(processes, program, ui, driver, known, watch_memory):
    kinds = hostile_drivers.kinds(VICTIM)
    enemies, pods = {}, [driver]
    for number, (kind, answer) in enumerate(kinds.items()):
        ip = f"{NET}.{50 + number}"
        enemies[kind] = hostile_drivers.Ui(ip, enemy_app(kind), answer)
        pods.append(pod(kind.replace("_", "-"), ip, "team-b", enemy_app(kind), role="driver"))
    agent = agent_of(processes, program, pods, "beside")
    asked = ui.asked
    agent.until("all enemies asked", lambda _: all(enemy.requests >= 2 for enemy in enemies.values()), 120)
    expect(ui.asked - asked >= 20, f"while a page dripped until its timeout the victim was asked {ui.asked - asked} times only")
    same(victim_at(agent, ui, EARLY), known[0], "early")
    wait_rounds(agent, ui, ROUNDS)
    before = rss_mib(agent)
    same(victim_at(agent, ui, LATE), known[1], "late")
    page = wait_rounds(agent, ui, 2 * ROUNDS)
    same(of_victim(page), known[1], "rounds later")
    grown = rss_mib(agent) - before
    reasons = errors(page)
    print("errors by reason:", reasons, flush=True)
    print("requests:", {kind: enemy.requests for kind, enemy in enemies.items()}, flush=True)
    worst = check_bounded(page)
    expect(REASONS <= reasons.keys(), f"not counted: {sorted(REASONS - reasons.keys())}")
    print(f"most series of a hostile application: {worst}; memory {grown:+.1f} MiB over {2 * ROUNDS} rounds, at {rss_mib(agent):.0f} MiB")
    expect(not watch_memory or grown <= FLAT_MIB, f"memory grew by {grown:.1f} MiB")


def wait_rounds(agent, ui, rounds):
    due = ui.asked + rounds
    return agent.until(f"{rounds} rounds of the victim", lambda page: ui.asked >= due, 120)


def main():
    with tempfile.TemporaryDirectory(prefix="flintgauge-drivers-") as folder, Processes(folder) as processes:
        run(pathlib.Path(sys.argv[1]), processes, "--sanitized" not in sys.argv[2:])
    print(f"passed in {time.monotonic() - BEGAN:.0f} s")


if __name__ == "__main__":
    main()
