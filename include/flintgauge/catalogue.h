// The catalogue: every family the agent exposes, declared once. docs/metrics.md, dashboards, rules and the
// lint are checked against it. Naming rules: base units, unit suffix, _total on counters.
//
// To add a family: one row in the families_*.h it belongs to, then use family("flintgauge_...") where it is
// filled; a misspelt name does not compile. A page shows families in this order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "flintgauge/families_agent.h"
#include "flintgauge/families_hint.h"
#include "flintgauge/families_pod.h"
#include "flintgauge/families_spark.h"
#include "flintgauge/families_tool.h"
#include "flintgauge/family.h"

namespace flintgauge {

/// Every family, in the order of the page.
inline constexpr auto kCatalogue = [] {
  std::array<Family, kPodFamilies.size() + kSparkFamilies.size() + kToolFamilies.size() +
                         kHintFamilies.size() + kAgentFamilies.size()>
      all{};
  auto end = std::ranges::copy(kPodFamilies, all.begin()).out;
  end = std::ranges::copy(kSparkFamilies, end).out;
  end = std::ranges::copy(kToolFamilies, end).out;
  end = std::ranges::copy(kHintFamilies, end).out;
  std::ranges::copy(kAgentFamilies, end);
  return all;
}();

/// Index into kCatalogue.
enum class FamilyId : std::uint16_t {};

constexpr const Family& info(FamilyId id) { return kCatalogue[static_cast<std::size_t>(id)]; }

/// Compile-time lookup. A name that is not in the catalogue is a compile error.
consteval FamilyId family(std::string_view name) {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (kCatalogue[i].name == name) return static_cast<FamilyId>(i);
  }
  throw "no such family in the catalogue";
}

/// The unit a name ends in ("seconds", "bytes", "ratio", "cores"), before _total; "" when it has none.
constexpr std::string_view unit_of(const Family& entry) {
  std::string_view name = entry.name;
  if (name.ends_with("_total")) name.remove_suffix(6);
  for (const std::string_view unit : {std::string_view("seconds"), std::string_view("bytes"),
                                      std::string_view("ratio"), std::string_view("cores")}) {
    if (name.ends_with(unit) && name.size() > unit.size() && name[name.size() - unit.size() - 1] == '_')
      return unit;
  }
  return {};
}

/// docs/metrics.md, made from the table.
std::string catalogue_markdown();

}  // namespace flintgauge
