// How many executors an application should have: the horizontal hint.
// Source: docs/hints.md section 1 (formula, worked example, limits); Spark's own rule is the `parity` term
// (apache/spark ExecutorAllocationManager.maxNumExecutorsNeededPerResourceProfile).
// Pure: no clock, no I/O; any thread; O(1), no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flintgauge {

/// Closed set; value of the label `reason`.
enum class HintReason : std::uint8_t {
  kIdle,
  kBacklog,
  kStartupBound,
  kDrain,
  kParity,
  kMin,
  kMax,
  kQuota,
  kBusyFloor,
  kStale
};
inline constexpr std::array<std::string_view, 10> kHintReasonNames = {
    "idle", "backlog", "startup_bound", "drain", "parity", "min", "max", "quota", "busy_floor", "stale"};
constexpr std::string_view to_string(HintReason reason) {
  return kHintReasonNames[static_cast<std::size_t>(reason)];
}

/// Counts of executors and tasks, seconds, ratios. All finite and >= 0.
struct HorizontalInput {
  double executors = 0;               ///< E: registered with the driver
  double executor_pods = 0;           ///< X: executor pods, pending ones included
  double busy_executors = 0;          ///< B: running a task, or holding data that must not be lost
  double running_tasks = 0;           ///< R
  double pending_tasks = 0;           ///< P, speculative ones included
  double unschedulable_sets = 0;      ///< U
  double tasks_per_executor = 1;      ///< c >= 1
  double allocation_ratio = 1;        ///< a, spark.dynamicAllocation.executorAllocationRatio
  double mean_task_seconds = 0;       ///< d
  double drain_target_seconds = 120;  ///< T; 0 = do as Spark's dynamic allocation does
  double startup_seconds = 30;        ///< S: pod creation to first task
  double min_executors = 0;
  double max_executors = 200;
  std::optional<double> quota_headroom_executors;  ///< H; absent = no quota known
  double confidence = 1;                           ///< k in [0, 1], see confidence()
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

HorizontalHint horizontal_hint(const HorizontalInput& input);

/// k = min(1, completed/30) * min(1, observed/60 s) * max(0, 1 - age/max_age).
double confidence(double completed_tasks, double observed_seconds, double age_seconds,
                  double max_age_seconds);

/// The stable variant: HPA semantics over a window. Up: the least desired of the last `up_ms` (0 = at once);
/// down: the greatest of the last `down_ms` (300 s). One per application; one thread. Bounded: 64 points,
/// older ones merge.
class StableDesired {
 public:
  double update(double desired, std::int64_t now_ms);

 private:
  static constexpr std::int64_t kDownMs = 300'000;
  static constexpr std::size_t kPoints = 64;
  struct Point {
    std::int64_t at_ms = 0;
    double value = 0;
  };
  std::array<Point, kPoints> points_{};
  std::size_t count_ = 0;
};

}  // namespace flintgauge
