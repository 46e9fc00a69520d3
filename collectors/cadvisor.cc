// The kubelet's /metrics/cadvisor: usage of every container on the node, network of every pod.
//
// Wanted rows (kubelet-cadvisor.md sections 3.1, 3.4 and 8.1): containers, for network the pods' sandboxes,
// for CPU and memory also the node's root cgroup. Never the pod cgroups and slices: they repeat their
// members. Takes the labels of the kubelet of all versions, of the CRI-fed kubelet and of cAdvisor by itself;
// rows without pod labels are told by their cgroup path.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/kubelet_target.h"
#include "collectors/common/text_decoder.h"
#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kTimeoutMs = 10'000;

struct Wanted {
  std::string_view name;
  Measure measure;
};

// Sorted by name.
constexpr auto kWanted = std::to_array<Wanted>({
    {"container_cpu_cfs_periods_total", Measure::kCpuCfsPeriods},
    {"container_cpu_cfs_throttled_periods_total", Measure::kCpuCfsThrottledPeriods},
    {"container_cpu_cfs_throttled_seconds_total", Measure::kCpuCfsThrottledSeconds},
    {"container_cpu_usage_seconds_total", Measure::kCpuUsageSeconds},
    {"container_fs_reads_bytes_total", Measure::kFsReadBytes},
    {"container_fs_writes_bytes_total", Measure::kFsWrittenBytes},
    {"container_memory_cache", Measure::kMemoryCacheBytes},
    {"container_memory_failures_total", Measure::kMemoryMajorPageFaults},
    {"container_memory_rss", Measure::kMemoryRssBytes},
    {"container_memory_swap", Measure::kMemorySwapBytes},
    {"container_memory_working_set_bytes", Measure::kMemoryWorkingSetBytes},
    {"container_network_receive_bytes_total", Measure::kNetworkReceiveBytes},
    {"container_network_receive_errors_total", Measure::kNetworkReceiveErrors},
    {"container_network_receive_packets_dropped_total", Measure::kNetworkReceiveDropped},
    {"container_network_transmit_bytes_total", Measure::kNetworkTransmitBytes},
    {"container_network_transmit_errors_total", Measure::kNetworkTransmitErrors},
    {"container_network_transmit_packets_dropped_total", Measure::kNetworkTransmitDropped},
    {"container_oom_events_total", Measure::kOomEvents},
    {"container_pressure_cpu_stalled_seconds_total", Measure::kPressureCpuStalledSeconds},
    {"container_pressure_cpu_waiting_seconds_total", Measure::kPressureCpuWaitingSeconds},
    {"container_pressure_io_stalled_seconds_total", Measure::kPressureIoStalledSeconds},
    {"container_pressure_io_waiting_seconds_total", Measure::kPressureIoWaitingSeconds},
    {"container_pressure_memory_stalled_seconds_total", Measure::kPressureMemoryStalledSeconds},
    {"container_pressure_memory_waiting_seconds_total", Measure::kPressureMemoryWaitingSeconds},
    {"container_scrape_error", Measure::kScrapeError},
    {"container_start_time_seconds", Measure::kStartTimeSeconds},
    {"machine_cpu_cores", Measure::kMachineCpuCores},
    {"machine_memory_bytes", Measure::kMachineMemoryBytes},
    {"machine_scrape_error", Measure::kScrapeError},
});
static_assert(std::ranges::is_sorted(kWanted, {}, &Wanted::name));

std::optional<Measure> measure_of(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kWanted, name, {}, &Wanted::name);
  if (found == kWanted.end() || found->name != name) return std::nullopt;
  return found->measure;
}

constexpr bool is_network(Measure measure) {
  return measure >= Measure::kNetworkReceiveBytes && measure <= Measure::kNetworkTransmitDropped;
}

/// Measures that the root cgroup has for the node. Of pressure and swap it tells whether the node measures
/// them at all.
constexpr bool is_of_node(Measure measure) {
  return measure == Measure::kCpuUsageSeconds ||
         (measure >= Measure::kPressureCpuWaitingSeconds && measure <= Measure::kPressureIoStalledSeconds) ||
         (measure >= Measure::kMemoryWorkingSetBytes && measure <= Measure::kMemorySwapBytes);
}

constexpr bool is_of_machine(Measure measure) {
  return measure == Measure::kMachineCpuCores || measure == Measure::kMachineMemoryBytes ||
         measure == Measure::kScrapeError;
}

/// The labels of a row that matter, in every dialect. Views into the labels.
struct Row {
  std::string_view id, name, image, pod, namespace_name, container, pod_uid;
  std::string_view interface, failure_type, scope;
  bool has_name = false;
};

