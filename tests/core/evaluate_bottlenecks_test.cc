#include <gtest/gtest.h>

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

const std::vector<std::string> kApp = {"a", "s-1"};

Row spark_row(const char* family_name, double value, const char* state = nullptr) {
  Row row{testing::family_named(family_name), kApp, value};
  if (state != nullptr) row.labels.emplace_back(state);
  return row;
}

/// The figures of an application that has run for `seconds`: two executors of four slots, all busy, a fifth
/// of the time lost to garbage collection.
std::vector<Row> rows(double seconds) {
  return {spark_row("flintgauge_spark_executor_run_seconds_total", 8 * seconds),
          spark_row("flintgauge_spark_executor_cpu_seconds_total", 4 * seconds),
          spark_row("flintgauge_spark_gc_seconds_total", 1.6 * seconds),
          spark_row("flintgauge_spark_tasks_completed_total", seconds),
          spark_row("flintgauge_spark_tasks_failed_total", 0),
          spark_row("flintgauge_spark_jobs", 1, "active"),
          spark_row("flintgauge_spark_stages", 1, "active")};
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
    bench.publish_facts(at(s * 1000), {burst("a", "s-1", at(s * 1000).steady)}, rows(static_cast<double>(s)));
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
TEST(EvaluateBottlenecks, ReadTheirOwnSeriesOnly) {
  Bench bench;
  for (std::int64_t s = 0; s <= 130; s += 10) {
    std::vector<Row> both = rows(static_cast<double>(s));
    Row other = spark_row("flintgauge_spark_gc_seconds_total", 1000.0 * static_cast<double>(s));
    other.labels = {"b", "s-1"};
    both.push_back(other);
    bench.publish_pods(at(s * 1000), {pod("a", "driver", "s-1", "driver", Phase::kRunning)});
    bench.publish_facts(
        at(s * 1000), {burst("a", "s-1", at(s * 1000).steady), burst("b", "s-1", at(s * 1000).steady)}, both);
    const auto report = bench.evaluate(at(s * 1000));
    ASSERT_EQ(report->bottlenecks.size(), 2U);
    if (s < 130) continue;
    EXPECT_EQ(report->bottlenecks[0].input.gc_seconds, 192);
    EXPECT_FALSE(report->bottlenecks[1].input.gc_seconds) << "no pod of b is known here";
  }
}

}  // namespace
}  // namespace flintgauge
