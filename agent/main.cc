// The program: read the command line, build the objects, wait for a signal, let go in reverse order.
#include <malloc.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "agent/io/agent.h"
#include "agent/io/build_info.h"
#include "agent/io/command_line.h"
#include "agent/io/config_file.h"
#include "agent/io/demo.h"
#include "agent/io/http_server.h"
#include "agent/io/log.h"
#include "agent/io/routes.h"
#include "agent/io/system_clock.h"

namespace flintgauge {
namespace {

constexpr int kGood = 0;
constexpr int kFault = 1;

int fault(const Error& error) {
  std::cerr << "flintgauge: " << error.message << '\n';
  return kFault;
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// Returns at SIGTERM or SIGINT, or after so many seconds when they are not 0. REQUIRES: both are blocked.
void wait_for_stop(int seconds) {
  const sigset_t signals = stop_signals();
  const timespec limit{.tv_sec = seconds, .tv_nsec = 0};
  int signal = -1;
  do {
    signal = seconds == 0 ? sigwaitinfo(&signals, nullptr) : sigtimedwait(&signals, nullptr, &limit);
  } while (signal < 0 && errno == EINTR);
  if (signal < 0) {
    log::info("time is over", {{"seconds", seconds}});
  } else {
    log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  }
}

/// Before any thread is made: all of them inherit the mask, so that only wait_for_stop() sees these signals.
void block_stop_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Result<Config> ready_config(const CommandLine& line) {
  Result<Config> config = load_config(line.config_file, line.overrides);
  if (!config) return config;
  if (const Status status = expand_variables(process_environment, *config); !status)
    return tl::unexpected(status.error());
  return config;
}

/// Runs the agent until it is told to stop. `greeting` is printed with the address once it serves.
int run(const Config& config, int seconds, std::string (*greeting)(const std::string& address)) {
  if (const Status status = log::setup(config.log.level, config.log.format); !status)
    return fault(status.error());
  const BuildInfo build = this_build();
  log::info("flintgauge starts", {{"version", build.version},
                                  {"revision", build.revision},
                                  {"node", config.node.name},
                                  {"kubelet", config.kubelet.url}});
  if (geteuid() == 0) log::warn("running as root; no right of it is needed, run as another user");
  Result<std::unique_ptr<Agent>> made = Agent::make(config, build);
  if (!made) return fault(made.error());
  Agent& agent = **made;
  Routes routes(agent.store(), agent.metrics(),
                {.node = config.node.name, .build = build, .clocks = read_clocks, .is_ready = [&agent] {
                   return agent.is_ready();
                 }});
  const Result<std::unique_ptr<HttpServer>> server = HttpServer::start(
      {.listen_address = config.web.listen_address,
       .max_requests = config.web.max_requests,
       .on_answer = [&agent](std::string_view method,
                             int code) { agent.metrics().count_http_request(method, code); },
       .on_rejected = [&agent](HttpRejection reason) { agent.metrics().count_http_rejected(reason); }},
      [&routes](const HttpRequest& request) { return routes.answer(request); });
  if (!server) return fault(server.error());
  if (const Status status = agent.start(); !status) return fault(status.error());
  log::info("serving", {{"address", (*server)->address()}});
  if (greeting != nullptr) std::cout << greeting((*server)->address()) << std::flush;
  wait_for_stop(seconds);
  routes.stop_being_ready();
  agent.stop();
  return kGood;
}

int run_node(const CommandLine& line) {
  block_stop_signals();
  const Result<Config> config = ready_config(line);
  return config ? run(*config, 0, nullptr) : fault(config.error());
}

int run_demo(const CommandLine& line) {
  block_stop_signals();
  Config config = demo_config();
  if (const Status status = choose_demo_address(line.demo_listen, config); !status)
    return fault(status.error());
  const Result<std::unique_ptr<Demo>> demo = Demo::start(config);
  return demo ? run(config, line.demo_seconds, demo_greeting) : fault(demo.error());
}

int run_once(const CommandLine& line) {
  const Result<Config> config = ready_config(line);
  if (!config) return fault(config.error());
  if (const Status status = log::setup(config->log.level, config->log.format); !status)
    return fault(status.error());
  const Result<std::unique_ptr<Agent>> agent = Agent::make(*config, this_build());
  if (!agent) return fault(agent.error());
  const Result<std::string> page = (*agent)->run_once();
  if (!page) return fault(page.error());
  std::cout << *page << std::flush;
  return std::cout ? kGood : fault({Reason::kIo, "cannot write to the standard output"});
}

int check_config(const CommandLine& line) {
  const Result<Config> config = load_config(line.config_file, {});
  if (!config) return fault(config.error());
  std::cout << line.config_file << ": good\n";
  return kGood;
}

int print_config(const CommandLine& line) {
  const Result<Config> config = load_config(line.config_file, line.overrides);
  if (!config) return fault(config.error());
  std::cout << config_yaml(*config);
  return kGood;
}

int execute(const CommandLine& line) {
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
      return kGood;
  }
  return kFault;
}

}  // namespace
}  // namespace flintgauge

int main(int argc, char** argv) try {
  signal(SIGPIPE, SIG_IGN);
  mallopt(M_ARENA_MAX, 2);  // an arena a thread costs more memory than the threads' waiting costs time
  const auto line = flintgauge::parse_command_line(argc, argv, flintgauge::this_build());
  return line ? flintgauge::execute(*line) : line.error();
} catch (const std::exception& thrown) {
  std::cerr << "flintgauge: " << thrown.what() << '\n';
  return flintgauge::kFault;
}
