// Increments of the kubelet's counters: baselines, resets, stamps, resolution.
#include <gtest/gtest.h>

#include <cmath>

#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr auto kCpu = Measure::kCpuUsageSeconds;
constexpr auto kStart = Measure::kStartTimeSeconds;
constexpr const char* kCpuTotal = "cpu_usage_seconds_total";
constexpr const char* kPressure = "pressure_seconds_total";

Pod executor_with(std::vector<Container> containers) {
  Pod pod = spark_pod("exec-1", "s-1", "executor");
  pod.containers = std::move(containers);
  return pod;
}

double seconds(double after_start) { return static_cast<double>(stamp(after_start)) / 1000; }

TEST(KubeletCounters, ContainerOlderThanTheAgentCountsFromItsFirstSample) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, stamp(1))}, 1);
  EXPECT_EQ(bench.app(kCpuTotal, 1), 0);
  EXPECT_EQ(bench.space(kCpuTotal, 1), 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 103.5, stamp(11))}, 11);
  EXPECT_EQ(bench.app(kCpuTotal, 11), 3.5);
  EXPECT_EQ(bench.space(kCpuTotal, 11), 3.5);
}

TEST(KubeletCounters, ContainerYoungerThanTheAgentCountsWhole) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1), running("side", 2)});
  bench.pods({pod}, 0);
  // "main" says so in the page, after the counter; "side" is known to be older.
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kCpu, 7, stamp(20)), row(pod, "side", 2, kCpu, 50, stamp(20)),
                row(pod, "main", 1, kStart, seconds(5))},
               21);
  EXPECT_EQ(bench.app(kCpuTotal, 21), 7);
}

TEST(KubeletCounters, StartTimeOfThePodListServesToo) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1, 5)});
  bench.pods({pod}, 10);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 7, stamp(20))}, 21);
  EXPECT_EQ(bench.app(kCpuTotal, 21), 7);
}

TEST(KubeletCounters, ImpossibleStartTimesAreNotBelieved) {
  KubeletBench bench;
  Pod pod = executor_with({running("main", 1), running("side", 2)});
  pod.containers[0].started_at = pod.containers[1].started_at = WallTime{0};
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kCpu, 7, stamp(20)), row(pod, "main", 1, kStart, -6.79e9),
                row(pod, "side", 2, kCpu, 7, stamp(20)), row(pod, "side", 2, kStart, 1e300)},
               21);
  EXPECT_EQ(bench.app(kCpuTotal, 21), 0);
}

TEST(KubeletCounters, RowsOfOneContainerHaveTheirOwnBaselines) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  const auto scrape = [&](double a, double b, double at) {
    bench.scrape(
        bench.cadvisor,
        {row(pod, "main", 1, kCpu, a, stamp(at), "cpu00"), row(pod, "main", 1, kCpu, b, stamp(at), "cpu01")},
        at);
  };
  scrape(10, 1000, 1);
  scrape(11, 1002, 2);
  EXPECT_EQ(bench.app(kCpuTotal, 2), 3);
  scrape(4, 1003, 3);  // the first one fell: 4 since its reset
  EXPECT_EQ(bench.app(kCpuTotal, 3), 8);
}

TEST(KubeletCounters, RowThatAppearsLaterFollowsTheRuleOfItsContainer) {
  for (const bool young : {false, true}) {
    KubeletBench bench;
    const Pod pod = executor_with({running("main", 1, young ? 1 : -100)});
    bench.pods({pod}, 2);
    const auto device = [&](const char* name, double value, double at) {
      return row(pod, "main", 1, Measure::kFsReadBytes, value, stamp(at), name);
    };
    bench.scrape(bench.cadvisor, {device("sda", 100, 3)}, 3);
    bench.scrape(bench.cadvisor, {device("sda", 101, 4), device("sdb", 40, 4)}, 4);
    EXPECT_EQ(bench.app("fs_read_bytes_total", 4), young ? 141 : 1);
  }
}

TEST(KubeletCounters, ResetAddsWhatTheCounterShows) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, stamp(1))}, 1);
  const FoldCounts counts = bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 2, stamp(2))}, 2);
  EXPECT_EQ(counts.counter_resets, 1U);
  EXPECT_EQ(bench.app(kCpuTotal, 2), 2);
}

