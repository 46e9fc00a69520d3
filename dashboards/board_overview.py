"""The overview: tenants, applications, tools beside Spark, the agents themselves."""
import grafana
from grafana import row, stat, table, timeseries
from queries import AGENT, CLUSTER, CPU, JOB, KEY, PODS, agent, matcher, or_zero, rate, tenant, total

INFO = tenant("flintgauge_app_info")
NAMESPACE_CPU = "flintgauge_namespace_cpu_usage_seconds_total"
DESIRED = tenant("flintgauge_hint_executors_desired")
CURRENT = tenant("flintgauge_hint_executors_current")

HEADER = row("Cluster", [
    stat("Applications", "Spark applications with a pod in the cluster. Normal: what your schedule says.",
         "short", f"count(count by ({KEY}) ({INFO}))"),
    stat("Executors", "Executor pods that run. Normal: follows the schedule of the jobs; a sudden fall with applications still there is a "
         "lost node or an eviction.", "short",
         total(tenant(PODS, 'role="executor",phase="Running"'))),
    stat("Executors pending", "Executor pods that wait for a node. Normal: 0 most of the time. If it stays up, the cluster "
         "is full or a pod asks for what no node has; kubectl describe pod says which.", "short",
         or_zero(total(tenant(PODS, 'role="executor",phase="Pending"')), tenant(PODS)),
         steps=(("green", None), ("orange", 1))),
    stat("CPU of Spark", "CPU that Spark uses, of the cores of all nodes with an agent. High is good use; near 100 % means "
         "that new work waits.", "percentunit",
         f"{total(rate(tenant(CPU)))} / {total(agent('flintgauge_node_cpu_capacity_cores'))}"),
    stat("Memory of Spark", "Working set of Spark, of the memory of all nodes with an agent. Normal: under 80 %; above it the kubelets "
         "begin to evict pods.", "percentunit",
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
    timeseries("CPU by namespace", "CPU seconds a second, all pods. Steps show applications that start and end; a flat line at a "
               "namespace's quota means that its work waits.", "none",
               [(by_namespace(rate(tenant(NAMESPACE_CPU))), "{{namespace}}")], stack=True),
    timeseries("Memory by namespace", "Working set: what the kubelet evicts by. Normal: steps, as CPU; a slope that never ends is a leak or a "
               "cache without a bound.", "bytes",
               [(by_namespace(tenant("flintgauge_namespace_memory_working_set_bytes")), "{{namespace}}")], stack=True),
    timeseries("CPU used of CPU requested", "Near 1 is a good fit. Well under 1: requests could be lowered. Over 1: the "
               "namespace lives on spare CPU and slows down when the node is full.", "percentunit",
               [(f"{by_namespace(rate(tenant(NAMESPACE_CPU)))} / "
                 f"({by_namespace(tenant('flintgauge_namespace_cpu_requests_cores'))} > 0)", "{{namespace}}")]),
    timeseries("Network by namespace", "Bytes received a second by pods with a network of their own. A namespace far above the others "
               "shuffles much or reads from far away: look at its applications' shuffle.", "Bps",
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
    timeseries("CPU, ten largest applications", "CPU seconds a second, driver and executors. One that stays at the top for hours is the first to "
               "look at when the cluster is full.", "none",
               [(f"topk(10, {by_app(rate(tenant(CPU)))})", "{{namespace}} / {{app_id}}")], stack=True),
    timeseries("Memory, ten largest applications", "Working set of driver and executors. Compare with the limit in the table above before you "
               "ask its owner for less.", "bytes",
               [(f"topk(10, {by_app(tenant('flintgauge_app_memory_working_set_bytes'))})", "{{namespace}} / {{app_id}}")],
               stack=True),
    timeseries("Executors missing", "Executors wanted less executors there are, where that is more than 0: how far an "
               "application is behind its work.", "short",
               [(f"clamp_min(max by ({KEY}) ({DESIRED}) - max by ({KEY}) ({CURRENT}), 0)", "{{namespace}} / {{app_id}}")]),
    timeseries("Failed tasks", "Failed tasks a second. Normal: 0; each is work done twice.", "none",
               [(f"max by ({KEY}) ({rate(tenant('flintgauge_spark_tasks_failed_total'))})", "{{namespace}} / {{app_id}}")]),
])



def tool(name, more=""):
    return tenant("flintgauge_tool_" + name, more)


def of_tool(selector):
    return by_namespace(selector), "{{namespace}}"


SPAWNS = rate(tool("jupyter_spawns_total", matcher("status", "success")))
TOOLS = row("Tools", [
    timeseries("Kafka, bytes", "Bytes a second that brokers received from producers and sent to consumers. Normal: sent is received times the "
               "number of consumer groups. Received without sent: nobody reads; see the lag.", "Bps",
               [(by_namespace(rate(tool("kafka_received_bytes_total"))), "{{namespace}} received"),
                (by_namespace(rate(tool("kafka_sent_bytes_total"))), "{{namespace}} sent")], size=(8, 7)),
    timeseries("Kafka, messages", "Messages a second that brokers received from producers. Normal: follows the day; 0 is a producer that "
               "stopped, and streams that wait for it.", "none", [of_tool(rate(tool("kafka_received_messages_total")))], size=(8, 7)),
    timeseries("Kafka, consumer lag", "Messages that consumer groups have not read yet, as kafka_exporter tells. Normal: a saw-tooth as wide as "
               "one batch. A line that only rises is a stream that is too small or stands still. Structured "
               "Streaming commits no offsets by itself: its queries are missing here.", "short", [of_tool(tool("kafka_consumer_lag_messages"))], size=(8, 7)),
    timeseries("Kafka, under-replicated partitions", "Partitions with fewer replicas in sync than they should have. Normal: 0; some while a broker "
               "restarts. If it stays up, a broker is gone or its disk is slow.", "short",
               [of_tool(tool("kafka_under_replicated_partitions"))], size=(8, 7)),
    timeseries("Jupyter, servers and kernels", "User servers that hubs say are running, and kernels of notebook servers. Normal: as many as people "
               "at work. Servers at night hold requests that nobody uses: let the hub cull them.", "short",
               [(by_namespace(tool("jupyter_running_servers")), "{{namespace}} servers"),
                (by_namespace(tool("jupyter_running_kernels")), "{{namespace}} kernels")], size=(8, 7)),
    timeseries("Jupyter, start of a server", "Mean time from a click to a running server. Normal: under 30 s; minutes are an image that must be "
               "pulled or pods that wait for a node.", "s",
               [(f"{by_namespace(rate(tool('jupyter_spawn_seconds_total')))} / ({by_namespace(SPAWNS)} > 0)", "{{namespace}}")],
               size=(8, 7)),
    timeseries("Jupyter, failed starts", "User servers that did not start, in the last hour. Normal: 0; each is somebody who waits. The hub's log "
               "names the reason.", "short",
               [of_tool(f"increase({tool('jupyter_spawns_total', matcher('status', 'failure'))}[1h])")], size=(8, 7)),
    timeseries("Zeppelin", "Interpreter groups, each a process of its own with its memory, and browsers connected to notebooks. Normal: no more "
               "groups than people; groups without browsers are left over.", "short",
               [(by_namespace(tool("zeppelin_interpreter_groups")), "{{namespace}} interpreter groups"),
                (by_namespace(tool("zeppelin_connections")), "{{namespace}} browsers")], size=(8, 7)),
    timeseries("Pods of tools", "Pods whose page tells numbers of the tool. Normal: as many as are annotated with prometheus.io/scrape; one less "
               "is a pod that does not answer.", "short",
               [(f"sum by (namespace, workload) ({tool('pods')})", "{{namespace}} {{workload}}")], size=(8, 7)),
], collapsed=True)

ERRORS = agent("flintgauge_scrape_errors_total")
AGENTS = row("Agents", [
    timeseries("Targets", "Endpoints asked, and those that answered. Normal: both lines on each other; an agent's own page names "
               "the error of each one that is missing.", "short",
               [(f"count({agent('flintgauge_target_up')})", "asked"), (f"sum({agent('flintgauge_target_up')})", "up")],
               size=(8, 7)),
    timeseries("Scrape errors", "Failed scrapes a second by reason. Normal: 0, and a few when drivers start or end. tls and auth: "
               "see the table in deploy/README.md.", "none",
               [(f"sum by (reason) ({rate(ERRORS)}) or 0 * sum({rate(agent('flintgauge_scrapes_total'))})", "{{reason}}")],
               size=(8, 7)),
    timeseries("Age of data", "Oldest block of each source over all agents. Normal: under two scrape intervals.", "s",
               [(f"max by (source) ({agent('flintgauge_store_block_age_seconds')})", "{{source}}")], size=(8, 7)),
    timeseries("Series", "Series of the fullest agent, and its budget. At the budget, applications are summed under "
               "__overflow__.", "short",
               [(f"max(sum by (job, instance) ({agent('flintgauge_series')}))", "fullest agent"),
                (f"min({agent('flintgauge_series_limit', matcher('scope', 'node'))})", "budget")], size=(8, 7)),
    timeseries("CPU of the agents", "CPU seconds a second: mean and greatest agent. Normal: under 0.01 for 250 pods at 10 s; much more: "
               "look at slow lines and at the number of Spark drivers.", "none",
               [(f"avg({rate(agent('process_cpu_seconds_total'))})", "mean"),
                (f"max({rate(agent('process_cpu_seconds_total'))})", "greatest")], size=(8, 7)),
    timeseries("Memory of the agents", "Resident memory: mean and greatest agent. Normal: 20 MiB and 60 KiB a pod; it must be flat while the "
               "number of pods is.", "bytes",
               [(f"avg({agent('process_resident_memory_bytes')})", "mean"),
                (f"max({agent('process_resident_memory_bytes')})", "greatest")], size=(8, 7)),
], collapsed=True)


def overview():
    namespace = grafana.query_variable("namespace", "Namespace", f"flintgauge_namespace_pods{{{AGENT}}}", "namespace",
                                       many=True, hint="Tenants to show")
    return grafana.dashboard("flintgauge-overview", "flintgauge / Overview", "Tenants and Spark applications of a cluster.",
                             [JOB, CLUSTER, namespace], [HEADER, TENANTS, APPLICATIONS, TOOLS, AGENTS])
