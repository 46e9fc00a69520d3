#include <gtest/gtest.h>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_ever_seen.h"
#include "core/spark_fold_support.h"
#include "support/allocations.h"

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

TEST(SparkTotals, WhatAnExecutorTellsAndItsStagesTellIsNotAdded) {
  SparkBench bench;
  FakeDriver driver;
  bench.page(
      driver.page,
      {spark_row("1", Measure::kExecutorRunSeconds, 30), spark_row("2", Measure::kExecutorRunSeconds, 12),
       spark_row("1", Measure::kExecutorResultBytes, 700)},
      0);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 0), 42);
  EXPECT_EQ(bench.value(driver, "task_result_bytes_total", 0), 700);
  EXPECT_EQ(bench.value(driver, kCompleted, 0), kAbsent);  // nobody has told it: not a zero
  SparkStage done = stage(0, StageStatus::kComplete, 10, 0, 10, 41);
  done.output_records = 1;
  done.shuffle_read_records = 2;
  done.shuffle_write_records = 3;
  done.shuffle_write_seconds = 4;
  done.deserialize_seconds = 5;
  done.result_bytes = 701;
  bench.stages(driver, {done}, 1);
  EXPECT_EQ(bench.value(driver, "executor_run_seconds_total", 1), 42);
  EXPECT_EQ(bench.value(driver, "output_records_total", 1), 1);
  EXPECT_EQ(bench.value(driver, "shuffle_read_records_total", 1), 2);
  EXPECT_EQ(bench.value(driver, "shuffle_write_records_total", 1), 3);
  EXPECT_EQ(bench.value(driver, "shuffle_write_seconds_total", 1), 4);
  EXPECT_EQ(bench.value(driver, "task_deserialize_seconds_total", 1), 5);
  EXPECT_EQ(bench.value(driver, "task_result_bytes_total", 1), 701);
}

TEST(SparkTotals, AnotherDriverOfTheSameIdBeginsAnew) {
  SparkBench bench;
  FakeDriver driver;
  bench.executors(driver, {executor("1", 100)}, 0);
  bench.page(driver.page, {spark_row("1", Measure::kExecutorTasksCompleted, 101)}, 1);
  for (Target* target : {&driver.rest, &driver.page.target}) target->pod_uid = "uid-2";
  bench.executors(driver, {executor("1", 5)}, 10);
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 106);
  bench.page(driver.page, {spark_row("1", Measure::kExecutorTasksCompleted, 6)}, 11);
  EXPECT_EQ(bench.value(driver, kCompleted, 11), 107);
}

TEST(SparkTotals, FoldingOldExecutorsChangesNothing) {
  SparkBench bench;
  const FakeDriver driver;
  double want = 0;
  for (int i = 1; i <= 3000; ++i) {
    std::vector<SparkExecutor> rows = {executor(std::to_string(i), i)};
    for (int old = std::max(1, i - 100); old < i; ++old)
      rows.push_back(dead(executor(std::to_string(old), old)));
    bench.executors(driver, std::move(rows), i);
    want += i;
    if (i % 500 == 0) {
      EXPECT_EQ(bench.value(driver, kCompleted, i), want);
    }
  }
}

TEST(SparkEverSeen, FoldsTheOldestAndDoesNotTakeThemTwice) {
  spark::EverSeen<int, 1> seen;
  for (int key = 1; key <= 10; ++key) seen.find_or_make(key)->counters[0] = key;
  seen.find_or_make(2)->holders = 1;
  seen.trim(4);
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen.totals()[0], 55);
  EXPECT_EQ(seen.find_or_make(3), nullptr);  // counted already
  EXPECT_NE(seen.find_or_make(2), nullptr);
  EXPECT_NE(seen.find_or_make(11), nullptr);
}

TEST(SparkGauges, ExecutorsTasksAndStages) {
  SparkBench bench;
  const FakeDriver driver;
  SparkExecutor caching = executor("2", 0, 0);
  caching.rdd_blocks = 3;
  bench.executors(driver,
                  {executor("driver", 0, 9, 0), executor("1", 0, 6), caching, executor("3", 0, 0),
                   dead(executor("4", 0, 1))},
                  0);
  EXPECT_EQ(bench.value(driver, "executors", 0, "active"), 3);
  EXPECT_EQ(bench.value(driver, "executors", 0, "busy"), 2);
  EXPECT_EQ(bench.value(driver, "executors", 0, "dead"), 1);
  EXPECT_EQ(bench.value(driver, "tasks", 0, "active"),
            4);  // clamped to its slots; the dead one's is not believed
  EXPECT_EQ(bench.value(driver, "tasks", 0, "pending"), kAbsent);

  SparkStage retried = stage(2, StageStatus::kActive, 100, 4, 30, 60);
  retried.tasks_failed = 5;
  retried.tasks_killed = 1;
  bench.stages(driver,
               {stage(1, StageStatus::kComplete, 10, 0, 10, 5), retried,
                stage(3, StageStatus::kActive, 10, 0, 0), stage(4, StageStatus::kPending, 7, 0, 0)},
               1);
  EXPECT_EQ(bench.value(driver, "tasks", 1, "pending"), 66 + 10);
  EXPECT_EQ(bench.value(driver, "stages", 1, "active"), 2);
  EXPECT_EQ(bench.value(driver, "stages", 1, "pending"), 1);
  bench.stages(driver, {retried}, 2, false);
  EXPECT_EQ(bench.value(driver, "stages", 2, "pending"), kAbsent);  // a list of active stages does not tell
}

