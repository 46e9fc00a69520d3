#include <algorithm>
#include <cstddef>
#include <string_view>

#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
/// What a label value or a pod name may be put together with.
bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

/// A name and what is left to read of it, from its end.
struct Split {
  std::string_view rest;  ///< without the separators at its end
  std::string_view last;
};

Split split_last(std::string_view name) {
  std::size_t begin = name.size();
  while (begin > 0 && !is_separator(name[begin - 1])) --begin;
  std::size_t end = begin;
  while (end > 0 && is_separator(name[end - 1])) --end;
  return {name.substr(0, end), name.substr(begin)};
}

/// Spark's own unique id (16 hex digits), a part of a UUID, the hash of a commit or of a template.
bool is_hex_hash(std::string_view word) {
  constexpr std::size_t kShortestHash = 7;
  return word.size() >= kShortestHash && std::ranges::all_of(word, is_hex) &&
         std::ranges::any_of(word, is_digit) && std::ranges::any_of(word, is_lower);
}

/// What the API server appends for metadata.generateName: 5 of its own alphabet, which has no vowel, no 0, 1
/// and 3. Without a digit it might be a word.
bool is_generated_suffix(std::string_view word) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  return word.size() == 5 && word.find_first_not_of(kAlphabet) == std::string_view::npos &&
         std::ranges::any_of(word, is_digit) && std::ranges::any_of(word, is_lower);
}

/// What Airflow appends: 8 letters and digits. About half of them change so often; words of
/// people ("s3export") do not.
bool is_random_suffix(std::string_view word) {
  if (word.size() != 8) return false;
  int changes = 0;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (!is_digit(word[i]) && !is_lower(word[i])) return false;
    if (i > 0 && is_digit(word[i]) != is_digit(word[i - 1])) ++changes;
  }
  return changes >= 3;
}

/// A point of time in seconds, milliseconds or nanoseconds, or a date; a shorter number may be part of a
/// name.
bool is_long_number(std::string_view word) { return word.size() >= 8 && all_digits(word); }

/// `word` is `digits` digits, alone or followed by "t" and a time of the day ("20260131t0600").
bool is_day(std::string_view word, std::size_t digits) {
  if (word.size() < digits || !all_digits(word.substr(0, digits))) return false;
  std::string_view time = word.substr(digits);
  if (time.ends_with('z')) time.remove_suffix(1);
  if (time.empty()) return true;
  return (time[0] == 't' || time[0] == 'T') && time.size() <= 7 && all_digits(time.substr(1));
}

bool is_between(std::string_view word, int least, int most) {
  if (word.size() > 4 || !all_digits(word)) return false;
  int value = 0;
  for (const char c : word) value = value * 10 + (c - '0');
  return value >= least && value <= most;
}

/// `name` without a date at its end and the numbers of a time behind it; the same when there is none.
std::string_view without_date(std::string_view name) {
  std::string_view behind = name;
  for (Split tail = split_last(behind); !tail.rest.empty(); tail = split_last(behind = tail.rest)) {
    if (is_day(tail.last, 8) && is_between(tail.last.substr(0, 4), 1970, 2199)) return tail.rest;
    if (is_day(tail.last, 2) && is_between(tail.last.substr(0, 2), 1, 31)) {
      const Split month = split_last(tail.rest);
      const Split year = split_last(month.rest);
      if (month.last.size() == 2 && is_between(month.last, 1, 12) && is_between(year.last, 1970, 2199) &&
          !year.rest.empty())
        return year.rest;
    }
    std::string_view part = tail.last;
    if (part.ends_with('z')) part.remove_suffix(1);
    if (part.size() > 6 || !all_digits(part)) return name;
  }
  return name;
}

std::string_view without_uuid(std::string_view name) {
  std::string_view rest = name;
  for (const std::size_t digits : {12U, 4U, 4U, 4U, 8U}) {
    const Split tail = split_last(rest);
    if (tail.last.size() != digits || !std::ranges::all_of(tail.last, is_hex)) return name;
    rest = tail.rest;
  }
  return rest.empty() ? name : rest;
}

std::string_view without_word(std::string_view name) {
  const auto [rest, last] = split_last(name);
  const bool of_a_run =
      is_hex_hash(last) || is_long_number(last) || is_generated_suffix(last) || is_random_suffix(last);
  return of_a_run && !rest.empty() ? rest : name;
}

}  // namespace

std::string_view stable_job_name(std::string_view name) {
  while (true) {
    const std::string_view shorter = without_word(without_date(without_uuid(name)));
    if (shorter.size() == name.size()) return name;
    name = shorter;
  }
}

}  // namespace flintgauge
