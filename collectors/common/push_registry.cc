#include "collectors/common/push_registry.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace flintgauge {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool all_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_separator(char c) { return c == '-' || c == '_'; }

/// "1-2".
bool two_numbers(std::string_view text) {
  const auto at = std::ranges::find_if(text, is_separator);
  return at != text.end() && all_digits({text.begin(), at}) && all_digits({at + 1, text.end()});
}

/// What follows `word` and a separator; "" when `text` does not begin so.
std::string_view after(std::string_view text, std::string_view word) {
  if (text.size() <= word.size() || !text.starts_with(word) || !is_separator(text[word.size()])) return {};
  return text.substr(word.size() + 1);
}

Target target_of(PushProtocol protocol, const PushSender& sender) {
  Target target;
  target.collector = "push_" + std::string(to_string(protocol));
  target.key =
      target.collector + '/' + sender.app.namespace_name + '/' + sender.app.app_id + '/' + sender.instance;
  target.app = sender.app;
  target.pod_uid = sender.pod_uid;
  if (sender.role == Role::kExecutor) target.executor_id = sender.instance;
  target.pace.ttl_ms = kPushTtlMs;
  return target;
}

}  // namespace

bool is_app_id(std::string_view text) {
  constexpr std::size_t kUuidDigits = 32;
  const std::string_view spark = after(text, "spark");
  if (spark.size() == kUuidDigits && all_hex(spark)) return true;
  if (all_digits(after(spark, "application")) || all_digits(after(text, "local"))) return true;
  return two_numbers(after(text, "app")) || two_numbers(after(text, "application"));
}

PushRegistry::PushRegistry(PushProtocol protocol, PushSender sender)
    : sender_(std::move(sender)), target_(std::make_shared<const Target>(target_of(protocol, sender_))) {}

/// A user may call the namespace anything (spark.metrics.namespace) and put a prefix before it; but who names
/// an application must name the own one.
bool PushRegistry::claims_another(std::string_view namespace_name) const {
  const std::string_view own = sender_.app.app_id;
  if (namespace_name == own) return false;
  bool found_other = false;
  for (std::size_t begin = 0; begin <= namespace_name.size();) {
    const std::size_t end = std::min(namespace_name.find('.', begin), namespace_name.size());
    const std::string_view part = namespace_name.substr(begin, end - begin);
    if (part == own) return false;
    found_other = found_other || is_app_id(part);
    begin = end + 1;
  }
  return found_other;
}

PushResult PushRegistry::take_value(std::string_view name, double number, CountSuffix suffix,
                                    SteadyTime now) {
  const auto parsed = parse_registry_name(name);
  if (!parsed) return PushResult::kSkipped;
  return take_metric(parsed->namespace_name, parsed->instance, find_registry_metric(*parsed, suffix), number,
                     now);
}

PushResult PushRegistry::take_metric(std::string_view namespace_name, std::string_view instance,
                                     const RegistryMetric* metric, double number, SteadyTime now) {
  if (instance != sender_.instance || claims_another(namespace_name)) return PushResult::kIdentity;
  if (metric == nullptr) return PushResult::kSkipped;
  // Here is one number for each measure: streaming queries and listener queues, of which there may be
  // several, are the driver's pages to tell.
  if (metric->scope == Scope::kQuery || metric->metric.find('*') != std::string_view::npos)
    return PushResult::kSkipped;
  if (metric->scope == Scope::kDriver && sender_.role != Role::kDriver) return PushResult::kSkipped;
  if (!std::isfinite(number) || number < 0) return PushResult::kNotFinite;  // -1: the JVM cannot tell
  Value& value = values_[static_cast<std::size_t>(metric->measure)];
  value.number = to_base(metric->unit, number);
  value.heard = now;
  value.is_known = true;
  if (value.series == kNone) {
    value.series = static_cast<SeriesIndex>(routes_.size());
    routes_.push_back(registry_route(*metric, sender_.instance));
  }
  has_news_ = true;
  return PushResult::kKept;
}

bool PushRegistry::has_news(SteadyTime now) const {
  return has_news_ || std::ranges::any_of(values_, [now](const Value& value) {
           return value.is_told && elapsed_ms(value.heard, now) > kPushTtlMs;
         });
}

PushReport PushRegistry::report(SteadyTime now) {
  has_news_ = false;
  PushReport report;
  report.target = target_;
  report.routes = routes_;
  for (Value& value : values_) {
    if (value.is_known && elapsed_ms(value.heard, now) > kPushTtlMs) value.is_known = false;
    if (value.is_known) {
      if (!value.is_told) report.created.push_back(value.series);
      report.samples.push_back({value.series, value.number, kNoTimestamp});
    } else if (value.is_told) {
      report.retired.push_back(value.series);
    }
    value.is_told = value.is_known;
  }
  return report;
}

}  // namespace flintgauge
