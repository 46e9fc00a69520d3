// Streaming queries of a driver: what is shown, under which label, and how much of it.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "agent/core/spark_shown.h"
#include "agent/core/spark_spread.h"
#include "agent/core/spark_streaming.h"
#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

Line query(const std::string& name, Measure measure, double value) {
  Line out = line(Scope::kQuery, measure, value);
  out.route.container = name;
  return out;
}

struct StreamBench : SparkBench {
  explicit StreamBench(const BudgetLimits& limits = {}) : SparkBench(limits) {}
  FakeDriver driver;
  FakePage& json = driver.registry;

  double of(const std::string& name, const std::string& suffix, double at) {
    const auto all = series(at);
    const auto found =
        all.find("flintgauge_spark_streaming_" + suffix + "{" + driver.labels + ",query=\"" + name + "\"}");
    return found == all.end() ? kAbsent : found->second;
  }
  double queries(const std::string& state, double at) {
    return value(driver, "streaming_queries", at, state);
  }
};

constexpr const char* kUuid = "68d59745-993a-49df-b9e0-fbfe046f4dd9";
constexpr const char* kOtherUuid = "00000000-0000-4000-8000-0123456789ab";

TEST(SparkStreaming, IsToldToTheHints) {
  StreamBench bench;
  bench.executors(bench.driver, {executor("1", 0)}, 0);
  bench.page(bench.json,
             {query("orders", Measure::kQueryInputRowsPerSecond, 428.3),
              query("orders", Measure::kQueryProcessedRowsPerSecond, 468.3),
              query("idle", Measure::kQueryBatchSeconds, 3)},
             0);
  const SparkAppFacts& facts = bench.facts(0);
  ASSERT_EQ(facts.queries.size(), 2U);
  EXPECT_EQ(facts.queries[0].name, "orders");
  EXPECT_EQ(facts.queries[0].input_rows_per_second, 428.3);
  EXPECT_EQ(facts.queries[0].processed_rows_per_second, 468.3);
  EXPECT_TRUE(std::isnan(facts.queries[0].batch_seconds));
  EXPECT_EQ(facts.queries[1].batch_seconds, 3);
}

TEST(SparkStreaming, ShowsEachValueOfANamedQuery) {
  StreamBench bench;
  bench.page(
      bench.json,
      {query("orders", Measure::kQueryInputRowsPerSecond, 428.3),
       query("orders", Measure::kQueryProcessedRowsPerSecond, 468.3),
       query("orders", Measure::kQueryBatchSeconds, 3.203), query("orders", Measure::kQueryStateRows, 50),
       query("orders", Measure::kQueryStateMemoryBytes, 20240)},
      0);
  EXPECT_EQ(bench.of("orders", "input_rows_per_second", 0), 428.3);
  EXPECT_EQ(bench.of("orders", "processed_rows_per_second", 0), 468.3);
  EXPECT_EQ(bench.of("orders", "batch_seconds", 0), 3.203);
  EXPECT_EQ(bench.of("orders", "state_rows", 0), 50);
  EXPECT_EQ(bench.of("orders", "state_memory_bytes", 0), 20240);
  EXPECT_EQ(bench.of("orders", "watermark_delay_seconds", 0), kAbsent);
  EXPECT_EQ(bench.of("orders", "lag_seconds", 0), kAbsent);
  EXPECT_EQ(bench.queries("named", 0), 1);
  EXPECT_EQ(bench.queries("unnamed", 0), 0);
}

TEST(SparkStreaming, TheWatermarksDelayGrowsWithTheClock) {
  StreamBench bench;
  const double wall = static_cast<double>(after(0).wall.ms) / 1e3;
  bench.page(bench.json,
             {query("orders", Measure::kQueryWatermarkSeconds, wall - 12),
              query("ahead", Measure::kQueryWatermarkSeconds, wall + 60),
              query("none", Measure::kQueryWatermarkSeconds, 0)},
             0);
  EXPECT_NEAR(bench.of("orders", "watermark_delay_seconds", 0), 12, 1e-3);
  EXPECT_NEAR(bench.of("orders", "watermark_delay_seconds", 8), 20, 1e-3)
      << "the query stands, the clock does not";
  EXPECT_EQ(bench.of("ahead", "watermark_delay_seconds", 0), 0);
  EXPECT_EQ(bench.of("none", "watermark_delay_seconds", 0), kAbsent);
}

