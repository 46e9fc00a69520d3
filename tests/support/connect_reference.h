// A list of a Spark Connect server's sessions or operations, read slowly off the tree.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "support/json_reference.h"

namespace flintgauge::reference {

/// Rows whose end is 0; -1 when no row has an end at all.
inline std::optional<double> connect_open(const Json& tree) {
  if (tree.type != Json::Type::kArray) return std::nullopt;
  double open = 0;
  bool has_rows = false;
  for (const Json& row : tree.elements) {
    const Json* const finish = row.type == Json::Type::kObject ? row.find("finishTimestamp") : nullptr;
    if (finish == nullptr || finish->type != Json::Type::kNumber) continue;
    std::int64_t at = 0;  // anything but a whole number of its range is no time
    const char* const last = finish->text.data() + finish->text.size();
    const auto [stop, error] = std::from_chars(finish->text.data(), last, at);
    if (error != std::errc{} || stop != last || at < 0) continue;
    has_rows = true;
    open += at == 0 ? 1 : 0;
  }
  return has_rows ? open : -1;
}

}  // namespace flintgauge::reference
