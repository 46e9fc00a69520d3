#include <gtest/gtest.h>

#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/pods_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_pods();
namespace {

std::unique_ptr<Decoder> decoder() {
  Discovery discovery;
  discovery.kubelet_url = "https://10.0.0.7:10250";
  const auto collector = make_kubelet_pods();
  return collector->make_decoder(collector->targets(discovery).at(0));
}

std::shared_ptr<const PodList> pods_of(const Result<Batch>& batch) {
  return std::get<std::shared_ptr<const PodList>>(batch.value());
}

const Pod& find(const PodList& list, std::string_view name) {
  const auto pod =
      std::find_if(list.pods.begin(), list.pods.end(), [&](const Pod& p) { return p.name == name; });
  if (pod == list.pods.end()) throw std::runtime_error("no pod " + std::string(name));
  return *pod;
}

TEST(KubeletPods, ReadsThePortThatSparkDeclares) {
  const auto one = [](const std::string& ports) {
    return pods_of(decode(*decoder(), R"({"items":[{"spec":{"containers":[{"ports":[)" + ports + "]}]}}]}"))
        ->pods.at(0)
        .spark_ui_port;
  };
  EXPECT_EQ(
      one(R"({"name":"driver-rpc-port","containerPort":7078},{"containerPort":4055,"name":"spark-ui"})"),
      4055);
  EXPECT_EQ(one(R"({"name":"spark-ui"},{"containerPort":4055})"), 0);
  EXPECT_EQ(one(R"({"name":"spark-ui","containerPort":65536})"), 0);
}

TEST(KubeletPods, MarksADriverInClientModeAndRemembersIt) {
  const std::string driver =
      R"({"metadata":{"namespace":"team-a","name":"notebook","uid":"u-1","labels":{}},"status":{"phase":"Running"}})";
  const std::string executor =
      R"({"metadata":{"namespace":"team-a","name":"x-exec-1","uid":"u-2","labels":{"spark-app-selector":"spark-9",)"
      R"("spark-role":"executor","spark-exec-id":"1"},"ownerReferences":[{"kind":"Pod","name":"notebook","uid":"u-1",)"
      R"("controller":true}]}})";
  const auto d = decoder();
  const auto list = [](const std::string& pods) { return R"({"items":[)" + pods + "]}"; };
  EXPECT_EQ(pods_of(decode(*d, list(driver)))->pods.at(0).client_app_id, "");
  EXPECT_EQ(pods_of(decode(*d, list(driver + "," + executor)))->pods.at(0).client_app_id, "spark-9");
  EXPECT_EQ(pods_of(decode(*d, list(driver)))->pods.at(0).client_app_id, "spark-9")
      << "idle, no executor left";
  EXPECT_EQ(pods_of(decode(*decoder(), list(driver)))->pods.at(0).client_app_id, "");
}

TEST(KubeletPods, OneTargetAtTheKubelet) {
  Discovery discovery;
  discovery.kubelet_url = "https://10.0.0.7:10250";
  discovery.kubelet_interval_ms = 15'000;
  const auto targets = make_kubelet_pods()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "kubelet_pods");
  EXPECT_EQ(targets[0].collector, "kubelet_pods");
  EXPECT_EQ(targets[0].url, "https://10.0.0.7:10250/pods");
  EXPECT_EQ(targets[0].expect, Expect::kJson);
  EXPECT_TRUE(targets[0].send_kubelet_token);
  EXPECT_TRUE(targets[0].skip_unchanged);
  EXPECT_EQ(targets[0].pace.interval_ms, 15'000);
}

TEST(KubeletPods, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture("pods", 20, decoder, [](const auto& tree, const auto& batch, const auto&) {
    EXPECT_EQ(reference::describe(*pods_of(batch)), reference::describe(reference::pod_list(tree).value()));
  });
}

TEST(KubeletPods, ReadsARealNode) {
  const auto list = pods_of(decode(*decoder(), read_capture("kubelet/real-v1.35.4/later-pods-1.json")));
  ASSERT_EQ(list->pods.size(), 12U);
  const Pod& driver = find(*list, "nightly-etl-driver");
  EXPECT_EQ(driver.namespace_name, "team-a");
  EXPECT_EQ(driver.label("spark-role"), "driver");
  EXPECT_EQ(driver.phase, Phase::kRunning);
  EXPECT_EQ(driver.ips, std::vector<std::string>{"10.213.0.10"});
  EXPECT_EQ(effective_limits(driver).cpu_millicores, 1000);
  EXPECT_EQ(effective_limits(driver).memory_bytes, 192 << 20);
  EXPECT_TRUE(find(*list, "node-helper").host_network);
  const Container& killed = find(*list, "notebook").containers.at(0);
  EXPECT_EQ(killed.restart_count, 5);
  EXPECT_EQ(killed.state, ContainerState::kWaiting);
  EXPECT_EQ(killed.waiting_reason, "CrashLoopBackOff");
  EXPECT_EQ(killed.last_terminated.value().reason, "OOMKilled");
  EXPECT_EQ(killed.last_terminated.value().exit_code, 137);
  EXPECT_EQ(killed.last_terminated.value().container_id.size(), 64U);
  const Pod& wish = find(*list, "two");  // asks for 3 cores more than the node has
  EXPECT_TRUE(wish.resize_infeasible);
  EXPECT_FALSE(wish.resize_deferred || wish.resize_in_progress || wish.resize_error);
  EXPECT_EQ(effective_requests(wish).cpu_millicores, 60);
  EXPECT_EQ(find(*list, "nightly-etl-exec-2").containers.at(0).actual_requests.value().cpu_millicores, 150);
  EXPECT_EQ(find(*list, "nightly-etl-exec-5").phase, Phase::kPending);
  const Pod& join = find(*list, "clickstream-join-exec-1");
  EXPECT_EQ(join.containers.size(), 2U);
  EXPECT_EQ(std::count_if(join.containers.begin(), join.containers.end(),
                          [](const Container& c) { return c.kind == ContainerKind::kSidecar; }),
            1);
}

TEST(KubeletPods, StatesOfAResize) {
  const auto list = pods_of(decode(*decoder(), R"({"items":[
    {"status":{"conditions":[{"type":"PodResizePending","status":"True","reason":"Deferred"},
                             {"type":"PodResizeInProgress","status":"True"}]}},
    {"status":{"conditions":[{"type":"PodResizeInProgress","status":"True","reason":"Error"},
                             {"type":"PodResizePending","status":"False","reason":"Deferred"}]}},
    {"status":{"resize":"Deferred"}},{"status":{"resize":"InProgress"}}]})"));
  ASSERT_EQ(list->pods.size(), 4U);
  EXPECT_TRUE(list->pods[0].resize_deferred && list->pods[0].resize_in_progress);
  EXPECT_TRUE(list->pods[1].resize_error);
  EXPECT_FALSE(list->pods[1].resize_in_progress || list->pods[1].resize_deferred);
  EXPECT_TRUE(list->pods[2].resize_deferred);
  EXPECT_TRUE(list->pods[3].resize_in_progress);
}

