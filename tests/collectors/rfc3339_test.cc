#include "collectors/common/rfc3339.h"

#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <random>
#include <string>

namespace flintgauge {
namespace {

TEST(Rfc3339, ReadsWhatKubernetesWrites) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z")->ms, 0);
  EXPECT_EQ(parse_rfc3339("2026-11-22T18:55:57Z")->ms, 1'795'373'757'000);
  EXPECT_EQ(parse_rfc3339("2026-11-22T18:55:57.123456Z")->ms, 1'795'373'757'123);
  EXPECT_EQ(parse_rfc3339("2026-11-22T19:55:57+01:00")->ms, 1'795'373'757'000);
  EXPECT_EQ(parse_rfc3339("2026-11-22T14:25:57.5-04:30")->ms, 1'795'373'757'500);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59Z")->ms, -1000);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z")->ms, 1'709'164'800'000);
}

TEST(Rfc3339, RefusesTheRest) {
  for (const char* text : {"",
                           "0001-01-01T00:00:00Z",
                           "0000-05-01T00:00:00Z",
                           "2026-11-22",
                           "2026-11-22T18:55:57",
                           "2026-11-22 18:55:57Z",
                           "2026-13-22T18:55:57Z",
                           "2026-11-31T18:55:57Z",
                           "2025-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T18:60:57Z",
                           "2026-11-22T18:55:61Z",
                           "2026-11-22T18:55:57.Z",
                           "2026-11-22T18:55:57ZZ",
                           "2026-11-22T18:55:57+1:00",
                           "2026-11-22T18:55:57+24:00",
                           "02026-11-22T18:55:57Z",
                           "2026-1-22T18:55:57Z",
                           "-026-11-22T18:55:57Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

TEST(Rfc3339, EqualsTheCLibrary) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::time_t seconds =
        std::uniform_int_distribution<std::int64_t>(-60'000'000'000, 250'000'000'000)(random);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (std::string(text.data()).size() != 20 || parts.tm_year < -1890) continue;
    ASSERT_EQ(parse_rfc3339(text.data())->ms, seconds * 1000) << text.data();
  }
}

TEST(SparkTime, IsAlwaysGmtWithMilliseconds) {
  EXPECT_EQ(parse_spark_time("2026-11-22T19:02:19.440GMT")->ms, 1'795'374'139'440);
  for (const char* text :
       {"", "GMT", "1969-12-31T23:59:59.999GMT", "2026-11-22T19:02:19.440Z", "2026-11-22T19:02:19GMT",
        "2026-11-22T19:02:19.44xGMT", "2026-13-22T19:02:19.440GMT", "2026-11-22T19:02:19.440UTC",
        "2026-11-22T19:02:19.440GMT "}) {
    EXPECT_FALSE(parse_spark_time(text)) << text;
  }
}

}  // namespace
}  // namespace flintgauge
