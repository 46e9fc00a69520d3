#include "flintgauge/sideways.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace flintgauge {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr double kLeastOverhead = 384 * kMiB;  // spark.executor.minMemoryOverhead
constexpr double kRounding = 1e-9;
// Labels of node pools, in the order of belief.
constexpr std::array<std::string_view, 5> kPoolLabels = {
    "karpenter.sh/nodepool", "cloud.google.com/gke-nodepool", "eks.amazonaws.com/nodegroup",
    "kubernetes.azure.com/agentpool", "node.kubernetes.io/instance-type"};
constexpr std::array<std::string_view, 7> kCodeNames = {
    "fits", "no_free_node", "taint_or_affinity", "never_fits", "quota", "pending_volume", "unknown"};

double left(double whole, double part) { return std::max(0.0, whole - part); }

NodeResources minus(const NodeResources& a, const NodeResources& b) {
  return {left(a.cpu_cores, b.cpu_cores), left(a.memory_bytes, b.memory_bytes), left(a.pods, b.pods)};
}

std::string_view label(const Labels& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.all_effects && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  return toleration.exists || toleration.key.empty() || toleration.value == taint.value;
}

bool is_allowed(const ClusterNode& node, const PodPlacement& placement) {
  if (!node.schedulable) return false;
  for (const auto& [key, value] : placement.node_selector) {
    if (label(node.labels, key) != value) return false;
  }
  return std::ranges::all_of(node.taints, [&](const Taint& taint) {
    return taint.effect == TaintEffect::kPreferNoSchedule ||
           std::ranges::any_of(placement.tolerations,
                               [&](const Toleration& toleration) { return tolerates(toleration, taint); });
  });
}

/// Which resource is missing on an empty node, and how much.
struct Gap {
  std::string_view resource;
  double amount = 0;
  double part = 0;  ///< of the request: to compare cores with bytes
};
Gap gap_of(const NodeResources& room, const NodeResources& request) {
  const auto worse = [](Gap& gap, std::string_view name, double have, double need) {
    if (need <= have || need <= 0 || (need - have) / need <= gap.part) return;
    gap = {name, need - have, (need - have) / need};
  };
  Gap gap;
  worse(gap, "cpu", room.cpu_cores, request.cpu_cores);
  worse(gap, "memory", room.memory_bytes, request.memory_bytes);
  worse(gap, "pods", room.pods, request.pods);
  return gap;
}

PoolFit& pool_named(std::string_view name, std::vector<PoolFit>& pools) {
  const auto at = std::ranges::find(pools, name, &PoolFit::pool);
  if (at != pools.end()) return *at;
  PoolFit& pool = pools.emplace_back();
  pool.pool = name;
  return pool;
}

/// What one walk over the nodes finds.
struct Walk {
  std::vector<PoolFit> pools;
  const ClusterNode* roomiest = nullptr;  ///< allowed, with the least gap
  Gap gap;
  Gap gap_now;  ///< the least, of what is free on allowed nodes that would do when empty
  bool allowed_fits = false, excluded_fits = false;
  double free = 0;

  void add(const ClusterNode& node, const PodPlacement& placement) {
    const NodeResources empty = minus(node.allocatable, node.daemonsets);
    const Packing whole = pack(empty, placement.request);
    const bool allowed = is_allowed(node, placement);
    PoolFit& pool = pool_named(pool_of(node), pools);
    ++pool.nodes;
    pool.is_allowed = pool.is_allowed || allowed;
    if (whole.executors > pool.executors_per_node ||
        (whole.executors == pool.executors_per_node &&
         whole.waste_cpu + whole.waste_memory < 2 * pool.waste())) {
      pool.executors_per_node = whole.executors;
      pool.waste_cpu = whole.waste_cpu;
      pool.waste_memory = whole.waste_memory;
    }
    excluded_fits = excluded_fits || (!allowed && whole.executors >= 1);
    if (!allowed) return;
    const NodeResources unused = minus(node.allocatable, node.requested);
    const double now = pack(unused, placement.request).executors;
    if (whole.executors >= 1) {
      const Gap lacks = gap_of(unused, placement.request);
      if (!allowed_fits || lacks.part < gap_now.part) gap_now = lacks;
      allowed_fits = true;
    }
    pool.free_executors += now;
    free += now;
    const Gap missing = gap_of(empty, placement.request);
    if (roomiest != nullptr && missing.part >= gap.part) return;
    roomiest = &node;
    gap = missing;
  }
};

