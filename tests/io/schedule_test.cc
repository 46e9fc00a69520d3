#include "agent/io/schedule.h"

#include <gtest/gtest.h>

#include <string>

namespace flintgauge {
namespace {

constexpr std::int64_t kInterval = 10'000;

TEST(Schedule, FirstAtOnceThenOnItsGrid) {
  Schedule schedule(kInterval, 3'000, {41'234});
  EXPECT_TRUE(schedule.is_due({41'234}));
  schedule.succeeded({41'234}, {41'300});
  EXPECT_EQ(schedule.due().ms, 53'000) << "the nearest to one interval later, not the 43,000 just ahead";
  for (std::int64_t at = 53'000; at < 150'000; at += kInterval) {
    EXPECT_EQ(schedule.due().ms, at);
    EXPECT_FALSE(schedule.is_due({at - 1}));
    schedule.succeeded({at + 7}, {at + 90});  // a little late: no drift
  }
}

TEST(Schedule, LateOrLongScrapesSkipAndNeverBurst) {
  Schedule schedule(kInterval, 0, {0});
  schedule.succeeded({0}, {34'000});
  EXPECT_EQ(schedule.due().ms, 40'000);
  schedule.succeeded({640'000}, {640'100});  // the process was stopped for ten minutes
  EXPECT_EQ(schedule.due().ms, 650'000);
}

TEST(Schedule, BacksOffButComesBackWithinTwoRounds) {
  Schedule schedule(kInterval, 0, {0});
  std::int64_t now = 0;
  const std::int64_t expected[] = {10'000, 30'000, 50'000, 70'000};
  for (std::int64_t failures = 1; failures <= 4; ++failures) {
    schedule.failed({now}, failures, {now + 100});
    EXPECT_EQ(schedule.due().ms, expected[failures - 1]);
    now = schedule.due().ms;
  }
  schedule.failed({now}, 1'000'000, {now + 100});
  EXPECT_EQ(schedule.due().ms, now + 2 * kInterval);
  schedule.succeeded({now}, {now + 100});
  EXPECT_EQ(schedule.due().ms, now + kInterval);
}

TEST(Schedule, IsPutOffToTheNextPointOfItsGrid) {
  Schedule schedule(kInterval, 3'000, {0});
  schedule.succeeded({3'000}, {3'100});
  schedule.put_off({12'000});
  EXPECT_EQ(schedule.due().ms, 13'000) << "not sooner than it would be";
  schedule.put_off({24'000});
  EXPECT_EQ(schedule.due().ms, 33'000);
}

TEST(Schedule, LooksAgainSeveralTimesInAnInterval) {
  Schedule schedule(kInterval, 0, {0});
  schedule.look_again({30'000});
  EXPECT_GT(schedule.due().ms, 30'000);
  EXPECT_LT(schedule.due().ms, 32'000);
}

TEST(Schedule, WhatIsAskedOnceADayIsTriedAgainSoon) {
  Schedule day(86'400'000, 0, {0}, kInterval);
  std::int64_t now = 0;
  const std::int64_t expected[] = {10'000, 30'000, 70'000, 130'000, 190'000};
  for (std::int64_t failures = 1; failures <= 5; ++failures) {
    day.failed({now}, failures, {now + 100});
    EXPECT_EQ(day.due().ms, expected[failures - 1]);
    now = day.due().ms;
  }
  day.succeeded({now}, {now + 100});
  EXPECT_EQ(day.due().ms, 86'400'000);
}

TEST(Schedule, LongIntervalsAreNotMadeLonger) {
  Schedule minute(60'000, 0, {0});
  minute.failed({0}, 5, {100});
  EXPECT_EQ(minute.due().ms, 60'000);
  Schedule hour(3'600'000, 0, {0});
  hour.failed({0}, 5, {100});
  EXPECT_EQ(hour.due().ms, 3'600'000);
}

TEST(Schedule, WhatIsNotOfferedIsAskedMoreAndMoreRarely) {
  Schedule schedule(kInterval, 0, {0});
  std::int64_t begun = 0, absences = 0;
  for (const std::int64_t wait : {10'000, 20'000, 40'000, 80'000, 160'000, 320'000, 600'000, 600'000}) {
    schedule.not_offered({begun}, ++absences, {begun + 100});
    EXPECT_EQ(schedule.due().ms, begun + wait);
    begun = schedule.due().ms;
  }
  schedule.not_offered({begun}, 1'000'000, {begun + 100});
  EXPECT_EQ(schedule.due().ms, begun + 600'000);
  Schedule hour(3'600'000, 0, {0});
  hour.not_offered({0}, 5, {100});
  EXPECT_EQ(hour.due().ms, 3'600'000);
}

TEST(Schedule, AskByOnlyBringsForward) {
  Schedule schedule(kInterval, 0, {0});
  schedule.succeeded({0}, {100});
  schedule.ask_by({20'000});
  EXPECT_EQ(schedule.due().ms, 10'000);
  schedule.ask_by({5'000});
  EXPECT_EQ(schedule.due().ms, 5'000);
}

TEST(Schedule, FirstAtTheGivenTime) {
  Schedule schedule(kInterval, 3'000, {41'234 + 1'500});
  EXPECT_FALSE(schedule.is_due({42'733}));
  EXPECT_TRUE(schedule.is_due({42'734}));
  schedule.succeeded({42'734}, {42'800});
  EXPECT_EQ(schedule.due().ms, 53'000) << "the grid is that of the phase alone";
}

TEST(Schedule, AFleetStartsSpreadOverAQuarterOfTheInterval) {
  std::int64_t buckets[5] = {};
  for (int node = 0; node < 1'000; ++node) {
    const std::string name = "node-" + std::to_string(node);
    const std::int64_t delay = start_delay_of(name, kInterval);
    ASSERT_GE(delay, 0);
    ASSERT_LT(delay, kInterval / 4);
    EXPECT_EQ(delay, start_delay_of(name, kInterval));
    EXPECT_LT(start_delay_of(name, 3'600'000), 5'000);
    EXPECT_EQ(start_delay_of(name, 1), 0);
    ++buckets[delay / 500];
  }
  for (const std::int64_t count : buckets) EXPECT_GT(count, 100);
}

TEST(Schedule, PhasesAreSpreadAndFixed) {
  std::int64_t buckets[10] = {};
  for (int node = 0; node < 1'000; ++node) {
    const std::string name = "node-" + std::to_string(node);
    const std::int64_t phase = phase_of(name, kInterval);
    ASSERT_GE(phase, 0);
    ASSERT_LT(phase, kInterval);
    EXPECT_EQ(phase, phase_of(name, kInterval));
    ++buckets[phase / 1'000];
  }
  for (const std::int64_t count : buckets) EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace flintgauge
