// Spark's REST lists read the slow way, from a tree; and a node with one driver on it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/common/rfc3339.h"
#include "flintgauge/collector.h"
#include "flintgauge/spark.h"
#include "support/pods_reference.h"

namespace flintgauge::reference {

inline Discovery one_driver() {
  auto pods = std::make_shared<PodList>();
  Pod& pod = pods->pods.emplace_back();
  pod.namespace_name = "team-a";
  pod.name = "etl-driver";
  pod.uid = "uid-1";
  pod.labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "driver"}};
  pod.phase = Phase::kRunning;
  pod.ips = {"10.1.2.3"};
  pod.host_ip = "10.0.0.7";
  Discovery discovery;
  discovery.pods = pods;
  return discovery;
}

/// Counts in Spark are never negative.
inline std::int64_t count_at(const Json& row, std::string_view name, std::int64_t otherwise = 0) {
  const std::int64_t value = integer_at(&row, {name});
  const Json* found = at(&row, {name});
  const bool told = found != nullptr && found->type == Type::kNumber &&
                    found->text.find_first_of(".eE") == std::string::npos && found->text.size() < 19;
  return told && value >= 0 ? value : otherwise;
}

inline double number_at(const Json& row, std::string_view name, double unit = 1) {
  const Json* found = at(&row, {name});
  if (found == nullptr || found->type != Type::kNumber) return 0;
  double value = 0;
  if (std::from_chars(found->text.data(), found->text.data() + found->text.size(), value).ec != std::errc{})
    return 0;
  return value >= 0 && value < 0x1p63 ? value / unit : 0;
}

/// The same, where absent is no zero.
inline double told_at(const Json& row, std::string_view name, double unit = 1) {
  const Json* found = at(&row, {name});
  if (found == nullptr || found->type != Type::kNumber) return kNotTold;
  double value = 0;
  if (std::from_chars(found->text.data(), found->text.data() + found->text.size(), value).ec != std::errc{})
    return kNotTold;
  return value >= 0 && value < 0x1p63 ? value / unit : kNotTold;
}

inline const Json& part(const Json& row, std::string_view name) {
  static const Json kNothing;
  const Json* found = at(&row, {name});
  return found != nullptr ? *found : kNothing;
}

/// 0 when there is none, or none that is a time. How times are read has a test of its own.
inline std::int64_t time_ms_at(const Json& row, const char* name) {
  return parse_spark_time(text_at(&row, {name})).value_or(WallTime{}).ms;
}

inline std::optional<std::vector<SparkExecutor>> executors(const Json& document) {
  if (document.type != Type::kArray) return std::nullopt;
  std::vector<SparkExecutor> out;
  for (const Json& row : document.elements) {
    SparkExecutor e;
    e.id = text_at(&row, {"id"});
    if (e.id.empty() || e.id.size() > 128) continue;
    const Json* active = at(&row, {"isActive"});
    if (active != nullptr && active->type == Type::kBool) e.is_active = active->truth;
    e.active_tasks = count_at(row, "activeTasks");
    e.max_tasks = count_at(row, "maxTasks");
    e.total_cores = count_at(row, "totalCores");
    e.rdd_blocks = count_at(row, "rddBlocks");
    e.resource_profile_id = count_at(row, "resourceProfileId");
    e.tasks_completed = number_at(row, "completedTasks");
    e.tasks_failed = number_at(row, "failedTasks");
    e.gc_seconds = number_at(row, "totalGCTime", 1e3);
    e.input_bytes = number_at(row, "totalInputBytes");
    e.shuffle_read_bytes = number_at(row, "totalShuffleRead");
    e.shuffle_write_bytes = number_at(row, "totalShuffleWrite");
    e.duration_seconds = told_at(row, "totalDuration", 1e3);
    e.memory_used_bytes = told_at(row, "memoryUsed");
    e.max_memory_bytes = told_at(row, "maxMemory");
    const Json& peaks = part(row, "peakMemoryMetrics");
    e.peak_jvm_heap_bytes = told_at(peaks, "JVMHeapMemory");
    e.peak_jvm_off_heap_bytes = told_at(peaks, "JVMOffHeapMemory");
    e.peak_on_heap_unified_bytes = told_at(peaks, "OnHeapUnifiedMemory");
    e.peak_off_heap_unified_bytes = told_at(peaks, "OffHeapUnifiedMemory");
    e.peak_direct_pool_bytes = told_at(peaks, "DirectPoolMemory");
    e.peak_mapped_pool_bytes = told_at(peaks, "MappedPoolMemory");
    e.peak_process_tree_jvm_rss_bytes = told_at(peaks, "ProcessTreeJVMRSSMemory");
    e.peak_process_tree_python_rss_bytes = told_at(peaks, "ProcessTreePythonRSSMemory");
    e.peak_process_tree_other_rss_bytes = told_at(peaks, "ProcessTreeOtherRSSMemory");
    e.remove_reason = text_at(&row, {"removeReason"});
    out.push_back(e);
  }
  return out;
}

