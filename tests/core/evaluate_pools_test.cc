// What stands beside the horizontal hint: streaming queries by their rates, workers of standalone clusters.
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
using testing::Row;

// ---- By rate

QueryFacts query(const std::string& name, double input, double processed, double batch_seconds) {
  return {name, input, processed, batch_seconds};
}

struct RateBench {
  Bench bench;
  std::int64_t now_ms = 0;

  AppHint read(std::vector<QueryFacts> queries) {
    now_ms += 10'000;
    SparkAppFacts facts = burst("a", "s-1", at(now_ms).steady);  // two executors
    facts.queries = std::move(queries);
    bench.publish_facts(at(now_ms), {facts});
    const auto report = bench.evaluate(at(now_ms));
    EXPECT_EQ(report->hints.size(), 1U);
    return report->hints.empty() ? AppHint() : report->hints[0];
  }
  double series() const {
    const auto found = bench.series.find("flintgauge_hint_executors_by_rate{namespace=\"a\",app_id=\"s-1\"}");
    return found == bench.series.end() ? -1 : found->second;
  }
};

TEST(EvaluateByRate, GrowsAfterThreeSlowBatches) {
  RateBench rates;
  for (const double seconds : {10.0, 11.0}) {
    EXPECT_EQ(rates.read({query("orders", 3000, 1000, seconds)}).by_rate, 2);
    EXPECT_EQ(rates.series(), 2) << "as many as there are";
  }
  EXPECT_EQ(rates.read({query("orders", 3000, 1000, 12)}).by_rate, 6) << "three times as slow as its input";
  EXPECT_EQ(rates.series(), 6);
  const AppHint caught_up = rates.read({query("orders", 3000, 3500, 9)});
  EXPECT_EQ(caught_up.by_rate, 2);
  EXPECT_EQ(caught_up.queries.at(0).input.batches_behind, 0);
}

TEST(EvaluateByRate, ABatchThatIsReadAgainCountsOnce) {
  RateBench rates;
  for (int reading = 0; reading < 10; ++reading)
    EXPECT_EQ(rates.read({query("orders", 3000, 1000, 10)}).by_rate, 2) << reading;
}

TEST(EvaluateByRate, TheNeediestQueryCounts) {
  RateBench rates;
  AppHint last;
  for (const double seconds : {10.0, 11.0, 12.0}) {
    last = rates.read({query("calm", 10, 100, seconds), query("slow", 900, 600, seconds),
                       query("unknown", kNotTold, 600, seconds)});
  }
  EXPECT_EQ(last.by_rate, 3);
  ASSERT_EQ(last.queries.size(), 2U);
  EXPECT_EQ(last.queries[0].executors, 2);
}

TEST(EvaluateByRate, IsAbsentWithoutAQuery) {
  RateBench rates;
  EXPECT_FALSE(rates.read({}).by_rate);
  EXPECT_EQ(rates.series(), -1);
  EXPECT_TRUE(rates.read({query("orders", 3000, 1000, 10)}).by_rate);
  EXPECT_EQ(rates.series(), 2) << "the set of series has changed";
  EXPECT_FALSE(rates.read({}).by_rate);
  EXPECT_EQ(rates.series(), -1);
}

// ---- Pools

const std::string kFirst = "app-20260131235959-0001", kSecond = "app-20260131235959-0002";

struct PoolBench {
  Bench bench;

  static Row row(const char* family_name, const char* ns, const char* cluster, double value) {
    return {testing::family_named(family_name), {ns, cluster}, value};
  }
  static std::vector<Row> cluster(const char* ns, const char* name, double applications) {
    return {row("flintgauge_spark_cluster_alive_workers", ns, name, 3),
            row("flintgauge_spark_cluster_cores", ns, name, 24),
            row("flintgauge_spark_cluster_applications", ns, name, applications)};
  }
  std::shared_ptr<const Report> evaluate(const std::vector<Row>& rows, const std::vector<std::string>& apps) {
    std::vector<SparkAppFacts> facts;
    facts.reserve(apps.size());
    for (const std::string& app : apps)
      facts.push_back(burst("a", app, at(0).steady));  // wants 11 of 4 cores
    bench.publish(Shard::kCompanions, at(0), [&](Block& block) { set_rows(block, rows); });
    bench.publish_facts(at(0), facts);
    return bench.evaluate(at(0));
  }
};

