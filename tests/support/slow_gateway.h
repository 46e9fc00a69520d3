// A Pushgateway's path and bodies read slowly and plainly, for comparison with collectors/push_pushgateway.cc
// and common/push_path.cc; and a Graphite report rewritten as the sink for a Pushgateway writes the same
// registry.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "flintgauge/push.h"
#include "support/slow_registry.h"

namespace flintgauge::reference {

inline std::optional<std::string> slow_base64(std::string text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  while (!text.empty() && text.back() == '=') text.pop_back();
  std::string bits;
  for (const char c : text) {
    const std::size_t value = digits.find(c);
    if (value == std::string::npos) return std::nullopt;
    for (int bit = 5; bit >= 0; --bit) bits += (value >> static_cast<unsigned>(bit) & 1U) != 0 ? '1' : '0';
  }
  if (bits.size() % 8 == 6) return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at + 8 <= bits.size(); at += 8)
    out += static_cast<char>(std::stoi(bits.substr(at, 8), nullptr, 2));
  return out;
}

inline std::optional<std::string> slow_percent(const std::string& text) {
  const std::string digits = "0123456789abcdefABCDEF";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const std::string code = text.substr(i + 1, 2);
      if (code.size() != 2 || code.find_first_not_of(digits) != std::string::npos) return std::nullopt;
      out += static_cast<char>(std::stoi(code, nullptr, 16));
      i += 2;
    }
  }
  return out;
}

/// The labels of a path that is good; nothing else.
inline std::optional<std::map<std::string, std::string>> slow_push_path(const std::string& path) {
  const std::string start = "/metrics/";
  if (path.size() > 8192 || path.substr(0, start.size()) != start) return std::nullopt;
  const Parts parts = split(path.substr(start.size()), '/');
  if (parts.size() % 2 != 0 || parts.size() > 32) return std::nullopt;
  std::map<std::string, std::string> labels;
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    std::string name = parts[i];
    const std::string mark = "@base64";
    const bool encoded = name.size() >= mark.size() && name.substr(name.size() - mark.size()) == mark;
    if (encoded) name.resize(name.size() - mark.size());
    const auto value = encoded ? slow_base64(parts[i + 1]) : slow_percent(parts[i + 1]);
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    if (name.empty() || name.size() > 256 || name.find_first_not_of(letters) != std::string::npos ||
        (name[0] >= '0' && name[0] <= '9') || name.substr(0, 2) == "__")
      return std::nullopt;
    if (!value || value->size() > 1024 || (name == "job") != (i == 0)) return std::nullopt;
    if (value->empty() && i == 0) return std::nullopt;
    if (!value->empty() && !labels.emplace(name, *value).second) return std::nullopt;
  }
  return labels;
}

/// Counters have no ".count" there, and everything is called a gauge.
inline std::string gateway_body(const std::string& graphite_report) {
  std::istringstream lines(graphite_report);
  std::string out;
  std::string name;
  std::string value;
  std::string seconds;
  while (lines >> name >> value >> seconds) {
    if (name.size() > 6 && name.substr(name.size() - 6) == ".count") name.resize(name.size() - 6);
    for (char& c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    out += "# HELP " + name + " Generated from Dropwizard metric import\n# TYPE " + name + " gauge\n" + name +
           " " + value + "\n";
  }
  return out;
}

}  // namespace flintgauge::reference
