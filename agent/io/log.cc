#include "agent/io/log.h"

#include <spdlog/common.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/io/rate_limit.h"
#include "agent/io/system_clock.h"

namespace flintgauge::log {
namespace {

constexpr std::size_t kValueLimit = 256;  // bytes of one value in a line
constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};

struct State {
  State() : logger("flintgauge", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_level(spdlog::level::trace);  // our own level decides
    logger.set_error_handler([](const std::string&) {});
  }
  spdlog::logger logger;
  std::atomic<Level> level{Level::kInfo};
  bool is_json = false;
  std::mutex limit_mutex;
  RateLimit limit;
};

void set_pattern(State& state) {
  const char* const pattern =
      state.is_json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}" : "time=%Y-%m-%dT%H:%M:%S.%eZ %v";
  state.logger.set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
}

State& state() {
  static State& instance = [&]() -> State& {
    static State made;
    set_pattern(made);
    return made;
  }();
  return instance;
}

template <typename Number>
void append_number(Number number, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

/// JSON string content: what is already printable ASCII needs only quote and backslash escaped.
void append_quoted(std::string_view printable_text, std::string& out) {
  out += '"';
  for (const char c : printable_text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_logfmt_text(std::string_view text, std::string& out) {
  const std::string safe = printable(text, kValueLimit);
  if (!safe.empty() && safe.find_first_of(" =\"\\") == std::string::npos) {
    out += safe;
    return;
  }
  out += '"';
  for (const char c : safe) {
    if (c == '"') out += '\\';
    out += c;  // backslashes are escapes already
  }
  out += '"';
}

void append_value(const Field::Value& value, bool is_json, std::string& out) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (is_json) {
      append_quoted(printable(*text, kValueLimit), out);
    } else {
      append_logfmt_text(*text, out);
    }
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    append_number(*integer, out);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
    append_number(*natural, out);
  } else if (const auto* real = std::get_if<double>(&value)) {
    const bool is_finite = *real - *real == 0;
    if (is_json && !is_finite) {
      out += "null";
    } else {
      append_number(*real, out);
    }
  }
}

void append_field(const Field& field, bool is_json, std::string& out) {
  if (!out.empty()) out += is_json ? ',' : ' ';
  if (is_json) {
    append_quoted(field.key, out);
    out += ':';
  } else {
    out += field.key;
    out += '=';
  }
  append_value(field.value, is_json, out);
}

std::string limit_key(std::string_view message, Fields fields) {
  std::string key(message);
  if (fields.size() > 0) append_field(*fields.begin(), false, key);
  return key;
}

void write_line(State& log, Level level, std::string_view message, Fields fields) {
  std::uint64_t suppressed = 0;
  if (level != Level::kDebug) {
    const std::string key = limit_key(message, fields);
    const std::lock_guard lock(log.limit_mutex);
    const std::optional<std::uint64_t> passed = log.limit.pass(key, read_clocks().steady);
    if (!passed) return;
    suppressed = *passed;
  }
  std::string line;
  append_field({"level", kLevelNames[static_cast<std::size_t>(level)]}, log.is_json, line);
  append_field({"msg", message}, log.is_json, line);
  for (const Field& field : fields) append_field(field, log.is_json, line);
  if (suppressed > 0) append_field({"suppressed", suppressed}, log.is_json, line);
  log.logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

Status setup(std::string_view level, std::string_view format) {
  const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), level);
  if (found == kLevelNames.end()) {
    return fail(Reason::kConfig,
                "log.level: one of debug, info, warn, error; not \"" + printable(level) + '"');
  }
  if (format != "logfmt" && format != "json")
    return fail(Reason::kConfig, "log.format: logfmt or json; not \"" + printable(format) + '"');
  State& log = state();
  log.level = static_cast<Level>(found - kLevelNames.begin());
  log.is_json = format == "json";
  set_pattern(log);
  return {};
}

void write(Level level, std::string_view message, Fields fields) noexcept try {
  State& log = state();
  if (level < log.level.load(std::memory_order_relaxed)) return;
  write_line(log, level, message, fields);
} catch (...) {  // out of memory: there is nobody left to tell
}

std::uint64_t suppressed_total() noexcept {
  State& log = state();
  const std::lock_guard lock(log.limit_mutex);
  return log.limit.suppressed_total();
}

std::string printable(std::string_view text, std::size_t limit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::size_t cut = 0;  // longest prefix of whole characters that leaves room for "..."
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t' || c == '\r' || c == '\\') {
      out += '\\';
      out += c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : '\\';
    } else if (byte < 0x20 || byte >= 0x7f) {
      out.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
    } else {
      out += c;
    }
    if (out.size() > limit) return out.erase(cut).append("...");
    if (out.size() + 3 <= limit) cut = out.size();
  }
  return out;
}

}  // namespace flintgauge::log