TEST(SparkGauges, PageAloneServes) {
  SparkBench bench;
  FakeDriver driver;
  bench.page(
      driver.page,
      {spark_row("driver", Measure::kExecutorActiveTasks, 0),
       spark_row("driver", Measure::kExecutorMaxTasks, 0), spark_row("1", Measure::kExecutorActiveTasks, 5),
       spark_row("1", Measure::kExecutorMaxTasks, 4), spark_row("2", Measure::kExecutorActiveTasks, 0),
       spark_row("2", Measure::kExecutorMaxTasks, 4)},
      0);
  EXPECT_EQ(bench.value(driver, "executors", 0, "active"), 2);
  EXPECT_EQ(bench.value(driver, "executors", 0, "busy"), kAbsent);  // the page does not list cached blocks
  EXPECT_EQ(bench.value(driver, "tasks", 0, "active"), 4);
  EXPECT_EQ(bench.facts(0).busy_executors, 2);  // so any of them may hold some
  EXPECT_EQ(bench.facts(0).slots_per_executor, 4);
  bench.page(
      driver.page,
      {spark_row("2", Measure::kExecutorActiveTasks, 1), spark_row("2", Measure::kExecutorMaxTasks, 4)}, 1);
  EXPECT_EQ(bench.value(driver, "executors", 1, "active"), 1);
}

TEST(SparkGauges, RegistryOfTheDriver) {
  SparkBench bench;
  FakeDriver driver;
  bench.page(
      driver.registry,
      {spark_row("", Measure::kDriverTargetExecutors, 8),
       spark_row("", Measure::kDriverMaxNeededExecutors, 300), spark_row("", Measure::kDriverActiveJobs, 1),
       spark_row("", Measure::kDriverRunningStages, 2), spark_row("", Measure::kDriverWaitingStages, 3)},
      0);
  EXPECT_EQ(bench.value(driver, "executors", 0, "target"), 8);
  EXPECT_EQ(bench.value(driver, "executors", 0, "max_needed"), 300);
  EXPECT_EQ(bench.value(driver, "jobs", 0, "active"), 1);
  EXPECT_EQ(bench.value(driver, "stages", 0, "active"), 2);
  EXPECT_EQ(bench.value(driver, "stages", 0, "pending"), 3);
  bench.page(driver.registry, {spark_row("", Measure::kDriverActiveJobs, 0)}, 1);
  EXPECT_EQ(bench.value(driver, "jobs", 1, "active"), 0);
  EXPECT_EQ(bench.value(driver, "executors", 1, "target"), kAbsent);
}

TEST(SparkGauges, SeveralPagesOfOneRegistryDoNotFight) {
  SparkBench bench;
  FakeDriver driver;
  FakeDriver again;
  again.registry.target.key += "/json";
  const auto row = [](Measure measure, double value) { return spark_row("", measure, value); };
  bench.page(driver.registry, {row(Measure::kDriverActiveJobs, 1), row(Measure::kDriverTargetExecutors, 8)},
             0);
  bench.page(again.registry, {row(Measure::kDriverActiveJobs, 1), row(Measure::kDriverRunningStages, 2)}, 0);
  EXPECT_EQ(bench.value(driver, "jobs", 0, "active"), 1);
  EXPECT_EQ(bench.value(driver, "executors", 0, "target"), 8);
  EXPECT_EQ(bench.value(driver, "stages", 0, "active"), 2);
  bench.fold->drop(driver.registry.target, after(1));  // the other still speaks
  EXPECT_EQ(bench.value(driver, "jobs", 1, "active"), 1);
  EXPECT_EQ(bench.value(driver, "executors", 1, "target"), kAbsent);
  bench.fold->drop(again.registry.target, after(2));
  EXPECT_EQ(bench.value(driver, "jobs", 2, "active"), kAbsent);
}

TEST(SparkIdentity, TextThatClaimsAnotherApplicationIsIgnored) {
  SparkBench bench;
  FakeDriver driver;
  const FoldCounts counts =
      bench.page(driver.page,
                 {spark_row("1", Measure::kExecutorTasksCompleted, 5, "spark-1"),
                  spark_row("1", Measure::kExecutorMaxTasks, 4, "spark-1"),
                  spark_row("2", Measure::kExecutorTasksCompleted, 1000, "spark-other")},
                 0);
  EXPECT_EQ(counts.identity_mismatch, 1U);
  EXPECT_EQ(counts.folded, 2U);
  EXPECT_EQ(bench.value(driver, kCompleted, 0), 5);
  EXPECT_EQ(bench.series(0).size(), 1U + 2);  // the total told, active executors and tasks of one app
}

