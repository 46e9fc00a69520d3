#include "flintgauge/pod.h"

#include <algorithm>
#include <array>
#include <limits>

namespace flintgauge {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using Amount = std::optional<std::int64_t>;
using Field = Amount Resources::*;

std::string_view find(const Labels& labels, std::string_view name) {
  const auto place =
      std::lower_bound(labels.begin(), labels.end(), name,
                       [](const auto& label, std::string_view key) { return label.first < key; });
  return place != labels.end() && place->first == name ? std::string_view(place->second) : std::string_view();
}

/// Absent plus absent is absent. Sums of hostile amounts stay at the largest number.
Amount plus(const Amount& a, const Amount& b) {
  if (!a) return b;
  if (!b) return a;
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(*a, *b, &sum)) return sum;
  return *a > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

Amount field_of(const std::optional<Resources>& resources, Field field) {
  return resources ? (*resources).*field : Amount();
}

/// What the scheduler and quotas count for one container (KEP-1287). std::max of optionals: absent is least.
Amount container_request(const Container& container, bool resize_infeasible, Field field) {
  const Amount held =
      std::max(field_of(container.allocated, field), field_of(container.actual_requests, field));
  if (resize_infeasible && held) return held;
  return std::max(container.requests.*field, held);
}

/// What the cgroup enforces now; the wish of the spec where the kubelet does not say.
Amount container_limit(const Container& container, Field field) {
  const Amount actual = field_of(container.actual_limits, field);
  return actual ? actual : container.limits.*field;
}

/// KEP-753: the pod needs the larger of its running phase and the hungriest moment of its start. While init
/// container i runs, the sidecars before it run too. `amount_of` gives the amount of one container.
template <typename AmountOf>
Amount aggregate(const Pod& pod, AmountOf amount_of) {
  Amount running;
  Amount sidecars;
  Amount peak_of_start;
  for (const Container& container : pod.containers) {
    const Amount amount = amount_of(container);
    switch (container.kind) {
      case ContainerKind::kRegular:
        running = plus(running, amount);
        break;
      case ContainerKind::kSidecar:
        sidecars = plus(sidecars, amount);
        break;
      case ContainerKind::kInit:
        if (amount) peak_of_start = std::max(peak_of_start, plus(amount, sidecars));
        break;
      case ContainerKind::kEphemeral:
        break;  // they have no resources of their own
    }
  }
  return std::max(plus(running, sidecars), peak_of_start);
}

constexpr std::array<Field, 2> kFields = {&Resources::cpu_millicores, &Resources::memory_bytes};

}  // namespace

std::string_view Pod::label(std::string_view label_name) const { return find(labels, label_name); }

std::string_view Pod::annotation(std::string_view annotation_name) const {
  return find(annotations, annotation_name);
}

Resources effective_requests(const Pod& pod) {
  Resources result;
  for (const Field field : kFields) {
    const auto amount_of = [&](const Container& container) {
      return container_request(container, pod.resize_infeasible, field);
    };
    const Amount stated = pod.pod_requests.*field;
    result.*field = plus(stated ? stated : aggregate(pod, amount_of), pod.overhead.*field);
  }
  return result;
}

Resources effective_limits(const Pod& pod) {
  Resources result;
  for (const Field field : kFields) {
    const auto amount_of = [&](const Container& container) { return container_limit(container, field); };
    const Amount stated = pod.pod_limits.*field;
    const Amount limit = stated ? stated : aggregate(pod, amount_of);
    if (limit) result.*field = plus(limit, pod.overhead.*field);  // overhead alone limits nothing
  }
  return result;
}

}  // namespace flintgauge