TEST(KubeletCounters, SameOrOlderStampChangesNothingAndLosesNothing) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, stamp(5))}, 6);
  EXPECT_EQ(bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 101, stamp(5))}, 7).unchanged, 1U);
  EXPECT_EQ(bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 90, stamp(4))}, 8).unchanged, 1U);
  EXPECT_EQ(bench.app(kCpuTotal, 8), 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 104, stamp(9))}, 9);
  EXPECT_EQ(bench.app(kCpuTotal, 9), 4);
}

TEST(KubeletCounters, UnbelievableStampsAreIgnored) {
  for (const std::int64_t odd :
       {stamp(3) + std::int64_t{11} * 60'000, std::int64_t{86'400'000}, std::int64_t{-62135596800000}}) {
    KubeletBench bench;
    const Pod pod = executor_with({running("main", 1)});
    bench.pods({pod}, 0);
    bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, odd)}, 1);
    bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 101, odd)}, 2);  // equal, but no stamp to go by
    bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 103, stamp(3))}, 3);
    EXPECT_EQ(bench.app(kCpuTotal, 3), 3) << odd;
  }
}

TEST(KubeletCounters, ClockSetBackDoesNotStopTheTotals) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, stamp(1))}, 1);
  Now now = after(11);
  now.wall.ms -= 3'600'000;  // both the agent's and the kubelet's
  bench.fold->apply(bench.cadvisor.target,
                    Batch(bench.cadvisor.scrape({row(pod, "main", 1, kCpu, 105, now.wall.ms)})), now);
  EXPECT_EQ(bench.app(kCpuTotal, 12), 5);
}

TEST(KubeletCounters, RestartCountsBothInstances) {
  KubeletBench bench;
  Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 100, stamp(1))}, 1);
  pod.containers = {running("main", 2, 8)};
  bench.pods({pod}, 10);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kCpu, 104, stamp(7)), row(pod, "main", 2, kCpu, 1.5, stamp(10)),
                row(pod, "main", 2, kStart, seconds(8))},
               11);
  EXPECT_EQ(bench.app(kCpuTotal, 11), 5.5);
}

TEST(KubeletCounters, RowsThatComeBackAreNotCountedTwice) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1, 2)});  // younger than the agent
  bench.pods({pod}, 3);
  const auto device = [&](const char* name, double value, double at) {
    return row(pod, "main", 1, Measure::kFsReadBytes, value, stamp(at), name);
  };
  bench.scrape(bench.cadvisor, {device("sda", 100, 4), device("sdb", 10, 4)}, 4);
  EXPECT_EQ(bench.app("fs_read_bytes_total", 4), 110);
  bench.scrape(bench.cadvisor, {}, 5);
  bench.scrape(bench.cadvisor, {device("sda", 103, 6), device("sdb", 10, 6)}, 6);
  EXPECT_EQ(bench.app("fs_read_bytes_total", 6), 113);
  bench.scrape(bench.cadvisor, {device("sda", 104, 7)}, 7);
  bench.scrape(bench.cadvisor, {device("sda", 105, 8), device("sdb", 12, 8)}, 8);
  EXPECT_EQ(bench.app("fs_read_bytes_total", 8), 117);
}

TEST(KubeletCounters, TargetThatWasDroppedGoesOnWhereItWas) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1, 2)});
  bench.pods({pod}, 3);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 10, stamp(4))}, 4);
  bench.fold->drop(bench.cadvisor.target, after(80));
  EXPECT_EQ(bench.app(kCpuTotal, 80), 10);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 25, stamp(90))}, 90);  // same decoder, same series
  EXPECT_EQ(bench.app(kCpuTotal, 90), 25);
  FakePage anew("cadvisor");  // a new decoder numbers its series again
  bench.scrape(anew, {row(pod, "main", 1, kCpu, 27, stamp(100))}, 100);
  EXPECT_EQ(bench.app(kCpuTotal, 100), 27);
}

TEST(KubeletCounters, IntegersStayExact) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  const double large = std::ldexp(1.0, 52);
  for (int i = 0; i <= 1000; ++i) {
    bench.scrape(bench.cadvisor, {row(pod, "main", 1, Measure::kFsReadBytes, large + 3 * i, stamp(i))}, i);
  }
  EXPECT_EQ(bench.app("fs_read_bytes_total", 1000), 3000);
}

TEST(KubeletCounters, NegativeValueIsNoCounter) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  for (const double value : {10.0, -1.0, 12.0}) {
    static double at = 0;
    at += 1;
    const FoldCounts counts = bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, value, stamp(at))}, at);
    EXPECT_EQ(counts.impossible, value < 0 ? 1U : 0U);
    EXPECT_EQ(counts.unchanged, 0U);
  }
  EXPECT_EQ(bench.app(kCpuTotal, 4), 2);
}

