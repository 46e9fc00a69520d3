#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_resource();
namespace {

TEST(KubeletResource, StandsInForCadvisor) {
  Discovery discovery;
  discovery.kubelet_url = "http://10.0.0.7:10255";
  const auto targets = make_kubelet_resource()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "kubelet_resource");
  EXPECT_EQ(targets[0].url, "http://10.0.0.7:10255/metrics/resource");
  EXPECT_EQ(targets[0].fallback_of, "cadvisor");
  EXPECT_TRUE(targets[0].send_kubelet_token);
}

class KubeletResourceGolden : public testing::TestWithParam<const char*> {};

TEST_P(KubeletResourceGolden, GivesTheReviewedSamples) {
  const auto collector = make_kubelet_resource();
  const std::string actual = decode_golden(*collector, Target{}, GetParam());
  EXPECT_EQ(actual, expected_golden(*collector, GetParam(), actual));
}

INSTANTIATE_TEST_SUITE_P(Captures, KubeletResourceGolden, testing::Values("k8s1.22", "v1.35.4"),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
