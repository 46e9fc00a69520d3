// Reads the configuration: a YAML file, then --set KEY=VALUE, then $VAR from the environment.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

inline constexpr std::size_t kConfigFileLimit = std::size_t{1024} * 1024;  ///< bytes

/// Where each key that was given stands: "agent.yaml:3:13" or "--set". For messages about its value.
using Origins = std::map<std::string, std::string, std::less<>>;

/// Overwrites what the YAML text names. `file_name` is only for messages. kConfig: "file:line:column: key:
/// what is wrong" for the first thing that is; `config` is then half changed. Settings are two levels deep:
/// whatever nests deeper is refused where it starts, so depth is bounded whatever the text.
Status read_config_text(std::string_view yaml, const std::string& file_name, Config& config,
                        Origins& origins);

/// The same from a file of at most kConfigFileLimit bytes. kIo when it cannot be read.
Status read_config_file(const std::string& path, Config& config, Origins& origins);

/// One "KEY=VALUE" of the command line.
Status apply_override(std::string_view assignment, Config& config, Origins& origins);

/// Defaults, file (none when the path is empty), overrides in order; validate() and the names of collectors,
/// with file:line of the value that is wrong. Variables stay as they are.
Result<Config> load_config(const std::string& path, std::span<const std::string> overrides);

/// An environment: the value of a variable, absent when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

/// Replaces $NAME and ${NAME} in node.name and kubelet.url. kConfig when a variable is not set or empty.
Status expand_variables(const Environment& environment, Config& config);

/// The whole configuration as YAML that read_config_text() accepts and that gives the same Config.
std::string config_yaml(const Config& config);

}  // namespace flintgauge
