#include "collectors/common/spark_registry.h"

#include <algorithm>
#include <array>
#include <functional>

namespace flintgauge {
namespace {

constexpr auto kSources = std::to_array<std::string_view>(
    {"BlockManager", "DAGScheduler", "LiveListenerBus", "ExecutorAllocationManager", "ExecutorMetrics",
     "JVMCPU", "jvm", "appStatus", "HiveExternalCatalog", "CodeGenerator", "executor", "NettyBlockTransfer",
     "ExternalShuffle", "AccumulatorSource", "spark", "plugin"});

constexpr std::string_view kStreaming = "spark.streaming";
constexpr std::string_view kDStreams = "StreamingMetrics";
constexpr std::string_view kDStreamMetrics = ".StreamingMetrics.streaming.";
constexpr std::string_view kDriver = "driver";

using enum RegistryKind;
using enum RegistryUnit;

// spark.md section 4.1.
constexpr auto kMetrics = std::to_array<RegistryMetric>({
    {"DAGScheduler", "job.activeJobs", kGauge, kOne, Scope::kDriver, Measure::kDriverActiveJobs},
    {"DAGScheduler", "stage.runningStages", kGauge, kOne, Scope::kDriver, Measure::kDriverRunningStages},
    {"DAGScheduler", "stage.waitingStages", kGauge, kOne, Scope::kDriver, Measure::kDriverWaitingStages},
    {"ExecutorAllocationManager", "executors.numberMaxNeededExecutors", kGauge, kOne, Scope::kDriver,
     Measure::kDriverMaxNeededExecutors},
    {"ExecutorAllocationManager", "executors.numberTargetExecutors", kGauge, kOne, Scope::kDriver,
     Measure::kDriverTargetExecutors},
    {"ExecutorAllocationManager", "executors.numberExecutorsToAdd", kGauge, kOne, Scope::kDriver,
     Measure::kDriverExecutorsToAdd},
    {"ExecutorAllocationManager", "executors.numberExecutorsPendingToRemove", kGauge, kOne, Scope::kDriver,
     Measure::kDriverExecutorsPendingToRemove},
    {"ExecutorAllocationManager", "executors.numberDecommissioningExecutors", kGauge, kOne, Scope::kDriver,
     Measure::kDriverExecutorsDecommissioning},
    {"BlockManager", "memory.memUsed_MB", kGauge, kMebibytes, Scope::kDriver,
     Measure::kDriverStorageMemoryUsedBytes},
    {"BlockManager", "memory.maxMem_MB", kGauge, kMebibytes, Scope::kDriver,
     Measure::kDriverStorageMemoryMaxBytes},
    {"ExecutorMetrics", "JVMHeapMemory", kGauge, kOne, Scope::kDriver, Measure::kDriverHeapUsedBytes},
    {"ExecutorMetrics", "TotalGCTime", kGauge, kMilliseconds, Scope::kDriver, Measure::kDriverGcSeconds},
    {"JVMCPU", "jvmCpuTime", kGauge, kNanoseconds, Scope::kDriver, Measure::kDriverCpuSeconds},
    {"jvm", "heap.max", kGauge, kOne, Scope::kDriver, Measure::kDriverHeapMaxBytes},
    {"LiveListenerBus", "queue.*.numDroppedEvents", kCounter, kOne, Scope::kDriver,
     Measure::kDriverEventsDropped},
    {"appStatus", "jobs.succeededJobs", kCounter, kOne, Scope::kDriver, Measure::kDriverJobsSucceeded},
    {"appStatus", "jobs.failedJobs", kCounter, kOne, Scope::kDriver, Measure::kDriverJobsFailed},
    {"appStatus", "stages.completedStages", kCounter, kOne, Scope::kDriver, Measure::kDriverStagesCompleted},
    {"appStatus", "stages.failedStages", kCounter, kOne, Scope::kDriver, Measure::kDriverStagesFailed},
    {"appStatus", "stages.skippedStages", kCounter, kOne, Scope::kDriver, Measure::kDriverStagesSkipped},
    {"appStatus", "tasks.killedTasks", kCounter, kOne, Scope::kDriver, Measure::kDriverTasksKilled},
    {"spark.streaming", "inputRate-total", kGauge, kOne, Scope::kQuery, Measure::kQueryInputRowsPerSecond},
    {"spark.streaming", "processingRate-total", kGauge, kOne, Scope::kQuery,
     Measure::kQueryProcessedRowsPerSecond},
    {"spark.streaming", "latency", kGauge, kMilliseconds, Scope::kQuery, Measure::kQueryBatchSeconds},
    {"spark.streaming", "states-rowsTotal", kGauge, kOne, Scope::kQuery, Measure::kQueryStateRows},
    {"spark.streaming", "states-usedBytes", kGauge, kOne, Scope::kQuery, Measure::kQueryStateMemoryBytes},
    {"spark.streaming", "eventTime-watermark", kGauge, kMilliseconds, Scope::kQuery,
     Measure::kQueryWatermarkSeconds},
    {"StreamingMetrics", "streaming.lastCompletedBatch_processingDelay", kGauge, kMilliseconds, Scope::kQuery,
     Measure::kQueryBatchSeconds},
    {"StreamingMetrics", "streaming.lastCompletedBatch_schedulingDelay", kGauge, kMilliseconds, Scope::kQuery,
     Measure::kQueryLagSeconds},
    {"executor", "succeededTasks", kCounter, kOne, Scope::kExecutor, Measure::kExecutorTasksCompleted},
    {"executor", "runTime", kCounter, kMilliseconds, Scope::kExecutor, Measure::kExecutorRunSeconds},
    {"executor", "cpuTime", kCounter, kNanoseconds, Scope::kExecutor, Measure::kExecutorCpuSeconds},
    {"executor", "jvmGCTime", kCounter, kMilliseconds, Scope::kExecutor, Measure::kExecutorGcSeconds},
    {"executor", "bytesRead", kCounter, kOne, Scope::kExecutor, Measure::kExecutorInputBytes},
    {"executor", "recordsRead", kCounter, kOne, Scope::kExecutor, Measure::kExecutorInputRecords},
    {"executor", "bytesWritten", kCounter, kOne, Scope::kExecutor, Measure::kExecutorOutputBytes},
    {"executor", "recordsWritten", kCounter, kOne, Scope::kExecutor, Measure::kExecutorOutputRecords},
    {"executor", "shuffleTotalBytesRead", kCounter, kOne, Scope::kExecutor,
     Measure::kExecutorShuffleReadBytes},
    {"executor", "shuffleRecordsRead", kCounter, kOne, Scope::kExecutor,
     Measure::kExecutorShuffleReadRecords},
    {"executor", "shuffleBytesWritten", kCounter, kOne, Scope::kExecutor,
     Measure::kExecutorShuffleWriteBytes},
    {"executor", "shuffleRecordsWritten", kCounter, kOne, Scope::kExecutor,
     Measure::kExecutorShuffleWriteRecords},
    {"executor", "shuffleFetchWaitTime", kCounter, kMilliseconds, Scope::kExecutor,
     Measure::kExecutorShuffleFetchWaitSeconds},
    {"executor", "shuffleWriteTime", kCounter, kNanoseconds, Scope::kExecutor,
     Measure::kExecutorShuffleWriteSeconds},
    {"executor", "memoryBytesSpilled", kCounter, kOne, Scope::kExecutor,
     Measure::kExecutorMemorySpilledBytes},
    {"executor", "diskBytesSpilled", kCounter, kOne, Scope::kExecutor, Measure::kExecutorDiskSpilledBytes},
    {"executor", "deserializeTime", kCounter, kMilliseconds, Scope::kExecutor,
     Measure::kExecutorDeserializeSeconds},
    {"executor", "resultSize", kCounter, kOne, Scope::kExecutor, Measure::kExecutorResultBytes},
    {"executor", "threadpool.activeTasks", kGauge, kOne, Scope::kExecutor, Measure::kExecutorActiveTasks},
});

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char mangled(char c) { return is_word(c) ? c : '_'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_instance(std::string_view text) {
  return text == kDriver || (!text.empty() && std::ranges::all_of(text, is_digit));
}

/// The part before the first `separator`, which is taken off `rest` with it.
std::string_view take_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// `tail` is what follows the instance. Splits it into source, query and metric.
bool split_tail(std::string_view tail, RegistryName& name) {
  std::string_view metric = tail;
  const std::string_view head = take_part(metric, '.');
  if (metric.empty() || !is_known_source(head)) return false;
  name.source = head;
  name.metric = metric;
  if (head != "spark") return true;
  if (!tail.starts_with(kStreaming) || tail.size() == kStreaming.size() || tail[kStreaming.size()] != '.')
    return false;
  // Queries may be called anything, dots included; their metrics have none.
  const std::string_view query_and_metric = tail.substr(kStreaming.size() + 1);
  const std::size_t last = query_and_metric.rfind('.');
  if (last == std::string_view::npos || last == 0 || last + 1 == query_and_metric.size()) return false;
  name.source = kStreaming;
  name.query = query_and_metric.substr(0, last);
  name.metric = query_and_metric.substr(last + 1);
  return true;
}

/// DStreams: APPNAME.StreamingMetrics.streaming.METRIC, where the application's name may hold dots.
bool split_dstream(std::string_view tail, RegistryName& name) {
  const std::size_t at = tail.find(kDStreamMetrics);
  if (at == std::string_view::npos || at == 0 || at + kDStreamMetrics.size() == tail.size()) return false;
  name.source = kDStreams;
  name.metric = tail.substr(at + 1 + kDStreams.size() + 1);
  return true;
}

bool split_unknown(std::string_view tail, RegistryName& name) {
  name.metric = tail;
  name.source = take_part(name.metric, '.');
  name.known_source = false;
  return !name.source.empty() && !name.metric.empty();
}

/// Calls `split(tail, parts)` for every place where an instance may stand, from the left.
template <typename Split>
std::optional<RegistryName> first_instance(std::string_view name, Split split) {
  for (std::size_t begin = name.find('.'); begin != std::string_view::npos;) {
    const std::size_t end = name.find('.', ++begin);
    if (end == std::string_view::npos) break;
    RegistryName parts;
    parts.namespace_name = name.substr(0, begin - 1);
    parts.instance = name.substr(begin, end - begin);
    if (!parts.namespace_name.empty() && is_instance(parts.instance) && split(name.substr(end + 1), parts))
      return parts;
    begin = end;
  }
  return std::nullopt;
}

/// Equal when spelled mangled?
bool equals_mangled(std::string_view text, std::string_view spelled, bool ignore_case) {
  return std::ranges::equal(text, spelled, [ignore_case](char want, char got) {
    return ignore_case ? lower(mangled(want)) == lower(mangled(got)) : mangled(want) == got;
  });
}

/// Is the text what a metric's name in the table says? "*" there stands for anything that is not empty.
template <typename Equals>
bool matches(std::string_view pattern, std::string_view text, Equals equals) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return equals(pattern, text);
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return text.size() > head.size() + tail.size() && equals(head, text.substr(0, head.size())) &&
         equals(tail, text.substr(text.size() - tail.size()));
}

/// `text` is SOURCE_METRIC.
const RegistryMetric* find_mangled(std::string_view text, bool ignore_case) {
  const auto equals = [ignore_case](std::string_view want, std::string_view got) {
    return equals_mangled(want, got, ignore_case);
  };
  for (const RegistryMetric& metric : kMetrics) {
    const std::size_t size = metric.source.size();
    if (text.size() <= size || text[size] != '_') continue;
    if (!matches(metric.metric, text.substr(size + 1), equals)) continue;
    if (equals_mangled(metric.source, text.substr(0, size), ignore_case)) return &metric;
  }
  return nullptr;
}

bool follows_known_source(std::string_view rest) {
  return std::ranges::any_of(kSources, [rest](std::string_view source) {
    return rest.size() > source.size() && rest.starts_with(source) && rest[source.size()] == '_';
  });
}

/// NAMESPACE_INSTANCE_SOURCE_METRIC, mangled.
std::optional<MangledName> split_mangled(std::string_view body, std::string_view own_namespace_mangled) {
  const std::size_t own = own_namespace_mangled.size();
  if (own != 0 && body.starts_with(own_namespace_mangled) && body.substr(own).starts_with('_')) {
    std::string_view rest = body.substr(own + 1);
    const std::string_view instance = take_part(rest, '_');
    if (is_instance(instance) && !rest.empty()) return MangledName{own_namespace_mangled, instance, rest};
  }
  for (std::size_t at = body.find('_'); at != std::string_view::npos; at = body.find('_', at + 1)) {
    std::string_view rest = body.substr(at + 1);
    const std::string_view instance = take_part(rest, '_');
    if (at > 0 && is_instance(instance) && follows_known_source(rest))
      return MangledName{body.substr(0, at), instance, rest};
  }
  return std::nullopt;
}

bool ends_with_any_case(std::string_view text, std::string_view end) {
  return text.size() > end.size() && equals_mangled(end, text.substr(text.size() - end.size()), true);
}

/// Takes `end` off `text`. False when it does not end so.
bool take_end(std::string_view& text, std::string_view end) {
  if (!ends_with_any_case(text, end)) return false;
  text.remove_suffix(end.size());
  return true;
}

/// "spark_streaming_QUERY_METRIC": the query may be called anything, so the metric is looked for at the end.
std::optional<QueryMetric> find_mangled_query(std::string_view text, bool ignore_case) {
  constexpr std::string_view kStart = "spark_streaming_";
  if (text.size() <= kStart.size() || !equals_mangled(kStart, text.substr(0, kStart.size()), ignore_case))
    return std::nullopt;
  text.remove_prefix(kStart.size());
  for (const RegistryMetric& metric : kMetrics) {
    if (metric.source != kStreaming || text.size() < metric.metric.size() + 2) continue;
    const std::size_t end = text.size() - metric.metric.size() - 1;
    if (text[end] == '_' && equals_mangled(metric.metric, text.substr(end + 1), ignore_case))
      return QueryMetric{&metric, text.substr(0, end)};
  }
  return std::nullopt;
}

/// SOURCE_METRIC with what rules put around it: _type_counters_count, _count, _total.
const RegistryMetric* find_jmx_part(std::string_view text) {
  if (const RegistryMetric* metric = find_mangled(text, true)) return metric;
  for (const std::string_view end : {"_count", "_total", "_value"}) {
    if (take_end(text, end)) break;
  }
  for (const std::string_view end : {"_type_gauges", "_type_counters"}) {
    if (take_end(text, end)) break;
  }
  return find_mangled(text, true);
}

}  // namespace

bool is_known_source(std::string_view head) { return std::ranges::find(kSources, head) != kSources.end(); }

std::optional<RegistryName> parse_registry_name(std::string_view name, std::string_view prefix,
                                                std::string_view known_namespace) {
  if (name.size() > kMaxRegistryName) return std::nullopt;
  if (!prefix.empty() && name.size() > prefix.size() && name.starts_with(prefix) &&
      name[prefix.size()] == '.')
    name.remove_prefix(prefix.size() + 1);
  if (auto found = first_instance(name, split_tail)) return found;
  if (auto found = first_instance(name, split_dstream)) return found;
  return first_instance(name, [known_namespace](std::string_view tail, RegistryName& parts) {
    return parts.namespace_name == known_namespace && split_unknown(tail, parts);
  });
}

std::string mangle_registry_name(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), mangled);
  return out;
}

