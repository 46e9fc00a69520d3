// The slow, obvious reading of a Kubernetes quantity: the number is a string of decimal digits of any length,
// multiplied by hand. Exact for every input, whatever its size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace flintgauge::reference {

/// An unsigned number as digits before and after the point.
struct Digits {
  std::string whole;
  std::string fraction;
};

/// Schoolbook product with 1024.
inline void times_1024(Digits& number) {
  std::string all = number.whole + number.fraction;
  int carry = 0;
  for (std::size_t i = all.size(); i-- > 0;) {
    const int product = (all[i] - '0') * 1024 + carry;
    all[i] = static_cast<char>('0' + product % 10);
    carry = product / 10;
  }
  all.insert(0, std::to_string(carry));
  const std::size_t point = all.size() - number.fraction.size();
  number.whole = all.substr(0, point);
  number.fraction = all.substr(point);
}

/// Moves the point to the right (or left when negative).
inline void shift_point(Digits& number, int places) {
  for (; places > 0; --places) {
    if (number.fraction.empty()) number.fraction = "0";
    number.whole += number.fraction[0];
    number.fraction.erase(0, 1);
  }
  for (; places < 0; ++places) {
    if (number.whole.empty()) number.whole = "0";
    number.fraction.insert(0, 1, number.whole.back());
    number.whole.pop_back();
  }
}

/// Up to the next integer, at most the largest int64.
inline std::int64_t round_up(const Digits& number) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  for (const char digit : number.whole) {
    if (value > (kMax - (digit - '0')) / 10) return kMax;
    value = value * 10 + (digit - '0');
  }
  const bool rest = number.fraction.find_first_not_of('0') != std::string::npos;
  return rest && value < kMax ? value + 1 : value;
}

/// Exponents beyond +-400 are cut there: no int64 can tell.
inline std::optional<int> exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
  if (text.size() > 19) return std::nullopt;  // more than an int64, as Kubernetes refuses it
  if (text.size() == 19 && text > (negative ? "9223372036854775808" : "9223372036854775807"))
    return std::nullopt;
  const int value = text.size() > 3 ? 400 : std::min(400, std::stoi(std::string(text)));
  return negative ? -value : value;
}

/// quantity * 10^extra_power, rounded away from zero; nullopt when the grammar does not have it.
inline std::optional<std::int64_t> quantity(std::string_view text, int extra_power) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Digits number;
  const std::size_t whole_size = std::min(text.find_first_not_of("0123456789"), text.size());
  number.whole = text.substr(0, whole_size);
  text.remove_prefix(whole_size);
  if (text.starts_with('.')) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
    number.fraction = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  const std::string suffix(text);
  const std::string binary = "KiMiGiTiPiEi";
  const std::string decimal = "numkMGTPE";
  shift_point(number, extra_power);
  if (suffix.size() == 2 && suffix[1] == 'i' && binary.find(suffix) != std::string::npos) {
    for (std::size_t i = 0; i <= binary.find(suffix); i += 2) times_1024(number);
  } else if (suffix.size() == 1 && decimal.find(suffix) != std::string::npos) {
    const int powers[] = {-9, -6, -3, 3, 6, 9, 12, 15, 18};
    shift_point(number, powers[decimal.find(suffix)]);
  } else if (suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E')) {
    const auto power = exponent(std::string_view(suffix).substr(1));
    if (!power) return std::nullopt;
    shift_point(number, *power);
  } else if (!suffix.empty()) {
    return std::nullopt;
  }
  const std::int64_t value = round_up(number);
  return negative ? -value : value;
}

}  // namespace flintgauge::reference
