// What counts now: live containers with fresh rows, and what the pod list says.
#include <gtest/gtest.h>

#include <tuple>

#include "core/kubelet_fold_support.h"
#include "support/allocations.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr auto kWorkingSet = Measure::kMemoryWorkingSetBytes;
constexpr const char* kMemory = "memory_working_set_bytes";
constexpr const char* kMemoryMax = "memory_working_set_max_bytes";

Line start(const Pod& pod, const std::string& container, int instance, double at) {
  return row(pod, container, instance, Measure::kStartTimeSeconds, static_cast<double>(stamp(at)) / 1000);
}

Pod executor(std::string name, std::vector<Container> containers) {
  Pod pod = spark_pod(std::move(name), "s-1", "executor");
  pod.containers = std::move(containers);
  return pod;
}

TEST(KubeletGauges, SumAndLargestOverLiveContainers) {
  KubeletBench bench;
  const Pod a = executor("exec-1", {running("main", 1), running("side", 2)});
  const Pod b = executor("exec-2", {running("main", 3)});
  const Pod other = plain_pod("web");
  bench.pods({a, b, other}, 0);
  bench.scrape(bench.cadvisor,
               {row(a, "main", 1, kWorkingSet, 100, stamp(1)), row(a, "side", 2, kWorkingSet, 30, stamp(1)),
                row(b, "main", 3, kWorkingSet, 70, stamp(1)),
                row(b, "main", 3, Measure::kMemoryCacheBytes, 5, stamp(1))},
               1);
  EXPECT_EQ(bench.app(kMemory, 1), 200);
  EXPECT_EQ(bench.space(kMemory, 1), 200);
  EXPECT_EQ(bench.app(kMemoryMax, 1), 100);
  EXPECT_EQ(bench.space(kMemoryMax, 1), 100);
  EXPECT_EQ(bench.app("memory_cache_bytes", 1), 5);
  EXPECT_EQ(bench.app("memory_rss_bytes", 1), kAbsent);  // nobody has a row
  EXPECT_EQ(bench.space(kMemory, 1, R"(namespace="team-a",workload="other")"), kAbsent);
}

TEST(KubeletGauges, VanishWithTheirRow) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 100, stamp(1))}, 1);
  bench.scrape(bench.cadvisor, {}, 2);
  EXPECT_EQ(bench.app(kMemory, 2), kAbsent);
  EXPECT_EQ(bench.app(kMemoryMax, 2), kAbsent);
}

TEST(KubeletGauges, VanishWhenTheSampleIsOlderThanAMinute) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 1), running("side", 2)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kWorkingSet, 100, stamp(1)), row(pod, "side", 2, kWorkingSet, 7)}, 20);
  EXPECT_EQ(bench.app(kMemory, 61), 107);
  EXPECT_EQ(bench.app(kMemory, 62), 7);  // without a stamp it is as old as its scrape
  EXPECT_EQ(bench.app(kMemory, 81), kAbsent);
  EXPECT_EQ(bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 100, stamp(1))}, 90).stale, 1U);
}

TEST(KubeletGauges, OnlyOfRunningContainersOfRunningPods) {
  Container waiting = running("main", 1);
  waiting.state = ContainerState::kWaiting;
  Container terminated = running("main", 1);
  terminated.state = ContainerState::kTerminated;
  for (const Container& container : {waiting, terminated}) {
    KubeletBench bench;
    const Pod pod = executor("exec-1", {container});
    bench.pods({pod}, 0);
    EXPECT_EQ(bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 100, stamp(1))}, 1).not_live,
              1U);
    EXPECT_EQ(bench.app(kMemory, 1), kAbsent);
  }
  KubeletBench bench;
  Pod ended = executor("exec-1", {running("main", 1)});
  bench.pods({ended}, 0);
  ended.phase = Phase::kSucceeded;
  bench.pods({ended}, 1);
  EXPECT_EQ(bench.scrape(bench.cadvisor, {row(ended, "main", 1, kWorkingSet, 100, stamp(1))}, 1).not_live,
            1U);
  EXPECT_EQ(bench.app(kMemory, 1), kAbsent);
}

