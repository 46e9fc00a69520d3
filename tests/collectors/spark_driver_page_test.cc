#include <gtest/gtest.h>

#include <set>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/golden.h"
#include "support/json_bodies.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_driver_page();
namespace {

std::unique_ptr<Decoder> decoder(const std::string& app_id) {
  Target target;
  target.app.app_id = app_id;
  return make_spark_driver_page()->make_decoder(target);
}

/// "measure=value" of each sample; the executor's or query's name before the measure.
std::set<std::string> told(const std::string& app_id, const std::string& body) {
  const auto reader = decoder(app_id);
  const auto batch = decode(*reader, body);
  std::set<std::string> out;
  if (!batch) return {std::string(to_string(batch.error().reason))};
  const auto& samples = std::get<SampleBatch>(*batch);
  for (const Sample& sample : samples.samples) {
    const Route& route = samples.routes[sample.series];
    out.insert(route.container + "/" + std::to_string(static_cast<int>(route.measure)) + "=" +
               std::to_string(sample.value));
  }
  return out;
}

std::string said(Measure measure, double value, const std::string& of = "") {
  return of + "/" + std::to_string(static_cast<int>(measure)) + "=" + std::to_string(value);
}

std::vector<std::string> urls(const Discovery& discovery) {
  std::vector<std::string> out;
  for (const Target& target : make_spark_driver_page()->targets(discovery)) out.push_back(target.url);
  return out;
}

Discovery annotated(const std::string& path, const std::string& port = "") {
  Discovery discovery = reference::one_driver();
  auto pods = std::make_shared<PodList>(*discovery.pods);
  pods->pods[0].annotations = {{"prometheus.io/path", path}, {"prometheus.io/port", port}};
  discovery.pods = pods;
  return discovery;
}

TEST(SparkDriverPage, StandsInForTheJsonPageAndEachPathForTheOneBefore) {
  const auto targets = make_spark_driver_page()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "spark_driver_page/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/metrics/prometheus/");
  EXPECT_EQ(targets[0].fallback_of, "spark_metrics_json/team-a/spark-1");
  EXPECT_EQ(targets[1].key, "spark_driver_page_2/team-a/spark-1");
  EXPECT_EQ(targets[1].url, "http://10.1.2.3:4040/metrics/driver/prometheus/");
  EXPECT_EQ(targets[1].fallback_of, "spark_driver_page/team-a/spark-1");
  for (const Target& target : targets) EXPECT_TRUE(target.optional) << "404 is remembered";
}

TEST(SparkDriverPage, PathsAreAnnotatedUsualOrToldByTheDriver) {
  const std::string at = "http://10.1.2.3:4040";
  const std::vector<std::string> usual = {at + "/metrics/prometheus/", at + "/metrics/driver/prometheus/"};
  EXPECT_EQ(urls(reference::one_driver()), usual);
  EXPECT_EQ(urls(annotated("/metrics/prometheus")), usual);
  EXPECT_EQ(urls(annotated("/metrics/mine", "4050")),
            (std::vector<std::string>{"http://10.1.2.3:4050/metrics/mine/",
                                      "http://10.1.2.3:4050/metrics/prometheus/",
                                      "http://10.1.2.3:4050/metrics/driver/prometheus/"}));
  EXPECT_EQ(urls(annotated("/metrics/executors/prometheus")), usual) << "another collector's page";
  EXPECT_EQ(urls(annotated("/metrics")), usual) << "the JMX exporter's";
  EXPECT_EQ(urls(annotated("/metrics/a b")), usual);
  Discovery discovery = reference::one_driver();
  discovery.servlet_paths = std::make_shared<const ServletPaths>(
      ServletPaths{{{"team-a", "spark-1"}, "/own/path"}, {{"team-b", "spark-1"}, "/other"}});
  EXPECT_EQ(urls(discovery), (std::vector<std::string>{usual[0], usual[1], at + "/own/path/"}));
  discovery.servlet_paths =
      std::make_shared<const ServletPaths>(ServletPaths{{{"team-a", "spark-1"}, "/metrics/prometheus"}});
  EXPECT_EQ(urls(discovery), usual);
}