TEST(KubeletCounters, EveryMeasureFeedsItsFamily) {
  struct Case {
    Measure measure;
    const char* family;
    const char* more = "";
  };
  const Case containers[] = {
      {kCpu, "cpu_usage_seconds_total"},
      {Measure::kCpuCfsPeriods, "cpu_cfs_periods_total"},
      {Measure::kCpuCfsThrottledPeriods, "cpu_cfs_throttled_periods_total"},
      {Measure::kCpuCfsThrottledSeconds, "cpu_throttled_seconds_total"},
      {Measure::kMemoryMajorPageFaults, "memory_major_page_faults_total"},
      {Measure::kOomEvents, "oom_kills_total", R"(,scope="process")"},
      {Measure::kFsReadBytes, "fs_read_bytes_total"},
      {Measure::kFsWrittenBytes, "fs_written_bytes_total"},
      {Measure::kPressureCpuWaitingSeconds, kPressure, R"(,resource="cpu",kind="waiting")"},
      {Measure::kPressureCpuStalledSeconds, kPressure, R"(,resource="cpu",kind="stalled")"},
      {Measure::kPressureMemoryWaitingSeconds, kPressure, R"(,resource="memory",kind="waiting")"},
      {Measure::kPressureMemoryStalledSeconds, kPressure, R"(,resource="memory",kind="stalled")"},
      {Measure::kPressureIoWaitingSeconds, kPressure, R"(,resource="io",kind="waiting")"},
      {Measure::kPressureIoStalledSeconds, kPressure, R"(,resource="io",kind="stalled")"},
  };
  const Case sandboxes[] = {
      {Measure::kNetworkReceiveBytes, "network_receive_bytes_total"},
      {Measure::kNetworkTransmitBytes, "network_transmit_bytes_total"},
      {Measure::kNetworkReceiveErrors, "network_errors_total", R"(,direction="receive")"},
      {Measure::kNetworkTransmitErrors, "network_errors_total", R"(,direction="transmit")"},
      {Measure::kNetworkReceiveDropped, "network_packets_dropped_total", R"(,direction="receive")"},
      {Measure::kNetworkTransmitDropped, "network_packets_dropped_total", R"(,direction="transmit")"},
  };
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  const auto scrape = [&](double factor, double at) {
    std::vector<Line> lines;
    double value = 1;
    for (const Case& entry : containers)
      lines.push_back(row(pod, "main", 1, entry.measure, factor * value++));
    for (const Case& entry : sandboxes) lines.push_back(sandbox_row(pod, 9, entry.measure, factor * value++));
    bench.scrape(bench.cadvisor, lines, at);
  };
  scrape(1, 1);
  scrape(2, 2);
  double value = 1;
  const auto expect = [&](const Case& entry) {
    const std::string app = R"(namespace="team-a",app_id="s-1",role="executor")";
    const std::string space = R"(namespace="team-a",workload="spark")";
    EXPECT_EQ(bench.app(entry.family, 2, app + entry.more), value) << entry.family;
    EXPECT_EQ(bench.space(entry.family, 2, space + entry.more), value) << entry.family;
    value += 1;
  };
  for (const Case& entry : containers) expect(entry);
  for (const Case& entry : sandboxes) expect(entry);
}

TEST(KubeletCounters, FamilyWithoutRowsIsAbsent) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 1, stamp(1))}, 1);
  EXPECT_EQ(bench.app("cpu_cfs_periods_total", 1), kAbsent);
  EXPECT_EQ(bench.app("network_receive_bytes_total", 1), kAbsent);
}

TEST(KubeletCounters, HostNetworkIsTheNodesTraffic) {
  KubeletBench bench;
  Pod pod = executor_with({running("main", 1)});
  pod.host_network = true;
  bench.pods({pod}, 0);
  for (const double at : {1.0, 2.0}) {
    const FoldCounts counts =
        bench.scrape(bench.cadvisor, {sandbox_row(pod, 9, Measure::kNetworkReceiveBytes, 100 * at)}, at);
    EXPECT_EQ(counts.host_network, 1U);
  }
  EXPECT_EQ(bench.app("network_receive_bytes_total", 2), kAbsent);
}

