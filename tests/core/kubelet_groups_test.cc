// How long groups live, and what a tenant's excess costs whom.
#include <gtest/gtest.h>

#include "agent/core/series_budget.h"
#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr double kTtl = 15 * 60;
constexpr auto kCpu = Measure::kCpuUsageSeconds;

Pod executor(std::string name, std::string app_id, std::string namespace_name, int number) {
  Pod pod = spark_pod(std::move(name), std::move(app_id), "executor", std::move(namespace_name));
  pod.containers = {running("main", number)};
  return pod;
}

std::string cpu_of(const std::string& namespace_name, const std::string& app_id) {
  return "flintgauge_app_cpu_usage_seconds_total{namespace=\"" + namespace_name + "\",app_id=\"" + app_id +
         "\",role=\"executor\"}";
}

TEST(KubeletGroups, TotalsOutliveTheirMembersForFifteenMinutes) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", "s-1", "team-a", 1);
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 1)}, 1);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 5)}, 2);
  for (double at = 10; at < 3 * kTtl; at += 100)
    bench.fold->expire(after(at));  // an unchanged list is not told again
  EXPECT_EQ(bench.value(cpu_of("team-a", "s-1"), 3 * kTtl), 4);

  bench.pods({}, 3 * kTtl);
  bench.scrape(bench.cadvisor, {}, 3 * kTtl);
  bench.fold->expire(after(4 * kTtl - 1));
  EXPECT_EQ(bench.value(cpu_of("team-a", "s-1"), 4 * kTtl - 1), 4);
  bench.fold->expire(after(4 * kTtl + 100));
  EXPECT_TRUE(bench.series(4 * kTtl + 100).empty());
}

TEST(KubeletGroups, APodThatEndedDoesNotKeepItsApplication) {
  KubeletBench bench;
  Pod pod = executor("exec-1", "s-1", "team-a", 1);
  bench.pods({pod}, 0);
  pod.phase = Phase::kSucceeded;
  bench.pods({pod}, 10);
  EXPECT_NE(bench.value("flintgauge_app_container_restarts_total"
                        R"({namespace="team-a",app_id="s-1",role="executor"})",
                        10),
            kAbsent);
  bench.fold->expire(after(kTtl + 100));
  bench.pods({pod}, kTtl + 101);
  const auto all = bench.series(kTtl + 101);
  for (const auto& [name, value] : all) EXPECT_EQ(name.find("s-1"), std::string::npos) << name;
  EXPECT_EQ(all.at(R"(flintgauge_namespace_pods{namespace="team-a",workload="spark",phase="Succeeded"})"), 1);
}

TEST(KubeletGroups, AGroupThatComesBackBeginsAtZero) {
  KubeletBench bench;
  const Pod pod = executor("exec-1", "s-1", "team-a", 1);
  bench.pods({pod}, 0);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 1)}, 1);
  bench.scrape(bench.cadvisor, {row(pod, "main", 1, kCpu, 5)}, 2);
  bench.pods({}, 3);
  bench.scrape(bench.cadvisor, {}, 3);
  bench.fold->expire(after(kTtl + 100));
  const Pod again = executor("exec-2", "s-1", "team-a", 2);
  bench.pods({again}, kTtl + 200);
  bench.scrape(bench.cadvisor, {row(again, "main", 2, kCpu, 100)}, kTtl + 201);
  bench.scrape(bench.cadvisor, {row(again, "main", 2, kCpu, 101)}, kTtl + 202);
  EXPECT_EQ(bench.value(cpu_of("team-a", "s-1"), kTtl + 202), 1);
}

