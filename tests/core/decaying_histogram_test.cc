#include "agent/core/decaying_histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace flintgauge {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr WallTime kStart{1'234'567'890'000};  // upstream's arbitrary moment

WallTime after(std::int64_t hours) { return {kStart.ms + hours * kHourMs}; }

// Equal buckets from 0 to 10, as in upstream's tests.
constexpr Buckets kLinear{.first = 1, .ratio = 1, .count = 11, .epsilon = 1e-15};

TEST(Buckets, AreThoseOfUpstreamsTest) {  // histogram_options_test.go
  const Buckets buckets = exponential_buckets(40, 1.5, 500, 1e-15);
  EXPECT_EQ(buckets.count, 6U);
  constexpr std::array kStarts = {0.0, 40.0, 100.0, 190.0, 325.0, 527.5};
  for (std::size_t i = 0; i < kStarts.size(); ++i) EXPECT_DOUBLE_EQ(buckets.start(i), kStarts[i]) << i;
  EXPECT_EQ(buckets.find(-1), 0U);
  EXPECT_EQ(buckets.find(39.99), 0U);
  EXPECT_EQ(buckets.find(40), 1U);
  EXPECT_EQ(buckets.find(100), 2U);
  EXPECT_EQ(buckets.find(900), 5U);
}

TEST(Buckets, OfCoresAndBytesAre176) {
  EXPECT_EQ(cpu_buckets().count, 176U);
  EXPECT_EQ(memory_buckets().count, 176U);
  EXPECT_DOUBLE_EQ(cpu_buckets().epsilon, 0.0001);
}

TEST(Buckets, OfCoresHaveTheirEdges) {
  struct Case {
    double value;
    std::size_t bucket;
    double from, to;
  };
  for (const Case& want :
       {Case{0.005, 0, 0, 0.01}, Case{0.5, 25, 0.47727, 0.51113}, Case{1, 36, 0.958363, 1.016281},
        Case{2, 49, 1.984267, 2.093480}, Case{4, 62, 3.918760, 4.124699}}) {
    EXPECT_EQ(cpu_buckets().find(want.value), want.bucket) << want.value;
    EXPECT_NEAR(cpu_buckets().start(want.bucket), want.from, 1e-5) << want.value;
    EXPECT_NEAR(cpu_buckets().start(want.bucket + 1), want.to, 1e-5) << want.value;
  }
}

TEST(Buckets, OfBytesHaveTheirEdges) {
  struct Case {
    double value;
    std::size_t bucket;
    double from, to;
  };
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  for (const Case& want :
       {Case{1e8, 8, 95491088.76, 110265643.20}, Case{1e9, 36, 958363227.2, 1016281388.6},
        Case{4 * kGiB, 63, 4124698514.1, 4340933439.8}, Case{8 * kGiB, 77, 8362607246.2, 8790737608.5}}) {
    EXPECT_EQ(memory_buckets().find(want.value), want.bucket) << want.value;
    EXPECT_NEAR(memory_buckets().start(want.bucket), want.from, 0.06) << want.value;
    EXPECT_NEAR(memory_buckets().start(want.bucket + 1), want.to, 0.06) << want.value;
  }
}

TEST(Buckets, TakeWhatIsNoValueOfTheirs) {
  EXPECT_EQ(memory_buckets().find(std::numeric_limits<double>::quiet_NaN()), 0U);
  EXPECT_EQ(memory_buckets().find(std::numeric_limits<double>::infinity()), 175U);
  EXPECT_EQ(memory_buckets().find(-std::numeric_limits<double>::infinity()), 0U);
  EXPECT_EQ(memory_buckets().find(1e300), 175U);
}

struct Quantile {
  double p, value;
};

void expect_percentiles(const DecayingHistogram& histogram, std::initializer_list<Quantile> wants) {
  for (const Quantile& want : wants) EXPECT_DOUBLE_EQ(histogram.percentile(want.p), want.value) << want.p;
}

TEST(DecayingHistogram, GivesTheEndOfABucket) {  // histogram_test.go
  DecayingHistogram histogram(kLinear);
  constexpr WallTime kReference{-62'135'596'800'000};  // Go's zero time, where a weight is itself
  for (int i = 1; i <= 4; ++i) histogram.add(i, i, kReference);
  expect_percentiles(histogram,
                     {{0, 2}, {0.1, 2}, {0.2, 3}, {0.3, 3}, {0.4, 4}, {0.5, 4}, {0.6, 4}, {0.7, 5}, {1, 5}});
}

TEST(DecayingHistogram, IsZeroWhenEmpty) {
  const DecayingHistogram histogram(kLinear);
  EXPECT_TRUE(histogram.empty());
  expect_percentiles(histogram, {{-0.5, 0}, {0, 0}, {0.5, 0}, {1, 0}, {1.5, 0}});
}

TEST(DecayingHistogram, ForgetsByHalves) {  // decaying_histogram_test.go
  DecayingHistogram histogram(kLinear, kHourMs);
  for (int i = 1; i <= 4; ++i) histogram.add(i, i, after(i));
  expect_percentiles(histogram,
                     {{0, 2}, {0.02, 2}, {0.03, 3}, {0.1, 3}, {0.11, 4}, {0.34, 4}, {0.35, 5}, {1, 5}});
}

TEST(DecayingHistogram, ForgetsAHeavySampleInTime) {
  DecayingHistogram histogram(kLinear, kHourMs);
  histogram.add(2, 1000, kStart);
  histogram.add(1, 1, after(20));
  expect_percentiles(histogram, {{0.999, 2}, {1, 3}});
}

TEST(DecayingHistogram, DropsWhatIsOlderThanAHundredHalfLives) {
  DecayingHistogram histogram(kLinear, kHourMs);
  histogram.add(2, 1, kStart);
  histogram.add(1, 1, after(101));
  expect_percentiles(histogram, {{1, 2}});
}

