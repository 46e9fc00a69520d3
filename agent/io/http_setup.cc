#include "agent/io/http_setup.h"

#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "agent/io/tls_pin.h"

namespace flintgauge {
namespace {

// libcurl's greatest; a kubelet's text page is megabytes and costs half as much with it as with 16 KiB. A
// pod's pages are small and many pods are asked at once; a JSON document is kept whole anyway.
constexpr long kLargeBuffer = 512L * 1024;
constexpr long kSmallBuffer = 64L * 1024;
constexpr std::size_t kLargeBody = 16UL * 1024 * 1024;

struct UrlDeleter {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

/// A part of an URL, "" when it has none.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

template <typename Value>
void HttpSetup::set(CURLoption option, Value value) {
  // A setting that is refused would leave the request less guarded than we say: better no request.
  const CURLcode code = curl_easy_setopt(request_.easy_.get(), option, value);
  if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
}

void HttpSetup::apply(const HttpTimes& times, std::string_view authorization) {
  if (!request_.easy_) {
    make_easy();
    set_headers(authorization);
  } else if (authorization != request_.authorization_) {
    set_headers(authorization);
  }
  if (request_.wants_pin_ && !request_.target_.trust.pinned_certificate_file.empty()) set_pin();
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(times.timeout_ms));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(times.connect_timeout_ms));
  set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
  set(CURLOPT_LOW_SPEED_TIME, times.is_patient ? 0L : 5L);
}

void HttpSetup::make_easy() {
  request_.easy_.reset(curl_easy_init());
  if (!request_.easy_) throw std::bad_alloc();
  set(CURLOPT_URL, request_.target_.url.c_str());
  set(CURLOPT_PRIVATE, static_cast<void*>(&request_));
  set(CURLOPT_ERRORBUFFER, request_.curl_message_.data());
  limit_protocols();
  limit_sizes();
  set_callbacks();
  set_trust();
}

void HttpSetup::limit_protocols() {
  set(CURLOPT_PROTOCOLS_STR, request_.target_.url.starts_with("https:") ? "https" : "http");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPGET, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_ACCEPT_ENCODING, nullptr);  // identity only: what comes compressed is refused
  set(CURLOPT_PROXY, "");                 // the environment's proxies would see the token
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
}

void HttpSetup::limit_sizes() {
  const std::size_t limit = request_.target_.body_limit;
  const bool is_large = limit >= kLargeBody && request_.target_.expect == Expect::kText;
  set(CURLOPT_BUFFERSIZE, is_large ? kLargeBuffer : kSmallBuffer);
  set(CURLOPT_MAXFILESIZE_LARGE,
      static_cast<curl_off_t>(limit));  // declared lengths; on_body counts the rest
  set(CURLOPT_MAXLIFETIME_CONN, 600L);  // a kept connection must not outlive the trust it was opened with
  set(CURLOPT_MAXAGE_CONN, 60L);
}

void HttpSetup::set_callbacks() {
  void* const self = &request_;
  set(CURLOPT_HEADERFUNCTION, &HttpFetch::on_header);
  set(CURLOPT_HEADERDATA, self);
  set(CURLOPT_WRITEFUNCTION, &HttpFetch::on_body);
  set(CURLOPT_WRITEDATA, self);
  set(CURLOPT_OPENSOCKETFUNCTION, &HttpFetch::on_socket);
  set(CURLOPT_OPENSOCKETDATA, self);
  set(CURLOPT_PREREQFUNCTION, &HttpFetch::on_ready);
  set(CURLOPT_PREREQDATA, self);
}

void HttpSetup::set_trust() {
  const HttpTrust& trust = request_.target_.trust;
  const bool is_pinned = !trust.pinned_certificate_file.empty();
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_SESSIONID_CACHE, 0L);  // a resumed session is not verified anew
  set(CURLOPT_CA_CACHE_TIMEOUT, 0L);     // a replaced CA file counts from the next connection on
  set(CURLOPT_CAPATH, nullptr);
  const std::string& anchor = is_pinned ? trust.pinned_certificate_file : trust.ca_file;
  if (!anchor.empty()) set(CURLOPT_CAINFO, anchor.c_str());
  set(CURLOPT_SSL_VERIFYPEER, trust.insecure_skip_verify ? 0L : 1L);
  // The pinned key says more than a name; a kubelet's own certificate names the node, not its address.
  const bool checks_name = !trust.insecure_skip_verify && !(is_pinned && trust.server_name.empty());
  set(CURLOPT_SSL_VERIFYHOST, checks_name ? 2L : 0L);
  if (!trust.server_name.empty()) set_server_name();
}

// Dials the host of the URL, but names (SNI, certificate, Host header) server_name.
void HttpSetup::set_server_name() {
  const Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, request_.target_.url.c_str(), 0) != CURLUE_OK) return;
  const std::string host = part_of(url.get(), CURLUPART_HOST, 0);
  const std::string port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  request_.connect_to_.reset(curl_slist_append(nullptr, ("::" + host + ':' + port).c_str()));
  set(CURLOPT_CONNECT_TO, request_.connect_to_.get());
  if (curl_url_set(url.get(), CURLUPART_HOST, request_.target_.trust.server_name.c_str(), 0) != CURLUE_OK)
    throw std::runtime_error("kubelet.server_name is no host name");
  set(CURLOPT_URL, part_of(url.get(), CURLUPART_URL, 0).c_str());
}

// Read again after a failed handshake: the file is replaced when the kubelet renews its certificate.
void HttpSetup::set_pin() {
  const Result<std::string> pin = public_key_pin(request_.target_.trust.pinned_certificate_file);
  // A pin that matches nothing: the connection fails closed and the reason says why.
  set(CURLOPT_PINNEDPUBLICKEY, pin ? pin->c_str() : "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  request_.pin_error_ = pin ? std::string() : pin.error().message;
  request_.wants_pin_ = false;
}

void HttpSetup::set_headers(std::string_view authorization) {
  using List = std::unique_ptr<curl_slist, HttpFetch::ListDeleter>;
  List list;
  const auto append = [&list](const std::string& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());  // the longer list owns it
    list.reset(longer);
  };
  // Spark's REST answers 406 to an Accept without */* or application/json.
  append(request_.target_.expect == Expect::kText ? "Accept: text/plain;version=0.0.4, */*;q=0.1"
                                                  : "Accept: application/json, */*;q=0.1");
  append("User-Agent: flintgauge");
  if (!authorization.empty()) append("Authorization: " + std::string(authorization));
  set(CURLOPT_HTTPHEADER, list.get());
  request_.headers_ = std::move(list);
  request_.authorization_ = authorization;
}

}  // namespace flintgauge
