// How a Spark driver's numbers mislead (spark.md section 0.1), each trap by its name.
#include <gtest/gtest.h>

#include <cmath>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

TEST(SparkTrapNumbers, ALostExecutorsRowSaysForEverThatItRunsATask) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 5, 1, 1), dead(executor("2", 3, 1, 1))}, 0);
  EXPECT_EQ(bench.value(driver, "tasks", 0, "active"), 1);
  EXPECT_EQ(bench.facts(0).running_tasks, 1);
  EXPECT_EQ(bench.facts(0).slots, 1);
  EXPECT_EQ(bench.facts(0).executor_list.at(1).active_tasks, 0);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 0), 8);  // what it completed is true
}

TEST(SparkTrapNumbers, ALostExecutorsFailedTaskIsInItsStageAlone) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 5), dead(executor("2", 3))}, 0);
  SparkStage one = stage(0, StageStatus::kActive, 20, 1, 8);
  one.tasks_failed = 1;
  bench.stages(driver, {one}, 0);
  EXPECT_EQ(bench.value(driver, "tasks_failed_total", 0), 1);
}

TEST(SparkTrapNumbers, RecordsOfAnActiveStageMoveBeforeItsTimesDo) {
  SparkBench bench;
  const FakeDriver driver;
  SparkStage one = stage(0, StageStatus::kActive, 2, 2, 0);
  bench.stages(driver, {one}, 0);
  one.input_records = 19'723;
  one.shuffle_read_records = 353'844;
  bench.stages(driver, {one}, 10);
  EXPECT_EQ(bench.value(driver, "input_records_total", 10), 19'723);
  EXPECT_EQ(bench.value(driver, "shuffle_read_records_total", 10), 353'844);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 10), 0);
  EXPECT_EQ(bench.facts(10).mean_task_seconds, 0);  // nothing is known of a task's length yet
  EXPECT_TRUE(std::isnan(bench.facts(10).stage_list.at(0).task_run_seconds_max));
  one.executor_run_seconds = 40;
  one.tasks_complete = one.tasks_active = 1;
  bench.stages(driver, {one}, 20);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 20), 40);
}

TEST(SparkTrapNumbers, RecordsOfALostTaskGoBackAndTheTotalIsRightAgainAfterwards) {
  SparkBench bench;
  const FakeDriver driver;
  SparkStage one = stage(0, StageStatus::kActive, 4, 2, 2);
  one.shuffle_read_records = 100;  // 40 of them of tasks that run
  bench.stages(driver, {one}, 0);
  EXPECT_EQ(bench.value(driver, "shuffle_read_records_total", 0), 100);
  one.shuffle_read_records = 80;  // one of the two was lost with its executor
  bench.stages(driver, {one}, 10);
  EXPECT_EQ(bench.value(driver, "shuffle_read_records_total", 10), 100) << "never falls";
  SparkStage two = stage(1, StageStatus::kActive, 4, 1, 3);
  one.status = StageStatus::kComplete;
  one.shuffle_read_records = 90;
  two.shuffle_read_records = 30;
  bench.stages(driver, {one, two}, 20);
  EXPECT_EQ(bench.value(driver, "shuffle_read_records_total", 20), 120);
}

TEST(SparkTrapNumbers, AStageWithUnfinishedParentsIsNoBacklog) {
  SparkBench bench;
  const FakeDriver driver;
  bench.stages(driver, {stage(0, StageStatus::kActive, 10, 2, 3), stage(1, StageStatus::kPending, 500, 0, 0)},
               0);
  EXPECT_EQ(bench.value(driver, "tasks", 0, "pending"), 5);
  EXPECT_EQ(bench.value(driver, "stages", 0, "pending"), 1);
}

TEST(SparkTrapNumbers, ASkippedStageStaysInTheListWithZeros) {
  SparkBench bench;
  const FakeDriver driver;
  bench.stages(driver, {stage(0, StageStatus::kSkipped, 100, 0, 0)}, 0);
  EXPECT_EQ(bench.value(driver, "tasks", 0, "pending"), 0);
  EXPECT_EQ(bench.value(driver, "stages", 0, "active"), 0);
  EXPECT_TRUE(bench.facts(0).stage_list.empty());
}

TEST(SparkTrapNumbers, ActiveTasksMayExceedMaxTasks) {
  SparkBench bench;
  FakeDriver driver;
  bench.executors(driver, {executor("1", 0, 2, 1), executor("2", 0, 0, 1)}, 0);
  EXPECT_EQ(bench.value(driver, "tasks", 0, "active"), 1);
  EXPECT_EQ(bench.facts(0).executor_list.at(0).active_tasks, 1);
  FakeDriver page;
  SparkBench other;
  other.page(
      page.page,
      {spark_row("1", Measure::kExecutorActiveTasks, 2), spark_row("1", Measure::kExecutorMaxTasks, 1)}, 0);
  EXPECT_EQ(other.value(page, "tasks", 0, "active"), 1);
}

TEST(SparkTrapNumbers, EverySumOverLivingExecutorsFallsAndNoTotalDoes) {
  SparkBench bench;
  FakeDriver driver;
  const auto rows = [](std::initializer_list<std::pair<const char*, double>> executors) {
    std::vector<Line> lines;
    for (const auto& [id, completed] : executors) {
      lines.push_back(spark_row(id, Measure::kExecutorTasksCompleted, completed));
      lines.push_back(spark_row(id, Measure::kExecutorMaxTasks, 1));
    }
    return lines;
  };
  bench.page(driver.page, rows({{"1", 50}, {"2", 40}}), 0);
  bench.page(driver.page, rows({{"2", 41}}), 10);  // the page drops a lost executor with its counters
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 10), 91);
  bench.page(driver.page, rows({{"2", 41}, {"3", 1}}), 20);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 20), 92);
}

TEST(SparkTrapNumbers, ARegistryThatKnowsNoResultSizesSaysNothingOfThem) {
  SparkBench bench;
  FakeDriver driver;
  const auto rows = [](double one, double two, double own) {
    return std::vector{spark_row("1", Measure::kExecutorResultBytes, one),
                       spark_row("2", Measure::kExecutorResultBytes, two),
                       spark_row("driver", Measure::kExecutorResultBytes, own),
                       spark_row("1", Measure::kExecutorMaxTasks, 4),
                       spark_row("1", Measure::kExecutorTasksCompleted, 7),
                       spark_row("1", Measure::kExecutorInputBytes, 0)};
  };
  bench.page(driver.page, rows(0, 0, 0), 0);  // Spark 3.5 and before, for ever
  EXPECT_EQ(bench.value(driver, "task_result_bytes_total", 0), kAbsent);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 0), 7);
  EXPECT_EQ(bench.value(driver, "input_bytes_total", 0), 0);  // no other measure's zero is nothing
  EXPECT_TRUE(std::isnan(bench.facts(0).totals[Measure::kExecutorResultBytes]));
  bench.page(driver.page, rows(2279, 0, 0), 10);  // Spark 4
  EXPECT_EQ(bench.value(driver, "task_result_bytes_total", 10), 2279);
  SparkStage one = stage(0, StageStatus::kComplete, 8, 0, 8);
  one.result_bytes = 9000;
  bench.stages(driver, {one}, 20);
  EXPECT_EQ(bench.value(driver, "task_result_bytes_total", 20), 9000);
}

}  // namespace
}  // namespace flintgauge
