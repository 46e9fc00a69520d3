#include "agent/io/demo.h"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "agent/io/demo_node.h"
#include "agent/io/http_server.h"
#include "agent/io/system_clock.h"

namespace flintgauge {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8";
constexpr int kUiPort = 4040;
constexpr int kNetworks = 32;  // 127.64.x.0/24 that are tried for the drivers' addresses
constexpr int kPorts = 32;     // ports that are tried for the agent, from the default on

HttpResponse page(std::string_view type, std::string body) {
  return {.content_type = type, .keep_alive = true, .body = std::move(body)};
}
HttpResponse not_found() { return {.status = 404, .body = "404 page not found\n"}; }

/// Everything the servers share. A server thread locks it, lets the time pass, and makes its page.
struct SharedNode {
  std::mutex mutex;
  std::optional<demo::DemoNode> node;

  template <typename Make>
  HttpResponse with_node(Make make) {
    const std::lock_guard lock(mutex);
    if (!node) return {.status = 503, .body = "starting\n"};
    node->advance_to(read_clocks());
    return make(*node);
  }
};

HttpResponse kubelet_answer(SharedNode& shared, const HttpRequest& request) {
  return shared.with_node([&](const demo::DemoNode& node) {
    if (request.path == "/pods") return page(kJson, demo::pods_page(node));
    if (request.path == "/metrics/cadvisor") return page(kText, demo::cadvisor_page(node));
    if (request.path == "/stats/summary") return page(kJson, demo::summary_page(node));
    return not_found();
  });
}

HttpResponse driver_answer(SharedNode& shared, std::size_t index, const HttpRequest& request) {
  return shared.with_node([&](const demo::DemoNode& node) {
    const demo::SparkApp& app = node.apps()[index];
    if (request.path == "/metrics/executors/prometheus/")
      return page("text/plain;charset=utf-8", demo::executors_page(app));
    if (request.path == "/metrics/prometheus/")
      return page("text/plain;charset=utf-8", demo::driver_page(app));
    if (request.path == "/metrics/json/") return page("text/json;charset=utf-8", demo::driver_json(app));
    if (request.path == "/api/v1/applications") return page(kJson, demo::applications_list(app));
    const std::string base = "/api/v1/applications/" + app.app_id();
    if (request.path == base + "/allexecutors") return page(kJson, demo::executors_list(app, true));
    if (request.path == base + "/executors") return page(kJson, demo::executors_list(app, false));
    if (request.path == base + "/stages") return page(kJson, demo::stages_list(app, request.query));
    if (request.path == base + "/jobs") return page(kJson, demo::jobs_list(app));
    if (request.path == base + "/environment") return page(kJson, demo::environment_page(app));
    return not_found();
  });
}

using Server = std::unique_ptr<HttpServer>;

/// One server for each driver, all in one network 127.64.x.0/24 on port 4040, as pods have it. Another
/// network when somebody listens there already.
Result<std::vector<Server>> start_drivers(SharedNode& shared, std::vector<std::string>& ips) {
  Error last;
  for (int network = 0; network < kNetworks; ++network) {
    std::vector<Server> servers;
    ips.clear();
    for (std::size_t index = 0; index < demo::app_count(); ++index) {
      ips.push_back("127.64." + std::to_string(network) + '.' + std::to_string(index + 1));
      auto server = HttpServer::start(
          {.listen_address = ips.back() + ':' + std::to_string(kUiPort), .max_requests = 2},
          [&shared, index](const HttpRequest& request) { return driver_answer(shared, index, request); });
      if (!server) {
        last = server.error();
        break;
      }
      servers.push_back(std::move(*server));
    }
    if (servers.size() == demo::app_count()) return servers;
  }
  return tl::unexpected(last);
}

}  // namespace

struct Demo::Servers {
  SharedNode shared;  // first: the servers use it until they are gone
  Server kubelet;
  std::vector<Server> drivers;
};

Demo::Demo(std::unique_ptr<Servers> servers) : servers_(std::move(servers)) {}
Demo::~Demo() = default;

Result<std::unique_ptr<Demo>> Demo::start(Config& config) {
  auto servers = std::make_unique<Servers>();
  SharedNode& shared = servers->shared;
  auto kubelet =
      HttpServer::start({.listen_address = "127.0.0.1:0", .max_requests = 4},
                        [&shared](const HttpRequest& request) { return kubelet_answer(shared, request); });
  if (!kubelet) return tl::unexpected(kubelet.error());
  std::vector<std::string> ips;
  auto drivers = start_drivers(shared, ips);
  if (!drivers) return tl::unexpected(drivers.error());
  {
    const std::lock_guard lock(shared.mutex);
    shared.node.emplace(ips, read_clocks());
  }
  servers->kubelet = std::move(*kubelet);
  servers->drivers = std::move(*drivers);
  config.kubelet.url = "http://" + servers->kubelet->address();
  return std::unique_ptr<Demo>(new Demo(std::move(servers)));
}

Config demo_config() {
  Config config;
  config.node.name = demo::kNodeName;
  config.kubelet.interval_ms = 2'000;
  config.kubelet.summary_interval_ms = 5'000;
  config.kubelet.token_file.clear();
  config.spark.interval_ms = 2'000;
  config.targets.allow_loopback = true;
  config.log.level = "warn";
  config.hints.hint_max_age_ms = 3 * config.spark.interval_ms;
  config.hints.bottleneck_window_seconds = 20;
  return config;
}

Status choose_demo_address(const std::string& wanted, Config& config) {
  if (!wanted.empty()) {
    config.web.listen_address = wanted;
    const Status status = validate(config);
    return status ? status : fail(Reason::kConfig, "--listen " + wanted + ": " + status.error().message);
  }
  const int first = parse_listen_address(config.web.listen_address)->port;
  for (int port = first; port < first + kPorts; ++port) {
    config.web.listen_address = "127.0.0.1:" + std::to_string(port);
    // Taken and let go again: the agent's own server binds it a moment later.
    if (HttpServer::start({.listen_address = config.web.listen_address, .max_requests = 1},
                          [](const HttpRequest&) { return not_found(); }))
      return {};
  }
  return fail(Reason::kIo,
              "no free port from " + std::to_string(first) + " on; choose one with --listen HOST:PORT");
}

std::string demo_greeting(const std::string& address) {
  const std::string url = "http://" + address;
  return "flintgauge demo: a simulated node with " + std::to_string(demo::app_count()) +
         " Spark applications. The first hints need about 20 s.\n\n"
         "  Page for people    " +
         url +
         "/\n"
         "  Metrics            " +
         url +
         "/metrics\n"
         "  Targets            " +
         url +
         "/api/v1/targets\n"
         "  Applications       " +
         url +
         "/api/v1/apps\n"
         "  Hints              " +
         url +
         "/api/v1/hints\n\n"
         "Stop it with Ctrl-C.\n";
}

}  // namespace flintgauge
