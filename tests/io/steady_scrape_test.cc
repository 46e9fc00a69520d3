// A steady scrape of the kubelet allocates nothing: from the socket to the published block, with the real
// collectors and the real fold, while every value moves and no series comes or goes. libcurl and OpenSSL use
// malloc, which is not counted: what counts is operator new, that is us.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/io/source.h"
#include "support/allocations.h"
#include "support/fake_http.h"
#include "support/wait_until.h"

namespace flintgauge {
namespace {

using testing::FakeConnection;
using testing::FakeHttp;
using testing::FakeRequest;

constexpr int kPods = 60;
constexpr int kRounds = 20;

std::string hex_id(int number) {
  std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), 'a') + digits;
}

std::string pod_name(int number) { return "exec-" + std::to_string(number); }

std::string pods_body() {
  std::string body = R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)";
  for (int i = 0; i < kPods; ++i) {
    const std::string uid = "00000000-0000-0000-0000-" + std::to_string(100'000'000'000 + i);
    if (i > 0) body += ',';
    body += R"({"metadata":{"name":")" + pod_name(i) + R"(","namespace":"team","uid":")" + uid +
            R"(","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"spark-role":"executor",)" +
            R"("spark-app-selector":"spark-)" + std::to_string(i % 5) + R"(","spark-exec-id":")" +
            std::to_string(i) +
            R"("}},"spec":{"nodeName":"node-1","containers":[{"name":"main","resources":)" +
            R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}}]},)" +
            R"("status":{"phase":"Running","podIP":"10.0.0.)" + std::to_string(i) +
            R"(","containerStatuses":[{"name":"main","containerID":"containerd://)" + hex_id(i) +
            R"(","restartCount":0,"state":{"running":{"startedAt":"2026-01-01T00:00:01Z"}}}]}})";
  }
  return body + "]}";
}

void append_family(std::string& page, const std::string& name, const std::string& more, int round) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  page += "# HELP " + name + " Words.\n# TYPE " + name + " counter\n";
  for (int i = 0; i < kPods; ++i) {
    page += name + "{container=\"main\"," + more + "id=\"/kubepods/pod" + std::to_string(i) + "/" +
            hex_id(i) + "\",image=\"spark:4\",name=\"" + hex_id(i) + "\",namespace=\"team\",pod=\"" +
            pod_name(i) + "\"} " + std::to_string(1000 * (i + 1) + 7 * round) + ".25 " +
            std::to_string(now_ms) + "\n";
  }
}

std::string cadvisor_body(int round) {
  std::string page;
  append_family(page, "container_cpu_usage_seconds_total", "cpu=\"total\",", round);
  append_family(page, "container_last_seen", "", round);  // skipped
  append_family(page, "container_memory_rss", "", round);
  append_family(page, "container_memory_working_set_bytes", "", round);
  return page;
}

/// Every time and number moves; names are long enough to need room of their own.
std::string summary_body(int round) {
  const std::string time = R"("time":"2026-01-01T00:00:)" + std::to_string(10 + round % 50) + R"(Z")";
  std::string body = R"({"node":{"nodeName":"node-1","cpu":{)" + time + R"(,"usageCoreNanoSeconds":)" +
                     std::to_string(1'000'000'000'000 + round) + "}},\"pods\":[";
  for (int i = 0; i < kPods; ++i) {
    if (i > 0) body += ',';
    body += R"({"podRef":{"name":")" + pod_name(i) + R"(","namespace":"team","uid":)" +
            R"("00000000-0000-0000-0000-)" + std::to_string(100'000'000'000 + i) + R"("},"network":{)" +
            time + R"(,"name":"eth0","rxBytes":)" + std::to_string(1000 * i + round) +
            R"(,"txBytes":5,"interfaces":[{"name":"eth0","rxBytes":1}]},"ephemeral-storage":{)" + time +
            R"(,"usedBytes":)" + std::to_string(4096 * (i + round)) + "}}";
  }
  return body + "]}";
}

TEST(SteadyScrape, AllocatesNothingFromTheTenthRoundOn) {
  std::atomic<int> round{0};
  FakeHttp server([&round, pods = pods_body()](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/pods") return (void)out.respond(pods, "application/json");
    if (request.path == "/metrics/cadvisor") return (void)out.respond(cadvisor_body(round++));
    if (request.path == "/stats/summary") return (void)out.respond(summary_body(round), "application/json");
    out.respond_status(404, "");
  });
  Source::Collectors collectors;
  for (auto& collector : make_collectors()) {  // the others have a pace of their own
    const std::string_view name = collector->name();
    if (name == "kubelet_pods" || name == "cadvisor" || name == "kubelet_summary")
      collectors.push_back(std::move(collector));
  }
  ASSERT_EQ(collectors.size(), 3U);
  SourceSettings settings;
  settings.discovery.kubelet_url = server.url("");
  settings.discovery.kubelet_interval_ms = 30;
  settings.discovery.summary_interval_ms = 30;
  settings.body_limit = 64U << 20U;
  settings.node_name = "node-1";
  settings.requests.missing_type_ok = true;
  Store store;
  SelfMetrics metrics({"1", "2", "3"});
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Now started{{0}, {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()}};
  std::array<std::uint64_t, kRounds> count{};  // operator new so far, at the end of each round
  std::atomic<std::size_t> rounds{0};
  Source source(settings, collectors, make_kubelet_fold({}, started), store, metrics, [&] {
    if (rounds < kRounds) count.at(rounds) = testing::allocations();  // runs in the source's thread
    ++rounds;
  });
  source.start();
  ASSERT_TRUE(testing::wait_until([&] { return rounds >= kRounds; }));
  source.stop();
  EXPECT_GT(count[0], 1'000U) << "the counter counts";
  for (std::size_t i = 10; i < kRounds; ++i) EXPECT_EQ(count[i] - count[i - 1], 0U) << "round " << i;

  // It did work meanwhile: all samples were folded and the totals moved.
  const View view = store.read();
  const Block& block = *view.block(Shard::kKubelet);
  ASSERT_TRUE(block.targets.at(0).up && block.targets.at(1).up && block.targets.at(2).up);
  EXPECT_EQ(block.targets.at(1).counts.kept, 3U * kPods);
  EXPECT_EQ(block.targets.at(1).counts.skipped, 1U * kPods);
  EXPECT_EQ(block.targets.at(2).target->collector, "kubelet_summary");
  EXPECT_GT(block.targets.at(2).counts.kept, 4U * kPods);
  const auto [first, last] = block.schema->range(family("flintgauge_app_cpu_usage_seconds_total"));
  ASSERT_EQ(last - first, 5U);
  EXPECT_GT(block.values[first],
            7.0 * (kRounds - 3) * kPods / 5);  // the last rounds may not be published yet
}

}  // namespace
}  // namespace flintgauge
