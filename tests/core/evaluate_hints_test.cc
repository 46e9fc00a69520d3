#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <string>

#include "core/evaluate_support.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using testing::pod;
using testing::Row;

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
  bench.publish_facts(at(32'000), {burst("a", "s-1", at(32'000).steady)});
  EXPECT_EQ(bench.evaluate(at(32'000))->hints.size(), 1U);
  EXPECT_TRUE(has_hints(bench.series));
}

TEST(EvaluateHints, NeedBothLists) {
  for (bool SparkAppFacts::*list : {&SparkAppFacts::has_executors, &SparkAppFacts::has_stages}) {
    Bench bench;
    SparkAppFacts facts = burst("a", "s-1", at(0).steady);
    facts.*list = false;
    bench.publish_facts(at(0), {facts});
    EXPECT_TRUE(bench.evaluate(at(0))->hints.empty());
    EXPECT_FALSE(has_hints(bench.series));
  }
}

TEST(EvaluateHints, RememberHowManyTasksAnExecutorRuns) {
  Bench bench;
  SparkAppFacts facts = burst("a", "s-1", at(0).steady);
  facts.executors = facts.busy_executors = facts.running_tasks = facts.slots_per_executor = 0;
  bench.publish_facts(at(0), {facts});
  EXPECT_TRUE(bench.evaluate(at(0))->hints.empty()) << "an executor's size was never seen";
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

// ---- a slow twin: everything that follows from the blocks of this moment, made anew each time
// ---------------

void count_series(const std::map<std::string, double>& series, std::map<std::string, double>& by_namespace) {
  for (const auto& [name, value] : series) {
    const std::string_view mark = "{namespace=\"";
    const auto begin = name.find(mark);
    std::string ns;
    if (begin != std::string::npos && !name.starts_with("flintgauge_series{")) {
      ns = name.substr(begin + mark.size(), name.find('"', begin + mark.size()) - begin - mark.size());
    }
    ++by_namespace[ns];
  }
}

using Known = std::set<std::pair<std::string, std::string>>;

// An application is one with a live pod, or one that still has series and has a pod or was known before.
Known known_now(const std::vector<Pod>& pods, const std::vector<Row>& app_rows, Known before) {
  Known out;
  for (const Pod& one : pods) {
    const std::pair key{one.namespace_name, std::string(identify(one).app_id)};
    if (one.phase != Phase::kSucceeded) out.insert(key);
    before.insert(key);
  }
  for (const Row& row : app_rows) {
    if (before.contains({row.labels[0], row.labels[1]})) out.emplace(row.labels[0], row.labels[1]);
  }
  return out;
}

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string named(std::string_view family, Labels labels) {
  std::string out(family);
  char before = '{';
  for (const auto& [label, value] : labels) {
    out.append(1, before).append(label).append("=\"").append(value).append("\"");
    before = ',';
  }
  return out.append("}");
}

void expect_hint(const AppHint& hint, const EvaluateSettings& settings, std::map<std::string, double>& out) {
  const HorizontalHint again = horizontal_hint(hint.input);
  const auto put = [&](std::string_view name, double value) {
    out[named(name, {{"namespace", hint.app.namespace_name}, {"app_id", hint.app.app_id}})] = value;
  };
  put("flintgauge_hint_executors_desired", again.desired);
  put("flintgauge_hint_executors_desired_stable", hint.stable);
  put("flintgauge_hint_executors_current", hint.input.executors);
  put("flintgauge_hint_executors_min", settings.min_executors);
  put("flintgauge_hint_executors_max", settings.max_executors);
  put("flintgauge_hint_executors_unmet", again.unmet);
  put("flintgauge_hint_executors_idle", again.idle_executors);
  put("flintgauge_hint_executors_parity", again.parity);
  put("flintgauge_hint_startup_seconds", settings.startup_seconds);
  put("flintgauge_hint_wasted_core_seconds_total", hint.wasted_core_seconds);
  put("flintgauge_hint_confidence_ratio", hint.confidence);
  put("flintgauge_hint_backlog_seconds", again.backlog_seconds);
  for (const std::string_view reason : kHintReasonNames) {
    out[named("flintgauge_hint_reason",
              {{"namespace", hint.app.namespace_name}, {"app_id", hint.app.app_id}, {"reason", reason}})] =
        reason == to_string(again.reason) ? 1 : 0;
  }
}

void expect_bottleneck(const AppBottleneck& one, std::map<std::string, double>& out) {
  const Bottleneck again = classify(one.input);
  const auto put = [&](std::string_view name, double value) {
    out[named(name, {{"namespace", one.app.namespace_name}, {"app_id", one.app.app_id}})] = value;
  };
  put("flintgauge_app_bottleneck_confidence_ratio", again.confidence);
  put("flintgauge_app_bottleneck_share_ratio", again.count > 0 ? again.found[0].share : 0);
  for (const std::string_view kind : kBottleneckNames) {
    out[named("flintgauge_app_bottleneck",
              {{"namespace", one.app.namespace_name}, {"app_id", one.app.app_id}, {"kind", kind}})] =
        kind == to_string(again.kind) ? 1 : 0;
  }
}

/// All pods here are drivers.
bool has_ended(const std::vector<Pod>& pods, const std::string& ns, const std::string& app) {
  return std::ranges::none_of(pods, [&](const Pod& pod) {
    return pod.namespace_name == ns && pod.name == "p" + app && pod.phase != Phase::kSucceeded;
  });
}

std::map<std::string, double> expected(const Bench& bench, const Known& apps, const std::vector<Pod>& pods,
                                       const Block& kubelet, const Block& spark, const Report& report) {
  std::map<std::string, double> out;
  std::set<std::string> namespaces = {""};
  for (const auto& [ns, app] : apps) {
    namespaces.insert(ns);
    out[named("flintgauge_app_info", {{"namespace", ns},
                                      {"app_id", app},
                                      {"app_name", ""},
                                      {"spark_version", ""},
                                      {"operator", "none"},
                                      {"job_name", "p" + app},
                                      {"ended", has_ended(pods, ns, app) ? "true" : "false"}})] = 1;
  }
  for (const AppHint& hint : report.hints) {
    namespaces.insert(hint.app.namespace_name);
    expect_hint(hint, bench.settings, out);
  }
  for (const AppBottleneck& one : report.bottlenecks) expect_bottleneck(one, out);
  for (const char* source : {"kubelet", "spark"}) {
    out[named("flintgauge_store_block_age_seconds", {{"source", source}})] = 0;
  }
  out[named("flintgauge_series_limit", {{"scope", "app"}})] = 500;
  out[named("flintgauge_series_limit", {{"scope", "namespace"}})] = 4000;
  out[named("flintgauge_series_limit", {{"scope", "node"}})] = 20000;
  for (const Block* block : {&kubelet, &spark}) {
    for (std::size_t i = 0; i < block->schema->size(); ++i) {
      namespaces.emplace(block->schema->labels(i)[0]);
    }
  }
  for (const std::string& ns : namespaces) out[named("flintgauge_series", {{"namespace", ns}})] = 0;
  std::map<std::string, double> counts;
  count_series(testing::series_of(kubelet), counts);
  count_series(testing::series_of(spark), counts);
  count_series(out, counts);
  for (const std::string& ns : namespaces) out[named("flintgauge_series", {{"namespace", ns}})] = counts[ns];
  return out;
}

TEST(EvaluateHints, AgreesWithASlowTwinOverRandomChanges) {
  std::mt19937 random(1);
  Bench bench;
  Known known;
  const auto any = [&](unsigned below) { return static_cast<std::int64_t>(random() % below); };
  for (std::int64_t step = 0; step < 400; ++step) {
    const Now now = at(step * 10'000);
    std::vector<Pod> pods;
    std::vector<Row> kubelet_rows;
    std::vector<Row> spark_rows;
    std::vector<SparkAppFacts> facts;
    for (const std::string ns : {"a", "b", "c"}) {
      for (const std::string app : {"s-1", "s-2", "s-3"}) {
        const Phase phase = std::array{Phase::kSucceeded, Phase::kRunning, Phase::kPending}[random() % 3];
        if (any(8) > 5) pods.push_back(pod(ns, "p" + app, app, "driver", phase));
        if (any(8) > 5) {
          spark_rows.push_back(
              {family("flintgauge_spark_tasks_failed_total"), {ns, app}, static_cast<double>(step)});
        }
        if (any(8) > 5) {
          facts.push_back(burst(ns, app, SteadyTime{now.steady.ms - any(40'000)}));
          facts.back().pending_tasks = any(2'000);
          facts.back().executors = 2 + any(40);
          facts.back().busy_executors = 2 + any(static_cast<unsigned>(facts.back().executors) - 1);
        }
      }
      if (any(4) == 0) {
        kubelet_rows.push_back(
            {family("flintgauge_namespace_pods"), {ns, "spark", "Running"}, static_cast<double>(step)});
      }
    }
    // Most often nothing changes: the path that reuses the schema must be taken as well.
    if (step > 0 && any(3) > 0) {
      bench.evaluate(now);
      continue;
    }
    bench.publish_pods(now, pods, kubelet_rows);
    bench.publish_facts(now, facts, spark_rows);
    const auto report = bench.evaluate(now);
    const auto fresh = std::ranges::count_if(
        facts, [&](const SparkAppFacts& one) { return now.steady.ms - one.stages_at.ms <= 30'000; });
    ASSERT_EQ(report->hints.size(), static_cast<std::size_t>(fresh));
    ASSERT_EQ(report->bottlenecks.size(), static_cast<std::size_t>(fresh));
    const View view = bench.store.read();
    known = known_now(pods, spark_rows, known);
    const auto want =
        expected(bench, known, pods, *view.block(Shard::kKubelet), *view.block(Shard::kSpark), *report);
    ASSERT_EQ(bench.series, want) << "step " << step;
  }
}

}  // namespace
}  // namespace flintgauge
