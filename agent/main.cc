// The program: read the command line, do the command, turn what came of it into an exit code.
#include <malloc.h>
#include <signal.h>

#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "agent/io/agent.h"
#include "agent/io/build_info.h"
#include "agent/io/command_line.h"
#include "agent/io/config_file.h"
#include "agent/io/demo.h"
#include "agent/io/log.h"
#include "agent/io/run.h"

namespace flintgauge {
namespace {

Result<Config> ready_config(const CommandLine& line) {
  Result<Config> config = load_config(line.config_file, line.overrides);
  if (!config) return config;
  if (const Status status = expand_variables(process_environment, *config); !status)
    return tl::unexpected(status.error());
  return config;
}

Status run_node(const CommandLine& line) {
  block_stop_signals();
  const Result<Config> config = ready_config(line);
  if (!config) return tl::unexpected(config.error());
  return run_agent(*config, FirstRound::kSpread, 0, nullptr);
}

Status run_demo(const CommandLine& line) {
  block_stop_signals();
  Config config = demo_config();
  if (Status status = choose_demo_address(line.demo_listen, config); !status) return status;
  const Result<std::unique_ptr<Demo>> demo = Demo::start(config);
  if (!demo) return tl::unexpected(demo.error());
  return run_agent(config, FirstRound::kAtOnce, line.demo_seconds, demo_greeting);
}

Status run_once(const CommandLine& line) {
  const Result<Config> config = ready_config(line);
  if (!config) return tl::unexpected(config.error());
  if (Status status = log::setup(config->log.level, config->log.format); !status) return status;
  const Result<std::unique_ptr<Agent>> agent = Agent::make(*config, this_build());
  if (!agent) return tl::unexpected(agent.error());
  const Result<std::string> page = (*agent)->run_once();
  if (!page) return tl::unexpected(page.error());
  std::cout << *page;
  return {};
}

Status check_config(const CommandLine& line) {
  const Result<Config> config = load_config(line.config_file, {});
  if (!config) return tl::unexpected(config.error());
  std::cout << line.config_file << ": good\n";
  return {};
}

Status print_config(const CommandLine& line) {
  const Result<Config> config = load_config(line.config_file, line.overrides);
  if (!config) return tl::unexpected(config.error());
  std::cout << config_yaml(*config);
  return {};
}

Status execute(const CommandLine& line) {
  switch (line.command) {
    case Command::kNode:
      return run_node(line);
    case Command::kDemo:
      return run_demo(line);
    case Command::kOnce:
      return run_once(line);
    case Command::kCheckConfig:
      return check_config(line);
    case Command::kPrintConfig:
      return print_config(line);
    case Command::kCompletion:
      std::cout << completion_script(line.shell);
      return {};
  }
  return fail(Reason::kInternal, "no such command");
}

int report(const std::string& message) {
  std::cerr << "flintgauge: " << message << '\n';
  return 1;
}

}  // namespace
}  // namespace flintgauge

int main(int argc, char** argv) try {
  signal(SIGPIPE, SIG_IGN);
  mallopt(M_ARENA_MAX, 2);  // an arena a thread costs more memory than the threads' waiting costs time
  // Larger buffers go back to the system when they are freed, also after the first that was: the default
  // raises this limit with each, and what the first scrape needed for a moment would stay for good. Smaller
  // ones stay, above all libcurl's of 512 KiB, made anew for every scrape: 130 page faults each.
  constexpr int kLargeBuffer = 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, kLargeBuffer);
  mallopt(M_TRIM_THRESHOLD, kLargeBuffer);
  const auto line = flintgauge::parse_command_line(argc, argv, flintgauge::this_build());
  if (!line) return line.error();
  const flintgauge::Status status = flintgauge::execute(*line);
  if (!status) return flintgauge::report(status.error().message);
  return std::cout.flush() ? 0 : flintgauge::report("cannot write to the standard output");
} catch (const std::exception& thrown) {
  return flintgauge::report(thrown.what());
}
