#include "agent/core/kubelet_groups.h"

#include <algorithm>
#include <utility>

namespace flintgauge::kubelet {
namespace {

/// 0x1f is no character of a Kubernetes name or label.
std::string key_of(std::string_view namespace_name, std::string_view name, Role role, bool is_app) {
  std::string key(is_app ? to_string(role) : "");
  key.append("\x1f").append(namespace_name).append("\x1f").append(name);
  return key;
}

/// Who pays for a group's series.
std::string_view account_of(const Group& group) { return group.is_app ? std::string_view(group.name) : ""; }

}  // namespace

GroupIndex GroupTable::app(std::string_view namespace_name, std::string_view app_id, Role role,
                           const Now& now) {
  return find_or_make(namespace_name, app_id, role, true, now);
}

GroupIndex GroupTable::workload(std::string_view namespace_name, std::string_view workload, const Now& now) {
  return find_or_make(namespace_name, workload, Role::kExecutor, false, now);
}

GroupIndex GroupTable::find_or_make(std::string_view namespace_name, std::string_view name, Role role,
                                    bool is_app, const Now& now) {
  std::string key = key_of(namespace_name, name, role, is_app);
  if (const auto at = by_key_.find(key); at != by_key_.end()) return at->second;
  Group group;
  group.is_app = is_app;
  group.namespace_name = namespace_name;
  group.name = name;
  group.role = role;
  const bool free_of_limits = !is_app || name == kOverflowAppId;
  GroupIndex target = kNoGroup;
  if (free_of_limits) {
    budget_.charge(namespace_name, is_app ? name : "", kSeriesPerGroup);
  } else if (!budget_.admit(namespace_name, name, kSeriesPerGroup)) {
    target = app(namespace_name, kOverflowAppId, role, now);
  }
  const GroupIndex index = make(std::move(group), now);
  groups_[index].target = target == kNoGroup ? index : target;
  by_key_.emplace(std::move(key), index);
  return index;
}

GroupIndex GroupTable::make(Group group, const Now& now) {
  group.used = true;
  group.last_live = now.steady;
  ++generation_;
  if (free_.empty()) {
    groups_.push_back(std::move(group));
    return static_cast<GroupIndex>(groups_.size() - 1);
  }
  const GroupIndex index = free_.back();
  free_.pop_back();
  groups_[index] = std::move(group);
  return index;
}

void GroupTable::note_living(const Now& now) {
  for (Group& group : groups_) {
    if (!group.used || group.live_members == 0) continue;
    group.last_live = now.steady;
    groups_[group.target].last_live = now.steady;
  }
}

/// An overflow application ends after those that it stands for.
bool GroupTable::is_targeted(GroupIndex index) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& other) {
    return other.used && other.target == index && &other != &groups_[index];
  });
}

void GroupTable::end(GroupIndex index) {
  Group& group = groups_[index];
  if (group.target == index)
    budget_.release(group.namespace_name, account_of(group),
                    kSeriesPerGroup + kSeriesPerClaim * group.claims.size());
  by_key_.erase(key_of(group.namespace_name, group.name, group.role, group.is_app));
  group = Group{};
  free_.push_back(index);
  ++generation_;
}

void GroupTable::begin_claims() {
  for (Group& group : groups_) {
    group.claims_refused = 0;
    for (Claim& claim : group.claims) {
      claim.present = 0;
      claim.value = {};
    }
  }
}

void GroupTable::add_claim(GroupIndex index, std::string_view name, std::size_t which, double value) {
  if (index == kNoGroup) return;
  Group& group = target(index);
  Claim& claim = claim_of(group, name);
  const bool is_overflow = claim.name != name;
  if (is_overflow && which == 0) ++group.claims_refused;
  claim.value[which] = is_overflow ? claim.value[which] + value : std::max(claim.value[which], value);
  claim.present = static_cast<std::uint8_t>(claim.present | (1U << which));
}

/// The claim of that name, or the overflow claim.
Claim& GroupTable::claim_of(Group& group, std::string_view name) {
  const auto named = [&group](std::string_view wanted) {
    return std::ranges::find(group.claims, wanted, &Claim::name);
  };
  if (const auto known = named(name); known != group.claims.end()) return *known;
  const bool admitted = group.claims.size() < kMaxClaims &&
                        budget_.fits(group.namespace_name, account_of(group), kSeriesPerClaim);
  const std::string_view shown = admitted ? name : kOverflowAppId;
  if (const auto known = named(shown); known != group.claims.end()) return *known;
  budget_.charge(group.namespace_name, account_of(group), kSeriesPerClaim);
  ++generation_;
  Claim& claim = group.claims.emplace_back();
  claim.name = shown;
  return claim;
}

/// Claims that nobody tells any more are over.
void GroupTable::end_claims() {
  for (Group& group : groups_) {
    if (group.claims_refused > group.claims_refused_before)
      budget_.refuse(group.namespace_name, group.claims_refused - group.claims_refused_before);
    group.claims_refused_before = group.claims_refused;
    const std::size_t ended = std::erase_if(group.claims, [](const Claim& c) { return c.present == 0; });
    if (ended == 0) continue;
    budget_.release(group.namespace_name, account_of(group), kSeriesPerClaim * ended);
    ++generation_;
  }
}

}  // namespace flintgauge::kubelet
