#include "agent/io/rate_limit.h"

#include <gtest/gtest.h>

namespace flintgauge::log {
namespace {

using Passed = std::optional<std::uint64_t>;

TEST(RateLimit, OnePerKeyAndMinute) {
  RateLimit limit;
  EXPECT_EQ(limit.pass("a", {1'000'000}), Passed(0));
  EXPECT_EQ(limit.pass("b", {1'000'000}), Passed(0));
  EXPECT_EQ(limit.pass("a", {1'000'001}), std::nullopt);
  EXPECT_EQ(limit.pass("a", {1'059'999}), std::nullopt);
  EXPECT_EQ(limit.pass("a", {1'060'000}), Passed(2)) << "says how many were left out";
  EXPECT_EQ(limit.pass("a", {1'120'000}), Passed(0));
  EXPECT_EQ(limit.suppressed_total(), 2U);
}

TEST(RateLimit, AStormOfDifferentKeysIsBoundedToo) {
  RateLimit limit;
  std::uint64_t passed = 0;
  for (int i = 0; i < 5'000; ++i) {
    if (limit.pass("key" + std::to_string(i), {1'000'000 + i})) ++passed;
  }
  EXPECT_EQ(passed, RateLimit::kLinesPerMinute);
  EXPECT_EQ(limit.suppressed_total(), 5'000 - RateLimit::kLinesPerMinute);
  EXPECT_TRUE(limit.pass("after", {1'000'000 + RateLimit::kIntervalMs})) << "the next minute is free again";
}

TEST(RateLimit, TheKeyAskedForLeastRecentlyMakesRoom) {
  RateLimit limit;
  for (std::size_t i = 0; i < RateLimit::kKeys; ++i)
    EXPECT_TRUE(limit.pass("key" + std::to_string(i), {1'000'000}));
  EXPECT_FALSE(limit.pass("key0", {1'000'001}));  // recent again
  EXPECT_TRUE(limit.pass("one more", {1'000'002}));
  EXPECT_FALSE(limit.pass("key0", {1'000'003})) << "still remembered";
}

}  // namespace
}  // namespace flintgauge::log
