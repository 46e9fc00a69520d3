#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "core/evaluate_support.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using testing::pod;

const std::string kBurstApp = "{namespace=\"a\",app_id=\"s-1\"}";

bool has_hints(const std::map<std::string, double>& series) {
  return std::ranges::any_of(series,
                             [](const auto& one) { return one.first.starts_with("flintgauge_hint_"); });
}

TEST(EvaluateHints, PublishesEverySeriesOfAHint) {
  Bench bench;
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  const auto report = bench.evaluate(at(15'000));
  ASSERT_EQ(report->hints.size(), 1U);
  EXPECT_EQ(report->hints[0].hint.desired, 11);
  EXPECT_EQ(report->hints[0].age_seconds, 15);
  const auto value = [&](const char* name) { return bench.series.at(std::string(name) + kBurstApp); };
  EXPECT_EQ(value("flintgauge_hint_executors_desired"), 11);
  EXPECT_EQ(value("flintgauge_hint_executors_desired_stable"), 11);
  EXPECT_EQ(value("flintgauge_hint_executors_current"), 2);
  EXPECT_EQ(value("flintgauge_hint_executors_min"), 1);
  EXPECT_EQ(value("flintgauge_hint_executors_max"), 200);
  EXPECT_EQ(value("flintgauge_hint_executors_unmet"), 0);
  EXPECT_EQ(value("flintgauge_hint_executors_idle"), 0);
  EXPECT_EQ(value("flintgauge_hint_backlog_seconds"), 495);
  EXPECT_EQ(value("flintgauge_hint_confidence_ratio"), 0.5);
  for (const std::string_view reason : kHintReasonNames) {
    const std::string name =
        "flintgauge_hint_reason{namespace=\"a\",app_id=\"s-1\",reason=\"" + std::string(reason) + "\"}";
    EXPECT_EQ(bench.series.at(name), reason == "backlog" ? 1 : 0) << name;
  }
}

// A hint is absent when it is not known: never a zero, and never the last one for ever.
TEST(EvaluateHints, AreGoneWhenTheirInputIsOldAndComeBack) {
  Bench bench;
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  EXPECT_EQ(bench.evaluate(at(30'000))->hints.size(), 1U);
  EXPECT_TRUE(bench.evaluate(at(30'001))->hints.empty());
  EXPECT_FALSE(has_hints(bench.series));
  SparkAppFacts half = burst("a", "s-1", at(31'000).steady);
  half.stages_at = at(0).steady;
  bench.publish_facts(at(31'000), {half});
  EXPECT_TRUE(bench.evaluate(at(31'000))->hints.empty()) << "the older list decides";
  EXPECT_EQ(bench.series.at("flintgauge_hints_withheld_total{reason=\"stale\"}"), 2);
  bench.publish_facts(at(32'000), {burst("a", "s-1", at(32'000).steady)});
  EXPECT_EQ(bench.evaluate(at(32'000))->hints.size(), 1U);
  EXPECT_TRUE(has_hints(bench.series));
}

TEST(EvaluateHints, AreThereExactlyWhileBothListsAreFresh) {
  constexpr std::int64_t kNowMs = 600'000, kMaxAgeMs = 30'000;
  std::mt19937_64 random(9);
  std::uniform_int_distribution<std::int64_t> age(0, 2 * kMaxAgeMs);
  int fresh = 0;
  for (int i = 0; i < 500; ++i) {
    const std::int64_t executors = age(random), stages = age(random);
    Bench bench;
    SparkAppFacts facts = burst("a", "s-1", at(kNowMs - executors).steady);
    facts.stages_at = at(kNowMs - stages).steady;
    bench.publish_facts(at(kNowMs), {facts});
    const bool has = !bench.evaluate(at(kNowMs))->hints.empty();
    ASSERT_EQ(has, std::max(executors, stages) <= kMaxAgeMs) << executors << ' ' << stages;
    ASSERT_EQ(has_hints(bench.series), has) << executors << ' ' << stages;
    fresh += has ? 1 : 0;
  }
  EXPECT_GT(fresh, 50);
}

TEST(EvaluateHints, NeedBothLists) {
  for (bool SparkAppFacts::*list : {&SparkAppFacts::has_executors, &SparkAppFacts::has_stages}) {
    Bench bench;
    SparkAppFacts facts = burst("a", "s-1", at(0).steady);
    facts.*list = false;
    bench.publish_facts(at(0), {facts});
    EXPECT_TRUE(bench.evaluate(at(0))->hints.empty());
    EXPECT_FALSE(has_hints(bench.series));
    EXPECT_EQ(bench.series.at("flintgauge_hints_withheld_total{reason=\"incomplete\"}"), 1);
  }
}

TEST(EvaluateHints, RememberHowManyTasksAnExecutorRuns) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executors = facts.busy_executors = facts.running_tasks = facts.slots_per_executor = 0;
  bench.publish_facts(at(0), {facts});
  EXPECT_TRUE(bench.evaluate(at(0))->hints.empty()) << "an executor's size was never seen";
  EXPECT_EQ(bench.series.at("flintgauge_hints_withheld_total{reason=\"no_slots\"}"), 1);
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  bench.evaluate(at(0));
  bench.publish_facts(at(0), {facts});
  const auto report = bench.evaluate(at(0));
  ASSERT_EQ(report->hints.size(), 1U);
  EXPECT_EQ(report->hints[0].input.tasks_per_executor, 4);
}

// A stage that has just begun has no task time of its own.
TEST(EvaluateHints, BelieveTheTaskTimeOfTheStageBeforeForAWhile) {
  Bench bench;
  const auto desired = [&](std::int64_t second, double mean, std::int64_t running, std::int64_t pending) {
    SparkAppFacts facts = burst("a", "s-1", at(second * 1000).steady);
    facts.first_seen = SteadyTime{at(0).steady.ms - 600'000};
    facts.mean_task_seconds = mean;
    facts.running_tasks = running;
    facts.pending_tasks = pending;
    bench.publish_facts(at(second * 1000), {facts});
    return bench.evaluate(at(second * 1000))->hints.at(0).hint.desired;
  };
  EXPECT_EQ(desired(0, 0, 8, 392), 100) << "never known";
  EXPECT_EQ(desired(10, 10, 8, 392), 11);
  EXPECT_EQ(desired(20, 0, 8, 392), 11);
  EXPECT_EQ(desired(60, 0, 8, 392), 11) << "two tasks and three reads later";
  EXPECT_EQ(desired(61, 0, 8, 392), 100) << "tasks of 10 s would have ended by now";
  EXPECT_EQ(desired(70, 10, 8, 392), 11);
  EXPECT_EQ(desired(80, 0, 0, 0), 2);
  EXPECT_EQ(desired(3'600, 0, 0, 0), 2);
  EXPECT_EQ(desired(3'610, 0, 8, 392), 11) << "nothing ran meanwhile that could contradict";
}

TEST(EvaluateHints, CountPendingExecutorPodsOfThisNode) {
  Bench bench;
  bench.publish_pods(
      at(0),
      {pod("a", "e1", "s-1", "executor", Phase::kRunning), pod("a", "e2", "s-1", "executor", Phase::kPending),
       pod("a", "e3", "s-1", "executor", Phase::kPending), pod("a", "e4", "s-1", "executor", Phase::kFailed),
       pod("a", "d", "s-1", "driver", Phase::kRunning)});
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  EXPECT_EQ(bench.evaluate(at(0))->hints.at(0).input.executor_pods, 3);
  SparkAppFacts elsewhere = burst("a", "s-1", at(0).steady);
  elsewhere.executors = 7;
  bench.publish_facts(at(0), {elsewhere});
  EXPECT_EQ(bench.evaluate(at(0))->hints.at(0).input.executor_pods, 7)
      << "executors on other nodes are not seen";
}

TEST(EvaluateHints, AgeLessensTheConfidenceShownButDoesNotMoveTheNumber) {
  Bench bench;
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  const auto report = bench.evaluate(at(29'000));
  EXPECT_LT(report->hints.at(0).confidence, 0.3);
  EXPECT_EQ(report->hints.at(0).hint.desired, 11) << "not the 100 that a low confidence gives";
}

TEST(EvaluateHints, ANewApplicationGetsSparksOwnNumber) {
  Bench bench;
  SparkAppFacts fresh = burst("a", "s-1", at(0).steady);
  fresh.first_seen = at(0).steady;
  bench.publish_facts(at(0), {fresh});
  EXPECT_EQ(bench.evaluate(at(5'000))->hints.at(0).hint.desired, 100);

  // The same facts when the driver is old: it is the agent that is new.
  Pod driver = pod("a", "d", "s-1", "driver", Phase::kRunning);
  Container container;
  container.state = ContainerState::kRunning;
  container.started_at = WallTime{at(0).wall.ms - 60'000};
  driver.containers.push_back(container);
  bench.publish_pods(at(0), {driver});
  EXPECT_EQ(bench.evaluate(at(6'000))->hints.at(0).hint.desired, 11);
}

TEST(EvaluateHints, WaitTwoEvaluationsAfterAStepOfTheWallClock) {
  for (const std::int64_t step : {-3'600'000, -2'001, 2'001, 3'600'000}) {
    Bench bench;
    const auto facts_at = [&](const Now& now) { bench.publish_facts(now, {burst("a", "s-1", now.steady)}); };
    facts_at(at(0));
    EXPECT_EQ(bench.evaluate(at(0))->clock_jump_ms, 0);
    facts_at(at(10'000));
    auto report = bench.evaluate(at(10'000, step));
    EXPECT_EQ(report->clock_jump_ms, step);
    EXPECT_TRUE(report->hints.empty());
    EXPECT_FALSE(has_hints(bench.series));
    report = bench.evaluate(at(11'000, step));
    EXPECT_EQ(report->clock_jump_ms, 0) << "a step is told once";
    EXPECT_TRUE(report->hints.empty());
    EXPECT_EQ(bench.evaluate(at(12'000, step))->hints.size(), 1U);
    EXPECT_EQ(bench.series.at("flintgauge_hints_withheld_total{reason=\"clock\"}"), 2);
  }
  Bench bench;
  bench.publish_facts(at(0), {burst("a", "s-1", at(0).steady)});
  bench.evaluate(at(0));
  EXPECT_EQ(bench.evaluate(at(1'000, 2'000))->hints.size(), 1U) << "a slewed clock is no step";
}

TEST(EvaluateHints, StableGoesDownAfterFiveMinutesAndIsForgottenWithItsApplication) {
  Bench bench;
  const auto evaluate = [&](std::int64_t second, std::int64_t pending) {
    SparkAppFacts facts = burst("a", "s-1", at(second * 1000).steady);
    facts.pending_tasks = pending;
    bench.publish_facts(at(second * 1000), {facts});
    return bench.evaluate(at(second * 1000))->hints.at(0).stable;
  };
  EXPECT_EQ(evaluate(0, 392), 11);
  EXPECT_EQ(evaluate(10, 0), 11);
  EXPECT_EQ(evaluate(306, 0), 2);
  EXPECT_EQ(evaluate(310, 392), 11);
  bench.publish_facts(at(320'000), {});
  bench.evaluate(at(320'000));
  bench.evaluate(at(620'000));
  SparkAppFacts small = burst("a", "s-1", at(620'000).steady);
  small.slots_per_executor = 0;
  bench.publish_facts(at(620'000), {small});
  EXPECT_TRUE(bench.evaluate(at(620'000))->hints.empty()) << "nor is the size of its executors remembered";
  EXPECT_EQ(evaluate(621, 0), 2);
}

TEST(EvaluateHints, AreSortedAndOnePerApplication) {
  Bench bench;
  SparkAppFacts second = burst("a", "s-1", at(0).steady);
  second.pending_tasks = 0;
  const SteadyTime now = at(0).steady;
  bench.publish_facts(at(0),
                      {burst("b", "s-1", now), burst("a", "s-2", now), burst("a", "s-1", now), second});
  const auto report = bench.evaluate(at(0));
  ASSERT_EQ(report->hints.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(report->hints, {}, &AppHint::app));
  EXPECT_EQ(report->hints[0].hint.desired, 11) << "of two for one application the first counts";
}

}  // namespace
}  // namespace flintgauge
