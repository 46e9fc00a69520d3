// Spark's settings that a hint needs, read from their text. Everything else is not looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "flintgauge/spark.h"

namespace flintgauge {

/// "512m", "1g", "896" (of `unit` bytes): whole numbers with b, k, kb, m, mb, g, gb, t, tb, p or pb, any case
/// (JavaUtils.byteStringAs). Nothing for other text.
std::optional<double> parse_spark_bytes(std::string_view text, double unit);

/// "60s", "5min", "100ms", "60" (seconds): us, ms, s, m, min, h, d (JavaUtils.timeStringAs). Nothing for
/// other text; so "infinity", the default of some timeouts, is as good as not set.
std::optional<double> parse_spark_seconds(std::string_view text);

enum class SettingVerdict : std::uint8_t { kKept, kNotWanted, kUnreadable };

/// Takes one property of sparkProperties.
SettingVerdict take_spark_property(SparkSettings& settings, std::string_view key, std::string_view value);

/// Takes one property of metricsProperties (Spark 3.4+), where keys have no "spark.metrics.conf.".
SettingVerdict take_metrics_property(SparkSettings& settings, std::string_view key, std::string_view value);

}  // namespace flintgauge
