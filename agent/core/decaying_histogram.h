// The histogram of the Vertical Pod Autoscaler's recommender: buckets that widen, samples that lose half of
// their weight in a half-life, percentiles that are the end of a bucket.
// Source: kubernetes/autoscaler vertical-pod-autoscaler/pkg/recommender/util (1.8.1): histogram_options.go,
// histogram.go, decaying_histogram.go, in their order of operations. tests/e2e/vpa compares the two.
// Pure: no clock. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "flintgauge/time.h"

namespace flintgauge {

inline constexpr std::int64_t kDayMs = 86'400'000;

/// Where a value falls. Bucket n begins at first * (ratio^n - 1) / (ratio - 1); the last one has no end.
struct Buckets {
  double first = 0;       ///< width of bucket 0
  double ratio = 1;       ///< of neighbours' widths; 1: all are equal
  std::size_t count = 0;  ///< at least 2
  double epsilon = 0;     ///< a bucket of less weight counts as empty

  std::size_t find(double value) const;  ///< NaN and what is negative fall into bucket 0
  double start(std::size_t bucket) const;
};

/// As many buckets as it takes for the last one to begin at or above `most`.
Buckets exponential_buckets(double first, double ratio, double most, double epsilon);

/// aggregations_config.go: 176 buckets, 5 % wider each. Cores from 0.01 to 1000; bytes from 1e7 to 1e12.
const Buckets& cpu_buckets();
const Buckets& memory_buckets();

/// What is kept of a histogram elsewhere: weights in whole parts, the heaviest bucket has 10,000.
struct HistogramCheckpoint {
  WallTime reference;
  double total_weight = 0;
  std::vector<std::pair<std::uint16_t, std::uint32_t>> weights;  ///< (bucket, parts), buckets rising
};

class DecayingHistogram {
 public:
  static constexpr std::int64_t kHalfLifeMs = kDayMs;  ///< of both histograms of the recommender
  static constexpr std::uint32_t kMostParts = 10'000;

  /// `buckets` outlives it. Allocates the weights at the first sample.
  explicit DecayingHistogram(const Buckets& buckets, std::int64_t half_life_ms = kHalfLifeMs);

  /// A sample whose value or weight is not finite, or negative in weight, is none.
  void add(double value, double weight, WallTime at);
  /// Takes back a sample that was added with the same arguments. No bucket falls below 0.
  void subtract(double value, double weight, WallTime at);

  /// End of the bucket that holds the fraction `p` of the weight; start of the last bucket, which has no end.
  /// 0 when empty.
  double percentile(double p) const;
  bool empty() const { return weights_.empty() || weights_[first_] < buckets_->epsilon; }
  double total_weight() const { return total_; }

  HistogramCheckpoint save() const;
  /// Replaces what it holds. False, and nothing changed, when the checkpoint cannot be one of these buckets.
  bool load(const HistogramCheckpoint& checkpoint);

 private:
  double decay_factor(WallTime at);
  void shift_reference(WallTime at);
  void scale(double factor);
  void update_ends();

  const Buckets* buckets_;
  std::int64_t half_life_ms_;
  WallTime reference_;  // a multiple of the half-life; weights are relative to it
  std::vector<double> weights_;
  double total_ = 0;
  std::size_t first_, last_ = 0;  // buckets that are not empty
};

}  // namespace flintgauge
