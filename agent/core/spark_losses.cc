#include "agent/core/spark_losses.h"

#include <algorithm>
#include <iterator>

namespace flintgauge::spark {
namespace {

bool has_run(const Pod& pod) {
  return std::ranges::any_of(pod.containers, [](const Container& container) {
    return container.kind == ContainerKind::kRegular &&
           (container.state == ContainerState::kRunning || container.terminated || container.last_terminated);
  });
}

bool is_done(const Pod& pod) { return pod.phase == Phase::kSucceeded || pod.phase == Phase::kFailed; }

}  // namespace

void LossNumbers::add(const LossNumbers& other) {
  for (std::size_t i = 0; i < lost.size(); ++i) lost[i] += other.lost[i];
  unseen += other.unseen;
  told = told || other.told;
}

void LossBook::lose(SeenExecutors::Entry& entry, SteadyTime now) {
  if (entry.detail.loss != LossState::kNone) return;
  entry.detail.loss = LossState::kPending;
  ++entry.holders;
  pending_.push_back({&entry, now});
}

void LossBook::keep(SeenExecutors::Entry& entry) {
  if (entry.detail.loss != LossState::kPending) return;
  entry.detail.loss = LossState::kNone;
  --entry.holders;
  std::erase_if(pending_, [&entry](const Pending& pending) { return pending.entry == &entry; });
}

void LossBook::told(SteadyTime at, bool is_complete) {
  numbers_.told = true;
  if (is_complete) complete_at_ = at;
}

void LossBook::see_pod(const std::string& executor_id, const Pod& pod) {
  const ExecutorKey key = executor_key(executor_id);
  if (pods_.size() >= kMaxPods && !pods_.contains(key)) return;
  PodWord& word = pods_[key];
  word.reading = pod_reading_;
  word.ran = word.ran || has_run(pod);
  if (const auto loss = loss_of_pod(pod)) word.loss = loss;
  word.is_over = is_done(pod);
  if (!word.is_over) word.over_at.reset();
}

void LossBook::end_pods(SteadyTime now) {
  for (auto& [key, word] : pods_) {
    if ((word.reading != pod_reading_ || word.is_over) && !word.over_at) word.over_at = now;
  }
}

std::optional<ExecutorLoss> LossBook::word_of_pod(const SeenExecutors::Entry& entry) const {
  if (pods_.empty()) return std::nullopt;
  const auto at = pods_.find(executor_key(entry.detail.facts.id));
  return at == pods_.end() ? std::nullopt : at->second.loss;
}

void LossBook::count(SeenExecutors::Entry& entry) {
  const ExecutorLoss loss = loss_of(loss_of_reason(entry.detail.facts.remove_reason), word_of_pod(entry));
  numbers_.lost[static_cast<std::size_t>(loss)] += 1;
  entry.detail.loss = LossState::kCounted;
  --entry.holders;
}

void LossBook::settle(const SeenExecutors& seen, SteadyTime now, bool is_over) {
  std::erase_if(pending_, [&](const Pending& pending) {
    const bool is_due = is_over || elapsed_ms(pending.since, now) >= kPatienceMs ||
                        loss_of_reason(pending.entry->detail.facts.remove_reason).is_certain ||
                        word_of_pod(*pending.entry);
    if (is_due) count(*pending.entry);
    return is_due;
  });
  settle_pods(seen, now);
}

/// A pod that ran and is over, and whose executor no list of its driver has, not even one that was read
/// since, lived and died unseen. Gaps between ids prove nothing: each refused creation uses one up.
void LossBook::settle_pods(const SeenExecutors& seen, SteadyTime now) {
  for (auto at = pods_.begin(); at != pods_.end();) {
    auto& [key, word] = *at;
    const bool is_due = word.over_at && elapsed_ms(*word.over_at, now) >= kPodMemoryMs;
    const bool is_told = is_due && complete_at_ && *complete_at_ > *word.over_at;
    if (is_told && word.ran && !word.is_counted && !seen.knows(key)) {
      numbers_.unseen += 1;
      word.is_counted = true;
    }
    at = is_due && word.reading != pod_reading_ ? pods_.erase(at) : std::next(at);
  }
}

void LossBook::begin_again(const SeenExecutors& seen, SteadyTime now) {
  settle(seen, now, true);
  pods_.clear();
  complete_at_.reset();
}

}  // namespace flintgauge::spark
