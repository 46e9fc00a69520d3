"""What the hints say of all applications, beside what there is and what dynamic allocation does."""
import grafana
from grafana import row, stat, table, timeline, timeseries
from queries import AGENT, CLUSTER, JOB, KEY, PODS, agent, app, matcher, or_zero, rate, total

NAME = "{{namespace}}/{{app_id}}"
EXECUTOR, DRIVER = matcher("role", "executor"), matcher("role", "driver")


def one(selector):
    """A line for each application; two agents may both show one for a moment, so the greatest counts."""
    return f"max by ({KEY}) ({selector})"


def hint(name):
    return one(app("flintgauge_hint_" + name))


def spark(state):
    return one(app("flintgauge_spark_executors", matcher("state", state)))


CURRENT, DESIRED, PARITY = hint("executors_current"), hint("executors_desired"), hint("executors_parity")
SHORT = f"clamp_min({DESIRED} - {CURRENT}, 0)"
PER_EXECUTOR = f"(sum by ({KEY}) ({app(PODS, EXECUTOR + ',' + matcher('phase', 'Running'))}) > 0)"


def requested(family):
    """Of one executor: the mean over those that run, of all nodes."""
    return f"sum by ({KEY}) ({app(family, EXECUTOR)}) / {PER_EXECUTOR}"


def memory_hint(suffix, part, role="executor"):
    return one(app(f"flintgauge_hint_{role}_memory_{suffix}bytes", matcher("part", part)))


def memory_parts(role):
    selector = app(f"flintgauge_hint_{role}_memory_bytes", 'part!="total"')
    return f"max by ({KEY}, part) ({selector})"


MEMORY = requested("flintgauge_app_memory_requests_bytes")
CPU = requested("flintgauge_app_cpu_requests_cores")


def of_driver(family):
    """An application has one driver; the agent of its node tells of it."""
    return one(app(family, DRIVER))


def workers(family):
    """Here the label cluster is that of the standalone cluster, so the variable of that name must not choose."""
    selector = f'{family}{{job=~"$job",namespace=~"$namespace"}}'
    return f"max by (namespace, cluster) ({selector})"


NOW = row("Now", [
    stat("Applications with a hint", "Applications whose driver answered lately. Fewer than there are: open Targets on the agents' own "
         "pages; a hint is never made of old data.", "short", f"count({DESIRED})"),
    stat("Executors there", "Executors registered with their drivers. Normal: near the number wanted.", "short", f"sum({CURRENT})"),
    stat("Executors wanted", "What would end the known work in the drain target, over all applications. docs/hints.md has the formula.",
         "short", f"sum({DESIRED})", steps=(("blue", None),)),
    stat("Spark's own number", "What dynamic allocation would ask for: one slot for each task. Far above the number wanted: executors that "
         "would come too late to help.", "short", f"sum({PARITY})", steps=(("blue", None),)),
    stat("Missing", "Executors wanted and not there. Normal: falls within minutes; if not, the row of unmet demand says what holds "
         "them up.", "short", f"sum({SHORT})", steps=(("green", None), ("orange", 1))),
    stat("Cut off by quota", "Executors wanted that no quota has room for. Normal: 0. A node agent knows no quota; a hub does.", "short",
         f"sum({hint('executors_unmet')})", steps=(("green", None), ("orange", 1))),
    stat("Idle cores", "Cores of executors that neither run a task nor hold cached blocks or tracked shuffle files. Normal: under a tenth of all; lower minExecutors "
         "or the idle timeout.", "none", total(rate(app("flintgauge_hint_wasted_core_seconds_total"))), decimals=1),
    stat("Least confidence", "The lowest confidence of any hint. Under 0.3 a hint is Spark's own number: little was seen yet.",
         "percentunit", f"min({hint('confidence_ratio')})", steps=(("red", None), ("orange", 0.3), ("green", 0.7))),
])

TABLE = row("Applications", [
    table("Hints", "Each application: executors there, wanted, what dynamic allocation would ask for and asks for, and how sure the hint is. "
          "Sort by a column; the application's page has every term.", [
              ("There", "short", CURRENT), ("Wanted", "short", DESIRED), ("Wanted, stable", "short", hint("executors_desired_stable")),
              ("Spark's own number", "short", PARITY), ("Spark's target", "short", spark("target")), ("Idle", "short", hint("executors_idle")),
              ("Backlog", "s", hint("backlog_seconds")), ("Confidence", "percentunit", hint("confidence_ratio"))],
          ["namespace", "app_id"],
          link=("app_id", "Application", "/d/flintgauge-application?var-namespace=${__data.fields.namespace}&var-application=${__value.raw}")),
])

