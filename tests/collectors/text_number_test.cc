#include "collectors/common/text_number.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <random>
#include <string>

namespace flintgauge {
namespace {

struct NumberCase {
  const char* text;
  NumberKind kind;
  double value = 0;
};
class ParseNumber : public ::testing::TestWithParam<NumberCase> {};

TEST_P(ParseNumber, KnowsItsGrammar) {
  double value = 0;
  EXPECT_EQ(parse_number(GetParam().text, value), GetParam().kind) << GetParam().text;
  if (GetParam().kind != NumberKind::kFinite) return;
  EXPECT_EQ(value, GetParam().value) << GetParam().text;
}

constexpr NumberKind kFinite = NumberKind::kFinite;
constexpr NumberKind kNot = NumberKind::kNotFinite;
constexpr NumberKind kBad = NumberKind::kBad;
INSTANTIATE_TEST_SUITE_P(
    Text, ParseNumber,
    ::testing::Values(
        NumberCase{"0", kFinite, 0}, NumberCase{"-0", kFinite, -0.0}, NumberCase{"+1.5", kFinite, 1.5},
        NumberCase{"1.", kFinite, 1}, NumberCase{".5", kFinite, 0.5}, NumberCase{"-.5e1", kFinite, -5},
        NumberCase{"1E7", kFinite, 1e7}, NumberCase{"1.0E-4", kFinite, 1e-4},
        NumberCase{"8.216887296e+09", kFinite, 8216887296.0},
        NumberCase{"1.8446744073709127774e+19", kFinite, 1.8446744073709127774e+19},
        NumberCase{"18446744073709551615", kFinite, 18446744073709551615.0},
        NumberCase{"4.9e-324", kFinite, 4.9e-324}, NumberCase{"0e999", kFinite, 0},
        NumberCase{"1.7976931348623157e308", kFinite, 1.7976931348623157e308},
        NumberCase{"1.7976931348623159e308", kNot}, NumberCase{"1e999", kNot}, NumberCase{"-1e999", kNot},
        NumberCase{"1e-999", kNot}, NumberCase{"NaN", kNot}, NumberCase{"nan", kNot}, NumberCase{"inf", kNot},
        NumberCase{"+Inf", kNot}, NumberCase{"-Infinity", kNot}, NumberCase{"+nan", kBad},
        NumberCase{"-NaN", kBad}, NumberCase{"nan(1)", kBad}, NumberCase{"infinit", kBad},
        NumberCase{"", kBad}, NumberCase{".", kBad}, NumberCase{"+", kBad}, NumberCase{"-", kBad},
        NumberCase{"+-1", kBad}, NumberCase{"1e", kBad}, NumberCase{"1e+", kBad}, NumberCase{"e5", kBad},
        NumberCase{".e5", kBad}, NumberCase{"0x10", kBad}, NumberCase{"0x1p3", kBad},
        NumberCase{"1_000", kBad}, NumberCase{"1,5", kBad}, NumberCase{"1.2.3", kBad},
        NumberCase{"null", kBad}, NumberCase{"true", kBad}, NumberCase{"1f", kBad}),
    [](const auto& test) { return "case" + std::to_string(test.index); });

TEST(ParseNumberTest, LooksAtSixtyFourCharactersAtMost) {
  double value = 0;
  EXPECT_EQ(parse_number(std::string(64, '1'), value), NumberKind::kFinite);
  EXPECT_EQ(parse_number(std::string(65, '1'), value), NumberKind::kBad);
  EXPECT_EQ(parse_number("0." + std::string(5'000, '1'), value), NumberKind::kBad);
}

/// The short way either gives what the C library gives, or declines.
void expect_same_as_strtod(const std::string& text) {
  double quick = 0;
  const std::string line = text + "\n";
  const char* const end = parse_short_number(line.c_str(), quick);
  if (end == nullptr) return;
  EXPECT_EQ(end, line.c_str() + text.size()) << text;
  const double exact = std::strtod(text.c_str(), nullptr);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(quick), std::bit_cast<std::uint64_t>(exact)) << text;
}

TEST(ParseShortNumber, IsExactOnEveryFormatThatWritersUse) {
  std::mt19937_64 random(1);
  std::array<char, 64> buffer{};
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    double value = 0;
    switch (i % 4) {
      case 0:
        value = static_cast<double>(random() >> (random() % 64));
        break;
      case 1:
        value = static_cast<double>(random() % 100'000'000'000) / 1e6;
        break;
      case 2:
        value = std::bit_cast<double>(random());
        break;
      default:
        value = static_cast<double>(random() % 1'000'000) * 1e-9;
        break;
    }
    const auto format = i % 3 == 0 ? std::chars_format::general : std::chars_format::scientific;
    const auto [end, ec] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    ASSERT_EQ(ec, std::errc{});
    const std::string text(buffer.data(), end);
    if (text.find_first_of("ni") != std::string::npos) continue;
    expect_same_as_strtod(text);
    double quick = 0;
    taken += parse_short_number((text + " ").c_str(), quick) != nullptr ? 1 : 0;
  }
  EXPECT_GT(taken, 50'000) << "the short way is taken where it matters";
}

TEST(ParseShortNumber, LeavesTheRestToTheLongWay) {
  double value = 0;
  for (const char* text :
       {"9007199254740993\n", "1e23\n", "1e-23\n", "1234567890123456789\n", "NaN\n", "+1\n", "\n", "-\n",
        ".\n", "1e\n", "1e+\n", "1e1234\n", "1x\n", "--1\n", "0x1\n"}) {
    EXPECT_EQ(parse_short_number(text, value), nullptr) << text;
  }
  const char* const integer = "9007199254740992\r\n";
  EXPECT_EQ(parse_short_number(integer, value), integer + 16);
  EXPECT_EQ(value, 9007199254740992.0);
}

TEST(ParseTimestamp, IsASignedInteger) {
  std::int64_t ms = 0;
  EXPECT_TRUE(parse_timestamp("-62135596800000", ms));
  EXPECT_EQ(ms, -62135596800000);
  EXPECT_TRUE(parse_timestamp("+7", ms));
  EXPECT_EQ(ms, 7);
  EXPECT_TRUE(parse_timestamp("9223372036854775807", ms));
  EXPECT_TRUE(parse_timestamp("-9223372036854775808", ms));
  for (const char* text : {"9223372036854775808", "1.5", "1e3", "", "-", "+", "+-1", "0x1", "1 "}) {
    EXPECT_FALSE(parse_timestamp(text, ms)) << text;
  }
  const char* const stamp = "1760000000000\n";
  EXPECT_EQ(parse_short_timestamp(stamp, ms), stamp + 13);
  EXPECT_EQ(ms, 1760000000000);
  EXPECT_EQ(parse_short_timestamp("-5\n", ms), nullptr);
  EXPECT_EQ(parse_short_timestamp("1234567890123456789\n", ms), nullptr);
  EXPECT_EQ(parse_short_timestamp("12x\n", ms), nullptr);
}

}  // namespace
}  // namespace flintgauge
