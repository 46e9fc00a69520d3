// The numbers an application has, as columns: which family shows each. Private to the Spark fold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "flintgauge/catalogue.h"
#include "flintgauge/measure.h"

namespace flintgauge::spark {

enum class Column : std::uint8_t {
  kTasksCompleted,  // counters
  kTasksFailed,
  kRunSeconds,
  kCpuSeconds,
  kGcSeconds,
  kInputBytes,
  kInputRecords,
  kOutputBytes,
  kShuffleRead,
  kShuffleWrite,
  kFetchWaitSeconds,
  kMemorySpilled,
  kDiskSpilled,
  kOutputRecords,
  kShuffleReadRecords,
  kShuffleWriteRecords,
  kShuffleWriteSeconds,
  kDeserializeSeconds,
  kResultBytes,
  kTasksActive,  // gauges
  kTasksPending,
  kExecutorsActive,
  kExecutorsBusy,
  kExecutorsDead,
  kExecutorsTarget,
  kExecutorsMaxNeeded,
  kStagesActive,
  kStagesPending,
  kJobsActive,
  kExecutorsToAdd,
  kExecutorsPendingToRemove,
  kExecutorsDecommissioning,
  kStorageMemoryUsed,
  kStorageMemoryMax,
  kDriverHeapUsed,
  kDriverHeapMax,
  kConnectSessions,
  kConnectOperations,
  kJobsSucceeded,  // counters that drivers tell
  kJobsFailed,
  kStagesCompleted,
  kStagesFailed,
  kStagesSkipped,
  kTasksKilled,
  kEventsDropped,
  kDriverGcSeconds,
  kDriverCpuSeconds,
};
inline constexpr std::size_t kColumns = static_cast<std::size_t>(Column::kDriverCpuSeconds) + 1;
inline constexpr std::size_t kTotals = static_cast<std::size_t>(Column::kTasksActive);

constexpr std::size_t place(Column column) { return static_cast<std::size_t>(column); }

struct ColumnFamily {
  FamilyId family;
  std::string_view state;  ///< value of the label state, or "" when the family has none
};

inline constexpr std::array<ColumnFamily, kColumns> kColumnFamilies = {{
    {family("flintgauge_spark_tasks_completed_total"), ""},
    {family("flintgauge_spark_tasks_failed_total"), ""},
    {family("flintgauge_spark_executor_run_seconds_total"), ""},
    {family("flintgauge_spark_executor_cpu_seconds_total"), ""},
    {family("flintgauge_spark_gc_seconds_total"), ""},
    {family("flintgauge_spark_input_bytes_total"), ""},
    {family("flintgauge_spark_input_records_total"), ""},
    {family("flintgauge_spark_output_bytes_total"), ""},
    {family("flintgauge_spark_shuffle_read_bytes_total"), ""},
    {family("flintgauge_spark_shuffle_write_bytes_total"), ""},
    {family("flintgauge_spark_shuffle_fetch_wait_seconds_total"), ""},
    {family("flintgauge_spark_memory_spilled_bytes_total"), ""},
    {family("flintgauge_spark_disk_spilled_bytes_total"), ""},
    {family("flintgauge_spark_output_records_total"), ""},
    {family("flintgauge_spark_shuffle_read_records_total"), ""},
    {family("flintgauge_spark_shuffle_write_records_total"), ""},
    {family("flintgauge_spark_shuffle_write_seconds_total"), ""},
    {family("flintgauge_spark_task_deserialize_seconds_total"), ""},
    {family("flintgauge_spark_task_result_bytes_total"), ""},
    {family("flintgauge_spark_tasks"), "active"},
    {family("flintgauge_spark_tasks"), "pending"},
    {family("flintgauge_spark_executors"), "active"},
    {family("flintgauge_spark_executors"), "busy"},
    {family("flintgauge_spark_executors"), "dead"},
    {family("flintgauge_spark_executors"), "target"},
    {family("flintgauge_spark_executors"), "max_needed"},
    {family("flintgauge_spark_stages"), "active"},
    {family("flintgauge_spark_stages"), "pending"},
    {family("flintgauge_spark_jobs"), "active"},
    {family("flintgauge_spark_executors"), "to_add"},
    {family("flintgauge_spark_executors"), "pending_to_remove"},
    {family("flintgauge_spark_executors"), "decommissioning"},
    {family("flintgauge_spark_storage_memory_used_bytes"), ""},
    {family("flintgauge_spark_storage_memory_max_bytes"), ""},
    {family("flintgauge_spark_driver_heap_used_bytes"), ""},
    {family("flintgauge_spark_driver_heap_max_bytes"), ""},
    {family("flintgauge_spark_connect_sessions"), ""},
    {family("flintgauge_spark_connect_operations"), ""},
    {family("flintgauge_spark_jobs_succeeded_total"), ""},
    {family("flintgauge_spark_jobs_failed_total"), ""},
    {family("flintgauge_spark_stages_completed_total"), ""},
    {family("flintgauge_spark_stages_failed_total"), ""},
    {family("flintgauge_spark_stages_skipped_total"), ""},
    {family("flintgauge_spark_tasks_killed_total"), ""},
    {family("flintgauge_spark_listener_bus_dropped_events_total"), ""},
    {family("flintgauge_spark_driver_gc_seconds_total"), ""},
    {family("flintgauge_spark_driver_cpu_seconds_total"), ""},
}};

/// The measures of executors from kExecutorTasksCompleted on are the totals, in the order of their columns.
static_assert(kTotals == static_cast<std::size_t>(Measure::kExecutorResultBytes) -
                             static_cast<std::size_t>(Measure::kExecutorTasksCompleted) + 1);

/// A set of columns: bit place(column).
using ColumnSet = std::uint64_t;
static_assert(kColumns < 64);
constexpr ColumnSet bit(std::size_t place_of_column) { return ColumnSet{1} << place_of_column; }
constexpr ColumnSet bit(Column column) { return bit(place(column)); }
inline constexpr ColumnSet kAllMask = bit(kColumns) - 1;
inline constexpr ColumnSet kTotalsMask = bit(kTotals) - 1;
/// Columns of counters that drivers tell: kJobsSucceeded up to kDriverCpuSeconds.
inline constexpr ColumnSet kDriverTotalsMask =
    (bit(place(Column::kDriverCpuSeconds) + 1) - 1) & ~(bit(Column::kJobsSucceeded) - 1);
/// What stays when nobody speaks any more.
inline constexpr ColumnSet kCountersMask = kTotalsMask | kDriverTotalsMask;

/// Values by column; absent ones are not present, which is not zero.
struct Numbers {
  std::array<double, kColumns> value{};
  ColumnSet present = 0;

  void set(Column column, double amount) {
    value[place(column)] = amount;
    present |= bit(column);
  }
  /// Adds the columns of `mask` that are present there.
  void add(const Numbers& other, ColumnSet mask) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      if ((other.present & mask & bit(i)) != 0) value[i] += other.value[i];
    }
    present |= other.present & mask;
  }
};

}  // namespace flintgauge::spark
