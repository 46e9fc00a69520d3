// One application as its driver's endpoints tell it. Private to the Spark fold; one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_driver.h"
#include "agent/core/spark_ever_seen.h"
#include "flintgauge/block.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"
#include "flintgauge/spark.h"

namespace flintgauge::spark {

/// Executor ids are numbers on Kubernetes, in the order of their birth; others sort before them by text.
struct ExecutorKey {
  std::int64_t number = -1;
  std::string text;  ///< of an id that is no number
  auto operator<=>(const ExecutorKey&) const = default;
};
ExecutorKey executor_key(std::string_view id);

/// What one list of executors says about now. The driver's own row is no executor; in local mode its tasks
/// count.
struct ExecutorsNow {
  bool known = false;
  bool complete = false;      ///< dead ones are listed too
  bool knows_blocks = false;  ///< cached blocks are listed
  SteadyTime at;
  std::int64_t active = 0, busy = 0, dead = 0;
  double slots = 0;         ///< of all active executors
  double active_tasks = 0;  ///< clamped to the slots of each
};

struct StagesNow {
  bool known = false;
  bool complete = false;
  SteadyTime at;
  double active = 0, pending = 0;
  double active_tasks = 0, pending_tasks = 0;
  double mean_task_seconds = 0;  ///< 0 = unknown
};

class App {
 public:
  App(AppKey key, const Now& now) : key_(std::move(key)), first_seen_(now.steady) {}

  void apply(const Target& target, const SparkExecutors& list, const Now& now);
  void apply(const Target& target, const SparkStages& list, const Now& now);
  /// A text page: rows of executors (scope kExecutor) or of the driver (kDriver).
  FoldCounts apply(const Target& target, const SampleBatch& batch, const Now& now);

  void apply(const Target& target, const SparkJobs& list);
  void apply(const Target& target, std::shared_ptr<const SparkSettings> settings);
  /// True when the driver says something else of itself than before.
  bool apply(const Target& target, const SparkAbout& about);

  /// The target says nothing about now any more.
  void drop(const Target& target);

  /// Brings totals and gauges up to now. Totals never fall.
  void renumber();
  const Numbers& numbers() const { return numbers_; }
  void write_facts(SparkAppFacts& facts) const;

  /// Some target of the application still speaks.
  bool is_live() const;
  const AppKey& key() const { return key_; }

 private:
  using Executors = EverSeen<ExecutorKey, kTotals>;
  using Stages = EverSeen<std::pair<std::int64_t, std::int64_t>, kTotals>;

  struct PageRow {
    Measure measure = Measure::kExecutorTasksCompleted;
    Scope scope = Scope::kDriver;
    bool bound = false;          ///< false: of another application
    std::uint32_t executor = 0;  ///< place in Page::executors
  };
  struct PageExecutor {
    std::string id;
    std::uint32_t rows = 0;             ///< 0: the place is free
    Executors::Entry* entry = nullptr;  ///< null: the driver's own row, or one that was folded long ago
    double active_tasks = 0, max_tasks = 0;
  };
  struct Page {
    std::string key;
    bool has_executors = false;
    DriverNow driver;  ///< what it says of the driver's registry
    std::vector<PageRow> rows;
    std::vector<PageExecutor> executors;
  };

  void follow_driver(const Target& target);
  Page& page_of(const Target& target);
  void bind(Page& page, PageRow& row, const Route& route);
  static void let_go(Page& page, PageRow& row);
  std::uint32_t place_of(Page& page, const std::string& executor_id);
  void take(Page& page, const PageRow& row, double value);
  void merge_drivers();
  ExecutorsNow summary_of(const Page& page, const Now& now) const;
  void forget_lists();
  const ExecutorsNow& executors_now() const { return rest_.known ? rest_ : paged_; }
  bool is_local() const { return driver_slots_ > 0 && !executors_.ever(); }
  void raise_totals();
  void set_gauges();

  AppKey key_;
  SteadyTime first_seen_;
  std::string pod_uid_;
  Executors executors_;
  std::array<double, kTotals> driver_{};  ///< counters of the driver's own row
  double driver_slots_ = 0;               ///< 0 unless in local mode
  Stages stages_;
  std::vector<Executors::Entry*> rest_listed_;
  std::vector<Stages::Entry*> stages_listed_;
  std::string rest_target_, stages_target_, paged_target_;
  ColumnSet executors_told_ = 0;  ///< totals that executors were ever said to have, by column
  bool stages_told_ = false;      ///< ever
  ExecutorsNow rest_, paged_;
  StagesNow stages_now_;
  DriverSide driver_side_;
  std::vector<Page> pages_;
  Numbers numbers_;
};

}  // namespace flintgauge::spark
