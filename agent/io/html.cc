#include "agent/io/html.h"

#include <array>
#include <charconv>
#include <cmath>

namespace flintgauge::html {
namespace {

constexpr std::string_view kDash = "&ndash;";

}  // namespace

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(text, out);
  return out;
}

std::string number_text(double value, int decimals) {
  if (!std::isfinite(value)) return std::string(kDash);
  std::array<char, 400> digits;  // the largest double has 309 before the point
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals)
          .ptr;
  std::string text(digits.data(), end);
  if (decimals > 0) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string bytes_text(double bytes) {
  if (!std::isfinite(bytes)) return std::string(kDash);
  constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return number_text(bytes, unit == 0 || bytes >= 99.5 ? 0 : 1) + ' ' + std::string(kUnits[unit]);
}

std::string age_text(double seconds) {
  if (!std::isfinite(seconds)) return std::string(kDash);
  if (seconds < 120) return number_text(std::floor(seconds)) + " s";
  if (seconds < 7200) return number_text(std::floor(seconds / 60)) + " min";
  if (seconds < 172'800) return number_text(std::floor(seconds / 3600)) + " h";
  return number_text(std::floor(seconds / 86'400)) + " d";
}

}  // namespace flintgauge::html
