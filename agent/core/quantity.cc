#include "flintgauge/quantity.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace flintgauge {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr int kDigits = 35;  // kept digits: 10^35 * 1024 still fits in 128 bits
constexpr Uint128 kMax = std::numeric_limits<std::int64_t>::max();

/// value = mantissa * 10^power * 1024^kilo, and a little more when `inexact`.
struct Number {
  bool negative = false;
  bool inexact = false;
  Uint128 mantissa = 0;
  std::int64_t power = 0;
  int kilo = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads one digit of the mantissa. What does not fit only tells whether to round up.
void take_digit(Number& number, char digit, bool fraction, int& significant) {
  if (significant < kDigits) {
    number.mantissa = number.mantissa * 10 + static_cast<Uint128>(digit - '0');
    if (number.mantissa != 0) ++significant;
    if (fraction) --number.power;
    return;
  }
  if (digit != '0') number.inexact = true;
  if (!fraction) ++number.power;
}

/// signedNumber of the grammar. Returns how many characters it has, 0 when there is no digit.
std::size_t read_number(std::string_view text, Number& number) {
  std::size_t at = 0;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    number.negative = text[0] == '-';
    at = 1;
  }
  bool fraction = false;
  bool any = false;
  int significant = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !fraction) {
      fraction = true;
    } else if (is_digit(text[at])) {
      take_digit(number, text[at], fraction, significant);
      any = true;
    } else {
      break;
    }
  }
  return any ? at : 0;
}

/// "e3", "E-3": the power of ten. Powers that no int64 can show are all the same.
std::optional<std::int64_t> read_exponent(std::string_view suffix) {
  constexpr std::int64_t kHuge = 10'000;
  suffix.remove_prefix(1);
  if (!suffix.empty() && suffix[0] == '+') {
    suffix.remove_prefix(1);
    if (!suffix.empty() && suffix[0] == '-') return std::nullopt;  // from_chars would read "+-3"
  }
  std::int64_t power = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), power);
  if (error != std::errc{} || end != suffix.data() + suffix.size()) return std::nullopt;
  return std::clamp(power, -kHuge, kHuge);
}

bool read_suffix(std::string_view suffix, Number& number) {
  constexpr std::string_view kBinary = "KMGTPE";
  if (suffix.size() == 2 && suffix[1] == 'i') {
    const std::size_t place = kBinary.find(suffix[0]);
    if (place == std::string_view::npos) return false;
    number.kilo = static_cast<int>(place) + 1;
    return true;
  }
  if (suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E')) {
    const auto power = read_exponent(suffix);
    if (!power) return false;
    number.power += *power;
    return true;
  }
  constexpr std::string_view kDecimal = "num?kMGTPE";  // the place of '?' is the empty suffix
  if (suffix.empty()) return true;
  const std::size_t place =
      suffix.size() == 1 && suffix[0] != '?' ? kDecimal.find(suffix[0]) : std::string_view::npos;
  if (place == std::string_view::npos) return false;
  number.power += (static_cast<std::int64_t>(place) - 3) * 3;
  return true;
}

/// |value| for power >= 0: only products.
Uint128 multiply_out(const Number& number) {
  Uint128 value = number.mantissa;
  if (value == 0) return 0;
  for (std::int64_t i = 0; i < number.power && value <= kMax; ++i) value *= 10;
  for (int i = 0; i < number.kilo && value <= kMax; ++i) value *= 1024;
  return std::min(value, kMax);
}

/// |value| rounded up, at most kMax. Quotient and remainder are scaled side by side, so nothing is lost.
Uint128 magnitude(const Number& number) {
  if (number.power >= 0) return multiply_out(number);
  Uint128 mantissa = number.mantissa;
  std::int64_t places = -number.power;
  for (; places > kDigits && mantissa > 1; --places) mantissa = mantissa / 10 + (mantissa % 10 != 0 ? 1 : 0);
  Uint128 divisor = 1;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(places, kDigits); ++i) divisor *= 10;
  Uint128 quotient = mantissa / divisor;
  Uint128 rest = mantissa % divisor;
  for (int i = 0; i < number.kilo && quotient <= kMax; ++i) {
    rest *= 1024;
    quotient = quotient * 1024 + rest / divisor;
    rest %= divisor;
  }
  if (rest != 0 || number.inexact) ++quotient;
  return std::min(quotient, kMax);
}

/// The quantity times 10^extra_power.
Result<std::int64_t> parse(std::string_view text, std::int64_t extra_power) {
  Number number;
  const std::size_t size = read_number(text, number);
  if (size == 0 || !read_suffix(text.substr(size), number)) {
    return fail(Reason::kParse, "not a Kubernetes quantity (like 500m, 1.5, 200Mi or 129e6)");
  }
  number.power += extra_power;
  const auto value = static_cast<std::int64_t>(magnitude(number));
  return number.negative ? -value : value;
}

}  // namespace

Result<std::int64_t> parse_milli(std::string_view text) { return parse(text, 3); }

Result<std::int64_t> parse_whole(std::string_view text) { return parse(text, 0); }

}  // namespace flintgauge
