#include "collectors/common/text_skip.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

constexpr std::string_view kName = "container_cpu_usage_seconds_total";
constexpr SkipLimits kNoLimit{std::size_t{1} << 16U, UINT64_MAX};

/// Both implementations, on a copy of exactly these bytes; their results are the same.
Skipped skip_both(const std::string& text, std::string_view name, const SkipLimits& limits) {
  const std::vector<char> bytes(text.begin(), text.end());
  const char* const begin = bytes.data();
  const Skipped slow = skip_lines_portable(begin, begin + bytes.size(), name, limits);
  const Skipped fast = skip_lines()(begin, begin + bytes.size(), name, limits);
  EXPECT_EQ(fast.next - begin, slow.next - begin) << text;
  EXPECT_EQ(fast.lines, slow.lines) << text;
  EXPECT_EQ(fast.too_long, slow.too_long) << text;
  Skipped result = slow;
  result.next = text.data() + (slow.next - begin);
  return result;
}

std::string rest_after(const std::string& text, std::string_view name) {
  return std::string(skip_both(text, name, kNoLimit).next, text.data() + text.size());
}

TEST(SkipLines, PassesLinesOfOneMetricOnly) {
  const std::string name(kName);
  const std::string lines = name + "{a=\"1\"} 1\n" + name + " 2\n" + name + "\t3\n";
  EXPECT_EQ(rest_after(lines, kName), "");
  for (const std::string& next : {name + "x 1\n", name + "\n", name.substr(0, 20) + "\n", std::string("\n"),
                                  std::string("# TYPE x counter\n"), name.substr(1) + " 1\n",
                                  "X" + name.substr(1) + " 1\n", std::string("w 1\n")}) {
    EXPECT_EQ(rest_after(lines + next, kName), next);
    EXPECT_EQ(rest_after(lines + next + lines, kName), next + lines);
    EXPECT_EQ(rest_after(next, kName), next);
  }
}

TEST(SkipLines, StopsAtItsLimits) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "u{a=\"" + std::string(static_cast<std::size_t>(i), 'x') + "\"} 1\n";
  for (std::uint64_t lines = 0; lines <= 51; ++lines) {
    EXPECT_EQ(skip_both(text, "u", {kNoLimit.line_size, lines}).lines, std::min<std::uint64_t>(lines, 50));
  }
  for (std::size_t size = 5; size < 65; ++size) {
    const Skipped skipped = skip_both(text, "u", {size, UINT64_MAX});
    EXPECT_EQ(skipped.too_long, size < 58);  // the longest line
    EXPECT_EQ(skipped.lines, size < 58 ? (size < 9 ? 0 : size - 8) : 50);
  }
}

TEST(SkipLines, BothWaysAgreeOnRandomLines) {
  std::mt19937 random(3);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int i = 0; i < 3'000; ++i) {
    const std::string name = std::string(kName).substr(0, 1 + below(kName.size()));
    std::string text;
    for (std::size_t line = below(12); line > 0; --line) {
      const std::size_t kind = below(20);
      text += kind == 0 ? name + "x" : kind == 1 ? name.substr(0, below(name.size() + 1)) : name;
      text += kind == 2 ? "" : kind % 2 == 0 ? " " : "{";
      text += std::string(below(200), kind % 3 == 0 ? '{' : 'v') + "\n";
    }
    skip_both(text, name, {below(4) == 0 ? 64U : 1'000U, below(4) == 0 ? below(8) : UINT64_MAX});
  }
}

}  // namespace
}  // namespace flintgauge
