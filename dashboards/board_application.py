"""One application, in depth."""
import grafana
from grafana import row, stat, timeline, timeseries
from queries import AGENT, CLUSTER, CPU, JOB, PODS, app, matcher, rate, total

RUN = rate(app("flintgauge_spark_executor_run_seconds_total"))
BUSY = f"(sum({RUN}) > 0)"


def share(family):
    return f"sum({rate(app(family))}) / {BUSY}"


def hint(name):
    return f"max({app('flintgauge_hint_' + name)})"


def by_role(selector):
    return total(selector, "role")


def spark(name, more=""):
    """The driver's numbers: two agents may both show them for a moment, so the greatest counts."""
    return f"max({app('flintgauge_spark_' + name, more)})"


def spark_rate(name):
    return f"max({rate(app('flintgauge_spark_' + name))})"


APP_HEADER = row("Now", [
    stat("Executors", "Executors registered with the driver. Normal: near the number wanted.", "short", hint("executors_current")),
    stat("Executors wanted", "The hint: how many would end the known work in the drain target. docs/hints.md has the "
         "formula.", "short", hint("executors_desired"), steps=(("blue", None),)),
    stat("Confidence", "How much the hint rests on: tasks seen, time observed, age of the data. Under 0.3 it is Spark's own "
         "number.", "percentunit", hint("confidence_ratio"), steps=(("red", None), ("orange", 0.3), ("green", 0.7))),
    stat("Backlog", "Time the executors there are would need for the known work. Over the drain target the hint asks "
         "for more of them.", "s", hint("backlog_seconds"),
         steps=(("green", None), ("orange", 300))),
    stat("Tasks running", "Tasks that run now. Normal: near the number of slots while stages are active; far less is skew or too few "
         "partitions.", "short", spark("tasks", 'state="active"')),
    stat("Tasks waiting", "Tasks of active stages that wait for a slot. Normal: falls to 0 in each stage; more executors "
         "shorten it as long as it is not 0.", "short", spark("tasks", 'state="pending"')),
    stat("Memory of limit", "Working set of all containers over their limits. Over 90 %: one is likely to be killed.",
         "percentunit", f"sum({app('flintgauge_app_memory_working_set_bytes')}) / "
         f"sum({app('flintgauge_app_memory_limits_bytes')})", steps=(("green", None), ("orange", 0.8), ("red", 0.9))),
    stat("OOM kills, 1 h", "Containers and child processes killed for memory in the last hour. Normal: 0.", "short",
         f"sum(increase({app('flintgauge_app_oom_kills_total')}[1h]))", steps=(("green", None), ("red", 1)), decimals=0),
])

SCALE = row("Executors and work", [
    timeseries("Executors", "What there is, what the hint asks for, and its bounds. The stable line is damped like a "
               "HorizontalPodAutoscaler: up at once, down after five minutes.", "short",
               [(hint("executors_current"), "there"), (hint("executors_desired"), "wanted"),
                (hint("executors_desired_stable"), "wanted, stable"), (hint("executors_idle"), "idle"),
                (hint("executors_unmet"), "cut off by quota"), (hint("executors_min"), "least"),
                (hint("executors_max"), "most"), (hint("executors_parity"), "Spark's own number")]),
    timeline("What decides the hint", "The term that decided: backlog asks for more; startup_bound and drain say it is "
             "enough; parity is Spark's own number; busy_floor, min, max and quota are bounds.",
             f"max by (reason) ({app('flintgauge_hint_reason')} == 1)", "{{reason}}"),
    timeseries("Tasks", "Tasks by state. Waiting tasks with few running ones: too few slots.", "short",
               [(f"max by (state) ({app('flintgauge_spark_tasks')})", "{{state}}")], stack=True),
    timeseries("Task rate", "Tasks that end a second. Failed ones are work done twice.", "none",
               [(spark_rate("tasks_completed_total"), "completed"), (spark_rate("tasks_failed_total"), "failed")]),
    timeseries("Executors by state", "As the driver counts them. Busy: a running task or cached blocks. Dead ones have been "
               "lost or removed.", "short", [(f"max by (state) ({app('flintgauge_spark_executors')})", "{{state}}")]),
    timeseries("Stages and jobs", "Active stages and jobs; pending stages wait for their parents.", "short",
               [(f"max by (state) ({app('flintgauge_spark_stages')})", "stages {{state}}"),
                (f"max by (state) ({app('flintgauge_spark_jobs')})", "jobs {{state}}")]),
])

