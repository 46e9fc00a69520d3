#include <gtest/gtest.h>

#include <cmath>

#include "core/spark_fold_support.h"
#include "support/allocations.h"

namespace flintgauge {
namespace {

using namespace testing;

TEST(SparkFacts, AreWhatTheHintsNeed) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 10, 3), executor("2", 10, 0)}, 5);
  bench.stages(driver,
               {stage(1, StageStatus::kActive, 100, 3, 20, 40),
                stage(2, StageStatus::kActive, 30, 0, 10, 100), stage(3, StageStatus::kActive, 50, 0, 0)},
               6);
  const SparkAppFacts& facts = bench.facts(7);
  EXPECT_EQ(facts.app, (AppKey{"team-a", "spark-1"}));
  EXPECT_EQ(facts.first_seen, after(5).steady);
  EXPECT_EQ(facts.executors_at, after(5).steady);
  EXPECT_EQ(facts.stages_at, after(6).steady);
  EXPECT_TRUE(facts.has_executors && facts.has_stages);
  EXPECT_EQ(facts.executors, 2);
  EXPECT_EQ(facts.busy_executors, 1);
  EXPECT_EQ(facts.slots_per_executor, 4);
  EXPECT_EQ(facts.running_tasks, 3);
  EXPECT_EQ(facts.pending_tasks, 77 + 20 + 50);
  EXPECT_EQ(facts.mean_task_seconds, (80 * 2.0 + 20 * 10.0) / 100);
  EXPECT_EQ(facts.completed_tasks, 30);
}

// Parts of one ratio come from one list, and a stage that is asked for again has not undone its work.
TEST(SparkFacts, StageTotalsAreOfTheStagesAloneAndNeverFall) {
  SparkBench bench;
  const FakeDriver driver;
  SparkExecutor row = executor("1", 50);
  row.gc_seconds = 9;
  bench.executors(driver, {row}, 0);
  EXPECT_TRUE(std::isnan(bench.facts(0).stage_totals[Measure::kExecutorGcSeconds]));
  SparkStage active = stage(1, StageStatus::kActive, 100, 3, 20, 40);
  active.gc_seconds = 2;
  active.input_bytes = 1000;
  bench.stages(driver, {active}, 1);
  EXPECT_EQ(bench.facts(1).stage_totals[Measure::kExecutorInputBytes], 1000);
  active.input_bytes = 900;  // a running task was lost
  bench.stages(driver, {active}, 2);
  const SparkAppFacts& facts = bench.facts(2);
  EXPECT_EQ(facts.stage_totals[Measure::kExecutorTasksCompleted], 20);
  EXPECT_EQ(facts.stage_totals[Measure::kExecutorRunSeconds], 40);
  EXPECT_EQ(facts.stage_totals[Measure::kExecutorGcSeconds], 2);
  EXPECT_EQ(facts.stage_totals[Measure::kExecutorInputBytes], 1000);
  EXPECT_EQ(facts.totals[Measure::kExecutorGcSeconds], 9);
}

TEST(SparkFacts, NothingIsMadeUp) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {}, 0);
  const SparkAppFacts& facts = bench.facts(0);
  EXPECT_TRUE(facts.has_executors);
  EXPECT_FALSE(facts.has_stages);
  EXPECT_EQ(facts.slots_per_executor, 0);
  EXPECT_EQ(facts.mean_task_seconds, 0);
  bench.fold->drop(driver.rest, after(1));
  bench.fold->fill(bench.block, after(1));
  EXPECT_TRUE(bench.block.spark_apps.empty());
}

