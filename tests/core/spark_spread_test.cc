#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "agent/core/spark_spread.h"
#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

TEST(SparkSpread, IsOfTheLivingExecutorsThatTellIt) {
  SparkBench bench;
  const FakeDriver driver;
  std::vector<SparkExecutor> rows;
  for (const double bytes : {10.0, 50.0, 30.0, 1000.0}) {
    rows.push_back(executor(std::to_string(rows.size()), 0));
    rows.back().input_bytes = bytes;
  }
  rows[0].peak_jvm_heap_bytes = 5;
  rows[3].is_active = false;
  bench.executors(driver, rows, 0);
  EXPECT_EQ(bench.value(driver, "executor_input_bytes_max", 0), 50);
  EXPECT_EQ(bench.value(driver, "executor_input_bytes_median", 0), 30);
  EXPECT_EQ(bench.value(driver, "executor_peak_heap_bytes_max", 0), 5);
  EXPECT_EQ(bench.value(driver, "executor_peak_heap_bytes_median", 0), 5);
  EXPECT_EQ(bench.value(driver, "executor_peak_python_bytes_max", 0), kAbsent);
  EXPECT_EQ(bench.value(driver, "executor_task_seconds_max", 0), kAbsent);
  rows[1].duration_seconds = 7;
  bench.executors(driver, rows, 1);
  EXPECT_EQ(bench.value(driver, "executor_task_seconds_max", 1), 7);
  bench.fold->drop(driver.rest, after(2));
  EXPECT_EQ(bench.value(driver, "executor_input_bytes_max", 2), kAbsent);
}

TEST(SparkSpread, EqualsSortingThem) {
  std::mt19937 random(11);
  std::vector<double> scratch;
  for (int round = 0; round < 300; ++round) {
    SparkAppFacts facts;
    std::vector<double> values;
    for (auto left = random() % 12; left > 0; --left) {
      ExecutorFacts& one = facts.executor_list.emplace_back();
      one.is_active = random() % 4 != 0;
      if (random() % 5 != 0) one.memory_used_bytes = static_cast<double>(random() % 7);
      if (one.is_active && !std::isnan(one.memory_used_bytes)) values.push_back(one.memory_used_bytes);
    }
    std::ranges::sort(values);
    const spark::Spread spread = spark::spread_of(facts, scratch);
    constexpr std::size_t kMemoryUsed = 5;
    ASSERT_EQ((spread.present >> kMemoryUsed) & 1U, values.empty() ? 0U : 1U);
    if (values.empty()) continue;
    const std::size_t n = values.size();
    EXPECT_EQ(spread.values[kMemoryUsed].max, values.back());
    EXPECT_EQ(spread.values[kMemoryUsed].median, (values[(n - 1) / 2] + values[n / 2]) / 2);
  }
}

}  // namespace
}  // namespace flintgauge
