#!/usr/bin/env python3
"""Pushes against the real program: usage push_test.py FLINTGAUGE [--sanitized]

What a real Spark pushed, byte for byte, sent from the addresses of its pods: the totals are those of its event log, from Graphite
alone, over TCP and UDP, from StatsD alone, from both at once, and with the driver's pages besides; and the same registries as bodies
for a Pushgateway, through curl.
"""
import json
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no cache beside the sources
from processes import ROOT, Processes
from push_node import APP, DriverUi, PushAgent, all_lines, gateway_body, lines, pod, read_capture, refused, value

SHUFFLE = ROOT / "tests/fixtures/spark/real-4.3.0/shuffle"
PUSHED = SHUFFLE / "push"
TRUTH = json.loads((SHUFFLE / "truth.json").read_text())["whole_run_by_event_log"]
# Family without prefix, key in truth.json, factor.
TOTALS = [("tasks_completed_total", "tasks_completed", 1), ("executor_run_seconds_total", "run_ms", 1e-3),
          ("executor_cpu_seconds_total", "cpu_ns", 1e-9), ("gc_seconds_total", "gc_ms", 1e-3),
          ("input_bytes_total", "input_bytes", 1), ("input_records_total", "input_records", 1),
          ("output_bytes_total", "output_bytes", 1), ("output_records_total", "output_records", 1),
          ("shuffle_read_bytes_total", "shuffle_read_bytes", 1), ("shuffle_write_bytes_total", "shuffle_write_bytes", 1),
          ("shuffle_read_records_total", "shuffle_read_records", 1), ("shuffle_write_records_total", "shuffle_write_records", 1),
          ("shuffle_fetch_wait_seconds_total", "fetch_wait_ms", 1e-3), ("shuffle_write_seconds_total", "shuffle_write_ns", 1e-9),
          ("memory_spilled_bytes_total", "memory_spilled_bytes", 1), ("disk_spilled_bytes_total", "disk_spilled_bytes", 1)]
NET = f"127.{60 + time.time_ns() % 100}.7"  # tests that run at once have pods of their own
ADDRESS = {"driver": f"{NET}.1", "noid": f"{NET}.1", "0": f"{NET}.10", "1": f"{NET}.11", "2": f"{NET}.12"}


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def spark_pods():
    return [pod("driver", ADDRESS["driver"], role="driver")] + [
        pod(f"exec-{number}", ADDRESS[number], executor=number) for number in "012"]


def spark(page, family, app=APP, namespace="team-a"):
    return value(page, f"flintgauge_spark_{family}", namespace=namespace, app_id=app)


def check_totals(page, how, truth=TRUTH):
    for family, key, factor in TOTALS:
        got, due = spark(page, family), truth[key] * factor
        expect(abs(got - due) <= 1e-9 * max(due, 1), f"{how}: {family} is {got}, the event log says {due}")
    print(f"{how}: {len(TOTALS)} totals are the event log's", flush=True)


def push_graphite(agent):
    """In the order of the run; how many lines there were."""
    count = 0
    for file in sorted(PUSHED.glob("graphite_*.txt")):
        data = file.read_bytes()
        count += data.count(b"\n")
        agent.graphite(ADDRESS[file.stem.split("_")[2]], data)
    return count


def push_statsd(agent):
    count = 0
    for line in (PUSHED / "statsd_packets.tsv").read_text().splitlines():
        _, size, text = line.split("\t")
        expect(len(text.encode()) == int(size), f"not the datagram as it was: {text}")
        parts = text.removeprefix(APP + ".").split(".")
        agent.statsd(ADDRESS[parts[0] if text.startswith(APP) else "noid"], text.encode())
        count += 1
        if count % 100 == 0:  # no burst that a small receive buffer could not hold
            agent.until("datagrams taken", lambda page: all_lines(page, "statsd") == count)
    return count


def check_graphite(agent):
    count = push_graphite(agent)
    page = agent.until("every line counted", lambda page: all_lines(page, "graphite") == count)
    for bad in ("syntax", "line_too_long", "identity", "budget", "driver_elsewhere", "not_finite"):
        expect(lines(page, "graphite", bad) == 0, f"real lines counted as {bad}")
    done = agent.until("totals", lambda page: spark(page, "tasks_completed_total") == TRUTH["tasks_completed"])
    check_totals(done, "graphite")
    expect(value(done, "flintgauge_spark_jobs", namespace="team-a", app_id=APP, state="active") == 0, "active jobs")


