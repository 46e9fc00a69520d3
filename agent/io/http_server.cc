#include "agent/io/http_server.h"

#include <civetweb.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "agent/io/log.h"
#include "agent/io/request_check.h"
#include "agent/io/system_clock.h"
#include "flintgauge/config.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kSendLimitMs = 10'000;
constexpr std::size_t kPiece = std::size_t{16} * 1024;     // bytes between two looks at the deadline
constexpr int kSpareWorkers = 4;                           // say 503 while all others are busy
constexpr unsigned kUnwanted = 1U | 4U | 16U | 32U | 64U;  // files, CGI, WebSocket, Lua, JavaScript
constexpr unsigned kIpv6 = 8U;

/// Sent with everything. The page has inline style and nothing else: no script, no frame, no form.
constexpr std::string_view kSecurityHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "Cache-Control: no-store\r\n";

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

HttpResponse plain(int status, std::string_view text) {
  return {.status = status, .body = std::string(text)};
}

/// REQUIRES: 4-digit year. IMF-fixdate of RFC 9110 section 5.6.7.
std::string http_date(WallTime wall) {
  const time_t seconds = wall.ms / 1000;
  tm parts{};
  std::array<char, 40> text{};
  gmtime_r(&seconds, &parts);
  return {text.data(), strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string head_of(const HttpResponse& response, WallTime now) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  head.append(reason_phrase(response.status)).append("\r\nDate: ").append(http_date(now));
  head.append("\r\nContent-Type: ").append(response.content_type);
  head.append("\r\nContent-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  if (!response.content_encoding.empty())
    head.append("Content-Encoding: ").append(response.content_encoding).append("\r\n");
  if (!response.vary.empty()) head.append("Vary: ").append(response.vary).append("\r\n");
  if (response.status == 405) head += "Allow: GET, HEAD\r\n";
  if (response.status == 503) head += "Retry-After: 1\r\n";
  if (!response.keep_alive) head += "Connection: close\r\n";
  return head.append(kSecurityHeaders).append("\r\n");
}

/// When to give up sending: a little before the scraper does, and never later than our own limit.
SteadyTime send_deadline(std::string_view scrape_timeout_seconds, SteadyTime now) {
  double seconds = 0;
  const char* const end = scrape_timeout_seconds.data() + scrape_timeout_seconds.size();
  const auto parsed = std::from_chars(scrape_timeout_seconds.data(), end, seconds);
  std::int64_t limit_ms = kSendLimitMs;
  if (parsed.ec == std::errc{} && parsed.ptr == end && std::isfinite(seconds) && seconds > 0)
    limit_ms = std::min(limit_ms, static_cast<std::int64_t>(std::min(seconds, 1e6) * 900));
  return {now.ms + limit_ms};
}

/// False when the peer is gone or too slow.
bool send_all(mg_connection* connection, std::string_view bytes, SteadyTime deadline) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(bytes.size(), kPiece);
    if (mg_write(connection, bytes.data(), size) != static_cast<int>(size)) return false;
    bytes.remove_prefix(size);
    if (!bytes.empty() && read_clocks().steady > deadline) return false;
  }
  return true;
}

struct StopContext {
  void operator()(mg_context* context) const noexcept { mg_stop(context); }
};

std::string civetweb_port(const ListenAddress& address) {
  const std::string port = std::to_string(address.port);
  if (address.host.empty()) return '+' + port;
  return (address.host.find(':') == std::string::npos ? address.host : '[' + address.host + ']') + ':' + port;
}

/// Initialised once in a process.
unsigned features_of_library() {
  static const unsigned kFeatures = [] {
    mg_init_library(0);
    return mg_check_feature(kUnwanted | kIpv6);
  }();
  return kFeatures;
}

}  // namespace

Status check_web_features(unsigned features, const ListenAddress& address) {
  if ((features & kUnwanted) != 0)
    return fail(Reason::kInternal,
                "this civetweb can serve files or run scripts; build it with cmake/debian_source.sh");
  const bool needs_ipv6 = address.host.empty() || address.host.find(':') != std::string::npos;
  if (needs_ipv6 && (features & kIpv6) == 0) {
    return fail(
        Reason::kInternal,
        "this civetweb cannot listen on IPv6; build it with cmake/debian_source.sh, or listen on 0.0.0.0");
  }
  return {};
}

