// What a page tells only sometimes: pressure, swap, volume claims, resizes; and what it says of itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr auto kWorkingSet = Measure::kMemoryWorkingSetBytes;
constexpr const char* kPressure = "pressure_seconds_total";

Pod some_executor(std::string name = "exec-1", std::string app_id = "s-1") {
  Pod pod = spark_pod(std::move(name), std::move(app_id), "executor");
  pod.containers = {running("main", 1)};
  return pod;
}

TEST(KubeletPages, PressureThatIsZeroEverywhereIsAbsent) {
  const std::string labels =
      R"(namespace="team-a",app_id="s-1",role="executor",resource="memory",kind="stalled")";
  for (const double of_node : {0.0, 0.5}) {
    KubeletBench bench;
    const Pod pod = some_executor();
    bench.pods({pod}, 0);
    for (const double at : {1.0, 2.0}) {
      const FoldCounts counts =
          bench.scrape(bench.cadvisor,
                       {row(pod, "main", 1, Measure::kPressureMemoryStalledSeconds, 0, stamp(at)),
                        line(Scope::kNode, Measure::kPressureCpuWaitingSeconds, of_node, stamp(at))},
                       at);
      EXPECT_EQ(counts.folded, 2U);
      EXPECT_EQ(bench.app(kPressure, at, labels), of_node > 0 ? 0 : kAbsent);
    }
    EXPECT_FALSE(bench.series(2).contains("flintgauge_node_cpu_usage_seconds_total"));
  }
}

TEST(KubeletGauges, SwapIsToldOnceSomethingSwaps) {
  KubeletBench bench;
  const Pod pod = some_executor();
  bench.pods({pod}, 0);
  const auto swap = [&](double value, double at) {
    return bench.scrape(bench.cadvisor, {row(pod, "main", 1, Measure::kMemorySwapBytes, value, stamp(at))},
                        at);
  };
  EXPECT_EQ(swap(0, 1).folded, 1U);
  EXPECT_EQ(bench.app("swap_usage_bytes", 1), kAbsent);
  EXPECT_EQ(swap(18446744073709550000.0, 2).impossible, 1U);  // an underflow: no evidence either
  EXPECT_EQ(bench.app("swap_usage_bytes", 2), kAbsent);
  swap(4096, 3);
  EXPECT_EQ(bench.app("swap_usage_bytes", 3), 4096);
  EXPECT_EQ(bench.space("swap_usage_bytes", 3), 4096);
  swap(18446744073709550000.0, 4);
  EXPECT_EQ(bench.app("swap_usage_bytes", 4), kAbsent);
  swap(0, 5);
  EXPECT_EQ(bench.app("swap_usage_bytes", 5), 0);
}

TEST(KubeletGauges, SwapOfTheNodeIsEvidenceToo) {
  KubeletBench bench;
  const Pod pod = some_executor();
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, Measure::kMemorySwapBytes, 0, stamp(1)),
                line(Scope::kNode, Measure::kMemorySwapBytes, 1, stamp(1))},
               1);
  EXPECT_EQ(bench.app("swap_usage_bytes", 1), 0);
}

TEST(KubeletPods, ResizesByState) {
  KubeletBench bench;
  std::vector<Pod> pods;
  for (int i = 0; i < 5; ++i) pods.push_back(spark_pod("exec-" + std::to_string(i), "s-1", "executor"));
  pods[0].resize_deferred = pods[1].resize_deferred = pods[1].resize_in_progress = true;
  pods[2].resize_infeasible = true;
  pods[3].resize_error = true;
  pods[4].resize_error = true;
  pods[4].phase = Phase::kFailed;
  bench.pods(pods, 0);
  const std::string app = R"(namespace="team-a",app_id="s-1",role="executor",state=)";
  EXPECT_EQ(bench.app("pods_resizing", 0, app + R"("deferred")"), 2);
  EXPECT_EQ(bench.app("pods_resizing", 0, app + R"("in_progress")"), 1);
  EXPECT_EQ(bench.app("pods_resizing", 0, app + R"("infeasible")"), 1);
  EXPECT_EQ(bench.app("pods_resizing", 0, app + R"("error")"), 1);
  EXPECT_EQ(bench.space("pods_resizing", 0, R"(namespace="team-a",workload="spark",state="deferred")"), 2);
  bench.pods({pods[4]}, 1);
  EXPECT_EQ(bench.app("pods_resizing", 1, app + R"("deferred")"), 0);
}

