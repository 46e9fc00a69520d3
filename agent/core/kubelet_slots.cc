#include "agent/core/kubelet_slots.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace flintgauge::kubelet {
namespace {

constexpr std::uint8_t kPatience = 3;

std::string key_of(const Route& route) {
  std::string key(1, static_cast<char>('0' + static_cast<int>(route.scope)));
  if (route.scope == Scope::kNode) return key;
  if (!route.container_id.empty()) return key.append(route.container_id);
  return key.append("/")
      .append(route.namespace_name)
      .append("/")
      .append(route.pod)
      .append("/")
      .append(route.container)
      .append("/")
      .append(route.pod_uid);
}

const Container* container_of(const Pod& pod, std::string_view name) {
  for (const Container& container : pod.containers) {
    if (!name.empty() && container.name == name) return &container;
  }
  return nullptr;
}

std::string_view container_name(const Slot& slot) {
  return slot.listed != nullptr ? std::string_view(slot.listed->name)
                                : std::string_view(slot.route.container);
}

/// The list names another instance of the container.
bool is_other_instance(const Slot& slot) {
  return slot.listed != nullptr && !slot.route.container_id.empty() && !slot.listed->container_id.empty() &&
         slot.listed->container_id != slot.route.container_id;
}

}  // namespace

std::size_t gauge_place(Scope scope, Measure gauge) {
  if (scope == Scope::kPod) return 0;
  if (scope == Scope::kVolume) return gauge == Measure::kVolumeUsageBytes ? 0 : 1;
  if (gauge >= Measure::kMachineCpuCores)  // of the node, beside its working set
    return 1 + static_cast<std::size_t>(gauge) - static_cast<std::size_t>(Measure::kMachineCpuCores);
  return static_cast<std::size_t>(gauge) - static_cast<std::size_t>(Measure::kMemoryWorkingSetBytes);
}

SlotIndex SlotTable::bind(const Route& route, const Now& now) {
  const SlotIndex index = find_or_make(route, now);
  ++slots_[index].rows;
  slots_[index].last_bound = now.steady;
  return index;
}

void SlotTable::release(SlotIndex index, const Now& now) {
  Slot& slot = slots_[index];
  if (slot.rows > 0) --slot.rows;
  slot.last_bound = now.steady;
}

SlotIndex SlotTable::find_or_make(const Route& route, const Now& now) {
  const auto next = free_.empty() ? static_cast<SlotIndex>(slots_.size()) : free_.back();
  const auto [at, added] = by_key_.try_emplace(key_of(route), next);
  if (!added) return at->second;
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    free_.pop_back();
  }
  Slot& slot = slots_[next];
  slot.used = true;
  slot.scope = route.scope;
  slot.route = route;
  slot.serial = ++serials_;
  slot.last_bound = now.steady;
  slot.meant = next;
  resolve(next);
  mean(next);
  return next;
}

void SlotTable::resolve_all(std::shared_ptr<const PodList> list) {
  list_ = std::move(list);
  index_ = list_ ? std::make_unique<PodIndex>(list_) : nullptr;
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].used) continue;
    resolve(i);
    if (index_ && waits_for_list(slots_[i]) && slots_[i].lists_missed < kPatience) ++slots_[i].lists_missed;
  }
  const auto count = static_cast<SlotIndex>(slots_.size());  // those that mean() makes are resolved
  for (SlotIndex i = 0; i < count; ++i) {
    if (slots_[i].used) mean(i);
  }
}

void SlotTable::resolve(SlotIndex index) {
  Slot& slot = slots_[index];
  const PodRef found = index_ ? look_up(slot) : PodRef{};
  slot.listed_pod = found.pod;
  slot.listed = found.container;
  if (!found) return;  // a binding made earlier holds: rows may outlive their pod's entry in the list
  slot.pod = pods_.find(uid_of(*found.pod));
  note_sandbox(index);
}

PodRef SlotTable::look_up(const Slot& slot) const {
  const Route& route = slot.route;
  if (slot.scope == Scope::kNode) return {};
  const std::string_view container = slot.scope == Scope::kContainer ? std::string_view(route.container) : "";
  if (!route.namespace_name.empty() && !route.pod.empty()) {
    const PodRef named = index_->find_by_name(route.namespace_name, route.pod, container);
    // A pod of the same name with another UID is another pod: its predecessor, or its successor.
    if (named && (route.pod_uid.empty() || named.pod->uid == route.pod_uid)) return named;
  }
  if (slot.scope == Scope::kContainer && !route.container_id.empty()) {
    if (const PodRef own = index_->find_by_container_id(route.container_id)) return own;
  }
  // A row without any name may be the pod's sandbox: the pod alone does not say that it is a container.
  if (route.pod_uid.empty() || (slot.scope == Scope::kContainer && container.empty())) return {};
  const PodRef own = index_->find_by_uid(route.pod_uid);
  return own ? PodRef{own.pod, container_of(*own.pod, container)} : own;
}

/// Keeps the youngest sandbox of each pod, and lets rows that do not name a sandbox mean it.
void SlotTable::note_sandbox(SlotIndex index) {
  const Slot& slot = slots_[index];
  const PodNumber pod = slot.pod;
  if (slot.scope != Scope::kSandbox || slot.route.container_id.empty() || pod == kNoPod) return;
  const auto [at, added] = sandboxes_.try_emplace(pod, index);
  if (!added && (at->second == index || slots_[at->second].serial > slot.serial)) return;
  at->second = index;
  for (SlotIndex i = 0; i < slots_.size(); ++i) {  // mean() may grow the table
    if (slots_[i].used && slots_[i].pod == pod && slots_[i].scope != Scope::kContainer) mean(i);
  }
}

