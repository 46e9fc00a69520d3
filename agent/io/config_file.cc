#include "agent/io/config_file.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "agent/io/collector_choice.h"
#include "agent/io/log.h"
#include "agent/io/settings.h"

namespace flintgauge {
namespace {

std::string position(const std::string& file, const YAML::Mark& mark) {
  return file + ':' + std::to_string(mark.line + 1) + ':' + std::to_string(mark.column + 1);
}

/// Thrown through the YAML parser only, which is how an EventHandler stops it; never leaves this file.
struct RefusedSetting {
  YAML::Mark mark;
  std::string message;
};

/// Sets values while the parser reads. Knows maps of sections and plain values; all else is refused.
class ConfigHandler final : public YAML::EventHandler {
 public:
  ConfigHandler(const std::string& file, Config& config, Origins& origins)
      : file_(file), config_(config), origins_(origins) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(mark, "a second document; a configuration is one");
  }
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "aliases are not allowed"); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, anchor);
    if (maps_.empty()) return;  // an empty file
    if (maps_.back().expects_key) refuse(mark, "a key without a name");
    if (find_setting(path_) != nullptr)
      refuse(key_mark_, path_ + ": has no value; give one or remove the line");
    end_value();  // a section with nothing in it
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, anchor);
    if (maps_.empty()) refuse(mark, "expected sections such as \"kubelet:\", found a single value");
    if (maps_.back().expects_key) return begin_key(mark, value);
    const Setting* const setting = find_setting(path_);
    if (setting == nullptr) refuse(mark, path_ + ": is a section; expected settings in it, found a value");
    if (const Status status = set_value(*setting, value, config_); !status)
      refuse(mark, status.error().message);
    origins_[path_] = position(file_, mark);
    end_value();
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, anchor);
    refuse(mark, (path_.empty() ? "" : path_ + ": ") + "expected " + expected() + ", found a list");
  }
  void OnSequenceEnd() override {}

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, anchor);
    if (!maps_.empty() && maps_.back().expects_key) refuse(mark, "a map as a key");
    if (find_setting(path_) != nullptr) refuse(mark, path_ + ": expected " + expected() + ", found a map");
    maps_.push_back({.prefix = path_, .lines = {}});
  }
  void OnMapEnd() override {
    path_ = maps_.back().prefix;
    maps_.pop_back();
    if (!maps_.empty()) maps_.back().expects_key = true;
  }

 private:
  struct Map {
    std::string prefix;                             // dotted path of the map itself
    std::map<std::string, int, std::less<>> lines;  // of each key seen
    bool expects_key = true;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
    throw RefusedSetting{mark, std::move(message)};
  }

  static void check(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors are not allowed");
  }

  std::string expected() const {
    const Setting* const setting = find_setting(path_);
    return setting != nullptr ? std::string(kind_name(*setting)) : "sections and settings";
  }

  static bool is_known(std::string_view path) {
    for (const Setting& setting : settings()) {
      if (setting.key == path || setting.section() == path) return true;
    }
    return false;
  }

  void begin_key(const YAML::Mark& mark, const std::string& key) {
    Map& map = maps_.back();
    const std::string path = map.prefix.empty() ? key : map.prefix + '.' + key;
    const std::string shown = log::printable(path, 80);
    // A dotted key would be a second spelling of the same setting, and a way around the check for duplicates.
    if (is_known(path) && key.find('.') != std::string::npos)
      refuse(mark, shown + ": write it as a key in its section, not with a dot");
    if (!is_known(path)) refuse(mark, "unknown setting " + shown + suggestion(path));
    const auto [seen, is_new] = map.lines.try_emplace(key, mark.line + 1);
    if (!is_new) refuse(mark, shown + ": is already set in line " + std::to_string(seen->second));
    path_ = path;
    key_mark_ = mark;
    map.expects_key = false;
  }

  void end_value() {
    path_ = maps_.back().prefix;
    maps_.back().expects_key = true;
  }

  const std::string& file_;
  Config& config_;
  Origins& origins_;
  std::vector<Map> maps_;
  std::string path_;     // of the value being read
  YAML::Mark key_mark_;  // the parser's mark of an absent value is somewhere behind it
  int documents_ = 0;
};

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Replaces the variables of one value. An IPv6 address gets the brackets that a URL needs.
Status expand(std::string_view key, bool is_url, const Environment& environment, std::string& value) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] != '$') {
      out += value[i++];
      continue;
    }
    const bool has_brace = i + 1 < value.size() && value[i + 1] == '{';
    const std::size_t begin = i + (has_brace ? 2 : 1);
    std::size_t end = begin;
    while (end < value.size() && is_name_char(value[end])) ++end;
    const std::string name = value.substr(begin, end - begin);
    if (name.empty() || (has_brace && (end == value.size() || value[end] != '}'))) {
      return fail(Reason::kConfig, std::string(key) + ": \"" + log::printable(value) +
                                       "\" has a $ that starts no variable; write $NAME or ${NAME}");
    }
    const std::optional<std::string> found = environment(name);
    if (!found || found->empty()) {
      return fail(Reason::kConfig, std::string(key) + ": the environment variable " + name +
                                       " is not set (value \"" + log::printable(value) +
                                       "\"); set it, or give " + std::string(key) + " a value without it");
    }
    const bool needs_brackets = is_url && found->find(':') != std::string::npos && found->front() != '[' &&
                                found->find('/') == std::string::npos;
    out += needs_brackets ? '[' + *found + ']' : *found;
    i = end + (has_brace ? 1 : 0);
  }
  value = std::move(out);
  return {};
}

}  // namespace

