#include "collectors/common/spark_target.h"

#include <gtest/gtest.h>

namespace flintgauge {
namespace {

Pod driver_pod(std::string app_id, std::string ip) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = app_id + "-driver";
  pod.uid = "uid-" + app_id;
  pod.phase = Phase::kRunning;
  pod.labels = {{"spark-app-selector", app_id}, {"spark-role", "driver"}};
  pod.ips = {std::move(ip)};
  pod.host_ip = "10.0.17.23";
  return pod;
}

Discovery discovery_of(std::vector<Pod> pods) {
  Discovery discovery;
  discovery.pods = std::make_shared<const PodList>(PodList{std::move(pods)});
  return discovery;
}

TEST(SparkDrivers, GivesThePodsOwnFirstAddress) {
  Pod pod = driver_pod("spark-1", "10.244.0.9");
  pod.ips.push_back("fd00::9");
  const auto drivers = spark_drivers(discovery_of({pod}));
  ASSERT_EQ(drivers.size(), 1U);
  EXPECT_EQ(drivers[0].app, (AppKey{"team-a", "spark-1"}));
  EXPECT_EQ(drivers[0].pod_uid, "uid-spark-1");
  EXPECT_EQ(drivers[0].base_url, "http://10.244.0.9:4040");
}

TEST(SparkDrivers, LeavesOutWhatMayNotBeAsked) {
  const auto none = [](auto change) {
    Pod pod = driver_pod("spark-1", "10.244.0.9");
    change(pod);
    return spark_drivers(discovery_of({pod})).empty();
  };
  EXPECT_FALSE(none([](Pod&) {}));
  EXPECT_TRUE(none([](Pod& pod) { pod.host_network = true; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.phase = Phase::kPending; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.phase = Phase::kSucceeded; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.ips.clear(); }));
  EXPECT_TRUE(none([](Pod& pod) { pod.ips = {"10.0.17.23"}; }));
  EXPECT_TRUE(none([](Pod& pod) {
    pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "executor"}};
  }));
  EXPECT_TRUE(none([](Pod& pod) { pod.labels = {{"spark-role", "driver"}}; }));
  EXPECT_TRUE(spark_drivers(Discovery{}).empty());
}

TEST(SparkJvms, AreAnnotatedPodsWithAPageOfTheirOwn) {
  Pod driver = driver_pod("spark-1", "10.244.0.9");
  driver.annotations = {
      {"prometheus.io/path", "/metrics"}, {"prometheus.io/port", "8091"}, {"prometheus.io/scrape", "true"}};
  Pod executor = driver_pod("spark-1", "10.244.0.10");
  executor.labels = {{"spark-app-selector", "spark-1"}, {"spark-exec-id", "7"}, {"spark-role", "executor"}};
  executor.annotations = {{"prometheus.io/scrape", "true"}};
  const auto jvms = spark_jvms(discovery_of({executor, driver}));
  ASSERT_EQ(jvms.size(), 2U);
  EXPECT_EQ(jvms[0].executor_id, "");
  EXPECT_EQ(jvms[0].url, "http://10.244.0.9:8091/metrics");
  EXPECT_EQ(jvms[1].executor_id, "7");
  EXPECT_EQ(jvms[1].url, "http://10.244.0.10:8090/metrics") << "as the operators have it";
  EXPECT_EQ(jvms[1].app, (AppKey{"team-a", "spark-1"}));
}

TEST(SparkJvms, LeavesOutWhatIsNotAnnotatedOrMayNotBeAsked) {
  const auto none = [](auto change) {
    Pod pod = driver_pod("spark-1", "10.244.0.9");
    pod.annotations = {{"prometheus.io/scrape", "true"}};
    change(pod);
    return spark_jvms(discovery_of({pod})).empty();
  };
  EXPECT_FALSE(none([](Pod&) {}));
  EXPECT_TRUE(none([](Pod& pod) { pod.annotations = {}; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.annotations = {{"prometheus.io/scrape", "false"}}; }));
  for (const char* path : {"/metrics/prometheus", "/a?b=c", "metrics", "/../x"}) {
    EXPECT_TRUE(none([path](Pod& pod) {
      pod.annotations.insert(pod.annotations.begin(), {"prometheus.io/path", path});
    })) << path;
  }
  EXPECT_TRUE(none([](Pod& pod) { pod.host_network = true; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.phase = Phase::kSucceeded; }));
  EXPECT_TRUE(none([](Pod& pod) { pod.ips = {"10.0.17.23"}; }));
  EXPECT_TRUE(none([](Pod& pod) {
    pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "executor"}};  // which one?
  }));
  EXPECT_TRUE(spark_jvms(Discovery{}).empty());
}

