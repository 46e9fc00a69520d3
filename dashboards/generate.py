#!/usr/bin/env python3
"""Writes overview.json and application.json beside this file; with --check only says whether they are up to date."""
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # no cache beside the sources
import grafana
from grafana import row, stat, table, timeline, timeseries

HERE = pathlib.Path(__file__).resolve().parent
AGENT = 'job=~"$job",cluster=~"$cluster"'


def agent(name, more=""):
    """A family of the agent or node: no namespace."""
    return f"{name}{{{AGENT}{',' + more if more else ''}}}"


def tenant(name, more=""):
    return agent(name, 'namespace=~"$namespace"' + ("," + more if more else ""))


def app(name, more=""):
    return tenant(name, 'app_id=~"$application"' + ("," + more if more else ""))


def rate(selector):
    return f"rate({selector}[$__rate_interval])"


def matcher(label, value):
    return f'{label}="{value}"'


def total(selector, by=""):
    return f"sum by ({by}) ({selector})" if by else f"sum({selector})"


def or_zero(expr, witness):
    """0 instead of nothing, but only while `witness` shows that somebody looks."""
    return f"{expr} or 0 * sum({witness})"


CLUSTER = grafana.query_variable("cluster", "Cluster", 'flintgauge_build_info{job=~"$job"}', "cluster", many=True,
                                 hint="Stays at All where no cluster label is set")
JOB = grafana.query_variable("job", "Job", "flintgauge_build_info", "job", many=True, hint="Scrape job of the agents")
KEY = "namespace, app_id"

# ---- overview: tenants, applications -------------------------------------------------------------------------

INFO = tenant("flintgauge_app_info")
PODS = "flintgauge_app_pods"
CPU = "flintgauge_app_cpu_usage_seconds_total"
NAMESPACE_CPU = "flintgauge_namespace_cpu_usage_seconds_total"
DESIRED = tenant("flintgauge_hint_executors_desired")
CURRENT = tenant("flintgauge_hint_executors_current")

HEADER = row("Cluster", [
    stat("Applications", "Spark applications with a pod in the cluster. Normal: what your schedule says.",
         "short", f"count(count by ({KEY}) ({INFO}))"),
    stat("Executors", "Executor pods that run.", "short",
         total(tenant(PODS, 'role="executor",phase="Running"'))),
    stat("Executors pending", "Executor pods that wait for a node. Normal: 0 most of the time. If it stays up, the cluster "
         "is full or a pod asks for what no node has; kubectl describe pod says which.", "short",
         or_zero(total(tenant(PODS, 'role="executor",phase="Pending"')), tenant(PODS)),
         steps=(("green", None), ("orange", 1))),
    stat("CPU of Spark", "CPU that Spark uses, of the cores of all nodes with an agent. High is good use; near 100 % means "
         "that new work waits.", "percentunit",
         f"{total(rate(tenant(CPU)))} / {total(agent('flintgauge_node_cpu_capacity_cores'))}"),
    stat("Memory of Spark", "Working set of Spark, of the memory of all nodes with an agent.", "percentunit",
         f"{total(tenant('flintgauge_app_memory_working_set_bytes'))} / "
         f"{total(agent('flintgauge_node_memory_capacity_bytes'))}"),
    stat("Too small", "Applications whose hint asks for more executors than they have. Normal: some while work arrives; "
         "open the application to see what holds it back.", "short",
         or_zero(f"count({DESIRED} > {CURRENT})", CURRENT), steps=(("green", None), ("orange", 1))),
    stat("OOM kills, 1 h", "Containers and child processes killed for memory in the last hour. Normal: 0. Raise the memory "
         "overhead of the application that the table below names.", "short",
         f"sum(increase({tenant('flintgauge_app_oom_kills_total')}[1h]))", steps=(("green", None), ("red", 1)), decimals=0),
    stat("Targets down", "Endpoints whose last scrape failed. Normal: 0. The agent's own page names the error.", "short",
         or_zero(f"count({agent('flintgauge_target_up')} == 0)", agent("flintgauge_target_up")),
         steps=(("green", None), ("red", 1))),
])


def by_namespace(selector):
    return total(selector, "namespace")


