// The evaluator: reads all blocks at one time, joins them, and fills the derived block: application info,
// target health, store ages, hints. One thread; time is an argument.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/bottleneck.h"
#include "flintgauge/budget.h"
#include "flintgauge/hint_horizontal.h"
#include "flintgauge/hint_vertical.h"
#include "flintgauge/quota.h"
#include "flintgauge/sideways.h"
#include "flintgauge/store.h"
#include "flintgauge/time.h"

namespace flintgauge {

struct EvaluateSettings {
  double drain_target_seconds = 120;
  double startup_seconds = 30;
  double min_executors = 0;
  double max_executors = 200;
  double bottleneck_window_seconds = 120;
  std::int64_t hint_max_age_ms = 30'000;  ///< 3 Spark intervals: older input gives no hint
};

/// The same for the executors of one resource profile.
struct ProfileHint {
  std::int64_t id = 0;
  HorizontalInput input;
  HorizontalHint hint;
};

/// Executors that one streaming query needs by its rate.
struct QueryHint {
  std::string query;
  StreamingInput input;
  double executors = 0;
};

/// What the confidence of a horizontal hint was made of, beside the age of its data.
struct ConfidenceTerms {
  double completed_tasks = 0;
  double observed_seconds = 0;
  double max_age_seconds = 0;
};

/// One of the desired numbers of which the stable one is the greatest.
struct StablePoint {
  double age_seconds = 0;
  double desired = 0;
};

/// The last addition to the wasted core-seconds: before + idle_cores * seconds.
struct WasteStep {
  double before = 0;
  double idle_cores = 0;  ///< idle executors of the reading before this one, times their cores
  double seconds = 0;     ///< between the two readings, at most the greatest age
};

/// A hint and everything it was made from, for /api/v1/hints.
struct AppHint {
  AppKey app;
  HorizontalInput input;
  HorizontalHint hint;
  double stable = 0;
  /// As published: input.confidence lessened by the age of the data. The formula gets the one without age:
  /// data a few seconds older must not move the number.
  double confidence = 0;
  double age_seconds = 0;  ///< of the older of the two lists it rests on
  /// Executors whose start was measured: input.startup_seconds is their median. 0: it is the setting.
  std::size_t startups = 0;
  bool has_dynamic_allocation = false;  ///< bounds and ratio are also Spark's own
  std::optional<double> spark_target;   ///< what dynamic allocation asks for now
  /// Core-seconds of executors that neither ran a task nor held cached blocks, since the agent first saw the
  /// application.
  double wasted_core_seconds = 0;
  std::vector<ProfileHint> profiles;  ///< only when the application has several
  std::vector<QueryHint> queries;     ///< streaming queries whose rates are known
  std::optional<double> by_rate;      ///< the greatest of theirs
  double executor_cores = 0;
  ConfidenceTerms confidence_terms;
  std::vector<StablePoint> stable_window;  ///< oldest first
  WasteStep waste;                         ///< how wasted_core_seconds was reached
};

/// Workers that a standalone cluster should have: only where this node has its master and drives every
/// application that the master counts.
struct PoolHint {
  AppKey cluster;                     ///< its namespace and name
  double workers = 0;                 ///< alive
  double cores_per_worker = 0;        ///< mean over the live ones
  std::vector<std::string> app_ids;   ///< that it was made of, ...
  std::vector<WorkerDemand> demands;  ///< ... and what each wants
  double desired = 0;
};

/// How much memory and CPU the executors of an application's job should ask for, and what that was made from.
/// Memory and CPU of a driver.
struct DriverSize {
  VerticalInput input;
  VerticalHint hint;
};

struct AppVerticalHint {
  AppKey app;
  std::string job_name;  ///< whose history it is
  std::int64_t resource_profile_id = 0;
  VerticalInput input;
  VerticalHint hint;
  double slot_efficiency =
      kNotTold;  ///< CPU time of tasks / (slots * time), since the application was first seen
  double task_cpu_seconds = kNotTold, slot_seconds = kNotTold;  ///< the two it is the ratio of
  /// Executors of the application that ran out of memory since it was first seen, by what ran out.
  double heap_ooms = 0, container_ooms = 0;
  double age_seconds = 0;  ///< of the executor list
  std::optional<DriverSize> driver;
};

/// What holds an application back, and what that was concluded from.
struct AppBottleneck {
  AppKey app;
  BottleneckInput input;
  Bottleneck result;
  double shortfall_seconds = 0;  ///< as input.shortfall_seconds, but before a window is full, too
  double age_seconds = 0;        ///< of the older of the two lists it rests on
};

/// What a node agent knows of an application and its namespace's quota: no figure of the quota itself.
struct AppQuota {
  AppKey app;
  QuotaPressureInput input;
  QuotaAdvice advice;
  double age_seconds = 0;
};

/// How executors of an application fit on this node: sideways() over a view of it alone. Capacity is more
/// than what is allocatable, which a kubelet does not say: the counts are upper bounds.
struct AppSideways {
  AppKey app;
  NodeResources capacity;
  NodeResources daemonsets;  ///< requests
  NodeResources requested;   ///< of all pods here
  NodeResources executor;    ///< the largest executor of the application here
  Packing packing;           ///< of an empty node like this one
  double free_executors = 0;
  /// What the heap of result.shape was made with; absent: the driver is elsewhere, or the container holds
  /// more than heap and overhead by factor, so the heap is not known.
  std::optional<double> overhead_factor;
  Sideways result;  ///< its code speaks of this node only
};

/// One row of /api/v1/apps and of the page: this node's share. NaN = not known.
struct AppRow {
  AppKey app;
  std::string name;
  std::string job_name;  ///< one for all runs of a recurring job
  std::string spark_version;
  std::int64_t driver_pods = 0, executor_pods = 0;  ///< running
  std::int64_t pending_pods = 0;                    ///< of either role
  double cpu_cores = 0;                             ///< rate over about a minute
  double cpu_requests_cores = 0;
  double memory_working_set_bytes = 0;
  double memory_limits_bytes = 0;
  double tasks_active = 0, tasks_pending = 0, tasks_failed = 0;
};

/// What the JSON API and the pages show beside the series. Immutable once published; made anew at each
/// evaluation.
struct Report {
  Now at;
  std::vector<AppRow> apps;                ///< sorted by key
  std::vector<AppHint> hints;              ///< only fresh ones, sorted by key
  std::vector<PoolHint> pools;             ///< sorted by cluster
  std::vector<AppVerticalHint> verticals;  ///< only fresh ones, sorted by key
  std::vector<AppBottleneck> bottlenecks;  ///< only fresh ones, sorted by key
  std::vector<AppQuota> quotas;            ///< of those with dynamic allocation, sorted by key
  std::vector<AppSideways> sideways;       ///< of those with an executor pod here, sorted by key
  std::size_t history_jobs = 0;            ///< of which the history knows
  std::uint64_t history_left_out = 0;      ///< executors not sampled: their application has too many
  std::uint64_t history_dropped = 0;       ///< since the start, to stay within its bound
  /// Step of the wall clock against the steady one since the evaluation before; 0 when within 2 s. The shell
  /// counts it (flintgauge_clock_jumps_total).
  std::int64_t clock_jump_ms = 0;
};

class Evaluator {
 public:
  /// `limits` are the whole agent's, for flintgauge_series_limit; what is derived keeps to its share.
  Evaluator(const EvaluateSettings& settings, const BudgetLimits& limits, const Now& started);
  ~Evaluator();

  /// Fills schema, values, targets, times and report of the derived block from the source blocks in `view`,
  /// and returns the report; the pages of the block are left to the caller. Allocates for the report only
  /// while the set of series is unchanged.
  std::shared_ptr<const Report> evaluate(const View& view, const Now& now, Block& derived);

  /// The history of jobs as bytes (agent/core/job_snapshot.cc), for the next agent on this node.
  std::string save_history(std::string_view node) const;
  /// Takes bytes of save_history(). Why they are none: a word of a closed set, and nothing has changed.
  std::optional<std::string_view> load_history(std::string_view bytes, std::string_view node, const Now& now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flintgauge
