// The JSON API: what one derived block says, as the bodies of /api/v1/. Ages are computed when asked, from
// `now`; everything else is as of the last evaluation. Numbers that are not known are null.
#pragma once

#include <string>
#include <string_view>

#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// REQUIRES for all: `derived` is a published block of Shard::kDerived.
std::string targets_json(const Block& derived, std::string_view node, const Now& now);
std::string apps_json(const Block& derived, std::string_view node, const Now& now);

/// {"error": message}.
std::string error_json(std::string_view message);

/// Word for people and the API: "up", "down", "not_offered", "not_asked" (yet), or "standby" for one that is
/// asked only while another fails.
std::string_view state_word(const TargetState& state);

/// "kubelet", "spark" or "companions".
std::string_view source_word(const Target& target);

/// "2026-01-31T23:59:59.123Z".
std::string timestamp_text(WallTime time);

}  // namespace flintgauge
