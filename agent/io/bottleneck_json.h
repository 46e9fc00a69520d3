// The bottleneck as JSON, and the names of what it was concluded from. Private to the JSON API and the pages.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "agent/io/json_object.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// A member of the bottleneck's inputs and its name.
struct InputField {
  std::string_view name;
  std::optional<double> BottleneckInput::*value;
};
inline constexpr auto kInputFields = std::to_array<InputField>({
    {"executors", &BottleneckInput::executors},
    {"slots", &BottleneckInput::slots},
    {"activeTasks", &BottleneckInput::active_tasks},
    {"pendingTasks", &BottleneckInput::pending_tasks},
    {"driverCpuCores", &BottleneckInput::driver_cpu_cores},
    {"jobShare", &BottleneckInput::job_share},
    {"stageShare", &BottleneckInput::stage_share},
    {"idleShare", &BottleneckInput::idle_share},
    {"backlogShare", &BottleneckInput::backlog_share},
    {"runSeconds", &BottleneckInput::run_seconds},
    {"cpuSeconds", &BottleneckInput::cpu_seconds},
    {"gcSeconds", &BottleneckInput::gc_seconds},
    {"fetchWaitSeconds", &BottleneckInput::fetch_wait_seconds},
    {"shuffleWriteSeconds", &BottleneckInput::shuffle_write_seconds},
    {"deserializeSeconds", &BottleneckInput::deserialize_seconds},
    {"diskSpilledBytes", &BottleneckInput::disk_spilled_bytes},
    {"inputBytes", &BottleneckInput::input_bytes},
    {"shuffleReadBytes", &BottleneckInput::shuffle_read_bytes},
    {"tasksCompleted", &BottleneckInput::tasks_completed},
    {"tasksFailed", &BottleneckInput::tasks_failed},
    {"cfsPeriods", &BottleneckInput::cfs_periods},
    {"cfsThrottledPeriods", &BottleneckInput::cfs_throttled_periods},
    {"oomKills", &BottleneckInput::oom_kills},
    {"oomExecutors", &BottleneckInput::oom_executors},
    {"exitedExecutors", &BottleneckInput::exited_executors},
    {"droppedEvents", &BottleneckInput::dropped_events},
    {"stageTasks", &BottleneckInput::stage_tasks},
    {"stageMedianSeconds", &BottleneckInput::stage_median_seconds},
    {"stageMaxSeconds", &BottleneckInput::stage_max_seconds},
    {"stageSchedulerDelaySeconds", &BottleneckInput::stage_scheduler_delay_seconds},
    {"tailSeconds", &BottleneckInput::tail_seconds},
    {"targetExecutors", &BottleneckInput::target_executors},
    {"maxExecutors", &BottleneckInput::max_executors},
    {"shortfallSeconds", &BottleneckInput::shortfall_seconds},
    {"pendingPods", &BottleneckInput::pending_pods},
    {"clusterPendingPods", &BottleneckInput::cluster_pending_pods},
    {"quotaHeadroomExecutors", &BottleneckInput::quota_headroom_executors},
});

void write_bottleneck(json::Object& object, json::Writer& writer, const AppBottleneck& one, double since,
                      bool explain);

}  // namespace flintgauge
