#include <gtest/gtest.h>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

struct PerExecutorBench : SparkBench {
  explicit PerExecutorBench(const BudgetLimits& limits = {})
      : SparkBench(limits, SparkFoldSettings{.per_executor = true}) {}
  FakeDriver driver;

  double of(const std::string& executor_id, const std::string& suffix, double at) {
    const auto all = series(at);
    const auto found = all.find("flintgauge_spark_executor_" + suffix + "{" + driver.labels +
                                ",executor_id=\"" + executor_id + "\"}");
    return found == all.end() ? kAbsent : found->second;
  }
};

TEST(SparkPerExecutor, IsOffUnlessAskedFor) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 5)}, 0);
  for (const auto& [name, value] : bench.series(0))
    EXPECT_EQ(name.find("executor_id"), std::string::npos) << name;
}

TEST(SparkPerExecutor, ShowsTheLivingOnes) {
  PerExecutorBench bench;
  SparkExecutor row = executor("1", 5, 2);
  row.peak_jvm_heap_bytes = 77;
  bench.executors(bench.driver, {row, executor("2", 9), dead(executor("3", 4))}, 0);
  EXPECT_EQ(bench.of("1", "tasks_completed_total", 0), 5);
  EXPECT_EQ(bench.of("1", "tasks_active", 0), 2);
  EXPECT_EQ(bench.of("1", "peak_heap_bytes", 0), 77);
  EXPECT_EQ(bench.of("2", "tasks_completed_total", 0), 9);
  EXPECT_EQ(bench.of("2", "peak_heap_bytes", 0), kAbsent);
  EXPECT_EQ(bench.of("3", "tasks_completed_total", 0), kAbsent);
  bench.executors(bench.driver, {row, dead(executor("2", 9))}, 1);
  EXPECT_EQ(bench.of("2", "tasks_completed_total", 1), kAbsent);
  bench.fold->drop(bench.driver.rest, after(2));
  EXPECT_EQ(bench.of("1", "tasks_completed_total", 2), kAbsent);
}

TEST(SparkPerExecutor, ExcessIsSummedAndItsCountersStay) {
  // Room for the application and one executor.
  PerExecutorBench bench(BudgetLimits{.app = kAppSeries + 10, .namespace_ = 4'000, .node = 20'000});
  bench.executors(bench.driver, {executor("1", 5, 1), executor("2", 6, 2), executor("3", 7, 3)}, 0);
  EXPECT_EQ(bench.of("1", "tasks_completed_total", 0), 5);
  EXPECT_EQ(bench.of("2", "tasks_completed_total", 0), kAbsent);
  EXPECT_EQ(bench.of("__overflow__", "tasks_completed_total", 0), 13);
  EXPECT_EQ(bench.of("__overflow__", "tasks_active", 0), 5);
  ASSERT_EQ(bench.block.refused.size(), 1U);
  EXPECT_EQ(bench.block.refused[0].namespace_name, "team-a");
  EXPECT_EQ(bench.block.refused[0].times, 2);
  bench.executors(bench.driver, {executor("3", 8, 1)}, 10);
  EXPECT_EQ(bench.of("__overflow__", "tasks_completed_total", 10), 14);
  EXPECT_EQ(bench.of("__overflow__", "tasks_active", 10), 1);
  bench.executors(bench.driver, {executor("3", 8, 1), executor("4", 1, 1)}, 20);  // room again
  EXPECT_EQ(bench.of("4", "tasks_completed_total", 20), 1);
  bench.executors(bench.driver, {}, 30);
  EXPECT_EQ(bench.of("__overflow__", "tasks_completed_total", 30), 14);
}

TEST(SparkPerExecutor, AnExecutorNamedLikeTheOverflowIsPartOfIt) {
  PerExecutorBench bench;
  bench.executors(bench.driver, {executor("__overflow__", 5)}, 0);
  EXPECT_EQ(bench.of("__overflow__", "tasks_completed_total", 0), 5);
}

TEST(SparkPerExecutor, GivesItsRoomBackAtTheEnd) {
  PerExecutorBench bench(BudgetLimits{.app = 500, .namespace_ = kAppSeries + 10, .node = 20'000});
  bench.executors(bench.driver, {executor("1", 5)}, 0);
  bench.series(0);
  bench.fold->forget(bench.driver.rest, after(1));
  bench.fold->expire(after(1'000));
  EXPECT_TRUE(bench.series(1'000).empty());
  const FakeDriver next("team-a", "spark-2");
  bench.executors(next, {executor("1", 6)}, 1'001);
  EXPECT_EQ(bench.value(next, "tasks_completed_total", 1'001), 6);
  EXPECT_EQ(bench.series(1'001).at("flintgauge_spark_executor_tasks_completed_total{" + next.labels +
                                   ",executor_id=\"1\"}"),
            6);
}

TEST(SparkLife, TotalsStayForTheTimeThatIsSet) {
  SparkBench bench({}, SparkFoldSettings{.ended_retention_ms = 60'000});
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 100)}, 0);
  bench.fold->forget(driver.rest, after(1));
  bench.fold->expire(after(61));
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 61), 100);
  bench.fold->expire(after(62));
  EXPECT_TRUE(bench.series(62).empty());
}

}  // namespace
}  // namespace flintgauge
