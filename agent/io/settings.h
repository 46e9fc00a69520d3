// The table of settings: one row for each value of Config that a user may change. The YAML reader, --set,
// print-config, --help and docs/configuration.md are all made from it.
//
// To add a setting: a member in include/flintgauge/config.h, a row in settings.cc, a range in
// agent/core/config.cc where not every value makes sense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// Where in Config a value lies; what it looks like in text is the alternative's name.
template <typename T>
using Access = T& (*)(Config&);
struct Text {
  Access<std::string> at;
};
struct Flag {
  Access<bool> at;  ///< true, false
};
struct DurationMs {
  Access<std::int64_t> at;  ///< "500ms", "10s", "1m", "2h"; kept in milliseconds
};
struct DurationSeconds {
  Access<double> at;  ///< the same text; kept in seconds
};
struct Size {
  Access<std::int64_t> at;  ///< "4096", "64KiB", "64MiB", "1GiB", "10MB"; kept in bytes
};
struct Integer {
  Access<int> at;
};
struct Count {
  Access<std::size_t> at;
};
struct Number {
  Access<double> at;
};
using Kind = std::variant<Text, Flag, DurationMs, DurationSeconds, Size, Integer, Count, Number>;

struct Setting {
  std::string_view key;  ///< dotted path: section, dot, name
  Kind kind;
  std::string_view help;

  std::string_view section() const { return key.substr(0, key.find('.')); }
  std::string_view name() const { return key.substr(key.find('.') + 1); }
};

/// All settings, those of a section together.
std::span<const Setting> settings();

/// Null when there is none.
const Setting* find_setting(std::string_view key);

/// "; did you mean kubelet.interval?" for a key that does not exist, or "" when nothing is near.
std::string suggestion(std::string_view unknown_key);

/// Reads a value as a user writes it. kConfig: the key, the text and what is expected instead.
Status set_value(const Setting& setting, std::string_view text, Config& config);

/// The value in the spelling set_value() reads.
std::string value_text(const Setting& setting, const Config& config);

/// What kind of value it takes, for people: "text", "duration", ...
std::string_view kind_name(const Setting& setting);

/// docs/configuration.md, made from the table.
std::string configuration_markdown();

/// The list of settings with their defaults for --help.
std::string settings_help();

}  // namespace flintgauge