WHERE = row("Where the time goes", [
    timeseries("Share of task time", "What executors do while tasks run. Much fetch wait: the shuffle or the network. Much "
               "garbage collection: too little memory. Little CPU and neither: input, or locks.", "percentunit",
               [(share("flintgauge_spark_executor_cpu_seconds_total"), "CPU"),
                (share("flintgauge_spark_gc_seconds_total"), "garbage collection"),
                (share("flintgauge_spark_shuffle_fetch_wait_seconds_total"), "shuffle fetch wait")]),
    timeseries("Shuffle", "Bytes a second. Reads far over writes: the same data are fetched again and again; a broadcast or a cached "
               "table may help.", "Bps", [(spark_rate("shuffle_read_bytes_total"), "read"),
                                                     (spark_rate("shuffle_write_bytes_total"), "written")]),
    timeseries("Input and output", "Bytes a second that tasks read from and write to storage. Near 0 while tasks run: time goes "
               "into the shuffle, the CPU or waiting.", "Bps",
               [(spark_rate("input_bytes_total"), "read"), (spark_rate("output_bytes_total"), "written")]),
    timeseries("Spill", "Bytes a second that did not fit into memory. Normal: 0. More memory for each task, or more "
               "partitions.", "Bps", [(spark_rate("memory_spilled_bytes_total"), "size in memory"),
                                      (spark_rate("disk_spilled_bytes_total"), "size on disk")]),
])

HOLDS_BACK = row("What holds it back", [
    timeline("Bottleneck", "What the classifier says of the last minutes; docs/hints.md has each kind and what to do about it. unknown: "
             "the data do not decide.", f"max by (kind) ({app('flintgauge_app_bottleneck')} == 1)", "{{kind}}"),
    timeseries("Share lost, and confidence", "Part of the slot time that the bottleneck costs, and how directly that was measured. Under "
               "0.3 of confidence: wait for more tasks.", "percentunit",
               [(f"max({app('flintgauge_app_bottleneck_share_ratio')})", "share"),
                (f"max({app('flintgauge_app_bottleneck_confidence_ratio')})", "confidence")], max=1),
])


def spread(name):
    """Largest and median over the executors."""
    return [(spark(f"executor_{name}_max"), "largest"), (spark(f"executor_{name}_median"), "median")]


RUNNING = matcher("role", "executor") + "," + matcher("phase", "Running")
SIZE = row("How large an executor should be", [
    timeseries("Memory wanted", "The vertical hint by part, and its bounds: what spark.executor.memory and memoryOverhead should be at the "
               "next run. A running heap cannot shrink.", "bytes",
               [(f"max by (part) ({app('flintgauge_hint_executor_memory_bytes')})", "{{part}}"),
                (f"max({app('flintgauge_hint_executor_memory_lower_bytes', matcher('part', 'total'))})", "total, lower bound"),
                (f"max({app('flintgauge_hint_executor_memory_upper_bytes', matcher('part', 'total'))})", "total, upper bound")]),
    timeseries("Memory of the largest executor", "What the largest executor uses, and its limit. Far under the limit for whole runs: the hint "
               "above says how much is enough.", "bytes",
               [(f"max({app('flintgauge_app_memory_working_set_max_bytes', matcher('role', 'executor'))})", "largest"),
                (f"sum({app('flintgauge_app_memory_limits_bytes', matcher('role', 'executor'))}) / "
                 f"(sum({app(PODS, RUNNING)}) > 0)", "limit of one")]),
], collapsed=True)


def query(name):
    return f"max by (query) ({app('flintgauge_spark_streaming_' + name)})"


STREAMING = row("Streaming", [
    timeseries("Rows", "Rows that arrive and rows that a query can process, a second. Input above processed: it falls behind.", "none",
               [(query("input_rows_per_second"), "{{query}} input"), (query("processed_rows_per_second"), "{{query}} processed")]),
    timeseries("Batch", "Duration of a batch, and how far the watermark is behind the clock. A batch longer than its trigger delays the next.",
               "s", [(query("batch_seconds"), "{{query}} batch"), (query("watermark_delay_seconds"), "{{query}} watermark delay")]),
    timeseries("State", "Memory that the state of a query uses. A slope without end: no watermark, or keys that never expire.", "bytes",
               [(query("state_memory_bytes"), "{{query}}")]),
    timeseries("State rows", "Rows in the state of a query. Normal: flat once its window is full.", "short",
               [(query("state_rows"), "{{query}}")]),
], collapsed=True)

