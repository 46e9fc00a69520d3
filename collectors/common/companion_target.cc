#include "collectors/common/companion_target.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "collectors/common/spark_target.h"
#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

constexpr std::size_t kBodyLimit = 4UL * 1024 * 1024;
constexpr std::int64_t kMinTimeoutMs = 2'000;
constexpr std::int64_t kMaxTimeoutMs = 10'000;  // JMX exporters take seconds on a busy node
constexpr std::int64_t kUiTimeoutMs = 30'000;   // a Spark UI's first answer is slow, like a driver's
constexpr std::int64_t kMinTtlMs = 60'000;
constexpr std::string_view kMasterPort = "8080";  // spark.master.ui.port
constexpr std::string_view kWorkerPort = "8081";  // spark.worker.ui.port

}  // namespace

std::string companion_host(const Pod& pod, const Discovery& discovery) {
  if (pod.phase != Phase::kRunning || pod.host_network || pod.ips.empty()) return "";
  return url_host_of_pod(pod.ips.front(), pod.host_ip, discovery.allow_loopback);
}

Target companion_target(const Pod& pod, const Discovery& discovery, std::string_view collector,
                        std::string url, Expect expect) {
  const std::int64_t interval = discovery.companions_interval_ms;
  Target target;
  target.collector = collector;
  target.key = target.collector + "/" + pod.namespace_name + "/" + pod.name;
  target.url = std::move(url);
  target.expect = expect;
  target.body_limit = kBodyLimit;
  target.pace = {.interval_ms = interval,
                 .timeout_ms = std::clamp(interval * 8 / 10, kMinTimeoutMs, kMaxTimeoutMs),
                 .first_timeout_ms = kMaxTimeoutMs,
                 .ttl_ms = std::max(kMinTtlMs, 3 * interval)};
  target.app.namespace_name = pod.namespace_name;
  target.pod_uid = pod.uid;
  target.pod_created = pod.created_at;
  return target;
}

std::vector<ClusterUi> cluster_uis(const Discovery& discovery) {
  std::vector<ClusterUi> uis;
  if (discovery.pods == nullptr) return uis;
  for (const Pod& pod : discovery.pods->pods) {
    const PodIdentity identity = identify(pod);
    if (!identity.is_master && !identity.is_worker) continue;
    if (!companion_host(pod, discovery).empty()) uis.push_back({&pod, identity.is_worker});
  }
  return uis;
}

Target cluster_target(const ClusterUi& ui, const Discovery& discovery, std::string_view collector,
                      std::string_view path, Expect expect) {
  const Pod& pod = *ui.pod;
  const bool names_ui = pod.annotation("prometheus.io/path").starts_with("/metrics/");
  int port = names_ui ? allowed_port(pod.annotation("prometheus.io/port"), discovery.own_ports) : 0;
  if (port == 0) port = allowed_port(ui.is_worker ? kWorkerPort : kMasterPort, discovery.own_ports);
  std::string url =
      "http://" + companion_host(pod, discovery) + ":" + std::to_string(port) + std::string(path);
  Target target = companion_target(pod, discovery, collector, std::move(url), expect);
  target.pace.first_timeout_ms = kUiTimeoutMs;
  target.workload = identify(pod).cluster_name;
  return target;
}

}  // namespace flintgauge
