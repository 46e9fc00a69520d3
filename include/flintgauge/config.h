// Every setting, with its default and its unit in the name. agent/io/config_file reads it from YAML and
// --set.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "flintgauge/budget.h"
#include "flintgauge/error.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/fold.h"

namespace flintgauge {

struct WebConfig {
  std::string listen_address = "0.0.0.0:14040";
  int max_requests = 8;  ///< in flight; more are answered 503
};

struct NodeConfig {
  std::string name = "$NODE_NAME";
};

struct KubeletConfig {
  std::string url = "https://$HOST_IP:10250";
  std::int64_t interval_ms = 10'000;
  std::int64_t summary_interval_ms = 60'000;
  std::string token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token";
  std::string ca_file = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
  std::string
      pinned_certificate_file;  ///< PEM of the kubelet's own serving certificate; trusted instead of the CA
  std::string server_name;      ///< verify this name instead of the dialled address (SNI too)
  bool insecure_skip_verify = false;
  std::int64_t body_limit_bytes = 64LL * 1024 * 1024;
};

struct SparkConfig {
  bool enabled = true;
  std::int64_t interval_ms = 10'000;
  std::int64_t body_limit_bytes = 8LL * 1024 * 1024;
  SparkFoldSettings totals;  ///< keys spark.ended_retention, spark.per_executor
};

/// Listeners for what Spark's sinks push. Off unless an address is given.
struct PushConfig {
  std::string graphite_listen_address;      ///< TCP
  std::string graphite_udp_listen_address;  ///< UDP
  std::string statsd_listen_address;        ///< UDP
  std::string pushgateway_listen_address;   ///< TCP, HTTP
  std::size_t pod_lines_per_second = 1'000;
  std::size_t namespace_lines_per_second = 20'000;
  std::int64_t pod_bytes_per_second = 256LL * 1024;
  std::int64_t namespace_bytes_per_second = 4LL * 1024 * 1024;

  bool is_on() const {
    return !graphite_listen_address.empty() || !graphite_udp_listen_address.empty() ||
           !statsd_listen_address.empty() || !pushgateway_listen_address.empty();
  }
};

struct CompanionsConfig {
  bool enabled = true;
  std::int64_t interval_ms = 30'000;
  std::size_t max_targets_per_namespace = 20;
  std::size_t max_samples = 2'000;  ///< wanted ones of one page
  std::int64_t body_limit_bytes = 4LL * 1024 * 1024;
};

struct TargetsConfig {
  bool allow_loopback = false;
  std::string disabled_collectors;  ///< names with commas; checked by the program, which knows the collectors
};

struct HistoryConfig {
  std::string file;                    ///< what is remembered of jobs, written here; empty = nowhere
  std::int64_t interval_ms = 300'000;  ///< between two writes
};

struct LogConfig {
  std::string level = "info";     ///< debug, info, warn, error
  std::string format = "logfmt";  ///< logfmt, json
};

struct Config {
  WebConfig web;
  NodeConfig node;
  KubeletConfig kubelet;
  SparkConfig spark;
  PushConfig push;
  CompanionsConfig companions;
  TargetsConfig targets;
  HistoryConfig history;
  LogConfig log;
  BudgetLimits series;  ///< keys series.app, series.namespace, series.node
  EvaluateSettings
      hints;  ///< keys hints.drain_target (duration), hints.startup, hints.min_executors, hints.max_executors
};

/// First thing wrong with the values (ranges, empty names, unknown words) as "KEY: what is wrong". Values
/// may still hold variables ($HOST_IP).
Status validate(const Config& config);

/// An address to listen on. An empty host is every address, IPv4 and IPv6; port 0 takes a free port.
struct ListenAddress {
  std::string host;  ///< numeric, an IPv6 one without brackets
  std::uint16_t port = 0;
};

/// "0.0.0.0:14040", "[::1]:14040", ":14040". Numeric hosts only. The message says what is wrong.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace flintgauge
