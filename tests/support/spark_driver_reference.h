// What a driver's REST interface says of jobs, settings and itself, read the slow way from a tree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/common/spark_settings.h"
#include "flintgauge/spark.h"
#include "support/spark_reference.h"

namespace flintgauge::reference {

inline std::optional<std::string> jobs(const Json& document) {
  if (document.type != Type::kArray) return std::nullopt;
  const std::vector<std::string> words = {"RUNNING", "SUCCEEDED", "FAILED", "UNKNOWN"};
  std::string out;
  for (const Json& row : document.elements) {
    const std::int64_t id = count_at(row, "jobId", -1);
    const auto word = std::find(words.begin(), words.end(), text_at(&row, {"status"}));
    if (id < 0 || word == words.end()) continue;
    out += std::to_string(id) + " " + std::to_string(word - words.begin()) + " " +
           std::to_string(time_ms_at(row, "submissionTime")) + "\n";
  }
  return out;
}

inline std::string describe(const SparkJobs& list) {
  std::string out;
  for (const SparkJob& job : list.jobs)
    out += std::to_string(job.job_id) + " " + std::to_string(static_cast<int>(job.status)) + " " +
           std::to_string(job.submitted.ms) + "\n";
  return out;
}

inline std::string describe(const std::optional<double>& number) {
  return (number ? std::to_string(*number) : "-") + " ";
}
inline std::string describe(const std::optional<bool>& truth) {
  return std::string(truth ? (*truth ? "true" : "false") : "-") + " ";
}

inline std::string describe(const SparkProfile& p) {
  return "\nprofile " + std::to_string(p.id) + " " + describe(p.executor_cores) +
         describe(p.executor_memory_bytes) + describe(p.memory_overhead_bytes) + describe(p.offheap_bytes) +
         describe(p.pyspark_memory_bytes) + describe(p.task_cpus);
}

/// Every field. A field that is missing here is missing in the comparisons: keep in step with spark.h.
inline std::string describe(const SparkSettings& s) {
  std::string out =
      describe(s.executor_cores) + describe(s.executor_memory_bytes) + describe(s.memory_overhead_bytes) +
      describe(s.memory_overhead_factor) + describe(s.min_memory_overhead_bytes) +
      describe(s.pyspark_memory_bytes) + describe(s.offheap_enabled) + describe(s.offheap_bytes) +
      describe(s.memory_fraction) + describe(s.memory_storage_fraction) + describe(s.request_cores) +
      describe(s.limit_cores) + describe(s.driver_memory_bytes) + describe(s.driver_memory_overhead_bytes) +
      describe(s.driver_memory_overhead_factor) + describe(s.min_driver_memory_overhead_bytes) +
      describe(s.driver_request_cores) + describe(s.driver_cores) + describe(s.task_cpus) +
      describe(s.executor_instances) + describe(s.max_executor_failures) + describe(s.dynamic_allocation) +
      describe(s.min_executors) + describe(s.max_executors) + describe(s.initial_executors) +
      describe(s.executor_allocation_ratio) + describe(s.backlog_timeout_seconds) +
      describe(s.sustained_backlog_timeout_seconds) + describe(s.idle_timeout_seconds) +
      describe(s.cached_idle_timeout_seconds) + describe(s.shuffle_tracking) +
      describe(s.shuffle_tracking_timeout_seconds) + s.servlet_path;
  for (const SparkProfile& profile : s.profiles) out += describe(profile);
  return out;
}

/// The strings of [["key", "value"], ..], places kept.
template <typename Take>
void each_pair(const Json* list, Take take) {
  if (list == nullptr || list->type != Type::kArray) return;
  for (const Json& pair : list->elements) {
    if (pair.type != Type::kArray) continue;
    std::vector<std::string> texts;
    for (const Json& text : pair.elements) {
      if (text.type == Type::kNull) texts.emplace_back();
      if (is_string(&text)) texts.push_back(text.text);
    }
    if (texts.size() > 1) take(texts[0], texts[1]);
  }
}

inline std::optional<double> amount_at(const Json& row, std::string_view of, std::string_view name,
                                       double unit) {
  const Json* found = at(&row, {of, name, "amount"});
  if (found == nullptr || found->type != Type::kNumber) return std::nullopt;
  double value = -1;
  const std::string& text = found->text;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{} || value < 0)
    return std::nullopt;
  return value * unit;
}

inline std::optional<std::string> settings(const Json& document) {
  const Json* spark = at(&document, {"sparkProperties"});
  if (spark == nullptr || spark->type != Type::kArray) return std::nullopt;
  SparkSettings out;
  // In the order of the document: sparkProperties and metricsProperties may name the same path.
  for (const auto& [name, list] : document.members) {
    if (name == "sparkProperties")
      each_pair(&list, [&](const auto& k, const auto& v) { take_spark_property(out, k, v); });
    if (name == "metricsProperties")
      each_pair(&list, [&](const auto& k, const auto& v) { take_metrics_property(out, k, v); });
  }
  const Json* profiles = at(&document, {"resourceProfiles"});
  constexpr double kMebi = 1048576;
  for (std::size_t i = 0;
       profiles != nullptr && profiles->type == Type::kArray && i < profiles->elements.size(); ++i) {
    const Json& row = profiles->elements[i];
    if (row.type != Type::kObject) continue;
    SparkProfile& p = out.profiles.emplace_back();
    p.id = count_at(row, "id");
    p.executor_cores = amount_at(row, "executorResources", "cores", 1);
    p.executor_memory_bytes = amount_at(row, "executorResources", "memory", kMebi);
    p.memory_overhead_bytes = amount_at(row, "executorResources", "memoryOverhead", kMebi);
    p.offheap_bytes = amount_at(row, "executorResources", "offHeap", kMebi);
    p.pyspark_memory_bytes = amount_at(row, "executorResources", "pyspark.memory", kMebi);
    p.task_cpus = amount_at(row, "taskResources", "cpus", 1);
  }
  return describe(out);
}

inline bool is_plain_name(const std::string& text) {
  return !text.empty() && text.size() <= 128 &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

inline std::optional<std::string> about(const Json& document, const std::string& app_id) {
  if (document.type != Type::kArray) return std::nullopt;
  std::string out = "|";
  for (const Json& row : document.elements) {
    if (text_at(&row, {"id"}) != app_id || app_id.empty()) continue;
    const std::string name = text_at(&row, {"name"});
    std::string version;
    const Json* attempts = at(&row, {"attempts"});
    if (attempts != nullptr && attempts->type == Type::kArray) {
      for (const Json& attempt : attempts->elements) {
        const std::string text = text_at(&attempt, {"appSparkVersion"});
        if (version.empty() && is_plain_name(text)) version = text;
      }
    }
    out = (is_plain_name(name) ? name : "") + "|" + version;
  }
  return out;
}

}  // namespace flintgauge::reference
