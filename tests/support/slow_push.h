// Pushed lines read slowly and plainly, for comparison with collectors/push_*.cc.
#pragma once

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "flintgauge/push.h"
#include "support/slow_registry.h"

namespace flintgauge::reference {

/// A number with nothing before or after it. Decimal digits only: no sign '+', no hexadecimal.
inline std::optional<double> slow_push_number(std::string text, bool comma) {
  if (text.empty() || text.size() > 400) return std::nullopt;
  if (comma && text.find(',') != std::string::npos) text[text.find(',')] = '.';
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first == text.size() || text.find('\0') != std::string::npos) return std::nullopt;
  const bool is_word = std::isalpha(static_cast<unsigned char>(text[first])) != 0;
  if (!is_word && text.find_first_not_of("0123456789.eE+-", first) != std::string::npos) return std::nullopt;
  if (text[first] == '+' || text[first] == '-' || text[first] == ' ') return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (*end != '\0') return std::nullopt;
  // What from_chars calls out of range is no number.
  if (!is_word &&
      (std::isinf(number) || (number == 0 && text.find_first_of("123456789") < text.find_first_of("eE"))))
    return std::nullopt;
  return number;
}

struct SlowLine {
  std::string name;
  double number = 0;
};

inline std::optional<SlowLine> slow_graphite(std::string line) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  std::vector<std::string> words;
  std::string word;
  for (const char c : line + " ") {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  if (words.size() != 3) return std::nullopt;
  const auto number = slow_push_number(words[1], false);
  if (!number || !slow_push_number(words[2], false)) return std::nullopt;
  return SlowLine{words[0], *number};
}

/// `type`: what stands after the bar.
inline std::optional<SlowLine> slow_statsd(const std::string& line, std::string& type) {
  const std::size_t bar = line.find('|');
  if (bar == std::string::npos) return std::nullopt;
  const std::string left = line.substr(0, bar);
  const std::size_t colon = left.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  type = line.substr(bar + 1);
  const auto number = slow_push_number(left.substr(colon + 1), true);
  if (!number || (type != "c" && type != "g" && type != "ms")) return std::nullopt;
  return SlowLine{left.substr(0, colon), *number};
}

/// What a sender's report says: "executor 3 kExecutor..." is the measure's number, since nobody prints it.
inline std::map<int, double> values_of(const PushReport& report) {
  std::map<int, double> values;
  for (const Sample& sample : report.samples)
    values[static_cast<int>(report.routes[sample.series].measure)] = sample.value;
  return values;
}

inline PushSender executor_sender(std::string app_id = "spark-1", std::string id = "3") {
  return {{"team-a", std::move(app_id)}, Role::kExecutor, std::move(id), "uid-1"};
}
inline PushSender driver_sender(std::string app_id = "spark-1") {
  return {{"team-a", std::move(app_id)}, Role::kDriver, "driver", "uid-1"};
}

inline std::uint64_t total(const PushCounts& counts) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

}  // namespace flintgauge::reference