std::optional<MangledName> parse_mangled_name(std::string_view name, std::string_view own_namespace_mangled) {
  constexpr std::string_view kStart = "metrics_";
  if (!name.starts_with(kStart) || name.size() > kMaxRegistryName) return std::nullopt;
  return split_mangled(name.substr(kStart.size()), own_namespace_mangled);
}

std::optional<MangledName> parse_pushgateway_name(std::string_view name, std::string_view own_mangled) {
  auto parsed = name.size() > kMaxRegistryName ? std::nullopt : split_mangled(name, own_mangled);
  if (!parsed && follows_known_source(name)) parsed = MangledName{{}, {}, name};
  return parsed;
}

double timer_unit_seconds(RegistryChannel channel) {
  switch (channel) {
    case RegistryChannel::kPrometheusServlet:
      return 1e-9;
    case RegistryChannel::kPushgateway:
      return 1;
    case RegistryChannel::kJson:
    case RegistryChannel::kGraphite:
    case RegistryChannel::kStatsd:
    case RegistryChannel::kJmx:
      break;
  }
  return 1e-3;
}

double to_base(RegistryUnit unit, double value) {
  constexpr double kMilli = 1e3;
  constexpr double kNano = 1e9;
  constexpr double kMebi = 1024.0 * 1024.0;
  switch (unit) {
    case kMilliseconds:
      return value / kMilli;
    case kNanoseconds:
      return value / kNano;
    case kMebibytes:
      return value * kMebi;
    case kOne:
      break;
  }
  return value;
}

