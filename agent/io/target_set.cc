#include "agent/io/target_set.h"

#include <algorithm>
#include <utility>

namespace flintgauge {
namespace {

/// The same thing at the same place, so its decoder and history stay of use.
bool is_same(const Target& left, const Target& right) {
  return left.key == right.key && left.url == right.url && left.pod_uid == right.pod_uid &&
         left.process_started == right.process_started && left.app == right.app &&
         left.collector == right.collector;
}

/// Nobody listens at the server's port.
bool is_unreachable(const TargetState& state) {
  return state.asked && !state.up && state.last_error != nullptr &&
         (state.last_reason == Reason::kConnect || state.last_reason == Reason::kConnectTimeout);
}

/// As is_unreachable(), or the server fell silent while it answered.
bool is_lost(const TargetState& state) {
  const Reason reason = state.last_reason;
  const bool is_silent =
      reason == Reason::kReceive || reason == Reason::kPartial || reason == Reason::kTimeout;
  return is_unreachable(state) || (state.asked && !state.up && state.last_error != nullptr && is_silent);
}

}  // namespace

std::vector<std::unique_ptr<TargetRun>> TargetSet::update(std::vector<Wanted> wanted, const Make& make) {
  over_limit_ = drop_over_limit(wanted);
  std::unordered_map<std::string, std::unique_ptr<TargetRun>> before;
  for (Entry& entry : entries_) {
    std::string key = entry.run->target().key;
    before.emplace(std::move(key), std::move(entry.run));
  }
  entries_.clear();
  std::unordered_map<std::string, std::size_t> lanes;
  std::unordered_map<std::string, std::size_t> index_of;
  for (Wanted& one : wanted) {
    if (!index_of.try_emplace(one.target.key, entries_.size()).second) continue;  // the first of a key counts
    Entry entry;
    entry.lane = lanes.try_emplace(std::string(origin_of(one.target.url)), lanes.size()).first->second;
    const auto known = before.find(one.target.key);
    const bool goes_on = known != before.end() && is_same(known->second->target(), one.target);
    if (goes_on) {
      entry.run = std::move(known->second);
      before.erase(known);
    } else {
      entry.run = make(std::move(one));
    }
    entries_.push_back(std::move(entry));
  }
  lane_count_ = lanes.size();
  for (Entry& entry : entries_) {
    const auto main = index_of.find(entry.run->target().fallback_of);
    if (main != index_of.end()) entry.stands_for = main->second;
  }
  std::vector<std::unique_ptr<TargetRun>> gone;
  gone.reserve(before.size());
  for (auto& [key, run] : before) gone.push_back(std::move(run));
  return gone;
}

std::size_t TargetSet::drop_over_limit(std::vector<Wanted>& wanted) const {
  std::unordered_map<std::string, std::size_t> of_namespace;
  std::size_t kept = 0;
  const auto is_over = [&](const Wanted& one) {
    const bool over_namespace = !one.target.app.namespace_name.empty() &&
                                ++of_namespace[one.target.app.namespace_name] > max_of_namespace_;
    return over_namespace || ++kept > kMaxTargets;
  };
  return std::erase_if(wanted, is_over);
}

bool TargetSet::is_wanted(const Entry& entry) const {
  if (entry.stands_for == kNone) return true;
  const Entry& main = entries_[entry.stands_for];
  const TargetState& state = main.run->state();
  if (state.not_offered) return true;
  // Where nobody listens there is no other page either; one that was read before is asked on.
  const bool is_hopeless =
      is_unreachable(state) && main.lane == entry.lane && !entry.run->state().ever_succeeded;
  return state.consecutive_failures >= kFailuresForFallback && !is_hopeless;
}

bool TargetSet::is_old_news(const TargetRun& run) const {
  const auto self = std::ranges::find_if(entries_, [&](const Entry& one) { return one.run.get() == &run; });
  const bool is_up = run.state().up;
  // The reason of the last failure stays when a target is up again.
  const bool was_unreachable =
      run.state().last_reason == Reason::kConnect || run.state().last_reason == Reason::kConnectTimeout;
  if (self == entries_.end() || !was_unreachable) return false;
  // A stand-in may have a port of its own (a JMX exporter's): it ends with what it stands in for.
  if (!is_up && self->stands_for != kNone && is_lost(entries_[self->stands_for].run->state())) return true;
  return std::ranges::any_of(entries_, [&](const Entry& other) {
    const TargetState& state = other.run->state();
    return other.lane == self->lane && other.run.get() != &run && (is_up ? state.up : is_lost(state));
  });
}

void TargetSet::find_busy_lanes() const {
  is_busy_.assign(lane_count_, false);
  for (const Entry& entry : entries_) {
    if (entry.run->is_running()) is_busy_[entry.lane] = true;
  }
}

TargetRun* TargetSet::next(SteadyTime now) const {
  find_busy_lanes();
  TargetRun* first = nullptr;
  for (const Entry& entry : entries_) {
    const SteadyTime due = entry.run->schedule().due();
    const bool is_earlier = now >= due && (first == nullptr || due < first->schedule().due());
    if (is_earlier && !is_busy_[entry.lane] && is_wanted(entry)) first = entry.run.get();
  }
  return first;
}

std::optional<SteadyTime> TargetSet::next_at() const {
  find_busy_lanes();
  std::optional<SteadyTime> at;
  for (const Entry& entry : entries_) {
    const SteadyTime due = entry.run->schedule().due();
    if ((!at || due < *at) && !is_busy_[entry.lane] && is_wanted(entry)) at = due;
  }
  return at;
}

bool TargetSet::all_asked() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [this](const Entry& entry) { return entry.run->state().asked || !is_wanted(entry); });
}

TargetRun* TargetSet::idle_fallback() const {
  for (const Entry& entry : entries_) {
    if (entry.stands_for == kNone || entry.run->is_running() || !entry.run->state().asked) continue;
    const Entry& main = entries_[entry.stands_for];
    // A stand-in of a stand-in rests with it.
    if (main.run->state().up || !is_wanted(main)) return entry.run.get();
  }
  return nullptr;
}

std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? url : url.substr(0, url.find('/', scheme + 3));
}

}  // namespace flintgauge
