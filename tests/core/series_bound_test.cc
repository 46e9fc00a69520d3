// series.node bounds the whole agent: what all three blocks show together, however many applications come.
#include <gtest/gtest.h>

#include "agent/core/app_admission.h"
#include "core/evaluate_support.h"
#include "core/kubelet_fold_support.h"
#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using testing::after;
using testing::Bench;
using testing::FakeDriver;

/// The folds with their shares, their blocks, and the evaluator.
class Agent {
 public:
  explicit Agent(const BudgetLimits& limits) : limits_(limits) {
    bench_.evaluator = std::make_unique<Evaluator>(EvaluateSettings{}, limits, after(0));
  }

  void pods(std::vector<Pod> list) {
    for (Pod& pod : list) std::ranges::sort(pod.labels);
    const auto shared = std::make_shared<const PodList>(PodList{std::move(list)});
    kubelet_->apply(Target{}, Batch(shared), after(1));
  }
  void driver(const FakeDriver& driver) {
    spark_->apply(driver.rest, Batch(SparkExecutors{true, {testing::executor("1", 10, 1)}}), after(1));
    spark_->apply(driver.stages,
                  Batch(SparkStages{true, {testing::stage(1, StageStatus::kActive, 9, 1, 3, 30)}}), after(1));
  }
  /// Series of all blocks.
  std::size_t series() {
    std::size_t count = 0;
    for (const auto& [fold, shard] :
         {std::pair(kubelet_.get(), Shard::kKubelet), std::pair(spark_.get(), Shard::kSpark)}) {
      Block& block = bench_.store.writable(shard);
      fold->fill(block, after(2));
      count += block.values.size();
      bench_.store.publish(shard);
    }
    bench_.evaluate(after(2));
    return count + bench_.series.size();
  }
  const std::map<std::string, double>& derived() const { return bench_.series; }

 private:
  BudgetLimits limits_;
  BudgetShares shares_ = shares_of(limits_);
  std::unique_ptr<Fold> kubelet_ = make_kubelet_fold(shares_.kubelet, after(0));
  std::unique_ptr<Fold> spark_ = make_spark_fold(shares_.spark, after(0));
  Bench bench_;
};

std::string id_of(int app) { return "spark-" + std::to_string(app); }

TEST(SeriesBound, OfTheNodeHoldsOverAllBlocks) {
  for (const std::size_t limit : {2'000U, 4'000U}) {
    Agent agent({.app = 500, .namespace_ = 4'000, .node = limit});
    std::vector<Pod> pods;
    for (int app = 0; app < 300; ++app) {
      const std::string space = "team-" + std::to_string(app % 5);
      for (const char* role : {"driver", "executor"})
        pods.push_back(testing::spark_pod(role + std::to_string(app), id_of(app), role, space));
      agent.driver(FakeDriver(space, id_of(app)));
    }
    agent.pods(std::move(pods));
    const std::size_t first = agent.series();
    EXPECT_LE(first, limit);
    EXPECT_GT(first, limit / 10) << "the limit is not what bounds it";
    EXPECT_EQ(agent.series(), first);
    for (const char* source : {"kubelet", "spark", "derived"}) {
      const auto overflow = agent.derived().find(
          std::string(R"(flintgauge_series_overflow_total{namespace="team-4",source=")") + source + "\"}");
      ASSERT_NE(overflow, agent.derived().end()) << source;
      EXPECT_GT(overflow->second, 0) << source;
    }
  }
}

TEST(SeriesBound, OneTenantsExcessLeavesTheOthersWhole) {
  Agent agent({.app = 500, .namespace_ = 1'000, .node = 20'000});
  std::vector<Pod> pods;
  for (int app = 0; app < 200; ++app) {
    pods.push_back(testing::spark_pod("exec" + std::to_string(app), id_of(app), "executor", "loud"));
    agent.driver(FakeDriver("loud", id_of(app)));
  }
  pods.push_back(testing::spark_pod("exec", "spark-q", "executor", "quiet"));
  agent.driver(FakeDriver("quiet", "spark-q"));
  agent.pods(std::move(pods));
  agent.series();
  const auto& derived = agent.derived();
  EXPECT_LE(derived.at(R"(flintgauge_series{namespace="loud"})"), 1'000);
  EXPECT_TRUE(derived.contains(R"(flintgauge_hint_executors_desired{namespace="quiet",app_id="spark-q"})"));
  EXPECT_FALSE(derived.contains(R"(flintgauge_series_overflow_total{namespace="quiet",source="derived"})"));
}

TEST(SeriesBound, WhatTheEvaluatorMakesOfOneApplicationIsReserved) {
  Agent agent(BudgetLimits{});
  agent.driver(FakeDriver("team", "spark-1"));
  agent.pods({testing::spark_pod("exec", "spark-1", "executor", "team")});
  agent.series();
  const auto of_app = std::ranges::count_if(agent.derived(), [](const auto& series) {
    return series.first.find("app_id=\"spark-1\"") != std::string::npos;
  });
  EXPECT_GT(of_app, 20);
  EXPECT_LE(of_app, 64);
}

std::vector<App> apps_named(std::initializer_list<int> numbers) {
  std::vector<App> out;
  for (const int number : numbers) out.emplace_back().key = {"team", id_of(number)};
  return out;
}

TEST(AppAdmission, WhoIsInStaysInAndWhoEndsMakesRoom) {
  AppAdmission admission({.app = 500, .namespace_ = 2 * kDerivedSeriesPerApp, .node = 20'000});
  const auto admits = [&](int number) { return admission.admits({"team", id_of(number)}); };
  std::vector<Refused> refused;
  admission.update(apps_named({5, 6}), {{"team", id_of(5)}});
  EXPECT_TRUE(admits(5) && admits(6));
  admission.update(apps_named({1, 5, 6}), {{"team", id_of(2)}});
  EXPECT_TRUE(admits(5) && admits(6));
  EXPECT_FALSE(admits(1) || admits(2) || admits(3));
  admission.write_refused(refused);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].times, 2);
  admission.update(apps_named({1, 6, 7}), {});
  EXPECT_TRUE(admits(7) && admits(6));
  EXPECT_FALSE(admits(1)) << "refused once: not shown for as long as it lives, so no total begins late";
  admission.update({}, {});
  admission.write_refused(refused);
  EXPECT_TRUE(refused.empty());
}

}  // namespace
}  // namespace flintgauge
