#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_driver_page();
namespace {

TEST(SparkDriverPage, IsAskedOfEachDriverAndMayBeMissing) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.uid = "uid";
  pod.phase = Phase::kRunning;
  pod.ips = {"10.244.0.9"};
  pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "driver"}};
  Discovery discovery;
  discovery.pods = std::make_shared<const PodList>(PodList{{pod}});
  const auto targets = make_spark_driver_page()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_driver_page/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.244.0.9:4040/metrics/prometheus/");
  EXPECT_TRUE(targets[0].optional);
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
                                         GoldenCase{"forms", "spark-ab12"}),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
