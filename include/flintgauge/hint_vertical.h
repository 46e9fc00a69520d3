// How much memory and CPU an executor should ask for: the vertical hint.
// Source: docs/hints.md section "Vertical" (formula, worked example, limits); Spark's own arithmetic of a
// pod's request is that of apache/spark ResourceProfile.scala and BasicExecutorFeatureStep.scala. Pure: no
// clock, no I/O; any thread; O(1), no allocation but in the texts.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flintgauge {

inline constexpr double kBytesPerMiB = 1024.0 * 1024;

// ---- Spark's arithmetic, in MiB

inline constexpr double kMemoryOverheadFactor = 0.1;  ///< spark.kubernetes.memoryOverheadFactor's default

/// What an executor is configured with.
struct ExecutorMemory {
  std::int64_t heap_mib = 1024;                    ///< spark.executor.memory
  std::optional<std::int64_t> overhead_mib;        ///< spark.executor.memoryOverhead
  double overhead_factor = kMemoryOverheadFactor;  ///< 0.4 in applications that are not of the JVM
  std::int64_t least_overhead_mib = 384;           ///< spark.executor.minMemoryOverhead
  std::int64_t offheap_mib = 0;                    ///< spark.memory.offHeap.size, when enabled
  std::int64_t pyspark_mib = 0;                    ///< spark.executor.pyspark.memory, in Python applications
};
std::int64_t overhead_mib(const ExecutorMemory& memory);
/// Memory request of the pod, which is its limit too.
std::int64_t request_mib(const ExecutorMemory& memory);
/// The heap of a pod that has this request, when overhead is by `factor` and there is nothing else.
std::int64_t heap_of_request_mib(std::int64_t request_mib, double factor);

/// As Spark's settings write it: "6g", "896m". Whole MiB, rounded up.
std::string spark_size(double bytes);

// ---- The hint

/// Percentiles of a decaying histogram; 0 = nothing known.
struct Spread {
  double p50 = 0, p90 = 0, p95 = 0;
};

/// Bytes, cores, ratios. What is not finite or negative counts as 0, which is "not known" where 0 cannot be.
struct VerticalInput {
  bool is_driver = false;  ///< a driver's size: there is one in a run

  // What an executor has now, or the driver.
  double heap_bytes = 0;  ///< 0: unknown, there is no memory hint
  double overhead_bytes = 0;
  double offheap_bytes = 0;
  double pyspark_bytes = 0;      ///< > 0: spark.executor.pyspark.memory is in use
  double memory_fraction = 0.6;  ///< spark.memory.fraction
  double request_cores = 0;

  // Peaks of executors of this job, one a day and executor.
  Spread heap;                ///< JVM heap used
  bool heap_is_live = false;  ///< measured after collections: garbage is not in it
  Spread unified;             ///< of the heap: storage and execution memory
  Spread non_heap;            ///< of the container, without heap, off-heap and Python
  Spread python;              ///< resident memory of Python workers
  Spread container;           ///< resident memory of the container; 0: never seen on this node
  Spread cpu_cores;           ///< of the container, samples of a minute

  std::optional<double> gc_ratio;  ///< collection time / task time
  double heap_floor_bytes = 0;     ///< from out-of-memory errors of the last 7 days
  double overhead_floor_bytes = 0;
  double runs = 0;       ///< of this job, that were seen
  double executors = 0;  ///< that were seen, in all runs
};

enum class MemoryPart : std::uint8_t { kHeap, kOverhead, kOffHeap, kPyspark, kTotal };
inline constexpr std::array<std::string_view, 5> kMemoryPartNames = {"heap", "overhead", "offheap", "pyspark",
                                                                     "total"};

/// Bytes by MemoryPart.
struct MemoryParts {
  std::array<double, kMemoryPartNames.size()> bytes{};
  double& operator[](MemoryPart part) { return bytes[static_cast<std::size_t>(part)]; }
  double operator[](MemoryPart part) const { return bytes[static_cast<std::size_t>(part)]; }
};

/// Closed set: the term that decided a part.
enum class VerticalReason : std::uint8_t {
  kPeaks,          ///< the peaks and their margin
  kGc,             ///< collections take more than a tenth of the task time
  kOom,            ///< an executor ran out of memory with less
  kStep,           ///< not lower at once: a fifth a run
  kLowConfidence,  ///< too little seen to go lower
  kQuiet,          ///< nothing says that more is needed: as it is now
  kLeast,          ///< Spark's least overhead
  kSetting,        ///< as it is configured: not measured
};
inline constexpr std::array<std::string_view, 8> kVerticalReasonNames = {
    "peaks", "gc", "oom", "step", "low_confidence", "quiet", "least", "setting"};
constexpr std::string_view to_string(VerticalReason reason) {
  return kVerticalReasonNames[static_cast<std::size_t>(reason)];
}

struct VerticalHint {
  bool has_memory = false;  ///< heap and its peaks are known
  bool has_cpu = false;
  double confidence = 0;  ///< min(1, runs / 5) * min(1, executors / 10); of a driver the first factor

  MemoryParts target, lower, upper;  ///< lower <= target <= upper, each part
  VerticalReason heap_reason = VerticalReason::kPeaks;
  VerticalReason overhead_reason = VerticalReason::kPeaks;
  double cpu_target_cores = 0, cpu_lower_cores = 0, cpu_upper_cores = 0;

  // The terms, for ?explain=1 and the tests: before steps, floors and rounding.
  double heap_need_bytes = 0;      ///< P90(heap) * 1.15
  double unified_need_bytes = 0;   ///< P95(unified) / memory_fraction + 300 MiB
  double overhead_need_bytes = 0;  ///< (P90(non_heap) + P90(python)) * 1.15
  double pyspark_need_bytes = 0;   ///< P90(python) * 1.15
};

/// Never NaN; a part never falls when a peak of it grows; never below the floors.
VerticalHint vertical_hint(const VerticalInput& input);

/// What an executor has now, with its total; off-heap and Python memory 0 where they are not in use.
MemoryParts memory_now(const VerticalInput& input);

/// "spark.executor.memory=6g" and the like: what to paste for the next run. Only what the hint has.
std::vector<std::string> vertical_lines(const VerticalInput& input, const VerticalHint& hint);

/// What an out-of-memory error of an executor with so much says it needs: max(bytes + 100 MiB, bytes * 1.2).
double oom_floor_bytes(double bytes);

}  // namespace flintgauge
