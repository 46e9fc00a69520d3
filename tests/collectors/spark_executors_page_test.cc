#include <gtest/gtest.h>

#include <string>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_executors();
std::unique_ptr<Collector> make_spark_executors_page();
namespace {

TEST(SparkExecutorsPage, StandsInForTheListOfExecutorsAndMayBeMissing) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.uid = "uid";
  pod.phase = Phase::kRunning;
  pod.ips = {"fd00::9"};
  pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "driver"}};
  Discovery discovery;
  discovery.pods = std::make_shared<const PodList>(PodList{{pod}});
  const auto targets = make_spark_executors_page()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_executors_page/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://[fd00::9]:4040/metrics/executors/prometheus/");
  EXPECT_TRUE(targets[0].optional);
  EXPECT_EQ(targets[0].fallback_of, make_spark_executors()->targets(discovery)[0].key);
  EXPECT_FALSE(targets[0].send_kubelet_token);
}

class SparkExecutorsPageGolden : public testing::TestWithParam<const char*> {};

TEST_P(SparkExecutorsPageGolden, GivesTheReviewedSamples) {
  const auto collector = make_spark_executors_page();
  const std::string actual = decode_golden(*collector, Target{}, GetParam());
  EXPECT_EQ(actual, expected_golden(*collector, GetParam(), actual));
}

INSTANTIATE_TEST_SUITE_P(Captures, SparkExecutorsPageGolden,
                         testing::Values("4.3.0-quoted-name", "3.5", "excerpts"),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
