#include "agent/core/app_sideways.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "flintgauge/hint_vertical.h"
#include "flintgauge/spark.h"

namespace flintgauge {
namespace {

constexpr auto kCores = family("flintgauge_node_cpu_capacity_cores");
constexpr auto kMemory = family("flintgauge_node_memory_capacity_bytes");
constexpr double kMostPods = std::numeric_limits<double>::infinity();  // the kubelet's limit is not told

std::optional<double> node_value(const Block& kubelet, FamilyId family_id) {
  const auto [first, last] = kubelet.schema->range(family_id);
  if (first == last) return std::nullopt;
  return kubelet.values[first];
}

/// Absent unless the container is heap and max(factor * heap, 384 MiB), which is all that sideways() inverts.
std::optional<double> overhead_factor(const SparkSettings& settings) {
  const bool is_more = settings.memory_overhead_bytes || settings.min_memory_overhead_bytes ||
                       settings.pyspark_memory_bytes || settings.offheap_enabled.value_or(false);
  if (is_more) return std::nullopt;
  return settings.memory_overhead_factor.value_or(kMemoryOverheadFactor);
}

/// Sorted by application; the keys are those of the Spark block.
struct Factor {
  const AppKey* app;
  double value;
};
using Factors = std::vector<Factor>;
constexpr auto kAppOf = [](const Factor& factor) -> const AppKey& { return *factor.app; };

Factors factors_of(const Block* spark) {
  Factors factors;
  if (spark == nullptr) return factors;
  factors.reserve(spark->spark_apps.size());
  for (const SparkAppFacts& facts : spark->spark_apps) {
    if (facts.settings == nullptr) continue;
    if (const auto factor = overhead_factor(*facts.settings)) factors.push_back({&facts.app, *factor});
  }
  std::ranges::stable_sort(factors, {}, kAppOf);  // of two drivers of one application the first counts
  return factors;
}

AppSideways place(const App& app, const ClusterView& view, const Factors& factors) {
  const ClusterNode& node = view.nodes.front();
  AppSideways one;
  one.app = app.key;
  one.capacity = node.allocatable;
  one.daemonsets = node.daemonsets;
  one.requested = node.requested;
  one.executor = app.executor;
  SidewaysInput input;
  input.placement.request = app.executor;
  const auto known = std::ranges::lower_bound(factors, app.key, {}, kAppOf);
  if (known != factors.end() && *known->app == app.key) {
    one.overhead_factor = known->value;
    input.overhead_factor = known->value;
  }
  one.result = sideways(view, input);
  const PoolFit& here = one.result.pools.front();
  one.packing = {here.executors_per_node, here.waste_cpu, here.waste_memory};
  one.free_executors = here.free_executors;
  return one;
}

}  // namespace

ClusterView view_of_node(const NodeResources& capacity, const AppTable& apps) {
  ClusterView view;
  view.knows_allocatable = false;
  ClusterNode& node = view.nodes.emplace_back();
  node.allocatable = capacity;
  node.daemonsets = apps.daemonsets();
  node.requested = apps.requested();
  return view;
}

void append_sideways(const Block* kubelet, const Block* spark, const AppTable& apps,
                     std::vector<AppSideways>& out) {
  if (kubelet == nullptr || kubelet->schema == nullptr) return;
  const std::optional<double> cores = node_value(*kubelet, kCores);
  const std::optional<double> memory = node_value(*kubelet, kMemory);
  if (!cores || !memory) return;
  const ClusterView view = view_of_node({*cores, *memory, kMostPods}, apps);
  const Factors factors = factors_of(spark);
  for (const App& app : apps.apps()) {
    if (app.executor.pods <= 0 || (app.executor.cpu_cores <= 0 && app.executor.memory_bytes <= 0)) continue;
    out.push_back(place(app, view, factors));
  }
}

}  // namespace flintgauge
