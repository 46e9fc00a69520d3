// Which applications have series of their own in the derived block: its share of the budget. Private to the
// evaluator. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "agent/core/app_table.h"
#include "agent/core/series_budget.h"

namespace flintgauge {

/// Series that the evaluator can make for one application at most: description, horizontal hint, vertical
/// hints of executors and driver, bottleneck, executors of this node.
inline constexpr std::size_t kDerivedSeriesPerApp = 1 + 23 + 19 + 13 + 22 + 4;

class AppAdmission {
 public:
  explicit AppAdmission(const BudgetLimits& limits) : budget_(limits) {}

  /// The applications that there are now. Who is in stays in; who is over makes room.
  void update(const std::vector<App>& apps, const std::vector<AppKey>& others);

  bool admits(const AppKey& key) const {
    const auto at = apps_.find(key);
    return at != apps_.end() && at->second.admitted;
  }
  void write_refused(std::vector<Refused>& out) const { budget_.write_refused(out); }

 private:
  struct Entry {
    bool admitted = false;
    bool is_there = true;
  };
  void note(const AppKey& key);

  SeriesBudget budget_;
  std::map<AppKey, Entry> apps_;
};

}  // namespace flintgauge