EXECUTORS = row("Executors: wanted against there, dynamic allocation beside them", [
    timeseries("Wanted and there", "The hint against what is registered. Normal: the lines meet within the start-up of an executor.", "short",
               [(DESIRED, NAME + " wanted"), (CURRENT, NAME + " there")]),
    timeseries("Dynamic allocation", "Spark's own number without bounds, and the target it has set. Far above the hint: it would start "
               "executors for work that is over when they come.", "short",
               [(PARITY, NAME + " own number"), (spark("target"), NAME + " target"), (DESIRED, NAME + " hint")]),
    timeline("What decides", "The term that decided each hint: backlog asks for more; drain and startup_bound say it is enough; parity is "
             "Spark's own number; the others are bounds.",
             f"max by ({KEY}, reason) ({app('flintgauge_hint_reason')} == 1)", NAME + " {{reason}}"),
    timeline("What holds it back", "The classifier's answer for the last minutes. unknown: the data do not decide. docs/hints.md says what "
             "to do about each kind.", f"max by ({KEY}, kind) ({app('flintgauge_app_bottleneck')} == 1)", NAME + " {{kind}}"),
    timeseries("By rate", "Streaming: executors that a query needs to keep up with its input. Above those there: it was slower than its "
               "input for three batches.", "short", [(hint("executors_by_rate"), NAME)]),
    timeseries("Start-up", "Time from an executor's pod to its registration, measured on the driver's node, else the setting. Minutes: "
               "images are pulled or nodes are made; keep some executors.", "s", [(hint("startup_seconds"), NAME)]),
])

MEMORY_ROW = row("Size of an executor: wanted, requested, used", [
    timeseries("Memory by part", "What an executor should have at its next run, by part. Set spark.executor.memory and memoryOverhead by "
               "the lines on the application's page.", "bytes",
               [(memory_parts("executor"), NAME + " {{part}}")], stack=True),
    timeseries("Memory against request and working set", "The whole executor: wanted, requested, and the working set of the largest one. A "
               "working set near the request: it is likely to be killed. Wanted far below: it can be smaller.", "bytes",
               [(memory_hint("", "total"), NAME + " wanted"), (MEMORY, NAME + " requested"),
                (one(app("flintgauge_app_memory_working_set_max_bytes", EXECUTOR)), NAME + " largest working set")]),
    timeseries("Bounds", "By the median and by the 95th percentile of the peaks. Far apart: runs differ, keep to the upper one.", "bytes",
               [(memory_hint("lower_", "total"), NAME + " lower"), (memory_hint("upper_", "total"), NAME + " upper")]),
    timeseries("CPU", "CPU that an executor should request, what it requests, and what it uses on average. Used far below: the cores could "
               "be given back.", "none",
               [(hint("executor_cpu_cores"), NAME + " wanted"), (CPU, NAME + " requested"),
                (f"sum by ({KEY}) ({rate(app('flintgauge_app_cpu_usage_seconds_total', EXECUTOR))}) / {PER_EXECUTOR}", NAME + " used")]),
    timeseries("Bounds of the CPU", "By the median and by the 95th percentile of the minutes. Far apart: the load comes in bursts; a request "
               "by the lower one relies on what neighbours leave.", "none",
               [(hint("executor_cpu_lower_cores"), NAME + " lower"), (hint("executor_cpu_upper_cores"), NAME + " upper")]),
    timeseries("Confidence in the size", "1 after five runs of a job and ten executors. Under 0.6 the hint never goes below what is "
               "configured: wait for more runs.", "percentunit", [(hint("executor_confidence_ratio"), NAME)], max=1),
])

DRIVER_ROW = row("Size of a driver: wanted, requested, used", [
    timeseries("Driver's memory by part", "What a driver should have at its next run, by part. Set spark.driver.memory and memoryOverhead by "
               "the lines on the application's page.", "bytes", [(memory_parts("driver"), NAME + " {{part}}")], stack=True),
    timeseries("Driver's memory against request and working set", "The whole pod: wanted, requested, and its working set. A working set near "
               "the request: it is likely to be killed, and the application with it.", "bytes",
               [(memory_hint("", "total", "driver"), NAME + " wanted"),
                (of_driver("flintgauge_app_memory_requests_bytes"), NAME + " requested"),
                (of_driver("flintgauge_app_memory_working_set_max_bytes"), NAME + " working set")]),
    timeseries("Bounds of the driver's memory", "By the median and by the 95th percentile of its runs' peaks. Far apart: what it collects "
               "differs from run to run, keep to the upper one.", "bytes",
               [(memory_hint("lower_", "total", "driver"), NAME + " lower"), (memory_hint("upper_", "total", "driver"), NAME + " upper")]),
    timeseries("Driver's CPU", "CPU that a driver should request, what it requests, and what it uses. Used at its request while no task runs: "
               "it plans or collects, give it more.", "none",
               [(hint("driver_cpu_cores"), NAME + " wanted"), (of_driver("flintgauge_app_cpu_requests_cores"), NAME + " requested"),
                (f"sum by ({KEY}) ({rate(app('flintgauge_app_cpu_usage_seconds_total', DRIVER))})", NAME + " used")]),
    timeseries("Bounds of the driver's CPU", "By the median and by the 95th percentile of the minutes. Far apart: it works in bursts, at the "
               "start of jobs; keep to the upper one where they wait for it.", "none",
               [(hint("driver_cpu_lower_cores"), NAME + " lower"), (hint("driver_cpu_upper_cores"), NAME + " upper")]),
    timeseries("Confidence in the driver's size", "1 after five runs of a job, each has one driver. Under 0.6 the hint never goes below what "
               "is configured: wait for more runs.", "percentunit", [(hint("driver_confidence_ratio"), NAME)], max=1),
], collapsed=True)