struct RowLabel {
  std::string_view label;
  std::string_view Row::*field;
};

constexpr auto kRowLabels = std::to_array<RowLabel>({
    {"container", &Row::container},
    {"id", &Row::id},
    {"image", &Row::image},
    {"name", &Row::name},
    {"namespace", &Row::namespace_name},
    {"pod", &Row::pod},
    {"interface", &Row::interface},
    {"failure_type", &Row::failure_type},
    {"scope", &Row::scope},
    {"pod_name", &Row::pod},  // before Kubernetes 1.16
    {"container_name", &Row::container},
    {"container_label_io_kubernetes_pod_name", &Row::pod},  // cAdvisor by itself
    {"container_label_io_kubernetes_pod_namespace", &Row::namespace_name},
    {"container_label_io_kubernetes_container_name", &Row::container},
    {"container_label_io_kubernetes_pod_uid", &Row::pod_uid},
});

Row read_row(std::span<const Label> labels) {
  Row row;
  for (const Label& label : labels) {
    const auto* const known = std::ranges::find(kRowLabels, label.name, &RowLabel::label);
    if (known == kRowLabels.end()) continue;
    row.has_name = row.has_name || known->field == &Row::name;
    if ((row.*(known->field)).empty()) row.*(known->field) = label.value;
  }
  return row;
}

/// What the row describes; nothing for slices and pod cgroups. The tests come in the order of section 3.1.
std::optional<Scope> scope_of(const Row& row, const CgroupIds& ids) {
  if (row.container == "POD") return Scope::kSandbox;
  if (!row.container.empty()) return Scope::kContainer;
  if (row.pod.empty()) {
    // No labels at all: a cgroup below a pod's is a container, or the sandbox, which the pod list can tell
    // apart.
    const bool is_in_pod = !ids.container_id.empty() && !ids.pod_uid.empty();
    return is_in_pod ? std::optional(Scope::kContainer) : std::nullopt;
  }
  if (!row.image.empty() || !row.name.empty()) return Scope::kSandbox;
  const bool is_cri_fed = !row.has_name && !ids.container_id.empty() && ids.pod_uid.empty();
  return is_cri_fed ? std::optional(Scope::kSandbox) : std::nullopt;
}

bool is_wanted(Measure measure, const Row& row, Scope scope) {
  if (is_network(measure)) return scope == Scope::kSandbox && row.interface != "lo";
  if (measure == Measure::kMemoryMajorPageFaults &&
      (row.failure_type != "pgmajfault" || row.scope != "container")) {
    return false;  // scope="hierarchy" repeats scope="container"
  }
  return scope == Scope::kContainer;
}

bool is_container_id(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Route route_to(Measure measure, Scope scope) {
  Route route;
  route.measure = measure;
  route.scope = scope;
  return route;
}

std::optional<Route> route_of(Measure measure, std::span<const Label> labels) {
  if (is_of_machine(measure)) return route_to(measure, Scope::kNode);
  const Row row = read_row(labels);
  if (row.id == "/") {
    if (!is_of_node(measure)) return std::nullopt;
    return route_to(measure, Scope::kNode);
  }
  CgroupIds ids = parse_cgroup_path(row.id);
  const std::optional<Scope> scope = scope_of(row, ids);
  if (!scope || !is_wanted(measure, row, *scope)) return std::nullopt;
  Route route = route_to(measure, *scope);
  route.namespace_name = row.namespace_name;
  route.pod = row.pod;
  if (*scope == Scope::kContainer) route.container = row.container;
  route.container_id = ids.container_id;
  if (ids.container_id.empty() && is_container_id(row.name)) route.container_id = row.name;
  route.pod_uid = ids.pod_uid.empty() ? std::string(row.pod_uid) : std::move(ids.pod_uid);
  return route;
}

class Cadvisor final : public Collector {
 public:
  std::string_view name() const override { return "cadvisor"; }
  SourceKind source() const override { return SourceKind::kKubelet; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    return {kubelet_target(discovery, name(), "/metrics/cadvisor", Expect::kText,
                           discovery.kubelet_interval_ms, kTimeoutMs)};
  }

  std::unique_ptr<Decoder> make_decoder(const Target& /*target*/) const override {
    return make_text_decoder({.measure = measure_of,
                              .route = route_of,
                              .limits = kKubeletTextLimits,
                              .routes = KeepRoutes::kUntilRead});
  }
};

}  // namespace

std::unique_ptr<Collector> make_cadvisor() { return std::make_unique<Cadvisor>(); }

}  // namespace flintgauge
