// A window in which nothing is wrong, for the tests of the classifier.
#pragma once

#include <string>
#include <vector>

#include "flintgauge/bottleneck.h"

namespace flintgauge::test {

/// Eight executors of four slots over two minutes, three quarters busy, nothing wrong, nothing outstanding.
inline BottleneckInput healthy() {
  BottleneckInput in;
  in.window_seconds = 120;
  in.executors = 8;
  in.slots = 32;
  in.active_tasks = 24;
  in.pending_tasks = 0;
  in.driver_cpu_cores = 0.1;
  in.job_share = in.stage_share = 1;
  in.idle_share = in.backlog_share = 0;
  in.run_seconds = 2880;
  in.cpu_seconds = 1728;  // 0.6
  in.gc_seconds = 57.6;   // 0.02
  in.fetch_wait_seconds = in.shuffle_write_seconds = 28.8;
  in.deserialize_seconds = 10;
  in.disk_spilled_bytes = 0;
  in.input_bytes = in.shuffle_read_bytes = 1e9;
  in.tasks_completed = 288;
  in.tasks_failed = 0;
  in.cfs_periods = 1000;
  in.cfs_throttled_periods = 10;
  in.oom_kills = in.oom_executors = in.exited_executors = in.dropped_events = 0;
  in.stage_tasks = 400;
  in.stage_median_seconds = 10;
  in.stage_max_seconds = 14;
  in.stage_scheduler_delay_seconds = 0.01;
  in.tail_seconds = 0;
  in.target_executors = 8;
  in.max_executors = 100;
  in.shortfall_seconds = 0;
  in.pending_pods = 0;
  return in;
}

inline std::vector<std::string> names(const Bottleneck& result) {
  std::vector<std::string> out;
  for (const BottleneckCause& cause : result.causes()) out.emplace_back(to_string(cause.kind));
  return out;
}

}  // namespace flintgauge::test