void SlotTable::mean(SlotIndex index) {
  const SlotIndex meaning = meaning_of(index);
  const SlotIndex before = slots_[index].meant;
  if (meaning == before) return;
  hand_on(slots_[before], slots_[meaning], index);
  slots_[index].meant = meaning;
}

/// Rows without a container id mean the instance that the list names, or the pod's youngest sandbox.
SlotIndex SlotTable::meaning_of(SlotIndex index) {
  const Slot& slot = slots_[index];
  if (!slot.route.container_id.empty() || slot.pod == kNoPod) return index;
  if (slot.scope == Scope::kSandbox || slot.scope == Scope::kPod) {
    const auto at = sandboxes_.find(slot.pod);
    return at == sandboxes_.end() ? index : at->second;
  }
  if (slot.scope != Scope::kContainer) return index;
  if (slot.listed == nullptr || slot.listed->container_id.empty()) return slot.meant;
  Route route = slot.route;
  route.container_id = slot.listed->container_id;
  return find_or_make(route, Now{slot.last_bound, {}});
}

/// `speaker`'s rows now mean another slot: where they counted, they go on counting there with their
/// baselines.
void SlotTable::hand_on(Slot& from, Slot& to, SlotIndex speaker) {
  for (std::size_t i = 0; i < kSlotCounters; ++i) {
    if (from.counters[i].reigning != speaker || from.counters[i].rows == 0) continue;
    Channel& old = from.counters.at(i);
    Channel& heir = to.counters.at(i);
    if (heir.rows == 0) {
      const double parked = heir.parked;
      heir = old;
      heir.parked = parked;
    }
    old.reign = next_reign();
    old.reigning = kNoSlot;
    old.rows = 0;
  }
}

void SlotTable::choose_instances(const std::array<std::uint32_t, kRanks>& newest) {
  const auto has_rows = [&newest](const Slot& slot) {
    for (std::size_t r = 0; r < kRanks; ++r) {
      if (newest[r] != 0 && slot.seen[r] == newest[r]) return true;
    }
    return false;
  };
  order_.clear();
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!slot.used || slot.scope != Scope::kContainer) continue;
    slot.superseded = is_other_instance(slot) && slot.listed->started_at.ms > 0 &&
                      slot.start_ms != kNoTimestamp && slot.start_ms < slot.listed->started_at.ms;
    if (slot.pod != kNoPod && slot.meant == i && has_rows(slot)) order_.push_back(i);
  }
  const auto rank = [this](SlotIndex i) {  // the chosen one first
    const Slot& slot = slots_[i];
    const std::int64_t start_ms = slot.start_ms == kNoTimestamp ? 0 : slot.start_ms;
    return std::tuple(slot.pod, container_name(slot), slot.superseded, -start_ms, is_other_instance(slot),
                      ~slot.serial);
  };
  std::sort(order_.begin(), order_.end(), [&](SlotIndex a, SlotIndex b) { return rank(a) < rank(b); });
  for (std::size_t i = 1; i < order_.size(); ++i) {
    Slot& slot = slots_[order_[i]];
    const Slot& previous = slots_[order_[i - 1]];
    if (slot.pod == previous.pod && container_name(slot) == container_name(previous)) slot.superseded = true;
  }
}

void SlotTable::expire(const Now& now) {
  for (Slot& slot : slots_) slot.is_meant = false;
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    if (slots_[i].used && slots_[i].meant != i) slots_[slots_[i].meant].is_meant = true;
  }
  for (SlotIndex i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    // What is listed may show rows again, and must not be counted from zero then.
    const auto sandbox = sandboxes_.find(slot.pod);
    const bool is_sandbox = sandbox != sandboxes_.end() && sandbox->second == i;
    const bool is_current = (slot.listed != nullptr && !is_other_instance(slot)) || is_sandbox;
    if (!slot.used || slot.rows != 0 || slot.is_meant || is_current ||
        elapsed_ms(slot.last_bound, now.steady) <= kGroupTtlMs)
      continue;
    by_key_.erase(key_of(slot.route));
    slot = Slot{};
    free_.push_back(i);
  }
}

void SlotTable::unbind(PodNumber pod) {
  for (Slot& slot : slots_) {
    if (slot.pod == pod) slot.pod = kNoPod;
  }
  sandboxes_.erase(pod);
}

bool SlotTable::is_live(const Slot& slot) {
  if (slot.scope == Scope::kNode) return true;
  if (slot.listed_pod == nullptr || slot.listed_pod->phase != Phase::kRunning) return false;
  if (slot.scope != Scope::kContainer) return true;
  return slot.listed != nullptr && slot.listed->state == ContainerState::kRunning;
}

std::int64_t SlotTable::started_ms(const Slot& slot) const {
  if (slot.start_ms != kNoTimestamp) return slot.start_ms;
  if (slot.scope == Scope::kContainer) {
    const bool said = slot.listed != nullptr && !is_other_instance(slot) && slot.listed->started_at.ms > 0;
    return said ? slot.listed->started_at.ms : kNoTimestamp;
  }
  return slot.pod == kNoPod || pods_[slot.pod].created.ms <= 0 ? kNoTimestamp : pods_[slot.pod].created.ms;
}

bool SlotTable::waits_for_list(const Slot& slot) {
  if (slot.rows == 0 || slot.scope == Scope::kNode) return false;
  if (slot.pod == kNoPod) return true;
  if (slot.scope != Scope::kContainer || slot.listed_pod == nullptr) return false;
  return slot.listed == nullptr || (is_other_instance(slot) && !slot.superseded);
}

bool SlotTable::wants_pods() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.used && slot.lists_missed < kPatience && waits_for_list(slot);
  });
}

}  // namespace flintgauge::kubelet
