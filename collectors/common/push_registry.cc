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

/// "spark_HEX32", "app_20261122190152_0000", "local_1795374148123": an id with all its digits, so that a
/// "my_app_2024_05" is none.
bool is_mangled_app_id(std::string_view text) {
  constexpr std::size_t kTimeDigits = 13;  // milliseconds; app ids have 14
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!is_app_id(text)) return false;
  if (text.starts_with("spark_") && !text.starts_with("spark_application_")) return true;
  const auto first = std::ranges::find_if(text, is_digit);
  const auto last = std::find_if_not(first, text.end(), is_digit);
  return static_cast<std::size_t>(last - first) >= kTimeDigits;
}

/// Ids have up to three parts, and what stands around them may have any.
bool holds_mangled_app_id(std::string_view text) {
  constexpr int kParts = 3;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    for (int part = 0; part < kParts && end < text.size(); ++part) {
      end = std::min(text.find('_', end + (part == 0 ? 0 : 1)), text.size());
      if (is_mangled_app_id(text.substr(begin, end - begin))) return true;
    }
    begin = std::min(text.find('_', begin), text.size() - 1) + 1;
  }
  return false;
}

bool holds_part(std::string_view text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || text[at - 1] == '_') && (end == text.size() || text[end] == '_')) return true;
  }
  return false;
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

bool claims_another_app(std::string_view mangled_namespace, std::string_view mangled_app_id) {
  return !holds_part(mangled_namespace, mangled_app_id) && holds_mangled_app_id(mangled_namespace);
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
  if (metric == nullptr || !is_single(*metric) || !is_own(metric->scope)) return PushResult::kSkipped;
  if (!std::isfinite(number) || number < 0) return PushResult::kNotFinite;  // -1: the JVM cannot tell
  set(registry_route(*metric, sender_.instance), to_base(metric->unit, number), now);
  return PushResult::kKept;
}

void PushRegistry::set(Route route, double number, SteadyTime now) {
  Value& value = values_[static_cast<std::size_t>(route.measure)];
  value.number = number;
  value.heard = now;
  value.is_known = true;
  if (value.series == kNone) {
    value.series = static_cast<SeriesIndex>(routes_.size());
    routes_.push_back(std::move(route));
  }
  has_news_ = true;
}

void PushRegistry::forget(Measure measure) {
  values_[static_cast<std::size_t>(measure)].is_known = false;
  has_news_ = true;
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
