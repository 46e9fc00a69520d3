// How many series a tenant may cost. One tenant's excess is charged to that tenant: groups over its budget
// fold into its own `__overflow__` application, sums stay right, nobody else's series are touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flintgauge {

inline constexpr std::string_view kOverflowAppId = "__overflow__";

struct BudgetLimits {
  std::size_t app = 500;  ///< series of one application
  std::size_t namespace_ = 4'000;
  std::size_t node = 20'000;
};

/// What each of those that fill blocks may use. Fixed shares: nobody has to ask the others, and together
/// they stay within the whole. About as many applications fit into each share.
struct BudgetShares {
  BudgetLimits kubelet, spark, derived, tools;
};

constexpr BudgetShares shares_of(const BudgetLimits& whole) {
  const auto part = [&whole](std::size_t twelfths) {
    return BudgetLimits{whole.app * twelfths / 12, whole.namespace_ * twelfths / 12,
                        whole.node * twelfths / 12};
  };
  return {.kubelet = part(5), .spark = part(3), .derived = part(3), .tools = part(1)};
}

}  // namespace flintgauge
