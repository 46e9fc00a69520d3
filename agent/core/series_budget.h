// Who may have how many series. Private to the folds.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/budget.h"

namespace flintgauge {

/// Reservations of series per application, namespace and node. Series are reserved when a group begins, as
/// many as it can ever have, so nobody loses a series later to somebody else's growth. One thread.
class SeriesBudget {
 public:
  struct Use {
    std::size_t series = 0;
    double refused = 0;  ///< applications (per role) and claims that had to go to the overflow
    std::map<std::string, std::size_t, std::less<>> apps;
  };

  explicit SeriesBudget(const BudgetLimits& limits) : limits_(limits) {}

  /// Reserves `series` for the application unless that passes a limit; a refusal is counted.
  bool admit(std::string_view namespace_name, std::string_view app_id, std::size_t series);

  /// Whether `series` more would pass no limit.
  bool fits(std::string_view namespace_name, std::string_view app_id, std::size_t series) const;

  /// Counts something that got no series of its own. REQUIRES: the namespace has a reservation.
  void refuse(std::string_view namespace_name, std::size_t times);

  /// Reserves without asking: for what is bounded by the number of namespaces (their own groups, overflow).
  void charge(std::string_view namespace_name, std::string_view app_id, std::size_t series);

  /// Gives back what admit or charge reserved. A namespace without reservations is forgotten.
  void release(std::string_view namespace_name, std::string_view app_id, std::size_t series);

  const std::map<std::string, Use, std::less<>>& namespaces() const { return namespaces_; }

  /// The namespaces that were refused something, sorted by name. Allocates only for new ones.
  void write_refused(std::vector<Refused>& out) const;

 private:
  BudgetLimits limits_;
  std::size_t series_ = 0;
  std::map<std::string, Use, std::less<>> namespaces_;
};

}  // namespace flintgauge
