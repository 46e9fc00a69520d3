// What a horizontal hint takes from the application itself: start-up, bounds, profiles; and what stands
// beside it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/evaluate_support.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using testing::pod;
using testing::Row;

const std::string kOfApp = "{namespace=\"a\",app_id=\"s-1\"}";

Pod executor_pod(const std::string& id, std::int64_t created_ms) {
  Pod out = pod("a", "exec-" + id, "s-1", "executor", Phase::kRunning);
  testing::set_label(out, "spark-exec-id", id);
  out.created_at = {testing::kStartWall + created_ms};
  Container container;
  container.requests = {.cpu_millicores = 4000, .memory_bytes = 9LL << 30};
  out.containers = {container};
  return out;
}

ExecutorFacts executor(const std::string& id, std::int64_t added_ms) {
  ExecutorFacts out;
  out.id = id;
  out.added = {testing::kStartWall + added_ms};
  return out;
}

AppHint hint_of(Bench& bench, const SparkAppFacts& facts, std::vector<Pod> pods) {
  bench.publish_pods(at(0), std::move(pods));
  bench.publish_facts(at(0), {facts});
  const auto report = bench.evaluate(at(0));
  EXPECT_EQ(report->hints.size(), 1U);
  return report->hints.empty() ? AppHint() : report->hints[0];
}