SparkExecutor whole_row() {
  SparkExecutor row = executor("7", 100, 6, 4);
  row.tasks_failed = 2;
  row.gc_seconds = 3;
  row.rdd_blocks = 5;
  row.duration_seconds = 60;
  row.memory_used_bytes = 1e6;
  row.max_memory_bytes = 2e6;
  row.resource_profile_id = 1;
  row.added = WallTime{1'000};
  row.peak_jvm_heap_bytes = 1;
  row.peak_jvm_off_heap_bytes = 2;
  row.peak_on_heap_unified_bytes = 3;
  row.peak_off_heap_unified_bytes = 4;
  row.peak_direct_pool_bytes = 5;
  row.peak_mapped_pool_bytes = 6;
  row.peak_process_tree_jvm_rss_bytes = 7;
  row.peak_process_tree_python_rss_bytes = 8;
  row.peak_process_tree_other_rss_bytes = 9;
  return row;
}

TEST(SparkFacts, TellEachExecutorWhole) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("driver", 0, 0, 0), whole_row()}, 0);
  const SparkAppFacts& facts = bench.facts(0);
  ASSERT_EQ(facts.executor_list.size(), 1U);
  const ExecutorFacts& one = facts.executor_list[0];
  EXPECT_EQ(one.id, "7");
  EXPECT_TRUE(one.is_active);
  EXPECT_EQ(one.resource_profile_id, 1);
  EXPECT_EQ(one.added.ms, 1'000);
  EXPECT_EQ(one.max_tasks, 4);
  EXPECT_EQ(one.active_tasks, 4);  // clamped
  EXPECT_EQ(one.rdd_blocks, 5);
  EXPECT_EQ(one.memory_used_bytes, 1e6);
  EXPECT_EQ(one.max_memory_bytes, 2e6);
  EXPECT_EQ(one.duration_seconds, 60);
  EXPECT_EQ(one.totals[Measure::kExecutorTasksCompleted], 100);
  EXPECT_EQ(one.totals[Measure::kExecutorTasksFailed], 2);
  EXPECT_EQ(one.totals[Measure::kExecutorGcSeconds], 3);
  EXPECT_TRUE(std::isnan(one.totals[Measure::kExecutorRunSeconds]));  // no list tells it
  EXPECT_EQ(one.peak_jvm_heap_bytes, 1);
  EXPECT_EQ(one.peak_jvm_off_heap_bytes, 2);
  EXPECT_EQ(one.peak_on_heap_unified_bytes, 3);
  EXPECT_EQ(one.peak_off_heap_unified_bytes, 4);
  EXPECT_EQ(one.peak_direct_pool_bytes, 5);
  EXPECT_EQ(one.peak_mapped_pool_bytes, 6);
  EXPECT_EQ(one.peak_process_tree_jvm_rss_bytes, 7);
  EXPECT_EQ(one.peak_process_tree_python_rss_bytes, 8);
  EXPECT_EQ(one.peak_process_tree_other_rss_bytes, 9);
  EXPECT_EQ(facts.totals[Measure::kExecutorTasksCompleted], 100);
  EXPECT_TRUE(std::isnan(facts.totals[Measure::kExecutorOutputBytes]));
  EXPECT_EQ(facts.slots, 4);
}

TEST(SparkFacts, PeaksDoNotFallAndAreAbsentUntilTold) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 0)}, 0);
  EXPECT_TRUE(std::isnan(bench.facts(0).executor_list.at(0).peak_jvm_heap_bytes));
  SparkExecutor row = executor("1", 0);
  row.peak_jvm_heap_bytes = 50;
  bench.executors(driver, {row}, 1);
  row.peak_jvm_heap_bytes = kNotTold;
  bench.executors(driver, {row}, 2);
  EXPECT_EQ(bench.facts(2).executor_list.at(0).peak_jvm_heap_bytes, 50);
}

TEST(SparkFacts, DeadExecutorsComeLastAndRunNothing) {
  SparkBench bench;
  const FakeDriver driver;
  SparkExecutor lost = dead(executor("1", 9, 1));
  lost.remove_reason = "Command exited with code 137";
  lost.removed = WallTime{5};
  bench.executors(driver, {lost, executor("2", 1, 1)}, 0);
  const SparkAppFacts& facts = bench.facts(0);
  ASSERT_EQ(facts.executor_list.size(), 2U);
  EXPECT_EQ(facts.executor_list[0].id, "2");
  EXPECT_EQ(facts.executor_list[1].id, "1");
  EXPECT_FALSE(facts.executor_list[1].is_active);
  EXPECT_EQ(facts.executor_list[1].active_tasks, 0);
  EXPECT_EQ(facts.executor_list[1].remove_reason, "Command exited with code 137");
  EXPECT_EQ(facts.executor_list[1].removed.ms, 5);
}

