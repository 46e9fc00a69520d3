// Which Spark drivers run on this node, and where their web UI may be asked. Shared by every collector that
// reads a driver, so that the address policy exists once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"

namespace flintgauge {

/// The web UI of one driver. `base_url` is "http://10.244.0.9:4040" or "http://[fd00::9]:4040".
struct SparkDriver {
  AppKey app;
  std::string pod_uid;
  std::string base_url;
  std::string
      annotated_path;  ///< prometheus.io/path when it is one of the UI's pages, below /metrics/; or ""
  WallTime started{};  ///< of its youngest container that runs; ms 0 = not told
};

/// A driver's or executor's JVM with a JMX exporter in it.
struct SparkJvm {
  AppKey app;
  std::string pod_uid;
  std::string executor_id;  ///< "" for the driver
  std::string url;          ///< of the exporter's page
};

/// Pods of applications that are annotated prometheus.io/scrape: "true" with a page that is not one of the UI
/// (prometheus.io/path, "/metrics" when absent) on prometheus.io/port (8090 when absent, as the operators
/// have it). No port need be declared. Same rules for addresses and ports as for drivers; sorted. Pure.
std::vector<SparkJvm> spark_jvms(const Discovery& discovery);

/// Most that all collectors together ask of a driver in one round (spark.interval), stand-ins not counted: a
/// test adds up their targets. Long lists are asked for in some rounds only, settings once.
inline constexpr double kRequestsPerRound = 6;

/// Drivers of discovery.pods that may be asked: labels name a driver and an application, phase Running,
/// network of its own, and a first IP that url_host_of_pod() accepts. One per application (of several pods
/// that claim the same one, the youngest); sorted by application. Pure.
std::vector<SparkDriver> spark_drivers(const Discovery& discovery);

/// Drivers among discovery.pods that are not asked because of their address: the node's own network, or one
/// that no pod can honestly have. Sorted. Pure.
std::vector<Refusal> refused_drivers(const Discovery& discovery);

/// "COLLECTOR/NAMESPACE/APPID": the key of a driver's page, and what another page names as the one it stands
/// in for.
std::string spark_target_key(std::string_view collector, const AppKey& app);

/// The target for one page of a driver: its key as above, limits for tenants' pods
/// (reliability-security.md section 0.1), a first request with the patience a starting driver needs.
Target spark_target(const SparkDriver& driver, const Discovery& discovery, std::string_view collector,
                    std::string_view path, Expect expect);

/// The same for what does not change while the driver lives: asked until it has answered, then once a day.
Target spark_target_once(const SparkDriver& driver, const Discovery& discovery, std::string_view collector,
                         std::string_view path);

/// The address as it stands in a URL (IPv6 in brackets, IPv4-mapped IPv6 as IPv4), or "" when a pod cannot
/// honestly have it: no numeric address, loopback (unless allowed), link-local (cloud metadata), multicast,
/// unspecified, reserved, or equal to `host_ip`. Rule 18 of reliability-security.md section 2A.
std::string url_host_of_pod(std::string_view ip, std::string_view host_ip, bool allow_loopback);

/// The number in 1..65535 that `text` is, unless a kubelet, etcd or API server uses that port, or this
/// program, `own_ports` (rule 17 of the same section); else 0.
int allowed_port(std::string_view text, const std::vector<int>& own_ports);

/// Port of the driver's UI: the container port "spark-ui" where the pod declares one, else 4040; or
/// annotation prometheus.io/port when prometheus.io/path names a page below /metrics/ (the UI's pages; plain
/// /metrics is the JMX agent's, on a port of its own) and the port is an allowed one.
int spark_ui_port(const Pod& pod, const std::vector<int>& own_ports);

}  // namespace flintgauge