TEST(SparkDrivers, TellsWhichItRefused) {
  Pod of_the_node = driver_pod("spark-1", "10.0.17.23");
  Pod on_host_network = driver_pod("spark-2", "10.0.17.23");
  on_host_network.host_network = true;
  Pod metadata = driver_pod("spark-3", "169.254.169.254");
  const Pod good = driver_pod("spark-4", "10.244.0.9");
  Pod ended = driver_pod("spark-5", "10.0.17.23");
  ended.phase = Phase::kSucceeded;
  Pod executor = driver_pod("spark-6", "10.0.17.23");
  executor.labels = {{"spark-app-selector", "spark-6"}, {"spark-role", "executor"}};
  std::vector<std::string> told;
  for (const Refusal& one :
       refused_drivers(discovery_of({metadata, of_the_node, good, on_host_network, ended, executor}))) {
    EXPECT_EQ(one.reason, Reason::kBlockedAddress);
    told.push_back(one.pod);
  }
  EXPECT_EQ(told,
            (std::vector<std::string>{"team-a/spark-1-driver 10.0.17.23", "team-a/spark-2-driver 10.0.17.23",
                                      "team-a/spark-3-driver 169.254.169.254"}));
  EXPECT_TRUE(refused_drivers(Discovery{}).empty());
}

