#include <gtest/gtest.h>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr const char* kCompleted = "tasks_completed_total";
constexpr const char* kFailed = "tasks_failed_total";

TEST(SparkTotals, StartAtTheDriversValueAndSurviveExecutors) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("driver", 0, 0, 0), executor("1", 100), executor("2", 50)}, 0, false);
  EXPECT_EQ(bench.value(driver, kCompleted, 0), 150);
  bench.executors(driver, {executor("driver", 0, 0, 0), executor("2", 60)}, 10, false);  // 1 is gone
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 160);
  bench.executors(driver, {dead(executor("1", 103)), executor("2", 60), executor("3", 1)},
                  20);  // 1 is back, dead
  EXPECT_EQ(bench.value(driver, kCompleted, 20), 164);
}

TEST(SparkTotals, PageAndRestOfOneExecutorAreNotAdded) {
  SparkBench bench;
  FakeDriver driver;
  bench.executors(driver, {executor("1", 100)}, 0);
  bench.page(driver.page,
             {spark_row("1", Measure::kExecutorTasksCompleted, 104),
              spark_row("1", Measure::kExecutorGcSeconds, 2.5)},
             1);
  EXPECT_EQ(bench.value(driver, kCompleted, 1), 104);
  EXPECT_EQ(bench.value(driver, "gc_seconds_total", 1), 2.5);
  bench.executors(driver, {executor("1", 103)}, 2);  // heard of less yet
  EXPECT_EQ(bench.value(driver, kCompleted, 2), 104);
}

TEST(SparkTotals, TheDriversOwnRowCountsOnlyInLocalMode) {
  SparkBench bench;
  FakeDriver cluster;
  bench.executors(cluster, {executor("driver", 7, 0, 0)}, 0);  // before the first executor
  EXPECT_EQ(bench.value(cluster, kCompleted, 0), 0);
  bench.executors(cluster, {executor("driver", 7, 0, 0), executor("1", 1)}, 1);
  EXPECT_EQ(bench.value(cluster, kCompleted, 1), 1);
  EXPECT_EQ(bench.value(cluster, "executors", 1, "active"), 1);

  SparkBench other;
  const FakeDriver local;
  other.executors(local, {executor("driver", 7, 2, 4)}, 0);
  EXPECT_EQ(other.value(local, kCompleted, 0), 7);
  EXPECT_EQ(other.value(local, "tasks", 0, "active"), 2);
  EXPECT_EQ(other.value(local, "executors", 0, "active"), 0);
}

TEST(SparkTotals, StagesEverSeenAreSummedAndNeverFall) {
  SparkBench bench;
  const FakeDriver driver;
  SparkStage first = stage(0, StageStatus::kActive, 10, 2, 8, 40);
  first.tasks_failed = 3;
  bench.stages(driver, {first}, 0, false);
  EXPECT_EQ(bench.value(driver, kFailed, 0), 3);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 0), 40);
  bench.stages(driver, {stage(1, StageStatus::kActive, 5, 1, 1, 2)}, 1, false);  // 0 has ended
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 1), 42);
  EXPECT_EQ(bench.value(driver, kCompleted, 1), 9);
  SparkStage again = stage(0, StageStatus::kFailed, 10, 0, 9, 45);  // another attempt is another entry
  again.attempt_id = 1;
  bench.stages(driver, {again, stage(1, StageStatus::kComplete, 5, 0, 5, 9)}, 2);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 2), 94);
}

TEST(SparkTotals, TheLargerOfStagesAndExecutorsSpeaks) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 100)}, 0);
  SparkStage running = stage(7, StageStatus::kActive, 50, 4, 20);
  running.tasks_failed = 2;  // of an executor that is gone: in no executor's row
  bench.stages(driver, {running}, 0, false);
  EXPECT_EQ(bench.value(driver, kCompleted, 0), 100);
  EXPECT_EQ(bench.value(driver, kFailed, 0), 2);
  bench.fold->drop(driver.stages, after(1));
  EXPECT_EQ(bench.value(driver, kFailed, 1), 2);
}

}  // namespace
}  // namespace flintgauge
