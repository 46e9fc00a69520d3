// The stable variant of the horizontal hint.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "flintgauge/hint_horizontal.h"

namespace flintgauge {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(StableDesired, GoesUpAtOnceAndDownAfterFiveMinutes) {
  StableDesired stable;
  EXPECT_EQ(stable.update(3, 0), 3);
  EXPECT_EQ(stable.update(10, 10'000), 10);
  EXPECT_EQ(stable.update(2, 20'000), 10);
  EXPECT_EQ(stable.update(2, 310'000), 10) << "exactly 300 s after the 10";
  EXPECT_EQ(stable.update(2, 310'001), 2);
  EXPECT_EQ(stable.update(7, 320'000), 7);
}

TEST(StableDesired, ItsWindowHasEveryPointThatMayStillDecide) {
  StableDesired stable;
  EXPECT_TRUE(stable.window().empty());
  stable.update(10, 0);
  stable.update(4, 100'000);
  stable.update(8, 200'000);
  stable.update(1, 290'000);
  ASSERT_EQ(stable.window().size(), 3U) << "8 stands for the 4 before it";
  EXPECT_EQ(stable.window()[0].value, 10);
  EXPECT_EQ(stable.window()[1].at_ms, 200'000);
  EXPECT_EQ(stable.window()[2].value, 1);
}

TEST(StableDesired, GoesDownByTheGreatestOfTheWindow) {
  StableDesired stable;
  stable.update(10, 0);
  stable.update(4, 100'000);
  stable.update(8, 200'000);
  stable.update(1, 290'000);
  EXPECT_EQ(stable.update(1, 301'000), 8);
  EXPECT_EQ(stable.update(1, 501'000), 1);
}

TEST(StableDesired, SurvivesTimeThatStandsOrGoesBack) {
  StableDesired stable;
  EXPECT_EQ(stable.update(5, 1'000'000), 5);
  EXPECT_EQ(stable.update(2, 0), 5);
  EXPECT_EQ(stable.update(kNaN, 1'000'000), 5);
  EXPECT_EQ(stable.update(0, 1'400'000), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_GE(stable.update(1000 - i, i % 2 == 0 ? 2'000'000 : 0), 1000 - i);
}

// The slow twin keeps every point of its life. A point counts until 300 s after the last point of its bucket.
class SlowStable {
 public:
  double update(double desired, std::int64_t now_ms) {
    points_.emplace_back(now_ms, desired);
    return greatest(now_ms, true);
  }
  double greatest(std::int64_t now_ms, bool whole_buckets, std::int64_t window_ms = 300'000) const {
    double most = 0;
    for (const auto& [at, value] : points_) {
      std::int64_t last = at;
      for (const auto& other : points_) {
        if (whole_buckets && other.first / 5'000 == at / 5'000) last = std::max(last, other.first);
      }
      if (now_ms - last <= window_ms) most = std::max(most, value);
    }
    return most;
  }

 private:
  std::vector<std::pair<std::int64_t, double>> points_;
};

TEST(StableDesired, AgreesWithASlowTwin) {
  std::mt19937_64 random(7);
  for (const std::int64_t step : {100, 1'000, 5'000, 15'000, 100'000}) {
    for (int series = 0; series < 4; ++series) {
      StableDesired fast;
      SlowStable slow;
      auto now = static_cast<std::int64_t>(random() % 1'000'000);
      double level = 50;
      for (int i = 0; i < 400; ++i) {
        now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * step));
        // Falling series fill the queue most: the worst case for its bound.
        level = series == 0 ? 400 - i : std::max(0.0, level + static_cast<double>(random() % 21) - 10);
        const double got = fast.update(level, now);
        ASSERT_EQ(got, slow.update(level, now)) << "step " << step << " series " << series << " i " << i;
        ASSERT_GE(got, slow.greatest(now, false));
        ASSERT_LE(got, slow.greatest(now, false, 305'000));
      }
    }
  }
}

}  // namespace
}  // namespace flintgauge
