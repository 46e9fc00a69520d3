#include "flintgauge/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "flintgauge/store.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1024} * 1024;
// Each request in flight holds a reader row of the store while it copies; the evaluator and the final look
// of a command need rows too.
constexpr int kMaxRequests = static_cast<int>(kReaders) - 4;

tl::unexpected<Error> bad(std::string_view key, std::string_view what) {
  return fail(Reason::kConfig, std::string(key) + ": " + std::string(what));
}

template <typename T>
struct Range {
  std::string_view key;
  T value, least, most;
  std::string_view words;  // the range for people
};

template <typename T, std::size_t N>
Status check_ranges(const std::array<Range<T>, N>& ranges) {
  for (const Range<T>& range : ranges) {
    if (!(range.value >= range.least && range.value <= range.most))
      return bad(range.key, "must be " + std::string(range.words));
  }
  return {};
}

/// What is wrong with a base URL, or "" when nothing is.
std::string_view url_fault(std::string_view url) {
  constexpr std::string_view kShape = "must be http://HOST:PORT or https://HOST:PORT";
  if (url.starts_with("https://")) {
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return kShape;
  }
  if (url.ends_with('/')) return "must not end in a slash";
  if (url.empty() || url.front() == ':' || url.find_first_of("/?#@ \t\r\n\\\"") != std::string_view::npos)
    return kShape;
  return {};
}

