// What arrives for a request, and what its end means.
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <exception>
#include <optional>
#include <utility>

#include "agent/io/http_client.h"
#include "agent/io/log.h"

namespace flintgauge {
namespace {

constexpr std::size_t kHeaderLimit = 64UL * 1024;  // all header lines together
constexpr std::size_t kExcerptLimit = 200;         // of a refused answer, kept for the message
constexpr std::size_t kDiscardLimit =
    64UL * 1024;  // more of a refused answer is not read; the connection ends
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool equals_ignoring_case(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

/// "text/plain" of "text/plain; version=0.0.4".
std::string_view media_type(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

bool is_expected(std::string_view type, Expect expect) {
  if (expect == Expect::kJson)
    return equals_ignoring_case(type, "application/json") || equals_ignoring_case(type, "text/json");
  return equals_ignoring_case(type, "text/plain") ||
         equals_ignoring_case(type, "application/openmetrics-text");
}

Reason reason_of_status(long code) {
  if (code == 401 || code == 403) return Reason::kAuth;
  if (code == 404) return Reason::kNotOffered;
  if (code >= 300 && code < 400) return Reason::kRedirect;
  return Reason::kHttpStatus;
}

bool is_tls_failure(CURLcode code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

/// Of the codes that mean one thing whatever has happened before.
std::optional<Reason> plain_reason(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Reason::kDns;
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
      return Reason::kConnect;
    case CURLE_PARTIAL_FILE:
      return Reason::kPartial;
    case CURLE_FILESIZE_EXCEEDED:
      return Reason::kTooLarge;
    case CURLE_BAD_CONTENT_ENCODING:
      return Reason::kContentEncoding;
    case CURLE_URL_MALFORMAT:
      return Reason::kConfig;
    case CURLE_WEIRD_SERVER_REPLY:
      return Reason::kReceive;
    default:
      return std::nullopt;
  }
}

}  // namespace

void HttpFetch::prepare() {
  code_ = 0;
  is_connected_ = false;
  header_bytes_ = 0;
  content_type_.clear();
  content_coding_.clear();
  transfer_coding_.clear();
  excerpt_.clear();
  refused_ = {};
  curl_message_[0] = '\0';
  result_.bytes = 0;
}

/// Records why we end the request; false, for callers that report failure so.
bool HttpFetch::refuse(Error error) noexcept {
  if (refused_) refused_ = tl::unexpected<Error>(std::move(error));
  return false;
}

std::size_t HttpFetch::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept try {
  auto& request = *static_cast<HttpFetch*>(self);
  const std::string_view line(data, size * count);
  request.header_bytes_ += line.size();
  if (request.header_bytes_ > kHeaderLimit) {
    request.refuse({Reason::kHeaders, request.what("response headers of more than 64 KiB")});
    return 0;
  }
  request.read_header(line);
  return request.refused_ ? line.size() : 0;
} catch (...) {
  return 0;
}

void HttpFetch::read_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // a new header block: after an informational one
    content_type_.clear();
    content_coding_.clear();
    transfer_coding_.clear();
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code_);
    return;
  }
  if (trimmed(line).empty()) {
    if (code_ != 200) return;
    if (Status right = check_headers(); !right) refuse(std::move(right.error()));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (equals_ignoring_case(name, "content-type")) {
    content_type_ = value;
  } else if (equals_ignoring_case(name, "content-encoding")) {
    content_coding_.append(content_coding_.empty() ? "" : ", ").append(value);
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    transfer_coding_.append(transfer_coding_.empty() ? "" : ", ").append(value);
  }
}

Status HttpFetch::check_headers() const {
  if (!content_coding_.empty() && !equals_ignoring_case(content_coding_, "identity"))
    return fail(Reason::kContentEncoding,
                what("Content-Encoding \"" + content_coding_ + "\", though identity was asked"));
  if (!transfer_coding_.empty() && !equals_ignoring_case(transfer_coding_, "chunked"))
    return fail(Reason::kContentEncoding, what("Transfer-Encoding \"" + transfer_coding_ + '"'));
  if (content_type_.empty() && target_.missing_type_ok) return {};
  if (!is_expected(media_type(content_type_), target_.expect)) {
    const std::string wanted = target_.expect == Expect::kText ? "text/plain" : "JSON";
    return fail(Reason::kContentType,
                what("Content-Type \"" + content_type_ + "\" where " + wanted + " is due"));
  }
  return {};
}

std::size_t HttpFetch::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  auto& request = *static_cast<HttpFetch*>(self);
  const std::string_view bytes(data, size * count);
  try {
    request.result_.bytes += bytes.size();
    if (request.code_ != 200) {
      request.keep_excerpt(bytes);
      return request.result_.bytes > kDiscardLimit ? 0 : bytes.size();
    }
    if (request.result_.bytes > request.target_.body_limit) {
      request.refuse(
          {Reason::kTooLarge,
           request.what("body of more than " + std::to_string(request.target_.body_limit) + " bytes")});
      return 0;
    }
    Status taken = request.sink_->take(bytes);
    if (!taken) request.refuse({taken.error().reason, request.what(taken.error().message)});
    return taken ? bytes.size() : 0;
  } catch (const std::exception& thrown) {
    request.refuse({Reason::kInternal, thrown.what()});
  } catch (...) {
    request.refuse({Reason::kInternal, "unknown exception"});
  }
  return 0;
}