def check_graphite_udp(agent):
    count = 0
    for file in sorted(PUSHED.glob("graphite_*.txt")):
        for at, line in enumerate(file.read_bytes().splitlines(True)):
            # Spark sends a line a datagram; two in one are read too.
            agent.statsd(ADDRESS[file.stem.split("_")[2]], line, to="graphite_udp")
            count += 1
            if at % 100 == 99:
                agent.until("datagrams taken", lambda page: all_lines(page, "graphite") == count)
    agent.statsd(ADDRESS["driver"], b"x 1 1\ny 2 1\n", to="graphite_udp")
    page = agent.until("every line counted", lambda page: all_lines(page, "graphite") == count + 2)
    for bad in ("syntax", "line_too_long", "identity", "budget", "driver_elsewhere", "not_finite"):
        expect(lines(page, "graphite", bad) == 0, f"real datagrams counted as {bad}")
    done = agent.until("totals", lambda page: spark(page, "tasks_completed_total") == TRUTH["tasks_completed"])
    check_totals(done, "graphite over udp")


def check_gateway(agent):
    samples = 0
    for file in sorted(PUSHED.glob("graphite_*.txt")):
        who = file.stem.split("_")[2]
        role = "driver" if who in ("driver", "noid") else "executor"
        path = f"/metrics/job/{APP}/role/{role}/app_name/nightly+orders/instance/{APP}" + (f"/number/{who}" if role == "executor" else "")
        status, text = agent.push(ADDRESS[who], path, gateway_body(file.read_bytes()), "PUT" if who == "2" else "POST")
        expect((status, text) == (202, ""), f"{file.name}: {status} {text}")
        samples += file.read_bytes().count(b"\n")
    page = agent.until("every line counted", lambda page: all_lines(page, "pushgateway") == samples)
    for bad in ("syntax", "line_too_long", "identity", "budget", "driver_elsewhere", "not_finite", "duplicate"):
        expect(lines(page, "pushgateway", bad) == 0, f"real lines counted as {bad}")
    done = agent.until("totals", lambda page: spark(page, "tasks_completed_total") == TRUTH["tasks_completed"])
    check_totals(done, "pushgateway")
    check_no_list(done)


def check_gateway_answers(agent):
    """What a client is told, and that a group can be forgotten."""
    driver, line = ADDRESS["driver"], b"DAGScheduler_job_activeJobs 5\n"
    jobs = {"namespace": "team-a", "app_id": APP, "state": "active"}
    encoded = "/metrics/job@base64/bmlnaHRseS9ldGw/group@base64/L3Zhci90bXA="
    expect(agent.push(driver, encoded, line)[0] == 202, "a group in base64")
    agent.until("the group's number", lambda page: value(page, "flintgauge_spark_jobs", **jobs) == 5)
    expect(agent.push(driver, "/metrics/job/nightly%2Fetl/group/%2Fvar%2Ftmp", method="DELETE")[0] == 202, "the same group, escaped")
    # The group with the driver's registry tells the number too, from before.
    agent.until("the number of the other group", lambda page: value(page, "flintgauge_spark_jobs", **jobs) == 0)
    for status, word, path, body, options in (
            (400, "base64", "/metrics/job@base64/%%%", line, ()), (400, "no value", "/metrics/job/x/a", line, ()),
            (400, "/metrics/job/JOB", "/metrics", line, ()), (400, "ends inside a line", "/metrics/job/x", line.strip(), ()),
            (403, "", f"/metrics/job/spark-{'f' * 32}", line, ()), (415, "Content-Encoding", "/metrics/job/x", line, ("-H", "Content-Encoding: gzip")),
            (415, "text/plain", "/metrics/job/x", line, ("-H", "Content-Type: application/vnd.google.protobuf; encoding=delimited")),
            (411, "Content-Length", "/metrics/job/x", line, ("-H", "Transfer-Encoding: chunked")), (413, "1048576", "/metrics/job/x", b"#" * 2_000_000, ())):
        got, text = agent.push(driver, path, body, "POST", *options)
        expect(got == status and word in text, f"{path} {options}: {got} {text}, not {status} with {word!r}")
    expect(agent.push(driver, "/metrics/job/x", line, "PATCH")[0] == 405, "PATCH")
    stranger, text = agent.push("127.0.0.1", "/metrics/job/x", line)
    expect((stranger, text) == (403, agent.push(driver, f"/metrics/job/spark-{'f' * 32}", line)[1]), "a refusal that tells why")
    large = b"# " + b"x" * 1000 + b"\n"
    expect(agent.push(driver, "/metrics/job/x", large * 1000 + line, "PUT", "-H", "Expect: 100-continue")[0] == 202, "a megabyte, which curl asks for leave to send")
    page = agent.page()
    for reason, count in (("request", 5), ("format", 2), ("too_large", 1), ("unknown_peer", 1)):
        expect(refused(page, "pushgateway", reason) == count, f"{refused(page, 'pushgateway', reason)} refused as {reason}, not {count}")
    expect(lines(page, "pushgateway", "identity") == 2, "lines for another application")
    print("pushgateway: answers", flush=True)


