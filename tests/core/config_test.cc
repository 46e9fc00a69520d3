#include "flintgauge/config.h"

#include <gtest/gtest.h>

#include <functional>

namespace flintgauge {
namespace {

struct Case {
  const char* key;  // the key the message starts with
  std::function<void(Config&)> spoil;
};
class Validate : public testing::TestWithParam<Case> {};

TEST_P(Validate, RefusesAndNamesTheKey) {
  Config config;
  ASSERT_TRUE(validate(config));
  GetParam().spoil(config);
  const Status status = validate(config);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().reason, Reason::kConfig);
  EXPECT_TRUE(status.error().message.starts_with(std::string(GetParam().key) + ": "))
      << status.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Config, Validate,
    testing::Values(Case{"web.listen_address", [](Config& c) { c.web.listen_address = "14040"; }},
                    Case{"web.max_requests", [](Config& c) { c.web.max_requests = 0; }},
                    Case{"web.max_requests", [](Config& c) { c.web.max_requests = 1'000; }},
                    Case{"node.name", [](Config& c) { c.node.name = ""; }},
                    Case{"kubelet.url", [](Config& c) { c.kubelet.url = "10.0.0.1:10250"; }},
                    Case{"kubelet.url", [](Config& c) { c.kubelet.url = "https://10.0.0.1:10250/"; }},
                    Case{"kubelet.url", [](Config& c) { c.kubelet.url = "https://user@10.0.0.1"; }},
                    Case{"kubelet.url", [](Config& c) { c.kubelet.url = "https://"; }},
                    Case{"kubelet.server_name", [](Config& c) { c.kubelet.server_name = "node 1"; }},
                    Case{"kubelet.server_name", [](Config& c) { c.kubelet.server_name = "node-1:10250"; }},
                    Case{"kubelet.interval", [](Config& c) { c.kubelet.interval_ms = 10; }},
                    Case{"kubelet.summary_interval", [](Config& c) { c.kubelet.summary_interval_ms = 99; }},
                    Case{"kubelet.body_limit", [](Config& c) { c.kubelet.body_limit_bytes = 1; }},
                    Case{"spark.interval", [](Config& c) { c.spark.interval_ms = 3'600'001; }},
                    Case{"spark.ended_retention", [](Config& c) { c.spark.totals.ended_retention_ms = 999; }},
                    Case{"spark.body_limit", [](Config& c) { c.spark.body_limit_bytes = INT64_MAX; }},
                    Case{"companions.interval", [](Config& c) { c.companions.interval_ms = 0; }},
                    Case{"companions.body_limit", [](Config& c) { c.companions.body_limit_bytes = 0; }},
                    Case{"companions.max_samples", [](Config& c) { c.companions.max_samples = 99; }},
                    Case{"companions.max_targets_per_namespace",
                         [](Config& c) { c.companions.max_targets_per_namespace = 501; }},
                    Case{"log.level", [](Config& c) { c.log.level = "loud"; }},
                    Case{"log.format", [](Config& c) { c.log.format = "xml"; }},
                    Case{"series.app", [](Config& c) { c.series.app = 4'001; }},
                    Case{"series.namespace", [](Config& c) { c.series.node = 3'999; }},
                    Case{"series.node", [](Config& c) { c.series.node = 1'000'001; }},
                    Case{"hints.drain_target", [](Config& c) { c.hints.drain_target_seconds = -1; }},
                    Case{"hints.startup", [](Config& c) { c.hints.startup_seconds = 3'601; }},
                    Case{"hints.min_executors", [](Config& c) { c.hints.min_executors = 201; }},
                    Case{"hints.max_executors", [](Config& c) { c.hints.max_executors = 0; }}));

TEST(Validate, TakesVariablesNotYetReplaced) {
  Config config;
  config.kubelet.url = "https://${HOST_IP}:10250";
  EXPECT_TRUE(validate(config));
}

TEST(ListenAddress, Reads) {
  const auto parse = [](std::string_view text) {
    const auto address = parse_listen_address(text);
    return address ? address->host + '|' + std::to_string(address->port) : "refused";
  };
  EXPECT_EQ(parse("0.0.0.0:14040"), "0.0.0.0|14040");
  EXPECT_EQ(parse(":0"), "|0");
  EXPECT_EQ(parse("[::1]:80"), "::1|80");
  for (const char* const text : {"", ":", "14040", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
                                 "1.2.3:80", "1.2.3.4.5:80", "1.2.3.256:80", "::1:80", "[]:80", "[::1:80",
                                 "host:80", "1.2.3.4:80s", "[::1%eth0]:80", "127.0.0.1:80,127.0.0.1:81"})
    EXPECT_EQ(parse(text), "refused") << text;
}

}  // namespace
}  // namespace flintgauge
