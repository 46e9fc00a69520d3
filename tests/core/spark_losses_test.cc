#include <gtest/gtest.h>

#include <memory>

#include "core/spark_fold_support.h"
#include "flintgauge/executor_loss.h"

namespace flintgauge {
namespace {

using namespace testing;

constexpr const char* kDeleted = "The executor with id 1 was deleted by a user or the framework.";
constexpr const char* kKilled = "Command exited with code 137";

SparkExecutor lost(std::string id, std::string reason) {
  SparkExecutor row = dead(executor(std::move(id), 5));
  row.remove_reason = std::move(reason);
  return row;
}

/// An executor's pod of the application that FakeDriver() is.
Pod executor_pod(const std::string& id, Phase phase = Phase::kRunning, const std::string& termination = "") {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = "etl-exec-" + id;
  pod.uid = "uid-exec-" + id;
  pod.owner_kind = "Pod";
  pod.owner_uid = "uid-1";
  pod.phase = phase;
  pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-exec-id", id}, {"spark-role", "executor"}};
  Container& container = pod.containers.emplace_back();
  container.state = phase == Phase::kRunning ? ContainerState::kRunning : ContainerState::kWaiting;
  if (termination.empty()) return pod;
  container.state = ContainerState::kTerminated;
  container.terminated = Termination{"", termination, 137, {}};
  return pod;
}

struct LossBench : SparkBench {
  using SparkBench::SparkBench;
  FakeDriver driver;

  void pods(std::vector<Pod> pods, double at) { fold->see_pods(PodList{std::move(pods)}, after(at)); }
  double lost_for(ExecutorLoss reason, double at) {
    const auto all = series(at);
    const auto found = all.find("flintgauge_spark_executors_lost_total{" + driver.labels + ",reason=\"" +
                                std::string(to_string(reason)) + "\"}");
    return found == all.end() ? kAbsent : found->second;
  }
  double unseen(double at) {
    const auto all = series(at);
    const auto found = all.find("flintgauge_executors_unseen_total{" + driver.labels + "}");
    return found == all.end() ? kAbsent : found->second;
  }
};

TEST(SparkLosses, AreCountedByReasonOnce) {
  LossBench bench;
  EXPECT_TRUE(bench.series(0).empty());
  bench.executors(bench.driver, {executor("1", 5), executor("2", 5)}, 0);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kKilledByDriver, 0), 0);  // told, so it is a zero
  bench.executors(bench.driver, {lost("1", "Executor killed by driver."), executor("2", 5)}, 10);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kKilledByDriver, 10), 1);
  bench.executors(bench.driver,
                  {lost("1", "Executor killed by driver."),
                   lost("2", "Executor decommission: Executor 2 is decommissioned."),
                   lost("3", "Command exited with code 52")},
                  20);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kKilledByDriver, 20), 1);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kDecommissioned, 20), 1);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kOom, 20), 1);  // lived between two rounds
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kUnknown, 20), 0);
}

TEST(SparkLosses, WhatTheDriverDoesNotKnowWaitsForThePod) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5), executor("2", 5)}, 0);
  bench.pods({executor_pod("1"), executor_pod("2")}, 0);
  bench.executors(bench.driver, {lost("1", kKilled), lost("2", kKilled)}, 10);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kExited, 10), 0);
  bench.pods({executor_pod("1", Phase::kFailed, "OOMKilled"), executor_pod("2", Phase::kFailed, "Error")},
             15);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kOom, 16), 1);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kExited, 16), 0);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kExited, 41), 1);  // nobody has said more
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kOom, 41), 1);
}

TEST(SparkLosses, APodsEndThatWasSeenFirstIsJoinedLater) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5)}, 0);
  Pod evicted = executor_pod("1", Phase::kFailed);
  evicted.reason = "Evicted";
  bench.pods({evicted}, 5);
  bench.pods({}, 15);  // the driver has deleted it
  bench.executors(bench.driver, {lost("1", kDeleted)}, 20);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kEvicted, 20), 1);
}

TEST(SparkLosses, OneThatNoListHasAnyMoreIsLostToo) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5), executor("2", 5)}, 0);
  bench.executors(bench.driver, {executor("2", 5)}, 10);  // over 100 others have died since
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kUnknown, 10), 0);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kUnknown, 40), 1);
}

TEST(SparkLosses, OneThatIsBackIsNot) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5), executor("2", 5)}, 0);
  bench.executors(bench.driver, {executor("2", 5)}, 10);
  bench.executors(bench.driver, {executor("1", 6), executor("2", 5)}, 20);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kUnknown, 100), 0);
}

TEST(SparkLosses, TheLastOnesAreCountedWhenTheDriverIsGone) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5)}, 0);
  bench.executors(bench.driver, {lost("1", kKilled)}, 10);
  bench.fold->forget(bench.driver.rest, after(12));
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kExited, 12), 1);
}

TEST(SparkLosses, GoOnWithAnotherDriver) {
  LossBench bench;
  bench.executors(bench.driver, {lost("1", "Executor killed by driver.")}, 0);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kKilledByDriver, 0), 1);
  bench.driver.rest.pod_uid = "uid-2";
  bench.executors(bench.driver, {lost("1", "Executor killed by driver.")}, 10);
  EXPECT_EQ(bench.lost_for(ExecutorLoss::kKilledByDriver, 10), 2);  // another executor 1
}

TEST(SparkUnseen, AnExecutorWhosePodRanAndThatNoListHas) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5)}, 0);
  EXPECT_EQ(bench.unseen(0), 0);
  bench.pods({executor_pod("1"), executor_pod("2"), executor_pod("3", Phase::kPending)}, 5);
  bench.pods({executor_pod("1")}, 15);
  bench.executors(bench.driver, {executor("1", 5)}, 20);
  EXPECT_EQ(bench.unseen(20), 0);   // the driver's list may be late
  EXPECT_EQ(bench.unseen(136), 1);  // 2 ran; 3 never did; 1 lives
  EXPECT_EQ(bench.unseen(300), 1);
  bench.executors(bench.driver, {executor("1", 5), executor("9", 5)}, 310);  // holes in ids prove nothing
  EXPECT_EQ(bench.unseen(500), 1);
}

TEST(SparkUnseen, NotWhileItsPodStaysOrTheDriverIsSilent) {
  LossBench bench;
  bench.executors(bench.driver, {}, 0);
  bench.pods({executor_pod("1")}, 1);
  EXPECT_EQ(bench.unseen(1'000), 0);
  bench.pods({executor_pod("1", Phase::kFailed, "Error")}, 1'001);  // kept for debugging
  EXPECT_EQ(bench.unseen(1'200), 0);                                // no list since
  bench.executors(bench.driver, {}, 1'210);
  EXPECT_EQ(bench.unseen(1'211), 1);
  bench.pods({executor_pod("1", Phase::kFailed, "Error")}, 1'220);
  EXPECT_EQ(bench.unseen(2'000), 1);
}

TEST(SparkUnseen, ExecutorsOfAnotherDriverAreNotThisOnes) {
  LossBench bench;
  bench.executors(bench.driver, {executor("1", 5)}, 0);
  Pod other = executor_pod("7");
  other.owner_uid = "uid-0";  // the driver before
  bench.pods({other}, 1);
  bench.pods({}, 10);
  bench.executors(bench.driver, {executor("1", 5)}, 20);
  EXPECT_EQ(bench.unseen(200), 0);
}

}  // namespace
}  // namespace flintgauge
