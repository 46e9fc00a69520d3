// The kubelet's /metrics/resource: CPU, memory and start time of containers, CPU and memory of the node.
// Small and cheap; asked only while /metrics/cadvisor fails (kubelet-cadvisor.md section 4.1).
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/common/kubelet_target.h"
#include "collectors/common/text_decoder.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kTimeoutMs = 5'000;

std::optional<Measure> measure_of(std::string_view name) {
  if (name == "container_cpu_usage_seconds_total" || name == "node_cpu_usage_seconds_total") {
    return Measure::kCpuUsageSeconds;
  }
  if (name == "container_memory_working_set_bytes" || name == "node_memory_working_set_bytes") {
    return Measure::kMemoryWorkingSetBytes;
  }
  if (name == "container_start_time_seconds") return Measure::kStartTimeSeconds;
  // Both spellings from 1.29 on, until the old one goes.
  if (name == "resource_scrape_error" || name == "scrape_error") return Measure::kScrapeError;
  return std::nullopt;
}

/// Rows of the node have no labels; rows of pods are not wanted by name.
std::optional<Route> route_of(Measure measure, std::span<const Label> labels) {
  Route route;
  route.measure = measure;
  if (labels.empty()) {
    if (measure == Measure::kStartTimeSeconds) return std::nullopt;
    route.scope = Scope::kNode;
    return route;
  }
  route.scope = Scope::kContainer;
  route.namespace_name = find_label(labels, "namespace");
  route.pod = find_label(labels, "pod");
  route.container = find_label(labels, "container");
  if (route.pod.empty() || route.container.empty()) return std::nullopt;
  return route;
}

class KubeletResource final : public Collector {
 public:
  std::string_view name() const override { return "kubelet_resource"; }
  SourceKind source() const override { return SourceKind::kKubelet; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    Target target = kubelet_target(discovery, name(), "/metrics/resource", Expect::kText,
                                   discovery.kubelet_interval_ms, kTimeoutMs);
    target.fallback_of = "cadvisor";
    return {target};
  }

  std::unique_ptr<Decoder> make_decoder(const Target& /*target*/) const override {
    return make_text_decoder({.measure = measure_of,
                              .route = route_of,
                              .limits = kKubeletTextLimits,
                              .routes = KeepRoutes::kUntilRead});
  }
};

}  // namespace

std::unique_ptr<Collector> make_kubelet_resource() { return std::make_unique<KubeletResource>(); }

}  // namespace flintgauge