TEST(KubeletPages, SayHowOldTheirSamplesAre) {
  const std::string age = R"(flintgauge_target_sample_age_seconds{source="kubelet",target="cadvisor"})";
  KubeletBench bench;
  const Pod pod = some_executor();
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, Measure::kMemoryRssBytes, 1, stamp(1))}, 30);
  EXPECT_EQ(bench.value(age, 30), kAbsent);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 1, stamp(10))}, 100);
  EXPECT_EQ(bench.value(age, 100), 90);  // too old to count, and that is what it is for
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 1, stamp(105))}, 110);
  EXPECT_EQ(bench.value(age, 115), 5);
}

TEST(KubeletPages, SayWhereNumbersComeFrom) {
  const auto info = [](const char* network, const char* provider) {
    return std::string("flintgauge_kubelet_info{network_source=\"") + network + "\",metrics_provider=\"" +
           provider + "\"}";
  };
  KubeletBench bench;
  const Pod pod = some_executor();
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kWorkingSet, 1, stamp(1))}, 1);
  EXPECT_EQ(bench.value(info("none", "cadvisor"), 1), 1);
  Line summary = sandbox_row(pod, -1, Measure::kNetworkReceiveBytes, 5, stamp(2));
  bench.scrape(bench.summary, {summary}, 2);
  EXPECT_EQ(bench.value(info("summary", "cadvisor"), 2), 1);
  bench.scrape(bench.cadvisor,
               {row(pod, "main", 1, kWorkingSet, 1, stamp(3)),
                sandbox_row(pod, 9, Measure::kNetworkReceiveBytes, 5, stamp(3))},
               3);
  EXPECT_EQ(bench.value(info("cadvisor", "cadvisor"), 3), 1);

  KubeletBench fed_by_runtime;
  Line bare = row(pod, "main", 1, kWorkingSet, 1, stamp(1));
  bare.route.pod_uid.clear();
  fed_by_runtime.scrape(fed_by_runtime.cadvisor, {bare}, 1);
  EXPECT_EQ(fed_by_runtime.value(info("none", "cri"), 1), 1);
}

TEST(KubeletPages, SayWhenTheyAreIncomplete) {
  const std::string cadvisor = R"(flintgauge_target_incomplete{source="kubelet",target="cadvisor"})";
  const std::string resource = R"(flintgauge_target_incomplete{source="kubelet",target="kubelet_resource"})";
  KubeletBench bench;
  const auto error = [](double value, std::string which) {
    Line out = line(Scope::kNode, Measure::kScrapeError, value);
    out.series = std::move(which);
    return out;
  };
  bench.scrape(bench.cadvisor, {}, 1);
  EXPECT_EQ(bench.value(cadvisor, 1), kAbsent);  // it does not say
  bench.scrape(bench.cadvisor, {error(0, "container"), error(0, "machine")}, 2);
  EXPECT_EQ(bench.value(cadvisor, 2), 0);
  EXPECT_EQ(bench.scrape(bench.cadvisor, {error(1, "container"), error(0, "machine")}, 3).folded, 2U);
  bench.scrape(bench.resource, {error(0, "")}, 3);
  EXPECT_EQ(bench.value(cadvisor, 3), 1);
  EXPECT_EQ(bench.value(resource, 3), 0);
  bench.scrape(bench.cadvisor, {error(0, "container"), error(0, "machine")}, 4);
  EXPECT_EQ(bench.value(cadvisor, 4), 0);
  bench.fold->drop(bench.cadvisor.target, after(5));
  EXPECT_EQ(bench.value(cadvisor, 5), kAbsent);
  EXPECT_EQ(bench.value(resource, 5), 0);
}

