// A scriptable HTTP server on loopback, down to the byte: what a test cannot make a real server do.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace flintgauge::testing {

struct FakeRequest {
  std::string path;
  std::string head;  ///< request line and headers
  /// Value of a header, "" when absent.
  std::string header(std::string_view name) const;
};

/// The server's side of one connection. Used by the handler, in that connection's own thread.
class FakeConnection {
 public:
  explicit FakeConnection(int file) : file_(file) {}
  FakeConnection(const FakeConnection&) = delete;
  FakeConnection& operator=(const FakeConnection&) = delete;
  ~FakeConnection();

  /// False when the client has gone.
  bool send(std::string_view bytes);
  /// 200 with Content-Length.
  bool respond(std::string_view body, std::string_view type = "text/plain; version=0.0.4");
  bool respond_status(int status, std::string_view body, std::string_view more_headers = "");
  void close();  ///< orderly end after what was sent
  void reset();  ///< TCP reset
  /// Until the server ends or the client hangs up.
  void stall();

 private:
  friend class FakeHttp;
  bool handshake(ssl_ctx_st* context);
  bool read_head(std::string& head);
  long receive(char* bytes, std::size_t size);
  void interrupt();

  std::mutex mutex_;  // file_ against interrupt()
  int file_;
  ssl_st* tls_ = nullptr;
  std::string unread_;
};

/// Files of a certificate make a server HTTPS.
struct FakeTls {
  std::string certificate_file;
  std::string key_file;
  bool is_outdated = false;  ///< speaks TLS 1.0 and 1.1 only
};

class FakeHttp {
 public:
  /// Called once for each request; an answer that is not complete when it returns stays so.
  using Handler = std::function<void(FakeConnection&, const FakeRequest&)>;

  using Tls = FakeTls;

  explicit FakeHttp(Handler handler, const Tls& tls = {}, const std::string& address = "127.0.0.1");
  ~FakeHttp();

  int port() const { return port_; }
  std::string url(std::string_view path = "/") const;
  /// Replaces the handler, for requests from now on.
  void script(Handler handler);

  std::vector<FakeRequest> requests() const;
  std::size_t connections() const { return connections_; }

 private:
  void accept_all();
  void serve(FakeConnection& connection);

  mutable std::mutex mutex_;
  Handler handler_;
  std::vector<FakeRequest> requests_;
  std::list<FakeConnection> open_;
  std::list<std::jthread> threads_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> stopping_{false};
  ssl_ctx_st* tls_ = nullptr;
  std::string scheme_host_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread acceptor_;
};

/// A port on loopback that nobody listens on.
int closed_port();

}  // namespace flintgauge::testing
