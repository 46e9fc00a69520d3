// How many executors an application should have: the horizontal hint.
// Source: docs/hints.md section 1 (formula, worked example, limits); Spark's own rule is the `parity` term
// (apache/spark ExecutorAllocationManager.maxNumExecutorsNeededPerResourceProfile).
// Pure: no clock, no I/O; any thread; O(1), no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace flintgauge {

/// Closed set; value of the label `reason`: the last term that changed the number.
enum class HintReason : std::uint8_t {
  kIdle,          ///< no task runs or waits: the minimum is enough
  kBacklog,       ///< the executors there are would need longer than the drain target: more
  kStartupBound,  ///< the work ends before a new pod could help: no more than there are
  kDrain,         ///< the work fits the drain target with this many
  kParity,  ///< as many as there are tasks for (Spark's own rule); also when little is known of the tasks
  kMin,
  kMax,
  kQuota,      ///< the namespace's quota, or the room of the cluster where that is less
  kBusyFloor,  ///< running tasks or cached data hold this many
  kStale       ///< never decided here: for consumers that show why there is no hint
};
inline constexpr std::array<std::string_view, 10> kHintReasonNames = {
    "idle", "backlog", "startup_bound", "drain", "parity", "min", "max", "quota", "busy_floor", "stale"};
constexpr std::string_view to_string(HintReason reason) {
  return kHintReasonNames[static_cast<std::size_t>(reason)];
}

/// Counts of executors and tasks, seconds, ratios. All finite and >= 0; what is not (NaN, negative) counts as
/// 0, and values over 1e9 as 1e9.
struct HorizontalInput {
  double executors = 0;               ///< E: registered with the driver
  double executor_pods = 0;           ///< X: executor pods, pending ones included; at least E
  double busy_executors = 0;          ///< B: running a task, or holding data that must not be lost; at most E
  double running_tasks = 0;           ///< R
  double pending_tasks = 0;           ///< P, speculative ones included
  double unschedulable_sets = 0;      ///< U
  double tasks_per_executor = 1;      ///< c >= 1
  double allocation_ratio = 1;        ///< a, spark.dynamicAllocation.executorAllocationRatio
  double mean_task_seconds = 0;       ///< d; 0 = unknown, the hint is then Spark's own rule
  double drain_target_seconds = 120;  ///< T; 0 = do as Spark's dynamic allocation does
  double startup_seconds = 30;        ///< S: pod creation to first task
  double min_executors = 0;
  double max_executors = 200;                      ///< wins over min
  std::optional<double> quota_headroom_executors;  ///< H; absent = no quota known
  double confidence = 1;                           ///< k in [0, 1], see confidence()
  /// Executors that the nodes there are, and those that may be added, still have room for; absent = not
  /// known: one node is no cluster.
  std::optional<double> cluster_headroom_executors;
  /// What dynamic allocation itself says it has tasks for (gauge numberMaxNeededExecutors), of all profiles;
  /// absent = it is off, or not told. Stands for the parity term.
  std::optional<double> max_needed_executors;
};

struct HorizontalHint {
  double desired = 0;  ///< what to ask for: clamped, never below busy executors, inside the quota
  double unmet = 0;    ///< what the quota cuts off
  HintReason reason = HintReason::kIdle;  ///< the term that decided
  double backlog_seconds = 0;             ///< work left / (slots now)
  double idle_executors = 0;
  // The terms, for ?explain=1 and the tests.
  double parity = 0;
  double work_task_seconds = 0;  ///< W = P*d + R*d/2
  double need = 0;
  double raw = 0;
  double safe = 0;
};

/// The lesser of the two rooms that are known; absent: neither is. A negative one is overdrawn: 0.
std::optional<double> effective_headroom(const HorizontalInput& input);

/// Never NaN, always within [min, max], never below min(B, max); never falls when P or either room grows.
HorizontalHint horizontal_hint(const HorizontalInput& input);

/// k = min(1, completed/30) * min(1, observed/60 s) * max(0, 1 - age/max_age). 0 for input that is not a
/// number.
double confidence(double completed_tasks, double observed_seconds, double age_seconds,
                  double max_age_seconds);

/// Streaming has no backlog of tasks: while a query was slower than its input for three batches, as many more
/// executors as it is too slow, else those there are. Rates in rows a second.
struct StreamingInput {
  double executors = 0;
  double input_rate = 0, processing_rate = 0;  ///< of the last batch
  double batches_behind = 0;                   ///< successive batches with processing_rate < input_rate
  double min_executors = 0, max_executors = 200;
};
double streaming_executors(const StreamingInput& input);

/// One application of a standalone or Connect cluster: executors it should have, cores of each.
struct WorkerDemand {
  double executors = 0;
  double executor_cores = 0;
};
/// Cores of all executors that they should have.
double demand_cores(std::span<const WorkerDemand> applications);
/// Workers of `cores_per_worker` that the applications of the cluster need, within [min, max].
double workers_desired(std::span<const WorkerDemand> applications, double cores_per_worker,
                       double min_workers, double max_workers);

/// The stable variant, a Horizontal Pod Autoscaler's damping: up at once, down by the greatest desired of the
/// last 300 s (up to 305 s: points are kept by 5 s buckets, so that their number is bounded). One per
/// application; one thread; no allocation.
class StableDesired {
 public:
  /// Takes the desired number of now and returns the stable one. Time never goes back (if it does, it
  /// stands).
  double update(double desired, std::int64_t now_ms);

  struct Point {
    std::int64_t at_ms = 0;
    double value = 0;
  };
  /// What the stable number is the greatest of, oldest and greatest first: the points that a later, greater
  /// one does not stand for. Valid until the next update().
  std::span<const Point> window() const { return std::span(points_).first(count_); }

 private:
  static constexpr std::int64_t kDownMs = 300'000;
  static constexpr std::int64_t kBucketMs = 5'000;
  static constexpr std::size_t kPoints = kDownMs / kBucketMs + 2;  // buckets that a window can touch, and one
  // A queue of falling maxima: values fall and times rise from front to back.
  std::array<Point, kPoints> points_{};
  std::size_t count_ = 0;
};

}  // namespace flintgauge
