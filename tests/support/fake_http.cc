#include "support/fake_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace flintgauge::testing {
namespace {

int listen_on(const std::string& address, int& port) {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  socklen_t size = sizeof where;
  if (bind(file, reinterpret_cast<sockaddr*>(&where), size) != 0 || listen(file, 64) != 0 ||
      getsockname(file, reinterpret_cast<sockaddr*>(&where), &size) != 0)
    throw std::runtime_error("fake server cannot listen");
  port = ntohs(where.sin_port);
  return file;
}

SSL_CTX* make_tls(const FakeHttp::Tls& tls) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (tls.is_outdated) {
    SSL_CTX_set_security_level(context, 0);  // the signatures of those versions are below level 1
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  }
  if (SSL_CTX_use_certificate_chain_file(context, tls.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("fake server cannot use its certificate");
  return context;
}

}  // namespace

std::string FakeRequest::header(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const std::size_t line = at + 2;
    at = head.find("\r\n", line);
    const std::size_t colon = head.find(':', line);
    if (colon == std::string::npos || colon > at) continue;
    if (colon - line == name.size() && strncasecmp(head.data() + line, name.data(), name.size()) == 0)
      return head.substr(colon + 2, at - colon - 2);
  }
  return "";
}

FakeConnection::~FakeConnection() { close(); }

bool FakeConnection::handshake(ssl_ctx_st* context) {
  tls_ = SSL_new(context);
  SSL_set_fd(tls_, file_);
  return SSL_accept(tls_) == 1;
}

bool FakeConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = tls_ ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool FakeConnection::respond(std::string_view body, std::string_view type) {
  return send("HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

bool FakeConnection::respond_status(int status, std::string_view body, std::string_view more_headers) {
  return send("HTTP/1.1 " + std::to_string(status) +
              " Said So\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n" + std::string(more_headers) + "\r\n" + std::string(body));
}

void FakeConnection::close() {
  const std::lock_guard lock(mutex_);
  if (file_ < 0) return;
  if (tls_) {
    SSL_shutdown(tls_);
    SSL_free(std::exchange(tls_, nullptr));
  }
  ::close(std::exchange(file_, -1));
}

void FakeConnection::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(file_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void FakeConnection::stall() {
  std::array<char, 256> ignored;
  while (receive(ignored.data(), ignored.size()) > 0) {
  }
}

void FakeConnection::interrupt() {
  const std::lock_guard lock(mutex_);
  if (file_ >= 0) shutdown(file_, SHUT_RDWR);
}

long FakeConnection::receive(char* bytes, std::size_t size) {
  if (file_ < 0) return -1;
  return tls_ ? SSL_read(tls_, bytes, static_cast<int>(size)) : recv(file_, bytes, size, 0);
}

bool FakeConnection::read_head(std::string& head) {
  std::size_t end = unread_.find("\r\n\r\n");
  while (end == std::string::npos) {
    std::array<char, 4096> bytes;
    const long got = receive(bytes.data(), bytes.size());
    if (got <= 0) return false;
    unread_.append(bytes.data(), static_cast<std::size_t>(got));
    end = unread_.find("\r\n\r\n");
  }
  head = unread_.substr(0, end + 2);
  unread_.erase(0, end + 4);
  return true;
}

FakeHttp::FakeHttp(Handler handler, const Tls& tls, const std::string& address)
    : handler_(std::move(handler)) {
  std::signal(SIGPIPE, SIG_IGN);  // SSL_write has no flag for it
  const bool is_https = !tls.certificate_file.empty();
  if (is_https) tls_ = make_tls(tls);
  scheme_host_ = (is_https ? "https://" : "http://") + address;
  listener_ = listen_on(address, port_);
  acceptor_ = std::jthread([this] { accept_all(); });
}

FakeHttp::~FakeHttp() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (FakeConnection& connection : open_) connection.interrupt();
  threads_.clear();  // joins
  open_.clear();
  if (tls_) SSL_CTX_free(tls_);
}

std::string FakeHttp::url(std::string_view path) const {
  return scheme_host_ + ':' + std::to_string(port_) + std::string(path);
}

void FakeHttp::script(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<FakeRequest> FakeHttp::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeHttp::accept_all() {
  while (!stopping_) {
    const int file = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (file < 0) continue;
    ++connections_;
    FakeConnection& connection = open_.emplace_back(file);
    threads_.emplace_back([this, &connection] { serve(connection); });
  }
}

void FakeHttp::serve(FakeConnection& connection) {
  if (tls_ && !connection.handshake(tls_)) return connection.close();
  FakeRequest request;
  while (!stopping_ && connection.read_head(request.head)) {
    const std::size_t first = request.head.find(' ') + 1;
    request.path = request.head.substr(first, request.head.find(' ', first) - first);
    Handler handler;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      handler = handler_;
    }
    handler(connection, request);
  }
  connection.close();
}

int closed_port() {
  int port = 0;
  ::close(listen_on("127.0.0.1", port));
  return port;
}

}  // namespace flintgauge::testing
