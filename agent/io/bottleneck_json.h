// The bottleneck as JSON, and the names of what it was concluded from. Private to the JSON API and the pages.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "agent/io/json_object.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// A member of the bottleneck's inputs, its name, and what it is in words.
struct InputField {
  std::string_view name;
  std::optional<double> BottleneckInput::*value;
  std::string_view meaning;
};
inline constexpr auto kInputFields = std::to_array<InputField>({
    {"executors", &BottleneckInput::executors, "mean number of executors"},
    {"slots", &BottleneckInput::slots, "mean of all task slots, S"},
    {"activeTasks", &BottleneckInput::active_tasks, "mean of running tasks"},
    {"pendingTasks", &BottleneckInput::pending_tasks, "mean of waiting tasks"},
    {"driverCpuCores", &BottleneckInput::driver_cpu_cores, "CPU of the driver, cores"},
    {"jobShare", &BottleneckInput::job_share, "part of the readings with a job"},
    {"stageShare", &BottleneckInput::stage_share, "part with an active stage"},
    {"idleShare", &BottleneckInput::idle_share, "part without a running task"},
    {"backlogShare", &BottleneckInput::backlog_share, "part in which tasks waited"},
    {"runSeconds", &BottleneckInput::run_seconds, "run time of tasks that ended, T"},
    {"cpuSeconds", &BottleneckInput::cpu_seconds, "their CPU time"},
    {"gcSeconds", &BottleneckInput::gc_seconds, "garbage collection while they ran"},
    {"fetchWaitSeconds", &BottleneckInput::fetch_wait_seconds, "they waited for shuffle blocks"},
    {"shuffleWriteSeconds", &BottleneckInput::shuffle_write_seconds, "they wrote shuffle files"},
    {"deserializeSeconds", &BottleneckInput::deserialize_seconds, "they were unpacked"},
    {"diskSpilledBytes", &BottleneckInput::disk_spilled_bytes, "spilled to disk"},
    {"inputBytes", &BottleneckInput::input_bytes, "read from storage"},
    {"shuffleReadBytes", &BottleneckInput::shuffle_read_bytes, "read from shuffle files"},
    {"tasksCompleted", &BottleneckInput::tasks_completed, "tasks that ended well"},
    {"tasksFailed", &BottleneckInput::tasks_failed, "tasks that failed"},
    {"cfsPeriods", &BottleneckInput::cfs_periods, "CPU periods of executors on this node"},
    {"cfsThrottledPeriods", &BottleneckInput::cfs_throttled_periods, "of these, held back by the limit"},
    {"oomKills", &BottleneckInput::oom_kills, "containers and processes killed for memory, on this node"},
    {"oomExecutors", &BottleneckInput::oom_executors, "executors lost for memory, anywhere"},
    {"exitedExecutors", &BottleneckInput::exited_executors, "executors lost, and nobody says why"},
    {"droppedEvents", &BottleneckInput::dropped_events, "events that the driver dropped"},
    {"stageTasks", &BottleneckInput::stage_tasks, "tasks of the active stage with the longest task"},
    {"stageMedianSeconds", &BottleneckInput::stage_median_seconds, "its median task"},
    {"stageMaxSeconds", &BottleneckInput::stage_max_seconds, "its longest task"},
    {"stageSchedulerDelaySeconds", &BottleneckInput::stage_scheduler_delay_seconds,
     "median delay before a task starts"},
    {"tailSeconds", &BottleneckInput::tail_seconds, "how long the end of a stage lasts"},
    {"targetExecutors", &BottleneckInput::target_executors, "what dynamic allocation asks for"},
    {"maxExecutors", &BottleneckInput::max_executors, "its maximum"},
    {"shortfallSeconds", &BottleneckInput::shortfall_seconds, "executors have been missing for"},
    {"pendingPods", &BottleneckInput::pending_pods, "executor pods that start on this node"},
    {"clusterPendingPods", &BottleneckInput::cluster_pending_pods, "and anywhere; only a hub knows"},
    {"quotaHeadroomExecutors", &BottleneckInput::quota_headroom_executors,
     "room in the quota; only a hub knows"},
});

void write_bottleneck(json::Object& object, json::Writer& writer, const AppBottleneck& one, double since,
                      bool explain);

}  // namespace flintgauge
