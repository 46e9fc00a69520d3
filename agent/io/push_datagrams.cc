#include "agent/io/push_datagrams.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace flintgauge {
namespace {

// A turn takes at most so many datagrams; a flood then waits.
constexpr std::size_t kDatagrams = 64;
constexpr std::size_t kBatches = 16;
constexpr std::int64_t kFloodPauseMs = 10;
constexpr std::size_t kDatagramSize = kMaxPushLine + 1;

}  // namespace

std::size_t PushDatagrams::buffer_size() { return kDatagrams * kDatagramSize; }

void PushDatagrams::watch(std::vector<pollfd>& fds, SteadyTime now) const {
  fds.push_back({now >= receive_again_ ? socket_.get() : -1, POLLIN, 0});
}

std::int64_t PushDatagrams::wait_ms(std::int64_t wait, SteadyTime now) const {
  return receive_again_ > now ? std::min(wait, elapsed_ms(now, receive_again_)) : wait;
}

void PushDatagrams::serve(std::span<const pollfd>& fds, std::span<char> buffer, SteadyTime now) {
  const bool has_some = fds.front().revents != 0;
  fds = fds.subspan(1);
  if (!has_some) return;
  for (std::size_t i = 0; i < kBatches; ++i) {
    if (receive_batch(buffer, now) < kDatagrams) return;
  }
  receive_again_ = {now.ms + kFloodPauseMs};
}

/// StatsD's decoder knows of several lines in a datagram; Graphite's takes one at a time.
void PushDatagrams::take(std::string_view text, const std::string& peer, SteadyTime now) {
  const std::size_t size = text.size();
  lines_.clear();
  if (protocol_ == PushProtocol::kGraphite) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
  }
  lines_.push_back(text);
  desk_.take(peer, protocol_, lines_, size, now);
}

std::size_t PushDatagrams::receive_batch(std::span<char> buffer, SteadyTime now) {
  constexpr std::size_t kControl = CMSG_SPACE(sizeof(std::uint32_t));
  std::array<mmsghdr, kDatagrams> messages{};
  std::array<iovec, kDatagrams> parts{};
  std::array<sockaddr_storage, kDatagrams> peers{};
  alignas(cmsghdr) std::array<std::array<char, kControl>, kDatagrams> controls{};
  for (std::size_t i = 0; i < kDatagrams; ++i) {
    parts[i] = {&buffer[i * kDatagramSize], kDatagramSize};
    msghdr& head = messages[i].msg_hdr;
    head.msg_name = &peers[i];
    head.msg_namelen = sizeof peers[i];
    head.msg_iov = &parts[i];
    head.msg_iovlen = 1;
    head.msg_control = controls[i].data();
    head.msg_controllen = kControl;
  }
  const int received = recvmmsg(socket_.get(), messages.data(), kDatagrams, MSG_DONTWAIT, nullptr);
  if (received <= 0) return 0;
  const auto count = static_cast<std::size_t>(received);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string peer = host_of(peers[i]);
    if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      desk_.count(peer, protocol_, PushResult::kLineTooLong, now);
    } else {
      take({&buffer[i * kDatagramSize], messages[i].msg_len}, peer, now);
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

}  // namespace flintgauge
