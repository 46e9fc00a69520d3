#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/golden.h"
#include "support/json_bodies.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_jmx();
namespace {

Target target_of(const std::string& executor_id) {
  Target target;
  target.app = {"team-a", "app-20261122190152-0000"};
  target.executor_id = executor_id;
  return target;
}

Discovery annotated() {
  Discovery discovery = reference::one_driver();
  auto pods = std::make_shared<PodList>(*discovery.pods);
  pods->pods[0].annotations = {{"prometheus.io/scrape", "true"}};
  Pod executor = pods->pods[0];
  executor.uid = "uid-7";
  executor.labels = {{"spark-app-selector", "spark-1"}, {"spark-exec-id", "7"}, {"spark-role", "executor"}};
  executor.ips = {"10.1.2.4"};
  pods->pods.push_back(executor);
  discovery.pods = pods;
  return discovery;
}

TEST(SparkJmx, ExecutorsAreAskedOnceAMinuteAndTheDriverInCaseOfNeed) {
  const auto targets = make_spark_jmx()->targets(annotated());
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "spark_jmx/team-a/spark-1/driver");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:8090/metrics");
  EXPECT_EQ(targets[0].fallback_of, "spark_metrics_json/team-a/spark-1");
  EXPECT_EQ(targets[1].key, "spark_jmx/team-a/spark-1/7");
  EXPECT_EQ(targets[1].url, "http://10.1.2.4:8090/metrics");
  EXPECT_EQ(targets[1].executor_id, "7");
  EXPECT_EQ(targets[1].pod_uid, "uid-7");
  EXPECT_EQ(targets[1].fallback_of, "");
  EXPECT_EQ(targets[1].pace.interval_ms, 60'000) << "0.4 s of the pod's CPU each";
  EXPECT_EQ(targets[1].pace.timeout_ms, 10'000);
  EXPECT_TRUE(make_spark_jmx()->targets(reference::one_driver()).empty()) << "no annotation, no question";
}

struct GoldenCase {
  const char* name;
  const char* executor_id;
};
class SparkJmxGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(SparkJmxGolden, GivesTheReviewedSamples) {
  const auto collector = make_spark_jmx();
  const std::string actual = decode_golden(*collector, target_of(GetParam().executor_id), GetParam().name);
  EXPECT_EQ(actual, expected_golden(*collector, GetParam().name, actual));
}

INSTANTIATE_TEST_SUITE_P(Rules, SparkJmxGolden,
                         testing::Values(GoldenCase{"executor-4.3.0", "0"}, GoldenCase{"driver-4.3.0", ""},
                                         GoldenCase{"kubeflow-spark3", "7"},
                                         GoldenCase{"kubeflow-spark2", "7"},
                                         GoldenCase{"examples-spark3", "7"}, GoldenCase{"no-rules", "7"},
                                         GoldenCase{"driver-streaming", ""}),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

/// The same executor at the same moment: what its own page says, and its driver's REST list.
TEST(SparkJmx, AnExecutorSaysWhatItsDriverSays) {
  const auto reader = make_spark_jmx()->make_decoder(target_of("0"));
  const auto batch = decode(*reader, read_capture("spark/real-4.3.0/shuffle/t080/jmx_exec0.txt"));
  const auto& told = std::get<SampleBatch>(batch.value());
  const auto rest =
      reference::parse_json(read_capture("spark/real-4.3.0/shuffle/t080/rest_allexecutors.json"));
  const auto rows = reference::executors(*rest).value();
  const auto row = std::ranges::find(rows, "0", &SparkExecutor::id);
  ASSERT_NE(row, rows.end());
  double tasks = 0, written = 0;
  for (const Sample& sample : told.samples) {
    const Route& route = told.routes[sample.series];
    EXPECT_EQ(route.container, "0");
    if (route.measure == Measure::kExecutorTasksCompleted) tasks = sample.value;
    if (route.measure == Measure::kExecutorShuffleWriteBytes) written = sample.value;
  }
  EXPECT_EQ(tasks, row->tasks_completed);
  EXPECT_EQ(written, row->shuffle_write_bytes);
}

}  // namespace
}  // namespace flintgauge
