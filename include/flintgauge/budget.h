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

}  // namespace flintgauge
