// When one page of the kubelet takes over from another, totals go on where they were.
#include <gtest/gtest.h>

#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr auto kCpu = Measure::kCpuUsageSeconds;
constexpr const char* kCpuTotal = "cpu_usage_seconds_total";

class KubeletHandover : public ::testing::Test {
 protected:
  KubeletHandover() {
    pod.containers = {running("main", 1)};
    bench.pods({pod}, 0);
  }
  void cadvisor(int instance, double cpu0, double cpu1, double at) {
    bench.scrape(bench.cadvisor,
                 {row(pod, "main", instance, kCpu, cpu0, stamp(at), "cpu00"),
                  row(pod, "main", instance, kCpu, cpu1, stamp(at), "cpu01"), start(instance)},
                 at);
  }
  void resource(double cpu, double at, double sampled_at = -1) {
    const double stamped = sampled_at < 0 ? at : sampled_at;
    bench.scrape(bench.resource, {row(pod, "main", -1, kCpu, cpu, stamp(stamped)), start(-1)}, at);
  }
  Line start(int instance) const {
    return row(pod, "main", instance, Measure::kStartTimeSeconds, static_cast<double>(stamp(started)) / 1000);
  }
  double total(double at) { return bench.app(kCpuTotal, at); }

  KubeletBench bench;
  Pod pod = spark_pod("exec-1", "s-1", "executor");
  double started = -900;
};

TEST_F(KubeletHandover, ThereAndBackWithoutLossOrRepetition) {
  cadvisor(1, 60, 40, 1);
  cadvisor(1, 61, 41, 11);
  EXPECT_EQ(total(11), 2);
  resource(110, 60);  // 102 was counted
  EXPECT_EQ(total(60), 10);
  resource(111, 70);
  EXPECT_EQ(total(70), 11);
  cadvisor(1, 70, 45, 80);
  EXPECT_EQ(total(80), 15);
  cadvisor(1, 71, 45, 90);
  EXPECT_EQ(total(90), 16);
  resource(118, 100);  // and again
  EXPECT_EQ(total(100), 18);
}

TEST_F(KubeletHandover, DroppingEitherSideChangesNothing) {
  cadvisor(1, 60, 40, 1);
  cadvisor(1, 61, 41, 11);
  resource(110, 60);
  bench.fold->drop(bench.cadvisor.target, after(72));
  resource(111, 75);
  EXPECT_EQ(total(75), 11);
  bench.fold->drop(bench.resource.target, after(140));
  cadvisor(1, 70, 45, 150);
  EXPECT_EQ(total(150), 15);
}

TEST_F(KubeletHandover, TheAgentMayBeginOnTheStandIn) {
  resource(110, 5);
  EXPECT_EQ(total(5), 0);
  cadvisor(1, 70, 45, 15);
  EXPECT_EQ(total(15), 5);
}

TEST_F(KubeletHandover, OlderDataTakeNothingOver) {
  cadvisor(1, 60, 40, 1);
  cadvisor(1, 70, 45, 30);
  resource(112, 35, 25);  // sampled before what has been counted
  resource(112, 36, 25);
  EXPECT_EQ(total(36), 15);
  resource(120, 45, 40);
  EXPECT_EQ(total(45), 20);
}

TEST_F(KubeletHandover, RestartMeanwhileCountsTheNewInstanceWhole) {
  cadvisor(1, 60, 40, 1);
  started = 20;
  pod.containers = {running("main", 2, 20)};
  bench.pods({pod}, 29);
  resource(150, 30);  // more than the old instance ever had
  EXPECT_EQ(total(30), 150);
  resource(155, 40);
  cadvisor(2, 150, 10, 50);
  EXPECT_EQ(total(50), 160);
}

TEST_F(KubeletHandover, RestartUnderTheStandInIsSeenByTheStartTime) {
  resource(100, 5);
  resource(101, 15);
  started = 20;  // the list does not know yet
  resource(150, 30);
  EXPECT_EQ(total(30), 151);
  pod.containers = {running("main", 2, 20)};
  bench.pods({pod}, 35);
  resource(151, 40);
  EXPECT_EQ(total(40), 152);
  cadvisor(2, 150, 3, 50);
  EXPECT_EQ(total(50), 154);
}

