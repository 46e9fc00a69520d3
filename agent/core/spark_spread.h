// How unevenly an application's executors are loaded: largest and median value over those that live. Private
// to the Spark fold. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flintgauge/catalogue.h"
#include "flintgauge/spark_facts.h"

namespace flintgauge::spark {

struct SpreadColumn {
  FamilyId max, median;
  double (*of)(const ExecutorFacts& executor);  ///< NaN: not told
};

inline constexpr auto kSpreadColumns = std::to_array<SpreadColumn>({
    {family("flintgauge_spark_executor_task_seconds_max"),
     family("flintgauge_spark_executor_task_seconds_median"),
     [](const ExecutorFacts& executor) { return executor.duration_seconds; }},
    {family("flintgauge_spark_executor_gc_seconds_max"),
     family("flintgauge_spark_executor_gc_seconds_median"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorGcSeconds]; }},
    {family("flintgauge_spark_executor_input_bytes_max"),
     family("flintgauge_spark_executor_input_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorInputBytes]; }},
    {family("flintgauge_spark_executor_shuffle_read_bytes_max"),
     family("flintgauge_spark_executor_shuffle_read_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorShuffleReadBytes]; }},
    {family("flintgauge_spark_executor_shuffle_write_bytes_max"),
     family("flintgauge_spark_executor_shuffle_write_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.totals[Measure::kExecutorShuffleWriteBytes]; }},
    {family("flintgauge_spark_executor_memory_used_bytes_max"),
     family("flintgauge_spark_executor_memory_used_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.memory_used_bytes; }},
    {family("flintgauge_spark_executor_peak_heap_bytes_max"),
     family("flintgauge_spark_executor_peak_heap_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.peak_jvm_heap_bytes; }},
    {family("flintgauge_spark_executor_peak_off_heap_bytes_max"),
     family("flintgauge_spark_executor_peak_off_heap_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.peak_jvm_off_heap_bytes; }},
    {family("flintgauge_spark_executor_peak_unified_bytes_max"),
     family("flintgauge_spark_executor_peak_unified_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.peak_on_heap_unified_bytes; }},
    {family("flintgauge_spark_executor_peak_python_bytes_max"),
     family("flintgauge_spark_executor_peak_python_bytes_median"),
     [](const ExecutorFacts& executor) { return executor.peak_process_tree_python_rss_bytes; }},
});

struct SpreadValue {
  double max = kNotTold, median = kNotTold;
};
struct Spread {
  std::array<SpreadValue, kSpreadColumns.size()> values;
  std::uint32_t present = 0;  ///< bit of each column that some living executor told
};
inline constexpr std::size_t kSpreadSeries = 2 * kSpreadColumns.size();

/// `scratch` keeps its memory from call to call.
Spread spread_of(const SparkAppFacts& facts, std::vector<double>& scratch);

}  // namespace flintgauge::spark
