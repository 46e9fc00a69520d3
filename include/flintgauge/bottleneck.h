// What holds an application back: the classifier.
// Source: docs/hints.md section "What holds an application back" (rules, thresholds, worked example, limits).
// Pure: no clock, no I/O; any thread; O(1), no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace flintgauge {

/// Closed set; value of the label `kind`.
enum class BottleneckKind : std::uint8_t {
  kUnknown,         ///< the data do not decide
  kUnreliableData,  ///< the driver dropped events: its own figures are wrong
  kOom,             ///< executors die, or are killed for their memory
  kFailingTasks,
  kIdle,          ///< no job
  kDriver,        ///< jobs, but the executors wait for the driver
  kSkew,          ///< a few tasks are much longer than the others of their stage
  kParallelism,   ///< a stage has fewer tasks than there are slots
  kGc,            ///< garbage collection
  kSpill,         ///< memory too small for sorts and aggregations: data go to disk and back
  kShuffleRead,   ///< tasks wait for shuffle blocks of others
  kShuffleWrite,  ///< tasks wait for the local disk
  kCpuLimit,      ///< the containers' CPU limit throttles
  kSmallTasks,    ///< tasks so short that starting them costs as much as they do
  kQuota,         ///< executors are wanted and the namespace's quota refuses them
  kScheduling,    ///< executor pods exist and have not started
  kMaxExecutors,  ///< dynamic allocation's own maximum
  kSlots,         ///< all slots are busy and tasks wait: more executors help
  kCpu,           ///< tasks compute: the good case
  kIoWait,        ///< tasks wait for storage, a database, Python
};
inline constexpr auto kBottleneckNames = std::to_array<std::string_view>(
    {"unknown",   "unreliable_data", "oom",   "failing_tasks", "idle",          "driver",
     "skew",      "parallelism",     "gc",    "spill",         "shuffle_read",  "shuffle_write",
     "cpu_limit", "small_tasks",     "quota", "scheduling",    "max_executors", "slots",
     "cpu",       "io_wait"});
constexpr std::string_view to_string(BottleneckKind kind) {
  return kBottleneckNames[static_cast<std::size_t>(kind)];
}
inline constexpr std::size_t kBottleneckKinds = kBottleneckNames.size();

/// What happened within a window of 2 to 5 minutes: executors only, without the driver's row. An absent field
/// is not known; one that is not finite or negative counts as absent. Times in seconds.
struct BottleneckInput {
  double window_seconds = 0;  ///< W
  // Means over the samples of the window.
  std::optional<double> executors;
  std::optional<double> slots;          ///< S, of all live executors
  std::optional<double> active_tasks;   ///< clamped to the slots
  std::optional<double> pending_tasks;  ///< B, of active stages: not yet launched
  std::optional<double> driver_cpu_cores;
  // Shares of the samples, 0 to 1.
  std::optional<double> job_share;      ///< with an active job
  std::optional<double> stage_share;    ///< with an active stage
  std::optional<double> idle_share;     ///< without an active task
  std::optional<double> backlog_share;  ///< with a waiting task
  // Increases over the window.
  std::optional<double> run_seconds;  ///< T
  std::optional<double> cpu_seconds;
  std::optional<double> gc_seconds;
  std::optional<double> fetch_wait_seconds;
  std::optional<double> shuffle_write_seconds;
  std::optional<double> deserialize_seconds;
  std::optional<double> disk_spilled_bytes;
  std::optional<double> input_bytes;
  std::optional<double> shuffle_read_bytes;
  std::optional<double> tasks_completed;
  std::optional<double> tasks_failed;
  std::optional<double> cfs_periods;
  std::optional<double> cfs_throttled_periods;
  std::optional<double> oom_kills;         ///< containers and child processes, on this node
  std::optional<double> oom_executors;     ///< lost for their memory, on any node: exit code 52, OOMKilled
  std::optional<double> exited_executors;  ///< lost, and nobody says why
  std::optional<double> dropped_events;    ///< by the driver's listener bus
  // The stages active now: of the one with the longest task, else the largest.
  std::optional<double> stage_tasks;
  std::optional<double> stage_median_seconds;  ///< of its completed tasks
  std::optional<double> stage_max_seconds;
  std::optional<double> stage_scheduler_delay_seconds;  ///< median
  /// How long the end of a stage has lasted: an active stage, nothing waiting, less than a quarter of the
  /// slots busy, at every sample until now.
  std::optional<double> tail_seconds;
  // Executors: wanted and there.
  std::optional<double> target_executors;      ///< dynamic allocation's
  std::optional<double> max_executors;         ///< dynamic allocation's
  std::optional<double> shortfall_seconds;     ///< target > executors and > their pods here: how long
  std::optional<double> pending_pods;          ///< executor pods of this node that have not started
  std::optional<double> cluster_pending_pods;  ///< of all nodes and of none; only a hub knows
  std::optional<double> quota_headroom_executors;
};

struct BottleneckCause {
  BottleneckKind kind = BottleneckKind::kUnknown;
  /// Part of the slot time S * W that was lost to it; of capacity kinds the part of the known tasks that
  /// waits. 0 to 1.
  double share = 0;
  double confidence = 0;  ///< 0 to 1: how directly it was measured, and on how many tasks
  double figure = 0;      ///< what was compared ...
  double threshold = 0;   ///< ... with what
};

/// The figures that decided; absent when they could not be computed.
struct BottleneckFigures {
  std::optional<double> busy;  ///< of the slots
  std::optional<double> gc, spill, fetch, write, cpu, throttled, failed;
  std::optional<double> skew;               ///< longest / median task
  std::optional<double> mean_task_seconds;  ///< of the tasks that ended in the window
};

struct Bottleneck {
  /// The first of causes(), or kUnknown.
  BottleneckKind kind = BottleneckKind::kUnknown;
  double confidence = 0;
  BottleneckFigures figures;
  /// Every cause that its rule found, in the order to treat them: what destroys work, what loses slot time
  /// (greatest share first), what lacks slots, what the tasks do.
  std::array<BottleneckCause, kBottleneckKinds> found{};
  std::size_t count = 0;
  std::span<const BottleneckCause> causes() const { return {found.data(), count}; }
};

Bottleneck classify(const BottleneckInput& input);

}  // namespace flintgauge
