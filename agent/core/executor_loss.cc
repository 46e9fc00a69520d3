#include "flintgauge/executor_loss.h"

#include <charconv>
#include <system_error>

namespace flintgauge {
namespace {

constexpr int kSparkOom = 52;  // SparkExitCode.OOM
constexpr int kSigKill = 137;  // 128 + 9, as shells and container runtimes report it

bool says(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// The number that follows `words`.
std::optional<int> number_after(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + words.size());
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

/// "Command exited with code 137" (standalone), "... exited with exit code 137(SIGKILL, possible container
/// OOM)." with the statuses of the pod's containers behind it (Kubernetes).
std::optional<int> exit_code(std::string_view text) {
  const auto code = number_after(text, "exited with exit code ");
  return code ? code : number_after(text, "exited with code ");
}

std::optional<ExecutorLoss> loss_of_status_reason(std::string_view reason) {
  if (reason == "Evicted" || reason == "Preempting") return ExecutorLoss::kEvicted;
  // "Terminated": in response to imminent node shutdown. The others: older kubelets, node controller.
  if (reason == "Terminated" || reason == "NodeShutdown" || reason == "Shutdown" || reason == "NodeLost" ||
      reason == "NodeAffinity") {
    return ExecutorLoss::kNodeLost;
  }
  return std::nullopt;
}

/// The reason in the pod's status as the driver quotes it.
std::optional<ExecutorLoss> loss_of_brief_reason(std::string_view text) {
  constexpr std::string_view kBrief = "The API gave the following brief reason: ";
  const std::size_t at = text.find(kBrief);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kBrief.size());
  text = text.substr(0, text.find_first_of("\r\n"));
  return loss_of_status_reason(text);
}

}  // namespace

LossVerdict loss_of_reason(std::string_view remove_reason) {
  const std::string_view text = remove_reason;
  if (text.starts_with("Executor decommission")) return {ExecutorLoss::kDecommissioned, true};
  if (text.starts_with("Executor killed by driver")) return {ExecutorLoss::kKilledByDriver, true};
  if (says(text, "termination reason: OOMKilled")) return {ExecutorLoss::kOom, true};
  if (const auto loss = loss_of_brief_reason(text)) return {*loss, true};
  if (const auto code = exit_code(text)) {
    if (*code == kSparkOom) return {ExecutorLoss::kOom, true};
    const bool is_explained = *code != kSigKill || says(text, "termination reason: ");
    return {ExecutorLoss::kExited, is_explained};
  }
  if (says(text, "was deleted by a user or the framework")) return {ExecutorLoss::kExited, false};
  if (text.starts_with("Worker lost") || text.starts_with("worker lost") || says(text, "Node lost"))
    return {ExecutorLoss::kNodeLost, true};
  return {};
}

std::optional<ExecutorLoss> loss_of_pod(const Pod& pod) {
  if (const auto loss = loss_of_status_reason(pod.reason)) return loss;
  for (const Container& container : pod.containers) {
    if (container.kind != ContainerKind::kRegular || !container.terminated) continue;
    if (container.terminated->reason == "OOMKilled" || container.terminated->exit_code == kSparkOom)
      return ExecutorLoss::kOom;
  }
  return std::nullopt;
}

ExecutorLoss loss_of(const LossVerdict& driver, std::optional<ExecutorLoss> pod) {
  return driver.is_certain ? driver.loss : pod.value_or(driver.loss);
}

}  // namespace flintgauge