TEST(KubeletGauges, EndWithThePodListAndWithTheTarget) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 100, stamp(1))}, 1);
  bench.fold->drop(bench.pods_target, after(2));
  EXPECT_EQ(bench.app(kMemory, 2), kAbsent);
  EXPECT_EQ(bench.app("pods", 2, R"(namespace="team-a",app_id="s-1",role="executor",phase="Running")"),
            kAbsent);
  EXPECT_EQ(bench.block.pods, nullptr);
  bench.pods({pod}, 3);
  EXPECT_EQ(bench.app(kMemory, 3), 100);
  bench.fold->drop(bench.cadvisor.target, after(4));
  EXPECT_EQ(bench.app(kMemory, 4), kAbsent);
  EXPECT_EQ(bench.app("pods", 4, R"(namespace="team-a",app_id="s-1",role="executor",phase="Running")"), 1);
}

TEST(KubeletGauges, NewestOfTwoInstancesWins) {
  // What the list knows: nothing new yet, or the new instance.
  for (const int listed : {1, 2}) {
    for (const bool new_first : {false, true}) {
      KubeletBench bench;
      const Pod pod = executor("exec-1", {running("main", listed, listed == 1 ? -900 : 50)});
      bench.pods({pod}, 51);
      std::vector<Line> lines = {row(pod, "main", 1, kWorkingSet, 100, stamp(49)),
                                 start(pod, "main", 1, -900)};
      const std::vector<Line> young = {row(pod, "main", 2, kWorkingSet, 40, stamp(55)),
                                       start(pod, "main", 2, 50)};
      lines.insert(new_first ? lines.begin() : lines.end(), young.begin(), young.end());
      EXPECT_EQ(bench.scrape(bench.cadvisor, lines, 56).superseded, 1U);
      EXPECT_EQ(bench.app(kMemory, 56), 40) << listed << new_first;
    }
  }
}

TEST(KubeletGauges, OldInstanceAloneDoesNotStandForTheNewOne) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 2, 50)});
  bench.pods({pod}, 51);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kWorkingSet, 100, stamp(49)), start(pod, "main", 1, -900)}, 56);
  EXPECT_EQ(bench.app(kMemory, 56), kAbsent);
}

TEST(KubeletGauges, NewInstanceCountsBeforeTheListKnowsIt) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 2, kWorkingSet, 100, stamp(49)), start(pod, "main", 2, 45)},
               50);
  EXPECT_EQ(bench.app(kMemory, 50), 100);
  EXPECT_TRUE(bench.fold->wants_pods());
}

TEST(KubeletGauges, EphemeralStorageOfPods) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", {running("main", 1)});
  bench.pods({pod}, 0);
  Line entry = row(pod, "", -1, Measure::kEphemeralStorageBytes, 4096, stamp(1));
  entry.route.scope = Scope::kPod;
  entry.route.pod_uid = pod.uid;
  bench.scrape(bench.summary, {entry}, 1);
  EXPECT_EQ(bench.app("ephemeral_storage_usage_bytes", 100), 4096);
  EXPECT_EQ(bench.app("ephemeral_storage_usage_bytes", 200), kAbsent);
}

TEST(KubeletPods, PhasesAreCountedAndStayAtZero) {
  KubeletBench bench;
  Pod a = executor("exec-1", {});
  Pod b = executor("exec-2", {});
  b.phase = Phase::kPending;
  const auto phase = [&](const std::string& name) {
    return bench.app("pods", 1, R"(namespace="team-a",app_id="s-1",role="executor",phase=")" + name + "\"");
  };
  bench.pods({a, b}, 0);
  EXPECT_EQ(phase("Running"), 1);
  EXPECT_EQ(phase("Pending"), 1);
  EXPECT_EQ(phase("Failed"), kAbsent);
  b.phase = Phase::kRunning;
  bench.pods({a, b}, 1);
  EXPECT_EQ(phase("Running"), 2);
  EXPECT_EQ(phase("Pending"), 0);
  EXPECT_EQ(bench.block.pods->pods.size(), 2U);
}

