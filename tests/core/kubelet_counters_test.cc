#include <gtest/gtest.h>

#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr auto kCpu = Measure::kCpuUsageSeconds;
constexpr const char* kCpuTotal = "cpu_usage_seconds_total";

Pod executor_with(std::vector<Container> containers) {
  Pod pod = spark_pod("exec-1", "s-1", "executor");
  pod.containers = std::move(containers);
  return pod;
}

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
                row(pod, "main", 1, Measure::kStartTimeSeconds, static_cast<double>(stamp(5)) / 1000)},
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

}  // namespace
}  // namespace flintgauge
