// A driver's /metrics/json/ read slowly: a walk over the tree, every name parsed by the slow twin.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "support/json_reference.h"
#include "support/slow_registry.h"

namespace flintgauge::reference {

/// "measure scope container value" of each wanted number, in the order of the document.
using MetricsJson = std::vector<std::string>;

inline std::string describe(const Route& route, double value) {
  return std::to_string(static_cast<int>(route.measure)) + " " +
         std::to_string(static_cast<int>(route.scope)) + " " + route.container + " " + std::to_string(value);
}

inline MetricsJson describe(const SampleBatch& batch) {
  MetricsJson out;
  for (const Sample& sample : batch.samples)
    out.push_back(describe(batch.routes[sample.series], sample.value));
  return out;
}

inline void add_section(const Json& section, std::string_view field, RegistryKind kind,
                        const std::string& known, MetricsJson& out) {
  for (const auto& [name, member] : section.members) {
    const Json* number = member.find(field);
    if (number == nullptr || number->type != Json::Type::kNumber) continue;
    if (slow_registry_name(name, "", known).find("|driver|") == std::string::npos) continue;
    const auto parsed = parse_registry_name(name, {}, known);
    const RegistryMetric* metric =
        parsed && parsed->instance == "driver" ? find_registry_metric(*parsed) : nullptr;
    if (metric == nullptr || metric->kind != kind) continue;
    double value = 0;
    const std::string& text = number->text;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{} || value < 0)
      continue;
    out.push_back(describe(registry_route(*metric, "driver", parsed->query), to_base(metric->unit, value)));
  }
}

inline std::optional<MetricsJson> metrics_json(const Json& tree, const std::string& known = "") {
  if (tree.type != Json::Type::kObject) return std::nullopt;
  const Json* gauges = tree.find("gauges");
  if (gauges == nullptr || gauges->type != Json::Type::kObject) return std::nullopt;
  MetricsJson out;
  for (const auto& [name, member] : tree.members) {
    if (name == "gauges") add_section(member, "value", RegistryKind::kGauge, known, out);
    if (name == "counters") add_section(member, "count", RegistryKind::kCounter, known, out);
  }
  return out;
}

}  // namespace flintgauge::reference
