// What the user typed.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "agent/io/self_metrics.h"

namespace flintgauge {

enum class Command : std::uint8_t { kNode, kDemo, kOnce, kCheckConfig, kPrintConfig, kCompletion };

struct CommandLine {
  Command command = Command::kNode;
  std::string config_file;             ///< empty: defaults
  std::vector<std::string> overrides;  ///< KEY=VALUE, in order
  std::string shell;                   ///< of completion: bash, zsh or fish
  int demo_seconds = 0;                ///< 0: until stopped
  std::string demo_listen;             ///< empty: the default address, or the next free port
};

/// The command; or, when there is nothing left to do but to exit, the code: 0 after --help and --version, 2
/// after a usage error, each with its text printed.
tl::expected<CommandLine, int> parse_command_line(int argc, const char* const* argv, const BuildInfo& build);

/// A script that completes commands, options and setting keys. REQUIRES: shell is bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace flintgauge
