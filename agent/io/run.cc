#include "agent/io/run.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>

#include "agent/io/agent.h"
#include "agent/io/build_info.h"
#include "agent/io/http_server.h"
#include "agent/io/log.h"
#include "agent/io/routes.h"
#include "agent/io/system_clock.h"

namespace flintgauge {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

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

Result<std::unique_ptr<HttpServer>> start_server(const WebConfig& web, const Routes& routes,
                                                 SelfMetrics& metrics) {
  HttpServer::Options options;
  options.listen_address = web.listen_address;
  options.max_requests = web.max_requests;
  options.is_exempt = Routes::is_liveness;
  options.on_answer = [&metrics](std::string_view method, int code) {
    metrics.count_http_request(method, code);
  };
  options.on_rejected = [&metrics](HttpRejection reason) { metrics.count_http_rejected(reason); };
  return HttpServer::start(std::move(options),
                           [&routes](const HttpRequest& request) { return routes.answer(request); });
}

}  // namespace

void block_stop_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Status run_agent(const Config& config, FirstRound first_round, int seconds,
                 std::string (*greeting)(const std::string& address)) {
  if (Status status = log::setup(config.log.level, config.log.format); !status) return status;
  const BuildInfo build = this_build();
  log::info("flintgauge starts", {{"version", build.version},
                                  {"revision", build.revision},
                                  {"node", config.node.name},
                                  {"kubelet", config.kubelet.url}});
  if (geteuid() == 0) log::warn("running as root; no right of it is needed, run as another user");
  const Result<std::unique_ptr<Agent>> made = Agent::make(config, build, first_round);
  if (!made) return tl::unexpected(made.error());
  Agent& agent = **made;
  Routes routes(agent.store(), agent.metrics(),
                {.node = config.node.name, .build = build, .clocks = read_clocks, .is_ready = [&agent] {
                   return agent.is_ready();
                 }});
  const Result<std::unique_ptr<HttpServer>> server = start_server(config.web, routes, agent.metrics());
  if (!server) return tl::unexpected(server.error());
  if (Status status = agent.start(); !status) return status;
  log::info("serving", {{"address", (*server)->address()}});
  if (greeting != nullptr) std::cout << greeting((*server)->address()) << std::flush;
  wait_for_stop(seconds);
  routes.stop_being_ready();
  agent.stop();
  return {};
}

}  // namespace flintgauge
