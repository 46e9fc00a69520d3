// `flintgauge demo`: serves a simulated node over real HTTP on loopback, for an agent in the same process to
// scrape like any other node.
#pragma once

#include <memory>
#include <string>

#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// Runs the simulated kubelet and the simulated drivers until it is destroyed.
class Demo {
 public:
  /// Points `config` at the simulated kubelet.
  static Result<std::unique_ptr<Demo>> start(Config& config);
  ~Demo();
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

 private:
  struct Servers;
  explicit Demo(std::unique_ptr<Servers> servers);
  std::unique_ptr<Servers> servers_;
};

/// Settings of the agent that scrapes it: short intervals, loopback allowed.
Config demo_config();

/// Sets web.listen_address: `wanted` when it is not empty, else 127.0.0.1 with the default port or one of the
/// next that is free now. kConfig for an address that cannot be read.
Status choose_demo_address(const std::string& wanted, Config& config);

/// The addresses to look at, once the agent serves on `address`.
std::string demo_greeting(const std::string& address);

}  // namespace flintgauge