TEST(SparkFacts, ThePageOfExecutorsTellsThemToo) {
  SparkBench bench;
  FakeDriver driver;
  const auto row = [](Measure measure, double value) { return spark_row("3", measure, value); };
  bench.page(
      driver.page,
      {row(Measure::kExecutorMaxTasks, 4), row(Measure::kExecutorActiveTasks, 5),
       row(Measure::kExecutorRddBlocks, 2), row(Measure::kExecutorMemoryUsedBytes, 10),
       row(Measure::kExecutorMaxMemoryBytes, 20), row(Measure::kExecutorDurationSeconds, 30),
       row(Measure::kExecutorPeakJvmHeapBytes, 40), row(Measure::kExecutorPeakProcessTreePythonRssBytes, 50),
       row(Measure::kExecutorTasksFailed, 1)},
      0);
  const SparkAppFacts& facts = bench.facts(0);
  ASSERT_EQ(facts.executor_list.size(), 1U);
  const ExecutorFacts& one = facts.executor_list[0];
  EXPECT_EQ(one.id, "3");
  EXPECT_EQ(one.active_tasks, 4);
  EXPECT_EQ(one.memory_used_bytes, 10);
  EXPECT_EQ(one.max_memory_bytes, 20);
  EXPECT_EQ(one.duration_seconds, 30);
  EXPECT_EQ(one.peak_jvm_heap_bytes, 40);
  EXPECT_EQ(one.peak_process_tree_python_rss_bytes, 50);
  EXPECT_EQ(one.totals[Measure::kExecutorTasksFailed], 1);
  EXPECT_TRUE(std::isnan(one.totals[Measure::kExecutorTasksCompleted]));
  EXPECT_EQ(facts.busy_executors, 1);
  EXPECT_EQ(bench.value(driver, "executors", 0, "busy"), 1);  // every row told its cached blocks
}

TEST(SparkFacts, ExcessExecutorsAreLeftOutAndCounted) {
  SparkBench bench;
  const FakeDriver driver;
  std::vector<SparkExecutor> rows;
  for (int i = 0; i < 1'003; ++i) rows.push_back(executor(std::to_string(i), 1));
  rows[0].is_active = false;
  bench.executors(driver, rows, 0);
  const SparkAppFacts& facts = bench.facts(0);
  EXPECT_EQ(facts.executor_list.size(), SparkAppFacts::kMaxExecutors);
  EXPECT_EQ(facts.executors_left_out, 3);
  EXPECT_TRUE(facts.executor_list.back().is_active);
  bench.executors(driver, {executor("1", 1)}, 1);
  EXPECT_EQ(bench.facts(1).executors_left_out, 0);
}

TEST(SparkFacts, OneExecutorTwiceInOneListCountsOnce) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 5, 1), executor("1", 5, 1)}, 0);
  EXPECT_EQ(bench.facts(0).executor_list.size(), 1U);
  EXPECT_EQ(bench.value(driver, "executors", 0, "active"), 1);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 0), 5);
}

