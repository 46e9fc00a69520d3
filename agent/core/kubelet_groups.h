// The groups that series are shown for: (namespace, application, role) and (namespace, workload), with their
// accumulators. Private to the kubelet fold; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/core/kubelet_columns.h"
#include "agent/core/series_budget.h"
#include "flintgauge/identity.h"
#include "flintgauge/time.h"

namespace flintgauge::kubelet {

using GroupIndex = std::uint32_t;
inline constexpr GroupIndex kNoGroup = UINT32_MAX;

/// A group without a live member ends after this time; its totals with it.
inline constexpr std::int64_t kGroupTtlMs = 15LL * 60 * 1000;

/// Series a group can have at most: what it reserves of the budget.
inline constexpr std::size_t kSeriesPerGroup = kColumns;

/// Claims that a group shows by name; what they cost is reserved when they appear.
inline constexpr std::size_t kMaxClaims = 16;
inline constexpr std::size_t kSeriesPerClaim = 2;

/// A volume claim of a group. Several pods that mount one claim tell the same volume.
struct Claim {
  std::string name;
  std::array<double, kSeriesPerClaim> value{};  ///< bytes used, capacity
  std::uint8_t present = 0;                     ///< bit i: value[i] is told now
  std::uint8_t shown = 0;                       ///< the same, in the schema
};

struct Group {
  bool used = false;
  bool is_app = false;
  std::string namespace_name;
  std::string name;  ///< application id, or workload
  Role role = Role::kExecutor;
  GroupIndex target =
      kNoGroup;  ///< where its numbers go: itself, or the overflow application of its namespace
  std::int64_t live_members = 0;  ///< of the newest pod list
  SteadyTime last_live;
  std::array<double, kColumns> value{};
  ColumnMask fed = 0;        ///< counters that have ever had a row, phases that ever were
  ColumnMask from_pods = 0;  ///< gauges that the newest pod list gives
  ColumnMask present = 0;    ///< columns with a value now
  std::vector<Claim> claims;
  std::size_t claims_refused = 0;         ///< told now under the overflow claim
  std::size_t claims_refused_before = 0;  ///< and at the last look
};

class GroupTable {
 public:
  explicit GroupTable(const BudgetLimits& limits) : budget_(limits) {}

  /// The group of an application's role; made when it is new. Over budget it is a group without series whose
  /// `target` is the overflow application.
  GroupIndex app(std::string_view namespace_name, std::string_view app_id, Role role, const Now& now);
  GroupIndex workload(std::string_view namespace_name, std::string_view workload, const Now& now);

  Group& operator[](GroupIndex index) { return groups_[index]; }
  /// Where the numbers of a group are kept.
  Group& target(GroupIndex index) { return groups_[groups_[index].target]; }

  /// Adds to a counter. REQUIRES: amount >= 0.
  void add(GroupIndex index, std::size_t column, double amount) {
    if (index == kNoGroup) return;
    Group& group = target(index);
    group.value[column] += amount;
    group.fed |= bit(column);
  }

  /// Volume claims are told anew at every look: begin_claims(), add_claim() for each row, end_claims().
  void begin_claims();
  void add_claim(GroupIndex index, std::string_view name, std::size_t which, double value);
  void end_claims();

  /// Forgets the members of the last pod list; they lived until now.
  void begin_list(const Now& now) {
    note_living(now);
    for (Group& group : groups_) group.live_members = 0;
  }

  /// Ends groups whose last member is gone for kGroupTtlMs. Calls ended(index) for each before its index may
  /// be used again.
  template <typename Ended>
  void expire(const Now& now, Ended ended);

  std::vector<Group>& all() { return groups_; }
  const SeriesBudget& budget() const { return budget_; }
  /// Changes whenever a group begins or ends.
  std::uint64_t generation() const { return generation_; }

 private:
  GroupIndex find_or_make(std::string_view namespace_name, std::string_view name, Role role, bool is_app,
                          const Now& now);
  GroupIndex make(Group group, const Now& now);
  void note_living(const Now& now);
  void end(GroupIndex index);
  Claim& claim_of(Group& group, std::string_view name);
  bool is_targeted(GroupIndex index) const;

  std::vector<Group> groups_;
  std::vector<GroupIndex> free_;
  std::unordered_map<std::string, GroupIndex> by_key_;
  SeriesBudget budget_;
  std::uint64_t generation_ = 1;
};

template <typename Ended>
void GroupTable::expire(const Now& now, Ended ended) {
  note_living(now);
  for (GroupIndex i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    if (!group.used || elapsed_ms(group.last_live, now.steady) <= kGroupTtlMs || is_targeted(i)) continue;
    ended(i);
    end(i);
  }
}

}  // namespace flintgauge::kubelet
