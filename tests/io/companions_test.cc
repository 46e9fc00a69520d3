// Companions whole: the real collector and fold in a source, against servers of tenants that behave and of
// one that does not.
#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/source_support.h"

namespace flintgauge {
namespace {

/// "name value" lines, each with another name or another label.
std::string many(const std::string& before, const std::string& after, int count) {
  std::string page;
  for (int i = 0; i < count; ++i) page += before + std::to_string(i) + after;
  return page;
}

class CompanionsTest : public SourceTest {
 protected:
  CompanionsTest() {
    settings_.kind = SourceKind::kCompanions;
    settings_.discovery.allow_loopback = true;
    settings_.discovery.companions_interval_ms = 100;
    settings_.requests.addresses = AddressRule::kPodsAndLoopback;
    settings_.requests.missing_type_ok = true;
    settings_.max_targets_per_namespace = 10;
    for (auto& collector : make_collectors()) {
      if (collector->source() == SourceKind::kCompanions) collectors_.push_back(std::move(collector));
    }
  }

  /// A pod of its own server.
  void add_pod(const std::string& namespace_name, const std::string& name, FakeHttp::Handler handler) {
    servers_.push_back(std::make_unique<FakeHttp>(std::move(handler)));
    Pod pod;
    pod.namespace_name = namespace_name;
    pod.name = pod.uid = name;
    pod.phase = Phase::kRunning;
    pod.ips = {"127.0.0.1"};
    pod.host_ip = "192.0.2.1";
    pod.annotations = {{"prometheus.io/port", std::to_string(servers_.back()->port())},
                       {"prometheus.io/scrape", "true"}};
    pods_.push_back(std::move(pod));
  }
  void add_page(const std::string& namespace_name, const std::string& name, std::string page) {
    add_pod(namespace_name, name,
            [page = std::move(page)](FakeConnection& out, const FakeRequest&) { out.respond(page); });
  }

  void start_source() {
    Block& block = store_.writable(Shard::kKubelet);
    block.schema = SchemaBuilder().build().schema;
    block.pods = std::make_shared<const PodList>(PodList{pods_});
    store_.publish(Shard::kKubelet);
    settings_.body_limit = 1U << 20U;
    settings_.node_name = "node-1";
    source_ = std::make_unique<Source>(settings_, collectors_,
                                       make_tool_fold(BudgetLimits{}, Now{SteadyTime{0}, WallTime{0}}),
                                       store_, metrics_, [this] { ++published_; });
    source_->start();
  }

  std::map<std::string, double> series_of_namespace(const std::string& name) {
    const View view = store_.read();
    const Block* const block = view.block(Shard::kCompanions);
    std::map<std::string, double> out;
    if (block == nullptr) return out;
    for (std::size_t i = 0; i < block->schema->size(); ++i) {
      if (block->schema->labels(i)[0] != name) continue;
      out[std::string(block->schema->prefix(i))] = block->values[i];
    }
    return out;
  }
  std::map<std::string, TargetState> states() {
    const View view = store_.read();
    std::map<std::string, TargetState> out;
    if (const Block* const block = view.block(Shard::kCompanions)) {
      for (const TargetState& state : block->targets) out[state.target->key] = state;
    }
    return out;
  }
  bool all_asked(std::size_t count) {
    const auto all = states();
    return all.size() == count &&
           std::ranges::all_of(all, [](const auto& entry) { return entry.second.asked; });
  }

  std::vector<Pod> pods_;
  std::vector<std::unique_ptr<FakeHttp>> servers_;
};

TEST_F(CompanionsTest, ATenantThatMisbehavesHurtsOnlyItself) {
  add_page("good", "broker-0",
           "kafka_server_brokertopicmetrics_bytesin_total 7\nkafka_consumergroup_lag 5\n");
  add_page("good", "hub-0", "jupyterhub_running_servers 3\n");
  add_page("bad", "names", many("name_", " 1\n", 50'000));
  add_page("bad", "values", many("kafka_consumergroup_lag{topic=\"", "\"} 1\n", 20'000));
  add_page("bad", "liar", "kafka_consumergroup_lag{namespace=\"good\",workload=\"kafka\"} 1e308\n");
  add_page("bad", "nonsense", std::string(10'000, '{') + "\n\"\n\xff\n");
  add_pod("bad", "html", [](FakeConnection& out, const FakeRequest&) { out.respond("<html>", "text/html"); });
  add_pod("bad", "endless", [](FakeConnection& out, const FakeRequest&) {
    out.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
    while (out.send("jupyterhub_running_servers 4\n")) {
    }
  });
  add_pod("bad", "elsewhere", [](FakeConnection& out, const FakeRequest&) {
    out.respond_status(302, "", "Location: http://169.254.169.254/\r\n");
  });
  start_source();
  ASSERT_TRUE(eventually([&] { return all_asked(9); }));

  const std::string kafka = "{namespace=\"good\",workload=\"kafka\"} ";
  const std::string jupyter = "{namespace=\"good\",workload=\"jupyter\"} ";
  const std::map<std::string, double> want = {{"flintgauge_tool_kafka_received_bytes_total" + kafka, 0},
                                              {"flintgauge_tool_kafka_consumer_lag_messages" + kafka, 5},
                                              {"flintgauge_tool_pods" + kafka, 1},
                                              {"flintgauge_tool_jupyter_running_servers" + jupyter, 3},
                                              {"flintgauge_tool_pods" + jupyter, 1}};
  EXPECT_EQ(series_of_namespace("good"), want);
  const std::string own = "{namespace=\"bad\",workload=\"kafka\"} ";
  const std::map<std::string, double> of_liar = {{"flintgauge_tool_kafka_consumer_lag_messages" + own, 1e308},
                                                 {"flintgauge_tool_pods" + own, 1}};
  EXPECT_EQ(series_of_namespace("bad"), of_liar);

  const auto reason = [all = states()](const std::string& name) {
    const TargetState& state = all.at("companion_page/bad/" + name);
    return state.up ? "up" : std::string(to_string(state.last_reason));
  };
  EXPECT_EQ(reason("names"), "up") << "names that nobody wants are passed over";
  EXPECT_EQ(reason("values"), to_string(Reason::kLimit));
  EXPECT_EQ(reason("nonsense"), to_string(Reason::kParse));
  EXPECT_EQ(reason("html"), to_string(Reason::kContentType));
  EXPECT_EQ(reason("endless"), to_string(Reason::kTooLarge));
  EXPECT_EQ(reason("elsewhere"), to_string(Reason::kRedirect));
  EXPECT_GE(metric("flintgauge_scrape_errors_total{source=\"companions\",endpoint=\"companion_page\","
                   "reason=\"limit\"}"),
            1);
}

TEST_F(CompanionsTest, ANamespaceHasALimitOfTargets) {
  for (int i = 0; i < 13; ++i) add_page("loud", "p" + std::to_string(i), "jupyterhub_running_servers 1\n");
  add_page("quiet", "p", "jupyterhub_running_servers 1\n");
  start_source();
  ASSERT_TRUE(eventually([&] { return all_asked(11); }));
  EXPECT_EQ(metric("flintgauge_targets_dropped_total{reason=\"limit\"}"), 3);
  EXPECT_EQ(series_of_namespace("quiet").size(), 2U);
  const std::string loud = "{namespace=\"loud\",workload=\"jupyter\"} ";
  EXPECT_EQ(series_of_namespace("loud").at("flintgauge_tool_jupyter_running_servers" + loud), 10);
}

}  // namespace
}  // namespace flintgauge
