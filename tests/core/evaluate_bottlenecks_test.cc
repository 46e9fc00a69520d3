#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/evaluate_support.h"
#include "core/spark_fold_support.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using testing::pod;
using testing::Row;

const std::vector<std::string> kApp = {"a", "s-1"};

Row spark_row(const char* family_name, double value, const char* state = nullptr) {
  Row row{testing::family_named(family_name), kApp, value};
  if (state != nullptr) row.labels.emplace_back(state);
  return row;
}

std::vector<Row> rows() {
  return {spark_row("flintgauge_spark_jobs", 1, "active"), spark_row("flintgauge_spark_stages", 1, "active")};
}

/// An application that has run for `seconds`: two executors of four slots, all busy, a fifth of the time lost
/// to garbage collection.
SparkAppFacts busy(const std::string& ns, std::int64_t seconds) {
  SparkAppFacts facts = burst(ns, "s-1", at(seconds * 1000).steady);
  const auto run = static_cast<double>(seconds);
  facts.stage_totals[Measure::kExecutorRunSeconds] = 8 * run;
  facts.stage_totals[Measure::kExecutorCpuSeconds] = 4 * run;
  facts.stage_totals[Measure::kExecutorGcSeconds] = 1.6 * run;
  facts.stage_totals[Measure::kExecutorTasksCompleted] = run;
  facts.stage_totals[Measure::kExecutorTasksFailed] = 0;
  return facts;
}

std::string named(const Bench& bench) {
  std::string out;
  for (const std::string_view kind : kBottleneckNames) {
    const auto at = bench.series.find("flintgauge_app_bottleneck{namespace=\"a\",app_id=\"s-1\",kind=\"" +
                                      std::string(kind) + "\"}");
    if (at == bench.series.end()) return "absent";
    if (at->second == 1) out += std::string(out.empty() ? "" : ",") + std::string(kind);
  }
  return out;
}

void run(Bench& bench, std::int64_t from_s, std::int64_t to_s) {
  for (std::int64_t s = from_s; s <= to_s; s += 10) {
    bench.publish_pods(at(s * 1000), {pod("a", "driver", "s-1", "driver", Phase::kRunning)});
    bench.publish_facts(at(s * 1000), {busy("a", s)}, rows());
    bench.evaluate(at(s * 1000));
  }
}

TEST(EvaluateBottlenecks, UnknownUntilAWindowIsFullThenNamed) {
  Bench bench;
  run(bench, 0, 110);
  EXPECT_EQ(named(bench), "unknown");
  run(bench, 120, 130);
  EXPECT_EQ(named(bench), "gc");
  const std::string app = "{namespace=\"a\",app_id=\"s-1\"}";
  EXPECT_EQ(bench.series.at("flintgauge_app_bottleneck_confidence_ratio" + app), 1);
  EXPECT_DOUBLE_EQ(bench.series.at("flintgauge_app_bottleneck_share_ratio" + app), 0.2);
}

