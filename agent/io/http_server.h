// The HTTP server: civetweb with the fixed options of its hardening table, one callback that answers every
// request, and limits that are counted. What a path means is the handler's business (routes.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/io/self_metrics.h"
#include "flintgauge/config.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// What a handler may know of a request. Views live as long as the handler runs.
struct HttpRequest {
  std::string_view path;             ///< as sent, byte for byte, without the query
  std::string_view query;            ///< as sent, without the question mark
  std::string_view accept;           ///< header Accept, or ""
  std::string_view accept_encoding;  ///< header Accept-Encoding, or ""
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";  ///< must outlive the response: a literal
  std::string_view content_encoding = {};                       ///< "" or "gzip"; a literal
  std::string_view vary = {};                                   ///< "" or header names; a literal
  bool keep_alive = false;  ///< an idle connection holds a worker, so only for pages that are asked often
  std::string body = {};
};

/// Whether a civetweb with these features (bits of mg_check_feature) may be used, and for that address: it
/// must not be able to serve files or run scripts, and must know IPv6 where that is to be listened on. Pure.
Status check_web_features(unsigned features, const ListenAddress& address);

class HttpServer {
 public:
  /// Called on several threads at once.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  struct Options {
    std::string listen_address;  ///< as parse_listen_address() reads it
    int max_requests = 8;        ///< in flight; more are answered 503
    /// Of a path: answered also beyond that limit, because it must not fail when others are many. The handler
    /// must then be quick. May be empty.
    std::function<bool(std::string_view path)> is_exempt = {};
    /// Called for each answer, with the method as sent and the status. May be empty.
    std::function<void(std::string_view method, int code)> on_answer = {};
    /// Called for each request that a limit turned away. May be empty.
    std::function<void(HttpRejection)> on_rejected = {};
  };

  /// Serves until it is destroyed, which waits for requests in flight. The message of an error names the
  /// address and what is wrong with it (port in use, not allowed).
  static Result<std::unique_ptr<HttpServer>> start(Options options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "127.0.0.1:14040", with the port that was really taken; what a browser on this machine can dial.
  const std::string& address() const;

 private:
  struct Server;
  explicit HttpServer(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace flintgauge
