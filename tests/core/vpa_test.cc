#include "agent/core/vpa.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace flintgauge {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr std::int64_t kHourMs = 3'600'000, kMinuteMs = 60'000;
constexpr WallTime kStart{1'500'000'000'000};

WallTime after_ms(std::int64_t ms) { return {kStart.ms + ms}; }

/// The peak that a histogram of one container must hold: the bucket of this value, alone.
void expect_only(const DecayingHistogram& peaks, double bytes) {
  const double end = memory_buckets().start(memory_buckets().find(bytes) + 1);
  EXPECT_EQ(peaks.percentile(0), end);
  EXPECT_EQ(peaks.percentile(1), end);
}

TEST(OomNeed, IsAHundredMiBOrAFifthMore) {
  EXPECT_EQ(oom_need(1000 * kMiB), 1200 * kMiB);
  EXPECT_EQ(oom_need(1 * kMiB), 101 * kMiB);
  EXPECT_EQ(oom_need(500 * kMiB), 600 * kMiB);
}

// container_test.go
TEST(MemoryPeak, OfAKillIsBumpedFromTheRequest) {
  DecayingHistogram peaks(memory_buckets());
  MemoryPeak container;
  EXPECT_TRUE(container.add_oom(1000 * kMiB, kStart, peaks));
  expect_only(peaks, 1200 * kMiB);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(container.add_oom(999 * kMiB, kStart, peaks));
  expect_only(peaks, 1200 * kMiB);
  EXPECT_TRUE(container.add_oom(2000 * kMiB, kStart, peaks));
  expect_only(peaks, 2400 * kMiB);
}

TEST(MemoryPeak, OfAKillIsAtLeastAHundredMiBMore) {
  DecayingHistogram peaks(memory_buckets());
  MemoryPeak container;
  EXPECT_TRUE(container.add_oom(1 * kMiB, kStart, peaks));
  expect_only(peaks, 101 * kMiB);
}

TEST(MemoryPeak, OfAKillIsBumpedFromWhatWasUsed) {
  DecayingHistogram peaks(memory_buckets());
  MemoryPeak container;
  EXPECT_TRUE(container.add(2000 * kMiB, kStart, peaks));
  EXPECT_TRUE(container.add_oom(1000 * kMiB, kStart, peaks));
  expect_only(peaks, 2400 * kMiB);
}

TEST(MemoryPeak, OfAKillThatIsOldIsDropped) {
  DecayingHistogram peaks(memory_buckets());
  MemoryPeak container;
  EXPECT_TRUE(container.add(1000 * kMiB, kStart, peaks));
  EXPECT_FALSE(container.add_oom(1000 * kMiB, after_ms(-30 * kHourMs), peaks));
  expect_only(peaks, 1000 * kMiB);
  EXPECT_TRUE(container.add_oom(1000 * kMiB, after_ms(-23 * kHourMs), peaks));
  expect_only(peaks, 1200 * kMiB);
}

TEST(MemoryPeak, IsOneADay) {
  DecayingHistogram got(memory_buckets()), want(memory_buckets());
  MemoryPeak container;
  EXPECT_TRUE(container.add(5e8, kStart, got));
  EXPECT_TRUE(container.add(10e8, after_ms(12 * kHourMs), got));
  EXPECT_TRUE(container.add(7e8, after_ms(13 * kHourMs), got));
  EXPECT_TRUE(container.add(2e8, after_ms(24 * kHourMs), got));
  want.add(5e8, 1, after_ms(kDayMs));
  want.subtract(5e8, 1, after_ms(kDayMs));
  want.add(10e8, 1, after_ms(kDayMs));
  want.add(2e8, 1, after_ms(2 * kDayMs));
  EXPECT_EQ(got.total_weight(), want.total_weight());
  for (const double p : {0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0})
    EXPECT_EQ(got.percentile(p), want.percentile(p)) << p;
}

TEST(MemoryPeak, DropsWhatIsOldOrNoNumber) {
  DecayingHistogram peaks(memory_buckets());
  MemoryPeak container;
  EXPECT_FALSE(container.add(-1, kStart, peaks));
  EXPECT_FALSE(container.add(std::numeric_limits<double>::quiet_NaN(), kStart, peaks));
  EXPECT_TRUE(container.add(1e9, kStart, peaks));
  EXPECT_FALSE(container.add(9e9, after_ms(-1), peaks));
  expect_only(peaks, 1e9);
}