TEST(KubeletPods, EmptyListsAndNullAreLists) {
  for (const char* body :
       {"{\"items\":[]}", "{\"kind\":\"PodList\",\"items\":null}", "{\"items\":[null,5,\"x\"]}"}) {
    const auto batch = decode(*decoder(), body);
    ASSERT_TRUE(batch.has_value()) << body;
    EXPECT_TRUE(pods_of(batch)->pods.empty()) << body;
  }
}

TEST(KubeletPods, AnotherDocumentIsRefused) {
  for (const char* body : {"{}", "[]", "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":403}",
                           "{\"items\":5}", "{\"items\":{}}", "<html></html>", "{\"items\":[]}x"}) {
    const auto batch = decode(*decoder(), body);
    ASSERT_FALSE(batch.has_value()) << body;
    EXPECT_EQ(batch.error().reason, Reason::kJson) << body;
  }
  EXPECT_EQ(decode(*decoder(), "").error().reason, Reason::kTruncated);
  EXPECT_EQ(decode(*decoder(), "{\"items\":[{\"metadata\"").error().reason, Reason::kTruncated);
}

TEST(KubeletPods, ListsAreBounded) {
  std::string pods = "{\"items\":[{}";
  for (int i = 1; i < 10'000; ++i) pods += ",{}";
  EXPECT_EQ(pods_of(decode(*decoder(), pods + "]}"))->pods.size(), 10'000U);
  EXPECT_EQ(decode(*decoder(), pods + ",{}]}").error().reason, Reason::kLimit);
  std::string containers = "{\"items\":[{\"spec\":{\"containers\":[{}";
  for (int i = 0; i < 50'000; ++i) containers += ",{}";
  EXPECT_EQ(decode(*decoder(), containers + "]}}]}").error().reason, Reason::kLimit);
}

TEST(KubeletPods, AHugeBodyIsRefusedAndForgotten) {
  Target target;
  target.body_limit = 100;
  const auto d = make_kubelet_pods()->make_decoder(target);
  EXPECT_EQ(decode(*d, "{\"items\":[" + std::string(200, ' ') + "]}").error().reason, Reason::kTooLarge);
  EXPECT_EQ(decode(*d, "{\"items\":[" + std::string(89, ' ') + "]}").error().reason, Reason::kTooLarge);
  EXPECT_TRUE(decode(*d, "{\"items\":[" + std::string(88, ' ') + "]}").has_value());
}

TEST(KubeletPods, AFailedScrapeLeavesNoTrace) {
  const auto d = decoder();
  const std::string body = read_capture("kubelet/pods-otel-minimal.json");
  const std::string before = reference::describe(*pods_of(decode(*d, body)));
  EXPECT_FALSE(decode(*d, body.substr(0, body.size() / 2)).has_value());
  d->begin();
  EXPECT_TRUE(d->feed("{\"items\":").has_value());  // abandoned
  EXPECT_EQ(reference::describe(*pods_of(decode(*d, body))), before);
}

TEST(KubeletPods, LabelsThatComeTwiceCountOnce) {
  const auto d = decoder();
  const auto list =
      pods_of(decode(*d, "{\"items\":[{\"metadata\":{\"labels\":{\"b\":\"1\",\"a\":\"2\",\"b\":\"3\"}}}]}"));
  EXPECT_EQ(list->pods.at(0).labels.size(), 2U);
  EXPECT_EQ(list->pods.at(0).label("b"), "3");
  EXPECT_EQ(d->counts().kept, 2U);
  EXPECT_EQ(d->counts().duplicate, 1U);
}

TEST(KubeletPods, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(1);
  const auto d = decoder();
  const std::vector<std::string> bodies = {read_capture("kubelet/pods-newrelic-old.json"),
                                           read_capture("kubelet/real-v1.35.4/later-pods-1.json")};
  int accepted = 0;
  for (int i = 0; i < 1'000; ++i) {
    std::string body = bodies[static_cast<std::size_t>(i) % bodies.size()];
    for (auto left = 1 + random() % 6; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number() || (tree && has_repeats(*tree))) continue;
    const auto expected = tree ? reference::pod_list(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 5000);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(reference::describe(*pods_of(batch)), reference::describe(*expected)) << body;
  }
  EXPECT_GT(accepted, 200);
}

}  // namespace
}  // namespace flintgauge