TEST(SparkDrivers, OneTargetPerApplicationTheYoungestPod) {
  Pod old = driver_pod("spark-1", "10.244.0.9");
  Pod young = driver_pod("spark-1", "10.244.0.10");
  old.created_at = WallTime{1'000};
  young.created_at = WallTime{2'000};
  Pod other = driver_pod("spark-0", "10.244.0.11");
  const auto drivers = spark_drivers(discovery_of({old, young, other}));
  ASSERT_EQ(drivers.size(), 2U);
  EXPECT_EQ(drivers[0].app.app_id, "spark-0");
  EXPECT_EQ(drivers[1].base_url, "http://10.244.0.10:4040");
}

struct AddressCase {
  const char* name;
  const char* ip;
  const char* host;  ///< as in the URL; "" = refused
};
class UrlHostOfPod : public testing::TestWithParam<AddressCase> {};

TEST_P(UrlHostOfPod, AcceptsOnlyAddressesAPodCanHave) {
  EXPECT_EQ(url_host_of_pod(GetParam().ip, "10.0.17.23", false), GetParam().host);
}

INSTANTIATE_TEST_SUITE_P(
    SparkTarget, UrlHostOfPod,
    testing::Values(AddressCase{"v4", "10.244.0.9", "10.244.0.9"}, AddressCase{"v6", "fd00::9", "[fd00::9]"},
                    AddressCase{"mapped", "::ffff:10.244.0.9", "10.244.0.9"},
                    AddressCase{"long_v6", "FD00:0:0:0:0:0:0:9", "[fd00::9]"}, AddressCase{"empty", "", ""},
                    AddressCase{"name", "localhost", ""}, AddressCase{"loopback", "127.0.0.1", ""},
                    AddressCase{"loopback_other", "127.64.3.1", ""}, AddressCase{"loopback_v6", "::1", ""},
                    AddressCase{"mapped_loopback", "::ffff:127.0.0.1", ""},
                    AddressCase{"compatible_loopback", "::127.0.0.1", ""},
                    AddressCase{"nat64", "64:ff9b::7f00:1", ""},
                    AddressCase{"metadata", "169.254.169.254", ""},
                    AddressCase{"link_local_v6", "fe80::1", ""}, AddressCase{"zone", "fe80::1%eth0", ""},
                    AddressCase{"node", "10.0.17.23", ""},
                    AddressCase{"mapped_node", "::ffff:10.0.17.23", ""}, AddressCase{"any", "0.0.0.0", ""},
                    AddressCase{"any_v6", "::", ""}, AddressCase{"multicast", "224.0.0.1", ""},
                    AddressCase{"multicast_v6", "ff02::1", ""},
                    AddressCase{"broadcast", "255.255.255.255", ""}, AddressCase{"hex", "0x7f.0.0.1", ""},
                    AddressCase{"octal", "0177.0.0.1", ""}, AddressCase{"short_form", "127.1", ""},
                    AddressCase{"port", "10.244.0.9:80", ""}, AddressCase{"user", "x@10.244.0.9", ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(UrlHostOfPodTest, LoopbackOnlyWhenAllowed) {
  EXPECT_EQ(url_host_of_pod("127.64.0.1", "127.0.0.1", true), "127.64.0.1");
  EXPECT_EQ(url_host_of_pod("::1", "", true), "[::1]");
  EXPECT_EQ(url_host_of_pod("169.254.169.254", "", true), "");
  EXPECT_EQ(url_host_of_pod(std::string_view("10.244.0.9\0x", 12), "", true), "");
}

struct PortCase {
  const char* name;
  const char* path;
  const char* port;
  int expected;
};
class SparkUiPort : public testing::TestWithParam<PortCase> {};

TEST_P(SparkUiPort, TakesTheAnnotationOnlyWhenItIsTheUi) {
  Pod pod;
  pod.annotations = {{"prometheus.io/path", GetParam().path}, {"prometheus.io/port", GetParam().port}};
  EXPECT_EQ(spark_ui_port(pod, {8125, 19000}), GetParam().expected);
}

TEST(SparkUiPortTest, IsTheOneThatSparkDeclares) {
  Pod pod;
  pod.spark_ui_port = 4055;
  EXPECT_EQ(spark_ui_port(pod, {8125}), 4055);
  pod.annotations = {{"prometheus.io/path", "/metrics/json/"}};
  EXPECT_EQ(spark_ui_port(pod, {8125}), 4055);
  pod.annotations.emplace_back("prometheus.io/port", "4041");
  EXPECT_EQ(spark_ui_port(pod, {8125}), 4041) << "a person's word";
  pod.annotations.clear();
  pod.spark_ui_port = 10'250;
  EXPECT_EQ(spark_ui_port(pod, {8125}), 4040) << "the kubelet's";
}

INSTANTIATE_TEST_SUITE_P(SparkTarget, SparkUiPort,
                         testing::Values(PortCase{"ui", "/metrics/executors/prometheus/", "4041", 4041},
                                         PortCase{"servlet", "/metrics/prometheus/", "65535", 65535},
                                         PortCase{"jmx_agent", "/metrics", "8090", 4040},
                                         PortCase{"no_path", "", "4041", 4040},
                                         PortCase{"kubelet", "/metrics/prometheus/", "10250", 4040},
                                         PortCase{"own", "/metrics/prometheus/", "19000", 4040},
                                         PortCase{"other", "/metrics/prometheus/", "14040", 14040},
                                         PortCase{"zero", "/metrics/prometheus/", "0", 4040},
                                         PortCase{"large", "/metrics/prometheus/", "65536", 4040},
                                         PortCase{"negative", "/metrics/prometheus/", "-1", 4040},
                                         PortCase{"trailing", "/metrics/prometheus/", "4041x", 4040}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SparkTargetTest, FirstRequestIsPatientAndLimitsAreATenants) {
  Discovery discovery;
  discovery.spark_interval_ms = 5'000;
  const SparkDriver driver{{"team-a", "spark-1"}, "uid", "http://[fd00::9]:4040", ""};
  const Target target = spark_target(driver, discovery, "spark_stages", "/api/v1/x", Expect::kJson);
  EXPECT_EQ(target.key, "spark_stages/team-a/spark-1");
  EXPECT_EQ(target.collector, "spark_stages");
  EXPECT_EQ(target.url, "http://[fd00::9]:4040/api/v1/x");
  EXPECT_EQ(target.pace.interval_ms, 5'000);
  EXPECT_EQ(target.pace.timeout_ms, 4'000);
  EXPECT_EQ(target.pace.first_timeout_ms, 30'000);
  EXPECT_EQ(target.pace.ttl_ms, 60'000);
  EXPECT_EQ(target.pace.bytes_per_second, 131'072) << "a body of 8 MiB every 64 s";
  EXPECT_EQ(target.body_limit, 8U * 1024 * 1024);
  EXPECT_FALSE(target.send_kubelet_token);
  EXPECT_EQ(target.app, driver.app);
  EXPECT_EQ(target.pod_uid, "uid");
}

TEST(SparkTargetTest, WhatIsAskedOnceIsAskedAgainOfAnotherContainer) {
  Pod pod = driver_pod("spark-1", "10.244.0.9");
  pod.containers.resize(3);
  for (Container& container : pod.containers) container.state = ContainerState::kRunning;
  pod.containers[0].started_at = WallTime{1'000};
  pod.containers[1].started_at = WallTime{3'000};
  pod.containers[2].started_at = WallTime{9'000};
  pod.containers[2].state = ContainerState::kTerminated;
  const Discovery discovery = discovery_of({pod});
  const auto drivers = spark_drivers(discovery);
  ASSERT_EQ(drivers.size(), 1U);
  EXPECT_EQ(spark_target_once(drivers[0], discovery, "spark_environment", "/x").process_started.ms, 3'000);
  EXPECT_EQ(spark_target(drivers[0], discovery, "spark_stages", "/x", Expect::kJson).process_started.ms, 0);
}

}  // namespace
}  // namespace flintgauge
