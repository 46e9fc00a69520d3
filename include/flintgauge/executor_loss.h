// Why an executor is gone: what its driver says (REST removeReason, spark.md sections 0.1 and 9) and what the
// kubelet says of its pod, as one of a closed set. Pure; any thread; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "flintgauge/pod.h"

namespace flintgauge {

/// Value of the label `reason`.
enum class ExecutorLoss : std::uint8_t {
  kDecommissioned,  ///< left in order
  kKilledByDriver,  ///< idle, or excluded
  kExited,          ///< its process ended, or somebody deleted its pod
  kOom,             ///< of the Java heap (exit code 52), or killed for its memory
  kEvicted,         ///< by the kubelet, or preempted
  kNodeLost,        ///< the node or the worker is gone or shut down
  kUnknown,
};
inline constexpr auto kExecutorLossNames = std::to_array<std::string_view>(
    {"decommissioned", "killed_by_driver", "exited", "oom", "evicted", "node_lost", "unknown"});
inline constexpr std::size_t kExecutorLosses = kExecutorLossNames.size();
constexpr std::string_view to_string(ExecutorLoss loss) {
  return kExecutorLossNames[static_cast<std::size_t>(loss)];
}

/// What a driver's removeReason says. `is_certain`: the pod cannot know it better. A SIGKILL (137) without a
/// word of its cause, a deleted pod and an unknown text are not certain.
struct LossVerdict {
  ExecutorLoss loss = ExecutorLoss::kUnknown;
  bool is_certain = false;
  bool operator==(const LossVerdict&) const = default;
};
LossVerdict loss_of_reason(std::string_view remove_reason);

/// What the status of an executor's pod says: OOMKilled, exit code 52, Evicted, Preempting, the node's
/// shutdown. Nothing when it says no more than that the pod ended.
std::optional<ExecutorLoss> loss_of_pod(const Pod& pod);

/// Both joined: the pod's word counts where the driver's is not certain.
ExecutorLoss loss_of(const LossVerdict& driver, std::optional<ExecutorLoss> pod);

}  // namespace flintgauge
