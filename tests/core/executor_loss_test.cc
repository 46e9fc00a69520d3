#include "flintgauge/executor_loss.h"

#include <gtest/gtest.h>

#include <string>

namespace flintgauge {
namespace {

std::string on_kubernetes(const std::string& exit_code, const std::string& between,
                          const std::string& termination) {
  return "\nThe executor with id 13 exited with exit code " + exit_code + ".\n" + between +
         "\n\nThe API gave the following container statuses:\n\n\n\t container name: "
         "spark-kubernetes-executor\n\t container state: terminated\n\t exit code: 137\n" +
         termination;
}

TEST(ExecutorLoss, IsReadFromTheDriversWords) {
  struct Case {
    std::string text;
    ExecutorLoss loss;
    bool is_certain;
  };
  const std::string brief = "The API gave the following brief reason: ";
  const std::vector<Case> cases = {
      {"Executor killed by driver.", ExecutorLoss::kKilledByDriver, true},
      {"Executor decommission: Executor 1 is decommissioned.", ExecutorLoss::kDecommissioned, true},
      {"Executor decommission: spark scale down", ExecutorLoss::kDecommissioned, true},
      {"Command exited with code 137", ExecutorLoss::kExited, false},
      {"Command exited with code 52", ExecutorLoss::kOom, true},
      {"Command exited with code 1", ExecutorLoss::kExited, true},
      {"The executor with id 1 was deleted by a user or the framework.", ExecutorLoss::kExited, false},
      {on_kubernetes("137(SIGKILL, possible container OOM)", "", "\t termination reason: OOMKilled\n"),
       ExecutorLoss::kOom, true},
      {on_kubernetes("137(SIGKILL, possible container OOM)", "", "\t termination reason: Error\n"),
       ExecutorLoss::kExited, true},
      {on_kubernetes("137(SIGKILL, possible container OOM)", "", ""), ExecutorLoss::kExited, false},
      {on_kubernetes("52(JVM OOM)", "", "\t termination reason: Error\n"), ExecutorLoss::kOom, true},
      {on_kubernetes("137(SIGKILL, possible container OOM)", brief + "Evicted\n", ""), ExecutorLoss::kEvicted,
       true},
      {on_kubernetes("143(unexpected)", brief + "Terminated\n", ""), ExecutorLoss::kNodeLost, true},
      {on_kubernetes("1(generic, look at logs to clarify)", brief + "Evicted?\n", ""), ExecutorLoss::kExited,
       true},
      {"Worker lost", ExecutorLoss::kNodeLost, true},
      {"Executor heartbeat timed out after 123456 ms", ExecutorLoss::kUnknown, false},
      {"Remote RPC client disassociated.", ExecutorLoss::kUnknown, false},
      {"exited with exit code ", ExecutorLoss::kUnknown, false},
      {"exited with exit code 99999999999999999999", ExecutorLoss::kUnknown, false},
      {"", ExecutorLoss::kUnknown, false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(loss_of_reason(one.text), (LossVerdict{one.loss, one.is_certain})) << one.text;
  }
}

TEST(ExecutorLoss, IsReadFromThePodsStatus) {
  Pod pod;
  EXPECT_FALSE(loss_of_pod(pod));
  pod.reason = "Evicted";
  EXPECT_EQ(loss_of_pod(pod), ExecutorLoss::kEvicted);
  pod.reason = "Terminated";
  EXPECT_EQ(loss_of_pod(pod), ExecutorLoss::kNodeLost);
  pod.reason = "";
  Container& container = pod.containers.emplace_back();
  container.terminated = Termination{"", "Error", 137, {}};
  EXPECT_FALSE(loss_of_pod(pod));
  container.terminated->reason = "OOMKilled";
  EXPECT_EQ(loss_of_pod(pod), ExecutorLoss::kOom);
  container.kind = ContainerKind::kSidecar;  // the executor outlives it
  EXPECT_FALSE(loss_of_pod(pod));
  container.kind = ContainerKind::kRegular;
  container.terminated = Termination{"", "Error", 52, {}};
  EXPECT_EQ(loss_of_pod(pod), ExecutorLoss::kOom);
}

TEST(ExecutorLoss, ThePodKnowsBetterWhereTheDriverDoesNot) {
  const LossVerdict killed = loss_of_reason("Executor killed by driver.");
  const LossVerdict gone = loss_of_reason("Command exited with code 137");
  EXPECT_EQ(loss_of(killed, ExecutorLoss::kOom), ExecutorLoss::kKilledByDriver);
  EXPECT_EQ(loss_of(gone, ExecutorLoss::kOom), ExecutorLoss::kOom);
  EXPECT_EQ(loss_of(gone, std::nullopt), ExecutorLoss::kExited);
  EXPECT_EQ(loss_of({}, ExecutorLoss::kEvicted), ExecutorLoss::kEvicted);
}

}  // namespace
}  // namespace flintgauge