const RegistryMetric* find_registry_metric(const RegistryName& name, CountSuffix suffix) {
  constexpr std::string_view kCount = ".count";
  for (const RegistryMetric& metric : kMetrics) {
    // Executors have some of the driver's sources too; there they are of another measure.
    if (metric.source != name.source || (metric.scope == Scope::kDriver && name.instance != kDriver))
      continue;
    std::string_view text = name.metric;
    if (metric.kind == kCounter && suffix == CountSuffix::kGraphite) {
      if (!text.ends_with(kCount)) continue;
      text.remove_suffix(kCount.size());
    }
    if (matches(metric.metric, text, std::equal_to<>())) return &metric;
  }
  return nullptr;
}

const RegistryMetric* find_servlet_metric(std::string_view rest) {
  for (const auto& [kind, end] : {std::pair{kGauge, std::string_view("_Value")}, {kCounter, "_Count"}}) {
    if (!rest.ends_with(end)) continue;
    const RegistryMetric* metric = find_mangled(rest.substr(0, rest.size() - end.size()), false);
    return metric != nullptr && metric->kind == kind ? metric : nullptr;
  }
  return nullptr;
}

const RegistryMetric* find_pushgateway_metric(std::string_view rest) {
  const RegistryMetric* const metric = find_mangled(rest, false);
  return metric != nullptr && is_single(*metric) ? metric : nullptr;
}

