// What one number of an endpoint measures, independent of how the endpoint spells it. Collectors map their
// names to a Measure; folds know how measures are combined and which families they feed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flintgauge {

/// Base units: seconds, bytes, counts. kCounterFirst..kCounterLast are cumulative, the others are values of
/// now.
enum class Measure : std::uint8_t {
  // Counters of a container (or of the node when the scope is kNode).
  kCpuUsageSeconds,
  kCpuCfsPeriods,
  kCpuCfsThrottledPeriods,
  kCpuCfsThrottledSeconds,
  kMemoryMajorPageFaults,
  kOomEvents,  ///< child processes killed while PID 1 lives
  kFsReadBytes,
  kFsWrittenBytes,
  kPressureCpuWaitingSeconds,  ///< PSI "some": a task waited; "full" (stalled): all of them did
  kPressureCpuStalledSeconds,
  kPressureMemoryWaitingSeconds,
  kPressureMemoryStalledSeconds,
  kPressureIoWaitingSeconds,
  kPressureIoStalledSeconds,
  kNetworkReceiveBytes,  ///< scope kSandbox only
  kNetworkTransmitBytes,
  kNetworkReceiveErrors,
  kNetworkTransmitErrors,
  kNetworkReceiveDropped,
  kNetworkTransmitDropped,
  // Gauges.
  kMemoryWorkingSetBytes,
  kMemoryRssBytes,
  kMemoryCacheBytes,
  kMemorySwapBytes,
  kEphemeralStorageBytes,  ///< scope kPod
  kVolumeUsageBytes,       ///< scope kVolume
  kVolumeCapacityBytes,
  kStartTimeSeconds,  ///< Unix seconds of the container's start: restart detection, not exposed
  kMachineCpuCores,
  kMachineMemoryBytes,
  kNodeFsCapacityBytes,
  kNodeFsAvailableBytes,
  kScrapeError,  ///< container_scrape_error and the like: 1 = the page says of itself that it is incomplete
  // Per executor (scope kExecutor), as its driver's rows or its own registry tell it. Counters of tasks, in
  // the order of the application's totals.
  kExecutorTasksCompleted,
  kExecutorTasksFailed,
  kExecutorRunSeconds,
  kExecutorCpuSeconds,
  kExecutorGcSeconds,
  kExecutorInputBytes,
  kExecutorInputRecords,
  kExecutorOutputBytes,
  kExecutorShuffleReadBytes,
  kExecutorShuffleWriteBytes,
  kExecutorShuffleFetchWaitSeconds,
  kExecutorMemorySpilledBytes,
  kExecutorDiskSpilledBytes,
  kExecutorOutputRecords,
  kExecutorShuffleReadRecords,
  kExecutorShuffleWriteRecords,
  kExecutorShuffleWriteSeconds,
  kExecutorDeserializeSeconds,
  kExecutorResultBytes,
  // Per executor, gauges.
  kExecutorActiveTasks,
  kExecutorMaxTasks,
  kExecutorRddBlocks,
  kExecutorMemoryUsedBytes,  ///< storage memory that cached blocks use
  kExecutorMaxMemoryBytes,
  kExecutorDurationSeconds,  ///< of ended tasks, as the driver saw them: grows, but is no total
  // Highest values since the executor began. A registry that tells the value of now may feed them too: the
  // highest one seen counts.
  kExecutorPeakJvmHeapBytes,
  kExecutorPeakJvmOffHeapBytes,
  kExecutorPeakOnHeapUnifiedBytes,
  kExecutorPeakOffHeapUnifiedBytes,
  kExecutorPeakDirectPoolBytes,
  kExecutorPeakMappedPoolBytes,
  kExecutorPeakProcessTreeJvmRssBytes,
  kExecutorPeakProcessTreePythonRssBytes,
  kExecutorPeakProcessTreeOtherRssBytes,
  // Driver registry (scope kDriver), gauges.
  kDriverTargetExecutors,     ///< ExecutorAllocationManager numberTargetExecutors
  kDriverMaxNeededExecutors,  ///< ExecutorAllocationManager numberMaxNeededExecutors
  kDriverActiveJobs,          ///< DAGScheduler job.activeJobs
  kDriverRunningStages,
  kDriverWaitingStages,
  kDriverExecutorsToAdd,            ///< ExecutorAllocationManager numberExecutorsToAdd
  kDriverExecutorsPendingToRemove,  ///< ExecutorAllocationManager numberExecutorsPendingToRemove
  kDriverExecutorsDecommissioning,  ///< ExecutorAllocationManager numberDecommissioningExecutors
  kDriverStorageMemoryUsedBytes,    ///< BlockManager memory.memUsed_MB: of all executors
  kDriverStorageMemoryMaxBytes,     ///< BlockManager memory.maxMem_MB
  kDriverHeapUsedBytes,
  kDriverHeapMaxBytes,
  kDriverConnectSessions,    ///< open sessions of a Spark Connect server
  kDriverConnectOperations,  ///< its operations that run
  // Driver registry, counters.
  kDriverJobsSucceeded,  ///< appStatus, like the next five
  kDriverJobsFailed,
  kDriverStagesCompleted,
  kDriverStagesFailed,
  kDriverStagesSkipped,
  kDriverTasksKilled,
  kDriverEventsDropped,  ///< LiveListenerBus queue.*.numDroppedEvents: several series, which add up
  kDriverGcSeconds,
  kDriverCpuSeconds,
  // Streaming queries of a driver (scope kQuery), gauges.
  kQueryInputRowsPerSecond,
  kQueryProcessedRowsPerSecond,
  kQueryBatchSeconds,
  kQueryStateRows,
  kQueryStateMemoryBytes,
  kQueryWatermarkSeconds,  ///< Unix time; 0 = none
  kQueryLagSeconds,        ///< batches wait so long before they begin
  // Of a companion tool (scope kTool), as one of its pods tells it. Counters.
  kKafkaReceivedBytes,
  kKafkaSentBytes,
  kKafkaReceivedMessages,
  kJupyterSpawns,  ///< servers that came up
  kJupyterSpawnsFailed,
  kJupyterSpawnSeconds,  ///< of those that came up
  // Gauges.
  kKafkaUnderReplicatedPartitions,
  kKafkaConsumerLag,  ///< messages that consumer groups have not read yet
  kJupyterRunningServers,
  kJupyterRunningKernels,
  kZeppelinInterpreterGroups,
  kZeppelinConnections,
  // Of a standalone cluster (scope kTool), as its master tells them. Gauges.
  kClusterWorkers,
  kClusterAliveWorkers,
  kClusterApplications,
  kClusterWaitingApplications,
  kClusterCores,
  kClusterUsedCores,
  kClusterMemoryBytes,
  kClusterUsedMemoryBytes,
  // Of a standalone worker (scope kTool), as it tells them itself. Gauges.
  kWorkerPods,  ///< 1
  kWorkerExecutors,
  kWorkerFreeCores,
  kWorkerUsedCores,
  kWorkerFreeMemoryBytes,
  kWorkerUsedMemoryBytes,
};
inline constexpr std::size_t kMeasureCount = static_cast<std::size_t>(Measure::kWorkerUsedMemoryBytes) + 1;

constexpr bool is_counter(Measure measure) {
  return measure <= Measure::kNetworkTransmitDropped ||
         (measure >= Measure::kExecutorTasksCompleted && measure <= Measure::kExecutorResultBytes) ||
         (measure >= Measure::kDriverJobsSucceeded && measure <= Measure::kDriverCpuSeconds) ||
         (measure >= Measure::kKafkaReceivedBytes && measure <= Measure::kJupyterSpawnSeconds);
}

/// Which kind of thing a row describes (kubelet-cadvisor.md section 3.1).
enum class Scope : std::uint8_t {
  kContainer,
  kSandbox,   ///< the pod's pause container: the only row with network counters
  kPod,       ///< pod cgroup, or a pod entry of /stats/summary
  kNode,      ///< the root cgroup, machine_*, node part of the summary
  kExecutor,  ///< row of a Spark driver's executor page
  kDriver,    ///< the Spark driver's own registry
  kQuery,     ///< a streaming query of it
  kVolume,    ///< a volume claim of a pod in /stats/summary; Route::container is the claim
  kTool,      ///< a companion's page: the pod that was asked
};

}  // namespace flintgauge