TEST(EvaluateMeasured, StartUpIsTheMedianOfTheExecutorsHere) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executor_list = {executor("1", -80'000), executor("2", -70'000), executor("3", -1'000),
                         executor("9", -1'000)};  // the last has its pod on another node
  const std::vector<Pod> pods = {executor_pod("1", -100'000), executor_pod("2", -100'000),
                                 executor_pod("3", -100'000)};
  const AppHint hint = hint_of(bench, facts, pods);
  EXPECT_EQ(hint.startups, 3U);
  EXPECT_EQ(hint.input.startup_seconds, 30);
  facts.executor_list.pop_back();
  facts.executor_list.pop_back();
  EXPECT_EQ(hint_of(bench, facts, pods).input.startup_seconds, 20) << "of two the lower";
  facts.executor_list.clear();
  EXPECT_EQ(hint_of(bench, facts, {}).input.startup_seconds, 20) << "the last median stands";
  EXPECT_EQ(bench.series.at("flintgauge_hint_startup_seconds" + kOfApp), 20);
}

TEST(EvaluateMeasured, StartUpIsTheSettingWhenTheClocksContradict) {
  for (const std::int64_t added : {-100'000, -120'000, 501'000}) {
    Bench bench;
    bench.settings.startup_seconds = 44;
    SparkAppFacts facts = burst("a", "s-1", at(0).steady);
    facts.executor_list = {executor("1", added)};
    const AppHint hint = hint_of(bench, facts, {executor_pod("1", -100'000)});
    EXPECT_EQ(hint.startups, 0U);
    EXPECT_EQ(hint.input.startup_seconds, 44) << added;
  }
}

TEST(EvaluateMeasured, StartUpIsFoundAgainByTheNextRunOfTheJob) {
  Bench bench;
  Pod driver = pod("a", "etl-driver", "s-1", "driver", Phase::kRunning);
  testing::set_label(driver, "spark-app-name", "etl");
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executor_list = {executor("1", -83'000)};
  EXPECT_EQ(hint_of(bench, facts, {driver, executor_pod("1", -100'000)}).input.startup_seconds, 17);

  const std::string saved = bench.evaluator->save_history("node");
  Bench next;
  next.evaluator = std::make_unique<Evaluator>(next.settings, BudgetLimits{}, at(0));
  ASSERT_FALSE(next.evaluator->load_history(saved, "node", at(0)));
  driver = pod("a", "etl-driver", "s-2", "driver", Phase::kRunning);
  testing::set_label(driver, "spark-app-name", "etl");
  const AppHint hint = hint_of(next, burst("a", "s-2", at(0).steady), {driver});
  EXPECT_EQ(hint.input.startup_seconds, 17);
  EXPECT_EQ(hint.startups, 0U) << "measured in another run";
  driver = pod("b", "etl-driver", "s-2", "driver", Phase::kRunning);
  testing::set_label(driver, "spark-app-name", "etl");
  EXPECT_EQ(hint_of(next, burst("b", "s-2", at(0).steady), {driver}).input.startup_seconds, 30)
      << "another namespace's job of that name is another";
}

TEST(EvaluateMeasured, BoundsAndRatioOfDynamicAllocationNarrowOurs) {
  Bench bench;
  auto settings = std::make_shared<SparkSettings>();
  settings->min_executors = 3;
  settings->max_executors = 8;
  settings->executor_allocation_ratio = 0.5;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.settings = settings;
  EXPECT_EQ(hint_of(bench, facts, {}).input.max_executors, 200) << "it is not on";
  settings->dynamic_allocation = true;
  const AppHint hint = hint_of(bench, facts, {});
  EXPECT_TRUE(hint.has_dynamic_allocation);
  EXPECT_EQ(hint.input.min_executors, 3);
  EXPECT_EQ(hint.input.max_executors, 8);
  EXPECT_EQ(hint.hint.parity, 50);
  EXPECT_EQ(hint.hint.desired, 8);
  EXPECT_EQ(bench.series.at("flintgauge_hint_executors_parity" + kOfApp), 50);
  settings->min_executors = 0;
  settings->max_executors = 1e6;
  EXPECT_EQ(hint_of(bench, facts, {}).input.min_executors, 1) << "ours is narrower";
  EXPECT_EQ(hint_of(bench, facts, {}).input.max_executors, 200);
}

TEST(EvaluateMeasured, SparksOwnNumberIsTheParityOfTheWholeNotOfAProfile) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  ProfileFacts one;
  one.executors = 1;
  one.slots = 4;
  one.pending_tasks = 40;
  facts.profiles = {one, one};
  facts.profiles[1].id = 1;
  const std::vector<Row> rows = {
      {testing::family_named("flintgauge_spark_executors"), {"a", "s-1", "max_needed"}, 3}};
  bench.publish_pods(at(0), {pod("a", "d", "s-1", "driver", Phase::kRunning)});
  bench.publish_facts(at(0), {facts}, rows);
  const auto report = bench.evaluate(at(0));
  ASSERT_EQ(report->hints.size(), 1U);
  const AppHint& hint = report->hints[0];
  ASSERT_TRUE(hint.input.max_needed_executors);
  EXPECT_EQ(hint.hint.parity, 3);
  EXPECT_FALSE(hint.input.cluster_headroom_executors) << "one node is no cluster";
  ASSERT_EQ(hint.profiles.size(), 2U);
  EXPECT_EQ(hint.profiles[1].hint.parity, 10);
  EXPECT_FALSE(hint_of(bench, facts, {}).input.max_needed_executors) << "it is not told any more";
}

TEST(EvaluateMeasured, AProfileHasTheTaskTimeOfItsOwnStages) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  ProfileFacts one;
  one.executors = 1;
  one.slots = 4;
  one.pending_tasks = 90;
  facts.profiles = {one, one};
  facts.profiles[1].id = 1;
  StageFacts stage;
  stage.resource_profile_id = 1;
  stage.tasks = 100;
  stage.tasks_complete = 10;
  stage.run_seconds = 420;
  facts.stage_list = {stage};
  const AppHint hint = hint_of(bench, facts, {});
  ASSERT_EQ(hint.profiles.size(), 2U);
  EXPECT_EQ(hint.profiles[0].input.mean_task_seconds, hint.input.mean_task_seconds)
      << "none of its own ended";
  EXPECT_EQ(hint.profiles[1].input.mean_task_seconds, 42);
}

TEST(EvaluateMeasured, ExecutorsWithTrackedShuffleFilesAreBusy) {
  Bench bench;
  auto settings = std::make_shared<SparkSettings>();
  settings->dynamic_allocation = true;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.settings = settings;
  facts.executors = 4;
  facts.busy_executors = 1;
  facts.executor_list = {executor("1", 0), executor("2", 0), executor("3", 0), executor("4", 0)};
  for (ExecutorFacts& one : facts.executor_list) one.active_tasks = one.rdd_blocks = 0;
  facts.executor_list[0].active_tasks = 1;
  facts.executor_list[1].totals[Measure::kExecutorShuffleWriteBytes] = 1;
  facts.executor_list[2].totals[Measure::kExecutorShuffleWriteBytes] = 0;
  const auto busy = [&] { return hint_of(bench, facts, {}).input.busy_executors; };
  EXPECT_EQ(busy(), 1) << "of an unknown version";
  facts.spark_version = "3.3.4";
  EXPECT_EQ(busy(), 1);
  facts.spark_version = "3.5.1";
  EXPECT_EQ(busy(), 2) << "on by default";
  settings->shuffle_tracking = false;
  EXPECT_EQ(busy(), 1);
  facts.spark_version = "3.3.4";
  settings->shuffle_tracking = true;
  EXPECT_EQ(busy(), 2);
  settings->dynamic_allocation = false;
  EXPECT_EQ(busy(), 1);
  settings->dynamic_allocation = true;
  facts.running_tasks = facts.pending_tasks = 0;
  EXPECT_EQ(busy(), 1) << "no job is known to read them";
}

TEST(EvaluateMeasured, TellsHowConfidenceStableNumberAndWasteWereReached) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executors = 5;
  bench.publish_facts(at(0), {facts});
  bench.evaluate(at(0));
  facts.executors_at = facts.stages_at = at(10'000).steady;
  bench.publish_facts(at(10'000), {facts});
  const auto report = bench.evaluate(at(12'000));
  ASSERT_EQ(report->hints.size(), 1U);
  const AppHint& hint = report->hints[0];
  EXPECT_EQ(hint.waste.before, 0);
  EXPECT_EQ(hint.waste.idle_cores, 12);
  EXPECT_EQ(hint.waste.seconds, 10);
  EXPECT_EQ(hint.wasted_core_seconds, 120);
  EXPECT_EQ(hint.confidence_terms.max_age_seconds, 30);
  EXPECT_EQ(hint.confidence_terms.completed_tasks, facts.completed_tasks);
  EXPECT_EQ(hint.confidence,
            confidence(hint.confidence_terms.completed_tasks, hint.confidence_terms.observed_seconds, 2, 30));
  ASSERT_FALSE(hint.stable_window.empty());
  EXPECT_EQ(hint.stable_window.front().desired, hint.stable);
  EXPECT_EQ(hint.stable_window.back().age_seconds, 0);
}

TEST(EvaluateMeasured, IdleCoresAddUp) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executors = 5;  // three of them idle, four cores each
  const auto wasted = [&](std::int64_t now_ms) {
    facts.executors_at = facts.stages_at = at(now_ms).steady;
    bench.publish_facts(at(now_ms), {facts});
    bench.evaluate(at(now_ms));
    return bench.series.at("flintgauge_hint_wasted_core_seconds_total" + kOfApp);
  };
  EXPECT_EQ(wasted(0), 0);
  EXPECT_EQ(wasted(10'000), 120);
  bench.evaluate(at(15'000));
  EXPECT_EQ(wasted(10'000), 120) << "one reading counts once";
  facts.busy_executors = 5;
  EXPECT_EQ(wasted(20'000), 240) << "what was idle until now";
  EXPECT_EQ(wasted(30'000), 240);
  facts.busy_executors = 2;
  wasted(40'000);
  EXPECT_EQ(wasted(200'000), 240 + 12 * 30) << "a gap counts as far as data are fresh";
}

// docs/hints.md 1.8: 6 executors of 4 cores, 4 of them busy, read again after 10 s.
TEST(EvaluateMeasured, IdleCoresOfTheWorkedExample) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executors = 6;
  facts.busy_executors = 4;
  for (const std::int64_t now_ms : {0, 10'000}) {
    facts.executors_at = facts.stages_at = at(now_ms).steady;
    bench.publish_facts(at(now_ms), {facts});
    bench.evaluate(at(now_ms));
  }
  EXPECT_EQ(bench.series.at("flintgauge_hint_wasted_core_seconds_total" + kOfApp), 80);
}

TEST(EvaluateMeasured, SeveralProfilesHaveAHintEach) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  ProfileFacts standard;
  standard.executors = 1;
  standard.slots = 4;
  standard.running_tasks = 4;
  facts.profiles = {standard};
  EXPECT_TRUE(hint_of(bench, facts, {}).profiles.empty());
  ProfileFacts large;
  large.id = 1;
  large.executors = 1;
  large.slots = 2;
  large.running_tasks = 2;
  large.pending_tasks = 196;
  facts.profiles.push_back(large);
  const AppHint hint = hint_of(bench, facts, {});
  ASSERT_EQ(hint.profiles.size(), 2U);
  EXPECT_EQ(hint.profiles[0].hint.desired, 1);
  EXPECT_EQ(hint.profiles[1].input.tasks_per_executor, 2);
  EXPECT_EQ(hint.profiles[1].hint.parity, 99);
  EXPECT_EQ(hint.profiles[1].hint.desired, 11);
}

TEST(EvaluateSideways, CountsTheExecutorsThatThisNodeHolds) {
  Bench bench;
  Pod daemon = pod("kube-system", "d", "", "", Phase::kRunning);
  daemon.owner_kind = "DaemonSet";
  Container small;
  small.requests = {.cpu_millicores = 500, .memory_bytes = 1LL << 30};
  daemon.containers = {small};
  const std::vector<Row> capacity = {
      {testing::family_named("flintgauge_node_cpu_capacity_cores"), {}, 16},
      {testing::family_named("flintgauge_node_memory_capacity_bytes"), {}, 64e9}};
  bench.publish_pods(at(0), {executor_pod("1", 0), daemon}, capacity);
  const auto report = bench.evaluate(at(0));
  ASSERT_EQ(report->sideways.size(), 1U);
  EXPECT_EQ(bench.series.at("flintgauge_hint_node_executors" + kOfApp), 3) << "15.5 cores";
  EXPECT_EQ(bench.series.at("flintgauge_hint_node_executors_free" + kOfApp), 2) << "11.5 cores";
  EXPECT_DOUBLE_EQ(
      bench.series.at("flintgauge_hint_node_waste_ratio{namespace=\"a\",app_id=\"s-1\",resource=\"cpu\"}"),
      1 - 12 / 15.5);
  const Sideways& result = report->sideways[0].result;
  EXPECT_EQ(to_string(result.code), "fits");
  ASSERT_TRUE(result.shape);
  EXPECT_EQ(result.shape->cores, 5) << "15.5 cores for three";
  EXPECT_FALSE(report->sideways[0].overhead_factor) << "its driver is not read here";
  bench.publish_pods(at(0), {executor_pod("1", 0), daemon});
  EXPECT_TRUE(bench.evaluate(at(0))->sideways.empty()) << "capacity is not known";
  bench.publish_pods(at(0), {daemon}, capacity);
  EXPECT_TRUE(bench.evaluate(at(0))->sideways.empty()) << "no executor here";
}

TEST(EvaluateSideways, SaysWhatAFullNodeLacksAndTheHeapThatWouldFit) {
  Bench bench;
  const auto with_cores = [](double cores) {
    return std::vector<Row>{{testing::family_named("flintgauge_node_cpu_capacity_cores"), {}, cores},
                            {testing::family_named("flintgauge_node_memory_capacity_bytes"), {}, 64e9}};
  };
  const auto settings = std::make_shared<SparkSettings>();
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.settings = settings;
  const auto evaluate = [&](double cores) {
    bench.publish_pods(at(0), {executor_pod("1", 0)}, with_cores(cores));
    bench.publish_facts(at(0), {facts});
    const auto report = bench.evaluate(at(0));
    EXPECT_EQ(report->sideways.size(), 1U);
    return report->sideways.empty() ? AppSideways{} : report->sideways[0];
  };
  const AppSideways full = evaluate(7);
  EXPECT_EQ(to_string(full.result.code), "no_free_node") << "4 of 7 cores are taken";
  EXPECT_EQ(full.result.resource, "cpu");
  EXPECT_EQ(full.result.gap, 1);
  ASSERT_TRUE(full.overhead_factor);
  EXPECT_EQ(*full.overhead_factor, 0.1);
  const AppSideways small = evaluate(3);
  EXPECT_EQ(to_string(small.result.code), "never_fits") << "never on this node";
  EXPECT_EQ(small.result.gap, 1);
  settings->memory_overhead_factor = 0.4;
  EXPECT_EQ(*evaluate(7).overhead_factor, 0.4);
  settings->pyspark_memory_bytes = 1e9;
  EXPECT_FALSE(evaluate(7).overhead_factor) << "the container holds more than heap and overhead";
}

// real-parts.md: target above what is there, and no pod of it in sight.
TEST(EvaluateQuota, SuspectsStarvationBySigns) {
  Bench bench;
  const std::vector<Row> rows = {
      {testing::family_named("flintgauge_spark_executors"), {"a", "s-1", "target"}, 8}};
  std::vector<Pod> pods = {pod("a", "d", "s-1", "driver", Phase::kRunning)};
  const auto pressure = [&](std::int64_t now_ms) {
    bench.publish_pods(at(now_ms), pods);
    bench.publish_facts(at(now_ms), {burst("a", "s-1", at(now_ms).steady)}, rows);
    const auto report = bench.evaluate(at(now_ms));
    EXPECT_EQ(report->quotas.size(), 1U);
    return report->quotas.empty() ? "none at all" : to_string(report->quotas[0].advice.pressure);
  };
  EXPECT_EQ(pressure(0), "unknown");
  EXPECT_EQ(pressure(20'000), "unknown");
  EXPECT_EQ(pressure(30'000), "suspected");
  pods.push_back(pod("a", "e", "s-1", "executor", Phase::kPending));
  EXPECT_EQ(pressure(40'000), "unknown") << "one is starting";
  pods.resize(1);
  EXPECT_EQ(pressure(50'000), "suspected");
  for (char name = '1'; name <= '8'; ++name) {
    pods.push_back(pod("a", std::string(1, name), "s-1", "executor", Phase::kRunning));
  }
  EXPECT_EQ(pressure(90'000), "unknown") << "all pods run, though the driver knows fewer executors";
}

}  // namespace
}  // namespace flintgauge
