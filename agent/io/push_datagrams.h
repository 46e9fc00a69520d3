// The UDP side of the push listener: one socket. A flood costs a share of a core; the kernel drops the rest,
// and says how much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/io/push_desk.h"
#include "agent/io/push_socket.h"
#include "flintgauge/push.h"
#include "flintgauge/time.h"

struct pollfd;

namespace flintgauge {

/// One thread at a time. References outlive it.
class PushDatagrams {
 public:
  PushDatagrams(PushProtocol protocol, Descriptor socket, PushDesk& desk, SelfMetrics& metrics)
      : protocol_(protocol), socket_(std::move(socket)), desk_(desk), metrics_(metrics) {}

  /// What receive() needs.
  static std::size_t buffer_size();

  void watch(std::vector<pollfd>& fds, SteadyTime now) const;
  /// Milliseconds until the socket is to be looked at again, at most `wait`.
  std::int64_t wait_ms(std::int64_t wait, SteadyTime now) const;
  void serve(std::span<const pollfd>& fds, std::span<char> buffer, SteadyTime now);

 private:
  std::size_t receive_batch(std::span<char> buffer, SteadyTime now);
  void take(std::string_view text, const std::string& peer, SteadyTime now);

  PushProtocol protocol_;
  Descriptor socket_;
  PushDesk& desk_;
  SelfMetrics& metrics_;
  std::vector<std::string_view> lines_;
  SteadyTime receive_again_;
  std::uint32_t kernel_drops_ = 0;
};

}  // namespace flintgauge
