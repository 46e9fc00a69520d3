#include "agent/core/decaying_histogram.h"

#include <algorithm>
#include <cmath>

namespace flintgauge {
namespace {

constexpr double kMostExponent = 100;  // a weight of 2^100 half-lives: time to shift the reference
constexpr double kEpsilon = 0.0001;    // a thousandth of the least weight of a sample, 0.1
// Go's zero time, 0001-01-01. A whole number of days before 1970, so rounding to days is the same for both.
constexpr WallTime kNever{-62'135'596'800'000};

double log_to(double base, double x) { return std::log(x) / std::log(base); }

/// Go's math.Pow of a whole exponent. A correctly rounded pow() puts the edge of some buckets on the other
/// side of a whole byte, which the recommender's truncation then shows.
double go_pow(double x, std::size_t n) {
  double out = 1;
  for (; n != 0; n >>= 1U, x *= x) {
    if ((n & 1U) != 0) out *= x;
  }
  return out;
}

double half_up(double x) { return std::floor(x + 0.5); }

std::int64_t round_to(std::int64_t ms, std::int64_t multiple) {
  std::int64_t rest = ms % multiple;
  if (rest < 0) rest += multiple;
  return rest + rest < multiple ? ms - rest : ms - rest + multiple;
}

}  // namespace

std::size_t Buckets::find(double value) const {
  if (!(value >= first)) return 0;
  const double bucket = ratio > 1 ? log_to(ratio, value * (ratio - 1) / first + 1) : value / first;
  return bucket < static_cast<double>(count - 1) ? static_cast<std::size_t>(bucket) : count - 1;
}

double Buckets::start(std::size_t bucket) const {
  if (bucket == 0) return 0;
  return ratio > 1 ? first * (go_pow(ratio, bucket) - 1) / (ratio - 1) : first * static_cast<double>(bucket);
}

Buckets exponential_buckets(double first, double ratio, double most, double epsilon) {
  const double last = std::ceil(log_to(ratio, most * (ratio - 1) / first + 1));
  return {.first = first, .ratio = ratio, .count = static_cast<std::size_t>(last) + 1, .epsilon = epsilon};
}

const Buckets& cpu_buckets() {
  static const Buckets kBuckets = exponential_buckets(0.01, 1.05, 1000, kEpsilon);
  return kBuckets;
}

const Buckets& memory_buckets() {
  static const Buckets kBuckets = exponential_buckets(1e7, 1.05, 1e12, kEpsilon);
  return kBuckets;
}

DecayingHistogram::DecayingHistogram(const Buckets& buckets, std::int64_t half_life_ms)
    : buckets_(&buckets), half_life_ms_(half_life_ms), reference_(kNever), first_(buckets.count - 1) {}

void DecayingHistogram::add(double value, double weight, WallTime at) {
  if (!std::isfinite(value) || !std::isfinite(weight) || weight < 0) return;
  if (weights_.empty()) weights_.resize(buckets_->count);
  const std::size_t bucket = buckets_->find(value);
  const double decayed = weight * decay_factor(at);
  weights_[bucket] += decayed;
  total_ += decayed;
  if (weights_[bucket] < buckets_->epsilon) return;
  first_ = std::min(first_, bucket);
  last_ = std::max(last_, bucket);
}

void DecayingHistogram::subtract(double value, double weight, WallTime at) {
  if (weights_.empty() || !std::isfinite(value) || !std::isfinite(weight) || weight < 0) return;
  const std::size_t bucket = buckets_->find(value);
  const double decayed = weight * decay_factor(at);
  const auto less = [&](double from) { return from - decayed < buckets_->epsilon ? 0 : from - decayed; };
  total_ = less(total_);
  weights_[bucket] = less(weights_[bucket]);
  update_ends();
}

double DecayingHistogram::percentile(double p) const {
  if (empty()) return 0;
  const double threshold = p * total_;
  double sum = 0;
  std::size_t bucket = first_;
  for (; bucket < last_; ++bucket) {
    sum += weights_[bucket];
    if (sum >= threshold) break;
  }
  return buckets_->start(std::min(bucket + 1, buckets_->count - 1));
}

double DecayingHistogram::decay_factor(WallTime at) {
  const auto half_life = static_cast<double>(half_life_ms_);
  if (static_cast<double>(at.ms - reference_.ms) > kMostExponent * half_life) shift_reference(at);
  return std::exp2(static_cast<double>(at.ms - reference_.ms) / half_life);
}

void DecayingHistogram::shift_reference(WallTime at) {
  const WallTime reference{round_to(at.ms, half_life_ms_)};
  const double half_lives =
      half_up(static_cast<double>(reference_.ms - reference.ms) / static_cast<double>(half_life_ms_));
  scale(std::exp2(half_lives));
  reference_ = reference;
}

void DecayingHistogram::scale(double factor) {
  for (std::size_t i = first_; i <= last_; ++i) weights_[i] *= factor;
  total_ *= factor;
  update_ends();
}

void DecayingHistogram::update_ends() {
  while (weights_[first_] < buckets_->epsilon && first_ + 1 < buckets_->count) ++first_;
  while (weights_[last_] < buckets_->epsilon && last_ > 0) --last_;
}

HistogramCheckpoint DecayingHistogram::save() const {
  HistogramCheckpoint out{.reference = reference_, .total_weight = 0, .weights = {}};
  if (empty()) return out;
  out.total_weight = total_;
  double most = 0;
  for (std::size_t i = first_; i <= last_; ++i) most = std::max(most, weights_[i]);
  for (std::size_t i = first_; i <= last_; ++i) {
    const double parts = half_up(weights_[i] * (kMostParts / most));
    if (parts > 0) out.weights.emplace_back(static_cast<std::uint16_t>(i), static_cast<std::uint32_t>(parts));
  }
  return out;
}

bool DecayingHistogram::load(const HistogramCheckpoint& checkpoint) {
  if (!std::isfinite(checkpoint.total_weight) || checkpoint.total_weight < 0) return false;
  double sum = 0;
  for (const auto& [bucket, parts] : checkpoint.weights) {
    if (bucket >= buckets_->count) return false;
    sum += parts;
  }
  weights_.assign(sum > 0 ? buckets_->count : 0, 0);
  total_ = sum > 0 ? checkpoint.total_weight : 0;
  first_ = buckets_->count - 1;
  last_ = 0;
  reference_ = checkpoint.reference;
  if (sum <= 0) return true;
  for (const auto& [bucket, parts] : checkpoint.weights) {
    first_ = std::min<std::size_t>(first_, bucket);
    last_ = std::max<std::size_t>(last_, bucket);
    weights_[bucket] += parts * (total_ / sum);
  }
  update_ends();  // rounding can take a bucket below epsilon
  return true;
}

}  // namespace flintgauge