TEST(EvaluatePools, WorkersForAllApplicationsOfTheCluster) {
  PoolBench pools;
  const auto report = pools.evaluate(PoolBench::cluster("a", "pool", 2), {kFirst, kSecond});
  ASSERT_EQ(report->pools.size(), 1U);
  EXPECT_EQ(report->pools[0].workers, 3);
  EXPECT_EQ(report->pools[0].cores_per_worker, 8);
  EXPECT_EQ(report->pools[0].desired, 11) << "2 * 11 * 4 cores of 8 a worker";
  EXPECT_EQ(pools.bench.series.at("flintgauge_hint_workers_desired{namespace=\"a\",cluster=\"pool\"}"), 11);
}

TEST(EvaluatePools, AStreamNeedsWhatItsRatesSay) {
  PoolBench pools;
  std::shared_ptr<const Report> report;
  for (std::int64_t second = 0; second < 3; ++second) {
    SparkAppFacts stream = burst("a", kFirst, at(second * 1000).steady);
    stream.pending_tasks = 0;
    stream.queries = {query("orders", 9000, 1000, static_cast<double>(10 + second))};
    pools.bench.publish(Shard::kCompanions, at(second * 1000),
                        [](Block& block) { set_rows(block, PoolBench::cluster("a", "pool", 1)); });
    pools.bench.publish_facts(at(second * 1000), {stream});
    report = pools.bench.evaluate(at(second * 1000));
  }
  ASSERT_EQ(report->hints.size(), 1U);
  EXPECT_EQ(report->hints[0].hint.desired, 2);
  EXPECT_EQ(report->hints[0].by_rate, 18) << "2 executors, nine times too slow";
  ASSERT_EQ(report->pools.size(), 1U);
  EXPECT_EQ(report->pools[0].desired, 9) << "18 * 4 cores of 8 a worker";
}

TEST(EvaluatePools, NothingUnlessEveryApplicationIsKnown) {
  PoolBench pools;
  EXPECT_TRUE(pools.evaluate(PoolBench::cluster("a", "pool", 2), {kFirst})->pools.empty());
  EXPECT_TRUE(pools.evaluate(PoolBench::cluster("a", "pool", 1), {kFirst, kSecond})->pools.empty());
  EXPECT_TRUE(pools.evaluate(PoolBench::cluster("a", "pool", 2), {kFirst, "spark-0f3a"})->pools.empty())
      << "one that Kubernetes schedules is none of the cluster's";
  EXPECT_TRUE(pools.evaluate(PoolBench::cluster("b", "pool", 1), {kFirst})->pools.empty()) << "another's";
  EXPECT_FALSE(pools.evaluate(PoolBench::cluster("a", "pool", 1), {kFirst, "spark-0f3a"})->pools.empty());
}

TEST(EvaluatePools, NothingWhereANamespaceHasTwo) {
  PoolBench pools;
  std::vector<Row> rows = PoolBench::cluster("a", "one", 1);
  for (const Row& row : PoolBench::cluster("a", "two", 1)) rows.push_back(row);
  EXPECT_TRUE(pools.evaluate(rows, {kFirst})->pools.empty()) << "whose it is is not known";
}

TEST(EvaluatePools, NothingFromOldData) {
  PoolBench pools;
  const auto rows = PoolBench::cluster("a", "pool", 1);
  ASSERT_EQ(pools.evaluate(rows, {kFirst})->pools.size(), 1U);
  EXPECT_TRUE(pools.bench.evaluate(at(30'001))->pools.empty()) << "the application's hint is gone";
  pools.bench.publish_facts(at(120'001), {burst("a", kFirst, at(120'001).steady)});
  EXPECT_TRUE(pools.bench.evaluate(at(120'001))->pools.empty()) << "the master's page is old";
  EXPECT_EQ(pools.bench.series.count("flintgauge_hint_workers_desired{namespace=\"a\",cluster=\"pool\"}"),
            0U);
}

TEST(EvaluatePools, AnEmptyClusterNeedsNone) {
  PoolBench pools;
  const auto report = pools.evaluate(PoolBench::cluster("a", "pool", 0), {});
  ASSERT_EQ(report->pools.size(), 1U);
  EXPECT_EQ(report->pools[0].desired, 0);
  EXPECT_TRUE(pools.evaluate({}, {})->pools.empty());
}

}  // namespace
}  // namespace flintgauge
