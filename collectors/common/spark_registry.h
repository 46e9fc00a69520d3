// Names of Spark's metrics registries (Dropwizard), as the sinks spell them, and what they measure.
//
// A registry name is NAMESPACE.INSTANCE.SOURCE.METRIC (spark.md section 1): the namespace is the application
// id unless the user set spark.metrics.namespace, and may hold dots; the instance is "driver" or the
// executor's number. Sinks with labels or underscores spell the same name mangled. What a name claims about
// its application is only a claim: identity comes from the pod that was asked or that sent.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flintgauge/collector.h"
#include "flintgauge/measure.h"

namespace flintgauge {

/// Longer names are nobody's: the longest real one has 142 bytes (spark.md section 5.2).
inline constexpr std::size_t kMaxRegistryName = 1024;

/// A registry name in its parts; views into the text that was parsed.
struct RegistryName {
  std::string_view namespace_name;  ///< as claimed, without the configured prefix
  std::string_view instance;        ///< "driver", or the executor's number
  std::string_view source;   ///< "DAGScheduler", "executor", "spark.streaming", "StreamingMetrics", ...
  std::string_view query;    ///< source spark.streaming: the query's name, or its UUID when it has none
  std::string_view metric;   ///< "job.activeJobs"; may hold dots and class names
  bool known_source = true;  ///< false: accepted only because the namespace is the known one
};

/// The parts of a dotted name: the leftmost "driver" or number that a known source follows ends the
/// namespace. `prefix` (a sink's own, without its last dot) is taken off when the name begins with it. A
/// source that is not known is accepted when the namespace equals `known_namespace`. Nothing for names
/// without instance: of masters, workers, and of drivers that have no application id yet.
std::optional<RegistryName> parse_registry_name(std::string_view name, std::string_view prefix = {},
                                                std::string_view known_namespace = {});

/// PrometheusServlet's spelling: every byte but ASCII letters and digits becomes '_'.
std::string mangle_registry_name(std::string_view text);

/// What follows "metrics_NAMESPACE_driver_" (or _NUMBER_) in a mangled name:
/// "DAGScheduler_job_activeJobs_Value". `own_namespace` is tried first, mangled; else the leftmost "_driver_"
/// or "_NUMBER_" that a known source follows ends the namespace. Nothing for other names.
struct MangledName {
  std::string_view namespace_name;  ///< as claimed, mangled
  std::string_view instance;
  std::string_view rest;  ///< SOURCE_METRIC_SUFFIX
};
std::optional<MangledName> parse_mangled_name(std::string_view name, std::string_view own_namespace_mangled);
/// The same without "metrics_" before it, as the sink for a Pushgateway writes it; a name that begins with a
/// known source has neither namespace nor instance: users cut them off.
std::optional<MangledName> parse_pushgateway_name(std::string_view name, std::string_view own_mangled);

/// How the numbers reached us; it decides the unit of timers (spark.md section 4.1).
enum class RegistryChannel : std::uint8_t {
  kJson,
  kGraphite,
  kStatsd,
  kJmx,
  kPrometheusServlet,
  kPushgateway
};

/// Seconds per unit of a timer's durations: 1e-3 in JSON, Graphite, StatsD and JMX, 1e-9 in
/// PrometheusServlet, 1 in Pushgateway's.
double timer_unit_seconds(RegistryChannel channel);

/// Dropwizard's kinds that carry one number worth taking here; timers and histograms are known by their
/// count.
enum class RegistryKind : std::uint8_t { kGauge, kCounter };
enum class RegistryUnit : std::uint8_t { kOne, kMilliseconds, kNanoseconds, kMebibytes };

/// A number in base units (seconds, bytes, counts). The same on every channel: gauges and counters are never
/// converted by a sink.
double to_base(RegistryUnit unit, double value);

/// A metric that somebody wants.
struct RegistryMetric {
  std::string_view source;
  std::string_view metric;  ///< "*" stands for anything: several series, whose values add up
  RegistryKind kind;
  RegistryUnit unit;
  Scope scope;  ///< kExecutor: of the instance named; on the driver only in local mode. kQuery: of the query
  Measure measure;
};

/// An instance has one of it. Streaming queries and listener queues, of which there may be several, are the
/// driver's pages to tell.
constexpr bool is_single(const RegistryMetric& metric) {
  return metric.scope != Scope::kQuery && metric.metric.find('*') == std::string_view::npos;
}

/// The metric of a parsed dotted name; null when nobody wants it. `suffix`: the name may end in ".count", as
/// counters do in Graphite.
enum class CountSuffix : bool { kNone, kGraphite };
const RegistryMetric* find_registry_metric(const RegistryName& name, CountSuffix suffix = CountSuffix::kNone);

/// The metric of "SOURCE_METRIC_Value" (gauges) or "SOURCE_METRIC_Count" (counters) as PrometheusServlet
/// writes it; null when nobody wants it. "_Number" is the same gauge once more: null.
const RegistryMetric* find_servlet_metric(std::string_view rest);

/// The metric of "SOURCE_METRIC" as the sink for a Pushgateway writes gauges and counters alike; null when
/// nobody wants it, and for those of which there are several.
const RegistryMetric* find_pushgateway_metric(std::string_view rest);

/// A metric of a streaming query, mangled: "spark_streaming_QUERY_METRIC_Value". The query is as it stands
/// there, mangled too.
struct QueryMetric {
  const RegistryMetric* metric;
  std::string_view query;
};
std::optional<QueryMetric> find_servlet_query(std::string_view rest);
/// The same in a name that a JMX exporter's rules made: spark_spark_streaming_orders_latency.
std::optional<QueryMetric> find_jmx_query(std::string_view name);

/// The metric of a name that a JMX exporter's rules made, and which instance it says ("" when it does not):
/// spark_driver_dagscheduler_job_activejobs, spark_executor_runtime_type_counters_count,
/// spark_executor_runTime_total, spark_executor_runTime (spark.md section 6). Letters' case does not matter.
const RegistryMetric* find_jmx_metric(std::string_view name);

/// What DStreams are called among an application's queries.
inline constexpr std::string_view kDStreamsQuery = "__dstreams__";

/// Where a sample of the metric goes. `instance`: "driver" or the executor's id, from whom is trusted.
Route registry_route(const RegistryMetric& metric, std::string_view instance, std::string_view query = {});

/// The unit of the metrics that feed a measure: they all have the same one.
RegistryUnit unit_of_measure(Measure measure);

/// Is it the name of a registry source (the first part of one)?
bool is_known_source(std::string_view head);

}  // namespace flintgauge