TEST(DecayingHistogram, OfCoresAndBytesOfEqualWeight) {
  DecayingHistogram cpu(cpu_buckets());
  DecayingHistogram memory(memory_buckets());
  for (int i = 1; i <= 3; ++i) {
    cpu.add(i, 0.1, kStart);
    memory.add(i * 1e9, 1, kStart);
  }
  EXPECT_NEAR(cpu.percentile(0.2), 1.0162813885540918, 1e-13);
  EXPECT_NEAR(cpu.percentile(0.9), 3.0271566170604425, 1e-13);
  EXPECT_NEAR(memory.percentile(0.5), 2093479957.15, 0.01);
}

TEST(DecayingHistogram, TakesBackASample) {
  DecayingHistogram histogram(kLinear, kHourMs);
  histogram.add(3, 1, kStart);
  histogram.add(7, 1, after(2));
  histogram.subtract(7, 1, after(2));
  expect_percentiles(histogram, {{0, 4}, {1, 4}});
  histogram.subtract(3, 1, kStart);
  EXPECT_TRUE(histogram.empty());
  histogram.subtract(3, 1, kStart);  // nothing is left to take
  EXPECT_EQ(histogram.total_weight(), 0);
}

TEST(DecayingHistogram, IgnoresWhatIsNoNumber) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  DecayingHistogram histogram(memory_buckets());
  histogram.subtract(1e9, 1, kStart);
  for (const double bad : {kNaN, kInf, -kInf}) {
    histogram.add(bad, 1, kStart);
    histogram.add(1e9, bad, kStart);
    histogram.subtract(bad, 1, kStart);
    histogram.subtract(1e9, bad, kStart);
  }
  histogram.add(1e9, -1, kStart);
  EXPECT_TRUE(histogram.empty());
}

TEST(DecayingHistogram, IsSavedAndLoaded) {  // decaying_histogram_test.go
  DecayingHistogram histogram(kLinear, kHourMs);
  histogram.add(2, 1, kStart);
  histogram.add(1, 1, after(101));
  const HistogramCheckpoint saved = histogram.save();
  EXPECT_EQ(saved.reference.ms, (kStart.ms + 101 * kHourMs + kHourMs / 2) / kHourMs * kHourMs);
  ASSERT_EQ(saved.weights.size(), 1U);
  EXPECT_EQ(saved.weights[0], (std::pair<std::uint16_t, std::uint32_t>{1, 10'000}));
  DecayingHistogram loaded(kLinear, kHourMs);
  ASSERT_TRUE(loaded.load(saved));
  expect_percentiles(loaded, {{0, 2}, {1, 2}});
  EXPECT_DOUBLE_EQ(loaded.total_weight(), histogram.total_weight());
}

TEST(DecayingHistogram, SavedEmptyIsLoadedEmpty) {
  DecayingHistogram histogram(memory_buckets());
  const HistogramCheckpoint saved = histogram.save();
  EXPECT_TRUE(saved.weights.empty());
  histogram.add(1e9, 1, kStart);
  ASSERT_TRUE(histogram.load(saved));
  EXPECT_TRUE(histogram.empty());
  histogram.add(2e9, 1, kStart);
  EXPECT_EQ(histogram.percentile(1), memory_buckets().start(memory_buckets().find(2e9) + 1));
}

TEST(DecayingHistogram, RefusesACheckpointOfOtherBuckets) {
  DecayingHistogram histogram(kLinear);
  histogram.add(3, 1, kStart);
  EXPECT_FALSE(histogram.load({.reference = {}, .total_weight = 1, .weights = {{11, 1}}}));
  EXPECT_FALSE(histogram.load({.reference = {}, .total_weight = -1, .weights = {{1, 1}}}));
  EXPECT_FALSE(histogram.load(
      {.reference = {}, .total_weight = std::numeric_limits<double>::infinity(), .weights = {{1, 1}}}));
  EXPECT_EQ(histogram.percentile(1), 4);
}

// The slow twin: samples kept as they came, weights made anew for each question.
class Samples {
 public:
  void add(double value, double weight, WallTime at) { samples_.push_back({value, weight, at}); }
  double percentile(const Buckets& buckets, double p, WallTime now) const {
    std::map<std::size_t, double> weights;
    double total = 0;
    for (const Sample& sample : samples_) {
      const double half_lives = static_cast<double>(sample.at.ms - now.ms) / static_cast<double>(kDayMs);
      weights[buckets.find(sample.value)] += sample.weight * std::pow(2, half_lives);
      total += sample.weight * std::pow(2, half_lives);
    }
    double sum = 0;
    for (const auto& [bucket, weight] : weights) {
      sum += weight;
      if (sum >= p * total) return buckets.start(bucket + 1);
    }
    return 0;
  }

 private:
  struct Sample {
    double value, weight;
    WallTime at;
  };
  std::vector<Sample> samples_;
};

TEST(DecayingHistogram, AgreesWithTheSumOverAllSamples) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> bytes(1e8, 1e11), p(0.01, 0.99);
  std::uniform_int_distribution<std::int64_t> pause(1, 5 * kHourMs);
  for (int round = 0; round < 200; ++round) {
    DecayingHistogram histogram(memory_buckets());
    Samples twin;
    WallTime at = kStart;
    for (int i = 0; i < 30; ++i) {
      at.ms += pause(random);
      const double value = bytes(random);
      histogram.add(value, 1, at);
      twin.add(value, 1, at);
      const double asked = p(random);
      ASSERT_EQ(histogram.percentile(asked), twin.percentile(memory_buckets(), asked, at));
    }
  }
}

}  // namespace
}  // namespace flintgauge