SPREAD = row("Executors: spread and losses", [
    timeseries("Executors lost", "In five minutes, by reason. Normal: killed_by_driver only (idle executors given back). oom: more memory; "
               "evicted and node_lost: the cluster.", "short",
               [(f"max by (reason) (increase({app('flintgauge_spark_executors_lost_total')}[5m]))", "{{reason}}")]),
    timeseries("Task time", "Time spent in tasks by the executor that has most, and by the one in the middle. Far apart and growing: skew, "
               "or one executor has all the cached blocks.", "s", spread("task_seconds")),
    timeseries("Shuffle read", "Bytes read by the executor that has most, and by the one in the middle. Far apart: keys are skewed.", "bytes",
               spread("shuffle_read_bytes")),
    timeseries("Input", "Bytes read from storage by the executor that has most, and by the one in the middle. Far apart: locality or large "
               "files that cannot be split.", "bytes", spread("input_bytes")),
])

JVM = row("Memory of the JVMs", [
    timeseries("Peak heap", "Greatest heap since each executor began: the largest and the middle one. Near spark.executor.memory: little is "
               "left; half of it: the heap could be smaller.", "bytes", spread("peak_heap_bytes")),
    timeseries("Peak execution and storage memory", "Spark's own region of the heap, greatest since each executor began. At 60 % of the "
               "heap less 300 MiB it spills.", "bytes", spread("peak_unified_bytes")),
    timeseries("Peak memory outside the heap", "Metaspace, compiled code and the like, greatest since each executor began; Spark's own "
               "off-heap memory is not in it. It must fit into spark.executor.memoryOverhead.", "bytes",
               spread("peak_off_heap_bytes")),
    timeseries("Peak memory of Python", "Resident memory of an executor's Python workers, greatest since it began. Told with "
               "spark.executor.processTreeMetrics.enabled; 0 without. It must fit into spark.executor.pyspark.memory or the overhead.",
               "bytes", spread("peak_python_bytes")),
    timeseries("Storage memory", "What cached blocks hold, of what they may. Full: blocks are evicted and computed again.", "bytes",
               [(spark("storage_memory_used_bytes"), "used"), (spark("storage_memory_max_bytes"), "most")]),
    timeseries("Storage by executor", "Cached blocks of the executor that holds most, and of the one in the middle. Far apart: the cache is "
               "not balanced.", "bytes", spread("memory_used_bytes")),
], collapsed=True)

DRIVER = row("Driver and jobs", [
    timeseries("Jobs", "Jobs that ended in five minutes. Failed ones: the driver's page names the stage and its error.", "short",
               [(f"max(increase({app('flintgauge_spark_jobs_succeeded_total')}[5m]))", "succeeded"),
                (f"max(increase({app('flintgauge_spark_jobs_failed_total')}[5m]))", "failed")]),
    timeseries("Driver's heap", "Heap the driver uses. Near its maximum (spark.driver.memory): collect or broadcast less, or give it more.",
               "bytes", [(spark("driver_heap_used_bytes"), "used")]),
    timeseries("Driver's CPU and garbage collection", "CPU seconds and GC seconds a second. One core of CPU while no task runs: the driver "
               "plans or collects.", "none",
               [(spark_rate("driver_cpu_seconds_total"), "CPU"), (spark_rate("driver_gc_seconds_total"), "garbage collection")]),
    timeseries("Dropped events", "Events a second that the driver's listener bus dropped. Normal: 0; above it the numbers of tasks and "
               "executors are too low. Raise spark.scheduler.listenerbus.eventqueue.capacity.", "none",
               [(spark_rate("listener_bus_dropped_events_total"), "dropped")]),
], collapsed=True)

