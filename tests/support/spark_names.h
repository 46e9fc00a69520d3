// The names of tests/fixtures/spark-names.txt, and what a captured body says under them: a second opinion on
// what collectors use and skip. Slow and plain.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/captures.h"
#include "support/json_reference.h"

namespace flintgauge::reference {

/// "*" stands for anything, also for nothing.
inline bool is_like(const std::string& pattern, const std::string& text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string::npos;
  std::size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct KnownName {
  std::string mark, surface, kind, name;
};

inline std::vector<KnownName> known_names() {
  std::vector<KnownName> names;
  std::istringstream lines(read_capture("spark-names.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    KnownName& one = names.emplace_back();
    std::istringstream words(line);
    words >> one.mark >> one.surface >> one.kind >> one.name;
  }
  return names;
}

/// What samples of one kind of body may be called, in the order in which they are tried; true: used.
using Spellings = std::vector<std::pair<std::string, bool>>;

inline Spellings spellings_of(const std::string& surface) {
  Spellings out;
  for (const KnownName& name : known_names()) {
    if (name.surface == surface) out.emplace_back(name.name, name.mark == "used");
  }
  return out;
}

/// How a channel writes the names of a registry. `uses`: the marks that are used there.
enum class Spelling : std::uint8_t { kJson, kServlet, kJmx, kGraphite, kStatsd };
inline void spell(Spelling spelling, const KnownName& known, bool is_used, const std::string& before,
                  Spellings& out) {
  const bool is_number = known.kind == "g" || known.kind == "c";
  const std::string mangled = [&known] {
    std::string text = known.name;
    for (char& c : text) {
      if (c != '*' && std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return text;
  }();
  const std::map<std::string, std::string> sections = {
      {"g", "gauges."}, {"c", "counters."}, {"h", "histograms."}, {"t", "timers."}};
  switch (spelling) {
    case Spelling::kJson:
      out.emplace_back(sections.at(known.kind) + before + known.name +
                           (known.kind == "g"   ? ".value"
                            : known.kind == "c" ? ".count"
                                                : ".*"),
                       is_used && is_number);
      break;
    case Spelling::kServlet:
      out.emplace_back("metrics_" + before + mangled +
                           (known.kind == "g"   ? "_Value"
                            : known.kind == "c" ? "_Count"
                                                : "_*"),
                       is_used && is_number);
      if (known.kind == "g") out.emplace_back("metrics_" + before + mangled + "_Number", false);
      break;
    case Spelling::kJmx:  // rules that keep Spark's names
      out.emplace_back("spark_" + mangled + (is_number ? "" : "_*"), is_used && is_number);
      break;
    case Spelling::kGraphite:
      out.emplace_back(before + known.name +
                           (known.kind == "g"   ? ""
                            : known.kind == "c" ? ".count"
                                                : ".*"),
                       is_used && is_number);
      break;
    case Spelling::kStatsd:
      out.emplace_back(before + known.name +
                           (known.kind == "g"   ? ":*|g"
                            : known.kind == "c" ? ":*|c"
                                                : ".*:*|*"),
                       is_used && is_number);
      break;
  }
}

/// `before`: patterns of what stands before a name.
inline Spellings registry_spellings(Spelling spelling, const std::vector<std::string>& before,
                                    const std::string& marks) {
  Spellings out;
  for (const KnownName& known : known_names()) {
    if (known.surface != "registry") continue;
    // Of several queues and queries a push keeps none.
    const bool is_push = spelling == Spelling::kGraphite || spelling == Spelling::kStatsd;
    const bool is_used = marks.find(known.mark) != std::string::npos &&
                         !(is_push && known.name.find('*') != std::string::npos);
    for (const std::string& start : before) spell(spelling, known, is_used && !start.empty(), start, out);
  }
  return out;
}

/// One name for each scalar of a document: "[].id", "gauges.NAME.value"; of a list of pairs "LIST=KEY" for
/// the value and "LIST" for the key.
inline void add_json_names(const Json& node, const std::string& path, std::vector<std::string>& out) {
  const bool is_pair = path.ends_with("ies[]") && node.elements.size() == 2;
  if (is_pair) {
    const std::string list = path.substr(0, path.size() - 2);
    out.push_back(list);
    out.push_back(list + '=' + node.elements[0].text);
    return;
  }
  for (const auto& [name, member] : node.members)
    add_json_names(member, path.empty() ? name : path + '.' + name, out);
  // Of the quantiles of tasks some places are used: the median, the largest.
  const bool is_quantile = path.find(".taskMetricsDistributions.") != std::string::npos;
  for (std::size_t i = 0; i < node.elements.size(); ++i)
    add_json_names(node.elements[i], path + (is_quantile ? '[' + std::to_string(i) + ']' : "[]"), out);
  if (node.type != Json::Type::kObject && node.type != Json::Type::kArray) out.push_back(path);
}

struct Account {
  std::uint64_t used = 0, skipped = 0;
  std::map<std::string, int> unknown;
  std::uint64_t unknowns() const {
    std::uint64_t sum = 0;
    for (const auto& [name, count] : unknown) sum += static_cast<std::uint64_t>(count);
    return sum;
  }
};

inline Account account_of(const std::vector<std::string>& names, const Spellings& spellings) {
  Account account;
  for (const std::string& name : names) {
    const auto found =
        std::ranges::find_if(spellings, [&name](const auto& one) { return is_like(one.first, name); });
    if (found == spellings.end()) {
      ++account.unknown[name];
    } else {
      ++(found->second ? account.used : account.skipped);
    }
  }
  return account;
}

}  // namespace flintgauge::reference
