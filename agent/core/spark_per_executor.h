// Series of each executor, for those who ask for them (spark.per_executor). Private to the Spark fold; one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "agent/core/series_budget.h"
#include "agent/core/series_list.h"
#include "flintgauge/catalogue.h"
#include "flintgauge/identity.h"
#include "flintgauge/spark_facts.h"

namespace flintgauge::spark {

struct ExecutorColumn {
  FamilyId family;
  double (*of)(const ExecutorFacts& executor);  ///< NaN: not told
};

inline constexpr auto kExecutorColumns = std::to_array<ExecutorColumn>({
    {family("flintgauge_spark_executor_tasks_completed_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorTasksCompleted]; }},
    {family("flintgauge_spark_executor_tasks_failed_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorTasksFailed]; }},
    {family("flintgauge_spark_executor_task_seconds_total"),
     [](const ExecutorFacts& executor) { return executor.duration_seconds; }},
    {family("flintgauge_spark_executor_gc_seconds_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorGcSeconds]; }},
    {family("flintgauge_spark_executor_input_bytes_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorInputBytes]; }},
    {family("flintgauge_spark_executor_shuffle_read_bytes_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorShuffleReadBytes]; }},
    {family("flintgauge_spark_executor_shuffle_write_bytes_total"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorShuffleWriteBytes]; }},
    {family("flintgauge_spark_executor_tasks_active"),
     [](const ExecutorFacts& executor) { return executor.active_tasks; }},
    {family("flintgauge_spark_executor_memory_used_bytes"),
     [](const ExecutorFacts& executor) { return executor.memory_used_bytes; }},
    {family("flintgauge_spark_executor_peak_heap_bytes"),
     [](const ExecutorFacts& executor) { return executor.peak_jvm_heap_bytes; }},
});
constexpr bool is_counter_column(std::size_t column) {
  return info(kExecutorColumns[column].family).type == MetricType::kCounter;
}

/// Values by column of kExecutorColumns.
struct ExecutorValues {
  std::array<double, kExecutorColumns.size()> value{};
  std::uint32_t present = 0;
};

/// The living executors of one application. Those beyond the budget are summed under executor_id
/// "__overflow__", whose counters keep what its executors had when they left.
class PerExecutor {
 public:
  /// Takes what the lists say now. True when the set of series is another than before.
  bool update(const SparkAppFacts& facts, SeriesBudget& budget);
  /// Its driver is silent: nobody lives, and the overflow's counters stay.
  bool silence(const AppKey& app, SeriesBudget& budget);
  /// Gives everything back.
  void end(const AppKey& app, SeriesBudget& budget);

  void add_series(SeriesList& out, const AppKey& app) const;

 private:
  struct Executor {
    ExecutorValues values;
    bool is_own = false;  ///< has series of its own
    std::uint64_t reading = 0;
  };

  bool drop_unread(const AppKey& app, SeriesBudget& budget);
  bool sum_overflow();

  std::map<std::string, Executor, std::less<>> executors_;
  ExecutorValues left_;  ///< counters of executors without series of their own that are gone
  ExecutorValues overflow_;
  std::uint64_t reading_ = 0;
};

}  // namespace flintgauge::spark
