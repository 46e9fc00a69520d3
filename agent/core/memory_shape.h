// What executors and drivers have of memory and cores, by Spark's settings or by their pods, and how their
// pods ran out of it. Private to the evaluator. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/core/job_history.h"
#include "flintgauge/hint_vertical.h"
#include "flintgauge/pod.h"
#include "flintgauge/spark.h"
#include "flintgauge/time.h"

namespace flintgauge {

// What is configured, as the inputs of a hint that has seen nothing yet.
VerticalInput executor_shape(const SparkSettings& settings, std::int64_t profile_id);
VerticalInput driver_shape(const SparkSettings& settings);
/// Without the driver's settings: the pod's request, taken apart as Spark put it together for a JVM
/// application. heap_bytes is 0 where the pod requests no memory.
VerticalInput shape_of_pod(const Pod& pod);

/// Adds what the runs of the job have shown.
void take_record(const JobRecord& record, WallTime at, VerticalInput& in);

enum class Oom : std::uint8_t { kNone, kHeap, kContainer };
/// By the ends of the pod's containers.
Oom oom_of(const Pod& pod);
/// By the driver's words: "... exited with exit code 52(JVM OOM).", "... exit code 137(SIGKILL, possible
/// container OOM)."
Oom oom_of(std::string_view remove_reason);
/// What somebody of this shape proved too little. REQUIRES: kind is not kNone.
void raise_floor(Oom kind, const VerticalInput& shape, JobRecord& record, WallTime at);

}  // namespace flintgauge
