// Sockets of the push listener: who listens, who is at the other end.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// A file descriptor, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A non-blocking socket bound to "HOST:PORT". kind: SOCK_STREAM (listening) or SOCK_DGRAM (with a large
/// receive buffer, and the kernel's drops told with each datagram). The error names the address.
Result<Descriptor> bind_socket(const std::string& listen_address, int kind);

/// "127.0.0.1:2003", with the port that was really taken.
std::string bound_address(int socket);

/// The host as text: "10.0.0.7", "fd00::1"; an IPv4 address in an IPv6 one as IPv4. "" for other families.
std::string host_of(const sockaddr_storage& peer);

}  // namespace flintgauge