TEST(SparkDriverPage, TrapNumbersAreSpelledAsJavaDoes) {
  const std::string head = "metrics_spark_1_driver_";
  const std::string g = "_Value{type=\"gauges\"} ";
  EXPECT_EQ(told("spark-1", head + "DAGScheduler_job_activeJobs" + g + "1.0E7\n" + head +
                                "DAGScheduler_stage_runningStages" + g + "NaN\n" + head +
                                "DAGScheduler_stage_waitingStages" + g + "Infinity\n" + head +
                                "ExecutorAllocationManager_executors_numberTargetExecutors" + g + "null\n" +
                                head + "ExecutorAllocationManager_executors_numberMaxNeededExecutors" + g +
                                "true\n" + head + "JVMCPU_jvmCpuTime" + g + "-1\n"),
            (std::set<std::string>{said(Measure::kDriverActiveJobs, 1e7)}));
}

TEST(SparkDriverPage, TrapGaugesComeTwiceAndAreTakenOnce) {
  const std::string name = "metrics_spark_1_driver_DAGScheduler_job_activeJobs_";
  const auto reader = decoder("spark-1");
  const auto batch =
      decode(*reader, name + "Number{type=\"gauges\"} 3\n" + name + "Value{type=\"gauges\"} 3\n");
  EXPECT_EQ(std::get<SampleBatch>(batch.value()).samples.size(), 1U);
  EXPECT_EQ(reader->counts().kept, 1U);
  EXPECT_EQ(reader->counts().skipped, 1U);
}

TEST(SparkDriverPage, TrapNamesWithTextInThemAreNotEscaped) {
  EXPECT_EQ(
      told(
          "spark-1",
          "metrics_retry__quoted___app_driver_DAGScheduler_job_activeJobs_Value{type=\"gauges\"} 2\n"
          "metrics_retry \"quoted\"  app_driver_DAGScheduler_stage_runningStages_Value{type=\"gauges\"} 2\n"),
      (std::set<std::string>{said(Measure::kDriverActiveJobs, 2)}));
}

TEST(SparkDriverPage, TrapHtmlIsNotReady) {
  EXPECT_EQ(told("spark-1", "<html>Spark is starting up. Please wait a while until it's ready.</html>\n"),
            (std::set<std::string>{"parse"}));
}

TEST(SparkDriverPage, ValuesAreInBaseUnits) {
  const std::string head = "metrics_spark_1_driver_";
  EXPECT_EQ(
      told("spark-1", head + "BlockManager_memory_maxMem_MB_Value{type=\"gauges\"} 366\n" + head +
                          "JVMCPU_jvmCpuTime_Value{type=\"gauges\"} 52660000000\n" + head +
                          "ExecutorMetrics_TotalGCTime_Value{type=\"gauges\"} 2076\n" + head +
                          "executor_runTime_Count{type=\"counters\"} 1500\n" + head +
                          "spark_streaming_orders_latency_Value{type=\"gauges\"} 3203\n"),
      (std::set<std::string>{said(Measure::kDriverStorageMemoryMaxBytes, 366.0 * 1048576),
                             said(Measure::kDriverCpuSeconds, 52.66), said(Measure::kDriverGcSeconds, 2.076),
                             said(Measure::kExecutorRunSeconds, 1.5, "driver"),
                             said(Measure::kQueryBatchSeconds, 3.203, "orders")}));
}

/// Drivers without the sink answer 404 (Spark 4), and a worker answers any path with its own HTML.
TEST(SparkDriverPage, OtherPagesOfRealServersAreRefused) {
  for (const char* path : {"spark/real-4.3.0/failing/t070/metrics_prometheus.txt",
                           "spark/real-4.3.0/failing/t070/worker_prometheus.txt"}) {
    const auto reader = decoder("");
    EXPECT_FALSE(decode(*reader, read_capture(path)).has_value()) << path;
  }
}

struct GoldenCase {
  const char* name;
  const char* app_id;
};
class SparkDriverPageGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(SparkDriverPageGolden, GivesTheReviewedSamples) {
  const auto collector = make_spark_driver_page();
  Target target;
  target.app.app_id = GetParam().app_id;
  const std::string actual = decode_golden(*collector, target, GetParam().name);
  EXPECT_EQ(actual, expected_golden(*collector, GetParam().name, actual));
}

INSTANTIATE_TEST_SUITE_P(Captures, SparkDriverPageGolden,
                         testing::Values(GoldenCase{"4.3.0", "app-20261122190152-0000"},
                                         GoldenCase{"forms", "spark-ab12"},
                                         GoldenCase{"4.3.0-streaming", "local-1"}),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
