#include "collectors/common/spark_target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <tuple>

#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

constexpr int kDefaultUiPort = 4040;   // spark.ui.port
constexpr int kDefaultJmxPort = 8090;  // of kubeflow's operator
constexpr std::string_view kPathAnnotation = "prometheus.io/path";
constexpr std::string_view kUiPages = "/metrics/";
// kubelet, kubelet read-only, kube-proxy, etcd client and peer, API server.
constexpr std::array kDeniedPorts = {10250, 10255, 10256, 2379, 2380, 6443};
constexpr std::size_t kBodyLimit = 8UL * 1024 * 1024;
// What a driver has to write in a second for one page. The load is measured by `./dev e2e spark --workload
// load`.
constexpr std::int64_t kBytesPerSecond = 128L * 1024;
constexpr std::int64_t kMinTimeoutMs = 2'000;
constexpr std::int64_t kMaxTimeoutMs = 10'000;
constexpr std::int64_t kFirstTimeoutMs = 30'000;  // a driver's UI warms up: spark.md section 0.1
constexpr std::int64_t kMinTtlMs = 60'000;

/// Network byte order; IPv4 in the last four bytes after ::ffff.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4 = false;
  bool operator==(const Address&) const = default;
};

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// inet_pton and inet_ntop only convert text; no socket is involved.
bool parse_address(std::string_view text, Address& out) {
  const std::string owned(text);
  if (inet_pton(AF_INET, owned.c_str(), out.bytes.data() + 12) == 1) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
    out.is_v4 = true;
    return owned.size() == std::strlen(owned.c_str());
  }
  if (inet_pton(AF_INET6, owned.c_str(), out.bytes.data()) != 1) return false;
  out.is_v4 = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), out.bytes.begin());
  return owned.size() == std::strlen(owned.c_str());
}

bool is_loopback(const Address& a) {
  if (a.is_v4) return a.bytes[12] == 127;
  return std::all_of(a.bytes.begin(), a.bytes.end() - 1, [](std::uint8_t b) { return b == 0; }) &&
         a.bytes[15] == 1;
}

bool is_unusable(const Address& a) {
  if (a.is_v4) {
    const std::uint8_t first = a.bytes[12];
    return first == 0 || first >= 224 || (first == 169 && a.bytes[13] == 254);
  }
  if (a.bytes[0] == 0xff) return true;                                // multicast
  if (a.bytes[0] == 0xfe && (a.bytes[1] & 0x80U) != 0U) return true;  // link-local and site-local
  // ::/96 (unspecified, IPv4-compatible) and 64:ff9b::/96 (NAT64) hide an IPv4 address in an IPv6 one.
  const bool zero_head =
      std::all_of(a.bytes.begin(), a.bytes.begin() + 12, [](std::uint8_t b) { return b == 0; });
  const bool nat64 = a.bytes[0] == 0 && a.bytes[1] == 0x64 && a.bytes[2] == 0xff && a.bytes[3] == 0x9b;
  return zero_head || nat64;
}

std::string to_url_host(const Address& a) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (a.is_v4) return inet_ntop(AF_INET, a.bytes.data() + 12, text.data(), text.size());
  return "[" + std::string(inet_ntop(AF_INET6, a.bytes.data(), text.data(), text.size())) + "]";
}

int annotated_port(const Pod& pod, const std::vector<int>& own_ports, int otherwise) {
  const int port = allowed_port(pod.annotation("prometheus.io/port"), own_ports);
  return port != 0 ? port : otherwise;
}

/// The annotated path, or "" when there is none or it is not one that may stand in a URL.
std::string_view annotated_path(const Pod& pod) {
  constexpr std::size_t kMaxPath = 256;
  const std::string_view path = pod.annotation(kPathAnnotation);
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("/_-.").find(c) != std::string_view::npos;
  };
  const bool valid = path.starts_with('/') && path.size() <= kMaxPath &&
                     std::ranges::all_of(path, is_plain) && path.find("..") == std::string_view::npos;
  return valid ? path : std::string_view();
}

bool is_running_driver(const Pod& pod, const PodIdentity& identity) {
  return pod.phase == Phase::kRunning && !pod.ips.empty() && !identity.app_id.empty() &&
         identity.role == Role::kDriver;
}

WallTime youngest_start(const Pod& pod) {
  WallTime start;
  for (const Container& container : pod.containers) {
    if (container.state == ContainerState::kRunning) start = std::max(start, container.started_at);
  }
  return start;
}

/// Younger first, so that unique() keeps the youngest of an application.
bool is_before(const std::pair<SparkDriver, std::int64_t>& a, const std::pair<SparkDriver, std::int64_t>& b) {
  if (a.first.app != b.first.app) return a.first.app < b.first.app;
  if (a.second != b.second) return a.second > b.second;
  return a.first.pod_uid < b.first.pod_uid;
}

}  // namespace

std::string url_host_of_pod(std::string_view ip, std::string_view host_ip, bool allow_loopback) {
  Address address;
  if (!parse_address(ip, address)) return "";
  if (is_loopback(address)) return allow_loopback ? to_url_host(address) : "";
  Address host;
  if (is_unusable(address) || (parse_address(host_ip, host) && host == address)) return "";
  return to_url_host(address);
}

int allowed_port(std::string_view text, const std::vector<int>& own_ports) {
  int port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool valid = ec == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535 &&
                     std::find(kDeniedPorts.begin(), kDeniedPorts.end(), port) == kDeniedPorts.end() &&
                     std::find(own_ports.begin(), own_ports.end(), port) == own_ports.end();
  return valid ? port : 0;
}