TEST(SparkFacts, TellActiveStagesWithTheirQuantiles) {
  SparkBench bench;
  const FakeDriver driver;
  SparkStage skewed = stage(4, StageStatus::kActive, 10, 1, 7, 70);
  skewed.tasks_failed = 1;
  skewed.task_run_seconds_median = 2;
  skewed.task_run_seconds_max = 30;
  skewed.scheduler_delay_seconds_median = 0.1;
  skewed.first_task_launched = WallTime{after(0).wall.ms - 90'000};
  bench.stages(driver,
               {skewed, stage(2, StageStatus::kActive, 5, 5, 0), stage(9, StageStatus::kPending, 5, 0, 0)},
               10);
  const SparkAppFacts& facts = bench.facts(10);
  ASSERT_EQ(facts.stage_list.size(), 2U);
  EXPECT_EQ(facts.stage_list[0].stage_id, 2);
  EXPECT_TRUE(std::isnan(facts.stage_list[0].task_run_seconds_median));
  EXPECT_TRUE(std::isnan(facts.stage_list[0].wall_seconds));
  const StageFacts& one = facts.stage_list[1];
  EXPECT_EQ(one.tasks, 10);
  EXPECT_EQ(one.tasks_active, 1);
  EXPECT_EQ(one.tasks_complete, 7);
  EXPECT_EQ(one.tasks_failed, 1);
  EXPECT_EQ(one.tasks_waiting, 2);
  EXPECT_EQ(one.run_seconds, 70);
  EXPECT_EQ(one.task_run_seconds_median, 2);
  EXPECT_EQ(one.task_run_seconds_max, 30);
  EXPECT_EQ(one.scheduler_delay_seconds_median, 0.1);
  EXPECT_EQ(one.wall_seconds, 100);
  // The whole list, asked for more rarely, has no quantiles: the last ones stay.
  skewed.task_run_seconds_median = skewed.task_run_seconds_max = kNotTold;
  bench.stages(driver, {skewed}, 20);
  EXPECT_EQ(bench.facts(20).stage_list.at(0).task_run_seconds_max, 30);
  bench.stages(driver, {}, 30);
  EXPECT_TRUE(bench.facts(30).stage_list.empty());
}

TEST(SparkFacts, AreByResourceProfile) {
  SparkBench bench;
  const FakeDriver driver;
  SparkExecutor gpu = executor("2", 0, 2, 2);
  gpu.resource_profile_id = 1;
  bench.executors(driver, {executor("1", 0, 3, 4), gpu, dead(gpu), dead(executor("3", 0, 1))}, 0);
  SparkStage on_gpu = stage(1, StageStatus::kActive, 10, 2, 3);
  on_gpu.resource_profile_id = 1;
  SparkStage elsewhere = stage(2, StageStatus::kActive, 6, 0, 0);
  elsewhere.resource_profile_id = 5;
  bench.stages(driver, {on_gpu, elsewhere}, 0);
  const auto& profiles = bench.facts(0).profiles;
  ASSERT_EQ(profiles.size(), 3U);
  EXPECT_EQ(profiles[0].id, 0);
  EXPECT_EQ(profiles[0].executors, 1);
  EXPECT_EQ(profiles[0].slots, 4);
  EXPECT_EQ(profiles[0].running_tasks, 3);
  EXPECT_EQ(profiles[1].id, 1);
  EXPECT_EQ(profiles[1].executors, 1);
  EXPECT_EQ(profiles[1].pending_tasks, 5);
  EXPECT_EQ(profiles[2].id, 5);
  EXPECT_EQ(profiles[2].executors, 0);
  EXPECT_EQ(profiles[2].pending_tasks, 6);
}

TEST(SparkFacts, FillingThemAgainAllocatesNothing) {
  SparkBench bench;
  const FakeDriver driver;
  std::vector<SparkExecutor> rows;
  for (int i = 0; i < 50; ++i) {
    rows.push_back(executor("executor-of-a-long-name-" + std::to_string(i), i, 1));
    if (i % 5 != 0) continue;
    rows.back().is_active = false;
    rows.back().remove_reason = "The executor with id 1 was deleted by a user or the framework.";
  }
  bench.executors(driver, rows, 0);
  bench.stages(driver, {stage(1, StageStatus::kActive, 10, 2, 3)}, 0);
  bench.facts(0);
  const std::uint64_t before = allocations();
  bench.fold->fill(bench.block, after(1));
  EXPECT_EQ(allocations(), before);
}

/// A row of a registry that names no executor.
Line own_row(Measure measure, double value) { return line(Scope::kExecutor, measure, value); }

FakePage own_registry(const FakeDriver& driver, const std::string& executor_id) {
  FakePage page("spark_jmx/" + driver.labels + executor_id);
  page.target.app = driver.rest.app;
  page.target.pod_uid = "uid-of-executor-" + executor_id;
  page.target.executor_id = executor_id;
  return page;
}

TEST(SparkOwnRegistry, FeedsItsExecutorsCountersAndIsNotAdded) {
  SparkBench bench;
  const FakeDriver driver;
  FakePage own = own_registry(driver, "1");
  bench.executors(driver, {executor("1", 100), executor("2", 50)}, 0);
  const FoldCounts counts = bench.page(
      own,
      {spark_row("", Measure::kDriverActiveJobs, 4), spark_row("1", Measure::kExecutorTasksCompleted, 103),
       spark_row("1", Measure::kExecutorRunSeconds, 40)},
      1);
  EXPECT_EQ(counts.folded, 2U);
  EXPECT_EQ(counts.identity_mismatch, 1U);  // an executor speaks for no driver
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 1), 153);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 1), 40);
  EXPECT_EQ(bench.value(driver, "jobs", 1, "active"), kAbsent);
  EXPECT_EQ(bench.facts(1).executor_list.at(0).totals[Measure::kExecutorRunSeconds], 40);
  bench.executors(driver, {executor("1", 110), executor("2", 50)}, 2);  // not taken for another driver's
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 2), 160);
}

