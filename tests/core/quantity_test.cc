#include "flintgauge/quantity.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

#include "support/quantity_reference.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Case {
  const char* text;
  std::int64_t milli;
  std::int64_t whole;
};

TEST(Quantity, ReadsWhatKubernetesWrites) {
  constexpr auto kCases = std::to_array<Case>({
      {"0", 0, 0},
      {"-0", 0, 0},
      {"500m", 500, 1},
      {"0.5", 500, 1},
      {"1", 1000, 1},
      {"14", 14'000, 14},
      {"1.5", 1500, 2},
      {"2.", 2000, 2},
      {".25", 250, 1},
      {"+1.5", 1500, 2},
      {"-1.5", -1500, -2},
      {"200Mi", 209'715'200'000, 209'715'200},
      {"5M", 5'000'000'000, 5'000'000},
      {"8024304Ki", 8'216'887'296'000, 8'216'887'296},
      {"954976684Ki", 977'896'124'416'000, 977'896'124'416},
      {"128974848", 128'974'848'000, 128'974'848},
      {"129e6", 129'000'000'000, 129'000'000},
      {"129E6", 129'000'000'000, 129'000'000},
      {"1E", kMax, 1'000'000'000'000'000'000},
      {"1E3", 1'000'000, 1000},
      {"12e-1", 1200, 2},
      {"1e+2", 100'000, 100},
      {"123Mi", 128'974'848'000, 128'974'848},
      {"1.5Gi", 1'610'612'736'000, 1'610'612'736},
      {"1n", 1, 1},
      {"100u", 1, 1},
      {"1000001n", 2, 1},
      {"7Ei", kMax, 8'070'450'532'247'928'832},
      {"8Ei", kMax, kMax},
      {"1e400", kMax, kMax},
      {"-1e400", -kMax, -kMax},
      {"0e400", 0, 0},
      {"1e-400", 1, 1},
      {"0.1Ki", 102'400, 103},
      {"00012", 12'000, 12},
      {"9223372036854775807", kMax, kMax},
      {"99999999999999999999999999999999999999999999", kMax, kMax},
      {"1.00000000000000000000000000000000000000000000000000", 1000, 1},
      {"1.00000000000000000000000000000000000000000000000001", 1001, 2},
  });
  for (const Case& c : kCases) {
    EXPECT_EQ(parse_milli(c.text).value_or(-77), c.milli) << c.text;
    EXPECT_EQ(parse_whole(c.text).value_or(-77), c.whole) << c.text;
  }
}

TEST(Quantity, RefusesWhatTheGrammarDoesNotHave) {
  for (const char* text : {"",      "K",   "1K",       "1 Mi",  " 1",    "1 ",    "mi",
                           "1mi",   "1KB", "1ki",      "1MI",   ".",     "-",     "+.",
                           "--1",   "1e",  "1e+",      "1e+-3", "1e--3", "1E1.5", "1.2.3",
                           "0x10",  "1i",  "1?",       "1?i",   "NaN",   "Inf",   "1e99999999999999999999",
                           "1e3Mi", "Mi",  "1\xC2\xB5"}) {
    const auto milli = parse_milli(text);
    ASSERT_FALSE(milli.has_value()) << text;
    EXPECT_EQ(milli.error().reason, Reason::kParse);
    EXPECT_FALSE(parse_whole(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_whole(std::string_view("1\0", 2)).has_value());
}

std::string random_digits(std::mt19937& random, int most) {
  std::string digits;
  for (int left = std::uniform_int_distribution<int>(0, most)(random); left > 0; --left)
    digits += static_cast<char>('0' + random() % 10);
  return digits;
}

/// Mostly valid, all suffixes, up to 35 digits in all: there the parser must be exact.
std::string random_quantity(std::mt19937& random) {
  constexpr auto kSuffixes =
      std::to_array<const char*>({"",   "n",  "u",  "m",  "k", "M", "G", "T",  "P",  "E", "Ki", "Mi",
                                  "Gi", "Ti", "Pi", "Ei", "K", "i", "e", "e-", "E+", "e", "E-", "?"});
  std::string text;
  if (random() % 8 == 0) text += random() % 2 == 0 ? '-' : '+';
  text += random_digits(random, random() % 4 == 0 ? 17 : 6);
  if (random() % 2 == 0) text += '.' + random_digits(random, random() % 4 == 0 ? 18 : 4);
  const std::string suffix = kSuffixes[random() % kSuffixes.size()];
  text += suffix;
  if (suffix.starts_with('e') || suffix.size() == 2) {
    if (suffix[1] != 'i') text += random_digits(random, 2);
  }
  return text;
}

TEST(Quantity, EqualsTheSlowReading) {
  std::mt19937 random(20240607);
  int valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = random_quantity(random);
    const auto milli = reference::quantity(text, 3);
    const auto whole = reference::quantity(text, 0);
    ASSERT_EQ(milli.has_value(), parse_milli(text).has_value()) << text;
    if (!milli) continue;
    ++valid;
    ASSERT_EQ(parse_milli(text).value(), *milli) << text;
    ASSERT_EQ(parse_whole(text).value(), *whole) << text;
  }
  EXPECT_GT(valid, 100'000);
}

TEST(Quantity, GrowsWithTheNumber) {
  for (const std::string suffix : {"n", "u", "m", "", "k", "Ki", "Mi", "Gi", "Ti"}) {
    std::int64_t last = -1;
    for (int i = 0; i < 2000; ++i) {
      const std::int64_t now = parse_milli(std::to_string(i) + suffix).value();
      ASSERT_GE(now, last) << i << suffix;
      last = now;
    }
  }
}

}  // namespace
}  // namespace flintgauge
