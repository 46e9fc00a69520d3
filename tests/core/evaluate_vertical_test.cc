// Samples of executors into the history of their job, and the hint from it, through the evaluator.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/core/app_admission.h"
#include "core/evaluate_support.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;

constexpr double kMiB = kBytesPerMiB, kGiB = 1024 * kMiB;
constexpr std::int64_t kMinute = 60'000, kDay = std::int64_t{24} * 60 * kMinute;

std::string app_id(int run) { return "spark-" + std::to_string(run); }

Pod pod_of(int run, const std::string& id, const std::string& ns = "a") {
  const bool is_driver = id.empty();
  Pod out = testing::pod(ns, app_id(run) + (is_driver ? "-driver" : "-exec-" + id), app_id(run),
                         is_driver ? "driver" : "executor", Phase::kRunning);
  testing::set_label(out, "spark-app-name", "nightly-etl");
  if (!is_driver) testing::set_label(out, "spark-exec-id", id);
  Container container;
  container.name = is_driver ? "spark-kubernetes-driver" : "spark-kubernetes-executor";
  container.requests = {.cpu_millicores = 2000, .memory_bytes = static_cast<std::int64_t>(4505 * kMiB)};
  container.state = ContainerState::kRunning;
  out.containers.push_back(container);
  return out;
}

ExecutorFacts executor(const std::string& id, double heap_gib) {
  ExecutorFacts out;
  out.id = id;
  out.peak_jvm_heap_bytes = heap_gib * kGiB;
  out.peak_on_heap_unified_bytes = 0.5 * kGiB;
  out.peak_jvm_off_heap_bytes = 150 * kMiB;
  out.peak_direct_pool_bytes = 50 * kMiB;
  out.peak_mapped_pool_bytes = 0;
  return out;
}

/// A run of the job: driver and two executors on this node, four more elsewhere.
struct JobRun {
  Bench bench;
  std::vector<Pod> pods;
  std::vector<SparkUsage> usage;
  SparkAppFacts facts;

  void begin(int run, std::int64_t ms, const std::string& ns = "a") {
    pods = {pod_of(run, "", ns), pod_of(run, "1", ns), pod_of(run, "2", ns)};
    facts = burst(ns, app_id(run), at(ms).steady);
    facts.profiles = {{.id = 0, .executors = 6, .slots = 24}};
    facts.slots = 24;
    for (int id = 1; id <= 6; ++id) facts.executor_list.push_back(executor(std::to_string(id), 2));
    auto settings = std::make_shared<SparkSettings>();
    settings->executor_memory_bytes = 4 * kGiB;
    facts.settings = settings;
    usage = {usage_of(1, 2.6 * kGiB, 0), usage_of(2, 2.5 * kGiB, 0)};
  }
  static SparkUsage usage_of(std::uint32_t pod, double bytes, double cpu_seconds) {
    SparkUsage out;
    out.pod = pod;
    out.memory_rss_bytes = out.memory_working_set_bytes = bytes;
    out.cpu_seconds = cpu_seconds;
    return out;
  }
  std::shared_ptr<const Report> step(std::int64_t ms) {
    facts.executors_at = facts.stages_at = at(ms).steady;
    bench.publish(Shard::kKubelet, at(ms), [&](Block& block) {
      block.pods = std::make_shared<const PodList>(PodList{pods});
      for (SparkUsage& one : usage) one.cpu_at_ms = at(ms).wall.ms;
      block.spark_usage = usage;
    });
    bench.publish_facts(at(ms), {facts});
    return bench.evaluate(at(ms));
  }
  double memory(int run, const std::string& part, const std::string& which = "") {
    return bench.series.at("flintgauge_hint_executor_memory_" + which + "bytes{namespace=\"a\",app_id=\"" +
                           app_id(run) + "\",part=\"" + part + "\"}") /
           kMiB;
  }
};

