#include "agent/io/clock_jump.h"

#include <gtest/gtest.h>

namespace flintgauge {
namespace {

Now at(std::int64_t steady_ms, std::int64_t wall_ms) { return {{steady_ms}, {wall_ms}}; }

TEST(ClockJump, BothClocksTogether) {
  ClockJumpDetector detector(at(0, 1'000'000));
  EXPECT_EQ(detector.observe(at(10'000, 1'010'000)), 0);
  EXPECT_EQ(detector.observe(at(700'000, 1'700'000)), 0);
}

TEST(ClockJump, SmallDriftIsNoJumpAndDoesNotAddUp) {
  ClockJumpDetector detector(at(0, 0));
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(detector.observe(at(i * 10'000, i * 11'500)), 0) << i;
}

TEST(ClockJump, StepsForwardAndBackAreSeenOnce) {
  ClockJumpDetector detector(at(0, 0));
  EXPECT_EQ(detector.observe(at(1'000, 3'601'000)), 3'600'000);
  EXPECT_EQ(detector.observe(at(2'000, 3'602'000)), 0);
  EXPECT_EQ(detector.observe(at(3'000, 3'000)), -3'600'000);
  EXPECT_EQ(detector.observe(at(4'000, 4'000)), 0);
}

}  // namespace
}  // namespace flintgauge
