#include "agent/core/app_sideways.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace flintgauge {
namespace {

constexpr auto kCores = family("flintgauge_node_cpu_capacity_cores");
constexpr auto kMemory = family("flintgauge_node_memory_capacity_bytes");
constexpr double kMostPods = std::numeric_limits<double>::infinity();  // the kubelet's limit is not told

std::optional<double> node_value(const Block& kubelet, FamilyId family_id) {
  const auto [first, last] = kubelet.schema->range(family_id);
  if (first == last) return std::nullopt;
  return kubelet.values[first];
}

NodeResources left(const NodeResources& whole, const NodeResources& part) {
  return {std::max(0.0, whole.cpu_cores - part.cpu_cores),
          std::max(0.0, whole.memory_bytes - part.memory_bytes), whole.pods};
}

}  // namespace

void append_sideways(const Block* kubelet, const AppTable& apps, std::vector<AppSideways>& out) {
  if (kubelet == nullptr || kubelet->schema == nullptr) return;
  const std::optional<double> cores = node_value(*kubelet, kCores);
  const std::optional<double> memory = node_value(*kubelet, kMemory);
  if (!cores || !memory) return;
  const NodeResources capacity{*cores, *memory, kMostPods};
  for (const App& app : apps.apps()) {
    if (app.executor.pods <= 0 || (app.executor.cpu_cores <= 0 && app.executor.memory_bytes <= 0)) continue;
    AppSideways& one = out.emplace_back();
    one.app = app.key;
    one.capacity = capacity;
    one.daemonsets = apps.daemonsets();
    one.requested = apps.requested();
    one.executor = app.executor;
    one.packing = pack(left(capacity, one.daemonsets), app.executor);
    one.free_executors = pack(left(capacity, one.requested), app.executor).executors;
  }
}

}  // namespace flintgauge