SidewaysCode code_of(const Walk& walk, const SidewaysInput& input) {
  if (input.waits_for_volume) return SidewaysCode::kPendingVolume;
  if (input.quota_headroom && *input.quota_headroom < 1) return SidewaysCode::kQuota;
  if (walk.pools.empty()) return SidewaysCode::kUnknown;
  if (walk.free >= 1) return SidewaysCode::kFits;
  if (walk.allowed_fits) return SidewaysCode::kNoFreeNode;
  return walk.excluded_fits ? SidewaysCode::kTaintOrAffinity : SidewaysCode::kNeverFits;
}

/// As many executors a node as now, at least one, that use all of it.
ExecutorShape shape_for(const NodeResources& room, double executors, double overhead_factor) {
  ExecutorShape shape;
  shape.executors_per_node = std::max(1.0, executors);
  shape.cores = std::floor(room.cpu_cores / shape.executors_per_node + kRounding);
  shape.memory_bytes = std::floor(room.memory_bytes / shape.executors_per_node / kMiB) * kMiB;
  shape.heap_bytes = heap_of_container(shape.memory_bytes, overhead_factor);
  return shape;
}

/// Of the nodes that are allowed, the one with the least waste; when none fits, the roomiest.
const ClusterNode* best_node(const ClusterView& view, const Walk& walk, const PodPlacement& placement) {
  const ClusterNode* best = walk.roomiest;
  double least = 2;
  for (const ClusterNode& node : view.nodes) {
    if (!is_allowed(node, placement)) continue;
    const Packing packing = pack(minus(node.allocatable, node.daemonsets), placement.request);
    if (packing.executors < 1 || packing.waste_cpu + packing.waste_memory >= least) continue;
    least = packing.waste_cpu + packing.waste_memory;
    best = &node;
  }
  return best;
}

}  // namespace

std::string_view to_string(SidewaysCode code) { return kCodeNames[static_cast<std::size_t>(code)]; }

std::string_view pool_of(const ClusterNode& node) {
  for (const std::string_view name : kPoolLabels) {
    if (const std::string_view pool = label(node.labels, name); !pool.empty()) return pool;
  }
  return {};
}

Packing pack(const NodeResources& room, const NodeResources& request) {
  double executors = std::numeric_limits<double>::infinity();
  const auto bound = [&](double have, double need) {
    if (need > 0) executors = std::min(executors, std::floor(std::max(0.0, have) / need + kRounding));
  };
  bound(room.cpu_cores, request.cpu_cores);
  bound(room.memory_bytes, request.memory_bytes);
  bound(room.pods, request.pods);
  if (!std::isfinite(executors)) return {};  // a pod that asks for nothing is no executor
  const auto waste = [&](double have, double need) {
    return have > 0 ? std::clamp(1 - executors * need / have, 0.0, 1.0) : 1.0;
  };
  return {executors, waste(room.cpu_cores, request.cpu_cores),
          waste(room.memory_bytes, request.memory_bytes)};
}

double heap_of_container(double container_bytes, double overhead_factor) {
  const double by_least = container_bytes - kLeastOverhead;
  if (by_least <= 0) return 0;
  if (overhead_factor <= 0 || by_least * overhead_factor <= kLeastOverhead) return by_least;
  return std::floor(container_bytes / (1 + overhead_factor) / kMiB) * kMiB;
}

Sideways sideways(const ClusterView& view, const SidewaysInput& input) {
  Walk walk;
  for (const ClusterNode& node : view.nodes) walk.add(node, input.placement);
  Sideways out;
  out.code = code_of(walk, input);
  out.cluster_free_executors = walk.free;
  if (out.code == SidewaysCode::kNeverFits || out.code == SidewaysCode::kNoFreeNode) {
    const Gap& gap = out.code == SidewaysCode::kNeverFits ? walk.gap : walk.gap_now;
    out.resource = gap.resource;
    out.gap = gap.amount;
  }
  if (const ClusterNode* best = best_node(view, walk, input.placement); best != nullptr) {
    const NodeResources room = minus(best->allocatable, best->daemonsets);
    out.shape = shape_for(room, pack(room, input.placement.request).executors, input.overhead_factor);
  }
  out.pools = std::move(walk.pools);
  std::ranges::sort(out.pools, [](const PoolFit& a, const PoolFit& b) {
    if (a.is_allowed != b.is_allowed) return a.is_allowed;
    if ((a.executors_per_node >= 1) != (b.executors_per_node >= 1)) return a.executors_per_node >= 1;
    if (a.waste() != b.waste()) return a.waste() < b.waste();
    return a.pool < b.pool;
  });
  return out;
}

}  // namespace flintgauge