inline std::optional<std::vector<SparkStage>> stages(const Json& document) {
  if (document.type != Type::kArray) return std::nullopt;
  const std::vector<std::string> words = {"ACTIVE", "COMPLETE", "PENDING", "FAILED", "SKIPPED"};
  std::vector<SparkStage> out;
  for (const Json& row : document.elements) {
    SparkStage s;
    s.stage_id = count_at(row, "stageId", -1);
    s.attempt_id = count_at(row, "attemptId", -1);
    const auto word = std::find(words.begin(), words.end(), text_at(&row, {"status"}));
    if (s.stage_id < 0 || s.attempt_id < 0 || word == words.end()) continue;
    s.status = static_cast<StageStatus>(word - words.begin());
    s.tasks = count_at(row, "numTasks");
    s.tasks_active = count_at(row, "numActiveTasks");
    s.tasks_complete = count_at(row, "numCompleteTasks");
    s.tasks_failed = count_at(row, "numFailedTasks");
    s.tasks_killed = count_at(row, "numKilledTasks");
    s.resource_profile_id = count_at(row, "resourceProfileId");
    s.submitted.ms = time_ms_at(row, "submissionTime");
    s.first_task_launched.ms = time_ms_at(row, "firstTaskLaunchedTime");
    s.executor_run_seconds = number_at(row, "executorRunTime", 1e3);
    s.executor_cpu_seconds = number_at(row, "executorCpuTime", 1e9);
    s.gc_seconds = number_at(row, "jvmGcTime", 1e3);
    s.input_bytes = number_at(row, "inputBytes");
    s.input_records = number_at(row, "inputRecords");
    s.output_bytes = number_at(row, "outputBytes");
    s.output_records = number_at(row, "outputRecords");
    s.shuffle_read_bytes = number_at(row, "shuffleReadBytes");
    s.shuffle_write_bytes = number_at(row, "shuffleWriteBytes");
    s.shuffle_fetch_wait_seconds = number_at(row, "shuffleFetchWaitTime", 1e3);
    s.memory_spilled_bytes = number_at(row, "memoryBytesSpilled");
    s.disk_spilled_bytes = number_at(row, "diskBytesSpilled");
    s.shuffle_read_records = number_at(row, "shuffleReadRecords");
    s.shuffle_write_records = number_at(row, "shuffleWriteRecords");
    s.shuffle_write_seconds = number_at(row, "shuffleWriteTime") / 1e9;
    s.deserialize_seconds = number_at(row, "executorDeserializeTime") / 1e3;
    s.result_bytes = number_at(row, "resultSize");
    out.push_back(s);
  }
  return out;
}

inline std::string join(std::initializer_list<double> numbers) {
  std::string out;
  for (const double number : numbers) out.append(" ").append(std::to_string(number));
  return out + "\n";
}

inline double as_double(std::int64_t number) { return static_cast<double>(number); }

inline std::string describe(const std::vector<SparkExecutor>& list) {
  std::string out;
  for (const SparkExecutor& e : list) {
    out += e.id + (e.is_active ? " active" : " dead");
    out += join({as_double(e.active_tasks),
                 as_double(e.max_tasks),
                 as_double(e.total_cores),
                 as_double(e.rdd_blocks),
                 as_double(e.resource_profile_id),
                 e.tasks_completed,
                 e.tasks_failed,
                 e.gc_seconds,
                 e.input_bytes,
                 e.shuffle_read_bytes,
                 e.shuffle_write_bytes,
                 e.duration_seconds,
                 e.memory_used_bytes,
                 e.max_memory_bytes,
                 e.peak_jvm_heap_bytes,
                 e.peak_jvm_off_heap_bytes,
                 e.peak_on_heap_unified_bytes,
                 e.peak_off_heap_unified_bytes,
                 e.peak_direct_pool_bytes,
                 e.peak_mapped_pool_bytes,
                 e.peak_process_tree_jvm_rss_bytes,
                 e.peak_process_tree_python_rss_bytes,
                 e.peak_process_tree_other_rss_bytes});
    out += "  " + e.remove_reason + "\n";
  }
  return out;
}

inline std::string describe(const std::vector<SparkStage>& list) {
  std::string out;
  for (const SparkStage& s : list) {
    out += std::to_string(s.stage_id) + "." + std::to_string(s.attempt_id) + " status " +
           std::to_string(static_cast<int>(s.status));
    out += join({as_double(s.tasks),
                 as_double(s.tasks_active),
                 as_double(s.tasks_complete),
                 as_double(s.tasks_failed),
                 as_double(s.tasks_killed),
                 as_double(s.resource_profile_id),
                 as_double(s.submitted.ms),
                 as_double(s.first_task_launched.ms),
                 s.executor_run_seconds,
                 s.executor_cpu_seconds,
                 s.gc_seconds,
                 s.input_bytes,
                 s.input_records,
                 s.output_bytes,
                 s.output_records,
                 s.shuffle_read_bytes,
                 s.shuffle_write_bytes,
                 s.shuffle_fetch_wait_seconds,
                 s.memory_spilled_bytes,
                 s.disk_spilled_bytes,
                 s.shuffle_read_records,
                 s.shuffle_write_records,
                 s.shuffle_write_seconds,
                 s.deserialize_seconds,
                 s.result_bytes});
  }
  return out;
}

}  // namespace flintgauge::reference
