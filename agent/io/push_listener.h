// The thread that listens for pushes: Graphite's plaintext over TCP, StatsD over UDP. One loop over poll();
// connections, buffers, times and the work of one turn are bounded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/io/push_desk.h"
#include "agent/io/push_socket.h"
#include "flintgauge/config.h"
#include "flintgauge/error.h"
#include "flintgauge/store.h"
#include "flintgauge/time.h"

struct pollfd;

namespace flintgauge {

class PushListener {
 public:
  static constexpr std::size_t kConnections = 256;
  static constexpr std::size_t kConnectionsOfPod = 8;
  static constexpr std::int64_t kIdleMs = 60'000;
  static constexpr std::int64_t kLongestMs = 300'000;  ///< Spark opens a connection for each report
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

  PushDesk& desk() { return desk_; }

 private:
  struct Connection {
    Descriptor socket;
    std::string peer;
    std::string carry;  ///< the beginning of a line, at most kMaxPushLine bytes
    SteadyTime opened, heard;
    bool is_paused = false;  ///< its tenant's bytes are used up for now
  };
  using Connections = std::list<Connection>;

  PushListener(const PushConfig& config, Store& store, PushQueue& queue, SelfMetrics& metrics,
               std::function<void()> handed_on);
  Status listen(const PushConfig& config);
  void run(const std::stop_token& stop) noexcept;
  void turn();
  void find_pods();
  int wait_ms(SteadyTime now) const;
  std::vector<pollfd> watched(SteadyTime now);
  void accept_all(SteadyTime now);
  void accept_one(Descriptor socket, const std::string& peer, SteadyTime now);
  bool read_some(Connection& connection, SteadyTime now);
  bool take_lines(Connection& connection, std::string_view bytes, SteadyTime now);
  void end(const Connection& connection, SteadyTime now);
  void close_old(SteadyTime now);
  void receive(SteadyTime now);
  std::size_t receive_batch(SteadyTime now);
  void flush(SteadyTime now);

  Store& store_;
  SelfMetrics& metrics_;
  PushDesk desk_;
  std::function<void()> handed_on_;
  std::shared_ptr<const PodList> pods_;
  Descriptor wake_;      // eventfd
  Descriptor graphite_;  // none: off
  Descriptor statsd_;
  Connections connections_;
  std::vector<char> buffer_;
  std::vector<std::string_view> lines_;
  SteadyTime flushed_, accept_again_, receive_again_;
  std::uint32_t kernel_drops_ = 0;
  std::jthread thread_;
};

}  // namespace flintgauge
