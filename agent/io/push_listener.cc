#include "agent/io/push_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "agent/io/log.h"
#include "agent/io/system_clock.h"

namespace flintgauge {
namespace {

constexpr std::size_t kRead = std::size_t{64} * 1024;  // from one connection in one turn
constexpr std::int64_t kPauseMs = 100;                 // until a paused connection is looked at again
constexpr std::int64_t kNoDescriptorMs = 1'000;
// A turn takes at most so many datagrams; a flood then waits, so it costs a share of a core and the kernel
// drops the rest.
constexpr std::size_t kDatagrams = 64;
constexpr std::size_t kBatches = 16;
constexpr std::int64_t kFloodPauseMs = 10;
constexpr std::size_t kDatagramSize = kMaxPushLine + 1;

}  // namespace

PushListener::PushListener(const PushConfig& config, Store& store, PushQueue& queue, SelfMetrics& metrics,
                           std::function<void()> handed_on)
    : store_(store),
      metrics_(metrics),
      desk_(config, queue, metrics),
      handed_on_(std::move(handed_on)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      buffer_(std::max(kRead, kDatagrams * kDatagramSize)) {}

Result<std::unique_ptr<PushListener>> PushListener::make(const PushConfig& config, Store& store,
                                                         PushQueue& queue, SelfMetrics& metrics,
                                                         std::function<void()> handed_on) {
  std::unique_ptr<PushListener> made(new PushListener(config, store, queue, metrics, std::move(handed_on)));
  if (Status status = made->listen(config); !status) return tl::unexpected(status.error());
  return made;
}

Status PushListener::listen(const PushConfig& config) {
  if (!wake_) return fail(Reason::kInternal, "no event descriptor");
  const auto open = [this](const std::string& address, PushProtocol protocol, int kind, Descriptor& into) {
    if (address.empty()) return Status{};
    Result<Descriptor> bound = bind_socket(address, kind);
    if (!bound) return Status(tl::unexpected(bound.error()));
    into = *std::move(bound);
    metrics_.enable_push(protocol);
    log::info("listening for pushes",
              {{"protocol", to_string(protocol)}, {"address", bound_address(into.get())}});
    return Status{};
  };
  return open(config.graphite_listen_address, PushProtocol::kGraphite, SOCK_STREAM, graphite_).and_then([&] {
    return open(config.statsd_listen_address, PushProtocol::kStatsd, SOCK_DGRAM, statsd_);
  });
}

PushListener::~PushListener() { stop(); }

void PushListener::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void PushListener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake();
  thread_.join();
}

void PushListener::wake() noexcept {
  eventfd_write(wake_.get(), 1);  // full: it is awake already
}

void PushListener::run(const std::stop_token& stop) noexcept try {
  while (!stop.stop_requested()) turn();
  connections_.clear();
  flush(read_clocks().steady);
} catch (const std::exception& thrown) {
  log::error("push listener ended, so does the program", {{"error", thrown.what()}});
  std::abort();
}

void PushListener::find_pods() {
  const View view = store_.read();
  const Block* const kubelet = view ? view.block(Shard::kKubelet) : nullptr;
  if (kubelet == nullptr || !kubelet->pods || kubelet->pods == pods_) return;
  pods_ = kubelet->pods;
  desk_.set_pods(pods_);
}

/// Descriptors of the wake-up, the listening sockets and the connections, in this order; -1 is not watched.
std::vector<pollfd> PushListener::watched(SteadyTime now) {
  std::vector<pollfd> fds;
  fds.reserve(3 + connections_.size());
  const auto add = [&fds](int fd, bool is_watched) { fds.push_back({is_watched ? fd : -1, POLLIN, 0}); };
  add(wake_.get(), true);
  add(graphite_.get(), now >= accept_again_);
  add(statsd_.get(), now >= receive_again_);
  for (Connection& connection : connections_) {
    connection.is_paused = desk_.allowance(connection.peer, now) == 0;
    add(connection.socket.get(), !connection.is_paused);
  }
  return fds;
}

int PushListener::wait_ms(SteadyTime now) const {
  std::int64_t wait = std::max<std::int64_t>(0, kFlushMs - elapsed_ms(flushed_, now));
  if (std::ranges::any_of(connections_, &Connection::is_paused)) wait = std::min(wait, kPauseMs);
  for (const SteadyTime again : {accept_again_, receive_again_}) {
    if (again > now) wait = std::min(wait, elapsed_ms(now, again));
  }
  return static_cast<int>(wait);
}

void PushListener::turn() {
  SteadyTime now = read_clocks().steady;
  std::vector<pollfd> fds = watched(now);
  const int ready = poll(fds.data(), fds.size(), wait_ms(now));
  now = read_clocks().steady;
  if (ready > 0 && fds[0].revents != 0) {
    eventfd_t count = 0;
    eventfd_read(wake_.get(), &count);
  }
  find_pods();
  if (ready > 0) {
    auto fd = fds.begin() + 3;
    for (auto at = connections_.begin(); at != connections_.end(); ++fd) {
      const bool goes_on = fd->revents == 0 || read_some(*at, now);
      at = goes_on ? std::next(at) : connections_.erase(at);
    }
    if (fds[1].revents != 0) accept_all(now);
    if (fds[2].revents != 0) receive(now);
  }
  if (elapsed_ms(flushed_, now) < kFlushMs) return;
  close_old(now);
  flush(now);
}

void PushListener::accept_all(SteadyTime now) {
  for (std::size_t i = 0; i < kConnections; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Descriptor socket(
        accept4(graphite_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        accept_again_ = {now.ms + kNoDescriptorMs};
        metrics_.count_push_refused(PushProtocol::kGraphite, PushRefusal::kConnections);
      }
      return;
    }
    accept_one(std::move(socket), host_of(peer), now);
  }
}

void PushListener::accept_one(Descriptor socket, const std::string& peer, SteadyTime now) {
  if (!desk_.admit(peer, PushProtocol::kGraphite, now)) return;
  const auto of_pod = static_cast<std::size_t>(std::ranges::count(connections_, peer, &Connection::peer));
  if (connections_.size() >= kConnections || of_pod >= kConnectionsOfPod) {
    const bool is_full = of_pod < kConnectionsOfPod;
    metrics_.count_push_refused(PushProtocol::kGraphite,
                                is_full ? PushRefusal::kConnections : PushRefusal::kPodConnections);
    return;
  }
  connections_.push_back(
      {.socket = std::move(socket), .peer = peer, .carry = {}, .opened = now, .heard = now});
}

/// False when the connection is over.
bool PushListener::read_some(Connection& connection, SteadyTime now) {
  const std::size_t allowed = desk_.allowance(connection.peer, now);
  if (allowed == 0) return true;
  const ssize_t size = read(connection.socket.get(), buffer_.data(), std::min(kRead, allowed));
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) {
    end(connection, now);
    return false;
  }
  connection.heard = now;
  return take_lines(connection, {buffer_.data(), static_cast<std::size_t>(size)}, now);
}