TEST(EvaluateVertical, PublishesEverySeriesOfAHint) {
  JobRun run;
  run.begin(1, 0);
  run.step(0);
  for (int minute = 1; minute <= 3; ++minute) {
    for (SparkUsage& one : run.usage) one.cpu_seconds += 90;  // 1.5 cores
    run.step(minute * kMinute);
  }
  const auto report = run.bench.evaluate(at(3 * kMinute));
  ASSERT_EQ(report->verticals.size(), 1U);
  const AppVerticalHint& one = report->verticals[0];
  EXPECT_EQ(one.job_name, "nightly-etl");
  EXPECT_EQ(one.input.heap_bytes, 4 * kGiB);
  EXPECT_EQ(one.input.overhead_bytes, 409 * kMiB);
  EXPECT_EQ(one.input.runs, 1);
  EXPECT_EQ(one.input.executors, 6);
  EXPECT_DOUBLE_EQ(one.hint.confidence, 0.2 * 0.6);
  EXPECT_EQ(run.memory(1, "heap"), 4096) << "one run is not enough to go lower";
  EXPECT_EQ(run.memory(1, "overhead"), 409);
  EXPECT_EQ(run.memory(1, "total"), 4505);
  EXPECT_EQ(run.memory(1, "heap", "lower_"), 2560);
  EXPECT_EQ(run.memory(1, "heap", "upper_"), 4096);
  const std::string labels = "{namespace=\"a\",app_id=\"spark-1\"}";
  EXPECT_NEAR(run.bench.series.at("flintgauge_hint_executor_cpu_cores" + labels), 1.5 * 1.15, 0.1);
  EXPECT_EQ(run.bench.series.at("flintgauge_hint_executor_confidence_ratio" + labels), one.hint.confidence);
  EXPECT_EQ(run.bench.series.count("flintgauge_hint_executor_memory_bytes{namespace=\"a\",app_id=\"spark-1\","
                                   "part=\"pyspark\"}"),
            0U)
      << "not in use";
}

TEST(EvaluateVertical, LearnsOverTheRunsOfAJob) {
  JobRun run;
  for (int i = 1; i <= 5; ++i) {
    run.begin(i, i * kDay);
    run.step(i * kDay);
    const auto report = run.step(i * kDay + kMinute);
    ASSERT_EQ(report->verticals.size(), 1U);
    EXPECT_EQ(report->verticals[0].input.runs, i);
    EXPECT_EQ(report->verticals[0].input.executors, 6 * i);
    EXPECT_EQ(report->history_jobs, 1U);
  }
  EXPECT_EQ(run.memory(5, "heap"), 3328) << "a fifth lower: 3276.8 in steps of 256";
  EXPECT_EQ(run.memory(5, "overhead"), 409)
      << "0.6 GiB beside the heap's peak, in a container that was not full";
}

