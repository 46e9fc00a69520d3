// Times as Kubernetes and Spark write them.
#pragma once

#include <optional>
#include <string_view>

#include "flintgauge/time.h"

namespace flintgauge {

/// "2026-11-22T18:55:57Z", with a fraction (cut to milliseconds) or an offset "+01:00" too (RFC 3339).
/// nullopt for anything else, and for Kubernetes' zero time 0001-01-01T00:00:00Z, which means "never".
/// Pure; no allocation.
std::optional<WallTime> parse_rfc3339(std::string_view text);

/// "2026-11-22T19:02:19.440GMT", as Spark's REST pages write times: always that zone. nullopt for anything
/// else, and for times before 1970: "1969-12-31T23:59:59.999GMT" means "not yet". Pure; no allocation.
std::optional<WallTime> parse_spark_time(std::string_view text);

}  // namespace flintgauge