TENANTS = row("Tenants", [
    table("Namespaces", "What each namespace uses and asks for, over all its pods. Requests far over use are what could be "
          "given back.", [
              ("CPU used", "none", by_namespace(rate(tenant(NAMESPACE_CPU)))),
              ("CPU requested", "none", by_namespace(tenant("flintgauge_namespace_cpu_requests_cores"))),
              ("Memory used", "bytes", by_namespace(tenant("flintgauge_namespace_memory_working_set_bytes"))),
              ("Memory requested", "bytes", by_namespace(tenant("flintgauge_namespace_memory_requests_bytes"))),
              ("Applications", "short", f"count by (namespace) (count by ({KEY}) ({INFO}))"),
              ("OOM kills, 1 h", "short",
               f"sum by (namespace) (increase({tenant('flintgauge_namespace_oom_kills_total')}[1h]))"),
          ], ["namespace"], size=(24, 7)),
    timeseries("CPU by namespace", "CPU seconds a second, all pods. Steps show applications that start and end.", "none",
               [(by_namespace(rate(tenant(NAMESPACE_CPU))), "{{namespace}}")], stack=True),
    timeseries("Memory by namespace", "Working set: what the kubelet evicts by.", "bytes",
               [(by_namespace(tenant("flintgauge_namespace_memory_working_set_bytes")), "{{namespace}}")], stack=True),
    timeseries("CPU used of CPU requested", "Near 1 is a good fit. Well under 1: requests could be lowered. Over 1: the "
               "namespace lives on spare CPU and slows down when the node is full.", "percentunit",
               [(f"{by_namespace(rate(tenant(NAMESPACE_CPU)))} / "
                 f"({by_namespace(tenant('flintgauge_namespace_cpu_requests_cores'))} > 0)", "{{namespace}}")]),
    timeseries("Network by namespace", "Bytes received a second by pods with a network of their own.", "Bps",
               [(by_namespace(rate(tenant("flintgauge_namespace_network_receive_bytes_total"))), "{{namespace}}")],
               stack=True),
])


def by_app(selector):
    return total(selector, KEY)


def tasks_by_app(state):
    return f"max by ({KEY}) ({tenant('flintgauge_spark_tasks', matcher('state', state))})"


APPLICATIONS = row("Applications", [
    table("Applications", "Every application with its main numbers; the application id leads to its own dashboard. "
          "Executors wanted over executors: it is too small. Much memory of its limit: it may be killed soon.", [
              ("CPU", "none", by_app(rate(tenant(CPU)))),
              ("Memory", "bytes", by_app(tenant("flintgauge_app_memory_working_set_bytes"))),
              ("Memory limit", "bytes", by_app(tenant("flintgauge_app_memory_limits_bytes"))),
              ("Executors", "short", f"max by ({KEY}) ({CURRENT})"),
              ("Executors wanted", "short", f"max by ({KEY}) ({DESIRED})"),
              ("Tasks running", "short", tasks_by_app("active")),
              ("Tasks waiting", "short", tasks_by_app("pending")),
              ("Tasks failed, 1 h", "short",
               f"max by ({KEY}) (increase({tenant('flintgauge_spark_tasks_failed_total')}[1h]))"),
              ("", "short", f"max by ({KEY}, app_name, spark_version) ({INFO})"),
          ], ["namespace", "app_id", "app_name", "spark_version"], hidden=("Value #I",),
          link=("app_id", "Open the application",
                "/d/flintgauge-application?var-namespace=${__data.fields.namespace}"
                "&var-application=${__data.fields.app_id}&${datasource:queryparam}&${job:queryparam}&${__url_time_range}")),
    timeseries("CPU, ten largest applications", "CPU seconds a second, driver and executors.", "none",
               [(f"topk(10, {by_app(rate(tenant(CPU)))})", "{{namespace}} / {{app_id}}")], stack=True),
    timeseries("Memory, ten largest applications", "Working set of driver and executors.", "bytes",
               [(f"topk(10, {by_app(tenant('flintgauge_app_memory_working_set_bytes'))})", "{{namespace}} / {{app_id}}")],
               stack=True),
    timeseries("Executors missing", "Executors wanted less executors there are, where that is more than 0: how far an "
               "application is behind its work.", "short",
               [(f"clamp_min(max by ({KEY}) ({DESIRED}) - max by ({KEY}) ({CURRENT}), 0)", "{{namespace}} / {{app_id}}")]),
    timeseries("Failed tasks", "Failed tasks a second. Normal: 0; each is work done twice.", "none",
               [(f"max by ({KEY}) ({rate(tenant('flintgauge_spark_tasks_failed_total'))})", "{{namespace}} / {{app_id}}")]),
])

