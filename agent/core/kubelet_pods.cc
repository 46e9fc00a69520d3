#include "agent/core/kubelet_pods.h"

#include <algorithm>
#include <optional>

#include "flintgauge/identity.h"

namespace flintgauge::kubelet {
namespace {

/// Phases and states of resizing: once somebody was in one, it is told, 0 as well.
constexpr ColumnMask kStateColumns = bit(kColumns) - bit(column_of(Column::kPodsPending));

constexpr std::array kListGauges = {
    Column::kMemoryRequests,   Column::kMemoryLimits,       Column::kCpuRequests,
    Column::kCpuLimits,        Column::kPodsPending,        Column::kPodsRunning,
    Column::kPodsSucceeded,    Column::kPodsFailed,         Column::kPodsUnknown,
    Column::kResizingDeferred, Column::kResizingInfeasible, Column::kResizingInProgress,
    Column::kResizingError};

bool is_over(const Pod& pod) { return pod.phase == Phase::kSucceeded || pod.phase == Phase::kFailed; }

std::size_t column_of_phase(Phase phase) {
  return column_of(Column::kPodsPending) + static_cast<std::size_t>(phase);
}

void add_gauge(Group& group, Column column, const std::optional<std::int64_t>& amount) {
  if (!amount) return;
  group.value[column_of(column)] += static_cast<double>(*amount);
  group.from_pods |= bit(column_of(column));
}

void add_resizing(Group& group, const Pod& pod) {
  const auto add = [&group](Column column, bool is_in_it) {
    if (!is_in_it) return;
    group.value[column_of(column)] += 1;
    group.fed |= bit(column_of(column));
  };
  if (is_over(pod)) return;
  add(Column::kResizingDeferred, pod.resize_deferred);
  add(Column::kResizingInfeasible, pod.resize_infeasible);
  add(Column::kResizingInProgress, pod.resize_in_progress);
  add(Column::kResizingError, pod.resize_error);
}

/// An instance without an id is told apart by the time of its end.
std::string instance_of(const Termination& termination) {
  if (!termination.container_id.empty()) return termination.container_id;
  return "@" + std::to_string(termination.finished_at.ms);
}

ContainerHistory& history_of(KnownPod& known, const std::string& name, bool& is_new) {
  for (ContainerHistory& history : known.containers) {
    if (history.name == name) {
      is_new = false;
      return history;
    }
  }
  is_new = true;
  known.containers.push_back({name, 0, {}, {}});
  return known.containers.back();
}

/// OOM kills in this status that `history` does not know yet. Instances only ever move from state to
/// lastState and away, so the two ids last seen are memory enough to count each once.
double count_oom_kills(const ContainerHistory& history, const Container& container, WallTime agent_started) {
  double kills = 0;
  std::string counted;
  for (const auto* ended : {&container.terminated, &container.last_terminated}) {
    if (!*ended || (*ended)->reason != "OOMKilled" || (*ended)->finished_at < agent_started) continue;
    std::string instance = instance_of(**ended);
    if (instance == history.ended || instance == history.last_ended || instance == counted) continue;
    kills += 1;
    counted = std::move(instance);
  }
  return kills;
}

}  // namespace

std::string uid_of(const Pod& pod) { return pod.uid.empty() ? pod.namespace_name + "/" + pod.name : pod.uid; }

PodNumber PodTable::find(std::string_view uid) const {
  const auto at = by_uid_.find(std::string(uid));
  return at == by_uid_.end() ? kNoPod : at->second;
}

void PodTable::apply(const PodList& list, const Now& now, WallTime agent_started) {
  clear_gauges();
  groups_.begin_list(now);
  for (KnownPod& known : pods_) {
    if (known.listed) known.last_listed = now.steady;
    known.listed = false;
  }
  for (const Pod& pod : list.pods) {
    const PodNumber number = find_or_make(pod);
    const bool is_new = !pods_[number].used;
    KnownPod& known = pods_[number];
    if (known.listed) continue;  // one UID twice: the first speaks
    known.used = true;
    bind(known, pod, is_new, now, agent_started);
    for (const GroupIndex index : {known.app, known.workload}) {
      if (index != kNoGroup) add_gauges(pod, index);
    }
    count_changes(known, pod, is_new, agent_started);
  }
  for (Group& group : groups_.all()) {  // summed in millicores, so that the sums are exact
    group.value[column_of(Column::kCpuRequests)] /= 1000;
    group.value[column_of(Column::kCpuLimits)] /= 1000;
    group.from_pods |= group.fed & kStateColumns;
  }
}

void PodTable::clear_gauges() {
  for (Group& group : groups_.all()) {
    for (const Column column : kListGauges) group.value[column_of(column)] = 0;
    group.from_pods = 0;
  }
}

void PodTable::forget_list() {
  clear_gauges();
  for (KnownPod& known : pods_) known.listed = false;
  for (Group& group : groups_.all()) group.live_members = 0;
}

PodNumber PodTable::find_or_make(const Pod& pod) {
  const auto next = free_.empty() ? static_cast<PodNumber>(pods_.size()) : free_.back();
  const auto [at, added] = by_uid_.try_emplace(uid_of(pod), next);
  if (!added) return at->second;
  if (free_.empty()) {
    pods_.emplace_back();
  } else {
    free_.pop_back();
  }
  pods_[next].uid = at->first;
  return next;
}

void PodTable::bind(KnownPod& known, const Pod& pod, bool is_new, const Now& now, WallTime agent_started) {
  const PodIdentity identity = identify(pod);
  known.listed = true;
  known.last_listed = now.steady;
  known.host_network = pod.host_network;
  known.created = pod.created_at;
  known.workload = groups_.workload(identity.namespace_name, identity.workload, now);
  ++groups_[known.workload].live_members;
  if (identity.app_id.empty()) {
    known.app = kNoGroup;
    return;
  }
  // A pod that has ended does not begin a group: drivers stay listed for days. One that ended between two
  // looks still has something to count.
  const bool may_begin = !is_over(pod) || (is_new && pod.created_at > agent_started);
  if (known.app == kNoGroup && !may_begin) return;
  known.app = groups_.app(identity.namespace_name, identity.app_id, identity.role, now);
  if (!is_over(pod)) ++groups_[known.app].live_members;
}

void PodTable::add_gauges(const Pod& pod, GroupIndex index) {
  Group& group = groups_.target(index);
  const std::size_t phase = column_of_phase(pod.phase);
  group.value[phase] += 1;
  group.fed |= bit(phase);
  add_resizing(group, pod);
  if (pod.phase != Phase::kRunning) return;
  const Resources requests = effective_requests(pod);
  const Resources limits = effective_limits(pod);
  add_gauge(group, Column::kMemoryRequests, requests.memory_bytes);
  add_gauge(group, Column::kMemoryLimits, limits.memory_bytes);
  add_gauge(group, Column::kCpuRequests, requests.cpu_millicores);
  add_gauge(group, Column::kCpuLimits, limits.cpu_millicores);
}

void PodTable::add(const KnownPod& known, Column column, double amount) {
  for (const GroupIndex index : {known.app, known.workload}) groups_.add(index, column_of(column), amount);
}

/// Restarts and OOM kills since the last list. A pod that is older than the agent is known from now on; one
/// that is younger has everything counted.
void PodTable::count_changes(KnownPod& known, const Pod& pod, bool is_new, WallTime agent_started) {
  const bool from_zero = pod.created_at > agent_started;
  add(known, Column::kRestarts, 0);
  add(known, Column::kOomKills, 0);
  for (const Container& container : pod.containers) {
    if (container.kind == ContainerKind::kEphemeral) continue;
    bool unknown_container = false;
    ContainerHistory& history = history_of(known, container.name, unknown_container);
    const bool count_all = !unknown_container || from_zero || !is_new;
    const std::int64_t before = container.restart_count < history.restarts ? 0 : history.restarts;
    if (count_all) add(known, Column::kRestarts, static_cast<double>(container.restart_count - before));
    add(known, Column::kOomKills, count_oom_kills(history, container, agent_started));
    history.restarts = container.restart_count;
    history.ended = container.terminated ? instance_of(*container.terminated) : "";
    history.last_ended = container.last_terminated ? instance_of(*container.last_terminated) : "";
  }
}

void PodTable::unbind(GroupIndex group) {
  for (KnownPod& known : pods_) {
    if (known.app == group) known.app = kNoGroup;
    if (known.workload == group) known.workload = kNoGroup;
  }
}

}  // namespace flintgauge::kubelet
