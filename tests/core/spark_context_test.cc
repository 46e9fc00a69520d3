// A second SparkContext under the same application id and pod: the driver's container was started again, or
// its program stopped one session and made another. Jobs, stages and executors are numbered anew, and what
// was counted before stays.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr const char* kCompleted = "tasks_completed_total";

SparkExecutor driver_row(std::int64_t added_ms, double completed = 0, std::int64_t max_tasks = 0) {
  SparkExecutor row = executor("driver", completed, 0, max_tasks);
  row.added = WallTime{added_ms};
  return row;
}

SparkStage submitted(SparkStage row, std::int64_t ms) {
  row.submitted = WallTime{ms};
  return row;
}

SparkStage done(std::int64_t id, std::int64_t tasks, std::int64_t ms) {
  return submitted(stage(id, StageStatus::kComplete, tasks, 0, tasks), ms);
}

TEST(SparkContext, ExecutorsOfAnotherAreAddedToThoseBefore) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {driver_row(1'000), executor("1", 100), executor("2", 50)}, 0);
  bench.executors(driver, {driver_row(9'000), executor("1", 5)}, 10);
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 155);
  bench.executors(driver, {driver_row(9'000), executor("1", 120)}, 20);
  EXPECT_EQ(bench.value(driver, kCompleted, 20), 270);
}

TEST(SparkContext, InLocalModeTheDriversOwnTasksAreAdded) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {driver_row(1'000, 30, 4)}, 0);
  bench.executors(driver, {driver_row(9'000, 7, 4)}, 10);
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 37);
  bench.executors(driver, {driver_row(9'000, 8, 4)}, 20);
  EXPECT_EQ(bench.value(driver, kCompleted, 20), 38);
}

TEST(SparkContext, StagesOfAnotherAreAddedToThoseBefore) {
  SparkBench bench;
  const FakeDriver driver;
  bench.stages(driver, {done(1, 40, 1'100), done(0, 60, 1'000)}, 0);
  bench.stages(driver, {submitted(stage(0, StageStatus::kActive, 90, 4, 10), 9'000)}, 10);
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 110);
  bench.stages(driver, {done(1, 1, 9'500), done(0, 90, 9'000)}, 20);
  EXPECT_EQ(bench.value(driver, kCompleted, 20), 191);
}

TEST(SparkContext, IsSeenThoughTheStageWasFoldedLongAgo) {
  SparkBench bench;
  const FakeDriver driver;
  for (std::int64_t id = 0; id < 2'000; ++id)
    bench.stages(driver, {done(id, 1, 1'000 + id)}, static_cast<double>(id));
  EXPECT_EQ(bench.value(driver, kCompleted, 2'000), 2'000);
  bench.stages(driver, {done(0, 7, 5'000)}, 2'010);
  EXPECT_EQ(bench.value(driver, kCompleted, 2'010), 2'007);
}

TEST(SparkContext, ListsThatComeOneByOneCountNothingTwice) {
  SparkBench bench;
  const FakeDriver driver;
  bench.executors(driver, {driver_row(1'000), executor("1", 100)}, 0);
  bench.stages(driver, {done(0, 100, 1'500)}, 0);
  bench.stages(driver, {done(0, 20, 9'500)}, 10);  // the executors of the new one come later
  EXPECT_EQ(bench.value(driver, kCompleted, 10), 120);
  bench.executors(driver, {driver_row(9'000), executor("1", 20)}, 11);
  EXPECT_EQ(bench.value(driver, kCompleted, 11), 120);
  bench.executors(driver, {driver_row(9'000), executor("1", 20)}, 20);
  bench.stages(driver, {done(0, 20, 9'500)}, 20);
  EXPECT_EQ(bench.value(driver, kCompleted, 20), 120);
}

TEST(SparkContext, AnotherPodAfterwardsIsAddedOnce) {
  SparkBench bench;
  FakeDriver driver;
  bench.executors(driver, {driver_row(1'000), executor("1", 10)}, 0);
  bench.executors(driver, {driver_row(9'000), executor("1", 20)}, 10);
  for (Target* target : {&driver.rest, &driver.stages}) target->pod_uid = "uid-2";
  bench.executors(driver, {driver_row(20'000), executor("1", 5)}, 20);
  bench.executors(driver, {driver_row(20'000), executor("1", 5)}, 30);
  EXPECT_EQ(bench.value(driver, kCompleted, 30), 35);
}

TEST(SparkContext, JobsOfAnotherAreAddedToThoseBefore) {
  SparkBench bench;
  const FakeDriver driver;
  Target target = driver.rest;
  target.key = "spark_jobs/team-a/spark-1";
  const auto told = [&](std::vector<SparkJob> rows, double at) {
    bench.fold->apply(target, Batch(SparkJobs{std::move(rows)}), after(at));
    return bench.value(driver, "jobs_succeeded_total", at);
  };
  EXPECT_EQ(told({{1, JobStatus::kSucceeded, {1'100}}, {0, JobStatus::kSucceeded, {1'000}}}, 0), 2);
  EXPECT_EQ(told({{0, JobStatus::kRunning, {9'000}}}, 60), 2);
  EXPECT_EQ(told({{0, JobStatus::kSucceeded, {9'000}}}, 120), 3);
  EXPECT_EQ(bench.value(driver, "jobs", 120, "active"), 0);
}

TEST(SparkContext, CountersOfItsRegistryBeginAtZero) {
  SparkBench bench;
  FakeDriver driver;
  const auto told = [&](double succeeded, double at) {
    bench.page(driver.registry, {spark_row("", Measure::kDriverJobsSucceeded, succeeded)}, at);
    return bench.value(driver, "jobs_succeeded_total", at);
  };
  bench.executors(driver, {driver_row(1'000)}, 0);
  EXPECT_EQ(told(8, 0), 8);
  bench.executors(driver, {driver_row(9'000)}, 10);
  EXPECT_EQ(bench.value(driver, "jobs_succeeded_total", 10), 8);
  EXPECT_EQ(told(3, 11), 11);
}

/// The slow twin: every context's own numbers, added.
TEST(SparkContext, AnyNumberOfThemAddsUp) {
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed): the same every time
  for (int run = 0; run < 50; ++run) {
    SparkBench bench;
    const FakeDriver driver;
    double before = 0;
    double at = 0;
    std::int64_t began = 1'000;
    for (int context = 0; context < 4; ++context) {
      std::vector<std::int64_t> tasks;
      for (int round = 0; round < 5; ++round, at += 10) {
        tasks.push_back(static_cast<std::int64_t>(random() % 50 + 1));
        std::vector<SparkStage> stages;
        double now = 0;
        for (std::size_t id = 0; id < tasks.size(); ++id) {
          now += static_cast<double>(tasks[id]);
          stages.push_back(
              done(static_cast<std::int64_t>(id), tasks[id], began + static_cast<std::int64_t>(id)));
        }
        const bool stages_first = random() % 2 == 0;
        if (stages_first) bench.stages(driver, stages, at);
        bench.executors(driver, {driver_row(began), executor("1", now)}, at + 1);
        if (!stages_first) bench.stages(driver, stages, at + 2);
        ASSERT_EQ(bench.value(driver, kCompleted, at + 3), before + now) << run << ' ' << context;
      }
      for (const std::int64_t count : tasks) before += static_cast<double>(count);
      began += 100'000;
    }
  }
}

}  // namespace
}  // namespace flintgauge
