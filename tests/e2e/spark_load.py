"""What the agent's questions cost a driver: the CPU time of an idle and of a busy one, without and with an agent at its default interval.
The busy one runs small jobs without a pause, so that its lists are long and always other than before."""
import json
import pathlib
import time
import urllib.request

import spark_node
from spark_run import Agent, SparkRun, cpu_seconds, until

SETTLE, LOOK = 30, 60  # seconds
LIMIT = 0.01           # of one core
DRIVERS = {"idle": ("idle",), "busy": ("wordcount", "--rows", "2000")}
HEAD = ("version", "driver", "stages", "threads of the UI", "whole driver with", "without", "difference", "requests")


def thread_seconds(pid, names):
    """User and system time of the threads whose name begins with one of `names`, and of those that have ended meanwhile: 0."""
    total = 0.0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if (task / "comm").read_text().startswith(names):
                total += cpu_seconds(f"{pid}/task/{task.name}")
        except OSError:
            continue  # it has just ended
    return total


def spent(pid):
    """Cores used over LOOK seconds: (whole process, threads that serve the UI)."""
    began, all_before, ui_before = time.monotonic(), cpu_seconds(pid), thread_seconds(pid, ("SparkUI", "qtp"))
    time.sleep(LOOK)
    seconds = time.monotonic() - began
    return (cpu_seconds(pid) - all_before) / seconds, (thread_seconds(pid, ("SparkUI", "qtp")) - ui_before) / seconds


def measure(version):
    return [(version, name, *measure_one(version, *arguments)) for name, arguments in DRIVERS.items()]


def measure_one(version, workload, *more):
    run = SparkRun(version, workload, 2 * (SETTLE + LOOK) + 60, *more)
    try:
        node = spark_node.Node()
        run.show(node)
        (pid,) = run.pids("driver")
        time.sleep(SETTLE)
        without, _ = spent(pid)
        agent = Agent(node, "all", interval="10s")
        try:
            until("the agent has read the driver", lambda: "flintgauge_spark_tasks_completed_total" in agent.get("/metrics"), 60)
            time.sleep(SETTLE)  # what a first request costs, once, is not meant
            before = scrapes(agent)
            whole, serving = spent(pid)
            return stages(run), serving, whole, without, scrapes(agent) - before
        finally:
            agent.stop()
    finally:
        run.kill()


def stages(run):
    with urllib.request.urlopen(f"{run.line['rest']}/stages", timeout=60) as answer:
        return len(json.load(answer))


def scrapes(agent):
    agent.read()
    return sum(value for (name, labels), value in agent.page.items()
               if name == "flintgauge_scrapes_total" and ("source", "spark") in labels)


def report(loads, table):
    """Prints the table; returns what is over the limit."""
    if loads:
        table(f"Load of the agent on a driver, parts of one core over {LOOK} s, interval 10 s (limit {LIMIT:.0%})", HEAD,
              [(version, name, count, f"{serving:.3%}", f"{whole:.2%}", f"{without:.2%}", f"{whole - without:+.2%}", int(requests))
               for version, name, count, serving, whole, without, requests in loads])
    return [f"{version}: the {name} driver's UI threads used {serving:.2%} of a core"
            for version, name, _, serving, *_ in loads if serving >= LIMIT]
