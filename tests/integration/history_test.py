#!/usr/bin/env python3
"""What is known of jobs outlives the agent: usage history_test.py FLINTGAUGE [--sanitized]

The file of the history is written at the agent's end and now and then, found by the next agent of the node, and refused, counted and
ignored when it is damaged, cut or another node's; the agent then works as if there had been none.
"""
import json
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True  # no cache beside the sources
from delivery_node import ClusterNode
from processes import Processes, get

COUNTERS = re.compile(r'^flintgauge_history_file_total\{result="(\w+)"\} (\d+)$', re.M)


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def results(node):
    """What became of the file so far: {result: how often}, without zeros."""
    return {name: int(count) for name, count in COUNTERS.findall(get(f"http://{node.address}/metrics")) if count != "0"}


def size(node):
    """(runs of the job, executors of it) that the vertical hint rests on."""
    found = [hint["vertical"] for hint in json.loads(get(f"http://{node.address}/api/v1/hints"))["hints"] if "vertical" in hint]
    return (found[0]["runs"], found[0]["executorsSeen"]) if found else None


def restart(node, file, change=None, kill=False, **settings):
    """Ends the agent, lets `change` have the file, and starts the next one."""
    node.process.kill() if kill else node.process.terminate()
    code = node.process.wait(10)
    expect(kill or code == 0, f"exit code {code}")
    if change:
        file.write_bytes(change(file.read_bytes()))
    node.start({"history.file": str(file), **settings})


def flipped(data):
    return data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]


def main():
    with tempfile.TemporaryDirectory(prefix="flintgauge-history-") as name, Processes(name) as processes:
        file = pathlib.Path(name) / "history"
        node = ClusterNode(processes, pathlib.Path(sys.argv[1]).resolve(), {"history.file": str(file), "history.interval": "1s"})
        first = processes.wait_for(node.process, "no size of an executor", lambda: size(node))
        expect(first[0] == 1, f"one run, not {first}")
        processes.wait_for(node.process, "the file is never written", lambda: results(node).get("written", 0) > 0)

        restart(node, file)
        expect(results(node) == {"loaded": 1}, f"the file of the agent before: {results(node)}")
        again = processes.wait_for(node.process, "no size of an executor", lambda: size(node))
        expect(again[0] == 1 and again[1] > first[1], f"the same run, its executors counted again: {first}, then {again}")

        for why, change, settings in (("damaged", flipped, {}), ("truncated", lambda data: data[:-1], {}),
                                      ("node", None, {"node.name": "node-2"})):
            restart(node, file, change, **settings)
            expect(results(node) == {why: 1}, f"a file that is {why}: {results(node)}")
            anew = processes.wait_for(node.process, "no size of an executor", lambda: size(node))
            expect(anew == first, f"{why}: as if there had been none: {first}, then {anew}")

        restart(node, file, kill=True, **{"node.name": "node-2", "history.interval": "1s"})
        expect(set(results(node)) <= {"node", "written"}, f"killed before it could write: {results(node)}")
        processes.wait_for(node.process, "the file is never written", lambda: results(node).get("written", 0) > 0)
        restart(node, file, kill=True, **{"node.name": "node-2"})
        expect(results(node) == {"loaded": 1}, f"killed with SIGKILL between two writes: {results(node)}")
    print("the history outlives the agent, and a damaged, cut or foreign file is refused and counted")


if __name__ == "__main__":
    main()