std::optional<QueryMetric> find_servlet_query(std::string_view rest) {
  constexpr std::string_view kEnd = "_Value";
  if (!rest.ends_with(kEnd)) return std::nullopt;
  return find_mangled_query(rest.substr(0, rest.size() - kEnd.size()), false);
}

std::optional<QueryMetric> find_jmx_query(std::string_view name) {
  constexpr std::string_view kSpark = "spark_";
  constexpr std::string_view kRole = "driver_";
  if (!name.starts_with(kSpark)) return std::nullopt;
  for (const std::string_view end : {"_value", "_type_gauges"}) {
    if (take_end(name, end)) break;
  }
  // Rules keep the source's name, or take its "spark" for their own.
  if (const auto found = find_mangled_query(name, true)) return found;
  name.remove_prefix(kSpark.size());
  if (name.starts_with(kRole)) name.remove_prefix(kRole.size());
  return find_mangled_query(name, true);
}

RegistryUnit unit_of_measure(Measure measure) {
  const auto* const found = std::ranges::find(kMetrics, measure, &RegistryMetric::measure);
  return found == kMetrics.end() ? kOne : found->unit;
}

const RegistryMetric* find_jmx_metric(std::string_view name) {
  constexpr std::string_view kSpark = "spark_";
  if (!name.starts_with(kSpark)) return nullptr;
  name.remove_prefix(kSpark.size());
  if (const RegistryMetric* metric = find_jmx_part(name)) return metric;  // spark_executor_runTime too
  for (const std::string_view role : {"driver_", "executor_"}) {
    if (!name.starts_with(role)) continue;
    return find_jmx_part(name.substr(role.size()));
  }
  return nullptr;
}

Route registry_route(const RegistryMetric& metric, std::string_view instance, std::string_view query) {
  Route route;
  route.measure = metric.measure;
  route.scope = metric.scope;
  if (metric.scope == Scope::kExecutor) route.container = instance;
  if (metric.scope == Scope::kQuery) route.container = metric.source == kDStreams ? kDStreamsQuery : query;
  return route;
}

}  // namespace flintgauge