ERRORS = agent("flintgauge_scrape_errors_total")
AGENTS = row("Agents", [
    timeseries("Targets", "Endpoints asked, and those that answered.", "short",
               [(f"count({agent('flintgauge_target_up')})", "asked"), (f"sum({agent('flintgauge_target_up')})", "up")],
               size=(8, 7)),
    timeseries("Scrape errors", "Failed scrapes a second by reason. Reasons: docs of flintgauge_scrape_errors_total.", "none",
               [(f"sum by (reason) ({rate(ERRORS)}) or 0 * sum({rate(agent('flintgauge_scrapes_total'))})", "{{reason}}")],
               size=(8, 7)),
    timeseries("Age of data", "Oldest block of each source over all agents. Normal: under two scrape intervals.", "s",
               [(f"max by (source) ({agent('flintgauge_store_block_age_seconds')})", "{{source}}")], size=(8, 7)),
    timeseries("Series", "Series of the fullest agent, and its budget. At the budget, applications are summed under "
               "__overflow__.", "short",
               [(f"max(sum by (job, instance) ({agent('flintgauge_series')}))", "fullest agent"),
                (f"min({agent('flintgauge_series_limit', matcher('scope', 'node'))})", "budget")], size=(8, 7)),
    timeseries("CPU of the agents", "CPU seconds a second: mean and greatest agent.", "none",
               [(f"avg({rate(agent('process_cpu_seconds_total'))})", "mean"),
                (f"max({rate(agent('process_cpu_seconds_total'))})", "greatest")], size=(8, 7)),
    timeseries("Memory of the agents", "Resident memory: mean and greatest agent.", "bytes",
               [(f"avg({agent('process_resident_memory_bytes')})", "mean"),
                (f"max({agent('process_resident_memory_bytes')})", "greatest")], size=(8, 7)),
], collapsed=True)


def overview():
    namespace = grafana.query_variable("namespace", "Namespace", f"flintgauge_namespace_pods{{{AGENT}}}", "namespace",
                                       many=True, hint="Tenants to show")
    return grafana.dashboard("flintgauge-overview", "flintgauge / Overview", "Tenants and Spark applications of a cluster.",
                             [JOB, CLUSTER, namespace], [HEADER, TENANTS, APPLICATIONS, AGENTS])


# ---- one application -----------------------------------------------------------------------------------------------

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
    stat("Executors", "Executors registered with the driver.", "short", hint("executors_current")),
    stat("Executors wanted", "The hint: how many would end the known work in the drain target. docs/hints.md has the "
         "formula.", "short", hint("executors_desired"), steps=(("blue", None),)),
    stat("Confidence", "How much the hint rests on: tasks seen, time observed, age of the data. Under 0.3 it is Spark's own "
         "number.", "percentunit", hint("confidence_ratio"), steps=(("red", None), ("orange", 0.3), ("green", 0.7))),
    stat("Backlog", "Time the executors there are would need for the known work.", "s", hint("backlog_seconds"),
         steps=(("green", None), ("orange", 300))),
    stat("Tasks running", "Tasks that run now.", "short", spark("tasks", 'state="active"')),
    stat("Tasks waiting", "Tasks of active stages that wait for a slot.", "short", spark("tasks", 'state="pending"')),
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
                (hint("executors_max"), "most")]),
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
    timeseries("Shuffle", "Bytes a second.", "Bps", [(spark_rate("shuffle_read_bytes_total"), "read"),
                                                     (spark_rate("shuffle_write_bytes_total"), "written")]),
    timeseries("Input and output", "Bytes a second that tasks read from and write to storage.", "Bps",
               [(spark_rate("input_bytes_total"), "read"), (spark_rate("output_bytes_total"), "written")]),
    timeseries("Spill", "Bytes a second that did not fit into memory. Normal: 0. More memory for each task, or more "
               "partitions.", "Bps", [(spark_rate("memory_spilled_bytes_total"), "size in memory"),
                                      (spark_rate("disk_spilled_bytes_total"), "size on disk")]),
])

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
    timeseries("Network", "Bytes a second of the application's pods.", "Bps",
               [(by_role(rate(app("flintgauge_app_network_receive_bytes_total"))), "{{role}} received"),
                (by_role(rate(app("flintgauge_app_network_transmit_bytes_total"))), "{{role}} sent")]),
    timeseries("Disk", "Bytes a second to and from block devices.", "Bps",
               [(by_role(rate(app("flintgauge_app_fs_read_bytes_total"))), "{{role}} read"),
                (by_role(rate(app("flintgauge_app_fs_written_bytes_total"))), "{{role}} written")]),
])

PODS_ROW = row("Pods", [
    timeseries("Pods", "Pods by role and phase. Pending executors wait for a node.", "short",
               [(f"sum by (role, phase) ({app(PODS)})", "{{role}} {{phase}}")], stack=True),
    timeseries("Restarts and OOM kills", "In five minutes. Normal: 0.", "short",
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
    return grafana.dashboard("flintgauge-application", "flintgauge / Application", "One Spark application, in depth.",
                             variables, [APP_HEADER, SCALE, WHERE, RESOURCES, PODS_ROW], [lost])


def main():
    stale = []
    for name, build in (("overview.json", overview), ("application.json", application)):
        text = json.dumps(build(), indent=1) + "\n"
        file = HERE / name
        if "--check" in sys.argv[1:]:
            if not file.exists() or file.read_text() != text:
                stale.append(name)
        else:
            file.write_text(text)
    if stale:
        print(f"{', '.join(stale)}: not what generate.py makes; run dashboards/generate.py and look at the difference")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