TEST(KubeletPods, RequestsAndLimitsOfRunningPods) {
  KubeletBench bench;
  Pod a = executor("exec-1", {running("main", 1), running("side", 2)});
  a.containers[0].requests = {1001, 1000};
  a.containers[0].limits = {2000, std::nullopt};
  a.containers[1].requests = {1, 24};
  Pod pending = executor("exec-2", {running("main", 3)});
  pending.containers[0].requests = {5000, 5000};
  pending.phase = Phase::kPending;
  bench.pods({a, pending}, 0);
  EXPECT_EQ(bench.app("cpu_requests_cores", 0), 1.002);
  EXPECT_EQ(bench.app("memory_requests_bytes", 0), 1024);
  EXPECT_EQ(bench.app("cpu_limits_cores", 0), 2);
  EXPECT_EQ(bench.app("memory_limits_bytes", 0), kAbsent);
  EXPECT_EQ(bench.space("memory_requests_bytes", 0), 1024);
}

Container restarted(std::int64_t count, std::string last_id = "", std::string reason = "",
                    double finished = 0) {
  Container container = running("main", 1);
  container.restart_count = count;
  if (!last_id.empty())
    container.last_terminated =
        Termination{std::move(last_id), std::move(reason), 137, WallTime{stamp(finished)}};
  return container;
}

TEST(KubeletPods, RestartsCountFromWhatTheAgentFound) {
  KubeletBench bench;
  bench.pods({executor("exec-1", {restarted(5)})}, 0);
  EXPECT_EQ(bench.app("container_restarts_total", 0), 0);
  Pod young = executor("exec-2", {restarted(2)});
  young.created_at = WallTime{stamp(10)};
  bench.pods({executor("exec-1", {restarted(7)}), young}, 60);
  EXPECT_EQ(bench.app("container_restarts_total", 60), 4);
  bench.pods({}, 70);  // a kubelet that restarts may list nothing for a moment
  bench.pods({executor("exec-1", {restarted(7)}), young}, 80);
  EXPECT_EQ(bench.app("container_restarts_total", 80), 4);
  EXPECT_EQ(bench.space("container_restarts_total", 80), 4);
}

TEST(KubeletPods, OomKillsCountOnceAndOnlySinceTheAgentStarted) {
  KubeletBench bench;
  const std::string labels = R"(namespace="team-a",app_id="s-1",role="executor",scope="container")";
  const auto kills = [&] { return bench.app("oom_kills_total", 1, labels); };
  bench.pods({executor("exec-1", {restarted(1, "old", "OOMKilled", -50)})}, 0);
  EXPECT_EQ(kills(), 0);
  Container killed = restarted(1);
  killed.state = ContainerState::kTerminated;
  killed.terminated = Termination{"one", "OOMKilled", 137, WallTime{stamp(5)}};
  bench.pods({executor("exec-1", {killed})}, 6);
  EXPECT_EQ(kills(), 1);
  bench.pods({executor("exec-1", {restarted(2, "one", "OOMKilled", 5)})},
             20);  // the same, moved to lastState
  EXPECT_EQ(kills(), 1);
  bench.pods({executor("exec-1", {restarted(3, "two", "Error", 25)})}, 30);
  EXPECT_EQ(kills(), 1);
  bench.pods({executor("exec-1", {restarted(4, "three", "OOMKilled", 35)})}, 40);
  EXPECT_EQ(kills(), 2);
}

TEST(KubeletPods, ExecutorThatFailedBetweenTwoLooksIsCounted) {
  KubeletBench bench;
  Pod driver = spark_pod("driver", "s-1", "driver");
  bench.pods({driver}, 0);
  Pod failed = executor("exec-1", {restarted(0)});
  failed.created_at = WallTime{stamp(3)};
  failed.phase = Phase::kFailed;
  failed.containers[0].state = ContainerState::kTerminated;
  failed.containers[0].terminated = Termination{"one", "OOMKilled", 137, WallTime{stamp(7)}};
  bench.pods({driver, failed}, 10);
  EXPECT_EQ(bench.app("oom_kills_total", 10,
                      R"(namespace="team-a",app_id="s-1",role="executor",scope="container")"),
            1);
}

