#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/evaluate_support.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

using testing::at;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::series_of;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kMinute = 60'000;
using Says = std::vector<std::pair<Measure, double>>;

Target pod_target(const std::string& namespace_name, const std::string& name, const Now& created) {
  Target target;
  target.key = "companion_page/" + namespace_name + "/" + name;
  target.app.namespace_name = namespace_name;
  target.pod_uid = name;
  target.pod_created = created.wall;
  return target;
}

struct Tools {
  explicit Tools(BudgetLimits limits = {}) : fold(make_tool_fold(limits, at(0))) {}

  FoldCounts tell(const Target& target, const Says& says, const Now& now) {
    std::vector<Route> routes;
    std::vector<Sample> samples;
    for (const auto& [measure, value] : says) {
      samples.push_back({static_cast<SeriesIndex>(routes.size()), value, kNoTimestamp});
      routes.emplace_back().measure = measure;
      routes.back().scope = Scope::kTool;
    }
    return fold->apply(target, SampleBatch{routes, {}, {}, samples}, now);
  }
  std::map<std::string, double> series(const Now& now) {
    fold->expire(now);
    fold->fill(block, now);
    return series_of(block);
  }

  std::unique_ptr<Fold> fold;
  Block block;
};

const std::string kBytes = "flintgauge_tool_kafka_received_bytes_total{namespace=\"a\",workload=\"kafka\"}";
const std::string kLag = "flintgauge_tool_kafka_consumer_lag_messages{namespace=\"a\",workload=\"kafka\"}";
const std::string kPods = "flintgauge_tool_pods{namespace=\"a\",workload=\"kafka\"}";