Line claim_row(const Pod& pod, const std::string& claim, Measure measure, double value, double at) {
  Line out = row(pod, claim, -1, measure, value, stamp(at));
  out.route.scope = Scope::kVolume;
  out.route.pod_uid = pod.uid;
  return out;
}

std::string used_of(const std::string& app_id, const std::string& claim) {
  return "flintgauge_app_volume_usage_bytes{namespace=\"team-a\",app_id=\"" + app_id +
         "\",role=\"executor\",persistentvolumeclaim=\"" + claim + "\"}";
}

TEST(KubeletVolumes, AClaimIsToldOnceHoweverManyPodsMountIt) {
  KubeletBench bench;
  const Pod a = some_executor();
  const Pod b = some_executor("exec-2");
  bench.pods({a, b}, 0);
  constexpr auto kUsed = Measure::kVolumeUsageBytes;
  const FoldCounts counts = bench.scrape(
      bench.summary,
      {claim_row(a, "data", kUsed, 100, 1), claim_row(a, "data", Measure::kVolumeCapacityBytes, 1000, 1),
       claim_row(b, "data", kUsed, 101, 1), claim_row(b, "scratch", kUsed, 7, 1)},
      1);
  EXPECT_EQ(counts.folded, 4U);
  auto all = bench.series(1);
  EXPECT_EQ(all.at(used_of("s-1", "data")), 101);
  EXPECT_EQ(all.at(used_of("s-1", "scratch")), 7);
  EXPECT_EQ(
      all.at(
          R"(flintgauge_namespace_volume_capacity_bytes{namespace="team-a",workload="spark",persistentvolumeclaim="data"})"),
      1000);
  bench.scrape(bench.summary, {claim_row(b, "scratch", kUsed, 8, 2)}, 2);
  all = bench.series(2);
  EXPECT_FALSE(all.contains(used_of("s-1", "data")));
  EXPECT_EQ(all.at(used_of("s-1", "scratch")), 8);
  EXPECT_TRUE(std::ranges::none_of(bench.series(2 + 60 * 4), [](const auto& series) {
    return series.first.find("volume") != std::string::npos;
  }));
}

TEST(KubeletVolumes, ManyClaimsOfOneApplicationAreSummed) {
  KubeletBench bench;
  const Pod loud = some_executor();
  const Pod quiet = some_executor("exec-2", "s-2");
  bench.pods({loud, quiet}, 0);
  std::vector<Line> lines = {claim_row(quiet, "q", Measure::kVolumeUsageBytes, 5, 1)};
  for (int i = 0; i < 100; ++i)
    lines.push_back(claim_row(loud, "claim-" + std::to_string(i), Measure::kVolumeUsageBytes, 1000, 1));
  for (const double at : {1.0, 2.0}) {
    bench.scrape(bench.summary, lines, at);
    const auto all = bench.series(at);
    EXPECT_EQ(all.at(used_of("s-1", "claim-0")), 1000);
    EXPECT_EQ(all.at(used_of("s-1", "__overflow__")), 84'000);
    EXPECT_EQ(all.at(used_of("s-2", "q")), 5);
    ASSERT_EQ(bench.block.refused.size(), 1U);
    EXPECT_EQ(bench.block.refused[0].times, 84 + 85);  // of the application, and of its namespace with q
  }
  bench.scrape(bench.summary, {}, 3);
  EXPECT_FALSE(bench.series(3).contains(used_of("s-1", "__overflow__")));
}

TEST(KubeletVolumes, WhatClaimsCostIsGivenBack) {
  KubeletBench bench(BudgetLimits{.app = 500, .namespace_ = 2 * 41 + 4, .node = 20'000});
  const Pod pod = some_executor();
  bench.pods({pod}, 0);
  for (int i = 0; i < 10; ++i) {  // room for one claim in each of the two groups
    const std::string claim = "claim-" + std::to_string(i);
    bench.scrape(bench.summary, {claim_row(pod, claim, Measure::kVolumeUsageBytes, i, i)}, i);
    EXPECT_EQ(bench.value(used_of("s-1", claim), i), i) << i;
    bench.scrape(bench.summary, {}, i);
    bench.series(i);
  }
}

}  // namespace
}  // namespace flintgauge