TEST(SparkOwnRegistry, IsNoListOfExecutors) {
  SparkBench bench;
  FakeDriver driver;
  FakePage own = own_registry(driver, "1");
  bench.page(driver.registry, {spark_row("", Measure::kDriverActiveJobs, 1)}, 0);
  bench.page(own, {own_row(Measure::kExecutorRunSeconds, 40), spark_row("1", Measure::kExecutorMaxTasks, 4)},
             1);
  EXPECT_EQ(bench.value(driver, "executors", 1, "active"), kAbsent);
  EXPECT_FALSE(bench.facts(1).has_executors);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 1), 40);
  // Nor is the driver's own registry in local mode, where it is its own executor.
  bench.page(driver.registry, {spark_row("driver", Measure::kExecutorRunSeconds, 40)}, 2);
  EXPECT_EQ(bench.value(driver, "executors", 2, "active"), kAbsent);
}

TEST(SparkOwnRegistry, MaySpeakForItselfOnly) {
  SparkBench bench;
  const FakeDriver driver;
  FakePage own = own_registry(driver, "1");
  bench.executors(driver, {executor("1", 0), executor("2", 0)}, 0);
  const FoldCounts counts = bench.page(own,
                                       {spark_row("2", Measure::kExecutorTasksCompleted, 1e9),
                                        spark_row("driver", Measure::kExecutorTasksCompleted, 1e9)},
                                       1);
  EXPECT_EQ(counts.identity_mismatch, 2U);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 1), 0);
}

TEST(SparkOwnRegistry, WithoutItsDriverHereHasNoSeries) {
  SparkBench bench;
  FakeDriver driver;
  FakePage own = own_registry(driver, "1");
  bench.page(own, {spark_row("1", Measure::kExecutorTasksCompleted, 7)}, 0);
  EXPECT_TRUE(bench.series(0).empty());
  EXPECT_TRUE(bench.block.spark_apps.empty());
  bench.page(driver.registry, {spark_row("", Measure::kDriverActiveJobs, 1)}, 1);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 1), 7);
}

TEST(SparkPages, AForgottenTargetLeavesNothingButItsTotals) {
  SparkBench bench;
  FakeDriver driver;
  bench.page(
      driver.page,
      {spark_row("1", Measure::kExecutorMaxTasks, 4), spark_row("1", Measure::kExecutorTasksCompleted, 7)},
      0);
  EXPECT_EQ(bench.value(driver, "executors", 0, "active"), 1);
  bench.fold->forget(driver.page.target, after(1));
  EXPECT_EQ(bench.value(driver, "executors", 1, "active"), kAbsent);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 1), 7);
  FakeDriver again;  // the same key; its decoder numbers its series anew
  bench.page(
      again.page,
      {spark_row("2", Measure::kExecutorMaxTasks, 4), spark_row("2", Measure::kExecutorTasksCompleted, 1)},
      2);
  EXPECT_EQ(bench.value(driver, "tasks_completed_total", 2), 8);
  EXPECT_EQ(bench.value(driver, "executors", 2, "active"), 1);
}

TEST(SparkPages, AreBounded) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 0)}, 0);
  FoldCounts counts;
  for (int i = 0; i < 513; ++i) {
    FakePage own = own_registry(driver, std::to_string(i));
    counts = bench.page(own, {own_row(Measure::kExecutorRunSeconds, 1)}, 1);
  }
  EXPECT_EQ(counts.left_out, 1U);
  EXPECT_EQ(counts.folded, 0U);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 1), 512);
}

}  // namespace
}  // namespace flintgauge
