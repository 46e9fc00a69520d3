#include "agent/core/vpa.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace flintgauge {
namespace {

constexpr double kOomRatio = 1.2, kOomLeastBytes = 100 * kBytesPerMiB;  // --oom-bump-up-ratio, -min-bump-up
constexpr double kMemoryWeight = 1;                                     // aggregate_container_state.go
constexpr double kMargin = 0.15;                                        // --recommendation-margin-fraction
constexpr double kMostAmount = 1e14;                                    // model/types.go, MaxResourceAmount
constexpr double kPodMilliCores = 25;             // --pod-recommendation-min-cpu-millicores
constexpr double kPodBytes = 250 * kBytesPerMiB;  // --pod-recommendation-min-memory-mb
constexpr double kMinutesADay = 1440;             // a sample a minute: logic/estimator.go
constexpr double kMilliCoresPerCore = 1000;
// --target-cpu-percentile, --recommendation-lower-bound-cpu-percentile and -upper-, and those of memory.
constexpr double kTargetPercentile = 0.9, kLowerPercentile = 0.5, kUpperPercentile = 0.95;

/// base * (1 + multiplier / confidence)^exponent: logic/recommender.go.
struct Widening {
  double multiplier;
  int exponent;
};
constexpr Widening kLowerBound{.multiplier = 0.001, .exponent = -2},
    kUpperBound{.multiplier = 1, .exponent = 1};

std::int64_t share(double pod_minimum, std::int64_t containers) {
  return vpa_amount(pod_minimum * (1.0 / static_cast<double>(std::max<std::int64_t>(containers, 1))));
}

}  // namespace

double oom_need(double used_bytes) {
  return std::max(used_bytes + kOomLeastBytes, std::floor(used_bytes * kOomRatio));
}

bool MemoryPeak::add_oom(double request_bytes, WallTime at, DecayingHistogram& peaks) {
  if (last_ && at.ms < last_->ms - kDayMs) return false;
  // Not the peak of the kill before: estimates must not feed on each other.
  return take(oom_need(std::max(request_bytes, peak_)), at, true, peaks);
}

bool MemoryPeak::take(double bytes, WallTime at, bool is_oom, DecayingHistogram& peaks) {
  if (!(bytes >= 0) || (!is_oom && last_ && at < *last_)) return false;
  last_ = at;
  if (!window_end_) window_end_ = at;
  if (at < *window_end_) {
    const double before = std::max(peak_, oom_peak_);
    if (before <= 0 || bytes <= before) return true;
    peaks.subtract(before, kMemoryWeight, *window_end_);
  } else {
    window_end_->ms += ((at.ms - window_end_->ms) / kDayMs + 1) * kDayMs;
    peak_ = oom_peak_ = 0;
  }
  peaks.add(bytes, kMemoryWeight, *window_end_);
  (is_oom ? oom_peak_ : peak_) = bytes;
  return true;
}

void VpaHistory::add_cpu(double cores, WallTime at) {
  if (!(cores >= 0)) return;
  cpu_cores.add(cores, kVpaCpuWeight, at);
  first_cpu = cpu_samples == 0 ? at : std::min(first_cpu, at);
  last_cpu = cpu_samples == 0 ? at : std::max(last_cpu, at);
  ++cpu_samples;
}

double VpaHistory::confidence() const {
  if (cpu_samples == 0) return 0;
  const double days = static_cast<double>(last_cpu.ms - first_cpu.ms) / static_cast<double>(kDayMs);
  return std::min(days, static_cast<double>(cpu_samples) / kMinutesADay);
}

Spread spread_of(const DecayingHistogram& histogram) {
  return {.p50 = histogram.percentile(kLowerPercentile),
          .p90 = histogram.percentile(kTargetPercentile),
          .p95 = histogram.percentile(kUpperPercentile)};
}

VpaAmounts vpa_estimate(const Spread& percentiles, double per_unit, std::int64_t least,
                        std::optional<double> confidence) {
  const auto bound = [&](double percentile, const Widening& by) {
    const std::int64_t base = vpa_with_margin(percentile * per_unit);
    const std::int64_t wide =
        confidence ? vpa_by_confidence(base, by.multiplier, by.exponent, *confidence) : base;
    return std::max(wide, least);
  };
  return {.target = std::max(vpa_with_margin(percentiles.p90 * per_unit), least),
          .lower = bound(percentiles.p50, kLowerBound),
          .upper = bound(percentiles.p95, kUpperBound)};
}

std::int64_t vpa_least_millicores(std::int64_t containers) { return share(kPodMilliCores, containers); }

VpaAmounts vpa_cpu_millicores(const VpaHistory& history, std::int64_t containers) {
  return vpa_estimate(spread_of(history.cpu_cores), kMilliCoresPerCore, vpa_least_millicores(containers),
                      history.confidence());
}

VpaAmounts vpa_memory_bytes(const VpaHistory& history, std::int64_t containers) {
  return vpa_estimate(spread_of(history.memory_peaks), 1, share(kPodBytes, containers), history.confidence());
}

std::int64_t vpa_amount(double value) {
  if (value > kMostAmount) return static_cast<std::int64_t>(kMostAmount);
  return value > 0 ? static_cast<std::int64_t>(value) : 0;  // NaN too: nothing times an infinite factor
}

std::int64_t vpa_with_margin(double value) {
  const std::int64_t base = vpa_amount(value);
  return base + vpa_amount(static_cast<double>(base) * kMargin);
}

std::int64_t vpa_by_confidence(std::int64_t base, double multiplier, int exponent, double confidence) {
  // Multiplied out, like Go's math.Pow and unlike a correctly rounded one.
  const double factor = 1 + multiplier / confidence;
  double power = factor;
  for (int i = 1; i < std::abs(exponent); ++i) power *= factor;
  return vpa_amount(static_cast<double>(base) * (exponent > 0 ? power : 1 / power));
}

std::int64_t round_up_to(std::int64_t amount, std::int64_t multiple) {
  const std::int64_t rest = amount % multiple;
  return rest > 0 ? amount + multiple - rest : amount - rest;
}

}  // namespace flintgauge