TEST(EvaluateBottlenecks, ReportHasTheInputAndEveryCause) {
  Bench bench;
  run(bench, 0, 190);
  const auto report = bench.evaluate(at(195'000));
  ASSERT_EQ(report->bottlenecks.size(), 1U);
  const AppBottleneck& one = report->bottlenecks[0];
  EXPECT_EQ(one.app, (AppKey{"a", "s-1"}));
  EXPECT_EQ(one.age_seconds, 5);
  EXPECT_EQ(one.input.window_seconds, 120);
  EXPECT_EQ(one.input.run_seconds, 960);
  EXPECT_EQ(one.input.job_share, 1);
  ASSERT_EQ(one.result.count, 2U);
  EXPECT_EQ(to_string(one.result.found[1].kind), "slots");
}

TEST(EvaluateBottlenecks, AreGoneWhenTheirInputIsOld) {
  Bench bench;
  run(bench, 0, 130);
  EXPECT_FALSE(bench.evaluate(at(160'000))->bottlenecks.empty());
  EXPECT_TRUE(bench.evaluate(at(160'001))->bottlenecks.empty());
  EXPECT_EQ(named(bench), "absent");
}

TEST(EvaluateBottlenecks, NeedBothLists) {
  for (bool SparkAppFacts::*list : {&SparkAppFacts::has_executors, &SparkAppFacts::has_stages}) {
    Bench bench;
    SparkAppFacts facts = burst("a", "s-1", at(0).steady);
    facts.*list = false;
    bench.publish_facts(at(0), {facts});
    EXPECT_TRUE(bench.evaluate(at(0))->bottlenecks.empty());
  }
}

// One application's counters are not another's, whatever their names.
TEST(EvaluateBottlenecks, ReadTheirOwnNumbersOnly) {
  Bench bench;
  for (std::int64_t s = 0; s <= 130; s += 10) {
    std::vector<Row> both = rows();
    both.push_back(spark_row("flintgauge_spark_listener_bus_dropped_events_total", static_cast<double>(s)));
    both.back().labels = {"b", "s-1"};
    SparkAppFacts other = busy("b", s);
    other.stage_totals[Measure::kExecutorGcSeconds] = 3.2 * static_cast<double>(s);
    bench.publish_pods(at(s * 1000), {pod("a", "driver", "s-1", "driver", Phase::kRunning),
                                      pod("b", "driver", "s-1", "driver", Phase::kRunning)});
    bench.publish_facts(at(s * 1000), {busy("a", s), other}, both);
    const auto report = bench.evaluate(at(s * 1000));
    ASSERT_EQ(report->bottlenecks.size(), 2U);
    if (s < 130) continue;
    EXPECT_EQ(report->bottlenecks[0].input.gc_seconds, 192);
    EXPECT_EQ(report->bottlenecks[1].input.gc_seconds, 384);
    EXPECT_FALSE(report->bottlenecks[0].input.dropped_events);
    EXPECT_EQ(report->bottlenecks[1].input.dropped_events, 120);
  }
}

/// A driver with stages of a second, asked as the agent asks one: every 2 s its executors and its active
/// stages, every 30 s all stages. `gc`: part of the run time.
std::vector<std::string> kinds_of_short_stages(double gc) {
  Bench bench;
  bench.settings.bottleneck_window_seconds = 20;
  const auto fold = make_spark_fold({}, at(0));
  const testing::FakeDriver driver("a", "s-1");
  std::vector<std::string> kinds;
  for (std::int64_t s = 0; s <= 90; s += 2) {
    const double run = 8.0 * static_cast<double>(s);
    SparkExecutor executor = testing::executor("1", 4 * run, 8, 8);
    executor.gc_seconds = gc * run;
    fold->apply(driver.rest, Batch(SparkExecutors{true, {executor}}), at(s * 1000));
    SparkStages stages{.complete = s % 30 == 0, .stages = {testing::stage(s, StageStatus::kActive, 8, 8, 0)}};
    if (stages.complete) {
      SparkStage over =
          testing::stage(s - 1, StageStatus::kComplete, std::llround(4 * run), 0, std::llround(4 * run), run);
      over.executor_cpu_seconds = run / 2;
      over.gc_seconds = gc * run;
      stages.stages.push_back(over);
    }
    fold->apply(driver.stages, Batch(stages), at(s * 1000));
    bench.publish_pods(at(s * 1000), {pod("a", "driver", "s-1", "driver", Phase::kRunning)});
    bench.publish(Shard::kSpark, at(s * 1000), [&](Block& block) { fold->fill(block, at(s * 1000)); });
    bench.evaluate(at(s * 1000));
    kinds.push_back(named(bench));
  }
  return kinds;
}

// The demo's orders-stream was: GC time came from the rows of executors, run time from the stages.
TEST(EvaluateBottlenecks, ShortStagesAreNotNamedGcBetweenTwoWholeLists) {
  const auto calm = kinds_of_short_stages(0.05);
  EXPECT_EQ(std::ranges::count(calm, "gc"), 0);
  const auto troubled = kinds_of_short_stages(0.2);
  EXPECT_GT(std::ranges::count(troubled, "gc"), 10) << "and what collects is";
}

}  // namespace
}  // namespace flintgauge
