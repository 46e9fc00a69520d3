#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_cadvisor();
namespace {

TEST(Cadvisor, OneTargetAtTheKubelet) {
  Discovery discovery;
  discovery.kubelet_url = "https://10.0.0.7:10250";
  const auto targets = make_cadvisor()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "cadvisor");
  EXPECT_EQ(targets[0].collector, "cadvisor");
  EXPECT_EQ(targets[0].url, "https://10.0.0.7:10250/metrics/cadvisor");
  EXPECT_TRUE(targets[0].send_kubelet_token);
  EXPECT_TRUE(targets[0].fallback_of.empty());
  EXPECT_EQ(targets[0].pace.interval_ms, 10'000);
  EXPECT_EQ(targets[0].pace.ttl_ms, 60'000);
  EXPECT_EQ(targets[0].body_limit, 64U * 1024 * 1024);
}

class CadvisorGolden : public testing::TestWithParam<const char*> {};

TEST_P(CadvisorGolden, GivesTheReviewedSamples) {
  const auto collector = make_cadvisor();
  const std::string actual = decode_golden(*collector, Target{}, GetParam());
  EXPECT_EQ(actual, expected_golden(*collector, GetParam(), actual));
}

INSTANTIATE_TEST_SUITE_P(Captures, CadvisorGolden,
                         testing::Values("k8s1.15-podname", "k8s1.16-docker", "k8s1.28-containerd",
                                         "k8s1.35-interfaces", "v1.35.4-spark", "v1.35.4-unlabelled",
                                         "v1.37.2-cri", "v1.35.4-no-pressure", "k8s1.35-pressure",
                                         "standalone", "failure", "dialects"),
                         [](const auto& test) {
                           std::string name(test.param);
                           for (char& c : name) c = c == '.' || c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace flintgauge
