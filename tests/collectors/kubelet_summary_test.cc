#include <gtest/gtest.h>

#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/summary_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_summary();

namespace reference {
void PrintTo(const Reading& r, std::ostream* out) { *out << r.value << " at " << r.timestamp_ms; }
}  // namespace reference

namespace {

std::unique_ptr<Decoder> decoder() {
  Target target;
  target.body_limit = 64UL * 1024 * 1024;
  return make_kubelet_summary()->make_decoder(target);
}

SampleBatch batch_of(const Result<Batch>& batch) { return std::get<SampleBatch>(batch.value()); }

TEST(KubeletSummary, OneTargetAtTheKubelet) {
  Discovery discovery;
  discovery.kubelet_url = "https://10.0.0.7:10250";
  discovery.summary_interval_ms = 45'000;
  const auto targets = make_kubelet_summary()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "kubelet_summary");
  EXPECT_EQ(targets[0].url, "https://10.0.0.7:10250/stats/summary");
  EXPECT_EQ(targets[0].expect, Expect::kJson);
  EXPECT_TRUE(targets[0].send_kubelet_token);
  EXPECT_EQ(targets[0].pace.interval_ms, 45'000);
}

TEST(KubeletSummary, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture("summary", 20, decoder, [](const auto& tree, const auto& batch, const auto& counts) {
    EXPECT_EQ(reference::SeriesFollower().apply(batch_of(batch)), reference::summary(tree).value());
    EXPECT_EQ(counts.new_series, batch_of(batch).samples.size());
  });
}

TEST(KubeletSummary, ReadsARealNode) {
  const auto d = decoder();
  const auto readings = reference::SeriesFollower().apply(
      batch_of(decode(*d, read_capture("kubelet/stats-summary-k8s1.35.json"))));
  Route route;
  route.scope = Scope::kNode;
  route.measure = Measure::kCpuUsageSeconds;
  EXPECT_GT(readings.at(reference::key_of(route)).value, 1.0);
  const auto storage = std::count_if(readings.begin(), readings.end(), [](const auto& r) {
    const std::string prefix = std::to_string(static_cast<int>(Scope::kPod)) + " ";
    return r.first.starts_with(prefix);
  });
  EXPECT_EQ(storage, 17);  // one for each pod of the summary
}

TEST(KubeletSummary, SeriesKeepTheirNumbers) {
  const auto d = decoder();
  reference::SeriesFollower follower;
  for (const char* path : {"kubelet/real-v1.35.4/summary-1.json", "kubelet/real-v1.35.4/summary-2.json",
                           "kubelet/real-v1.35.4/summary-3.json", "kubelet/real-v1.35.4/later-summary-1.json",
                           "kubelet/real-v1.35.4/summary-1.json"}) {
    const std::string body = read_capture(path);
    EXPECT_EQ(follower.apply(batch_of(decode(*d, body))), *reference::summary(*reference::parse_json(body)))
        << path;
    EXPECT_EQ(follower.live().size(), batch_of(decode(*d, body)).samples.size()) << path;
    const SampleBatch again = batch_of(decode(*d, body));
    EXPECT_TRUE(again.created.empty() && again.retired.empty()) << path;
    follower.apply(again);
  }
}

TEST(KubeletSummary, AFailedScrapeLeavesNoTrace) {
  const auto d = decoder();
  reference::SeriesFollower follower;
  const std::string first = read_capture("kubelet/real-v1.35.4/summary-1.json");
  const std::string other = read_capture("kubelet/real-v1.35.4/later-summary-1.json");
  follower.apply(batch_of(decode(*d, first)));
  EXPECT_FALSE(decode(*d, other.substr(0, other.size() - 2)).has_value());
  EXPECT_FALSE(decode(*d, other.substr(0, other.size() / 2)).has_value());
  EXPECT_EQ(follower.apply(batch_of(decode(*d, first))), *reference::summary(*reference::parse_json(first)));
  EXPECT_EQ(follower.apply(batch_of(decode(*d, other))), *reference::summary(*reference::parse_json(other)));
}

TEST(KubeletSummary, NonsenseOfUnderflowIsNotTaken) {
  const auto d = decoder();
  const auto batch = decode(*d,
                            "{\"node\":{\"memory\":{\"workingSetBytes\":18446744073709551615},"
                            "\"cpu\":{\"usageCoreNanoSeconds\":-1},\"fs\":{\"capacityBytes\":5}}}");
  EXPECT_EQ(batch_of(batch).samples.size(), 1U);
  EXPECT_EQ(d->counts().not_finite, 2U);
}

TEST(KubeletSummary, TheSamePodTwiceCountsOnce) {
  const auto d = decoder();
  const std::string pod = "{\"podRef\":{\"name\":\"a\",\"uid\":\"u\"},\"ephemeral-storage\":{\"usedBytes\":";
  const auto batch = decode(*d, "{\"pods\":[" + pod + "5}}," + pod + "7}}]}");
  ASSERT_EQ(batch_of(batch).samples.size(), 1U);
  EXPECT_EQ(batch_of(batch).samples[0].value, 7);
  EXPECT_EQ(batch_of(batch).samples[0].timestamp_ms, kNoTimestamp);
  EXPECT_EQ(d->counts().duplicate, 1U);
  EXPECT_EQ(total(d->counts()), 6U);
}

TEST(KubeletSummary, AnotherDocumentIsRefused) {
  for (const char* body : {"{}", "[]", "{\"node\":5,\"pods\":null}", "{\"items\":[]}", "<html></html>"}) {
    const auto batch = decode(*decoder(), body);
    ASSERT_FALSE(batch.has_value()) << body;
    EXPECT_EQ(batch.error().reason, Reason::kJson) << body;
  }
  std::string many = "{\"pods\":[{}";
  for (int i = 0; i < 10'000; ++i) many += ",{}";
  EXPECT_EQ(decode(*decoder(), many + "]}").error().reason, Reason::kLimit);
}

TEST(KubeletSummary, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(2);
  const auto d = decoder();
  reference::SeriesFollower follower;
  const std::vector<std::string> bodies = {read_capture("kubelet/stats-summary-telegraf-old.json"),
                                           read_capture("kubelet/stats-summary-newrelic-old.json")};
  int accepted = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string body = bodies[static_cast<std::size_t>(i) % bodies.size()];
    for (auto left = 1 + random() % 8; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number()) continue;
    const auto expected = tree ? reference::summary(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 5000);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(follower.apply(batch_of(batch)), *expected) << body;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace flintgauge