TEST(EvaluateVertical, IsGoneWhenTheListOfExecutorsIsOld) {
  JobRun run;
  run.begin(1, 0);
  EXPECT_EQ(run.step(0)->verticals.size(), 1U);
  EXPECT_EQ(run.bench.evaluate(at(30'000))->verticals.size(), 1U);
  EXPECT_TRUE(run.bench.evaluate(at(30'001))->verticals.empty());
  for (const auto& [name, value] : run.bench.series)
    EXPECT_FALSE(name.starts_with("flintgauge_hint_executor_")) << name;
}

TEST(EvaluateVertical, IsAbsentWithoutPeaks) {
  JobRun run;
  run.begin(1, 0);
  run.usage.clear();
  for (ExecutorFacts& one : run.facts.executor_list) one.peak_jvm_heap_bytes = kNotTold;
  EXPECT_TRUE(run.step(0)->verticals.empty());
}

TEST(EvaluateVertical, TakesThePodsRequestWhereTheSettingsAreNotKnown) {
  JobRun run;
  run.begin(1, 0);
  run.facts.settings = nullptr;
  const auto report = run.step(0);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_EQ(report->verticals[0].input.heap_bytes, 4095 * kMiB);  // 4096 and 409.6 truncated is 4505 too
  EXPECT_EQ(report->verticals[0].input.request_cores, 2);
  run.pods.resize(1);  // executors on other nodes only
  run.usage.clear();
  EXPECT_TRUE(run.step(kMinute)->verticals.empty());
}

TEST(EvaluateVertical, RemembersAnOutOfMemoryErrorOfTheHeap) {
  JobRun run;
  run.begin(1, 0);
  run.step(0);
  run.facts.executor_list[5].is_active = false;
  run.facts.executor_list[5].remove_reason =
      "The executor with id 6 exited with exit code 52(JVM OOM).\n\nThe API gave the following container "
      "statuses";
  for (int i = 1; i <= 3; ++i) run.step(std::int64_t{i} * 10'000);
  EXPECT_EQ(run.memory(1, "heap"), 5120) << "4096 * 1.2 = 4915.2, counted once";
  run.begin(2, 6 * kDay);
  run.step(6 * kDay);
  EXPECT_EQ(run.memory(2, "heap"), 5120);
  run.begin(3, 7 * kDay + kMinute);
  run.step(7 * kDay + kMinute);
  EXPECT_EQ(run.memory(3, "heap"), 3328) << "after seven days it may go lower, as without";
}

TEST(EvaluateVertical, RemembersAKilledContainer) {
  JobRun run;
  run.begin(1, 0);
  run.step(0);
  Termination end;
  end.reason = "OOMKilled";
  end.exit_code = 137;
  run.pods[1].phase = Phase::kFailed;
  run.pods[1].containers[0].state = ContainerState::kTerminated;
  run.pods[1].containers[0].terminated = end;
  run.usage.erase(run.usage.begin());
  run.step(10'000);
  // Of the limit of 4505 MiB a fifth, 901, beside the overhead: 4505 is 4095 and 410.
  EXPECT_EQ(run.memory(1, "overhead"), 1344);
  EXPECT_EQ(run.memory(1, "heap"), 4096);
}

TEST(EvaluateVertical, OtherEndsAreNoOutOfMemory) {
  JobRun run;
  run.begin(1, 0);
  run.step(0);
  const char* const reasons[] = {"Executor killed by driver.", "exit code 143(SIGTERM)", "exit code 137",
                                 "The executor with id 4 was deleted by a user or the framework.",
                                 "exit code x"};
  for (std::size_t i = 0; i < std::size(reasons); ++i) {
    run.facts.executor_list[i].is_active = false;
    run.facts.executor_list[i].remove_reason = reasons[i];
  }
  const auto report = run.step(10'000);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_EQ(report->verticals[0].input.heap_floor_bytes, 0);
  EXPECT_EQ(report->verticals[0].input.overhead_floor_bytes, 0);
}

TEST(EvaluateVertical, KeepsTenantsApart) {
  JobRun run;
  for (int i = 1; i <= 5; ++i) {
    run.begin(i, i * kDay);
    run.step(i * kDay);
  }
  run.begin(6, 6 * kDay, "b");
  const auto report = run.step(6 * kDay);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_EQ(report->verticals[0].app.namespace_name, "b");
  EXPECT_EQ(report->verticals[0].input.runs, 1) << "the same name in another namespace is another job";
  EXPECT_EQ(report->history_jobs, 2U);
}

TEST(EvaluateVertical, SurvivesTheAgent) {
  JobRun before;
  for (int i = 1; i <= 5; ++i) {
    before.begin(i, i * kDay);
    before.step(i * kDay);
  }
  const std::string bytes = before.bench.evaluator->save_history("node-a");

  JobRun after;
  after.begin(6, 6 * kDay);
  after.bench.evaluate(at(6 * kDay));
  ASSERT_FALSE(after.bench.evaluator->load_history(bytes, "node-a", at(6 * kDay)));
  const auto report = after.step(6 * kDay);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_EQ(report->verticals[0].input.runs, 6);
  EXPECT_EQ(after.memory(6, "heap"), 3328);
  EXPECT_EQ(after.bench.evaluator->load_history(bytes, "node-b", at(6 * kDay)), "node");
  EXPECT_EQ(after.bench.evaluator->load_history("flg", "node-a", at(6 * kDay)), "truncated");
}

TEST(EvaluateVertical, SamplesABoundedNumberOfExecutors) {
  JobRun run;
  run.begin(1, 0);
  for (int id = 7; id <= 2'500; ++id) run.facts.executor_list.push_back(executor(std::to_string(id), 2));
  const auto report = run.step(0);
  EXPECT_EQ(report->verticals.at(0).input.executors, 2'000);
  EXPECT_EQ(report->history_left_out, 500U);
}

TEST(EvaluateVertical, ReportsHowWellSlotsAreUsed) {
  JobRun run;
  run.begin(1, 0);
  run.facts.stage_totals[Measure::kExecutorRunSeconds] =
      run.facts.stage_totals[Measure::kExecutorCpuSeconds] = 1000;
  run.facts.stage_totals[Measure::kExecutorGcSeconds] = 10;
  run.step(0);
  run.facts.stage_totals[Measure::kExecutorRunSeconds] += 1200;
  run.facts.stage_totals[Measure::kExecutorCpuSeconds] += 720;
  run.facts.stage_totals[Measure::kExecutorGcSeconds] += 180;
  const auto report = run.step(kMinute);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_DOUBLE_EQ(report->verticals[0].slot_efficiency, 0.5);  // 720 of 24 slots * 60 s
  EXPECT_DOUBLE_EQ(report->verticals[0].input.gc_ratio.value_or(0), 0.15);
  EXPECT_EQ(run.memory(1, "heap"), 5120) << "collections take more than a tenth: a fifth more";
}

// The driver's stages are heard after its executors: what they have done by then is no increase.
TEST(EvaluateVertical, SlotsAreJudgedFromTheFirstListOfStagesOn) {
  JobRun run;
  run.begin(1, 0);
  run.step(0);
  run.facts.stage_totals[Measure::kExecutorRunSeconds] =
      run.facts.stage_totals[Measure::kExecutorCpuSeconds] = 9000;
  run.step(kMinute);
  run.facts.stage_totals[Measure::kExecutorRunSeconds] += 1200;
  run.facts.stage_totals[Measure::kExecutorCpuSeconds] += 720;
  const auto report = run.step(2 * kMinute);
  EXPECT_DOUBLE_EQ(report->verticals.at(0).slot_efficiency, 0.5);
}

/// A driver of 2 GiB that uses 1 GiB of heap.
void know_driver(JobRun& run) {
  auto settings = std::make_shared<SparkSettings>(*run.facts.settings);
  settings->driver_memory_bytes = 2 * kGiB;
  settings->driver_request_cores = 1;
  run.facts.settings = settings;
  run.facts.has_driver = true;
  run.facts.driver = executor("driver", 1);
  run.usage.push_back(JobRun::usage_of(0, 1.3 * kGiB, 0));
}

TEST(EvaluateVertical, SizesTheDriverByTheRunsAlone) {
  JobRun run;
  std::shared_ptr<const Report> report;
  for (int i = 1; i <= 5; ++i) {
    run.begin(i, i * kDay);
    know_driver(run);
    run.step(i * kDay);
    run.usage[2].cpu_seconds += 30;  // half a core for a minute
    report = run.step(i * kDay + kMinute);
  }
  ASSERT_EQ(report->verticals.size(), 1U);
  ASSERT_TRUE(report->verticals[0].driver);
  const DriverSize& driver = *report->verticals[0].driver;
  EXPECT_EQ(driver.input.heap_bytes, 2 * kGiB);
  EXPECT_EQ(driver.input.overhead_bytes, 384 * kMiB);
  EXPECT_EQ(driver.input.runs, 5);
  EXPECT_EQ(driver.input.executors, 5) << "one a run";
  EXPECT_EQ(driver.hint.confidence, 1) << "ten drivers are not waited for";
  EXPECT_EQ(driver.hint.target[MemoryPart::kHeap] / kMiB, 1792) << "a fifth lower: 1638.4 in steps of 256";
  EXPECT_EQ(report->verticals[0].input.executors, 30) << "the driver is none of them";
  const std::string labels = "{namespace=\"a\",app_id=\"spark-5\"";
  EXPECT_EQ(run.bench.series.at("flintgauge_hint_driver_memory_bytes" + labels + ",part=\"heap\"}"),
            1792 * kMiB);
  EXPECT_NEAR(run.bench.series.at("flintgauge_hint_driver_cpu_cores" + labels + "}"), 0.5 * 1.15, 0.05);
  EXPECT_EQ(run.bench.series.at("flintgauge_hint_driver_confidence_ratio" + labels + "}"), 1);
}

TEST(EvaluateVertical, ADriverAloneIsSizedByItsPod) {
  JobRun run;
  run.begin(1, 0);
  know_driver(run);
  run.facts.settings = nullptr;
  run.facts.executor_list.clear();
  run.usage.erase(run.usage.begin(), run.usage.begin() + 2);
  const auto report = run.step(0);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_FALSE(report->verticals[0].hint.has_memory);
  ASSERT_TRUE(report->verticals[0].driver);
  EXPECT_EQ(report->verticals[0].driver->input.heap_bytes, 4095 * kMiB);
  EXPECT_EQ(report->verticals[0].driver->input.request_cores, 2);
}

TEST(EvaluateVertical, RemembersADriverThatWasKilledForItsMemory) {
  JobRun run;
  run.begin(1, 0);
  know_driver(run);
  run.step(0);
  Termination end;
  end.reason = "OOMKilled";
  run.pods[0].containers[0].last_terminated = end;
  const auto report = run.step(kMinute);
  ASSERT_EQ(report->verticals.size(), 1U);
  EXPECT_EQ(report->verticals[0].container_ooms, 0) << "that is of executors";
  EXPECT_EQ(report->verticals[0].input.overhead_floor_bytes, 0);
  ASSERT_TRUE(report->verticals[0].driver);
  // The pod's 4505 MiB are 4095 and 410 to whoever sees the pod alone; a fifth of 4505 is 901.
  EXPECT_EQ(report->verticals[0].driver->hint.target[MemoryPart::kOverhead] / kMiB, 1344);
}

// The budget is asked for all that one application can have.
TEST(EvaluateVertical, AnApplicationHasNoMoreSeriesThanItsBudgetWasAskedFor) {
  JobRun run;
  run.begin(1, 0);
  auto settings = std::make_shared<SparkSettings>(*run.facts.settings);
  settings->offheap_enabled = true;
  settings->offheap_bytes = settings->pyspark_memory_bytes = kGiB;
  run.facts.settings = settings;
  know_driver(run);
  run.facts.queries = {{"orders", 100, 200, 1}};
  const std::vector<testing::Row> capacity = {
      {testing::family_named("flintgauge_node_cpu_capacity_cores"), {}, 16},
      {testing::family_named("flintgauge_node_memory_capacity_bytes"), {}, 64 * kGiB}};
  for (int minute = 0; minute <= 2; ++minute) {
    run.facts.executors_at = run.facts.stages_at = at(minute * kMinute).steady;
    run.bench.publish(Shard::kKubelet, at(minute * kMinute), [&](Block& block) {
      set_rows(block, capacity);
      block.pods = std::make_shared<const PodList>(PodList{run.pods});
      for (SparkUsage& one : run.usage) {
        one.cpu_at_ms = at(minute * kMinute).wall.ms;
        one.cpu_seconds = 90.0 * minute;
      }
      block.spark_usage = run.usage;
    });
    run.bench.publish_facts(at(minute * kMinute), {run.facts});
    run.bench.evaluate(at(minute * kMinute));
  }
  const auto of_app = std::ranges::count_if(run.bench.series, [](const auto& entry) {
    return entry.first.find("app_id=\"spark-1\"") != std::string::npos;
  });
  EXPECT_EQ(of_app, static_cast<std::ptrdiff_t>(kDerivedSeriesPerApp));
}

}  // namespace
}  // namespace flintgauge
