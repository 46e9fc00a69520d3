// Runs an agent with its web server until somebody stops it: what `node` and `demo` have in common.
#pragma once

#include <string>

#include "agent/io/agent.h"
#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// SIGTERM and SIGINT wait for run_agent() from now on. Call before any thread is made: all inherit the mask.
void block_stop_signals();

/// Serves until SIGTERM or SIGINT, or for `seconds` when they are not 0; then lets everything go in reverse
/// order. `greeting`, unless null, makes the text for the standard output once it serves on an address.
/// REQUIRES: block_stop_signals(); `config` is validated and has no $VAR left.
Status run_agent(const Config& config, FirstRound first_round, int seconds,
                 std::string (*greeting)(const std::string& address));

}  // namespace flintgauge