CPU_PERIODS = by_role(rate(app("flintgauge_app_cpu_cfs_periods_total")))
RESOURCES = row("Resources", [
    timeseries("CPU", "CPU seconds a second against requests and limits. Use far under the request is waste.", "none",
               [(by_role(rate(app(CPU))), "{{role}} used"),
                (by_role(app("flintgauge_app_cpu_requests_cores")), "{{role}} requested"),
                (by_role(app("flintgauge_app_cpu_limits_cores")), "{{role}} limit")]),
    timeseries("CPU throttled", "Share of CPU periods in which a container was held back by its limit. Over 25 %: the limit "
               "slows the application down.", "percentunit",
               [(f"{by_role(rate(app('flintgauge_app_cpu_cfs_throttled_periods_total')))} / ({CPU_PERIODS} > 0)",
                 "{{role}}")], max=1),
    timeseries("Memory", "Working set against requests and limits, and its largest container.", "bytes",
               [(by_role(app("flintgauge_app_memory_working_set_bytes")), "{{role}} used"),
                (f"max by (role) ({app('flintgauge_app_memory_working_set_max_bytes')})", "{{role}} largest container"),
                (by_role(app("flintgauge_app_memory_requests_bytes")), "{{role}} requested"),
                (by_role(app("flintgauge_app_memory_limits_bytes")), "{{role}} limit")]),
    timeseries("Memory by kind", "Anonymous memory cannot be given back; page cache can.", "bytes",
               [(by_role(app("flintgauge_app_memory_rss_bytes")), "{{role}} anonymous"),
                (by_role(app("flintgauge_app_memory_cache_bytes")), "{{role}} page cache")], stack=True),
    timeseries("Network", "Bytes a second of the application's pods. Received in bursts: shuffle or storage; at the "
               "node's bandwidth, fewer and larger executors shuffle less.", "Bps",
               [(by_role(rate(app("flintgauge_app_network_receive_bytes_total"))), "{{role}} received"),
                (by_role(rate(app("flintgauge_app_network_transmit_bytes_total"))), "{{role}} sent")]),
    timeseries("Disk", "Bytes a second to and from block devices. Writes without output: shuffle files and spill; a local "
               "disk that is slow shows as shuffle write time.", "Bps",
               [(by_role(rate(app("flintgauge_app_fs_read_bytes_total"))), "{{role}} read"),
                (by_role(rate(app("flintgauge_app_fs_written_bytes_total"))), "{{role}} written")]),
])

PODS_ROW = row("Pods", [
    timeseries("Pods", "Pods by role and phase. Pending executors wait for a node.", "short",
               [(f"sum by (role, phase) ({app(PODS)})", "{{role}} {{phase}}")], stack=True),
    timeseries("Restarts and OOM kills", "In five minutes. Normal: 0. The last termination in kubectl describe pod names the reason.", "short",
               [(f"sum by (role) (increase({app('flintgauge_app_container_restarts_total')}[5m]))", "{{role}} restarts"),
                (f"sum by (role, scope) (increase({app('flintgauge_app_oom_kills_total')}[5m]))",
                 "{{role}} OOM kills of a {{scope}}")]),
    timeseries("Local disk", "Root file systems, logs and emptyDir volumes. Pods over their limit are evicted.", "bytes",
               [(by_role(app("flintgauge_app_ephemeral_storage_usage_bytes")), "{{role}}")]),
    timeseries("Major page faults", "Faults a second that read from disk. More than a few: memory is too tight.", "none",
               [(by_role(rate(app("flintgauge_app_memory_major_page_faults_total"))), "{{role}}")]),
], collapsed=True)


def application():
    info = f"flintgauge_app_info{{{AGENT}}}"
    in_namespace = f'flintgauge_app_info{{{AGENT},namespace=~"$namespace"}}'
    variables = [
        JOB, CLUSTER,
        grafana.query_variable("namespace", "Namespace", info, "namespace", many=False, hint="Tenant"),
        grafana.query_variable("application", "Application", in_namespace, "app_id", many=False, hint="Application id"),
    ]
    lost = grafana.annotation("Executor lost or removed",
                               f"changes({app('flintgauge_spark_executors', matcher('state', 'dead'))}[1m]) > 0", "{{app_id}}", "orange")
    here = f"max by (namespace, app_id) ({app('flintgauge_app_info')})"
    before = f"max by (namespace, app_id) ({app('flintgauge_app_info')} offset 1m)"
    began = grafana.annotation("Application started", f"{here} unless {before}", "{{app_id}}", "green")
    ended = grafana.annotation("Application ended", f"{before} unless {here}", "{{app_id}}", "blue")
    return grafana.dashboard("flintgauge-application", "flintgauge / Application", "One Spark application, in depth.",
                             variables, [APP_HEADER, SCALE, SIZE, HOLDS_BACK, WHERE, STREAMING, SPREAD, JVM, DRIVER, RESOURCES, PODS_ROW], [lost, began, ended])
