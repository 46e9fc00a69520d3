#include "collectors/common/rfc3339.h"

#include <array>
#include <cstdint>

namespace flintgauge {
namespace {

/// Takes exactly `digits` digits from the front.
bool take_number(std::string_view& text, std::size_t digits, std::int64_t& number) {
  if (text.size() < digits) return false;
  number = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last.
std::int64_t days_from_epoch(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month <= 2) --year;
  const std::int64_t month_from_march = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719'468;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Milliseconds of ".123456"; more digits than three are cut.
bool take_fraction(std::string_view& text, std::int64_t& ms) {
  std::int64_t digit = 0;
  std::int64_t weight = 100;
  if (!take_number(text, 1, digit)) return false;
  do {
    ms += digit * weight;
    weight /= 10;
  } while (take_number(text, 1, digit));
  return true;
}

/// "Z" or "+hh:mm": minutes east of UTC.
bool take_offset(std::string_view& text, std::int64_t& minutes) {
  if (take(text, 'Z') || take(text, 'z')) return true;
  const bool west = text.starts_with('-');
  std::int64_t hours = 0;
  if (!take(text, west ? '-' : '+')) return false;
  if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  minutes += hours * 60;
  if (west) minutes = -minutes;
  return true;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t ms = 0;
  std::int64_t offset_minutes = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') ||
      !take_number(text, 2, day)) {
    return std::nullopt;
  }
  if (!take(text, 'T') && !take(text, 't')) return std::nullopt;
  if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute) || !take(text, ':') ||
      !take_number(text, 2, second)) {
    return std::nullopt;
  }
  if (take(text, '.') && !take_fraction(text, ms)) return std::nullopt;
  if (!take_offset(text, offset_minutes) || !text.empty()) return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
  if (year == 0 || (year == 1 && month == 1 && day == 1)) return std::nullopt;
  const std::int64_t seconds =
      days_from_epoch(year, month, day) * 86'400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
  return WallTime{seconds * 1000 + ms};
}

std::optional<WallTime> parse_spark_time(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-22T19:02:19.440GMT";
  if (text.size() != kForm.size() || !text.ends_with("GMT")) return std::nullopt;
  std::array<char, kForm.size() - 2> utc{};
  text.copy(utc.data(), utc.size() - 1);
  utc.back() = 'Z';
  const auto time = parse_rfc3339({utc.data(), utc.size()});
  return time && time->ms > 0 ? time : std::nullopt;
}

}  // namespace flintgauge
