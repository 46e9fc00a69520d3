#include "flintgauge/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/evaluate_support.h"
#include "support/allocations.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using testing::pod;
using testing::Row;
using testing::set_label;
using testing::set_rows;

constexpr auto kCpu = family("flintgauge_app_cpu_usage_seconds_total");
constexpr auto kMemory = family("flintgauge_app_memory_working_set_bytes");

TargetState target_state(std::string key, bool asked) {
  const auto target = std::make_shared<Target>();
  target->key = std::move(key);
  TargetState state;
  state.target = target;
  state.asked = asked;
  return state;
}

TEST(Evaluate, WithoutBlocksSaysOnlyWhatItKnows) {
  Bench bench;
  const auto report = bench.evaluate(at(0));
  EXPECT_TRUE(report->apps.empty());
  EXPECT_TRUE(report->hints.empty());
  const std::map<std::string, double> want = {{"flintgauge_hints_withheld_total{reason=\"clock\"}", 0},
                                              {"flintgauge_hints_withheld_total{reason=\"incomplete\"}", 0},
                                              {"flintgauge_hints_withheld_total{reason=\"no_slots\"}", 0},
                                              {"flintgauge_hints_withheld_total{reason=\"stale\"}", 0},
                                              {"flintgauge_series_limit{scope=\"app\"}", 500},
                                              {"flintgauge_series_limit{scope=\"namespace\"}", 4000},
                                              {"flintgauge_series_limit{scope=\"node\"}", 20000},
                                              {"flintgauge_series{namespace=\"\"}", 8}};
  EXPECT_EQ(bench.series, want);
}

TEST(Evaluate, TheDriverDescribesItsApplicationInAnyOrderOfPods) {
  Pod driver = pod("a", "d", "s-1", "driver", Phase::kRunning);
  set_label(driver, "spark-app-name", "etl");
  set_label(driver, "spark-version", "4.0.1");
  set_label(driver, "sparkoperator.k8s.io/app-name", "zz-by-operator");
  Pod executor = pod("a", "e", "s-1", "executor", Phase::kRunning);
  set_label(executor, "spark-app-name", "aa-liar");
  Pod other = pod("a", "f", "s-1", "executor", Phase::kPending);
  set_label(other, "spark-app-name", "bb-liar");
  std::vector<Pod> pods = {driver, executor, other, pod("a", "plain", "", "", Phase::kRunning)};
  std::ranges::sort(pods, {}, &Pod::name);
  do {
    Bench bench;
    bench.publish_pods(at(0), pods);
    const auto report = bench.evaluate(at(0));
    EXPECT_THAT(
        bench.series,
        Contains(
            Pair("flintgauge_app_info{namespace=\"a\",app_id=\"s-1\",app_name=\"zz-by-operator\","
                 "spark_version=\"4.0.1\",operator=\"kubeflow\",job_name=\"zz-by-operator\",ended=\"false\"}",
                 1)));
    ASSERT_EQ(report->apps.size(), 1U);
    EXPECT_EQ(report->apps[0].name, "zz-by-operator");
    EXPECT_EQ(report->apps[0].driver_pods, 1);
    EXPECT_EQ(report->apps[0].executor_pods, 1);
    EXPECT_EQ(report->apps[0].pending_pods, 1);
    EXPECT_TRUE(std::isnan(report->apps[0].cpu_cores));
    EXPECT_TRUE(std::isnan(report->apps[0].tasks_failed));
  } while (std::ranges::next_permutation(pods, {}, &Pod::name).found);
}

TEST(Evaluate, WithoutADriverTheLeastWordCountsInAnyOrderOfPods) {
  Pod first = pod("a", "e", "s-1", "executor", Phase::kRunning);
  set_label(first, "spark-app-name", "aa");
  Pod second = pod("a", "f", "s-1", "executor", Phase::kRunning);
  set_label(second, "spark-app-name", "bb");
  for (const auto& pods : {std::vector{first, second}, std::vector{second, first}}) {
    Bench bench;
    bench.publish_pods(at(0), pods);
    EXPECT_EQ(bench.evaluate(at(0))->apps.at(0).name, "aa");
  }
}

