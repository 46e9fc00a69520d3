#include "agent/io/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "agent/io/log.h"

namespace flintgauge {
namespace {

// clang-format off
constexpr auto kSettings = std::to_array<Setting>({
  {"web.listen_address", Text{[](Config& c) -> std::string& { return c.web.listen_address; }},
   "Address and port to serve on: 0.0.0.0:14040, 127.0.0.1:14040, [::]:14040, :14040. Port 0 takes a free one."},
  {"web.max_requests", Integer{[](Config& c) -> int& { return c.web.max_requests; }},
   "Requests answered at the same time; those beyond it get 503 at once."},
  {"node.name", Text{[](Config& c) -> std::string& { return c.node.name; }},
   "Name of the node. $NAME is replaced from the environment; in Kubernetes from the field spec.nodeName."},
  {"kubelet.url", Text{[](Config& c) -> std::string& { return c.kubelet.url; }},
   "Base URL of the node's own kubelet. $NAME is replaced from the environment; in Kubernetes from the field status.hostIP."},
  {"kubelet.interval", DurationMs{[](Config& c) -> std::int64_t& { return c.kubelet.interval_ms; }},
   "How often the kubelet's /pods and /metrics/cadvisor are asked."},
  {"kubelet.summary_interval", DurationMs{[](Config& c) -> std::int64_t& { return c.kubelet.summary_interval_ms; }},
   "How often the kubelet's /stats/summary is asked."},
  {"kubelet.token_file", Text{[](Config& c) -> std::string& { return c.kubelet.token_file; }},
   "File with the bearer token for the kubelet, read anew when it changes, every 60 s, and when the kubelet refuses it. Empty: none is sent."},
  {"kubelet.ca_file", Text{[](Config& c) -> std::string& { return c.kubelet.ca_file; }},
   "PEM file of the certificate authority that signed the kubelet's serving certificate."},
  {"kubelet.pinned_certificate_file", Text{[](Config& c) -> std::string& { return c.kubelet.pinned_certificate_file; }},
   "PEM file of the kubelet's own serving certificate, trusted instead of an authority."},
  {"kubelet.server_name", Text{[](Config& c) -> std::string& { return c.kubelet.server_name; }},
   "Name to expect in the kubelet's certificate, when it is not the address of kubelet.url."},
  {"kubelet.insecure_skip_verify", Flag{[](Config& c) -> bool& { return c.kubelet.insecure_skip_verify; }},
   "Do not verify the kubelet's certificate. Anyone on the path then gets the token; flintgauge_tls_verify_disabled shows it."},
  {"kubelet.body_limit", Size{[](Config& c) -> std::int64_t& { return c.kubelet.body_limit_bytes; }},
   "Longest answer of the kubelet that is read."},
  {"spark.enabled", Flag{[](Config& c) -> bool& { return c.spark.enabled; }},
   "Ask the Spark drivers that run on this node."},
  {"spark.interval", DurationMs{[](Config& c) -> std::int64_t& { return c.spark.interval_ms; }},
   "How often each Spark driver is asked. Input older than three intervals gives no hint."},
  {"spark.body_limit", Size{[](Config& c) -> std::int64_t& { return c.spark.body_limit_bytes; }},
   "Longest answer of a Spark driver that is read."},
  {"spark.ended_retention", DurationMs{[](Config& c) -> std::int64_t& { return c.spark.totals.ended_retention_ms; }},
   "How long an application's totals stay after the last word of its driver."},
  {"spark.per_executor", Flag{[](Config& c) -> bool& { return c.spark.totals.per_executor; }},
   "Series of each living executor, within the budgets of series.*; without it the largest and median over them."},
  {"push.graphite_listen_address", Text{[](Config& c) -> std::string& { return c.push.graphite_listen_address; }},
   "Address and TCP port for Spark's GraphiteSink, such as 0.0.0.0:2003. Empty: off."},
  {"push.graphite_udp_listen_address", Text{[](Config& c) -> std::string& { return c.push.graphite_udp_listen_address; }},
   "Address and UDP port for Spark's GraphiteSink with protocol=udp. Empty: off. Senders of datagrams can be forged."},
  {"push.statsd_listen_address", Text{[](Config& c) -> std::string& { return c.push.statsd_listen_address; }},
   "Address and UDP port for Spark's StatsdSink, such as 0.0.0.0:8125. Empty: off. Senders of datagrams can be forged."},
  {"push.pushgateway_listen_address", Text{[](Config& c) -> std::string& { return c.push.pushgateway_listen_address; }},
   "Address and TCP port where a Pushgateway's HTTP API is spoken, such as 0.0.0.0:9091. Empty: off."},
  {"push.pod_lines_per_second", Count{[](Config& c) -> std::size_t& { return c.push.pod_lines_per_second; }},
   "Most lines that one pod may push, averaged over ten seconds. More are dropped and counted."},
  {"push.namespace_lines_per_second", Count{[](Config& c) -> std::size_t& { return c.push.namespace_lines_per_second; }},
   "The same for all pods of a namespace together."},
  {"push.pod_bytes_per_second", Size{[](Config& c) -> std::int64_t& { return c.push.pod_bytes_per_second; }},
   "Most bytes that one pod may push, averaged over ten seconds. TCP waits, datagrams beyond it are dropped and counted."},
  {"push.namespace_bytes_per_second", Size{[](Config& c) -> std::int64_t& { return c.push.namespace_bytes_per_second; }},
   "The same for all pods of a namespace together."},
  {"companions.enabled", Flag{[](Config& c) -> bool& { return c.companions.enabled; }},
   "Ask pods of other tools (Kafka, JupyterHub, notebooks, Zeppelin) that carry the annotation prometheus.io/scrape: \"true\"."},
  {"companions.interval", DurationMs{[](Config& c) -> std::int64_t& { return c.companions.interval_ms; }},
   "How often each of them is asked."},
  {"companions.max_targets_per_namespace", Count{[](Config& c) -> std::size_t& { return c.companions.max_targets_per_namespace; }},
   "Most such pods of one namespace that are asked, the oldest first; others are counted in flintgauge_targets_dropped_total."},
  {"companions.max_samples", Count{[](Config& c) -> std::size_t& { return c.companions.max_samples; }},
   "Most samples of one page that are wanted, those per topic or consumer group included. A page with more fails, with the reason limit."},
  {"companions.body_limit", Size{[](Config& c) -> std::int64_t& { return c.companions.body_limit_bytes; }},
   "Longest page that is read."},
  {"targets.allow_loopback", Flag{[](Config& c) -> bool& { return c.targets.allow_loopback; }},
   "Also ask targets in 127.0.0.0/8 and ::1. For tests and laptops."},
  {"targets.disabled_collectors", Text{[](Config& c) -> std::string& { return c.targets.disabled_collectors; }},
   "Collectors that ask nothing, names with commas between, such as spark_driver_page,kubelet_summary."},
  {"history.file", Text{[](Config& c) -> std::string& { return c.history.file; }},
   "File in which what is known of jobs survives the agent, on a volume that does too. Empty: nowhere."},
  {"history.interval", DurationMs{[](Config& c) -> std::int64_t& { return c.history.interval_ms; }},
   "How often that file is written; besides at the end."},
  {"log.level", Text{[](Config& c) -> std::string& { return c.log.level; }},
   "debug, info, warn or error."},
  {"log.format", Text{[](Config& c) -> std::string& { return c.log.format; }},
   "logfmt or json."},
  {"series.app", Count{[](Config& c) -> std::size_t& { return c.series.app; }},
   "Most series of one application: five twelfths for what the kubelet tells, a quarter for its driver, a "
   "quarter for what is derived, a twelfth for companions. What is beyond it is summed under app_id \"__overflow__\" of its namespace."},
  {"series.namespace", Count{[](Config& c) -> std::size_t& { return c.series.namespace_; }},
   "Most series of one namespace, in the same shares."},
  {"series.node", Count{[](Config& c) -> std::size_t& { return c.series.node; }},
   "Most series of this agent, in the same shares."},
  {"hints.drain_target", DurationSeconds{[](Config& c) -> double& { return c.hints.drain_target_seconds; }},
   "Time in which the known work should be done. 0s: as many executors as Spark's dynamic allocation would ask for."},
  {"hints.startup", DurationSeconds{[](Config& c) -> double& { return c.hints.startup_seconds; }},
   "Time from the creation of an executor pod to its first task."},
  {"hints.min_executors", Number{[](Config& c) -> double& { return c.hints.min_executors; }},
   "A hint is never below this."},
  {"hints.max_executors", Number{[](Config& c) -> double& { return c.hints.max_executors; }},
   "A hint is never above this."},
  {"hints.bottleneck_window", DurationSeconds{[](Config& c) -> double& { return c.hints.bottleneck_window_seconds; }},
   "Time over which is judged what holds an application back. Up to 2.5 times as long while few tasks end."},
});
// clang-format on

struct Unit {
  std::string_view suffix;
  double factor;
};
constexpr std::array<Unit, 4> kDurationUnits = {{{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
constexpr std::array<Unit, 7> kSizeUnits = {
    {{"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}};

constexpr std::string_view kDurationHint = "a duration: a number and a unit, such as 500ms, 10s, 1m or 2h";
constexpr std::string_view kSizeHint = "a size: bytes, or a number and a unit, such as 64KiB, 8MiB or 1GiB";
constexpr std::string_view kFlagHint = "true or false";
constexpr std::string_view kIntegerHint = "a whole number";
constexpr std::string_view kNumberHint = "a number";

/// The whole text as a number; absent when there is anything else, or it is not finite.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(static_cast<double>(number))) return std::nullopt;
  return number;
}

/// A number with one of the units, in the base unit.
std::optional<double> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<double> number = parse_number<double>(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) == unit.suffix) return *number * unit.factor;
  }
  return std::nullopt;
}

/// REQUIRES: value is a whole number of base units; writes it with the largest unit that divides it.
std::string with_unit(double value, std::span<const Unit> units) {
  Unit best = units.front();
  for (const Unit& unit : units) {
    if (value != 0 && unit.factor > best.factor && std::fmod(value, unit.factor) == 0) best = unit;
  }
  return std::to_string(static_cast<std::int64_t>(value / best.factor)) + std::string(best.suffix);
}

std::string number_text(double value) {
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

/// Reads text for one kind of setting: the value is stored, or what was expected is returned.
struct Reader {
  std::string_view text;
  Config& config;

  std::string_view operator()(const Text& kind) const {
    kind.at(config) = text;
    return {};
  }
  std::string_view operator()(const Flag& kind) const {
    if (text != "true" && text != "false") return kFlagHint;
    kind.at(config) = text == "true";
    return {};
  }
  std::string_view operator()(const DurationMs& kind) const {
    const std::optional<double> ms = parse_with_unit(text, kDurationUnits);
    if (!ms || *ms > 1e12) return kDurationHint;
    kind.at(config) = std::llround(*ms);
    return {};
  }
  std::string_view operator()(const DurationSeconds& kind) const {
    const std::optional<double> ms = parse_with_unit(text, kDurationUnits);
    if (!ms || *ms > 1e12) return kDurationHint;
    kind.at(config) = *ms / 1e3;
    return {};
  }
  std::string_view operator()(const Size& kind) const {
    const std::optional<double> bytes = parse_with_unit(text, kSizeUnits);
    if (!bytes || *bytes > 1e15) return kSizeHint;
    kind.at(config) = std::llround(*bytes);
    return {};
  }
  std::string_view operator()(const Integer& kind) const { return whole(kind.at(config)); }
  std::string_view operator()(const Count& kind) const { return whole(kind.at(config)); }
  std::string_view operator()(const Number& kind) const {
    const std::optional<double> number = parse_number<double>(text);
    if (!number) return kNumberHint;
    kind.at(config) = *number;
    return {};
  }

 private:
  template <typename T>
  std::string_view whole(T& value) const {
    const std::optional<T> number = parse_number<T>(text);
    if (!number) return kIntegerHint;
    value = *number;
    return {};
  }
};

struct Writer {
  Config& config;
  std::string operator()(const Text& kind) const { return kind.at(config); }
  std::string operator()(const Flag& kind) const { return kind.at(config) ? "true" : "false"; }
  std::string operator()(const DurationMs& kind) const {
    const std::int64_t ms = kind.at(config);
    return ms == 0 ? "0s" : with_unit(static_cast<double>(ms), kDurationUnits);
  }
  std::string operator()(const DurationSeconds& kind) const {
    const double seconds = kind.at(config);
    return seconds == 0 ? "0s" : with_unit(std::round(seconds * 1e3), kDurationUnits);
  }
  std::string operator()(const Size& kind) const {
    return with_unit(static_cast<double>(kind.at(config)), std::span(kSizeUnits).first(4));
  }
  std::string operator()(const Integer& kind) const { return std::to_string(kind.at(config)); }
  std::string operator()(const Count& kind) const { return std::to_string(kind.at(config)); }
  std::string operator()(const Number& kind) const { return number_text(kind.at(config)); }
};

/// Insertions, deletions and replacements that make one text the other (Levenshtein, two rows).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_setting(std::string_view key) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [key](const Setting& setting) { return setting.key == key; });
  return found == kSettings.end() ? nullptr : &*found;
}

std::string suggestion(std::string_view unknown_key) {
  if (unknown_key.size() > 64) return {};
  const bool is_section = unknown_key.find('.') == std::string_view::npos;
  std::string_view best;
  std::size_t best_distance = 1 + std::max<std::size_t>(2, unknown_key.size() / 4);
  const auto offer = [&](std::string_view candidate, std::size_t far) {
    if (far < best_distance) {
      best_distance = far;
      best = candidate;
    }
  };
  for (const Setting& setting : kSettings) {
    offer(setting.key, distance(unknown_key, setting.key));
    offer(setting.key, 1 + distance(unknown_key.substr(unknown_key.find('.') + 1), setting.name()));
    if (is_section) offer(setting.section(), distance(unknown_key, setting.section()));
  }
  return best.empty() ? std::string{} : "; did you mean " + std::string(best) + "?";
}

Status set_value(const Setting& setting, std::string_view text, Config& config) {
  const std::string_view expected = std::visit(Reader{text, config}, setting.kind);
  if (expected.empty()) return {};
  return fail(Reason::kConfig, std::string(setting.key) + ": \"" + log::printable(text, 64) + "\" is not " +
                                   std::string(expected));
}

std::string value_text(const Setting& setting, const Config& config) {
  Config copy = config;  // Access is written once, for both directions
  return std::visit(Writer{copy}, setting.kind);
}

std::string_view kind_name(const Setting& setting) {
  constexpr std::array<std::string_view, std::variant_size_v<Kind>> kNames = {
      "text", "true or false", "duration", "duration", "size", "whole number", "whole number", "number"};
  return kNames[setting.kind.index()];
}

std::string configuration_markdown() {
  const Config defaults;
  std::string out =
      "# Configuration\n\n"
      "Generated from the table of settings (`agent/io/settings.cc`); a test compares. Rewrite it with\n"
      "`FLINTGAUGE_UPDATE_GOLDEN=1 ctest --preset dev -R Settings`.\n\n"
      "Everything has a default. `flintgauge node --config FILE` reads YAML: each section is a map, each "
      "setting a key\n"
      "in it. `--set KEY=VALUE` with the dotted key of the table wins over the file and may be repeated.\n"
      "`flintgauge check-config FILE` checks a file, `flintgauge print-config` prints what is in force in "
      "the same form.\n"
      "Unknown keys, duplicate keys, wrong values, anchors and aliases are refused with file, line and "
      "column.\n\n"
      "```yaml\nkubelet:\n  interval: 15s\nhints:\n  max_executors: 50\n```\n\n"
      "Durations are a number and `ms`, `s`, `m` or `h`; sizes are bytes or a number and `KiB`, `MiB`, "
      "`GiB`, `KB`, `MB`,\n"
      "`GB`. In `node.name` and `kubelet.url`, `$NAME` and `${NAME}` are replaced from the environment when "
      "the agent\n"
      "starts; a variable that is not set is an error.\n\n"
      "| Setting | Kind | Default | Meaning |\n|---|---|---|---|\n";
  for (const Setting& setting : kSettings) {
    const std::string value = value_text(setting, defaults);
    out += "| `" + std::string(setting.key) + "` | " + std::string(kind_name(setting)) + " | " +
           (value.empty() ? std::string("empty") : '`' + value + '`') + " | " + std::string(setting.help) +
           " |\n";
  }
  return out;
}

std::string settings_help() {
  const Config defaults;
  std::string out;
  for (const Setting& setting : kSettings) {
    const std::string value = value_text(setting, defaults);
    out += "  " + std::string(setting.key) + "  (" + std::string(kind_name(setting)) + ", default " +
           (value.empty() ? "empty" : value) + ")\n      " + std::string(setting.help) + '\n';
  }
  return out;
}

}  // namespace flintgauge
