// The thread that listens for pushes: Graphite's plaintext over TCP and UDP, StatsD over UDP, a Pushgateway's
// HTTP. One loop over poll(); connections, buffers, times and the work of one turn are bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "agent/io/push_datagrams.h"
#include "agent/io/push_desk.h"
#include "agent/io/push_socket.h"
#include "agent/io/push_streams.h"
#include "flintgauge/config.h"
#include "flintgauge/error.h"
#include "flintgauge/store.h"
#include "flintgauge/time.h"

namespace flintgauge {

class PushListener {
 public:
  static constexpr std::int64_t kFlushMs = 1'000;

  /// Binds what the configuration names; starts nothing. `handed_on` is called from the listener's thread
  /// when there are new reports in the queue; it must not block. References outlive the listener.
  static Result<std::unique_ptr<PushListener>> make(const PushConfig& config, Store& store, PushQueue& queue,
                                                    SelfMetrics& metrics, std::function<void()> handed_on);
  ~PushListener();  ///< stop()
  PushListener(const PushListener&) = delete;
  PushListener& operator=(const PushListener&) = delete;

  /// Makes the thread. May throw std::system_error.
  void start();
  /// Hands on what has come so far and joins the thread.
  void stop();
  /// The pod list may have changed. Any thread.
  void wake() noexcept;

 private:
  PushListener(const PushConfig& config, Store& store, PushQueue& queue, SelfMetrics& metrics,
               std::function<void()> handed_on);
  Status listen(const PushConfig& config);
  Status listen_for_streams(const std::string& address, PushProtocol protocol);
  Status listen_for_datagrams(const std::string& address, PushProtocol protocol);
  PushStreams::Opening open(PushProtocol protocol, const std::string& peer, SteadyTime now);
  void run(const std::stop_token& stop) noexcept;
  void turn();
  void find_pods();
  int wait_ms(SteadyTime now) const;
  void flush(SteadyTime now);

  Store& store_;
  SelfMetrics& metrics_;
  PushDesk desk_;
  std::function<void()> handed_on_;
  std::shared_ptr<const PodList> pods_;
  Descriptor wake_;  // eventfd
  std::list<PushStreams> streams_;
  std::list<PushDatagrams> datagrams_;
  std::vector<char> buffer_;
  SteadyTime flushed_;
  std::jthread thread_;
};

}  // namespace flintgauge
