// What drivers tell of themselves: their registry's gauges and counters, jobs, settings and names.
#include <gtest/gtest.h>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

Line registry(Measure measure, double value) { return spark_row("", measure, value); }

SparkJobs jobs(std::vector<SparkJob> rows) { return SparkJobs{std::move(rows)}; }

struct DriverBench : SparkBench {
  FakeDriver driver;
  Target jobs_target = other("spark_jobs");
  Target settings_target = other("spark_environment");
  Target about_target = other("spark_applications");

  Target other(const std::string& collector) const {
    Target target = driver.rest;
    target.key = collector + "/team-a/spark-1";
    return target;
  }
  void restart() {
    for (Target* target : {&driver.registry.target, &jobs_target, &settings_target, &about_target})
      target->pod_uid = "uid-2";
  }
  double value_of(const std::string& suffix, double at, const std::string& state = "") {
    return value(driver, suffix, at, state);
  }
};

TEST(SparkDriverSide, ShowsEachGaugeOfTheRegistry) {
  DriverBench bench;
  bench.page(
      bench.driver.registry,
      {registry(Measure::kDriverTargetExecutors, 8), registry(Measure::kDriverMaxNeededExecutors, 363),
       registry(Measure::kDriverExecutorsToAdd, 4), registry(Measure::kDriverExecutorsPendingToRemove, 1),
       registry(Measure::kDriverExecutorsDecommissioning, 2),
       registry(Measure::kDriverStorageMemoryUsedBytes, 1048576),
       registry(Measure::kDriverStorageMemoryMaxBytes, 4194304), registry(Measure::kDriverHeapUsedBytes, 100),
       registry(Measure::kDriverHeapMaxBytes, 200)},
      0);
  EXPECT_EQ(bench.value_of("executors", 0, "target"), 8);
  EXPECT_EQ(bench.value_of("executors", 0, "max_needed"), 363);
  EXPECT_EQ(bench.value_of("executors", 0, "to_add"), 4);
  EXPECT_EQ(bench.value_of("executors", 0, "pending_to_remove"), 1);
  EXPECT_EQ(bench.value_of("executors", 0, "decommissioning"), 2);
  EXPECT_EQ(bench.value_of("storage_memory_used_bytes", 0), 1048576);
  EXPECT_EQ(bench.value_of("storage_memory_max_bytes", 0), 4194304);
  EXPECT_EQ(bench.value_of("driver_heap_used_bytes", 0), 100);
  EXPECT_EQ(bench.value_of("driver_heap_max_bytes", 0), 200);
  bench.page(bench.driver.registry, {registry(Measure::kDriverHeapUsedBytes, 90)}, 10);
  EXPECT_EQ(bench.value_of("driver_heap_used_bytes", 10), 90);
  EXPECT_EQ(bench.value_of("driver_heap_max_bytes", 10), kAbsent);
  EXPECT_EQ(bench.value_of("jobs_failed_total", 10), kAbsent);  // nobody has told it: not a zero
}

TEST(SparkDriverSide, CountersStayAndNeverFallNotEvenWhenTheDriverRestarts) {
  DriverBench bench;
  const auto told = [&](double jobs_done, double cpu, double at) {
    bench.page(
        bench.driver.registry,
        {registry(Measure::kDriverJobsSucceeded, jobs_done), registry(Measure::kDriverCpuSeconds, cpu)}, at);
  };
  told(7, 12.5, 0);
  told(6, 12, 10);  // another page, heard of less
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 10), 7);
  EXPECT_EQ(bench.value_of("driver_cpu_seconds_total", 10), 12.5);
  bench.fold->drop(bench.driver.registry.target, after(20));
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 20), 7);
  bench.restart();
  told(2, 1.5, 30);
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 30), 9);
  EXPECT_EQ(bench.value_of("driver_cpu_seconds_total", 30), 14);
}

TEST(SparkDriverSide, DroppedEventsOfAllQueuesAddUp) {
  DriverBench bench;
  bench.page(bench.driver.registry,
             {registry(Measure::kDriverEventsDropped, 3), registry(Measure::kDriverEventsDropped, 4),
              registry(Measure::kDriverEventsDropped, 0)},
             0);
  EXPECT_EQ(bench.value_of("listener_bus_dropped_events_total", 0), 7);
}

TEST(SparkDriverSide, TwoPagesOfOneRegistryAreNotAdded) {
  DriverBench bench;
  FakePage servlet{"spark_driver_page/team-a/spark-1"};
  servlet.target = bench.other("spark_driver_page");
  bench.page(bench.driver.registry, {registry(Measure::kDriverEventsDropped, 3)}, 0);
  bench.page(servlet, {registry(Measure::kDriverEventsDropped, 3), registry(Measure::kDriverTasksKilled, 1)},
             1);
  EXPECT_EQ(bench.value_of("listener_bus_dropped_events_total", 1), 3);
  EXPECT_EQ(bench.value_of("tasks_killed_total", 1), 1);
}

