"""The application that spark_on_kube runs in the driver pod: app.py WORKLOAD SECONDS LINGER ROWS.

Works for SECONDS, stays idle for LINGER, stops Spark, and prints one line "TRUTH {json}": "rest", sums over the stages as its REST
interface told them last, and "event_log", what Spark recorded at the end of every task, and why executors went.
"""
import glob
import json
import os
import sys
import time
import urllib.request

from pyspark.sql import SparkSession

EVENTS = "/tmp/events"  # spark.eventLog.dir
SUMS = {  # name in the truth: (group of task metrics, fields to add)
    "run_ms": ("", "Executor Run Time"), "cpu_ns": ("", "Executor CPU Time"), "gc_ms": ("", "JVM GC Time"),
    "memory_spilled_bytes": ("", "Memory Bytes Spilled"), "disk_spilled_bytes": ("", "Disk Bytes Spilled"),
    "input_bytes": ("Input", "Bytes Read"), "input_records": ("Input", "Records Read"), "output_bytes": ("Output", "Bytes Written"),
    "output_records": ("Output", "Records Written"), "shuffle_read_bytes": ("Shuffle Read", "Remote Bytes Read", "Local Bytes Read"),
    "shuffle_read_records": ("Shuffle Read", "Total Records Read"), "fetch_wait_ms": ("Shuffle Read", "Fetch Wait Time"),
    "shuffle_write_bytes": ("Shuffle Write", "Shuffle Bytes Written"),
    "shuffle_write_records": ("Shuffle Write", "Shuffle Records Written")}
REST = {"tasks_completed": "numCompleteTasks", "tasks_failed": "numFailedTasks", "tasks_killed": "numKilledTasks", "run_ms": "executorRunTime",
        "cpu_ns": "executorCpuTime", "gc_ms": "jvmGcTime", "memory_spilled_bytes": "memoryBytesSpilled", "disk_spilled_bytes": "diskBytesSpilled",
        "input_bytes": "inputBytes", "input_records": "inputRecords", "output_bytes": "outputBytes", "output_records": "outputRecords",
        "shuffle_read_bytes": "shuffleReadBytes", "shuffle_read_records": "shuffleReadRecords", "fetch_wait_ms": "shuffleFetchWaitTime",
        "shuffle_write_bytes": "shuffleWriteBytes", "shuffle_write_records": "shuffleWriteRecords"}
ENDS = {"Success": "completed", "TaskKilled": "killed", "TaskCommitDenied": "killed"}


def rest_sums(app_id):
    with urllib.request.urlopen(f"http://{os.environ['SPARK_DRIVER_BIND_ADDRESS']}:4040/api/v1/applications/{app_id}/stages") as answer:
        stages = json.load(answer)
    return {name: sum(stage[field] for stage in stages) for name, field in REST.items()}


def event_log():
    told = dict.fromkeys(["tasks_completed", "tasks_failed", "tasks_killed", *SUMS], 0) | {"executors_added": [], "executors_removed": {}}
    for line in open(glob.glob(EVENTS + "/*")[0]):
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            metrics = event.get("Task Metrics") or {}
            told["tasks_" + ENDS.get(event["Task End Reason"]["Reason"], "failed")] += 1
            for name, (group, *fields) in SUMS.items():
                part = metrics.get(group + " Metrics", {}) if group else metrics
                told[name] += sum(part.get(field, 0) for field in fields)
        elif event["Event"] == "SparkListenerExecutorAdded":
            told["executors_added"].append(event["Executor ID"])
        elif event["Event"] == "SparkListenerExecutorRemoved":
            told["executors_removed"][event["Executor ID"]] = event["Removed Reason"]
    return told


def noop(frame):
    frame.write.format("noop").mode("overwrite").save()


def shuffle(spark, rows, end):
    """Wide exchanges, in the JVM only."""
    frame = spark.range(0, rows or 1500000, 1, 12).selectExpr("id % 200000 k", "uuid() u").groupBy("k").agg({"u": "max"})
    noop(frame.repartition(12, "max(u)"))


def spill(spark, rows, end):
    frame = spark.range(rows or 1500000).selectExpr("hash(id) h", "repeat(cast(id as string), 8) s")
    noop(frame.repartition(4, "h").sortWithinPartitions("h"))


def backlog(spark, rows, end):
    """Sleeping tasks in Python workers: far more than the executors can take."""
    spark.sparkContext.parallelize(range(400), 400).foreach(lambda _: time.sleep(1) if time.time() < end else None)


def idle(spark, rows, end):
    spark.range(1000).count()
    time.sleep(max(0, end - time.time()))


def main():
    work, seconds, linger, rows = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    os.makedirs(EVENTS)
    spark = SparkSession.builder.getOrCreate()
    end = time.time() + seconds
    while time.time() < end:
        {"shuffle": shuffle, "spill": spill, "backlog": backlog, "idle": idle}[work](spark, rows, end)
    time.sleep(linger)
    rest = rest_sums(spark.sparkContext.applicationId)
    spark.stop()
    print("TRUTH " + json.dumps({"rest": rest, "event_log": event_log()}), flush=True)


if __name__ == "__main__":
    main()
