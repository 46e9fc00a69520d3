// JSON bodies for decoder tests: fed in pieces, counted, damaged.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "flintgauge/collector.h"
#include "support/json_reference.h"

namespace flintgauge {

/// One scrape, fed in pieces of `piece` bytes.
inline Result<Batch> decode(Decoder& decoder, std::string_view body, std::size_t piece = 7777) {
  decoder.begin();
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    if (Status status = decoder.feed(body.substr(0, piece)); !status) return tl::unexpected(status.error());
  }
  return decoder.finish();
}

/// Numbers, strings, words in the document (names of members do not count).
inline std::uint64_t count_scalars(const reference::Json& node) {
  std::uint64_t count = 0;
  for (const auto& [name, member] : node.members) count += count_scalars(member);
  for (const auto& element : node.elements) count += count_scalars(element);
  const bool composite =
      node.type == reference::Json::Type::kObject || node.type == reference::Json::Type::kArray;
  return composite ? count : 1;
}

inline std::uint64_t total(const ScrapeCounts& c) {
  return c.kept + c.skipped + c.bad + c.duplicate + c.not_finite;
}

/// A name comes twice in an object of strings by name: only there a decoder and a tree may differ.
inline bool has_repeats(const reference::Json& node) {
  return node.has_repeats ||
         std::any_of(node.members.begin(), node.members.end(),
                     [](const auto& m) { return has_repeats(m.value); }) ||
         std::any_of(node.elements.begin(), node.elements.end(),
                     [](const auto& e) { return has_repeats(e); });
}

/// Replaces one token by another kind of value, or one byte by another; the body often stays valid JSON.
inline std::string damage(std::string body, std::mt19937& random) {
  const auto pick = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  if (body.empty()) return body;
  if (pick(24) == 0) {
    body[pick(body.size())] = static_cast<char>(pick(256));
    return body;
  }
  // The value after a random name, up to the next , } or ].
  const std::size_t quote = body.find("\":", pick(body.size()));
  if (quote == std::string::npos) return body;
  const std::size_t colon = quote + 1;
  const std::size_t end = body.find_first_of(",}]", colon);
  if (end == std::string::npos) return body;
  const auto values = {
      "null", "true",  "false", "0",  "-1",      "1.5",   "1e3",         "9223372036854775808",
      "\"\"", "\"x\"", "{}",    "[]", "[{}, 1]", "\"1\"", "\"\\udc00\"", "18446744073709551615"};
  return body.replace(colon + 1, end - colon - 1, *(values.begin() + pick(values.size())));
}

}  // namespace flintgauge
