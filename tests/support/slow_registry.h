// Registry names read slowly and plainly: cut at every separator, every place tried. Twin of
// collectors/common/spark_registry.h.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "collectors/common/spark_registry.h"

namespace flintgauge::reference {

using Parts = std::vector<std::string>;

inline Parts split(const std::string& text, char separator) {
  Parts parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

inline std::string join(const Parts& parts, std::size_t from, std::size_t to, char separator) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += (i == from ? "" : std::string(1, separator)) + parts[i];
  return out;
}

inline bool names_instance(const std::string& part) {
  return part == "driver" || (!part.empty() && part.find_first_not_of("0123456789") == std::string::npos);
}

/// namespace|instance|source|query|metric|known, or "none".
inline std::string describe(const std::optional<RegistryName>& name) {
  if (!name) return "none";
  std::string out;
  for (const std::string_view part :
       {name->namespace_name, name->instance, name->source, name->query, name->metric})
    out.append(part).append("|");
  return out + (name->known_source ? "known" : "unknown");
}

/// One place tried in one of three ways.
inline std::string slow_tail(const Parts& parts, std::size_t at, int way) {
  const Parts tail(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1, parts.end());
  const std::size_t size = tail.size();
  const std::string head = join(parts, 0, at, '.') + "|" + parts[at] + "|";
  if (way == 0) {
    if (size < 2 || !is_known_source(tail[0]) || join(tail, 1, size, '.').empty()) return "";
    if (tail[0] != "spark") return head + tail[0] + "||" + join(tail, 1, size, '.') + "|known";
    if (size < 4 || tail[1] != "streaming" || tail.back().empty()) return "";
    const std::string query = join(tail, 2, size - 1, '.');
    return query.empty() ? "" : head + "spark.streaming|" + query + "|" + tail.back() + "|known";
  }
  if (way == 1) {
    for (std::size_t i = 1; i + 2 < size; ++i) {
      if (tail[i] != "StreamingMetrics" || tail[i + 1] != "streaming") continue;
      if (join(tail, 0, i, '.').empty() || join(tail, i + 2, size, '.').empty()) return "";
      return head + "StreamingMetrics||" + join(tail, i + 1, size, '.') + "|known";
    }
    return "";
  }
  if (size < 2 || tail[0].empty() || join(tail, 1, size, '.').empty()) return "";
  return head + tail[0] + "||" + join(tail, 1, size, '.') + "|unknown";
}

inline std::string slow_registry_name(std::string name, const std::string& prefix, const std::string& known) {
  if (name.size() > kMaxRegistryName) return "none";
  if (!prefix.empty() && name.size() > prefix.size() && name.compare(0, prefix.size() + 1, prefix + ".") == 0)
    name.erase(0, prefix.size() + 1);
  const Parts parts = split(name, '.');
  for (int way = 0; way < 3; ++way) {
    for (std::size_t at = 1; at + 1 < parts.size(); ++at) {
      const std::string before = join(parts, 0, at, '.');
      if (before.empty() || !names_instance(parts[at]) || (way == 2 && before != known)) continue;
      if (std::string found = slow_tail(parts, at, way); !found.empty()) return found;
    }
  }
  return "none";
}

/// instance|rest, or "none".
inline std::string describe(const std::optional<MangledName>& name) {
  return name ? std::string(name->instance) + "|" + std::string(name->rest) : "none";
}

inline std::string slow_mangled_name(const std::string& name, const std::string& own) {
  if (name.size() > kMaxRegistryName) return "none";
  const Parts parts = split(name, '_');
  if (parts[0] != "metrics") return "none";
  const auto rest_of = [&](std::size_t at) { return join(parts, at + 1, parts.size(), '_'); };
  for (std::size_t at = 2; !own.empty() && at + 1 < parts.size(); ++at) {
    if (join(parts, 1, at, '_') == own && names_instance(parts[at]) && !rest_of(at).empty())
      return parts[at] + "|" + rest_of(at);
  }
  for (std::size_t at = 2; at + 2 < parts.size(); ++at) {
    if (join(parts, 1, at, '_').empty()) continue;
    if (names_instance(parts[at]) && is_known_source(parts[at + 1])) return parts[at] + "|" + rest_of(at);
  }
  return "none";
}

}  // namespace flintgauge::reference