// estimator_test.go
TEST(VpaEstimate, IsWidenedWhileHistoryIsShort) {
  VpaHistory history;
  for (std::int64_t i = 0; i < 9; ++i) history.add_cpu(1, after_ms(i * 2 * kMinuteMs));
  EXPECT_DOUBLE_EQ(history.confidence(), 0.00625);
  EXPECT_EQ(vpa_by_confidence(3140, 0.1, 2, history.confidence()), 907'460);
  EXPECT_NEAR(static_cast<double>(vpa_by_confidence(3'140'000'000, 0.1, 2, history.confidence())), 9.0746e11,
              1);

  VpaHistory longer;
  for (std::int64_t i = 0; i < 721; ++i) longer.add_cpu(1, after_ms(i * 18 * kMinuteMs));
  EXPECT_NEAR(longer.confidence(), 721.0 / 1440, 1e-12);
  EXPECT_EQ(vpa_by_confidence(3140, 0.1, 2, 0.5), 4521);
  EXPECT_EQ(vpa_by_confidence(3'140'000'000, 0.1, 2, 0.5), 4'521'600'000);
}

TEST(VpaEstimate, HasAMinimumPerPod) {  // recommender_test.go
  VpaHistory history;
  history.memory_peaks.add(1e6, 1, kStart);
  history.add_cpu(0.001, kStart);
  history.add_cpu(0.001, after_ms(30 * kDayMs));
  EXPECT_EQ(vpa_cpu_millicores(history, 1).target, 25);
  EXPECT_EQ(vpa_memory_bytes(history, 1).target, std::int64_t{250} * 1024 * 1024);
  EXPECT_EQ(vpa_cpu_millicores(history, 2).target, 12);
  EXPECT_EQ(vpa_memory_bytes(history, 2).target, std::int64_t{125} * 1024 * 1024);
}

TEST(VpaEstimate, OfAWeek) {
  VpaHistory history;
  MemoryPeak container;
  constexpr double kPeak = 4096 * kMiB;
  for (int minute = 0; minute <= 7 * 1440; ++minute) {
    const WallTime at = after_ms(minute * kMinuteMs);
    history.add_cpu(1, at);
    if (minute % 1440 == 0) container.add(kPeak, at, history.memory_peaks);
  }
  const VpaAmounts cpu = vpa_cpu_millicores(history, 1);
  const VpaAmounts memory = vpa_memory_bytes(history, 1);
  EXPECT_EQ(cpu.target, 1168);
  EXPECT_EQ(cpu.lower, 1167);
  EXPECT_EQ(cpu.upper, 1334);
  EXPECT_EQ(memory.target, 4'992'073'454);
  EXPECT_EQ(memory.lower, 4'990'647'452);
  EXPECT_EQ(memory.upper, 5'705'226'804);
}

TEST(VpaEstimate, WithoutHistoryIsTheMinimum) {
  const VpaHistory history;
  EXPECT_EQ(vpa_cpu_millicores(history, 1).target, 25);
  EXPECT_EQ(vpa_cpu_millicores(history, 1).lower, 25);
  EXPECT_EQ(vpa_cpu_millicores(history, 1).upper, 25);
}

// What a history of so many minutes multiplies, a sample a minute: comments of logic/recommender.go.
TEST(VpaEstimate, BoundsComeNearerAsHistoryGrows) {
  struct Case {
    std::int64_t minutes;
    double lower, upper;  // to the digits in which they are told; 0 = not told
  };
  constexpr std::int64_t kBase = 1'000'000'000;
  const auto after = [](std::int64_t minutes) {
    VpaHistory history;
    for (std::int64_t i = 0; i <= minutes; ++i) history.add_cpu(1, after_ms(i * kMinuteMs));
    return history.confidence();
  };
  for (const Case& want : {Case{5, 0.6, 0}, Case{30, 0.91, 0}, Case{10, 0, 145}, Case{720, 0, 3},
                           Case{1440, 0, 2}, Case{10'080, 0, 1.14}}) {
    const double confidence = after(want.minutes);
    const auto times = [&](double multiplier, int exponent) {
      return static_cast<double>(vpa_by_confidence(kBase, multiplier, exponent, confidence)) / kBase;
    };
    if (want.lower > 0) {
      EXPECT_NEAR(times(0.001, -2), want.lower, 0.005) << want.minutes;
    }
    if (want.upper > 0) {
      EXPECT_NEAR(times(1, 1), want.upper, 0.005) << want.minutes;
    }
  }
}

TEST(VpaEstimate, WithoutHistoryBoundsNothing) {  // and is still above the minimum
  EXPECT_EQ(vpa_by_confidence(1168, 0.001, -2, 0), 0);
  EXPECT_EQ(vpa_by_confidence(1168, 1, 1, 0), 100'000'000'000'000);
  const VpaAmounts amounts = vpa_estimate({.p50 = 1, .p90 = 1, .p95 = 1}, 1000, 25, 0);
  EXPECT_EQ(amounts.target, 1150);
  EXPECT_EQ(amounts.lower, 25);
  EXPECT_EQ(amounts.upper, 100'000'000'000'000);
  const VpaAmounts plain = vpa_estimate({.p50 = 1, .p90 = 2, .p95 = 3}, 1000, 25, std::nullopt);
  EXPECT_EQ(plain.lower, 1150);
  EXPECT_EQ(plain.target, 2300);
  EXPECT_EQ(plain.upper, 3450);
}

TEST(VpaEstimate, OfOneSampleHasNoBounds) {
  VpaHistory history;
  history.add_cpu(1, kStart);
  EXPECT_EQ(vpa_cpu_millicores(history, 1).upper, 100'000'000'000'000);
  EXPECT_EQ(vpa_cpu_millicores(history, 1).lower, 25);
}

TEST(VpaEstimate, IsRoundedUp) {  // types_test.go
  EXPECT_EQ(round_up_to(1'231'241, 13), 1'231'243);
  EXPECT_EQ(round_up_to(839'500'000, std::int64_t{128} * 1024 * 1024), std::int64_t{896} * 1024 * 1024);
  EXPECT_EQ(round_up_to(896, 128), 896);
  EXPECT_EQ(vpa_amount(0.069946 * 1000), 69);
}

}  // namespace
}  // namespace flintgauge
