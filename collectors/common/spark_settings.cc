#include "collectors/common/spark_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "flintgauge/quantity.h"

namespace flintgauge {
namespace {

constexpr double kKibi = 1024;
constexpr double kMebi = 1024 * kKibi;
constexpr double kGibi = 1024 * kMebi;
constexpr double kTebi = 1024 * kGibi;
constexpr double kPebi = 1024 * kTebi;

constexpr std::size_t kMaxValue = 64;  // of a number's text
constexpr std::size_t kMaxPath = 256;

enum class Form : std::uint8_t { kNumber, kMebibytes, kBytes, kSeconds, kQuantity };

struct Setting {
  std::string_view key;
  std::optional<double> SparkSettings::*into;
  Form form;
};

using S = SparkSettings;
constexpr auto kSettings = std::to_array<Setting>({
    {"spark.executor.cores", &S::executor_cores, Form::kNumber},
    {"spark.executor.memory", &S::executor_memory_bytes, Form::kMebibytes},
    {"spark.executor.memoryOverhead", &S::memory_overhead_bytes, Form::kMebibytes},
    {"spark.executor.minMemoryOverhead", &S::min_memory_overhead_bytes, Form::kMebibytes},
    {"spark.executor.pyspark.memory", &S::pyspark_memory_bytes, Form::kMebibytes},
    {"spark.memory.offHeap.size", &S::offheap_bytes, Form::kBytes},
    {"spark.memory.fraction", &S::memory_fraction, Form::kNumber},
    {"spark.memory.storageFraction", &S::memory_storage_fraction, Form::kNumber},
    {"spark.kubernetes.executor.request.cores", &S::request_cores, Form::kQuantity},
    {"spark.kubernetes.executor.limit.cores", &S::limit_cores, Form::kQuantity},
    {"spark.driver.memory", &S::driver_memory_bytes, Form::kMebibytes},
    {"spark.driver.memoryOverhead", &S::driver_memory_overhead_bytes, Form::kMebibytes},
    {"spark.driver.memoryOverheadFactor", &S::driver_memory_overhead_factor, Form::kNumber},
    {"spark.driver.minMemoryOverhead", &S::min_driver_memory_overhead_bytes, Form::kMebibytes},
    {"spark.kubernetes.driver.request.cores", &S::driver_request_cores, Form::kQuantity},
    {"spark.driver.cores", &S::driver_cores, Form::kNumber},
    {"spark.task.cpus", &S::task_cpus, Form::kNumber},
    {"spark.executor.instances", &S::executor_instances, Form::kNumber},
    {"spark.executor.maxNumFailures", &S::max_executor_failures, Form::kNumber},
    {"spark.dynamicAllocation.minExecutors", &S::min_executors, Form::kNumber},
    {"spark.dynamicAllocation.maxExecutors", &S::max_executors, Form::kNumber},
    {"spark.dynamicAllocation.initialExecutors", &S::initial_executors, Form::kNumber},
    {"spark.dynamicAllocation.executorAllocationRatio", &S::executor_allocation_ratio, Form::kNumber},
    {"spark.dynamicAllocation.schedulerBacklogTimeout", &S::backlog_timeout_seconds, Form::kSeconds},
    {"spark.dynamicAllocation.sustainedSchedulerBacklogTimeout", &S::sustained_backlog_timeout_seconds,
     Form::kSeconds},
    {"spark.dynamicAllocation.executorIdleTimeout", &S::idle_timeout_seconds, Form::kSeconds},
    {"spark.dynamicAllocation.cachedExecutorIdleTimeout", &S::cached_idle_timeout_seconds, Form::kSeconds},
    {"spark.dynamicAllocation.shuffleTracking.timeout", &S::shuffle_tracking_timeout_seconds, Form::kSeconds},
});

struct Switch {
  std::string_view key;
  std::optional<bool> SparkSettings::*into;
};
constexpr auto kSwitches = std::to_array<Switch>({
    {"spark.memory.offHeap.enabled", &S::offheap_enabled},
    {"spark.dynamicAllocation.enabled", &S::dynamic_allocation},
    {"spark.dynamicAllocation.shuffleTracking.enabled", &S::shuffle_tracking},
});

// The own key wins, wherever it stands in the list.
constexpr std::string_view kFactor = "spark.executor.memoryOverheadFactor";
constexpr std::string_view kKubernetesFactor = "spark.kubernetes.memoryOverheadFactor";

constexpr std::string_view kMetricsConf = "spark.metrics.conf.";
constexpr std::string_view kAnyPath = "*.sink.prometheusServlet.path";
constexpr std::string_view kDriverPath = "driver.sink.prometheusServlet.path";

struct Unit {
  std::string_view name;
  double size;
};
constexpr auto kByteUnits = std::to_array<Unit>({{"b", 1},
                                                 {"k", kKibi},
                                                 {"kb", kKibi},
                                                 {"m", kMebi},
                                                 {"mb", kMebi},
                                                 {"g", kGibi},
                                                 {"gb", kGibi},
                                                 {"t", kTebi},
                                                 {"tb", kTebi},
                                                 {"p", kPebi},
                                                 {"pb", kPebi}});
constexpr auto kTimeUnits = std::to_array<Unit>(
    {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86'400}});

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

/// A whole number and one of the units, or none.
template <std::size_t kCount>
std::optional<double> with_unit(std::string_view text, const std::array<Unit, kCount>& units, double plain) {
  text = trimmed(text);
  if (text.size() > kMaxValue) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.empty()) return static_cast<double>(number) * plain;
  std::string unit(rest);
  std::ranges::transform(unit, unit.begin(), lower);
  const auto* const found = std::ranges::find(units, std::string_view(unit), &Unit::name);
  if (found == units.end()) return std::nullopt;
  return static_cast<double>(number) * found->size;
}

std::optional<double> plain_number(std::string_view text) {
  text = trimmed(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number) || number < 0)
    return std::nullopt;
  return number;
}

std::optional<double> quantity(std::string_view text) {
  constexpr double kMilli = 1e3;
  const auto milli = parse_milli(trimmed(text));
  if (!milli || *milli < 0) return std::nullopt;
  return static_cast<double>(*milli) / kMilli;
}

std::optional<double> read(Form form, std::string_view text) {
  switch (form) {
    case Form::kNumber:
      return plain_number(text);
    case Form::kMebibytes:
      return parse_spark_bytes(text, kMebi);
    case Form::kBytes:
      return parse_spark_bytes(text, 1);
    case Form::kSeconds:
      return parse_spark_seconds(text);
    case Form::kQuantity:
      return quantity(text);
  }
  return std::nullopt;
}

SettingVerdict store(std::optional<double>& into, std::optional<double> value) {
  if (!value) return SettingVerdict::kUnreadable;
  into = value;
  return SettingVerdict::kKept;
}

SettingVerdict store_switch(std::optional<bool>& into, std::string_view text) {
  std::string word(trimmed(text).substr(0, kMaxValue));
  std::ranges::transform(word, word.begin(), lower);
  if (word != "true" && word != "false") return SettingVerdict::kUnreadable;
  into = word == "true";
  return SettingVerdict::kKept;
}

/// A path of the driver's UI, which will stand in a URL.
bool is_path(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' ||
           c == '_' || c == '-' || c == '.';
  };
  return text.size() > 1 && text.size() <= kMaxPath && text.starts_with('/') &&
         std::ranges::all_of(text, is_plain) && text.find("..") == std::string_view::npos;
}

}  // namespace