TEST(KubeletBudget, ExcessGoesToTheTenantsOwnOverflow) {
  KubeletBench bench(
      BudgetLimits{.app = 500, .namespace_ = 130, .node = 20'000});  // one group of its own and two more
  std::vector<Pod> pods;
  for (int i = 0; i < 10; ++i)
    pods.push_back(executor("exec-" + std::to_string(i), "s-" + std::to_string(i), "loud", i));
  pods.push_back(executor("exec", "s-q", "quiet", 77));
  bench.pods(pods, 0);
  for (const double at : {1.0, 2.0}) {
    std::vector<Line> lines;
    for (std::size_t i = 0; i < pods.size(); ++i)
      lines.push_back(row(pods[i], "main", i == 10 ? 77 : static_cast<int>(i), kCpu, at * 10));
    bench.scrape(bench.cadvisor, lines, at);
  }
  const auto all = bench.series(2);
  EXPECT_EQ(all.at(cpu_of("loud", "s-0")), 10);
  EXPECT_EQ(all.at(cpu_of("loud", "s-1")), 10);
  EXPECT_FALSE(all.contains(cpu_of("loud", "s-2")));
  EXPECT_EQ(all.at(cpu_of("loud", "__overflow__")), 80);
  EXPECT_EQ(
      all.at(
          R"(flintgauge_app_pods{namespace="loud",app_id="__overflow__",role="executor",phase="Running"})"),
      8);
  EXPECT_EQ(all.at(R"(flintgauge_namespace_cpu_usage_seconds_total{namespace="loud",workload="spark"})"),
            100);
  ASSERT_EQ(bench.block.refused.size(), 1U);  // not the quiet one
  EXPECT_EQ(bench.block.refused[0].namespace_name, "loud");
  EXPECT_EQ(bench.block.refused[0].times, 8);
  EXPECT_EQ(all.at(cpu_of("quiet", "s-q")), 10);
}

TEST(KubeletBudget, OverflowLastsAsLongAsThoseInIt) {
  KubeletBench bench(BudgetLimits{.app = 500, .namespace_ = 90, .node = 20'000});
  const Pod first = executor("exec-1", "s-1", "loud", 1);
  const Pod second = executor("exec-2", "s-2", "loud", 2);
  bench.pods({first, second}, 0);
  bench.pods({second}, 10);
  bench.fold->expire(after(kTtl + 100));
  const auto all = bench.series(kTtl + 100);
  EXPECT_FALSE(
      all.contains(R"(flintgauge_app_pods{namespace="loud",app_id="s-1",role="executor",phase="Running"})"));
  EXPECT_EQ(
      all.at(
          R"(flintgauge_app_pods{namespace="loud",app_id="__overflow__",role="executor",phase="Running"})"),
      1);
  bench.pods({}, kTtl + 110);
  bench.fold->expire(after(3 * kTtl));
  bench.fold->expire(after(3 * kTtl));  // the overflow ends after those it stands for
  EXPECT_TRUE(bench.series(3 * kTtl).empty());
}

TEST(KubeletBudget, ChurnOfApplicationsIsBounded) {
  KubeletBench bench(BudgetLimits{.app = 500, .namespace_ = 250, .node = 20'000});
  for (int i = 0; i < 500; ++i) {
    bench.pods({executor("exec-" + std::to_string(i), "s-" + std::to_string(i), "loud", i)}, i);
    bench.fold->expire(after(i));
    EXPECT_LE(bench.series(i).size(), 250U);
  }
}

TEST(SeriesBudgetTest, LimitsOfAppNamespaceAndNode) {
  SeriesBudget budget(BudgetLimits{.app = 10, .namespace_ = 25, .node = 40});
  EXPECT_TRUE(budget.admit("a", "x", 10));
  EXPECT_FALSE(budget.admit("a", "x", 1));
  EXPECT_TRUE(budget.admit("a", "y", 10));
  EXPECT_FALSE(budget.admit("a", "z", 6));
  EXPECT_TRUE(budget.admit("b", "x", 10));
  EXPECT_TRUE(budget.admit("b", "y", 10));
  EXPECT_FALSE(budget.admit("b", "z", 1));
  EXPECT_EQ(budget.namespaces().at("a").refused, 2);
  EXPECT_EQ(budget.namespaces().at("b").refused, 1);
  budget.release("a", "x", 10);
  EXPECT_TRUE(budget.admit("b", "z", 5));
  budget.release("a", "y", 10);
  EXPECT_FALSE(budget.namespaces().contains("a"));
}

}  // namespace
}  // namespace flintgauge