/// Letters, digits, dots and hyphens: what may stand in a certificate's names and in a URL. "" is none.
bool is_host_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Status validate_times_and_sizes(const Config& config) {
  const std::array<Range<std::int64_t>, 9> ranges = {{
      {"history.interval", config.history.interval_ms, 1'000, 86'400'000, "from 1s to 24h"},
      {"kubelet.interval", config.kubelet.interval_ms, 100, 3'600'000, "from 100ms to 1h"},
      {"kubelet.summary_interval", config.kubelet.summary_interval_ms, 100, 3'600'000, "from 100ms to 1h"},
      {"spark.interval", config.spark.interval_ms, 100, 3'600'000, "from 100ms to 1h"},
      {"spark.ended_retention", config.spark.totals.ended_retention_ms, 1'000, std::int64_t{24} * 3'600'000,
       "from 1s to 24h"},
      {"kubelet.body_limit", config.kubelet.body_limit_bytes, kMiB / 16, 1024 * kMiB, "from 64KiB to 1GiB"},
      {"spark.body_limit", config.spark.body_limit_bytes, kMiB / 16, 1024 * kMiB, "from 64KiB to 1GiB"},
      {"companions.interval", config.companions.interval_ms, 100, 3'600'000, "from 100ms to 1h"},
      {"companions.body_limit", config.companions.body_limit_bytes, kMiB / 16, 1024 * kMiB,
       "from 64KiB to 1GiB"},
  }};
  return check_ranges(ranges);
}

Status validate_push(const Config& config) {
  const PushConfig& push = config.push;
  for (const auto& [key, address] : {std::pair{"push.graphite_listen_address", &push.graphite_listen_address},
                                     {"push.graphite_udp_listen_address", &push.graphite_udp_listen_address},
                                     {"push.statsd_listen_address", &push.statsd_listen_address},
                                     {"push.pushgateway_listen_address", &push.pushgateway_listen_address}}) {
    if (address->empty()) continue;
    if (const auto parsed = parse_listen_address(*address); !parsed) return bad(key, parsed.error().message);
    if (!config.spark.enabled) return bad(key, "needs spark.enabled: true");
  }
  const std::array<Range<std::size_t>, 2> lines = {{
      {"push.pod_lines_per_second", push.pod_lines_per_second, 1, 10'000'000, "from 1 to 10000000"},
      {"push.namespace_lines_per_second", push.namespace_lines_per_second, 1, 10'000'000,
       "from 1 to 10000000"},
  }};
  const std::array<Range<std::int64_t>, 2> bytes = {{
      {"push.pod_bytes_per_second", push.pod_bytes_per_second, 1024, 1024 * kMiB, "from 1KiB to 1GiB"},
      {"push.namespace_bytes_per_second", push.namespace_bytes_per_second, 1024, 1024 * kMiB,
       "from 1KiB to 1GiB"},
  }};
  return check_ranges(lines).and_then([&] { return check_ranges(bytes); });
}

Status validate_series(const BudgetLimits& series) {
  const std::array<Range<std::size_t>, 3> ranges = {{
      {"series.app", series.app, 1, series.namespace_, "at least 1 and not above series.namespace"},
      {"series.namespace", series.namespace_, 1, series.node, "at least 1 and not above series.node"},
      {"series.node", series.node, 1, 1'000'000, "from 1 to 1000000"},
  }};
  return check_ranges(ranges);
}

Status validate_companions(const CompanionsConfig& companions) {
  const std::array<Range<std::size_t>, 2> ranges = {{
      {"companions.max_targets_per_namespace", companions.max_targets_per_namespace, 1, 500, "from 1 to 500"},
      {"companions.max_samples", companions.max_samples, 100, 100'000, "from 100 to 100000"},
  }};
  return check_ranges(ranges);
}

Status validate_hints(const EvaluateSettings& hints) {
  const std::array<Range<double>, 5> ranges = {{
      {"hints.drain_target", hints.drain_target_seconds, 0, 86'400, "from 0s to 24h"},
      {"hints.startup", hints.startup_seconds, 0, 3'600, "from 0s to 1h"},
      {"hints.bottleneck_window", hints.bottleneck_window_seconds, 10, 3'600, "from 10s to 1h"},
      {"hints.max_executors", hints.max_executors, 1, 100'000, "from 1 to 100000"},
      {"hints.min_executors", hints.min_executors, 0, hints.max_executors,
       "at least 0 and not above hints.max_executors"},
  }};
  return check_ranges(ranges);
}

/// Absent when the text is no number from 0 to 65535.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_ipv4(std::string_view host) {
  for (int part = 0; part < 4; ++part) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), byte);
    if (error != std::errc{}) return false;
    host.remove_prefix(static_cast<std::size_t>(end - host.data()));
    if (part == 3) return host.empty();
    if (!host.starts_with('.')) return false;
    host.remove_prefix(1);
  }
  return false;
}

}  // namespace

Status validate(const Config& config) {
  if (const auto address = parse_listen_address(config.web.listen_address); !address)
    return bad("web.listen_address", address.error().message);
  if (config.web.max_requests < 1 || config.web.max_requests > kMaxRequests)
    return bad("web.max_requests", "must be from 1 to " + std::to_string(kMaxRequests));
  if (config.node.name.empty()) return bad("node.name", "must not be empty");
  if (const std::string_view fault = url_fault(config.kubelet.url); !fault.empty())
    return bad("kubelet.url", fault);
  if (!is_host_name(config.kubelet.server_name))
    return bad("kubelet.server_name", "must be a host name: letters, digits, dots and hyphens");
  if (!is_one_of(config.log.level, {"debug", "info", "warn", "error"}))
    return bad("log.level", "must be debug, info, warn or error");
  if (!is_one_of(config.log.format, {"logfmt", "json"})) return bad("log.format", "must be logfmt or json");
  return validate_times_and_sizes(config)
      .and_then([&] { return validate_series(config.series); })
      .and_then([&] { return validate_companions(config.companions); })
      .and_then([&] { return validate_hints(config.hints); })
      .and_then([&] { return validate_push(config); });
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::optional<std::uint16_t> port =
      colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port) return fail(Reason::kConfig, "must be HOST:PORT, such as 0.0.0.0:14040 or [::]:14040");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos)
      return fail(Reason::kConfig, "has no IPv6 address in its brackets");
  } else if (!host.empty() && !is_ipv4(host)) {
    return fail(Reason::kConfig, "must have a numeric host, such as 127.0.0.1 or [::1]");
  }
  return ListenAddress{.host = std::string(host), .port = *port};
}

}  // namespace flintgauge
