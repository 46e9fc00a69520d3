// Numbers as Spark's push sinks write them: integers, and %2.2f in the JVM's own locale.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace flintgauge {

/// The whole text as a number; NaN and infinities are numbers here. A decimal comma is accepted where
/// `comma`. Nothing when there is anything else.
inline std::optional<double> parse_push_number(std::string_view text, bool comma) {
  constexpr std::size_t kLongest = 400;  // 1.8e308 as %2.2f
  std::array<char, kLongest> copy;
  if (text.empty() || text.size() > copy.size()) return std::nullopt;
  std::ranges::copy(text, copy.begin());
  const auto end = copy.begin() + static_cast<std::ptrdiff_t>(text.size());
  if (comma) {
    if (const auto at = std::find(copy.begin(), end, ','); at != end) *at = '.';
  }
  double number = 0;
  const char* const last = copy.data() + text.size();
  const auto [stop, error] = std::from_chars(copy.data(), last, number);
  if (error != std::errc{} || stop != last) return std::nullopt;
  return number;
}

}  // namespace flintgauge
