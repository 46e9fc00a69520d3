// What the hints need of one application, from its driver. The Spark fold fills it, the evaluator and the
// hints read it. Base units. A double that is NaN was not told: absent is not zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "flintgauge/identity.h"
#include "flintgauge/measure.h"
#include "flintgauge/time.h"

namespace flintgauge {

struct SparkSettings;  // spark.h

inline constexpr double kNotTold = std::numeric_limits<double>::quiet_NaN();

/// Counters of tasks, by the measure of an executor's counter: totals[Measure::kExecutorGcSeconds]. In the
/// order of Measure, from kExecutorTasksCompleted to kExecutorResultBytes.
struct SparkTotals {
  static constexpr auto kFirst = static_cast<std::size_t>(Measure::kExecutorTasksCompleted);
  static constexpr auto kCount = static_cast<std::size_t>(Measure::kExecutorResultBytes) - kFirst + 1;

  std::array<double, kCount> values;

  SparkTotals() { values.fill(kNotTold); }
  /// REQUIRES: a measure of that range.
  double& operator[](Measure measure) { return values[static_cast<std::size_t>(measure) - kFirst]; }
  double operator[](Measure measure) const { return values[static_cast<std::size_t>(measure) - kFirst]; }
};

/// One executor. Peaks are the highest values since it started, as the driver heard of them by heartbeat
/// (10 s); all of them are not told before the first one, those of process trees are 0 unless
/// spark.executor.processTreeMetrics.enabled (spark.md section 3).
struct ExecutorFacts {
  std::string id;
  bool is_active = true;                 ///< false: lost or removed; the driver remembers the last 100
  std::int64_t resource_profile_id = 0;  ///< 0 is the default profile, and all that Spark before 3.1 has
  WallTime added;                        ///< by the driver's clock; ms 0 = not told
  WallTime removed;                      ///< ms 0 = not told, or still there
  std::string remove_reason;             ///< the driver's words, at most 1 KiB; "" = not told

  double max_tasks = kNotTold;          ///< slots
  double active_tasks = kNotTold;       ///< at most max_tasks; 0 when not active, whatever its stale row says
  double rdd_blocks = kNotTold;         ///< cached
  double memory_used_bytes = kNotTold;  ///< storage memory that cached blocks use
  double max_memory_bytes = kNotTold;   ///< storage and execution memory there is (spark.memory.fraction)

  /// Counters; never fall. What lists of executors tell: completed, failed, GC, input, shuffle read and
  /// write. The others only when the executor's own registry is seen.
  SparkTotals totals;
  /// Tasks' time from launch to end as the driver saw it: 30 to 70 % above the run time. Rows of executors
  /// are comparable among themselves, not with run times (spark.md section 0.1).
  double duration_seconds = kNotTold;

  double peak_jvm_heap_bytes = kNotTold;
  double peak_jvm_off_heap_bytes = kNotTold;
  double peak_on_heap_unified_bytes = kNotTold;
  double peak_off_heap_unified_bytes = kNotTold;
  double peak_direct_pool_bytes = kNotTold;
  double peak_mapped_pool_bytes = kNotTold;
  double peak_process_tree_jvm_rss_bytes = kNotTold;
  double peak_process_tree_python_rss_bytes = kNotTold;
  double peak_process_tree_other_rss_bytes = kNotTold;
};

/// One active stage attempt. Times and byte counts move at the end of tasks, records with the heartbeats of
/// running ones; the quantiles are of tasks that have ended.
struct StageFacts {
  std::int64_t stage_id = 0;
  std::int64_t attempt_id = 0;
  std::int64_t resource_profile_id = 0;
  double tasks = 0;
  double tasks_active = 0;
  double tasks_complete = 0;
  double tasks_failed = 0;
  double tasks_waiting = 0;                   ///< not yet launched, or to be run again
  double run_seconds = 0;                     ///< sum over the tasks that have ended
  double task_run_seconds_median = kNotTold;  ///< Spark 3.2 and later, once a task has ended
  double task_run_seconds_max = kNotTold;
  double scheduler_delay_seconds_median = kNotTold;
  double wall_seconds = kNotTold;  ///< since its first task began, at stages_at
};

/// A streaming query as its last batch was. Queries without a name, and those over the limit, are one row
/// each, whose rates are sums.
struct QueryFacts {
  std::string name;
  double input_rows_per_second = kNotTold;
  double processed_rows_per_second = kNotTold;
  double batch_seconds = kNotTold;
};

/// The active executors and the open work of one resource profile.
struct ProfileFacts {
  std::int64_t id = 0;
  double executors = 0;
  double slots = 0;
  double running_tasks = 0;
  double pending_tasks = 0;  ///< of active stages: not yet launched
};

struct SparkAppFacts {
  static constexpr std::size_t kMaxExecutors = 1'000;
  static constexpr std::size_t kMaxStages = 100;
  static constexpr std::size_t kMaxProfiles = 16;

  AppKey app;
  SteadyTime executors_at;  ///< when the executor list was last read
  SteadyTime stages_at;
  bool has_executors = false;
  bool has_stages = false;
  SteadyTime first_seen;
  std::int64_t executors = 0;           ///< registered and active, driver not counted
  std::int64_t busy_executors = 0;      ///< with a running task or cached blocks
  std::int64_t slots_per_executor = 0;  ///< tasks an executor runs at once
  double slots = 0;                     ///< of all active executors; the driver's own in local mode
  std::int64_t running_tasks = 0;
  std::int64_t pending_tasks = 0;  ///< of active stages: not yet launched
  double mean_task_seconds =
      0;  ///< over completed tasks of active stages, weighted by their remaining tasks; 0 = unknown
  double completed_tasks = 0;                     ///< whole application
  std::shared_ptr<const SparkSettings> settings;  ///< null: not known
  std::string app_name, spark_version;            ///< as the driver says; "": not known

  /// The whole application, lost executors too. What flintgauge_spark_*_total say: never fall.
  SparkTotals totals;
  /// The same as the stages alone tell them. Never fall. Lists of stages and of executors are not read
  /// equally often, so the parts of a ratio are taken from here, all of one list.
  SparkTotals stage_totals;

  /// Those that the driver lists, by age: active ones, then removed ones it still remembers. Empty without
  /// has_executors. Excess over kMaxExecutors is left out, removed ones first, and counted.
  std::vector<ExecutorFacts> executor_list;
  std::int64_t executors_left_out = 0;
  /// The driver's own peaks of memory. False in local mode, where it is its own executor.
  bool has_driver = false;
  ExecutorFacts driver;
  /// Active stages in order of their ids; empty without has_stages, excess over kMaxStages left out.
  std::vector<StageFacts> stage_list;
  /// Profiles that have an active executor or an active stage, by id.
  std::vector<ProfileFacts> profiles;
  std::vector<QueryFacts> queries;  ///< that have series of their own; few
};

}  // namespace flintgauge
