// One executor or driver while it lives, by what the kubelet and its driver say of it: samples into the
// history of its job. Private to the evaluator. Pure.
#pragma once

#include <cstdint>

#include "agent/core/job_history.h"
#include "agent/core/vpa.h"
#include "flintgauge/block.h"
#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge {

class LiveMemory {
 public:
  /// What the kubelet says of its container.
  void take(const SparkUsage& usage, JobRecord& record, WallTime at);
  /// Peaks of memory, as the driver heard of them. Nothing before its first heartbeat.
  void take(const ExecutorFacts& facts, JobRecord& record, WallTime at);

  /// It ran out of memory. False when that is known already, and when nothing is known of what it had.
  bool run_out(const VerticalInput& shape);

  void note_use(SteadyTime now) { used_ = now; }
  SteadyTime used() const { return used_; }

 private:
  MemoryPeak heap_, unified_, non_heap_, python_, container_;
  double container_bytes_ = 0;  // highest resident memory; 0 = not seen on this node
  double cpu_seconds_ = 0;      // at the last sample
  std::int64_t cpu_at_ms_ = 0;  // 0 = none
  bool ran_out_ = false;
  SteadyTime used_;
};

}  // namespace flintgauge
