// What the kubelet says about the pods of this node (v1.PodList, only the fields used).
//
// Plain values: every string is owned, every field optional in the source. A PodList is built once per
// changed /pods answer and immutable afterwards (shared by std::shared_ptr<const PodList>). Field meanings:
// kubernetes/api core/v1 types.go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/time.h"

namespace flintgauge {

enum class Phase : std::uint8_t { kPending, kRunning, kSucceeded, kFailed, kUnknown };
enum class ContainerKind : std::uint8_t {
  kRegular,
  kSidecar,  ///< init container with restartPolicy Always: counted like a regular one
  kInit,
  kEphemeral,
};
enum class ContainerState : std::uint8_t { kUnknown, kWaiting, kRunning, kTerminated };

/// How a container instance ended (state.terminated or lastState.terminated).
struct Termination {
  std::string container_id;  ///< bare 64-hex id without "containerd://"
  std::string reason;        ///< OOMKilled, Error, Completed, ...
  int exit_code = 0;
  WallTime finished_at;
};

/// Requests or limits. Absent means not stated, which is not zero.
struct Resources {
  std::optional<std::int64_t> cpu_millicores;
  std::optional<std::int64_t> memory_bytes;
};

struct Container {
  std::string name;
  ContainerKind kind = ContainerKind::kRegular;
  Resources requests;  ///< desired (spec)
  Resources limits;
  std::optional<Resources> actual_requests;  ///< status.containerStatuses[].resources, 1.33+
  std::optional<Resources> actual_limits;
  std::optional<Resources> allocated;  ///< status.containerStatuses[].allocatedResources (requests)
  std::string container_id;            ///< bare id; empty before the first start
  std::int64_t restart_count = 0;
  ContainerState state = ContainerState::kUnknown;
  WallTime started_at;                         ///< state.running.startedAt; ms 0 when not running
  std::string waiting_reason;                  ///< state.waiting.reason
  std::optional<Termination> terminated;       ///< state.terminated
  std::optional<Termination> last_terminated;  ///< lastState.terminated
};

struct Pod {
  std::string namespace_name;
  std::string name;
  std::string uid;
  std::string node_name;
  std::vector<std::pair<std::string, std::string>> labels;  ///< sorted by name
  std::vector<std::pair<std::string, std::string>>
      annotations;         ///< sorted by name, only prometheus.io/* and kubernetes.io/config.*
  std::string owner_kind;  ///< controller ownerReference
  std::string owner_name;
  std::string owner_uid;
  std::string client_app_id;  ///< Spark application that it drives in client mode: see ClientModeDrivers
  WallTime created_at;
  bool deleting = false;
  bool host_network = false;
  Phase phase = Phase::kUnknown;
  std::string reason;            ///< status.reason, e.g. Evicted
  std::vector<std::string> ips;  ///< status.podIPs, or podIP; numeric
  std::string host_ip;
  std::int64_t spark_ui_port = 0;  ///< containerPort named "spark-ui", as Spark declares spark.ui.port in
                                   ///< cluster mode; 0 = none
  /// The kubelet will never grant the resize that the spec asks for (condition PodResizePending, reason
  /// Infeasible; status.resize in 1.27..1.32): requests are what is held, not what is wished.
  bool resize_infeasible = false;
  bool resize_deferred = false;     ///< granted once the node has room
  bool resize_in_progress = false;  ///< granted, not yet done
  bool resize_error = false;        ///< granted, and doing it fails
  Resources overhead;               ///< spec.overhead, added to requests
  Resources pod_requests;           ///< spec.resources (pod level), replaces the sums for what it names
  Resources pod_limits;
  std::vector<Container> containers;  ///< init containers in the order of the spec

  /// Value of a label or annotation, or "" when absent. The view lives as long as the pod.
  std::string_view label(std::string_view label_name) const;
  std::string_view annotation(std::string_view annotation_name) const;
};

struct PodList {
  std::vector<Pod> pods;
};

/// Effective requests of a pod: max(init phases, sidecars + containers) + overhead, or pod-level resources
/// (KEP-753, KEP-2837, KEP-1287: per container the larger of desired, allocated and actual). Absent when
/// nothing states it. Pure; any phase: leaving out finished pods is the caller's part.
Resources effective_requests(const Pod& pod);

/// Limits with the same shape, per container what is actually enforced, else what the spec says. A resource
/// is absent when no container limits it. Containers without a limit add nothing.
Resources effective_limits(const Pod& pod);

}  // namespace flintgauge
