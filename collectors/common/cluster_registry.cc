#include "collectors/common/cluster_registry.h"

#include <algorithm>
#include <array>

namespace flintgauge {
namespace {

struct ClusterMetric {
  std::string_view name;
  std::string_view mangled;
  Measure measure;
  RegistryUnit unit = RegistryUnit::kOne;
};
// All of them are gauges.
constexpr auto kMetrics = std::to_array<ClusterMetric>({
    {"master.aliveWorkers", "master_aliveWorkers", Measure::kClusterAliveWorkers},
    {"master.apps", "master_apps", Measure::kClusterApplications},
    {"master.waitingApps", "master_waitingApps", Measure::kClusterWaitingApplications},
    {"master.workers", "master_workers", Measure::kClusterWorkers},
    {"worker.coresFree", "worker_coresFree", Measure::kWorkerFreeCores},
    {"worker.coresUsed", "worker_coresUsed", Measure::kWorkerUsedCores},
    {"worker.executors", "worker_executors", Measure::kWorkerExecutors},
    {"worker.memFree_MB", "worker_memFree_MB", Measure::kWorkerFreeMemoryBytes, RegistryUnit::kMebibytes},
    {"worker.memUsed_MB", "worker_memUsed_MB", Measure::kWorkerUsedMemoryBytes, RegistryUnit::kMebibytes},
});

std::optional<Measure> find(std::string_view ClusterMetric::*spelling, std::string_view name) {
  const auto* const found = std::ranges::find(kMetrics, name, spelling);
  return found == kMetrics.end() ? std::nullopt : std::optional(found->measure);
}

}  // namespace

std::optional<Measure> find_cluster_metric(std::string_view name) { return find(&ClusterMetric::name, name); }

std::optional<Measure> find_cluster_servlet_metric(std::string_view name) {
  constexpr std::string_view kStart = "metrics_";
  constexpr std::string_view kEnd = "_Value";  // "_Number" is the same gauge once more
  if (!name.starts_with(kStart) || !name.ends_with(kEnd) || name.size() < kStart.size() + kEnd.size())
    return std::nullopt;
  return find(&ClusterMetric::mangled, name.substr(kStart.size(), name.size() - kStart.size() - kEnd.size()));
}

RegistryUnit unit_of_cluster_measure(Measure measure) {
  const auto* const found = std::ranges::find(kMetrics, measure, &ClusterMetric::measure);
  return found == kMetrics.end() ? RegistryUnit::kOne : found->unit;
}

Route cluster_route(Measure measure) {
  Route route;
  route.measure = measure;
  route.scope = Scope::kTool;
  return route;
}

}  // namespace flintgauge
