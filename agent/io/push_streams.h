// The TCP side of the push listener: one listening socket, its connections, and their limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/io/push_desk.h"
#include "agent/io/push_socket.h"
#include "agent/io/push_talk.h"
#include "flintgauge/time.h"

struct pollfd;

namespace flintgauge {

/// One thread at a time. References outlive it.
class PushStreams {
 public:
  static constexpr std::size_t kConnections = 256;
  static constexpr std::size_t kConnectionsOfPod = 8;

  struct Limits {
    std::int64_t idle_ms;
    std::int64_t longest_ms;  ///< of a connection's life
  };
  /// How a connection begins: a talk, or none and what is to be said before it ends.
  struct Opening {
    std::unique_ptr<PushTalk> talk = nullptr;
    std::string answer = {};
  };
  using Open = std::function<Opening(const std::string& peer, SteadyTime now)>;

  PushStreams(PushProtocol protocol, Descriptor socket, Limits limits, Open open, PushDesk& desk,
              SelfMetrics& metrics);

  /// Appends what to wait for: the listening socket and the connections; -1 is not watched.
  void watch(std::vector<pollfd>& fds, SteadyTime now);
  /// Milliseconds until something is to be looked at again without news, at most `wait`.
  std::int64_t wait_ms(std::int64_t wait, SteadyTime now) const;
  /// Takes what watch() appended off `fds` and does what poll() said of it.
  void serve(std::span<const pollfd>& fds, std::span<char> buffer, SteadyTime now);
  void close_old(SteadyTime now);

 private:
  struct Connection {
    Descriptor socket;
    std::string peer;
    std::unique_ptr<PushTalk> talk;  ///< null: answered, the rest is not read
    SteadyTime opened, heard;
    bool is_paused = false;  ///< its tenant's bytes are used up for now
  };

  void accept_all(SteadyTime now);
  void accept_one(Descriptor socket, const std::string& peer, SteadyTime now);
  bool read_some(Connection& connection, std::span<char> buffer, SteadyTime now);
  bool is_old(const Connection& connection, SteadyTime now) const;

  PushProtocol protocol_;
  Descriptor socket_;
  Limits limits_;
  Open open_;
  PushDesk& desk_;
  SelfMetrics& metrics_;
  std::list<Connection> connections_;
  SteadyTime accept_again_;
};

}  // namespace flintgauge
