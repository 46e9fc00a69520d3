#include "agent/core/vertical_series.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace flintgauge {
namespace {

constexpr auto kMemory = family("flintgauge_hint_executor_memory_bytes");
constexpr auto kMemoryLower = family("flintgauge_hint_executor_memory_lower_bytes");
constexpr auto kMemoryUpper = family("flintgauge_hint_executor_memory_upper_bytes");
constexpr auto kCpu = family("flintgauge_hint_executor_cpu_cores");
constexpr auto kCpuLower = family("flintgauge_hint_executor_cpu_lower_cores");
constexpr auto kCpuUpper = family("flintgauge_hint_executor_cpu_upper_cores");
constexpr auto kVerticalConfidence = family("flintgauge_hint_executor_confidence_ratio");

/// Off-heap and Python memory are parts only where they are in use.
bool has_part(const VerticalHint& hint, std::size_t part) {
  const bool is_optional = part == static_cast<std::size_t>(MemoryPart::kOffHeap) ||
                           part == static_cast<std::size_t>(MemoryPart::kPyspark);
  return hint.has_memory && (!is_optional || hint.target.bytes[part] > 0);
}

VerticalShape shape_of(const AppVerticalHint& one) {
  unsigned bits = one.hint.has_cpu ? 1U : 0U;
  for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part)
    bits = bits << 1U | (has_part(one.hint, part) ? 1U : 0U);
  return {one.app, bits};
}

}  // namespace

void add_vertical(const AppVerticalHint& one, SeriesList& list) {
  const std::string_view ns = one.app.namespace_name;
  const std::string_view app = one.app.app_id;
  for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part) {
    if (!has_part(one.hint, part)) continue;
    list.add(kMemory, {ns, app, kMemoryPartNames[part]}, one.hint.target.bytes[part]);
    list.add(kMemoryLower, {ns, app, kMemoryPartNames[part]}, one.hint.lower.bytes[part]);
    list.add(kMemoryUpper, {ns, app, kMemoryPartNames[part]}, one.hint.upper.bytes[part]);
  }
  if (one.hint.has_cpu) {
    list.add(kCpu, {ns, app}, one.hint.cpu_target_cores);
    list.add(kCpuLower, {ns, app}, one.hint.cpu_lower_cores);
    list.add(kCpuUpper, {ns, app}, one.hint.cpu_upper_cores);
  }
  list.add(kVerticalConfidence, {ns, app}, one.hint.confidence);
}

bool take_shapes(const std::vector<AppVerticalHint>& items, std::vector<VerticalShape>& shapes) {
  const auto same = [](const AppVerticalHint& one, const VerticalShape& shape) {
    return one.app == shape.app && shape_of(one).bits == shape.bits;
  };
  if (std::ranges::equal(items, shapes, same)) return false;
  shapes.clear();
  for (const AppVerticalHint& item : items) shapes.push_back(shape_of(item));
  return true;
}

}  // namespace flintgauge
