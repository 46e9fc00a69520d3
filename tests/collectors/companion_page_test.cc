#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_companion_page();
namespace {

using ::testing::HasSubstr;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pod annotated(Pairs annotations, Pairs labels = {}) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = "broker-0";
  pod.uid = "uid";
  pod.phase = Phase::kRunning;
  pod.ips = {"10.0.0.9"};
  pod.host_ip = "192.0.2.1";
  pod.labels = std::move(labels);
  pod.annotations = std::move(annotations);
  std::ranges::sort(pod.annotations);
  return pod;
}
const Pairs kGood = {{"prometheus.io/port", "9404"}, {"prometheus.io/scrape", "true"}};

Pairs with(std::string name, std::string value) {
  Pairs all = kGood;
  std::erase_if(all, [&](const auto& entry) { return entry.first == name; });
  all.emplace_back(std::move(name), std::move(value));
  return all;
}

Discovery discovery_of(std::vector<Pod> pods) {
  Discovery discovery;
  discovery.companions_interval_ms = 20'000;
  discovery.own_ports = {14040};
  discovery.pods = std::make_shared<const PodList>(PodList{std::move(pods)});
  return discovery;
}

std::vector<Target> targets_of(std::vector<Pod> pods) {
  return make_companion_page()->targets(discovery_of(std::move(pods)));
}

TEST(CompanionPage, AnnotatedPodsAreTargets) {
  const auto targets = targets_of({annotated(kGood)});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "companion_page/team-a/broker-0");
  EXPECT_EQ(targets[0].url, "http://10.0.0.9:9404/metrics");
  EXPECT_EQ(targets[0].app, (AppKey{"team-a", ""}));
  EXPECT_EQ(targets[0].pod_uid, "uid");
  EXPECT_EQ(targets[0].workload, "");
  EXPECT_EQ(targets[0].pace.interval_ms, 20'000);
  EXPECT_EQ(targets[0].sample_limit, 2'000U);
  EXPECT_FALSE(targets[0].send_kubelet_token);
  EXPECT_TRUE(make_companion_page()->targets(Discovery{}).empty());
}

TEST(CompanionPage, PathAndWorkloadComeFromThePod) {
  const auto targets = targets_of(
      {annotated(with("prometheus.io/path", "/hub/metrics"), {{"app.kubernetes.io/name", "jupyterhub"}})});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].url, "http://10.0.0.9:9404/hub/metrics");
  EXPECT_EQ(targets[0].workload, "jupyter");
}

TEST(CompanionPage, TheOldestPodsComeFirst) {
  Pod young = annotated(kGood), old = annotated(kGood);
  young.name = "a";
  young.created_at = WallTime{2};
  old.name = "b";
  old.created_at = WallTime{1};
  const auto targets = targets_of({young, old});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "companion_page/team-a/b");
}

/// `told`: the reason of its refusal; none for a pod that does not ask to be read here.
struct Refused {
  const char* name;
  Pod pod;
  std::optional<Reason> told = std::nullopt;
};
constexpr Reason kConfig = Reason::kConfig;
constexpr Reason kAddress = Reason::kBlockedAddress;
Pod changed(void (*change)(Pod&)) {
  Pod pod = annotated(kGood);
  change(pod);
  return pod;
}

class CompanionPageRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(CompanionPageRefuses, ThePod) {
  EXPECT_TRUE(targets_of({GetParam().pod}).empty());
  const Discovery discovery = discovery_of({GetParam().pod});
  const auto refusals = make_companion_page()->refusals(discovery);
  ASSERT_EQ(refusals.size(), GetParam().told ? 1U : 0U);
  if (!GetParam().told) return;
  EXPECT_EQ(refusals[0].reason, *GetParam().told);
  EXPECT_TRUE(refusals[0].pod.ends_with("/" + GetParam().pod.name)) << refusals[0].pod;
  EXPECT_TRUE(refusals[0].why.starts_with("annotated pod not asked: ")) << refusals[0].why;
}