TEST(ToolFold, SaysNothingOfNothing) {
  Tools tools;
  EXPECT_THAT(tools.series(at(0)), IsEmpty());
  EXPECT_EQ(tools.tell(pod_target("a", "p", at(1)), {}, at(1'000)).folded, 0U);
  EXPECT_THAT(tools.series(at(1'000)), IsEmpty()) << "a page without a tool's numbers is no tool";
}

TEST(ToolFold, GaugesAddUpOverPodsAndNamespacesAreApart) {
  Tools tools;
  tools.tell(pod_target("a", "x", at(1)), {{Measure::kKafkaConsumerLag, 3}, {Measure::kKafkaConsumerLag, 4}},
             at(9));
  tools.tell(pod_target("a", "y", at(1)), {{Measure::kKafkaConsumerLag, 10}}, at(9));
  tools.tell(pod_target("b", "x", at(1)), {{Measure::kJupyterRunningServers, 5}}, at(9));
  EXPECT_THAT(tools.series(at(9)),
              UnorderedElementsAre(
                  Pair(kLag, 17), Pair(kPods, 2),
                  Pair("flintgauge_tool_jupyter_running_servers{namespace=\"b\",workload=\"jupyter\"}", 5),
                  Pair("flintgauge_tool_pods{namespace=\"b\",workload=\"jupyter\"}", 1)));
}

TEST(ToolFold, APodOlderThanTheAgentCountsFromItsFirstValueOn) {
  Tools tools;
  const Target old = pod_target("a", "old", at(-kMinute)), young = pod_target("a", "young", at(kMinute));
  tools.tell(old, {{Measure::kKafkaReceivedBytes, 1'000}}, at(2 * kMinute));
  EXPECT_THAT(tools.series(at(2 * kMinute)), Contains(Pair(kBytes, 0)));
  tools.tell(old, {{Measure::kKafkaReceivedBytes, 1'007}}, at(3 * kMinute));
  tools.tell(young, {{Measure::kKafkaReceivedBytes, 100}}, at(3 * kMinute));
  EXPECT_THAT(tools.series(at(3 * kMinute)), Contains(Pair(kBytes, 107)));
  const Target unknown_age = pod_target("a", "unknown", {});
  tools.tell(unknown_age, {{Measure::kKafkaReceivedBytes, 5'000}}, at(3 * kMinute));
  const Target seen_late = pod_target("a", "late", at(kMinute));
  tools.tell(seen_late, {{Measure::kKafkaReceivedBytes, 5'000}}, at(17 * kMinute));
  EXPECT_THAT(tools.series(at(17 * kMinute)), Contains(Pair(kBytes, 107)));
}

TEST(ToolFold, ACounterThatFallsHasStartedAgain) {
  Tools tools;
  const Target pod = pod_target("a", "p", at(1));
  tools.tell(pod, {{Measure::kKafkaReceivedBytes, 50}}, at(10'000));
  EXPECT_EQ(tools.tell(pod, {{Measure::kKafkaReceivedBytes, 20}}, at(20'000)).counter_resets, 1U);
  EXPECT_THAT(tools.series(at(20'000)), Contains(Pair(kBytes, 70)));
  tools.tell(pod, {}, at(30'000));
  tools.tell(pod, {{Measure::kKafkaReceivedBytes, 25}}, at(40'000));
  EXPECT_THAT(tools.series(at(40'000)), Contains(Pair(kBytes, 75))) << "a row that was away for a while";
  tools.tell(pod, {{Measure::kKafkaReceivedBytes, 25}, {Measure::kKafkaSentBytes, 6}}, at(50'000));
  EXPECT_THAT(tools.series(at(50'000)),
              Contains(Pair("flintgauge_tool_kafka_sent_bytes_total{namespace=\"a\",workload=\"kafka\"}", 6)))
      << "a counter that came after the page did began at 0 meanwhile";
}

TEST(ToolFold, StalePagesLoseTheirGaugesAndKeepTheirTotals) {
  Tools tools;
  const Target pod = pod_target("a", "p", at(1));
  tools.tell(pod, {{Measure::kKafkaReceivedBytes, 50}, {Measure::kKafkaConsumerLag, 3}}, at(10'000));
  tools.fold->drop(pod, at(100'000));
  EXPECT_THAT(tools.series(at(100'000)), UnorderedElementsAre(Pair(kBytes, 50)));
  tools.tell(pod, {{Measure::kKafkaReceivedBytes, 60}}, at(200'000));
  EXPECT_THAT(tools.series(at(200'000)), UnorderedElementsAre(Pair(kBytes, 60), Pair(kPods, 1)))
      << "what it counted before is not counted again";
  tools.fold->drop(pod, at(300'000));
  tools.fold->drop(pod_target("a", "nobody", at(1)), at(300'000));
  EXPECT_THAT(tools.series(at(300'000 + 15 * kMinute)), UnorderedElementsAre(Pair(kBytes, 60)));
  EXPECT_THAT(tools.series(at(300'001 + 15 * kMinute)), IsEmpty());
}

TEST(ToolFold, ALiveToolThatSaysNothingNewDoesNotEnd) {
  Tools tools;
  const Target pod = pod_target("a", "p", at(1));
  for (std::int64_t now = 0; now < 60 * kMinute; now += kMinute) {
    tools.tell(pod, {{Measure::kKafkaReceivedBytes, 5}}, at(now));
    EXPECT_THAT(tools.series(at(now)), Contains(Pair(kBytes, 5)));
  }
}

TEST(ToolFold, SpawnsHaveAStatus) {
  Tools tools;
  tools.tell(pod_target("a", "hub", at(1)),
             {{Measure::kJupyterSpawns, 3},
              {Measure::kJupyterSpawnsFailed, 1},
              {Measure::kJupyterSpawnsFailed, 1},
              {Measure::kJupyterSpawnSeconds, 7.5}},
             at(10'000));
  const std::string labels = "{namespace=\"a\",workload=\"jupyter\"";
  const auto series = tools.series(at(10'000));
  EXPECT_EQ(series.at("flintgauge_tool_jupyter_spawns_total" + labels + ",status=\"success\"}"), 3);
  EXPECT_EQ(series.at("flintgauge_tool_jupyter_spawns_total" + labels + ",status=\"failure\"}"), 2);
  EXPECT_EQ(series.at("flintgauge_tool_jupyter_spawn_seconds_total" + labels + "}"), 7.5);
}

TEST(ToolFold, AStandaloneClusterGoesByItsName) {
  Tools tools;
  Target master = pod_target("a", "m", at(1));
  master.workload = "kafka";
  tools.tell(master, {{Measure::kClusterWorkers, 3}, {Measure::kClusterUsedCores, 7}}, at(9));
  tools.tell(pod_target("a", "p", at(1)), {{Measure::kKafkaConsumerLag, 1}}, at(9));
  const std::string labels = "{namespace=\"a\",cluster=\"kafka\"}";
  EXPECT_THAT(tools.series(at(9)),
              UnorderedElementsAre(Pair("flintgauge_spark_cluster_workers" + labels, 3),
                                   Pair("flintgauge_spark_cluster_used_cores" + labels, 7), Pair(kLag, 1),
                                   Pair(kPods, 1)));
  tools.tell(master, {}, at(20));
  EXPECT_THAT(tools.series(at(20)), UnorderedElementsAre(Pair(kLag, 1), Pair(kPods, 1)))
      << "a master that has become a standby";
}

TEST(ToolFold, WorkersOfAClusterAreCountedAndAddedUp) {
  Tools tools;
  Target first = pod_target("a", "w1", at(1));
  Target second = pod_target("a", "w2", at(1));
  first.workload = second.workload = "shared";
  tools.tell(first, {{Measure::kWorkerExecutors, 2}, {Measure::kWorkerFreeCores, 1}}, at(9));
  tools.tell(second, {{Measure::kWorkerExecutors, 0}, {Measure::kWorkerFreeCores, 4}}, at(9));
  const std::string labels = "{namespace=\"a\",cluster=\"shared\"}";
  EXPECT_THAT(tools.series(at(9)),
              UnorderedElementsAre(Pair("flintgauge_spark_worker_pods" + labels, 2),
                                   Pair("flintgauge_spark_worker_executors" + labels, 2),
                                   Pair("flintgauge_spark_worker_free_cores" + labels, 5)));
  tools.fold->drop(second, at(10));
  EXPECT_THAT(tools.series(at(10)), Contains(Pair("flintgauge_spark_worker_pods" + labels, 1)));
}

TEST(ToolFold, APageThatStandsInForAnotherOfThePodIsNotAddedToIt) {
  Tools tools;
  Target worker = pod_target("a", "w", at(1));
  worker.workload = "shared";
  Target other = worker;
  other.key = "spark_cluster_page/a/w";
  const std::string cores = "flintgauge_spark_worker_free_cores{namespace=\"a\",cluster=\"shared\"}";
  tools.tell(worker, {{Measure::kWorkerFreeCores, 4}}, at(9));
  tools.tell(other, {{Measure::kWorkerFreeCores, 3}}, at(10));
  EXPECT_THAT(tools.series(at(10)), Contains(Pair(cores, 3)));
  tools.fold->drop(worker, at(11));
  EXPECT_THAT(tools.series(at(11)), Contains(Pair(cores, 3))) << "the one that was read last is still there";
  tools.fold->drop(other, at(12));
  EXPECT_THAT(tools.series(at(12)), IsEmpty());
}

TEST(ToolFold, NumbersThatCannotBeAreLeftOut) {
  Tools tools;
  const Target pod = pod_target("a", "p", at(1));
  const double huge = std::numeric_limits<double>::max();
  const FoldCounts counts = tools.tell(pod,
                                       {{Measure::kKafkaConsumerLag, -1},
                                        {Measure::kKafkaConsumerLag, 8},
                                        {Measure::kKafkaReceivedBytes, -5},
                                        {Measure::kKafkaSentBytes, huge},
                                        {Measure::kKafkaSentBytes, huge}},
                                       at(10'000));
  EXPECT_EQ(counts.impossible, 2U);
  EXPECT_EQ(counts.folded, 3U);
  const auto series = tools.series(at(10'000));
  EXPECT_THAT(series, Contains(Pair(kLag, 8)));
  EXPECT_FALSE(series.contains(kBytes));
  for (const auto& [name, value] : series) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST(ToolFold, ANamespaceOverItsBudgetHasNoSeriesAndIsCounted) {
  Tools tools(BudgetLimits{.app = 500, .namespace_ = 30, .node = 30});
  const Says kafka = {{Measure::kKafkaConsumerLag, 1}};
  EXPECT_EQ(tools.tell(pod_target("a", "p", at(1)), kafka, at(9)).left_out, 0U);
  const Target second = pod_target("b", "p", at(1));
  const FoldCounts refused = tools.tell(second, kafka, at(9));
  EXPECT_EQ(refused.left_out, 1U);
  EXPECT_EQ(refused.folded, 0U);
  EXPECT_THAT(tools.series(at(9)), UnorderedElementsAre(Pair(kLag, 1), Pair(kPods, 1)));
  // When the first has ended there is room.
  tools.fold->drop(pod_target("a", "p", at(1)), at(10));
  tools.tell(second, kafka, at(16 * kMinute));
  tools.series(at(16 * kMinute));
  EXPECT_EQ(tools.tell(second, kafka, at(17 * kMinute)).folded, 1U);
  EXPECT_EQ(tools.series(at(17 * kMinute)).size(), 2U);
}

TEST(ToolFold, PodsThatComeAndGoAreForgotten) {
  Tools tools;
  for (int i = 0; i < 3'000; ++i) {
    const Target pod = pod_target("a", std::to_string(i), at(i));
    tools.tell(pod, {{Measure::kKafkaReceivedBytes, 1}}, at(i));
    tools.fold->drop(pod, at(i));
  }
  EXPECT_THAT(tools.series(at(3'000)), Contains(Pair(kBytes, 2'999))) << "the first is as old as the agent";
}

TEST(ToolFold, TheSchemaIsMadeAnewOnlyWhenTheSetChanges) {
  Tools tools;
  const Target pod = pod_target("a", "p", at(1));
  tools.tell(pod, {{Measure::kKafkaConsumerLag, 1}}, at(9));
  tools.series(at(9));
  const auto schema = tools.block.schema;
  tools.tell(pod, {{Measure::kKafkaConsumerLag, 2}}, at(10));
  EXPECT_THAT(tools.series(at(10)), Contains(Pair(kLag, 2)));
  EXPECT_EQ(tools.block.schema, schema);
  tools.tell(pod, {{Measure::kKafkaConsumerLag, 2}, {Measure::kKafkaSentBytes, 0}}, at(11));
  tools.series(at(11));
  EXPECT_NE(tools.block.schema, schema);
}

// The slow twin knows every page that ever was and adds up from the beginning.
struct SlowPage {
  std::map<Measure, double> now, last;
  bool is_live = false, was_read = false;
};

TEST(ToolFold, AgreesWithASlowTwinOverRandomChanges) {
  std::mt19937 random(7);
  const auto any = [&](unsigned below) { return static_cast<double>(random() % below); };
  Tools tools;
  const std::vector<Measure> measures = {Measure::kKafkaReceivedBytes, Measure::kKafkaSentBytes,
                                         Measure::kKafkaConsumerLag};
  std::map<std::string, SlowPage> pages;
  std::map<Measure, double> totals;
  std::set<Measure> counted;
  const std::vector<std::string> names = {"p", "q", "r"};
  for (int step = 0; step < 2'000; ++step) {
    const Now now = at(1'000 + step * 100);
    const std::string& name = names[random() % 3];
    const Target target = pod_target("a", name, at(name == "p" ? -1'000 : 1'000));
    SlowPage& page = pages[name];
    if (random() % 5 == 0) {
      tools.fold->drop(target, now);
      page.is_live = false;
    } else {
      Says says;
      page.now.clear();
      for (const Measure measure : measures) {
        if (random() % 4 == 0) continue;
        const double before = page.last.contains(measure) ? page.last[measure] : 0;
        const double value = random() % 6 == 0 ? any(10) : before + any(100);
        says.emplace_back(measure, value);
        page.now[measure] = value;
        if (!is_counter(measure)) continue;
        counted.insert(measure);
        if (page.last.contains(measure)) {
          totals[measure] += value >= before ? value - before : value;
        } else if (page.was_read || name != "p") {
          totals[measure] += value;
        }
        page.last[measure] = value;
      }
      page.is_live = page.was_read = true;
      tools.tell(target, says, now);
    }
    std::map<std::string, double> want;
    if (counted.contains(Measure::kKafkaReceivedBytes)) want[kBytes] = totals[Measure::kKafkaReceivedBytes];
    if (counted.contains(Measure::kKafkaSentBytes))
      want["flintgauge_tool_kafka_sent_bytes_total{namespace=\"a\",workload=\"kafka\"}"] =
          totals[Measure::kKafkaSentBytes];
    for (const auto& [which, one] : pages) {
      if (!one.is_live || one.now.empty()) continue;
      want[kPods] += 1;
      const auto lag = one.now.find(Measure::kKafkaConsumerLag);
      if (lag != one.now.end()) want[kLag] += lag->second;
    }
    ASSERT_EQ(tools.series(now), want) << "step " << step;
  }
}

}  // namespace
}  // namespace flintgauge
