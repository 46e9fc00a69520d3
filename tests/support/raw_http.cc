#include "support/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace flintgauge::test {

int connect_to(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const auto port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  sockaddr_storage to{};
  socklen_t size = 0;
  if (address.front() == '[') {
    auto* six = reinterpret_cast<sockaddr_in6*>(&to);
    six->sin6_family = AF_INET6;
    six->sin6_port = port;
    inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &six->sin6_addr);
    size = sizeof(sockaddr_in6);
  } else {
    auto* four = reinterpret_cast<sockaddr_in*>(&to);
    four->sin_family = AF_INET;
    four->sin_port = port;
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &four->sin_addr);
    size = sizeof(sockaddr_in);
  }
  const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), size) == 0) return fd;
  close(fd);
  return -1;
}

std::string talk(const std::string& address, std::string_view bytes, bool half_close) {
  const int fd = connect_to(address);
  if (fd < 0) return "no connection";
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // refused already: read what the server said
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (half_close) shutdown(fd, SHUT_WR);
  std::string answer;
  std::array<char, 65536> piece{};
  for (ssize_t got = 0; (got = recv(fd, piece.data(), piece.size(), 0)) > 0;)
    answer.append(piece.data(), static_cast<std::size_t>(got));
  close(fd);
  return answer;
}

std::string get(const std::string& address, const std::string& target, const std::string& headers) {
  return talk(address, "GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + "\r\n");
}

int status_of(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
  return std::atoi(std::string(answer.substr(9, 3)).c_str());
}

std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

std::string header_of(const std::string& answer, std::string_view name) {
  const std::string head = answer.substr(0, answer.find("\r\n\r\n"));
  const std::size_t begin = head.find("\r\n" + std::string(name) + ": ");
  if (begin == std::string::npos) return "";
  const std::size_t value = begin + name.size() + 4;
  return head.substr(value, head.find("\r\n", value) - value);
}

}  // namespace flintgauge::test