TEST(SparkStreaming, UnnamedQueriesAreMergedBecauseTheirNameIsNewAtEveryStart) {
  StreamBench bench;
  bench.page(
      bench.json,
      {query(kUuid, Measure::kQueryInputRowsPerSecond, 100), query(kUuid, Measure::kQueryBatchSeconds, 4),
       query(kOtherUuid, Measure::kQueryInputRowsPerSecond, 20),
       query(kOtherUuid, Measure::kQueryBatchSeconds, 9), query(kOtherUuid, Measure::kQueryStateRows, 3)},
      0);
  EXPECT_EQ(bench.of("__unnamed__", "input_rows_per_second", 0), 120);
  EXPECT_EQ(bench.of("__unnamed__", "batch_seconds", 0), 9);
  EXPECT_EQ(bench.of("__unnamed__", "state_rows", 0), 3);
  EXPECT_EQ(bench.queries("unnamed", 0), 2);
  EXPECT_EQ(bench.of(kUuid, "input_rows_per_second", 0), kAbsent);
}

TEST(SparkStreaming, OfQueriesOverTheLimitOnlyTheSumIsShown) {
  StreamBench bench;
  std::vector<Line> lines;
  for (int i = 0; i < 20; ++i)
    lines.push_back(query("q" + std::to_string(i), Measure::kQueryInputRowsPerSecond, 1));
  lines.push_back(query(std::string(129, 'x'), Measure::kQueryInputRowsPerSecond, 10));
  lines.push_back(query("tab\there", Measure::kQueryInputRowsPerSecond, 100));
  bench.page(bench.json, lines, 0);
  EXPECT_EQ(bench.of("q4", "input_rows_per_second", 0), 1);
  EXPECT_EQ(bench.of("q5", "input_rows_per_second", 0), kAbsent);
  EXPECT_EQ(bench.of("__overflow__", "input_rows_per_second", 0), 125);
  EXPECT_EQ(bench.queries("named", 0), 5);
  EXPECT_EQ(bench.queries("over_limit", 0), 17);
}

TEST(SparkStreaming, AHundredThousandQueriesCostBoundedSeries) {
  StreamBench bench;
  std::vector<Line> lines;
  for (int i = 0; i < 2'000; ++i)
    lines.push_back(query("q" + std::to_string(i), Measure::kQueryInputRowsPerSecond, 1));
  bench.page(bench.json, lines, 0);
  EXPECT_LE(bench.series(0).size(), 30U);
  EXPECT_EQ(bench.queries("named", 0), 5);
}

TEST(SparkStreaming, TwoPagesOfOneRegistryAreOneSetOfQueries) {
  StreamBench bench;
  FakePage servlet{""};
  servlet.target = bench.driver.rest;
  servlet.target.key = "spark_driver_page/team-a/spark-1";
  bench.page(bench.json, {query("orders v2", Measure::kQueryInputRowsPerSecond, 5)}, 0);
  bench.page(servlet,
             {query("orders_v2", Measure::kQueryInputRowsPerSecond, 6),
              query("orders_v2", Measure::kQueryStateRows, 7)},
             1);
  EXPECT_EQ(bench.of("orders v2", "input_rows_per_second", 1), 5);
  EXPECT_EQ(bench.of("orders v2", "state_rows", 1), 7);
  EXPECT_EQ(bench.of("orders_v2", "state_rows", 1), kAbsent);
  EXPECT_EQ(bench.queries("named", 1), 1);
}

TEST(SparkStreaming, QueriesThatStopAndPagesThatFailLeaveNothing) {
  StreamBench bench;
  bench.page(bench.json, {query("a", Measure::kQueryStateRows, 1), query("b", Measure::kQueryStateRows, 2)},
             0);
  bench.page(bench.json, {query("b", Measure::kQueryStateRows, 3)}, 10);
  EXPECT_EQ(bench.of("a", "state_rows", 10), kAbsent);
  EXPECT_EQ(bench.of("b", "state_rows", 10), 3);
  bench.fold->drop(bench.json.target, after(20));
  EXPECT_EQ(bench.of("b", "state_rows", 20), kAbsent);
  EXPECT_EQ(bench.queries("named", 20), kAbsent);
}

TEST(SparkStreaming, AnApplicationWithQueriesFitsIntoTheUsualShare) {
  EXPECT_LE(spark::kShownSeries + spark::kSpreadSeries + spark::kStreamingSeries, shares_of({}).spark.app);
}

TEST(SparkStreaming, ATenantWithoutBudgetHasItsTotalsAndNoQueries) {
  StreamBench bench(BudgetLimits{
      .app = spark::kShownSeries + spark::kSpreadSeries + 10, .namespace_ = 20'000, .node = 20'000});
  bench.executors(bench.driver, {executor("1", 10)}, 0);
  bench.page(bench.json, {query("a", Measure::kQueryStateRows, 1)}, 0);
  EXPECT_EQ(bench.of("a", "state_rows", 0), kAbsent);
  EXPECT_EQ(bench.value(bench.driver, "tasks_completed_total", 0), 10);
}

}  // namespace
}  // namespace flintgauge