TEST(SparkIdentity, SameIdInTwoNamespacesAreTwoApplications) {
  SparkBench bench;
  const FakeDriver a("team-a", "spark-1");
  const FakeDriver b("team-b", "spark-1");
  bench.executors(a, {executor("1", 1)}, 0);
  bench.executors(b, {executor("1", 2)}, 0);
  EXPECT_EQ(bench.value(a, kCompleted, 0), 1);
  EXPECT_EQ(bench.value(b, kCompleted, 0), 2);
}

TEST(SparkLife, DropEndsGaugesAndExpiryTotals) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {executor("1", 100)}, 0);
  bench.fold->expire(after(2000));  // still live: nobody dropped it
  bench.fold->drop(driver.rest, after(2001));
  bench.fold->expire(after(2001 + 899));
  EXPECT_EQ(bench.value(driver, kCompleted, 2900), 100);
  EXPECT_EQ(bench.value(driver, "executors", 2900, "active"), kAbsent);
  bench.fold->expire(after(2001 + 901));
  EXPECT_TRUE(bench.series(2902).empty());
}

TEST(SparkBudget, ExcessGoesToTheTenantsOwnOverflow) {
  SparkBench bench(BudgetLimits{.app = kAppSeries, .namespace_ = 2 * kAppSeries + 2, .node = 20'000});
  std::vector<FakeDriver> drivers;
  for (int i = 0; i < 5; ++i) drivers.emplace_back("loud", "spark-" + std::to_string(i));
  const FakeDriver quiet("quiet", "spark-0");
  const FakeDriver overflow("loud", "__overflow__");
  for (const FakeDriver& driver : drivers) bench.executors(driver, {executor("1", 10)}, 0);
  bench.executors(quiet, {executor("1", 1)}, 0);
  EXPECT_EQ(bench.value(drivers[0], kCompleted, 0), 10);
  EXPECT_EQ(bench.value(drivers[1], kCompleted, 0), 10);
  EXPECT_EQ(bench.value(drivers[2], kCompleted, 0), kAbsent);
  EXPECT_EQ(bench.value(overflow, kCompleted, 0), 30);
  EXPECT_EQ(bench.value(overflow, "executors", 0, "active"), 3);
  EXPECT_EQ(bench.value(quiet, kCompleted, 0), 1);
  ASSERT_EQ(bench.block.refused.size(), 1U);
  EXPECT_EQ(bench.block.refused[0].namespace_name, "loud");
  EXPECT_EQ(bench.block.refused[0].times, 3);
  EXPECT_EQ(bench.block.spark_apps.size(), 3U);  // no hints for what has no series
  bench.fold->drop(drivers[4].rest, after(1));
  bench.fold->expire(after(902));
  EXPECT_EQ(bench.value(overflow, kCompleted, 902), 30);  // a total does not fall when one ends
  EXPECT_EQ(bench.value(overflow, "executors", 902, "active"), 2);
  for (const FakeDriver& driver : drivers) bench.fold->drop(driver.rest, after(903));
  bench.fold->expire(after(2000));
  EXPECT_EQ(bench.value(overflow, kCompleted, 2000), kAbsent);
}

TEST(SparkSteadyState, AllocatesNothing) {
  SparkBench bench;
  FakeDriver driver("team-with-a-long-name", "spark-" + std::string(32, 'a'));
  std::vector<SparkExecutor> rows;
  std::vector<Line> lines;
  for (int i = 1; i < 50; ++i) {
    rows.push_back(executor(std::to_string(i), i));
    lines.push_back(spark_row(std::to_string(i), Measure::kExecutorTasksCompleted, i));
    lines.push_back(spark_row(std::to_string(i), Measure::kExecutorActiveTasks, i));
  }
  const Batch rest(SparkExecutors{true, rows});
  const Batch stages(SparkStages{false, {stage(1, StageStatus::kActive, 10, 1, 2, 3)}});
  const auto round = [&](double at) {
    const Batch page(driver.page.scrape(lines));
    const std::uint64_t before = allocations();
    bench.fold->apply(driver.rest, rest, after(at));
    bench.fold->apply(driver.stages, stages, after(at));
    bench.fold->apply(driver.page.target, page, after(at));
    bench.fold->expire(after(at));
    bench.fold->fill(bench.block, after(at));
    return allocations() - before;
  };
  round(1);
  round(2);
  EXPECT_EQ(round(3), 0U);
  EXPECT_EQ(round(4), 0U);
}

}  // namespace
}  // namespace flintgauge
