// Families that Spark drivers and executors feed. A part of the catalogue (catalogue.h), which is
// what to include.
#pragma once

#include <array>

#include "flintgauge/family.h"

namespace flintgauge {

// clang-format off
/// Columns: name, type, owner, labels, help, sources.
inline constexpr auto kSparkFamilies = std::to_array<Family>({
  {"flintgauge_spark_tasks_completed_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Tasks completed. Whole application, as its driver reports it; survives executors.",
   "REST allexecutors completedTasks, /metrics/executors/prometheus/"},
  {"flintgauge_spark_tasks_failed_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Tasks failed. Whole application, as its driver reports it; survives executors.",
   "REST stages numFailedTasks, else executors failedTasks"},
  {"flintgauge_spark_executor_run_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Time executors spent running tasks. Whole application, as its driver reports it; survives executors.",
   "REST stages executorRunTime"},
  {"flintgauge_spark_executor_cpu_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "CPU time of tasks on executors. Whole application, as its driver reports it; survives executors.",
   "REST stages executorCpuTime"},
  {"flintgauge_spark_gc_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "JVM garbage collection time during tasks. Whole application, as its driver reports it; survives executors.",
   "REST allexecutors totalGCTime, /metrics/executors/prometheus/"},
  {"flintgauge_spark_input_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Bytes read by tasks from storage. Whole application, as its driver reports it; survives executors.",
   "REST stages inputBytes, else executors totalInputBytes"},
  {"flintgauge_spark_input_records_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Records read by tasks. Whole application, as its driver reports it; survives executors.",
   "REST stages inputRecords"},
  {"flintgauge_spark_output_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Bytes written by tasks to storage. Whole application, as its driver reports it; survives executors.",
   "REST stages outputBytes"},
  {"flintgauge_spark_shuffle_read_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Shuffle bytes read. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleReadBytes, else executors totalShuffleRead"},
  {"flintgauge_spark_shuffle_write_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Shuffle bytes written. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleWriteBytes, else executors totalShuffleWrite"},
  {"flintgauge_spark_shuffle_fetch_wait_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Time tasks waited for remote shuffle blocks. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleFetchWaitTime"},
  {"flintgauge_spark_memory_spilled_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "In-memory size of data spilled. Whole application, as its driver reports it; survives executors.",
   "REST stages memoryBytesSpilled"},
  {"flintgauge_spark_disk_spilled_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "On-disk size of data spilled. Whole application, as its driver reports it; survives executors.",
   "REST stages diskBytesSpilled"},
  {"flintgauge_spark_output_records_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Records written by tasks. Whole application, as its driver reports it; survives executors.",
   "REST stages outputRecords"},
  {"flintgauge_spark_shuffle_read_records_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Shuffle records read. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleReadRecords"},
  {"flintgauge_spark_shuffle_write_records_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Shuffle records written. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleWriteRecords"},
  {"flintgauge_spark_shuffle_write_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Time tasks spent writing shuffle data. Whole application, as its driver reports it; survives executors.",
   "REST stages shuffleWriteTime"},
  {"flintgauge_spark_task_deserialize_seconds_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Time executors spent deserializing tasks. Whole application, as its driver reports it; survives executors.",
   "REST stages executorDeserializeTime"},
  {"flintgauge_spark_task_result_bytes_total", MetricType::kCounter, Owner::kSpark, {{"namespace", "app_id"}},
   "Size of task results sent to the driver. Whole application, as its driver reports it; survives executors.",
   "REST stages resultSize"},
  {"flintgauge_spark_tasks", MetricType::kGauge, Owner::kSpark, {{"namespace", "app_id", "state"}},
   "Tasks now, by state: active, pending (of active stages).",
   "REST stages, executors activeTasks"},
  {"flintgauge_spark_executors", MetricType::kGauge, Owner::kSpark, {{"namespace", "app_id", "state"}},
   "Executors now, by state: active, busy (running a task or holding cached blocks), dead; target and max_needed as dynamic allocation has them.",
   "REST allexecutors, driver registry ExecutorAllocationManager"},
  {"flintgauge_spark_stages", MetricType::kGauge, Owner::kSpark, {{"namespace", "app_id", "state"}},
   "Stages now, by state: active, pending.",
   "REST stages, driver registry DAGScheduler"},
  {"flintgauge_spark_jobs", MetricType::kGauge, Owner::kSpark, {{"namespace", "app_id", "state"}},
   "Jobs now, by state: active.",
   "driver registry DAGScheduler job.activeJobs"},
});
// clang-format on

}  // namespace flintgauge
