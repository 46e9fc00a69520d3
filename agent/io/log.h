// The log: one line per event to stderr, logfmt or JSON. Only agent/io and main write to it; core and
// collectors return an Error instead.
//
//   log::info("target up", {{"target", target.key}, {"url", target.url}});
//
// Values may be foreign text: they are escaped to printable ASCII and cut at 256 bytes, and nothing is ever
// used as a format string. Lines of level info and above pass a rate limit (rate_limit.h) whose key is the
// message together with the first field, so the message is a constant and the first field says of whom.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "flintgauge/error.h"

namespace flintgauge::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// One key=value of a line. Borrows; lives as long as the call. Keys are our own words.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  Field(std::string_view field_key, const std::string& text) : Field(field_key, std::string_view(text)) {}
  Field(std::string_view field_key, const char* text) : Field(field_key, std::string_view(text)) {}
  Field(std::string_view field_key, bool flag) : key(field_key), value(flag) {}
  Field(std::string_view field_key, std::floating_point auto number)
      : key(field_key), value(static_cast<double>(number)) {}
  Field(std::string_view field_key, std::signed_integral auto number)
      : key(field_key), value(static_cast<std::int64_t>(number)) {}
  Field(std::string_view field_key,
        std::unsigned_integral auto number) requires(!std::same_as<decltype(number), bool>)
      : key(field_key), value(static_cast<std::uint64_t>(number)) {}

  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

/// Level debug, info, warn or error; format logfmt or json. Before it is called: info, logfmt. kConfig for
/// other words. Call while no other thread logs.
Status setup(std::string_view level, std::string_view format);

/// Any thread. Never throws: a line that cannot be written is lost.
void write(Level level, std::string_view message, Fields fields) noexcept;
inline void debug(std::string_view message, Fields fields = {}) noexcept {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) noexcept {
  write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) noexcept {
  write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) noexcept {
  write(Level::kError, message, fields);
}

/// Lines left out by the rate limit since the start (flintgauge_log_suppressed_total).
std::uint64_t suppressed_total() noexcept;

/// Foreign text as one line of printable ASCII of at most `limit` bytes (>= 4): control bytes, backslash and
/// bytes beyond ASCII as \n, \t, \r, \\ or \xNN; "..." at the end when cut. For error texts shown to people.
std::string printable(std::string_view text, std::size_t limit = 256);

}  // namespace flintgauge::log