def check_with_pages(processes, program):
    """The driver's pages of an earlier moment and the last pushes: what both tell is one number, what one knows later counts."""
    earlier = json.loads((SHUFFLE / "t080/rest_allexecutors.json").read_text())
    completed = sum(row["completedTasks"] for row in earlier)
    expect(0 < completed < TRUTH["tasks_completed"], "the moment is not earlier than the end")
    DriverUi(ADDRESS["driver"], SHUFFLE / "t080")
    agent = PushAgent(processes, program, spark_pods(), "pages")
    agent.until("totals of the pages", lambda page: spark(page, "tasks_completed_total") == completed)
    push_graphite(agent)
    page = agent.until("totals of both", lambda page: spark(page, "tasks_completed_total") == TRUTH["tasks_completed"])
    # Spark's stage records hold the collections of tasks that never ended, too: more than the event log has.
    stages_gc = sum(stage.get("jvmGcTime", 0) for stage in json.loads(read_capture(SHUFFLE / "t080/rest_stages.json")))
    check_totals(page, "graphite and the driver's pages", TRUTH | {"gc_ms": max(TRUTH["gc_ms"], stages_gc)})
    active = value(page, "flintgauge_spark_executors", namespace="team-a", app_id=APP, state="active")
    expect(active == sum(row["isActive"] and row["id"] != "driver" for row in earlier), f"{active} executors, not those of the driver's list")


def check_statsd(agent, how):
    before = all_lines(agent.page(), "statsd")
    expect(before == 0, "datagrams before there were any")
    count = push_statsd(agent)
    page = agent.until("every datagram counted", lambda page: all_lines(page, "statsd") == count)
    for bad in ("syntax", "line_too_long", "identity", "budget", "driver_elsewhere"):
        expect(lines(page, "statsd", bad) == 0, f"real datagrams counted as {bad}")
    return page


def statsd_truth():
    """The captured datagrams are of an earlier part of the run: the last value of each executor's counters, added."""
    last = {}
    for line in (PUSHED / "statsd_packets.tsv").read_text().splitlines():
        name, _, number = line.split("\t")[2].partition(":")
        parts = name.split(".")
        if parts[0] == APP and len(parts) == 4 and parts[2] == "executor" and number.endswith("|c"):
            last[parts[1], parts[3]] = int(number.removesuffix("|c"))
    totals = {}
    for (_, counter), number in last.items():
        totals[counter] = totals.get(counter, 0) + number
    return totals


def check_no_list(page):
    """What executors tell of themselves is no list of all executors: without the driver's pages nobody knows how many there are."""
    states = {dict(labels).get("state") for name, labels in page if name == "flintgauge_spark_executors"}
    expect(not states & {"active", "busy", "dead"}, f"executors by state from their own pushes: {states}")


def run(program, folder, processes):
    agent = PushAgent(processes, program, spark_pods(), "graphite")
    check_graphite(agent)
    check_no_list(agent.page())
    check_statsd(agent, "both")
    check_totals(agent.page(), "graphite and statsd")
    agent = PushAgent(processes, program, spark_pods(), "statsd")
    check_statsd(agent, "statsd")
    due = statsd_truth()
    page = agent.until("totals of statsd", lambda page: spark(page, "tasks_completed_total") == due["succeededTasks"])
    for family, counter, factor in (("shuffle_write_bytes_total", "shuffleBytesWritten", 1), ("gc_seconds_total", "jvmGCTime", 1e-3),
                                    ("input_records_total", "recordsRead", 1), ("executor_run_seconds_total", "runTime", 1e-3)):
        expect(abs(spark(page, family) - due[counter] * factor) < 1e-9 * max(1, due[counter]), f"statsd: {family}")
    print("statsd: totals are the last values, not the sums", flush=True)
    check_graphite_udp(PushAgent(processes, program, spark_pods(), "graphite-udp"))
    agent = PushAgent(processes, program, spark_pods(), "gateway")
    check_gateway(agent)
    check_gateway_answers(agent)
    check_with_pages(processes, program)  # last: from here on the driver has pages


def main():
    program = pathlib.Path(sys.argv[1])
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="flintgauge-push-") as folder, Processes(folder) as processes:
        run(program, pathlib.Path(folder), processes)
    print(f"passed in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
