// What a Spark driver says of its application, as plain values (REST /api/v1, spark.md section 7).
// Every number is in base units. A field that the driver's version does not have is absent or 0 as stated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  std::int64_t resource_profile_id = 0;
  std::string remove_reason;
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
  std::int64_t resource_profile_id = 0;
};

/// `complete`: every stage that is active or pending now is listed. Finished ones may be missing: a driver
/// forgets old ones, and lists of unfinished stages are asked for more often than the whole list.
struct SparkStages {
  bool complete = false;
  std::vector<SparkStage> stages;
};

}  // namespace flintgauge
