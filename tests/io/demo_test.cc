#include "agent/io/demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "agent/io/demo_node.h"
#include "agent/io/http_server.h"
#include "flintgauge/collector.h"
#include "support/raw_http.h"

namespace flintgauge {
namespace {

using demo::DemoNode;
using testing::HasSubstr;

constexpr Now kStart{.steady = {5'000'000}, .wall = {1'800'000'000'000}};

Now later(std::int64_t ms) { return {.steady = {kStart.steady.ms + ms}, .wall = {kStart.wall.ms + ms}}; }

std::vector<std::string> addresses() {
  std::vector<std::string> ips;
  for (std::size_t i = 0; i < demo::app_count(); ++i) ips.push_back("127.64.0." + std::to_string(i + 1));
  return ips;
}

const demo::SparkApp& find_app(const DemoNode& node, std::string_view name) {
  return *std::find_if(node.apps().begin(), node.apps().end(),
                       [&](const demo::SparkApp& app) { return app.profile().name == name; });
}

TEST(DemoNode, SameTimesGiveTheSameBytes) {
  DemoNode one(addresses(), kStart), two(addresses(), kStart);
  for (std::int64_t ms = 0; ms < 60'000; ms += 100) one.advance_to(later(ms));
  two.advance_to(later(59'900));
  EXPECT_EQ(demo::cadvisor_page(one), demo::cadvisor_page(two));
  EXPECT_EQ(demo::pods_page(one), demo::pods_page(two));
  EXPECT_EQ(demo::summary_page(one), demo::summary_page(two));
  for (std::size_t i = 0; i < demo::app_count(); ++i)
    EXPECT_EQ(demo::stages_list(one.apps()[i], ""), demo::stages_list(two.apps()[i], ""));
}

TEST(DemoNode, TasksAddUpAndNoCounterFalls) {
  DemoNode node(addresses(), kStart);
  std::map<std::string, double> cpu, completed;
  for (std::int64_t ms = 0; ms < 600'000; ms += 1'000) {
    node.advance_to(later(ms));
    for (const demo::DemoPod* pod : node.pods()) {
      double& before = cpu[pod->uid];
      EXPECT_GE(pod->cpu_seconds, before) << pod->name;
      before = pod->cpu_seconds;
      EXPECT_LE(pod->working_set_bytes, pod->memory_limit_bytes) << pod->name;
    }
    for (const demo::SparkApp& app : node.apps()) {
      double tasks = 0;
      std::int64_t active = 0, running = 0;
      for (const demo::Stage& stage : app.stages()) {
        EXPECT_LE(stage.facts.tasks_active + stage.facts.tasks_complete, stage.facts.tasks);
        tasks += static_cast<double>(stage.facts.tasks_complete);
        active += stage.facts.tasks_active;
      }
      for (const demo::Executor& executor : app.executors()) {
        EXPECT_EQ(executor.facts.active_tasks, static_cast<std::int64_t>(executor.running.size()));
        EXPECT_LE(executor.facts.active_tasks, executor.facts.max_tasks);
        running += executor.facts.active_tasks;
      }
      EXPECT_EQ(active, running) << app.profile().name;
      EXPECT_GE(tasks, completed[app.app_id()]) << app.profile().name;
      completed[app.app_id()] = tasks;
    }
  }
  EXPECT_GT(completed[find_app(node, "nightly-etl").app_id()], 1'000);
}

TEST(DemoNode, ApplicationsBehaveAsTheirRolesSay) {
  DemoNode node(addresses(), kStart);
  std::size_t killed = 0, tail_seconds = 0;
  for (std::int64_t ms = 0; ms < 180'000; ms += 1'000) {
    node.advance_to(later(ms));
    const demo::SparkApp& small = find_app(node, "feature-backfill");
    EXPECT_GE(small.needed_executors(), 1) << "work is always waiting";
    const auto& executors = find_app(node, "nightly-etl").executors();
    killed = std::max(killed, static_cast<std::size_t>(std::count_if(
                                  executors.begin(), executors.end(), [](const demo::Executor& executor) {
                                    return executor.pod.end_reason == "OOMKilled";
                                  })));
    const demo::SparkApp& skewed = find_app(node, "clickstream-join");
    const SparkStage& stage = skewed.stages().back().facts;
    if (stage.tasks_active == 1 && stage.tasks_complete == stage.tasks - 1) ++tail_seconds;
  }
  EXPECT_GE(killed, 1U);
  EXPECT_GE(tail_seconds, 60U) << "one long task keeps everybody waiting";
  const demo::SparkApp& idle = find_app(node, "notebook-adhoc");
  EXPECT_EQ(idle.active_jobs(), 0);
  EXPECT_EQ(idle.executors().size(), 3U);
}

TEST(DemoNode, LongSleepIsLeftOut) {
  DemoNode node(addresses(), kStart);
  node.advance_to(later(std::int64_t{30} * 86'400'000));
  EXPECT_EQ(node.now().ms, later(std::int64_t{30} * 86'400'000).wall.ms);
  EXPECT_LT(find_app(node, "nightly-etl").driver().cpu_seconds, 1'000);
}

/// What an agent does with the demo, one time, by hand: every target that the collectors find is asked over
/// HTTP and its answer decoded.
class DemoServers : public testing::Test {
 protected:
  void SetUp() override {
    config_ = demo_config();
    auto started = Demo::start(config_);
    ASSERT_TRUE(started) << started.error().message;
    demo_ = std::move(*started);
    discovery_.kubelet_url = config_.kubelet.url;
    discovery_.allow_loopback = true;
  }
  static std::string fetch(const std::string& url) {
    const std::string rest = url.substr(std::string_view("http://").size());
    const std::size_t slash = rest.find('/');
    return test::get(rest.substr(0, slash), rest.substr(slash));
  }
  /// Decodes the answer of one target; keeps pods for the discovery.
  void ask(const Collector& collector, const Target& target) {
    SCOPED_TRACE(target.url);
    const std::string answer = fetch(target.url);
    ASSERT_EQ(test::status_of(answer), 200);
    const std::unique_ptr<Decoder> decoder = collector.make_decoder(target);
    decoder->begin();
    const Status fed = decoder->feed(test::body_of(answer));
    ASSERT_TRUE(fed) << fed.error().message;
    const Result<Batch> batch = decoder->finish();
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(decoder->counts().bad, 0U);
    EXPECT_EQ(decoder->counts().duplicate, 0U);
    if (const auto* pods = std::get_if<std::shared_ptr<const PodList>>(&*batch)) discovery_.pods = *pods;
    ++asked_;
  }

  Config config_;
  std::unique_ptr<Demo> demo_;
  Discovery discovery_;
  std::size_t asked_ = 0;
};

TEST_F(DemoServers, EveryCollectorReadsThem) {
  const auto collectors = make_collectors();
  for (const SourceKind source : {SourceKind::kKubelet, SourceKind::kSpark}) {
    for (const auto& collector : collectors) {
      if (collector->source() != source) continue;
      if (collector->name() == "spark_jmx" || collector->name() == "spark_streaming" ||
          collector->name() == "spark_connect")
        continue;  // it has none
      const std::vector<Target> targets = collector->targets(discovery_);
      const std::size_t expected = source == SourceKind::kSpark ? demo::app_count() : 1;
      EXPECT_GE(targets.size(), expected) << collector->name();
      EXPECT_EQ(targets.size() % expected, 0U)
          << collector->name() << ": the same endpoints of every application";
      for (const Target& target : targets) {
        if (target.fallback_of.empty()) ask(*collector, target);
      }
    }
    ASSERT_NE(discovery_.pods, nullptr);
  }
  EXPECT_GE(asked_, 2 + demo::app_count());
}

TEST_F(DemoServers, ASecondDemoFindsOtherAddresses) {
  Config config = demo_config();
  const auto second = Demo::start(config);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(config.kubelet.url, config_.kubelet.url);
  const std::string mine = "\"podIP\":\"127.64.";
  const std::string pods = fetch(config_.kubelet.url + "/pods"), others = fetch(config.kubelet.url + "/pods");
  ASSERT_NE(pods.find(mine), std::string::npos);
  ASSERT_NE(others.find(mine), std::string::npos);
  EXPECT_NE(pods.substr(pods.find(mine), mine.size() + 4), others.substr(others.find(mine), mine.size() + 4));
}

TEST(DemoAddress, NextFreePortOrTheOneAskedFor) {
  Config config = demo_config();
  ASSERT_TRUE(choose_demo_address("", config));
  const auto server = HttpServer::start({.listen_address = config.web.listen_address},
                                        [](const HttpRequest&) { return HttpResponse{}; });
  ASSERT_TRUE(server) << server.error().message;
  Config other = demo_config();
  ASSERT_TRUE(choose_demo_address("", other));
  EXPECT_NE(other.web.listen_address, config.web.listen_address);
  ASSERT_TRUE(choose_demo_address("127.0.0.1:0", other));
  EXPECT_EQ(other.web.listen_address, "127.0.0.1:0");
  EXPECT_THAT(choose_demo_address("nowhere", other).error().message, HasSubstr("--listen nowhere: "));
}

}  // namespace
}  // namespace flintgauge