void HttpFetch::keep_excerpt(std::string_view bytes) {
  excerpt_.append(bytes.substr(0, kExcerptLimit - std::min(kExcerptLimit, excerpt_.size())));
}

curl_socket_t HttpFetch::on_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept try {
  auto& request = *static_cast<HttpFetch*>(self);
  if (!is_allowed(address->addr, request.target_.addresses)) {
    request.refuse({Reason::kBlockedAddress, request.what("address not allowed for a pod")});
    return CURL_SOCKET_BAD;
  }
  const int file = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (file < 0 && (errno == EMFILE || errno == ENFILE))
    request.refuse({Reason::kFileDescriptors, request.what("no file descriptor left")});
  return file < 0 ? CURL_SOCKET_BAD : file;
} catch (...) {
  return CURL_SOCKET_BAD;
}

// The second look: also on kept connections, and at the address that was really reached.
int HttpFetch::on_ready(void* self, char* peer, char*, int, int) noexcept try {
  auto& request = *static_cast<HttpFetch*>(self);
  request.is_connected_ = true;
  if (is_allowed(std::string_view(peer), request.target_.addresses)) return CURL_PREREQFUNC_OK;
  request.refuse({Reason::kBlockedAddress, request.what("address not allowed for a pod")});
  return CURL_PREREQFUNC_ABORT;
} catch (...) {
  return CURL_PREREQFUNC_ABORT;
}

Status HttpFetch::outcome(CURLcode code) const {
  if (!refused_) return refused_;
  // Of a refused status the code counts, not how its body ended.
  if (code_ >= 200 && code_ != 200) return status_failure();
  if (code == CURLE_OK && code_ == 200) return {};
  return curl_failure(code);
}

Status HttpFetch::status_failure() const {
  std::string problem = "HTTP " + std::to_string(code_);
  const std::string_view text = trimmed(excerpt_);
  if (!text.empty() && !content_type_.starts_with("text/html")) problem.append(": ").append(text);
  return fail(reason_of_status(code_), what(problem));
}

Status HttpFetch::curl_failure(CURLcode code) const {
  const bool has_answer = header_bytes_ > 0;
  curl_off_t looked_up = 0;  // microseconds; 0 = did not come so far, or a kept connection was used
  curl_easy_getinfo(easy_.get(), CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
  const char* const text = curl_message_[0] != '\0' ? curl_message_.data() : curl_easy_strerror(code);
  const auto failed = [&](Reason reason) { return fail(reason, what(text)); };
  if (!pin_error_.empty() && is_tls_failure(code)) return fail(Reason::kTls, what(pin_error_));
  if (is_tls_failure(code)) {
    const std::string_view mend = target_.trust.mend;
    return fail(Reason::kTls, what(mend.empty() ? text : std::string(text).append("; ").append(mend)));
  }
  if (const std::optional<Reason> reason = plain_reason(code)) return failed(*reason);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      if (is_connected_) return failed(Reason::kTimeout);
      return failed(looked_up == 0 ? Reason::kDns : Reason::kConnectTimeout);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return failed(has_answer ? Reason::kReceive : Reason::kConnect);
    case CURLE_UNSUPPORTED_PROTOCOL:  // of the URL; or of an answer: HTTP/0.9, that is no HTTP at all
      return failed(is_connected_ ? Reason::kReceive : Reason::kConfig);
    // With an answer: one header line over libcurl's own limit.
    case CURLE_OUT_OF_MEMORY:
      return failed(has_answer ? Reason::kHeaders : Reason::kInternal);
    default:
      return failed(Reason::kInternal);
  }
}

std::string HttpFetch::what(std::string_view problem) const {
  std::string text = "GET " + target_.url + ": ";
  text += problem;
  return log::printable(text);
}

}  // namespace flintgauge
