// The nodes and what waits for one, as plain values. A node agent knows its own node (and of that the
// capacity, not what is allocatable); a hub fills it from the API server. Base units: cores, bytes, counts.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace flintgauge {

/// `pods` counts pods: 1 in a request.
struct NodeResources {
  double cpu_cores = 0;
  double memory_bytes = 0;
  double pods = 0;
};

enum class TaintEffect : std::uint8_t { kNoSchedule, kPreferNoSchedule, kNoExecute };

struct Taint {
  std::string key, value;
  TaintEffect effect = TaintEffect::kNoSchedule;
};

/// An empty key tolerates every taint; `exists`: whatever its value; `all_effects`: whatever its effect.
struct Toleration {
  std::string key, value;
  bool exists = false;
  bool all_effects = true;
  TaintEffect effect = TaintEffect::kNoSchedule;
};

using Labels = std::vector<std::pair<std::string, std::string>>;  ///< sorted by name

struct ClusterNode {
  std::string name;
  Labels labels;
  std::vector<Taint> taints;
  bool schedulable = true;  ///< not cordoned
  NodeResources allocatable;
  NodeResources daemonsets;  ///< requests of pods that every node has
  NodeResources requested;   ///< requests of all pods that have not ended, those of daemonsets too
};

/// Where an executor may go and what it asks for: from its pod, or of one that would be made.
struct PodPlacement {
  NodeResources request{.pods = 1};
  Labels node_selector;
  std::vector<Toleration> tolerations;
};

struct PendingPod {
  std::string namespace_name, name, app_id;
  PodPlacement placement;
  double age_seconds = 0;
  bool waits_for_volume = false;
};

struct ClusterView {
  std::vector<ClusterNode> nodes;
  std::vector<PendingPod> pending;  ///< PodScheduled=False for longer than 15 s
  /// False: `allocatable` holds the capacity, which is more than pods may use.
  bool knows_allocatable = true;
};

}  // namespace flintgauge
