#include "collectors/common/text_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

namespace flintgauge {
namespace {

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

bool is_sign(char c) { return c == '+' || c == '-'; }

}  // namespace

NumberKind parse_number(std::string_view token, double& value) {
  if (token.empty() || token.size() > kMaxNumberSize) return NumberKind::kBad;
  if (equals_ignoring_case(token, "nan")) return NumberKind::kNotFinite;
  const std::string_view magnitude = token.substr(is_sign(token[0]) ? 1 : 0);
  if (equals_ignoring_case(magnitude, "inf") || equals_ignoring_case(magnitude, "infinity")) {
    return NumberKind::kNotFinite;
  }
  // from_chars reads "inf" and "nan(...)" of its own, and no plus.
  if (magnitude.empty() || !(is_digit(magnitude[0]) || magnitude[0] == '.')) return NumberKind::kBad;
  const char* const begin = token[0] == '+' ? magnitude.data() : token.data();
  const char* const end = token.data() + token.size();
  const auto [stop, ec] = std::from_chars(begin, end, value, std::chars_format::general);
  if (stop != end) return NumberKind::kBad;
  if (ec == std::errc::result_out_of_range) return NumberKind::kNotFinite;
  if (ec != std::errc{}) return NumberKind::kBad;
  return std::isfinite(value) ? NumberKind::kFinite : NumberKind::kNotFinite;
}

bool parse_timestamp(std::string_view token, std::int64_t& timestamp_ms) {
  if (token.size() > kMaxNumberSize) return false;
  if (token.starts_with('+')) {
    token.remove_prefix(1);
    if (token.starts_with('-')) return false;
  }
  const char* const end = token.data() + token.size();
  const auto [stop, ec] = std::from_chars(token.data(), end, timestamp_ms);
  return ec == std::errc{} && stop == end;
}

}  // namespace flintgauge