TEST(KubeletResolution, RowsWithoutNamesAreFoundByContainerId) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  const auto scrape = [&](double container, double sandbox, double at) {
    std::vector<Line> lines = {row(pod, "", 1, kCpu, container, stamp(at)),
                               row(pod, "", 9, kCpu, sandbox, stamp(at))};
    for (Line& entry : lines) entry.route.namespace_name = entry.route.pod = "";
    return bench.scrape(bench.cadvisor, lines, at);
  };
  scrape(10, 1, 1);
  const FoldCounts counts = scrape(12, 2, 2);
  EXPECT_EQ(bench.app(kCpuTotal, 2), 2);  // the sandbox, whose id the list does not have, is no container
  EXPECT_EQ(counts.unmatched, 1U);
}

TEST(KubeletResolution, RowsWithoutAnIdAreFoundByUid) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  for (const double at : {1.0, 3.0}) {
    Line entry = sandbox_row(pod, 9, Measure::kNetworkReceiveBytes, 10 * at, stamp(at));
    entry.route.namespace_name = entry.route.pod = "";
    bench.scrape(bench.cadvisor, {entry}, at);
  }
  EXPECT_EQ(bench.app("network_receive_bytes_total", 3), 20);
}

TEST(KubeletResolution, UnknownPodWaitsForTheListAndThenCountsWhole) {
  KubeletBench bench;
  const Pod old_pod = executor_with({running("main", 1)});
  Pod young = spark_pod("exec-2", "s-1", "executor");
  young.created_at = WallTime{stamp(3)};
  young.containers = {running("main", 2, 4)};
  bench.pods({old_pod}, 0);
  const auto scrape = [&](double value, double at) {
    return bench.scrape(
        bench.cadvisor,
        {row(young, "main", 2, kCpu, value, stamp(at)), row(young, "main", 2, kStart, seconds(4))}, at);
  };
  EXPECT_FALSE(bench.fold->wants_pods());
  EXPECT_EQ(scrape(5, 6).unmatched, 1U);
  EXPECT_TRUE(bench.fold->wants_pods());
  bench.pods({old_pod, young}, 7);
  EXPECT_FALSE(bench.fold->wants_pods());
  EXPECT_EQ(scrape(9, 16).unmatched, 0U);
  EXPECT_EQ(bench.app(kCpuTotal, 16), 9);
}

TEST(KubeletResolution, AskingForPodsEndsAfterThreeLists) {
  KubeletBench bench;
  const Pod known = executor_with({running("main", 1)});
  const Pod stranger = spark_pod("ghost", "s-9", "executor");
  bench.pods({known}, 0);
  for (const int list : {1, 2, 3}) {
    bench.scrape(bench.cadvisor, {row(stranger, "main", 5, kCpu, list)}, list);
    EXPECT_TRUE(bench.fold->wants_pods()) << list;
    bench.pods({known}, list);
  }
  EXPECT_FALSE(bench.fold->wants_pods());
}

TEST(KubeletResolution, RowsThatOutliveTheirPodStillCount) {
  KubeletBench bench;
  const Pod pod = executor_with({running("main", 1)});
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 10, stamp(1))}, 1);
  bench.pods({}, 10);
  const FoldCounts counts = bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 14, stamp(9))}, 11);
  EXPECT_EQ(counts.unmatched, 0U);
  EXPECT_EQ(bench.app(kCpuTotal, 11), 4);
}

TEST(KubeletResolution, NewPodOfTheSameNameIsAnotherPod) {
  KubeletBench bench;
  Pod first = spark_pod("kafka-0", "", "");
  first.labels = {{"app.kubernetes.io/name", "kafka"}};
  first.containers = {running("broker", 1)};
  bench.pods({first}, 0);
  bench.scrape(bench.cadvisor, {row(first, "broker", 1, kCpu, 100, stamp(1))}, 1);
  Pod second = first;
  second.uid = "uid-new";
  second.created_at = WallTime{stamp(5)};
  second.containers = {running("broker", 2, 6)};
  bench.pods({second}, 9);
  bench.scrape(bench.cadvisor,
               {row(first, "broker", 1, kCpu, 101, stamp(4)), row(second, "broker", 2, kCpu, 3, stamp(9)),
                row(second, "broker", 2, kStart, seconds(6))},
               10);
  EXPECT_EQ(bench.space(kCpuTotal, 10, R"(namespace="team-a",workload="kafka")"), 4);
}

}  // namespace
}  // namespace flintgauge
