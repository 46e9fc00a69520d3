// Numbers of the exposition text format, without locale, allocation or errno.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace flintgauge {

enum class NumberKind : std::uint8_t {
  kFinite,
  kNotFinite,  ///< NaN, an infinity, or a magnitude that no double holds: legal text, useless value
  kBad,        ///< not a number
};

/// Longest number and time stamp that is looked at; the longest that %g or Double.toString writes has 25
/// characters.
inline constexpr std::size_t kMaxNumberSize = 64;

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// What may follow a number: a blank or the end of the line (LF, or CR before it).
constexpr bool ends_token(char c) { return is_blank(c) || c == '\n' || c == '\r'; }

/// The whole of `token` as a double: [+-] digits [. digits] [e [+-] digits], or in any case of letters
/// [+-] inf, [+-] infinity, nan. What Go's ParseFloat takes, less hexadecimal and underscores.
NumberKind parse_number(std::string_view token, double& value);

/// [+-] digits within int64. False: not a time stamp.
bool parse_timestamp(std::string_view token, std::int64_t& timestamp_ms);

namespace number_detail {
// Exact in a double, so one multiplication or division by them is correctly rounded (Clinger's fast path).
inline constexpr std::array kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr int kMaxExactPower = 22;
inline constexpr std::uint64_t kMaxExactInteger = 1ULL << 53U;
inline constexpr int kMaxDigits = 18;  // fits uint64 with room for one more

inline const char* read_digits(const char* p, std::uint64_t& number) {
  while (is_digit(*p)) number = number * 10 + static_cast<std::uint64_t>(*p++ - '0');
  return p;
}
}  // namespace number_detail

/// The common case of a finite number at `p`, exactly rounded. Returns the place after it, or null when the
/// long way (parse_number) has to decide. REQUIRES: a byte that is no digit, sign, point or letter at or
/// after `p`.
inline const char* parse_short_number(const char* p, double& value) {
  using namespace number_detail;
  const bool negative = *p == '-';
  p += negative ? 1 : 0;
  std::uint64_t mantissa = 0;
  const char* const first = p;
  p = read_digits(p, mantissa);
  auto digits = p - first;
  int power = 0;
  if (*p == '.') {
    const char* const fraction = ++p;
    p = read_digits(p, mantissa);
    power = static_cast<int>(fraction - p);
    digits += p - fraction;
  }
  if (digits == 0 || digits > kMaxDigits || mantissa > kMaxExactInteger) return nullptr;
  if (*p == 'e' || *p == 'E') {
    const bool down = p[1] == '-';
    p += (down || p[1] == '+') ? 2 : 1;
    std::uint64_t exponent = 0;
    const char* const exponent_begin = p;
    p = read_digits(p, exponent);
    if (p == exponent_begin || p - exponent_begin > 3) return nullptr;
    power += down ? -static_cast<int>(exponent) : static_cast<int>(exponent);
  }
  if (!ends_token(*p) || power < -kMaxExactPower || power > kMaxExactPower) return nullptr;
  auto magnitude = static_cast<double>(mantissa);
  magnitude = power < 0 ? magnitude / kPowersOfTen[static_cast<std::size_t>(-power)]
                        : magnitude * kPowersOfTen[static_cast<std::size_t>(power)];
  value = negative ? -magnitude : magnitude;
  return p;
}

/// The common case of a time stamp: digits only, in range. Null: the long way decides.
inline const char* parse_short_timestamp(const char* p, std::int64_t& timestamp_ms) {
  std::uint64_t number = 0;
  const char* const end = number_detail::read_digits(p, number);
  if (end == p || end - p > number_detail::kMaxDigits || !ends_token(*end)) return nullptr;
  timestamp_ms = static_cast<std::int64_t>(number);
  return end;
}

}  // namespace flintgauge