TEST(Evaluate, AnEndedApplicationStaysAsLongAsItsSeries) {
  Bench bench;
  const std::vector<Row> rows = {{kCpu, {"a", "s-1", "driver"}, 7}};
  bench.publish_pods(at(0), {pod("a", "d", "s-1", "driver", Phase::kRunning)}, rows);
  bench.evaluate(at(0));
  const auto info = [](const std::string& ended) {
    return Contains(
        Pair("flintgauge_app_info{namespace=\"a\",app_id=\"s-1\",app_name=\"\",spark_version=\"\","
             "operator=\"none\",job_name=\"d\",ended=\"" +
                 ended + "\"}",
             1));
  };
  EXPECT_THAT(bench.series, info("false"));
  bench.publish_pods(at(10'000), {pod("a", "d", "s-1", "driver", Phase::kSucceeded)}, rows);
  EXPECT_EQ(bench.evaluate(at(10'000))->apps.size(), 1U);
  EXPECT_THAT(bench.series, info("true"));
  bench.publish_pods(at(20'000), {}, rows);
  EXPECT_EQ(bench.evaluate(at(20'000))->apps.size(), 1U) << "the pod is deleted, its counters stay a while";
  EXPECT_THAT(bench.series, info("true"));
  bench.publish_pods(at(30'000), {pod("a", "d", "s-1", "driver", Phase::kSucceeded)});
  EXPECT_TRUE(bench.evaluate(at(30'000))->apps.empty());
  EXPECT_THAT(bench.series, Not(Contains(Key(::testing::StartsWith("flintgauge_app_info")))));
}

TEST(Evaluate, OnlyTheDriversNodeKnowsThatAnApplicationHasEnded) {
  Bench bench;
  const std::vector<Row> rows = {{kCpu, {"a", "s-1", "executor"}, 7}};
  const auto has_ended = [&bench] {
    return std::ranges::any_of(bench.series, [](const auto& series) {
      return series.first.find("ended=\"true\"") != std::string::npos;
    });
  };
  bench.publish_pods(at(0), {pod("a", "e", "s-1", "executor", Phase::kRunning)}, rows);
  bench.evaluate(at(0));
  bench.publish_pods(at(10'000), {}, rows);
  bench.evaluate(at(10'000));
  EXPECT_FALSE(has_ended());
  bench.publish_pods(at(20'000), {pod("a", "d", "s-1", "driver", Phase::kRunning)}, rows);
  bench.evaluate(at(20'000));
  EXPECT_FALSE(has_ended());
  bench.publish_pods(at(30'000), {pod("a", "e", "s-1", "executor", Phase::kRunning)}, rows);
  bench.evaluate(at(30'000));
  EXPECT_TRUE(has_ended()) << "its last executors are still going down";
}

TEST(Evaluate, TheOverflowOfABudgetIsNoApplication) {
  Bench bench;
  bench.publish_pods(at(0), {}, {{kCpu, {"a", "__overflow__", "executor"}, 7}});
  EXPECT_TRUE(bench.evaluate(at(0))->apps.empty());
}

TEST(Evaluate, RowsAddUpRolesAndLeaveOutWhatIsUnknown) {
  Bench bench;
  bench.publish_pods(at(0), {pod("a", "d", "s-1", "driver", Phase::kRunning)},
                     {{kCpu, {"a", "s-1", "driver"}, 7},
                      {kMemory, {"a", "s-1", "driver"}, 100},
                      {kMemory, {"a", "s-1", "executor"}, 23},
                      {kMemory, {"b", "s-1", "executor"}, 1000},
                      {family("flintgauge_app_cpu_requests_cores"), {"a", "s-1", "driver"}, 2.5}});
  bench.publish_facts(at(0), {},
                      {{family("flintgauge_spark_tasks"), {"a", "s-1", "active"}, 4},
                       {family("flintgauge_spark_tasks"), {"a", "s-1", "pending"}, 9},
                       {family("flintgauge_spark_tasks_failed_total"), {"a", "s-1"}, 3}});
  const auto report = bench.evaluate(at(0));
  ASSERT_EQ(report->apps.size(), 1U);
  const AppRow& row = report->apps[0];
  EXPECT_EQ(row.memory_working_set_bytes, 123);
  EXPECT_EQ(row.cpu_requests_cores, 2.5);
  EXPECT_EQ(row.tasks_active, 4);
  EXPECT_EQ(row.tasks_pending, 9);
  EXPECT_EQ(row.tasks_failed, 3);
  EXPECT_TRUE(std::isnan(row.memory_limits_bytes));
  EXPECT_TRUE(std::isnan(row.cpu_cores)) << "one value is no rate";
}

TEST(Evaluate, CpuIsTheRateOfAboutAMinute) {
  Bench bench;
  const auto step = [&](std::int64_t second, double driver, double executors, bool has_gauge) {
    std::vector<Row> rows = {{kCpu, {"a", "s-1", "driver"}, driver},
                             {kCpu, {"a", "s-1", "executor"}, executors}};
    if (has_gauge) rows.push_back({kMemory, {"a", "s-1", "executor"}, 1});
    bench.publish_pods(at(second * 1000), {pod("a", "d", "s-1", "driver", Phase::kRunning)}, rows);
    return bench.evaluate(at(second * 1000))->apps.at(0).cpu_cores;
  };
  EXPECT_TRUE(std::isnan(step(0, 100, 50, true)));
  EXPECT_EQ(step(10, 110, 60, true), 2);
  EXPECT_EQ(step(20, 110, 60, true), 2) << "the page of cAdvisor was not refreshed";
  EXPECT_EQ(step(30, 130, 70, true), 50.0 / 30);
  for (std::int64_t i = 4; i <= 20; ++i) {
    step(i * 10, 130 + static_cast<double>(i), 70 + 4 * static_cast<double>(i), true);
  }
  EXPECT_EQ(step(210, 151, 154, true), 0.5) << "of the last minute only";
  EXPECT_EQ(step(280, 151, 154, true), 0) << "a living application that stands still uses nothing";
  EXPECT_TRUE(std::isnan(step(290, 151, 154, false))) << "without a fresh page nothing is known";
}

TEST(Evaluate, CpuOfManyCommitsOfAPauseAndOfACounterThatFell) {
  Bench bench;
  const auto step = [&](std::int64_t second, double cpu) {
    bench.publish_pods(at(second * 1000), {pod("a", "d", "s-1", "driver", Phase::kRunning)},
                       {{kCpu, {"a", "s-1", "driver"}, cpu}, {kMemory, {"a", "s-1", "driver"}, 1}});
    return bench.evaluate(at(second * 1000))->apps.at(0).cpu_cores;
  };
  double last = 0;
  for (std::int64_t second = 0; second <= 300; ++second) last = step(second, 3 * static_cast<double>(second));
  EXPECT_DOUBLE_EQ(last, 3) << "a commit a second";
  EXPECT_EQ(step(380, 900), 0);
  EXPECT_TRUE(std::isnan(step(381, 950))) << "when in the pause it grew is not known";
  EXPECT_EQ(step(391, 960), 1);
  EXPECT_TRUE(std::isnan(step(401, 5))) << "another counter";
  EXPECT_EQ(step(411, 25), 2);
}

TEST(Evaluate, TargetsHaveTheSeriesTheyCanHave) {
  Bench bench;
  TargetState good = target_state("cadvisor", true);
  good.up = good.ever_succeeded = true;
  good.last_success_wall = WallTime{1'500};
  good.duration_seconds = 0.25;
  good.counts.kept = 12;
  good.counts.skipped = 34;
  TargetState down = target_state("pods", true);
  down.duration_seconds = 5;
  const TargetState waiting = target_state("resource", false);
  TargetState absent = target_state("driver/a/s-1", true);
  absent.not_offered = true;
  bench.publish(Shard::kKubelet, at(0), [&](Block& block) { block.targets = {good, down, waiting}; });
  bench.publish(Shard::kSpark, at(2'000), [&](Block& block) { block.targets = {absent}; });
  bench.evaluate(at(7'500));
  const auto labels = [](const std::string& source, const std::string& target) {
    return "{source=\"" + source + "\",target=\"" + target + "\"}";
  };
  std::map<std::string, double> want = {
      {"flintgauge_target_up" + labels("kubelet", "cadvisor"), 1},
      {"flintgauge_target_up" + labels("kubelet", "pods"), 0},
      {"flintgauge_target_scrape_duration_seconds" + labels("kubelet", "cadvisor"), 0.25},
      {"flintgauge_target_scrape_duration_seconds" + labels("kubelet", "pods"), 5},
      {"flintgauge_target_scrape_duration_seconds" + labels("spark", "driver/a/s-1"), 0},
      {"flintgauge_target_last_success_timestamp_seconds" + labels("kubelet", "cadvisor"), 1.5},
      {"flintgauge_target_samples_kept" + labels("kubelet", "cadvisor"), 12},
      {"flintgauge_target_samples_skipped" + labels("kubelet", "cadvisor"), 34},
      {"flintgauge_store_block_age_seconds{source=\"kubelet\"}", 7.5},
      {"flintgauge_store_block_age_seconds{source=\"spark\"}", 5.5},
  };
  std::erase_if(bench.series, [](const auto& one) {
    return one.first.starts_with("flintgauge_series") || one.first.starts_with("flintgauge_hints_withheld");
  });
  EXPECT_EQ(bench.series, want);
  ASSERT_EQ(bench.targets.size(), 4U);
  EXPECT_EQ(bench.targets[2].target->key, "resource");

  // A target made anew with the same key is the same one: no new schema.
  const auto before = bench.schema;
  good.target = target_state("cadvisor", true).target;
  bench.publish(Shard::kKubelet, at(10'000), [&](Block& block) { block.targets = {good, down, waiting}; });
  bench.evaluate(at(10'000));
  EXPECT_EQ(bench.schema, before);
  bench.publish(Shard::kKubelet, at(20'000), [&](Block& block) { block.targets = {good}; });
  bench.evaluate(at(20'000));
  EXPECT_THAT(bench.series, Not(Contains(Key("flintgauge_target_up" + labels("kubelet", "pods")))));
  EXPECT_EQ(bench.targets.size(), 2U);
}

TEST(Evaluate, CompanionsHaveTargetsAnAgeAndCount) {
  Bench bench;
  bench.publish(Shard::kCompanions, at(0), [](Block& block) {
    block.targets = {target_state("companion_page/a/broker-0", true)};
    set_rows(block, {{family("flintgauge_tool_kafka_consumer_lag_messages"), {"a", "kafka"}, 7}});
  });
  bench.evaluate(at(2'000));
  EXPECT_THAT(bench.series, Contains(Pair("flintgauge_store_block_age_seconds{source=\"companions\"}", 2)));
  EXPECT_THAT(
      bench.series,
      Contains(Pair("flintgauge_target_up{source=\"companions\",target=\"companion_page/a/broker-0\"}", 0)));
  EXPECT_THAT(bench.series, Contains(Pair("flintgauge_series{namespace=\"a\"}", 1)));
}

TEST(Evaluate, TheSetOfSeriesFollowsEveryChangeOfATarget) {
  Bench bench;
  TargetState state = target_state("pods", false);
  const auto rows_of = [&](const std::vector<TargetState>& states) {
    bench.publish(Shard::kKubelet, at(0), [&](Block& block) { block.targets = states; });
    bench.evaluate(at(0));
    return std::ranges::count_if(bench.series,
                                 [](const auto& one) { return one.first.starts_with("flintgauge_target_"); });
  };
  EXPECT_EQ(rows_of({state}), 0);
  state.asked = state.not_offered = true;
  EXPECT_EQ(rows_of({state}), 1) << "how long it took";
  state.not_offered = false;
  EXPECT_EQ(rows_of({state}), 2) << "down";
  state.ever_succeeded = true;
  EXPECT_EQ(rows_of({state}), 5);
  EXPECT_EQ(rows_of({state, target_state("resource", false)}), 5);
  EXPECT_EQ(rows_of({state, target_state("resource", true)}), 7);
  EXPECT_EQ(rows_of({state}), 5);
  EXPECT_EQ(rows_of({}), 0);

  bench.publish_facts(at(0), {});
  bench.evaluate(at(0));
  EXPECT_THAT(bench.series, Contains(Key("flintgauge_store_block_age_seconds{source=\"spark\"}")))
      << "a first block without any series";
}

// What is published does not depend on how the evaluator came there: only the report may be allocated.
TEST(Evaluate, AllocatesForTheReportOnlyWhileTheSeriesStayTheSame) {
  Bench bench;
  bench.publish(Shard::kKubelet, at(0), [&](Block& block) {
    block.pods = std::make_shared<const PodList>(PodList{{pod("a", "d", "s-1", "driver", Phase::kRunning)}});
    testing::set_rows(block, {{kCpu, {"a", "s-1", "driver"}, 7}});
    for (int i = 0; i < 100; ++i) block.targets.push_back(target_state("target-" + std::to_string(i), true));
  });
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  Evaluator evaluator(bench.settings, BudgetLimits{}, at(0));
  Block block;
  evaluator.evaluate(bench.store.read(), at(0), block);
  for (std::int64_t second = 1; second <= 20; ++second) {
    const View view = bench.store.read();
    block.report = nullptr;
    const std::uint64_t before = testing::allocations();
    const auto report = evaluator.evaluate(view, at(second * 1000), block);
    const std::uint64_t after = testing::allocations();
    EXPECT_EQ(report->hints.size(), 1U);
    EXPECT_EQ(after - before, 5U) << "the report, its rows, hints, points of the stable number, bottlenecks";
  }
}

}  // namespace
}  // namespace flintgauge