struct HttpServer::Server {
  Server(Options given, Handler taken) : options(std::move(given)), handler(std::move(taken)) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status listen();
  void stop() noexcept;
  void wake_until(const std::stop_token& is_stopped);
  void find_address(const ListenAddress& wanted);
  HttpResponse answer(const mg_request_info& request, std::span<const HttpHeader> headers) const;
  HttpResponse refuse(RequestFault fault) const;
  int serve(mg_connection* connection);
  int serve_fault(mg_connection* connection, int status) const;
  void send(mg_connection* connection, std::string_view method, std::string_view scrape_timeout,
            const HttpResponse& response) const;

  bool is_exempt(std::string_view path) const { return options.is_exempt && options.is_exempt(path); }
  void count_rejected(HttpRejection reason) const {
    if (options.on_rejected) options.on_rejected(reason);
  }

  static Server& of(const mg_connection* connection) {
    return *static_cast<Server*>(mg_get_user_data(mg_get_context(connection)));
  }
  static int on_begin(mg_connection* connection) noexcept;
  static int on_error(mg_connection* connection, int status, const char* message) noexcept;
  static int on_log(const mg_connection* connection, const char* message) noexcept;

  Options options;
  Handler handler;
  std::string host;  // what dials this server from this machine
  int port = 0;
  std::string address;  // both
  std::mutex fault_mutex;
  std::string first_fault;  // what civetweb complained of first
  std::atomic<int> in_flight{0};
  std::binary_semaphore is_stopping{0};
  std::unique_ptr<mg_context, StopContext> context;  // its destructor waits for users of the others
  std::jthread waker;  // made at start: at the end there might be no thread left
};

int HttpServer::Server::on_begin(mg_connection* connection) noexcept try {
  return of(connection).serve(connection);
} catch (...) {  // out of memory, or a fault of ours: never through C frames
  mg_disable_connection_keep_alive(connection);
  return 500;
}

int HttpServer::Server::on_error(mg_connection* connection, int status, const char*) noexcept try {
  return of(connection).serve_fault(connection, status);
} catch (...) {
  return 0;
}

int HttpServer::Server::on_log(const mg_connection* connection, const char* message) noexcept try {
  Server& server = of(connection);
  log::debug("civetweb", {{"text", message}});
  const std::lock_guard lock(server.fault_mutex);
  if (server.first_fault.empty()) server.first_fault = message;  // why it does not start; later ones give up
  return 1;
} catch (...) {
  return 1;
}