TEST(SparkDriverSide, KilledTasksAreThoseOfStagesWhereTheyAreMore) {
  DriverBench bench;
  bench.page(bench.driver.registry, {registry(Measure::kDriverTasksKilled, 2)}, 0);
  EXPECT_EQ(bench.value_of("tasks_killed_total", 0), 2);
  SparkStage one = stage(1, StageStatus::kComplete, 10, 0, 10, 5), other = one;
  other.stage_id = 2;
  one.tasks_killed = other.tasks_killed = 2;
  bench.stages(bench.driver, {one, other}, 1);
  EXPECT_EQ(bench.value_of("tasks_killed_total", 1), 4) << "one that ended after its stage, twice";
  bench.stages(bench.driver, {other}, 2);
  EXPECT_EQ(bench.value_of("tasks_killed_total", 2), 4) << "Spark forgets old stages";
  bench.page(bench.driver.registry, {registry(Measure::kDriverTasksKilled, 5)}, 3);
  EXPECT_EQ(bench.value_of("tasks_killed_total", 3), 5);
}

TEST(SparkDriverSide, JobsAreCountedOnceWhateverTheDriverForgets) {
  DriverBench bench;
  const auto told = [&](SparkJobs list, double at) {
    bench.fold->apply(bench.jobs_target, Batch(std::move(list)), after(at));
  };
  told(jobs({{2, JobStatus::kRunning}, {1, JobStatus::kFailed}, {0, JobStatus::kSucceeded}}), 0);
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 0), 1);
  EXPECT_EQ(bench.value_of("jobs_failed_total", 0), 1);
  EXPECT_EQ(bench.value_of("jobs", 0, "active"), 1);
  told(jobs({{3, JobStatus::kRunning}, {2, JobStatus::kSucceeded}}), 60);  // 0 and 1 are forgotten
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 60), 2);
  EXPECT_EQ(bench.value_of("jobs_failed_total", 60), 1);
  bench.page(bench.driver.registry,
             {registry(Measure::kDriverActiveJobs, 5), registry(Measure::kDriverJobsSucceeded, 40)}, 61);
  EXPECT_EQ(bench.value_of("jobs", 61, "active"), 5) << "the registry is asked more often";
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 61), 40) << "of all jobs, also those from before us";
  bench.fold->drop(bench.jobs_target, after(300));
  bench.fold->drop(bench.driver.registry.target, after(300));
  EXPECT_EQ(bench.value_of("jobs", 300, "active"), kAbsent);
  bench.restart();
  told(jobs({{0, JobStatus::kSucceeded}}), 310);
  EXPECT_EQ(bench.value_of("jobs_failed_total", 310), 1);
}

TEST(SparkDriverSide, ManyJobsCostBoundedMemoryAndAreNotCountedTwice) {
  DriverBench bench;
  for (std::int64_t first = 0; first < 5'000; first += 500) {
    std::vector<SparkJob> rows;
    for (std::int64_t id = first + 999; id >= first; --id) rows.push_back({id, JobStatus::kSucceeded});
    bench.fold->apply(bench.jobs_target, Batch(jobs(std::move(rows))), after(static_cast<double>(first)));
  }
  EXPECT_EQ(bench.value_of("jobs_succeeded_total", 5'000), 5'500);
}

TEST(SparkDriverSide, SettingsAndNamesAreFactsOfTheDriverThatToldThem) {
  DriverBench bench;
  auto settings = std::make_shared<SparkSettings>();
  settings->executor_cores = 4;
  bench.fold->apply(bench.settings_target, Batch(std::shared_ptr<const SparkSettings>(settings)), after(0));
  bench.fold->apply(bench.about_target, Batch(SparkAbout{"Nightly", "3.2.4"}), after(0));
  bench.executors(bench.driver, {executor("1", 1)}, 1);
  EXPECT_EQ(bench.facts(1).settings, settings);
  EXPECT_EQ(bench.facts(1).spark_version, "3.2.4");
  EXPECT_EQ(bench.facts(1).app_name, "Nightly");
  bench.fold->drop(bench.settings_target, after(2));
  EXPECT_EQ(bench.facts(2).settings, settings) << "they do not change while the driver lives";
  bench.driver.rest.pod_uid = "uid-2";
  bench.executors(bench.driver, {executor("1", 1)}, 3);
  EXPECT_EQ(bench.facts(3).settings, nullptr);
  EXPECT_EQ(bench.facts(3).spark_version, "");
}

TEST(SparkFacts, HaveTheDriversOwnPeaks) {
  SparkBench bench;
  const FakeDriver driver;
  SparkExecutor row = executor("driver", 0, 0, 0);
  bench.executors(driver, {row, executor("1", 10, 3)}, 0);
  EXPECT_FALSE(bench.facts(0).has_driver) << "before its first heartbeat";
  row.peak_jvm_heap_bytes = 50;
  bench.executors(driver, {row, executor("1", 10, 3)}, 1);
  row.peak_jvm_heap_bytes = 40;
  bench.executors(driver, {row, executor("1", 10, 3)}, 2);
  EXPECT_TRUE(bench.facts(2).has_driver);
  EXPECT_EQ(bench.facts(2).driver.peak_jvm_heap_bytes, 50);
  EXPECT_EQ(bench.facts(2).executor_list.size(), 1U);

  SparkBench local;
  row.max_tasks = 4;
  local.executors(driver, {row}, 0);
  EXPECT_FALSE(local.facts(0).has_driver) << "in local mode it is its own executor";
}

}  // namespace
}  // namespace flintgauge
