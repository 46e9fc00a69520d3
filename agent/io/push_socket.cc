#include "agent/io/push_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace flintgauge {
namespace {

constexpr int kBacklog = 128;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;  // several bursts of a node's JVMs; the kernel may give less

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const ListenAddress& address) {
  SocketAddress made;
  if (!address.host.empty() && address.host.find(':') == std::string::npos) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr);
    std::memcpy(&made.storage, &v4, made.size = sizeof v4);
    return made;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  if (!address.host.empty()) inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr);
  std::memcpy(&made.storage, &v6, made.size = sizeof v6);
  return made;
}

void set_option(int socket, int level, int option, int value) {
  static_cast<void>(setsockopt(socket, level, option, &value, sizeof value));  // best effort
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) static_cast<void>(close(fd_));
}

Result<Descriptor> bind_socket(const std::string& listen_address, int kind) {
  const Result<ListenAddress> address = parse_listen_address(listen_address);
  if (!address) return tl::unexpected(address.error());
  const auto fault = [&listen_address] {
    return fail(Reason::kIo, "cannot listen on " + listen_address + ": " + std::strerror(errno));
  };
  const SocketAddress wanted = socket_address(*address);
  Descriptor made(socket(wanted.storage.ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) return fault();
  if (kind == SOCK_STREAM) set_option(made.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (kind == SOCK_DGRAM) {
    set_option(made.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
    set_option(made.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
  }
  if (wanted.storage.ss_family == AF_INET6)
    set_option(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, address->host.empty() ? 0 : 1);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&wanted.storage);
  if (bind(made.get(), generic, wanted.size) != 0) return fault();
  if (kind == SOCK_STREAM && listen(made.get(), kBacklog) != 0) return fault();
  return made;
}

std::string bound_address(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0) return {};
  in_port_t port = 0;
  const std::size_t offset =
      own.ss_family == AF_INET ? offsetof(sockaddr_in, sin_port) : offsetof(sockaddr_in6, sin6_port);
  std::memcpy(&port, reinterpret_cast<const char*>(&own) + offset, sizeof port);
  const std::string host = host_of(own);
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(ntohs(port));
}

std::string host_of(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &peer, sizeof v4);
    return inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  }
  if (peer.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &peer, sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
    return inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  return inet_ntop(AF_INET, reinterpret_cast<const char*>(&v6.sin6_addr) + 12, text.data(), text.size());
}

}  // namespace flintgauge
