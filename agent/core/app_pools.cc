#include "agent/core/app_pools.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flintgauge {
namespace {

constexpr auto kAlive = family("flintgauge_spark_cluster_alive_workers");
constexpr auto kCores = family("flintgauge_spark_cluster_cores");
constexpr auto kApplications = family("flintgauge_spark_cluster_applications");
// A Deployment or StatefulSet that follows the hint has bounds of its own.
constexpr double kMostWorkers = 1e9;
constexpr std::int64_t kFreshMs = 120'000;  // four times companions.interval

/// Standalone masters number their applications "app-20260131235959-0001"; no other scheduler does.
bool is_standalone(const AppKey& app) { return app.app_id.starts_with("app-"); }

std::optional<double> value_of(const Block& block, FamilyId family_id, const AppKey& cluster) {
  const auto [first, last] = block.schema->range(family_id);
  for (std::size_t i = first; i < last; ++i) {
    const auto labels = block.schema->labels(i);
    if (labels[0] == cluster.namespace_name && labels[1] == cluster.app_id) return block.values[i];
  }
  return std::nullopt;
}

void add_demands(const std::vector<AppHint>& hints, PoolHint& pool) {
  for (const AppHint& hint : hints) {
    if (hint.app.namespace_name != pool.cluster.namespace_name || !is_standalone(hint.app)) continue;
    pool.app_ids.push_back(hint.app.app_id);
    // A stream has no backlog of tasks: by its rates it may need more.
    pool.demands.push_back({std::max(hint.hint.desired, hint.by_rate.value_or(0)), hint.executor_cores});
  }
}

}  // namespace

void append_pools(const Block* companions, const std::vector<AppHint>& hints, SteadyTime now,
                  std::vector<PoolHint>& out) {
  if (companions == nullptr || companions->schema == nullptr) return;
  if (elapsed_ms(companions->committed, now) > kFreshMs) return;
  const auto [first, last] = companions->schema->range(kApplications);
  for (std::size_t i = first; i < last; ++i) {
    const auto labels = companions->schema->labels(i);
    const auto is_of_namespace = [&](std::size_t other) {
      return companions->schema->labels(other)[0] == labels[0];
    };
    if ((i > first && is_of_namespace(i - 1)) || (i + 1 < last && is_of_namespace(i + 1))) continue;
    PoolHint pool;
    pool.cluster = {std::string(labels[0]), std::string(labels[1])};
    const auto alive = value_of(*companions, kAlive, pool.cluster);
    const auto cores = value_of(*companions, kCores, pool.cluster);
    if (!alive || !cores || *alive <= 0 || *cores <= 0) continue;
    add_demands(hints, pool);
    if (static_cast<double>(pool.demands.size()) != companions->values[i]) continue;
    pool.workers = *alive;
    pool.cores_per_worker = *cores / *alive;
    pool.desired = workers_desired(pool.demands, pool.cores_per_worker, 0, kMostWorkers);
    out.push_back(std::move(pool));
  }
}

}  // namespace flintgauge
