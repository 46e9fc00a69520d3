#include <gtest/gtest.h>

#include "flintgauge/collector.h"

namespace flintgauge {
std::unique_ptr<Collector> make_cadvisor();
namespace {

TEST(Cadvisor, OneTargetAtTheKubelet) {
  Discovery discovery;
  discovery.kubelet_url = "https://10.0.0.7:10250";
  const auto targets = make_cadvisor()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "cadvisor");
  EXPECT_EQ(targets[0].url, "https://10.0.0.7:10250/metrics/cadvisor");
  EXPECT_TRUE(targets[0].send_kubelet_token);
  EXPECT_EQ(targets[0].pace.interval_ms, 10'000);
}

}  // namespace
}  // namespace flintgauge
