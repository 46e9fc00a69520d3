// Kubernetes resource.Quantity: "500m", "200Mi", "1.5", "129e6".
// Grammar and rounding: kubernetes/apimachinery pkg/api/resource/quantity.go, suffix.go.
// Pure; no allocation on success.
#pragma once

#include <cstdint>
#include <string_view>

#include "flintgauge/error.h"

namespace flintgauge {

/// The quantity in thousandths, rounded away from zero (Quantity.MilliValue): "0.5" -> 500, "1n" -> 1.
/// Magnitudes beyond int64 saturate. Anything else ("1K", "1 Mi", "") gives Reason::kParse.
/// Exact up to 35 digits; a digit after the 35th only rounds up.
Result<std::int64_t> parse_milli(std::string_view text);

/// The quantity in whole units, rounded away from zero (Quantity.Value): "1.5Gi" -> 1610612736, "1m" -> 1.
Result<std::int64_t> parse_whole(std::string_view text);

}  // namespace flintgauge