INSTANTIATE_TEST_SUITE_P(
    Pods, CompanionPageRefuses,
    ::testing::Values(
        Refused{"plain", annotated({})},
        Refused{"not_true", annotated(with("prometheus.io/scrape", "false"))},
        Refused{"https", annotated(with("prometheus.io/scheme", "https")), kConfig},
        Refused{"no_port", annotated({{"prometheus.io/scrape", "true"}}), kConfig},
        Refused{"kubelet_port", annotated(with("prometheus.io/port", "10250")), kConfig},
        Refused{"own_port", annotated(with("prometheus.io/port", "14040")), kConfig},
        Refused{"port_too_high", annotated(with("prometheus.io/port", "65536")), kConfig},
        Refused{"port_and_more", annotated(with("prometheus.io/port", "80@evil")), kConfig},
        Refused{"path_of_elsewhere", annotated(with("prometheus.io/path", "@evil/")), kConfig},
        Refused{"path_with_blank", annotated(with("prometheus.io/path", "/a b")), kConfig},
        Refused{"path_with_line", annotated(with("prometheus.io/path", "/a\r\nHost: b")), kConfig},
        Refused{"path_long", annotated(with("prometheus.io/path", "/" + std::string(256, 'a'))), kConfig},
        Refused{"driver", annotated(kGood, {{"spark-app-selector", "s"}, {"spark-role", "driver"}})},
        Refused{"pending", changed([](Pod& pod) { pod.phase = Phase::kPending; })},
        Refused{"host_network", changed([](Pod& pod) { pod.host_network = true; }), kAddress},
        Refused{"no_address", changed([](Pod& pod) { pod.ips.clear(); })},
        Refused{"cloud_metadata", changed([](Pod& pod) { pod.ips = {"169.254.169.254"}; }), kAddress},
        Refused{"loopback", changed([](Pod& pod) { pod.ips = {"127.0.0.1"}; }), kAddress},
        Refused{"the_nodes_address", changed([](Pod& pod) { pod.ips = {"192.0.2.1"}; }), kAddress},
        Refused{"system", changed([](Pod& pod) { pod.namespace_name = "kube-system"; })}),
    [](const auto& test) { return test.param.name; });

/// "measure value" lines of a page.
std::string read(const std::string& page, const std::string& workload = "", std::size_t limit = 2'000) {
  const auto collector = make_companion_page();
  Target target;
  target.workload = workload;
  target.sample_limit = limit;
  const auto decoder = collector->make_decoder(target);
  decoder->begin();
  if (Status fed = decoder->feed(page); !fed) return std::string(to_string(fed.error().reason));
  Result<Batch> batch = decoder->finish();
  if (!batch) return std::string(to_string(batch.error().reason));
  return batch_text(std::get<SampleBatch>(*batch), decoder->counts());
}

TEST(CompanionPage, SpellingsOfBrokerMetrics) {
  for (const char* name : {"kafka_server_brokertopicmetrics_bytesin_total",
                           "kafka_server_brokertopicmetrics_bytesinpersec_count",
                           "kafka_server_BrokerTopicMetrics_BytesInPerSec_Count",
                           "kafka_server_brokertopicmetrics_bytesinpersec_total",
                           "kafka_server_BrokerTopicMetrics_Count{name=\"BytesInPerSec\"}"}) {
    EXPECT_THAT(read(std::string(name) + " 7\n"), HasSubstr("kafka_received_bytes tool // 7\n")) << name;
  }
  for (const char* name : {"kafka_server_replicamanager_underreplicatedpartitions",
                           "kafka_server_ReplicaManager_UnderReplicatedPartitions",
                           "kafka_server_replicamanager_value{name=\"UnderReplicatedPartitions\"}"}) {
    EXPECT_THAT(read(std::string(name) + " 7\n"), HasSubstr("kafka_under_replicated_partitions tool // 7\n"))
        << name;
  }
  for (const char* name :
       {"kafka_server_brokertopicmetrics_bytesinpersec_oneminuterate",
        "kafka_server_brokertopicmetrics_bytesin",
        "kafka_server_brokertopicmetrics_bytesin_total{topic=\"t\"}", "kafka_server_replicamanager_count",
        "kafka_server_brokertopicmetrics_count{name=\"TotalFetchRequestsPerSec\"}",
        "kafka_server_brokertopicmetrics_count{name=\"UnderReplicatedPartitions\"}",
        "kafka_server_replicamanager_value{name=\"LeaderCount\"}", "kafka_server_"}) {
    EXPECT_THAT(read(std::string(name) + " 7\n"), HasSubstr("kept 0 skipped 1")) << name;
  }
}

