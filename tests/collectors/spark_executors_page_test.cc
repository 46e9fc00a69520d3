#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_executors_page();
namespace {

TEST(SparkExecutorsPage, IsAskedOfEachDriverAndMayBeMissing) {
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
  EXPECT_FALSE(targets[0].send_kubelet_token);
}

class SparkExecutorsPageGolden : public testing::TestWithParam<const char*> {};

TEST_P(SparkExecutorsPageGolden, GivesTheReviewedSamples) {
  const auto collector = make_spark_executors_page();
  const std::string actual = decode_golden(*collector, Target{}, GetParam());
  EXPECT_EQ(actual, expected_golden(*collector, GetParam(), actual));
}

TEST(SparkExecutorsPage, EveryLineOfARealPageIsAccountedFor) {
  auto pages = list_captures("executors-prometheus.txt");
  for (const std::string& path : list_captures("metrics_executors_prometheus.txt")) pages.push_back(path);
  ASSERT_GE(pages.size(), 10U);
  for (const std::string& path : pages) {
    const std::string body = read_capture(path);
    const auto decoder = make_spark_executors_page()->make_decoder(Target{});
    decoder->begin();
    ASSERT_TRUE(decoder->feed(body)) << path;
    ASSERT_TRUE(decoder->finish()) << path;
    const ScrapeCounts& counts = decoder->counts();
    EXPECT_GT(counts.kept, 0U) << path;
    EXPECT_EQ(counts.bad + counts.duplicate + counts.not_finite, 0U) << path;
    EXPECT_EQ(counts.kept + counts.skipped, static_cast<std::uint64_t>(std::ranges::count(body, '\n')))
        << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Captures, SparkExecutorsPageGolden,
                         testing::Values("4.3.0-quoted-name", "3.5", "excerpts"),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