std::optional<double> parse_spark_bytes(std::string_view text, double unit) {
  return with_unit(text, kByteUnits, unit);
}

std::optional<double> parse_spark_seconds(std::string_view text) { return with_unit(text, kTimeUnits, 1); }

SettingVerdict take_spark_property(SparkSettings& settings, std::string_view key, std::string_view value) {
  if (key.starts_with(kMetricsConf))
    return take_metrics_property(settings, key.substr(kMetricsConf.size()), value);
  if (key == kFactor) return store(settings.memory_overhead_factor, plain_number(value));
  if (key == kKubernetesFactor) {
    // Properties come sorted by key, so the executor's own is there already, and the driver's.
    const std::optional<double> factor = plain_number(value);
    if (!factor) return SettingVerdict::kUnreadable;
    if (!settings.memory_overhead_factor) settings.memory_overhead_factor = factor;
    if (!settings.driver_memory_overhead_factor) settings.driver_memory_overhead_factor = factor;
    return SettingVerdict::kKept;
  }
  for (const Setting& setting : kSettings) {
    if (setting.key == key) return store(settings.*setting.into, read(setting.form, value));
  }
  for (const Switch& wanted : kSwitches) {
    if (wanted.key == key) return store_switch(settings.*wanted.into, value);
  }
  return SettingVerdict::kNotWanted;
}

SettingVerdict take_metrics_property(SparkSettings& settings, std::string_view key, std::string_view value) {
  if (key != kAnyPath && key != kDriverPath) return SettingVerdict::kNotWanted;
  const std::string_view path = trimmed(value);
  if (!is_path(path)) return SettingVerdict::kUnreadable;
  if (key == kDriverPath || settings.servlet_path.empty()) settings.servlet_path = path;
  return SettingVerdict::kKept;
}

}  // namespace flintgauge
