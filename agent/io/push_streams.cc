#include "agent/io/push_streams.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::size_t kRead = std::size_t{64} * 1024;  // from one connection in one turn
constexpr std::int64_t kPauseMs = 100;                 // until a paused connection is looked at again
constexpr std::int64_t kNoDescriptorMs = 1'000;
constexpr std::int64_t kLingerMs = 1'000;  // for the peer to read an answer; a reset could take it away
constexpr std::size_t kRefusedConnections = PushStreams::kConnections / 4;  // beyond these none lingers

/// Short enough for the socket's buffer; a peer whose buffer is full is not waited for.
void send_answer(int socket, std::string_view answer) {
  static_cast<void>(send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace

PushStreams::PushStreams(PushProtocol protocol, Descriptor socket, Limits limits, Open open, PushDesk& desk,
                         SelfMetrics& metrics)
    : protocol_(protocol),
      socket_(std::move(socket)),
      limits_(limits),
      open_(std::move(open)),
      desk_(desk),
      metrics_(metrics) {}

void PushStreams::watch(std::vector<pollfd>& fds, SteadyTime now) {
  const auto add = [&fds](int fd, bool is_watched) { fds.push_back({is_watched ? fd : -1, POLLIN, 0}); };
  add(socket_.get(), now >= accept_again_);
  for (Connection& connection : connections_) {
    connection.is_paused = connection.talk && desk_.allowance(connection.peer, now) == 0;
    add(connection.socket.get(), !connection.is_paused);
  }
}

std::int64_t PushStreams::wait_ms(std::int64_t wait, SteadyTime now) const {
  if (std::ranges::any_of(connections_, &Connection::is_paused)) wait = std::min(wait, kPauseMs);
  return accept_again_ > now ? std::min(wait, elapsed_ms(now, accept_again_)) : wait;
}

void PushStreams::serve(std::span<const pollfd>& fds, std::span<char> buffer, SteadyTime now) {
  const bool is_called = fds.front().revents != 0;
  fds = fds.subspan(1);
  for (auto at = connections_.begin(); at != connections_.end(); fds = fds.subspan(1)) {
    const bool goes_on = fds.front().revents == 0 || read_some(*at, buffer, now);
    at = goes_on ? std::next(at) : connections_.erase(at);
  }
  if (is_called) accept_all(now);
}

void PushStreams::accept_all(SteadyTime now) {
  for (std::size_t i = 0; i < kConnections; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Descriptor socket(
        accept4(socket_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        accept_again_ = {now.ms + kNoDescriptorMs};
        metrics_.count_push_refused(protocol_, PushRefusal::kConnections);
      }
      return;
    }
    accept_one(std::move(socket), host_of(peer), now);
  }
}

void PushStreams::accept_one(Descriptor socket, const std::string& peer, SteadyTime now) {
  Opening opening = open_(peer, now);
  if (!opening.answer.empty()) {
    send_answer(socket.get(), opening.answer);
    static_cast<void>(shutdown(socket.get(), SHUT_WR));
  }
  if (!opening.talk && (opening.answer.empty() || connections_.size() >= kRefusedConnections)) return;
  const auto of_pod = static_cast<std::size_t>(std::ranges::count(connections_, peer, &Connection::peer));
  if (connections_.size() >= kConnections || of_pod >= kConnectionsOfPod) {
    const bool is_full = of_pod < kConnectionsOfPod;
    metrics_.count_push_refused(protocol_,
                                is_full ? PushRefusal::kConnections : PushRefusal::kPodConnections);
    return;
  }
  connections_.push_back({.socket = std::move(socket),
                          .peer = peer,
                          .talk = std::move(opening.talk),
                          .opened = now,
                          .heard = now});
}

/// False when the connection is over.
bool PushStreams::read_some(Connection& connection, std::span<char> buffer, SteadyTime now) {
  const std::size_t allowed = connection.talk ? desk_.allowance(connection.peer, now) : kRead;
  if (allowed == 0) return true;
  const ssize_t size =
      read(connection.socket.get(), buffer.data(), std::min({kRead, buffer.size(), allowed}));
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) {
    if (connection.talk) connection.talk->end(now);
    return false;
  }
  if (!connection.talk) return true;
  connection.heard = now;
  const PushStep step = connection.talk->take({buffer.data(), static_cast<std::size_t>(size)}, now);
  if (!step.answer.empty()) send_answer(connection.socket.get(), step.answer);
  if (step.next == PushStep::Next::kAnswered) {
    static_cast<void>(shutdown(connection.socket.get(), SHUT_WR));
    connection.talk.reset();
  }
  return step.next != PushStep::Next::kClose;
}

bool PushStreams::is_old(const Connection& connection, SteadyTime now) const {
  if (!connection.talk) return elapsed_ms(connection.heard, now) > kLingerMs;
  return elapsed_ms(connection.opened, now) > limits_.longest_ms ||
         (!connection.is_paused && elapsed_ms(connection.heard, now) > limits_.idle_ms);
}

void PushStreams::close_old(SteadyTime now) {
  std::erase_if(connections_, [this, now](const Connection& connection) {
    if (!is_old(connection, now)) return false;
    if (!connection.talk) return true;
    metrics_.count_push_refused(protocol_, PushRefusal::kTimeout);
    if (const std::string late = connection.talk->late(); !late.empty())
      send_answer(connection.socket.get(), late);
    return true;
  });
  metrics_.set_push_connections(protocol_, connections_.size());
}

}  // namespace flintgauge
