// What each path of the agent answers. The list is closed and compared byte for byte; nothing is decoded.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "agent/io/http_server.h"
#include "agent/io/self_metrics.h"
#include "flintgauge/store.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Any thread. A request copies what it needs out of the store and lets the view go before a byte is sent.
class Routes {
 public:
  struct Settings {
    std::string node;
    BuildInfo build;
    std::function<Now()> clocks;
    std::function<bool()> is_ready = {};  ///< besides that something is published; empty: always
  };
  /// Keeps references: both must outlive this object.
  Routes(Store& store, const SelfMetrics& self_metrics, Settings settings);

  /// Liveness: answered however busy the server is, and without a look at the store.
  static bool is_liveness(std::string_view path);
  HttpResponse answer(const HttpRequest& request) const;

  /// From now on /-/ready says no, so that nobody sends new work here. Before shutting down.
  void stop_being_ready() { is_stopping_.store(true); }

 private:
  HttpResponse metrics(const HttpRequest& request, const Block& derived) const;
  HttpResponse api(const HttpRequest& request, const Block& derived, const Now& now) const;
  HttpResponse from_store(const HttpRequest& request) const;
  bool is_ready() const;  ///< of /-/ready

  Store& store_;
  const SelfMetrics& self_metrics_;
  Settings settings_;
  std::atomic<bool> is_stopping_{false};
};

}  // namespace flintgauge
