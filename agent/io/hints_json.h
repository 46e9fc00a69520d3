// The hints as JSON: the bodies of /api/v1/hints... The form is docs/hints.schema.json.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/time.h"

namespace flintgauge {

enum class HintPart : std::uint8_t { kAll, kHorizontal, kVertical, kBottleneck, kQuota, kSideways };

/// Everything the report says of one application; null = nothing.
struct HintsOfApp {
  const AppHint* horizontal = nullptr;
  const AppVerticalHint* vertical = nullptr;
  const AppBottleneck* bottleneck = nullptr;
  const AppQuota* quota = nullptr;
  const AppSideways* sideways = nullptr;
};
HintsOfApp hints_of(const Report& report, std::string_view namespace_name, std::string_view app_id);

/// The item of one application in a list of the report, or null.
template <typename Item>
const Item* find_app(const std::vector<Item>& items, std::string_view namespace_name,
                     std::string_view app_id) {
  const auto at = std::find_if(items.begin(), items.end(), [&](const Item& item) {
    return item.app.namespace_name == namespace_name && item.app.app_id == app_id;
  });
  return at == items.end() ? nullptr : &*at;
}

struct HintList {
  std::string_view only;  ///< of this namespace; empty: of all
  bool explain = false;   ///< every term of the formulas too
};
/// REQUIRES for all: `derived` is a published block of Shard::kDerived. Ages are as of `now`.
std::string hints_json(const Block& derived, const HintList& list, std::string_view node, const Now& now);

struct HintQuestion {
  HintPart part = HintPart::kAll;
  bool explain = false;  ///< every term of the formulas too
};
/// "" when nothing is known of that part.
std::string hint_json(const HintsOfApp& hints, const HintQuestion& question, const Block& derived,
                      const Now& now);

/// For an application that another node drives, where a sum over all agents is wanted: desired 0.
std::string absent_hint_json(std::string_view namespace_name, std::string_view app_id, const Now& now);

}  // namespace flintgauge