Status read_config_text(std::string_view yaml, const std::string& file_name, Config& config,
                        Origins& origins) {
  if (yaml.size() > kConfigFileLimit)
    return fail(Reason::kConfig, file_name + ": larger than " + std::to_string(kConfigFileLimit) + " bytes");
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    ConfigHandler handler(file_name, config, origins);
    while (parser.HandleNextDocument(handler)) {
    }
    return {};
  } catch (const RefusedSetting& refused) {
    return fail(Reason::kConfig, position(file_name, refused.mark) + ": " + refused.message);
  } catch (const YAML::Exception& bad) {
    return fail(Reason::kConfig, position(file_name, bad.mark) + ": not YAML: " + log::printable(bad.msg));
  }
}

Status read_config_file(const std::string& path, Config& config, Origins& origins) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigFileLimit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || (file.fail() && !file.eof()))
    return fail(Reason::kIo, path + ": cannot be read: " + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return read_config_text(text, path, config, origins);
}

Status apply_override(std::string_view assignment, Config& config, Origins& origins) {
  const std::size_t equals = assignment.find('=');
  const std::string given = "--set " + log::printable(assignment, 128) + ": ";
  if (equals == std::string_view::npos) return fail(Reason::kConfig, given + "expected KEY=VALUE");
  const std::string_view key = assignment.substr(0, equals);
  const Setting* const setting = find_setting(key);
  if (setting == nullptr)
    return fail(Reason::kConfig, given + "unknown setting " + log::printable(key, 80) + suggestion(key));
  Status status = set_value(*setting, assignment.substr(equals + 1), config);
  if (!status) return fail(Reason::kConfig, given + status.error().message);
  origins[std::string(key)] = "--set";
  return status;
}

Result<Config> load_config(const std::string& path, std::span<const std::string> overrides) {
  Config config;
  Origins origins;
  Status status = path.empty() ? Status{} : read_config_file(path, config, origins);
  for (std::size_t i = 0; status && i < overrides.size(); ++i)
    status = apply_override(overrides[i], config, origins);
  if (!status) return tl::unexpected(status.error());
  config.hints.hint_max_age_ms = 3 * config.spark.interval_ms;
  status = validate(config);
  if (const auto chosen = choose_collectors(config.targets.disabled_collectors); status && !chosen)
    status = tl::unexpected(chosen.error());
  if (!status) {
    const std::string& message = status.error().message;
    const auto origin = origins.find(std::string_view(message).substr(0, message.find(':')));
    return fail(Reason::kConfig,
                (origin == origins.end() ? "configuration" : origin->second) + ": " + message);
  }
  return config;
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Status expand_variables(const Environment& environment, Config& config) {
  if (Status status = expand("node.name", false, environment, config.node.name); !status) return status;
  return expand("kubelet.url", true, environment, config.kubelet.url);
}

std::string config_yaml(const Config& config) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  std::string_view section;
  for (const Setting& setting : settings()) {
    if (setting.section() != section) {
      if (!section.empty()) out << YAML::EndMap;
      section = setting.section();
      out << YAML::Key << std::string(section) << YAML::Value << YAML::BeginMap;
    }
    const std::string value = value_text(setting, config);
    out << YAML::Key << std::string(setting.name()) << YAML::Value;
    if (value.empty()) out << YAML::DoubleQuoted;
    out << value;
  }
  out << YAML::EndMap << YAML::EndMap;
  return std::string(out.c_str()) + '\n';
}

}  // namespace flintgauge
