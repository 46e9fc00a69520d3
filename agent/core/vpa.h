// What a Vertical Pod Autoscaler would recommend for a container, exactly: its samples, its rule of
// out-of-memory kills, its estimators with their truncations. Source: kubernetes/autoscaler
// vertical-pod-autoscaler/pkg/recommender (1.8.1): model/container.go, model/aggregate_container_state.go,
// logic/estimator.go, logic/recommender.go, default settings. Pure: no clock. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "agent/core/decaying_histogram.h"
#include "flintgauge/hint_vertical.h"
#include "flintgauge/time.h"

namespace flintgauge {

inline constexpr double kVpaCpuWeight = 0.1;  ///< of a CPU sample (minSampleWeight)

/// max(used + 100 MiB, used * 1.2), in whole bytes: what a container killed at `used` bytes is thought to
/// need.
double oom_need(double used_bytes);

/// The peak of one container's memory: a sample of weight 1 per day of its life, placed at the day's end. One
/// per container and histogram.
class MemoryPeak {
 public:
  /// False when the sample was older than the last one, or no number.
  bool add(double bytes, WallTime at, DecayingHistogram& peaks) { return take(bytes, at, false, peaks); }
  /// The container was killed for want of memory. False when that was a day before the last sample or
  /// earlier.
  bool add_oom(double request_bytes, WallTime at, DecayingHistogram& peaks);

 private:
  bool take(double bytes, WallTime at, bool is_oom, DecayingHistogram& peaks);

  double peak_ = 0;      // of the window, 0 = none
  double oom_peak_ = 0;  // what an out-of-memory kill in the window let expect
  std::optional<WallTime> window_end_, last_;
};

/// Samples of all containers of one kind.
struct VpaHistory {
  DecayingHistogram cpu_cores{cpu_buckets()};
  DecayingHistogram memory_peaks{memory_buckets()};
  std::int64_t cpu_samples = 0;
  WallTime first_cpu, last_cpu;  ///< meaningful when cpu_samples > 0

  void add_cpu(double cores, WallTime at);
  /// Days of history that a steady sample a minute would take; CPU samples alone count.
  double confidence() const;
};

/// The percentiles that the estimators read; zeros when empty.
Spread spread_of(const DecayingHistogram& histogram);

/// Milli-cores or bytes.
struct VpaAmounts {
  std::int64_t target = 0, lower = 0, upper = 0;
};
/// The three estimates of one resource. `per_unit`: amounts in a unit of the percentiles. `least`: none is
/// below it. `confidence`: by how much the bounds are widened; without it they are their percentiles.
VpaAmounts vpa_estimate(const Spread& percentiles, double per_unit, std::int64_t least,
                        std::optional<double> confidence);
/// `containers`: of a pod, which share the minima of 25 mCPU and 250 MiB.
std::int64_t vpa_least_millicores(std::int64_t containers);
VpaAmounts vpa_cpu_millicores(const VpaHistory& history, std::int64_t containers);
VpaAmounts vpa_memory_bytes(const VpaHistory& history, std::int64_t containers);

// The steps of the estimators; each truncates to a whole amount between 0 and 1e14.
std::int64_t vpa_amount(double value);
/// The safety margin of 15 %.
std::int64_t vpa_with_margin(double value);
/// base * (1 + multiplier / confidence)^exponent. REQUIRES: exponent != 0.
std::int64_t vpa_by_confidence(std::int64_t base, double multiplier, int exponent, double confidence);
/// The next multiple. REQUIRES: multiple > 0.
std::int64_t round_up_to(std::int64_t amount, std::int64_t multiple);

}  // namespace flintgauge
