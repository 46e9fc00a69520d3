// GET over HTTP/1.1, with a bound on everything. One HttpClient per source thread: a libcurl multi handle
// with its own connections, so that one that carried the kubelet's token is never used for a pod.
//
//   HttpFetch fetch(target, sink);        // kept with its target: the easy handle and the URL stay
//   client.start(fetch, times, header);
//   while (HttpFetch* done = client.wait(timeout_ms)) use(done->result());
//
// Never follows redirects, asks for compression, decodes a coding, speaks to a proxy, or keeps cookies.
// Every outcome becomes one Reason; the settings and their sources are listed in docs/decisions.md.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/io/address_policy.h"
#include "flintgauge/collector.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// How a server proves who it is. Plain http proves nothing.
struct HttpTrust {
  std::string ca_file = {};  ///< PEM; verified against, unless pinned
  std::string pinned_certificate_file =
      {};                        ///< PEM; only this public key is accepted, whatever name was dialled
  std::string server_name = {};  ///< verified (and sent as SNI) instead of the dialled host
  bool insecure_skip_verify = false;
  std::string_view mend = {};  ///< a literal: what helps when the handshake fails, for the message
};

struct HttpTarget {
  std::string url;
  Expect expect = Expect::kText;
  bool missing_type_ok = false;  ///< an answer without Content-Type is taken as what was expected
  std::size_t body_limit = 0;    ///< bytes
  AddressRule addresses = AddressRule::kAny;
  HttpTrust trust;
};

struct HttpTimes {
  std::int64_t timeout_ms = 10'000;  ///< whole request
  std::int64_t connect_timeout_ms = 2'000;
  bool is_patient = false;  ///< no low-speed limit: a server that warms up says nothing for long
};

/// Takes a body as it arrives, only of answers whose status, type and coding are right.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// An error ends the request with that error. Must not start or cancel requests.
  virtual Status take(std::string_view bytes) = 0;
};

struct HttpResult {
  Status status;          ///< ok: 200, and the whole body was taken
  long code = 0;          ///< HTTP status; 0 when none came
  std::size_t bytes = 0;  ///< of the body, also of a refused one
  double seconds = 0;
};

class HttpClient;

/// One URL asked again and again. Not movable: libcurl keeps its address.
class HttpFetch {
 public:
  /// `sink` outlives the request; the client too, or it was cancelled.
  HttpFetch(HttpTarget target, BodySink& sink);
  HttpFetch(const HttpFetch&) = delete;
  HttpFetch& operator=(const HttpFetch&) = delete;

  const HttpTarget& target() const { return target_; }
  BodySink& sink() const { return *sink_; }
  /// Of the last finished request.
  const HttpResult& result() const { return result_; }

 private:
  friend class HttpClient;
  friend class HttpSetup;
  struct EasyDeleter {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  };
  struct ListDeleter {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int on_ready(void* self, char* peer, char* local, int peer_port, int local_port) noexcept;
  void prepare();
  void read_header(std::string_view line);
  Status check_headers() const;
  void keep_excerpt(std::string_view bytes);
  bool refuse(Error error) noexcept;
  Status outcome(CURLcode code) const;
  Status curl_failure(CURLcode code) const;
  Status status_failure() const;
  std::string what(std::string_view problem) const;

  HttpTarget target_;
  BodySink* sink_;
  HttpResult result_;
  std::unique_ptr<curl_slist, ListDeleter> headers_, connect_to_;  // before easy_: it refers to them
  std::unique_ptr<CURL, EasyDeleter> easy_;
  std::string authorization_;  // as last put into headers_
  std::string pin_error_;      // why the pinned certificate could not be read
  bool wants_pin_ = true;      // to be read anew: at first, and after a failed handshake
  std::array<char, CURL_ERROR_SIZE> curl_message_{};
  // Of the answer that is arriving.
  bool is_connected_ = false;  // TLS included, or a kept connection
  long code_ = 0;
  std::size_t header_bytes_ = 0;
  std::string content_type_, content_coding_, transfer_coding_;
  std::string excerpt_;  // beginning of the body of a refused answer, for people
  Status refused_;       // what we did not want, when it was us who ended the request
  bool is_running_ = false;
};

/// One thread, except wake().
class HttpClient {
 public:
  HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `authorization`: value of that header, "" for none; sent to this URL only. The request must live until
  /// wait() gave it back or cancel().
  void start(HttpFetch& request, const HttpTimes& times, std::string_view authorization);

  /// Works for up to `timeout_ms` until a request has ended and gives it back; null at the timeout, after
  /// wake() or when there is nothing to do. Call again at once for more.
  HttpFetch* wait(int timeout_ms);

  void cancel(HttpFetch& request);

  /// Ends wait() early. Any thread.
  void wake() noexcept;

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  HttpFetch* next_finished();
  std::unique_ptr<CURLM, MultiDeleter> multi_;
};

/// True for https, and for plain http to a literal loopback host: the only places a secret may go.
bool may_carry_secret(std::string_view url);

}  // namespace flintgauge