int spark_ui_port(const Pod& pod, const std::vector<int>& own_ports) {
  const int declared = allowed_port(std::to_string(pod.spark_ui_port), own_ports);
  const int otherwise = declared != 0 ? declared : kDefaultUiPort;
  if (!pod.annotation(kPathAnnotation).starts_with(kUiPages)) return otherwise;
  return annotated_port(pod, own_ports, otherwise);
}

std::vector<SparkDriver> spark_drivers(const Discovery& discovery) {
  std::vector<std::pair<SparkDriver, std::int64_t>> found;
  if (discovery.pods == nullptr) return {};
  for (const Pod& pod : discovery.pods->pods) {
    const PodIdentity identity = identify(pod);
    if (!is_running_driver(pod, identity) || pod.host_network) continue;
    const std::string host = url_host_of_pod(pod.ips.front(), pod.host_ip, discovery.allow_loopback);
    if (host.empty()) continue;
    SparkDriver driver{{std::string(identity.namespace_name), std::string(identity.app_id)},
                       pod.uid,
                       "http://" + host + ":" + std::to_string(spark_ui_port(pod, discovery.own_ports)),
                       {},
                       youngest_start(pod)};
    const std::string_view path = annotated_path(pod);
    if (path.starts_with(kUiPages)) driver.annotated_path = path;
    found.emplace_back(std::move(driver), pod.created_at.ms);
  }
  std::sort(found.begin(), found.end(), is_before);
  std::vector<SparkDriver> drivers;
  for (auto& [driver, created_ms] : found) {
    if (drivers.empty() || drivers.back().app != driver.app) drivers.push_back(std::move(driver));
  }
  return drivers;
}

std::vector<SparkJvm> spark_jvms(const Discovery& discovery) {
  std::vector<SparkJvm> jvms;
  if (discovery.pods == nullptr) return jvms;
  for (const Pod& pod : discovery.pods->pods) {
    if (pod.phase != Phase::kRunning || pod.host_network || pod.ips.empty()) continue;
    if (pod.annotation("prometheus.io/scrape") != "true") continue;
    const PodIdentity identity = identify(pod);
    const bool is_executor = identity.role == Role::kExecutor;
    if (identity.app_id.empty() || (is_executor && identity.executor_id.empty())) continue;
    const bool has_path = !pod.annotation(kPathAnnotation).empty();
    const std::string_view path = has_path ? annotated_path(pod) : "/metrics";
    if (path.empty() || path.starts_with(kUiPages)) continue;
    const std::string host = url_host_of_pod(pod.ips.front(), pod.host_ip, discovery.allow_loopback);
    if (host.empty()) continue;
    std::string url =
        "http://" + host + ":" + std::to_string(annotated_port(pod, discovery.own_ports, kDefaultJmxPort));
    jvms.push_back({{std::string(identity.namespace_name), std::string(identity.app_id)},
                    pod.uid,
                    std::string(is_executor ? identity.executor_id : ""),
                    url.append(path)});
  }
  std::ranges::sort(jvms, {},
                    [](const SparkJvm& jvm) { return std::tie(jvm.app, jvm.executor_id, jvm.pod_uid); });
  return jvms;
}

std::vector<Refusal> refused_drivers(const Discovery& discovery) {
  std::vector<Refusal> refused;
  if (discovery.pods == nullptr) return refused;
  for (const Pod& pod : discovery.pods->pods) {
    if (!is_running_driver(pod, identify(pod))) continue;
    const std::string& ip = pod.ips.front();
    if (pod.host_network || url_host_of_pod(ip, pod.host_ip, discovery.allow_loopback).empty())
      refused.push_back({pod.namespace_name + '/' + pod.name + ' ' + ip, Reason::kBlockedAddress,
                         "driver not asked: no address of a pod's own"});
  }
  std::sort(refused.begin(), refused.end());
  return refused;
}

std::string spark_target_key(std::string_view collector, const AppKey& app) {
  return std::string(collector) + '/' + app.namespace_name + '/' + app.app_id;
}

Target spark_target(const SparkDriver& driver, const Discovery& discovery, std::string_view collector,
                    std::string_view path, Expect expect) {
  Target target;
  target.collector = collector;
  target.key = spark_target_key(collector, driver.app);
  target.url = driver.base_url + std::string(path);
  target.expect = expect;
  target.body_limit = kBodyLimit;
  const std::int64_t interval = discovery.spark_interval_ms;
  target.pace = {.interval_ms = interval,
                 .timeout_ms = std::clamp(interval * 8 / 10, kMinTimeoutMs, kMaxTimeoutMs),
                 .first_timeout_ms = kFirstTimeoutMs,
                 .ttl_ms = std::max(kMinTtlMs, 3 * interval),
                 .bytes_per_second = kBytesPerSecond};
  target.app = driver.app;
  target.pod_uid = driver.pod_uid;
  return target;
}

Target spark_target_once(const SparkDriver& driver, const Discovery& discovery, std::string_view collector,
                         std::string_view path) {
  constexpr std::int64_t kDayMs = 86'400'000;
  Target target = spark_target(driver, discovery, collector, path, Expect::kJson);
  target.pace.interval_ms = kDayMs;
  target.pace.ttl_ms = 3 * kDayMs;
  target.pace.retry_ms = discovery.spark_interval_ms;
  target.process_started = driver.started;
  return target;
}

}  // namespace flintgauge