TEST(KubeletPods, EndedPodsBeginNoApplication) {
  KubeletBench bench;
  Pod ended = spark_pod("driver", "s-old", "driver");
  ended.phase = Phase::kSucceeded;
  bench.pods({ended}, 0);
  const auto all = bench.series(0);
  EXPECT_TRUE(
      all.contains(R"(flintgauge_namespace_pods{namespace="team-a",workload="spark",phase="Succeeded"})"));
  for (const auto& [name, value] : all) EXPECT_EQ(name.find("s-old"), std::string::npos) << name;
}

/// Names of a node like those that are met: drivers, executors with sidecars, others.
struct Node {
  std::vector<Pod> pods;
  std::vector<Line> lines(double at) const {
    std::vector<Line> out;
    for (std::size_t i = 0; i < pods.size(); ++i) {
      const auto number = static_cast<int>(10 * i);
      const double value = 1000.0 * static_cast<double>(i) + 3 * at;
      for (const Measure measure : {Measure::kCpuUsageSeconds, Measure::kCpuCfsPeriods, kWorkingSet,
                                    Measure::kMemoryRssBytes, Measure::kFsReadBytes})
        out.push_back(row(pods[i], "main", number, measure, value, stamp(at)));
      out.push_back(start(pods[i], "main", number, -900));
      for (const char* interface : {"eth0", "net1"})
        out.push_back(
            sandbox_row(pods[i], number + 1, Measure::kNetworkReceiveBytes, value, stamp(at), interface));
    }
    return out;
  }
};

Node some_node() {
  Node node;
  for (int i = 0; i < 40; ++i) {
    Pod pod = spark_pod("pod-with-a-long-name-" + std::to_string(i),
                        "spark-" + std::string(32, 'a') + std::to_string(i % 5),
                        i < 5 ? "driver" : "executor", "team-" + std::to_string(i % 3));
    pod.containers = {running("main", 10 * i)};
    pod.containers[0].requests = {500, 1 << 20};
    node.pods.push_back(std::move(pod));
  }
  return node;
}

TEST(KubeletSteadyState, AllocatesNothing) {
  KubeletBench bench;
  const Node node = some_node();
  bench.pods(node.pods, 0);
  for (double at = 1; at < 4; ++at) {
    bench.scrape(bench.cadvisor, node.lines(at), at);
    bench.fold->fill(bench.block, after(at));
  }
  const std::shared_ptr<const Schema> schema = bench.block.schema;
  for (double at = 10; at < 13; ++at) {
    const Batch batch(bench.cadvisor.scrape(node.lines(at)));
    const std::uint64_t before = allocations();
    bench.fold->apply(bench.cadvisor.target, batch, after(at));
    std::ignore = bench.fold->wants_pods();
    bench.fold->expire(after(at));
    bench.fold->fill(bench.block, after(at));
    EXPECT_EQ(allocations() - before, 0U);
    EXPECT_EQ(bench.block.schema, schema);
  }
  EXPECT_GT(schema->size(), 200U);
}

TEST(KubeletSteadyState, EverySampleIsAccountedFor) {
  KubeletBench bench;
  const Node node = some_node();
  bench.pods({node.pods.begin(), node.pods.begin() + 30}, 0);
  const std::vector<Line> lines = node.lines(1);
  const FoldCounts counts = bench.scrape(bench.cadvisor, lines, 1);
  EXPECT_EQ(counts.folded + counts.unmatched + counts.host_network + counts.superseded + counts.not_live +
                counts.stale + counts.unchanged + counts.impossible,
            lines.size());
  EXPECT_EQ(counts.unmatched, 10U * 7);  // all but the start times, which only serve
}

}  // namespace
}  // namespace flintgauge