/// In flight from the first look at the request until its last byte is handed to the kernel.
struct InFlight {
  explicit InFlight(std::atomic<int>& counter) : count(counter), now(++counter) {}
  ~InFlight() { --count; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  std::atomic<int>& count;
  const int now;
};

int HttpServer::Server::serve(mg_connection* connection) {
  const mg_request_info& request = *mg_get_request_info(connection);
  std::vector<HttpHeader> headers;
  headers.reserve(static_cast<std::size_t>(request.num_headers));
  for (int i = 0; i < request.num_headers; ++i) {
    headers.push_back({request.http_headers[i].name, request.http_headers[i].value});
  }
  const InFlight mine(in_flight);
  HttpResponse response;
  if (mine.now > options.max_requests && !is_exempt(request.request_uri)) {
    count_rejected(HttpRejection::kBusy);
    response = plain(503, "busy: too many requests in flight\n");
  } else {
    response = answer(request, headers);
  }
  send(connection, request.request_method, find_header(headers, "x-prometheus-scrape-timeout-seconds"),
       response);
  return response.status;
}

HttpResponse HttpServer::Server::answer(const mg_request_info& request,
                                        std::span<const HttpHeader> headers) const {
  const std::string_view path = request.request_uri;
  if (const auto fault = check_request(request.request_method, path, headers)) return refuse(*fault);
  try {
    return handler({.path = path,
                    .query = request.query_string != nullptr ? request.query_string : "",
                    .accept = find_header(headers, "accept"),
                    .accept_encoding = find_header(headers, "accept-encoding")});
  } catch (const std::exception& bad) {
    log::error("request failed", {{"path", path}, {"error", bad.what()}});
    return plain(500, "internal error\n");
  }
}

HttpResponse HttpServer::Server::refuse(RequestFault fault) const {
  switch (fault) {
    case RequestFault::kTooManyHeaders:
      count_rejected(HttpRejection::kHeaders);
      return plain(431, "too many headers\n");
    case RequestFault::kFraming:
      count_rejected(HttpRejection::kFraming);
      return plain(400, "no request here has a body\n");
    case RequestFault::kMethod:
      return plain(405, "only GET and HEAD\n");
    case RequestFault::kTarget:
      break;
  }
  return plain(404, "not found\n");
}

/// What civetweb refuses by itself: unreadable, too long or too slow requests.
int HttpServer::Server::serve_fault(mg_connection* connection, int status) const {
  if (status == 413) {
    count_rejected(HttpRejection::kHeaders);
  } else if (status == 400 || status == 408) {
    count_rejected(HttpRejection::kFraming);
  }
  send(connection, "", "", plain(status, std::string(reason_phrase(status)) + '\n'));
  return 0;
}

void HttpServer::Server::send(mg_connection* connection, std::string_view method,
                              std::string_view scrape_timeout, const HttpResponse& response) const {
  if (options.on_answer) options.on_answer(method, response.status);
  if (!response.keep_alive) mg_disable_connection_keep_alive(connection);
  const Now now = read_clocks();
  const SteadyTime deadline = send_deadline(scrape_timeout, now.steady);
  std::string head = head_of(response, now.wall);
  std::string_view body = method == "HEAD" ? std::string_view() : response.body;
  if (body.size() <= kPiece) {  // one packet where one is enough, no copy of a page
    head += body;
    body = {};
  }
  if (send_all(connection, head, deadline) && send_all(connection, body, deadline)) return;
  mg_disable_connection_keep_alive(connection);
  count_rejected(HttpRejection::kTimeout);
}

void HttpServer::Server::find_address(const ListenAddress& wanted) {
  std::array<mg_server_port, 2> ports{};
  mg_get_server_ports(context.get(), static_cast<int>(ports.size()), ports.data());
  const bool is_any_ipv4 = wanted.host.empty() || wanted.host == "0.0.0.0";
  host = is_any_ipv4 ? "127.0.0.1" : wanted.host == "::" ? "::1" : wanted.host;
  port = ports[0].port;
  address = (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(port);
}

Status HttpServer::Server::listen() {
  const Result<ListenAddress> wanted = parse_listen_address(options.listen_address);
  if (!wanted) return tl::unexpected(wanted.error());
  if (Status status = check_web_features(features_of_library(), *wanted); !status) return status;
  const std::string listening_ports = civetweb_port(*wanted);
  const std::string threads = std::to_string(options.max_requests + kSpareWorkers);
  // clang-format off
  auto settings = std::to_array<const char*>({
      "listening_ports", listening_ports.c_str(),
      "num_threads", threads.c_str(),
      "connection_queue", "16",
      "listen_backlog", "128",
      "max_request_size", "8192",
      "request_timeout_ms", "5000",
      "keep_alive_timeout_ms", "5000",
      "enable_keep_alive", "yes",
      "tcp_nodelay", "1",
      "decode_url", "no",
      "enable_auth_domain_check", "no",
      "enable_directory_listing", "no",
      "allow_sendfile_call", "no",
      "access_control_allow_origin", "",
      "access_control_allow_methods", "",
      "access_control_allow_headers", "",
      nullptr});
  // clang-format on
  mg_callbacks callbacks{};
  callbacks.begin_request = &Server::on_begin;
  callbacks.http_error = &Server::on_error;
  callbacks.log_message = &Server::on_log;
  waker = std::jthread([this](const std::stop_token& is_stopped) { wake_until(is_stopped); });
  context.reset(mg_start(&callbacks, this, settings.data()));
  if (!context) return fail(Reason::kIo, "cannot listen on " + options.listen_address + ": " + first_fault);
  find_address(*wanted);
  return {};
}

/// civetweb's master thread looks at its stop flag when its poll ends, which takes up to 2 s; a connection
/// ends it at once.
void HttpServer::Server::wake_until(const std::stop_token& is_stopped) {
  is_stopping.acquire();
  std::array<char, 128> fault;
  while (!is_stopped.stop_requested()) {
    mg_connection* const woken = mg_connect_client(host.c_str(), port, 0, fault.data(), fault.size());
    if (woken != nullptr) mg_close_connection(woken);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void HttpServer::Server::stop() noexcept {
  if (!waker.joinable()) return;
  if (!context) waker.request_stop();
  is_stopping.release();
  context.reset();
  waker.request_stop();
  waker.join();
}

HttpServer::HttpServer(std::unique_ptr<Server> server) : server_(std::move(server)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(Options options, Handler handler) try {
  auto server = std::make_unique<Server>(std::move(options), std::move(handler));
  if (const Status status = server->listen(); !status) return tl::unexpected(status.error());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(server)));
} catch (const std::system_error& thrown) {
  return fail(Reason::kInternal, std::string("cannot make a thread: ") + thrown.what());
}

const std::string& HttpServer::address() const { return server_->address; }

}  // namespace flintgauge