TEST(CompanionPage, ALabelledPodSpeaksOnlyForItsTool) {
  const std::string page = "jupyterhub_running_servers 5\nkafka_consumergroup_lag 9\n";
  EXPECT_THAT(read(page), HasSubstr("kept 2 skipped 0"));
  EXPECT_THAT(read(page, "jupyter"), HasSubstr("jupyter_running_servers tool // 5\nkept 1 skipped 1"));
  EXPECT_THAT(read(page, "kafka"), HasSubstr("kafka_consumer_lag tool // 9\nkept 1 skipped 1"));
}

std::string rows(std::size_t count, const std::string& name) {
  std::string page;
  for (std::size_t i = 0; i < count; ++i) page += name + "{partition=\"" + std::to_string(i) + "\"} 1\n";
  return page;
}

TEST(CompanionPage, TooManyWantedRowsFailThePage) {
  EXPECT_THAT(read(rows(100, "kafka_consumergroup_lag"), "", 100), HasSubstr("kept 100"));
  EXPECT_EQ(read(rows(101, "kafka_consumergroup_lag"), "", 100), "limit");
  EXPECT_THAT(read(rows(10'000, "other"), "", 100), HasSubstr("kept 0 skipped 10000"));
  EXPECT_EQ(read(rows(200'001, "other"), "", 100), "limit");
  const std::string text(600, 'x');
  EXPECT_THAT(read("kafka_consumergroup_lag{topic=\"" + text + "\"} 1\njupyterhub_running_servers 1\n"),
              HasSubstr("kept 1 skipped 0 bad 1"))
      << "a wanted line that is too long is not kept";
}

TEST(CompanionPage, WantedRowsDoNotPileUpFromScrapeToScrape) {
  Target target;
  target.sample_limit = 100;
  const auto collector = make_companion_page();
  const auto decoder = collector->make_decoder(target);
  const auto scrape = [&](const std::string& page) {
    decoder->begin();
    return decoder->feed(page)
        .and_then([&] { return decoder->finish().map([](const Batch&) {}); })
        .has_value();
  };
  const std::string old = rows(100, "kafka_consumergroup_lag");
  EXPECT_TRUE(scrape(old));
  EXPECT_FALSE(scrape("kafka_consumergroup_lag{partition=\"new\"} 1\n" + old)) << "new ones first";
  EXPECT_FALSE(scrape(old + "kafka_consumergroup_lag{partition=\"new\"} 1\n"));
  EXPECT_TRUE(scrape(old));
}

class CompanionPageGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(CompanionPageGolden, GivesTheReviewedSamples) {
  const auto collector = make_companion_page();
  Target target;
  target.sample_limit = 2'000;
  const std::string actual = decode_golden(*collector, target, GetParam());
  EXPECT_EQ(actual, expected_golden(*collector, GetParam(), actual));
}

INSTANTIATE_TEST_SUITE_P(Captures, CompanionPageGolden,
                         ::testing::Values("kafka-3.9.1-jmx-rules", "kafka-3.9.1-jmx-default",
                                           "kafka_exporter-excerpt", "jupyterhub-6.1.1",
                                           "jupyter-server-2.21.1", "zeppelin-derived"),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

}  // namespace
}  // namespace flintgauge
