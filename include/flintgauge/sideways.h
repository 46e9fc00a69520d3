// Why an executor finds no node, which pool wastes least, and which shape would fit.
// Source: docs/hints.md section "Sideways". Pure; no clock; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/cluster_view.h"

namespace flintgauge {

enum class SidewaysCode : std::uint8_t {
  kFits,             ///< a node has room now
  kNoFreeNode,       ///< an empty node would do, and none is
  kTaintOrAffinity,  ///< only nodes that the pod may not use would do
  kNeverFits,        ///< no node is large enough, even empty
  kQuota,            ///< the namespace's quota has no room: the pod is not even made
  kPendingVolume,
  kUnknown,  ///< no node is known
};
std::string_view to_string(SidewaysCode code);

/// Of one pool: the nodes with the same pool label.
struct PoolFit {
  std::string pool;
  std::size_t nodes = 0;
  bool is_allowed = false;                 ///< some node of it has no taint and lacks no label
  double executors_per_node = 0;           ///< of an empty node that holds the most
  double free_executors = 0;               ///< on all allowed nodes, beside what runs there
  double waste_cpu = 1, waste_memory = 1;  ///< parts of an empty node that executors of this shape leave
  double waste() const { return (waste_cpu + waste_memory) / 2; }
};

struct ExecutorShape {
  double cores = 0;         ///< whole task slots
  double memory_bytes = 0;  ///< of the container, whole MiB
  double heap_bytes = 0;    ///< spark.executor.memory that makes such a container
  double executors_per_node = 0;
};

struct Sideways {
  SidewaysCode code = SidewaysCode::kUnknown;
  std::string_view resource;           ///< kNeverFits, kNoFreeNode: "cpu", "memory" or "pods" ...
  double gap = 0;                      ///< ... and how much the roomiest node lacks, empty or as it is now
  std::vector<PoolFit> pools;          ///< sorted by waste, allowed ones first
  std::optional<ExecutorShape> shape;  ///< fills a node of the best pool
  double cluster_free_executors = 0;
};

struct SidewaysInput {
  PodPlacement placement;
  std::optional<double> quota_headroom;
  bool waits_for_volume = false;
  double overhead_factor = 0.10;  ///< spark.executor.memoryOverheadFactor; 0.40 for Python and R
};
Sideways sideways(const ClusterView& view, const SidewaysInput& input);

/// Pool of a node by the labels of Karpenter, GKE, EKS and AKS, else its instance type, else "".
std::string_view pool_of(const ClusterNode& node);

/// Executors that fit into `room`; waste_r = 1 - n * request_r / room_r.
struct Packing {
  double executors = 0;
  double waste_cpu = 1, waste_memory = 1;
};
Packing pack(const NodeResources& room, const NodeResources& request);

/// The heap whose container is at most `container_bytes`, overhead being max(factor * heap, 384 MiB).
double heap_of_container(double container_bytes, double overhead_factor);

}  // namespace flintgauge