TEST_F(KubeletHandover, GaugesOfTheStandInWhileItStandsIn) {
  const auto memory = [&](int instance, double bytes, double at) {
    return row(pod, "main", instance, Measure::kMemoryWorkingSetBytes, bytes, stamp(at));
  };
  bench.scrape(bench.cadvisor,
               {memory(1, 1000, 1), row(pod, "main", 1, Measure::kMemoryRssBytes, 700, stamp(1))}, 1);
  bench.scrape(bench.resource, {memory(-1, 2000, 40)}, 40);
  EXPECT_EQ(bench.app("memory_working_set_bytes", 41), 2000);
  EXPECT_EQ(bench.app("memory_rss_bytes", 41), 700);  // still fresh
  EXPECT_EQ(bench.app("memory_rss_bytes", 62), kAbsent);
  bench.scrape(bench.cadvisor, {memory(1, 1500, 70)}, 70);
  EXPECT_EQ(bench.app("memory_working_set_bytes", 70), 1500);
  EXPECT_EQ(bench.app("memory_working_set_max_bytes", 70), 1500);
}

class KubeletNetwork : public ::testing::Test {
 protected:
  KubeletNetwork() {
    pod.containers = {running("main", 1)};
    bench.pods({pod}, 0);
  }
  /// What the summary says: no sandbox id.
  void summary(double bytes, double at) {
    Line entry = sandbox_row(pod, -1, Measure::kNetworkReceiveBytes, bytes, stamp(at));
    entry.route.pod_uid = pod.uid;
    bench.scrape(bench.summary, {entry}, at);
  }
  void cadvisor(double bytes, double at) {
    bench.scrape(bench.cadvisor, {sandbox_row(pod, 9, Measure::kNetworkReceiveBytes, bytes, stamp(at))}, at);
  }
  double total(double at) { return bench.app("network_receive_bytes_total", at); }

  KubeletBench bench;
  Pod pod = spark_pod("exec-1", "s-1", "executor");
};

TEST_F(KubeletNetwork, SummaryIsSilentWhileCadvisorHasRows) {
  cadvisor(100, 1);
  summary(500, 2);
  cadvisor(110, 11);
  summary(600, 62);
  EXPECT_EQ(total(62), 10);
}

TEST_F(KubeletNetwork, SummaryStandsInWhereCadvisorHasNone) {
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 1, stamp(1))}, 1);
  summary(500, 2);
  summary(530, 62);
  EXPECT_EQ(total(62), 30);
  cadvisor(540, 70);  // takes over
  EXPECT_EQ(total(70), 40);
  summary(560, 122);
  cadvisor(545, 123);
  EXPECT_EQ(total(123), 45);
  bench.scrape(bench.cadvisor, {}, 130);
  summary(570, 182);
  EXPECT_EQ(total(182), 70);
}

TEST_F(KubeletNetwork, SourcesThatAddUpDifferentThingsCountNothingTwice) {
  cadvisor(1500, 1);  // all interfaces
  cadvisor(1501, 11);
  bench.fold->drop(bench.cadvisor.target, after(80));
  summary(1000, 90);  // the default one
  summary(1005, 150);
  EXPECT_EQ(total(150), 6);
  cadvisor(1510, 160);
  EXPECT_EQ(total(160), 10);
  bench.fold->drop(bench.cadvisor.target, after(230));
  summary(1009, 240);
  EXPECT_EQ(total(240), 10);
  summary(1011, 300);
  EXPECT_EQ(total(300), 12);
}

TEST(KubeletNode, RootRowThenStandInThenSummary) {
  KubeletBench bench;
  const auto cpu = [](double value, double at) { return line(Scope::kNode, kCpu, value, stamp(at)); };
  const auto memory = [](double value, double at) {
    return line(Scope::kNode, Measure::kMemoryWorkingSetBytes, value, stamp(at));
  };
  const char* total = "flintgauge_node_cpu_usage_seconds_total";
  const char* working_set = "flintgauge_node_memory_working_set_bytes";
  EXPECT_EQ(bench.value(total, 0), kAbsent);
  bench.scrape(bench.summary, {cpu(1000, 1), memory(10, 1)}, 1);
  EXPECT_EQ(bench.value(total, 1), 0);
  EXPECT_EQ(bench.value(working_set, 1), 10);
  bench.scrape(bench.cadvisor,
               {cpu(1002, 2), memory(20, 2), line(Scope::kNode, Measure::kMachineCpuCores, 64)}, 2);
  bench.scrape(
      bench.summary,
      {cpu(1010, 61), memory(11, 61), line(Scope::kNode, Measure::kNodeFsAvailableBytes, 5, stamp(61))}, 61);
  bench.scrape(bench.cadvisor,
               {cpu(1011, 62), memory(21, 62), line(Scope::kNode, Measure::kMachineCpuCores, 64)}, 62);
  EXPECT_EQ(bench.value(total, 62), 11);
  EXPECT_EQ(bench.value(working_set, 62), 21);
  EXPECT_EQ(bench.value("flintgauge_node_cpu_capacity_cores", 62), 64);
  EXPECT_EQ(bench.value("flintgauge_node_fs_available_bytes", 130), 5);  // the summary is asked once a minute
}

}  // namespace
}  // namespace flintgauge
