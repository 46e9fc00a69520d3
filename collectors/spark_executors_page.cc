// A Spark driver's /metrics/executors/prometheus/: tasks, slots, bytes, GC, cached blocks and peaks of memory
// of each executor that is alive (spark.md section 3). On by default from Spark 4.0 on. The row of the driver
// has executor id "driver". It tells nothing that the REST list of executors (spark_executors.cc) does not,
// in three times the bytes and without dead ones, so it is asked where that list fails.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/common/spark_target.h"
#include "collectors/common/text_decoder.h"

namespace flintgauge {
namespace {

constexpr std::string_view kStandsInFor = "spark_executors";

struct Wanted {
  std::string_view name;
  Measure measure;
};

constexpr auto kWanted = std::to_array<Wanted>({
    {"metrics_executor_DirectPoolMemory_bytes", Measure::kExecutorPeakDirectPoolBytes},
    {"metrics_executor_JVMHeapMemory_bytes", Measure::kExecutorPeakJvmHeapBytes},
    {"metrics_executor_JVMOffHeapMemory_bytes", Measure::kExecutorPeakJvmOffHeapBytes},
    {"metrics_executor_MappedPoolMemory_bytes", Measure::kExecutorPeakMappedPoolBytes},
    {"metrics_executor_OffHeapUnifiedMemory_bytes", Measure::kExecutorPeakOffHeapUnifiedBytes},
    {"metrics_executor_OnHeapUnifiedMemory_bytes", Measure::kExecutorPeakOnHeapUnifiedBytes},
    {"metrics_executor_ProcessTreeJVMRSSMemory_bytes", Measure::kExecutorPeakProcessTreeJvmRssBytes},
    {"metrics_executor_ProcessTreeOtherRSSMemory_bytes", Measure::kExecutorPeakProcessTreeOtherRssBytes},
    {"metrics_executor_ProcessTreePythonRSSMemory_bytes", Measure::kExecutorPeakProcessTreePythonRssBytes},
    {"metrics_executor_activeTasks", Measure::kExecutorActiveTasks},
    {"metrics_executor_completedTasks_total", Measure::kExecutorTasksCompleted},
    {"metrics_executor_failedTasks_total", Measure::kExecutorTasksFailed},
    {"metrics_executor_maxMemory_bytes", Measure::kExecutorMaxMemoryBytes},
    {"metrics_executor_maxTasks", Measure::kExecutorMaxTasks},
    {"metrics_executor_memoryUsed_bytes", Measure::kExecutorMemoryUsedBytes},
    {"metrics_executor_rddBlocks", Measure::kExecutorRddBlocks},
    {"metrics_executor_totalDuration_seconds_total", Measure::kExecutorDurationSeconds},
    {"metrics_executor_totalGCTime_seconds_total", Measure::kExecutorGcSeconds},
    {"metrics_executor_totalInputBytes_bytes_total", Measure::kExecutorInputBytes},
    {"metrics_executor_totalShuffleRead_bytes_total", Measure::kExecutorShuffleReadBytes},
    {"metrics_executor_totalShuffleWrite_bytes_total", Measure::kExecutorShuffleWriteBytes},
});

std::optional<Measure> measure_of(std::string_view name) {
  const auto* const found = std::ranges::find(kWanted, name, &Wanted::name);
  if (found == kWanted.end()) return std::nullopt;
  return found->measure;
}

std::optional<Route> route_of(Measure measure, std::span<const Label> labels) {
  Route route;
  route.measure = measure;
  route.scope = Scope::kExecutor;
  route.container = find_label(labels, "executor_id");
  route.app_id = find_label(labels, "application_id");
  if (route.container.empty()) return std::nullopt;
  return route;
}

class SparkExecutorsPage final : public Collector {
 public:
  std::string_view name() const override { return "spark_executors_page"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      targets.push_back(
          spark_target(driver, discovery, name(), "/metrics/executors/prometheus/", Expect::kText));
      targets.back().optional = true;
      targets.back().fallback_of = spark_target_key(kStandsInFor, driver.app);
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& /*target*/) const override {
    return make_text_decoder({.measure = measure_of,
                              .route = route_of,
                              .limits = kTenantTextLimits,
                              .lenient = true,
                              .labels = LabelSyntax::kUnescaped});
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_executors_page() { return std::make_unique<SparkExecutorsPage>(); }

}  // namespace flintgauge