UNMET = row("Demand that is not met", [
    timeseries("Missing executors", "Wanted and not there, and the part that a quota cuts off. Stays up: see the pods beside.", "short",
               [(SHORT, NAME + " missing"), (hint("executors_unmet"), NAME + " cut off by quota")]),
    timeseries("Executor pods pending", "Pods that a node has taken and that have not started; a pod that no node has is not seen here. "
               "Executors missing and none pending: quota, or no node has room.", "short",
               [(or_zero(f"sum by ({KEY}) ({app(PODS, EXECUTOR + ',' + matcher('phase', 'Pending'))})", app(PODS)), NAME)]),
    timeseries("Backlog", "Time the executors there are would need for the known work. Over the drain target (120 s) more are wanted.", "s",
               [(hint("backlog_seconds"), NAME)]),
    timeseries("Room on the nodes", "Executors of this size that nodes with one still hold, and that they would hold empty. 0 free and executors "
               "missing: the nodes are full. 0 when empty: no node of this kind is large enough.", "short",
               [(f"sum by ({KEY}) ({app('flintgauge_hint_node_executors_free')})", NAME + " free"),
                (f"sum by ({KEY}) ({app('flintgauge_hint_node_executors')})", NAME + " empty")]),
    timeseries("Workers of standalone clusters", "What the executors wanted need, and what is alive. Apart for minutes: the Deployment that "
               "follows the hint is at its bound, or its pods are pending.", "short",
               [(workers("flintgauge_hint_workers_desired"), "{{namespace}}/{{cluster}} wanted"),
                (workers("flintgauge_spark_cluster_alive_workers"), "{{namespace}}/{{cluster}} alive")]),
    timeseries("Hints withheld", "Evaluations of an application a second that gave no number of executors, by reason. Normal: 0 but for the "
               "first seconds of a driver. stale: it does not answer, see Targets on the agent's own page.", "none",
               [(f"sum by (reason) ({rate(agent('flintgauge_hints_withheld_total'))})", "{{reason}}")]),
])

SAVED = row("Saved and wasted", [
    timeseries("Idle cores", "Cores of executors without a task or a cached block. Normal: short peaks at the end of stages.", "none",
               [(one(rate(app("flintgauge_hint_wasted_core_seconds_total"))), NAME)], stack=True),
    timeseries("Executors not asked for", "Spark's own number less the hint: executors that would have come after the work. Their start-up "
               "is what following the hint saves.", "short", [(f"clamp_min({PARITY} - {DESIRED}, 0)", NAME)], stack=True),
    timeseries("Memory to give back", "Requests of all running executors less what they should have. The next run with the hint's lines "
               "saves it.", "bytes",
               [(f"clamp_min(({MEMORY} - {memory_hint('', 'total')}) * {PER_EXECUTOR}, 0)", NAME)], stack=True),
    timeseries("Waste of a node", "Part of an empty node that executors of this size cannot use, by resource. Over a quarter: another size "
               "would fit better.", "percentunit",
               [(f"max by ({KEY}, resource) ({app('flintgauge_hint_node_waste_ratio')})", NAME + " {{resource}}")], max=1),
])


def hints():
    info = f"flintgauge_app_info{{{AGENT}}}"
    in_namespace = f'flintgauge_app_info{{{AGENT},namespace=~"$namespace"}}'
    variables = [
        JOB, CLUSTER,
        grafana.query_variable("namespace", "Namespace", info, "namespace", many=True, hint="Tenants"),
        grafana.query_variable("application", "Application", in_namespace, "app_id", many=True, hint="Application ids"),
    ]
    here = f"max by ({KEY}) ({app('flintgauge_app_info')})"
    before = f"max by ({KEY}) ({app('flintgauge_app_info')} offset 1m)"
    began = grafana.annotation("Application started", f"{here} unless {before}", "{{app_id}}", "green")
    ended = grafana.annotation("Application ended", f"{before} unless {here}", "{{app_id}}", "blue")
    return grafana.dashboard("flintgauge-hints", "flintgauge / Hints", "What applications should have, against what they have.",
                             variables, [NOW, TABLE, EXECUTORS, MEMORY_ROW, DRIVER_ROW, UNMET, SAVED], [began, ended])
