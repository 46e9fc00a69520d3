// REST streaming/statistics read the slow way, from a tree.
#pragma once

#include <optional>
#include <string>

#include "support/spark_reference.h"

namespace flintgauge::reference {

inline std::string describe_streaming(const SampleBatch& batch) {
  std::string out;
  for (const Sample& sample : batch.samples)
    out += std::to_string(static_cast<int>(batch.routes[sample.series].measure)) + " " +
           std::to_string(sample.value) + "\n";
  return out;
}

inline std::optional<double> positive_at(const Json& document, std::string_view name) {
  const Json* found = at(&document, {name});
  if (found == nullptr || found->type != Type::kNumber) return std::nullopt;
  double value = -1;
  const std::string& text = found->text;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{} || value < 0)
    return std::nullopt;
  return value;
}

inline std::optional<std::string> streaming(const Json& document) {
  if (document.type != Type::kObject || !positive_at(document, "batchDuration")) return std::nullopt;
  std::string out;
  const auto add = [&](std::string_view name, Measure measure, double unit) {
    const auto value = positive_at(document, name);
    if (value) out += std::to_string(static_cast<int>(measure)) + " " + std::to_string(*value / unit) + "\n";
  };
  add("avgInputRate", Measure::kQueryInputRowsPerSecond, 1);
  add("avgProcessingTime", Measure::kQueryBatchSeconds, 1e3);
  add("avgSchedulingDelay", Measure::kQueryLagSeconds, 1e3);
  return out;
}

}  // namespace flintgauge::reference
