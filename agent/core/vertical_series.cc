#include "agent/core/vertical_series.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace flintgauge {
namespace {

/// The families of a role.
struct Families {
  FamilyId memory, memory_lower, memory_upper, cpu, cpu_lower, cpu_upper, confidence;
};
constexpr Families kExecutor{.memory = family("flintgauge_hint_executor_memory_bytes"),
                             .memory_lower = family("flintgauge_hint_executor_memory_lower_bytes"),
                             .memory_upper = family("flintgauge_hint_executor_memory_upper_bytes"),
                             .cpu = family("flintgauge_hint_executor_cpu_cores"),
                             .cpu_lower = family("flintgauge_hint_executor_cpu_lower_cores"),
                             .cpu_upper = family("flintgauge_hint_executor_cpu_upper_cores"),
                             .confidence = family("flintgauge_hint_executor_confidence_ratio")};
constexpr Families kDriver{.memory = family("flintgauge_hint_driver_memory_bytes"),
                           .memory_lower = family("flintgauge_hint_driver_memory_lower_bytes"),
                           .memory_upper = family("flintgauge_hint_driver_memory_upper_bytes"),
                           .cpu = family("flintgauge_hint_driver_cpu_cores"),
                           .cpu_lower = family("flintgauge_hint_driver_cpu_lower_cores"),
                           .cpu_upper = family("flintgauge_hint_driver_cpu_upper_cores"),
                           .confidence = family("flintgauge_hint_driver_confidence_ratio")};

/// Off-heap and Python memory are parts only where they are in use.
bool has_part(const VerticalHint& hint, std::size_t part) {
  const bool is_optional = part == static_cast<std::size_t>(MemoryPart::kOffHeap) ||
                           part == static_cast<std::size_t>(MemoryPart::kPyspark);
  return hint.has_memory && (!is_optional || hint.target.bytes[part] > 0);
}

unsigned bits_of(const VerticalHint& hint) {
  unsigned bits = hint.has_cpu ? 1U : 0U;
  for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part)
    bits = bits << 1U | (has_part(hint, part) ? 1U : 0U);
  return bits;
}

unsigned bits_of(const AppVerticalHint& one) {
  constexpr unsigned kBits = kMemoryPartNames.size() + 1;
  return bits_of(one.hint) << kBits | (one.driver ? bits_of(one.driver->hint) : 0U);
}

void add(const AppKey& key, const VerticalHint& hint, const Families& families, SeriesList& list) {
  if (!hint.has_memory && !hint.has_cpu) return;
  const std::string_view ns = key.namespace_name;
  const std::string_view app = key.app_id;
  for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part) {
    if (!has_part(hint, part)) continue;
    list.add(families.memory, {ns, app, kMemoryPartNames[part]}, hint.target.bytes[part]);
    list.add(families.memory_lower, {ns, app, kMemoryPartNames[part]}, hint.lower.bytes[part]);
    list.add(families.memory_upper, {ns, app, kMemoryPartNames[part]}, hint.upper.bytes[part]);
  }
  if (hint.has_cpu) {
    list.add(families.cpu, {ns, app}, hint.cpu_target_cores);
    list.add(families.cpu_lower, {ns, app}, hint.cpu_lower_cores);
    list.add(families.cpu_upper, {ns, app}, hint.cpu_upper_cores);
  }
  list.add(families.confidence, {ns, app}, hint.confidence);
}

}  // namespace

void add_vertical(const AppVerticalHint& one, SeriesList& list) {
  add(one.app, one.hint, kExecutor, list);
  if (one.driver) add(one.app, one.driver->hint, kDriver, list);
}

bool take_shapes(const std::vector<AppVerticalHint>& items, std::vector<VerticalShape>& shapes) {
  const auto same = [](const AppVerticalHint& one, const VerticalShape& shape) {
    return one.app == shape.app && bits_of(one) == shape.bits;
  };
  if (std::ranges::equal(items, shapes, same)) return false;
  shapes.clear();
  for (const AppVerticalHint& item : items) shapes.push_back({item.app, bits_of(item)});
  return true;
}

}  // namespace flintgauge
