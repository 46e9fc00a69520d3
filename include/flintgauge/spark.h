// What a Spark driver says of its application, as plain values (REST /api/v1, spark.md section 7).
// Every number is in base units. A field that the driver's version does not have is absent or 0 as stated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// A row of /allexecutors (or /executors). The driver's own row has id "driver".
struct SparkExecutor {
  std::string id;
  bool is_active = true;
  std::int64_t active_tasks = 0;  ///< may exceed max_tasks for some 100 ms
  std::int64_t max_tasks = 0;     ///< task slots; 0 on the driver row in cluster mode
  std::int64_t total_cores = 0;
  std::int64_t rdd_blocks = 0;
  double tasks_completed = 0;  ///< counters
  double tasks_failed = 0;
  double gc_seconds = 0;
  double input_bytes = 0;
  double shuffle_read_bytes = 0;
  double shuffle_write_bytes = 0;
  double duration_seconds = kNotTold;   ///< grows; on the driver's own row the uptime (3.3 and later)
  double memory_used_bytes = kNotTold;  ///< now
  double max_memory_bytes = kNotTold;
  double peak_jvm_heap_bytes =
      kNotTold;  ///< peaks since its start, from Spark 3.0 and its first heartbeat on
  double peak_jvm_off_heap_bytes = kNotTold;
  double peak_on_heap_unified_bytes = kNotTold;
  double peak_off_heap_unified_bytes = kNotTold;
  double peak_direct_pool_bytes = kNotTold;
  double peak_mapped_pool_bytes = kNotTold;
  double peak_process_tree_jvm_rss_bytes = kNotTold;
  double peak_process_tree_python_rss_bytes = kNotTold;
  double peak_process_tree_other_rss_bytes = kNotTold;
  std::int64_t resource_profile_id = 0;
  WallTime added;             ///< ms 0 = not told
  WallTime removed;           ///< ms 0 = not told, or still there
  std::string remove_reason;  ///< the first kMaxRemoveReason bytes
  static constexpr std::size_t kMaxRemoveReason = 1024;
};

/// `complete`: the list holds dead executors too (allexecutors).
struct SparkExecutors {
  bool complete = false;
  std::vector<SparkExecutor> executors;
};

enum class StageStatus : std::uint8_t { kActive, kComplete, kPending, kFailed, kSkipped };

/// One stage attempt of /stages. Times of an active stage move at task end, records with the heartbeats.
struct SparkStage {
  std::int64_t stage_id = 0;
  std::int64_t attempt_id = 0;
  StageStatus status = StageStatus::kPending;
  std::int64_t tasks = 0;  ///< numTasks
  std::int64_t tasks_active = 0;
  std::int64_t tasks_complete = 0;
  std::int64_t tasks_failed = 0;
  std::int64_t tasks_killed = 0;
  double executor_run_seconds = 0;  ///< counters from here
  double executor_cpu_seconds = 0;
  double gc_seconds = 0;
  double input_bytes = 0;
  double input_records = 0;
  double output_bytes = 0;
  double output_records = 0;
  double shuffle_read_bytes = 0;
  double shuffle_write_bytes = 0;
  double shuffle_fetch_wait_seconds = 0;
  double memory_spilled_bytes = 0;
  double disk_spilled_bytes = 0;
  double shuffle_read_records = 0;
  double shuffle_write_records = 0;
  double shuffle_write_seconds = 0;
  double deserialize_seconds = 0;
  double result_bytes = 0;
  // Of the tasks that have ended: withSummaries with quantiles 0.5 and 1.0, Spark 3.2 and later.
  double task_run_seconds_median = kNotTold;
  double task_run_seconds_max = kNotTold;
  double scheduler_delay_seconds_median = kNotTold;
  WallTime submitted;            ///< never another of one attempt; ms 0 = not told, not yet, or skipped
  WallTime first_task_launched;  ///< ms 0 = not told, or no task yet
  std::int64_t resource_profile_id = 0;
};

/// `complete`: every stage that is active or pending now is listed. Finished ones may be missing: a driver
/// forgets old ones, and lists of unfinished stages are asked for more often than the whole list.
struct SparkStages {
  bool complete = false;
  std::vector<SparkStage> stages;
};

/// What one resource profile gives to an executor and a task of its.
struct SparkProfile {
  std::int64_t id = 0;
  std::optional<double> executor_cores, executor_memory_bytes, memory_overhead_bytes, offheap_bytes,
      pyspark_memory_bytes;
  std::optional<double> task_cpus;
};

/// The settings that a hint needs, of one driver (REST environment). They do not change while it lives.
/// Absent: not set, so that Spark's default holds (spark.md sections 8 and 9). Nothing else of the
/// environment is kept: it is full of secrets.
struct SparkSettings {
  std::optional<double> executor_cores;         ///< spark.executor.cores
  std::optional<double> executor_memory_bytes;  ///< spark.executor.memory
  std::optional<double> memory_overhead_bytes;  ///< spark.executor.memoryOverhead
  std::optional<double>
      memory_overhead_factor;  ///< spark.executor.memoryOverheadFactor, else Kubernetes' own
  std::optional<double> min_memory_overhead_bytes;  ///< spark.executor.minMemoryOverhead
  std::optional<double> pyspark_memory_bytes;       ///< spark.executor.pyspark.memory
  std::optional<bool> offheap_enabled;
  std::optional<double> offheap_bytes;
  std::optional<double> memory_fraction, memory_storage_fraction;
  std::optional<double> request_cores, limit_cores;  ///< spark.kubernetes.executor.request.cores, limit.cores
  std::optional<double> driver_memory_bytes;         ///< spark.driver.memory
  std::optional<double> driver_memory_overhead_bytes;  ///< spark.driver.memoryOverhead
  std::optional<double>
      driver_memory_overhead_factor;  ///< spark.driver.memoryOverheadFactor, else Kubernetes' own
  std::optional<double> min_driver_memory_overhead_bytes;  ///< spark.driver.minMemoryOverhead
  std::optional<double> driver_request_cores;              ///< spark.kubernetes.driver.request.cores
  std::optional<double> driver_cores;                      ///< spark.driver.cores
  std::optional<double> task_cpus;
  std::optional<double> executor_instances;
  std::optional<double> max_executor_failures;  ///< spark.executor.maxNumFailures
  std::optional<bool> dynamic_allocation;
  std::optional<double> min_executors, max_executors, initial_executors;
  std::optional<double> executor_allocation_ratio;
  std::optional<double> backlog_timeout_seconds, sustained_backlog_timeout_seconds;
  std::optional<double> idle_timeout_seconds, cached_idle_timeout_seconds;
  std::optional<bool> shuffle_tracking;
  std::optional<double> shuffle_tracking_timeout_seconds;
  std::string servlet_path;  ///< of the driver's PrometheusServlet: "/metrics/prometheus"; "" = none
  std::vector<SparkProfile> profiles;  ///< resource profiles, Spark 3.1+
};

/// How a driver calls itself and its Spark (REST applications). Text of a tenant: for people, no identity.
struct SparkAbout {
  std::string app_name;
  std::string spark_version;
};

enum class JobStatus : std::uint8_t { kRunning, kSucceeded, kFailed, kUnknown };

struct SparkJob {
  std::int64_t job_id = 0;
  JobStatus status = JobStatus::kUnknown;
  WallTime submitted{};  ///< ms 0 = not told
};

/// The jobs that the driver remembers (1000 by default), the newest first.
struct SparkJobs {
  std::vector<SparkJob> jobs;
};

}  // namespace flintgauge
