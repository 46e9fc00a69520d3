// What the classifier samples of an application. Private to the evaluator.
#pragma once

#include <limits>

namespace flintgauge {

/// One application at one time. NaN = not known. Seconds, bytes, counts.
struct AppSample {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

  // Counters.
  double run_seconds = kUnknown;
  double cpu_seconds = kUnknown;
  double gc_seconds = kUnknown;
  double fetch_wait_seconds = kUnknown;
  double shuffle_write_seconds = kUnknown;
  double deserialize_seconds = kUnknown;
  double disk_spilled_bytes = kUnknown;
  double input_bytes = kUnknown;
  double shuffle_read_bytes = kUnknown;
  double tasks_completed = kUnknown;
  double tasks_failed = kUnknown;
  double cfs_periods = kUnknown;  ///< of executors on this node, as the next two
  double cfs_throttled_periods = kUnknown;
  double oom_kills = kUnknown;
  double oom_executors = kUnknown;     ///< lost, as the driver or the kubelet says why
  double exited_executors = kUnknown;  ///< lost, and nobody says why
  double driver_cpu_seconds = kUnknown;
  double dropped_events = kUnknown;
  // Gauges.
  double executors = kUnknown;
  double slots = kUnknown;
  double active_tasks = kUnknown;
  double pending_tasks = kUnknown;
  double active_jobs = kUnknown;
  double active_stages = kUnknown;
  double target_executors = kUnknown;
  double max_executors = kUnknown;
  double max_needed = kUnknown;        ///< dynamic allocation has tasks for as many
  double executors_to_add = kUnknown;  ///< its next step
  double pending_pods = kUnknown;      ///< executor pods of this node that have not started
  double running_pods = kUnknown;      ///< those that have, registered at the driver or not yet
  double stage_tasks = kUnknown;       ///< of all active stages
  double stage_median_seconds = kUnknown;
  double stage_max_seconds = kUnknown;
  double stage_scheduler_delay_seconds = kUnknown;
};

}  // namespace flintgauge