bool PushListener::take_lines(Connection& connection, std::string_view bytes, SteadyTime now) {
  const std::size_t size = bytes.size();
  lines_.clear();
  const std::size_t first_end = bytes.find('\n');
  if (first_end != std::string_view::npos && !connection.carry.empty()) {
    connection.carry.append(bytes.substr(0, first_end));
    lines_.push_back(connection.carry);
    bytes.remove_prefix(first_end + 1);
  }
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    lines_.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  if (!desk_.take(connection.peer, PushProtocol::kGraphite, lines_, size, now)) return false;
  if (!lines_.empty()) connection.carry.clear();
  connection.carry.append(bytes);
  if (connection.carry.size() <= kMaxPushLine) return true;
  desk_.count(connection.peer, PushProtocol::kGraphite, PushResult::kLineTooLong, now);
  return false;
}

/// A line that was cut may hold half a number: it is no line.
void PushListener::end(const Connection& connection, SteadyTime now) {
  if (!connection.carry.empty())
    desk_.count(connection.peer, PushProtocol::kGraphite, PushResult::kSyntax, now);
}

void PushListener::close_old(SteadyTime now) {
  std::erase_if(connections_, [this, now](const Connection& connection) {
    const bool is_old = elapsed_ms(connection.opened, now) > kLongestMs ||
                        (!connection.is_paused && elapsed_ms(connection.heard, now) > kIdleMs);
    if (is_old) metrics_.count_push_refused(PushProtocol::kGraphite, PushRefusal::kTimeout);
    return is_old;
  });
  if (graphite_) metrics_.set_push_connections(PushProtocol::kGraphite, connections_.size());
}

void PushListener::receive(SteadyTime now) {
  for (std::size_t i = 0; i < kBatches; ++i) {
    if (receive_batch(now) < kDatagrams) return;
  }
  receive_again_ = {now.ms + kFloodPauseMs};
}

std::size_t PushListener::receive_batch(SteadyTime now) {
  constexpr std::size_t kControl = CMSG_SPACE(sizeof(std::uint32_t));
  std::array<mmsghdr, kDatagrams> messages{};
  std::array<iovec, kDatagrams> parts{};
  std::array<sockaddr_storage, kDatagrams> peers{};
  alignas(cmsghdr) std::array<std::array<char, kControl>, kDatagrams> controls{};
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    parts[i] = {&buffer_[i * kDatagramSize], kDatagramSize};
    msghdr& head = messages[i].msg_hdr;
    head.msg_name = &peers[i];
    head.msg_namelen = sizeof peers[i];
    head.msg_iov = &parts[i];
    head.msg_iovlen = 1;
    head.msg_control = controls[i].data();
    head.msg_controllen = kControl;
  }
  const int received = recvmmsg(statsd_.get(), messages.data(), kDatagrams, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;
  const auto count = static_cast<std::size_t>(received);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text(&buffer_[i * kDatagramSize], messages[i].msg_len);
    const std::string peer = host_of(peers[i]);
    if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      desk_.count(peer, PushProtocol::kStatsd, PushResult::kLineTooLong, now);
    } else {
      desk_.take(peer, PushProtocol::kStatsd, {&text, 1}, text.size(), now);
    }
  }
  // The kernel's count of what this socket lost; it stands with the last datagram.
  const cmsghdr* const control = CMSG_FIRSTHDR(&messages[count - 1].msg_hdr);
  if (control != nullptr && control->cmsg_type == SO_RXQ_OVFL) {
    std::uint32_t drops = 0;
    std::memcpy(&drops, CMSG_DATA(control), sizeof drops);
    metrics_.add_push_kernel_drops(drops - std::exchange(kernel_drops_, drops));
  }
  return count;
}

void PushListener::flush(SteadyTime now) {
  flushed_ = now;
  if (desk_.flush(now)) handed_on_();
}

}  // namespace flintgauge
