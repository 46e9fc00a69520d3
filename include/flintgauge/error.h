// Why something failed: one closed set of reasons for the whole program, and Result<T> to carry it.
//
// `reason` is what code branches on and what the counter flintgauge_scrape_errors_total is labelled with;
// `message` is for people: it names the file, line, URL or key and, where there is one, the mend.
// All functions here are pure and may run on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace flintgauge {

/// Closed: a label value of our own counters, so it never carries foreign text. Keep kReasonNames in step.
enum class Reason : std::uint8_t {
  kConnect,          ///< refused, unreachable, reset before an answer
  kConnectTimeout,   ///< no answer to the connection attempt
  kTimeout,          ///< total time or low-speed limit passed
  kReceive,          ///< connection broken inside the answer
  kPartial,          ///< body shorter than its declared length, or chunked body without its last chunk
  kTruncated,        ///< body complete for HTTP, but its last line or JSON value is not
  kContentEncoding,  ///< compressed although nobody asked, or unknown coding
  kContentType,      ///< HTML or another type where metrics were asked
  kTooLarge,         ///< body over the limit
  kLineTooLong,      ///< one line over 64 KiB
  kHeaders,          ///< too many or too long response headers
  kHttpStatus,       ///< any status but 200 that has no reason of its own below
  kAuth,             ///< 401 or 403
  kNotOffered,       ///< 404: this endpoint does not exist there; not a fault by itself
  kRedirect,         ///< 3xx, never followed
  kTls,              ///< certificate or handshake
  kDns,              ///< name not resolved
  kBlockedAddress,   ///< target policy: address not allowed
  kParse,            ///< text format broken
  kJson,             ///< JSON broken, too deep, or not the expected kind of document
  kUtf8,             ///< bytes that are no UTF-8
  kLimit,            ///< sample, label or table limit passed
  kFileDescriptors,  ///< no file descriptor left
  kConfig,           ///< configuration or command line
  kIo,               ///< a local file could not be read or written
  kInternal,         ///< our own fault: must stay 0
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::kInternal) + 1;
inline constexpr std::array<std::string_view, kReasonCount> kReasonNames = {"connect",
                                                                            "connect_timeout",
                                                                            "timeout",
                                                                            "recv",
                                                                            "partial",
                                                                            "truncated",
                                                                            "content_encoding",
                                                                            "content_type",
                                                                            "too_large",
                                                                            "line_too_long",
                                                                            "headers",
                                                                            "http_status",
                                                                            "auth",
                                                                            "not_offered",
                                                                            "redirect",
                                                                            "tls",
                                                                            "dns",
                                                                            "blocked_address",
                                                                            "parse",
                                                                            "json",
                                                                            "utf8",
                                                                            "limit",
                                                                            "fd",
                                                                            "config",
                                                                            "io",
                                                                            "internal"};

constexpr std::string_view to_string(Reason reason) { return kReasonNames[static_cast<std::size_t>(reason)]; }

struct Error {
  Reason reason = Reason::kInternal;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Reason reason, std::string message) {
  return tl::unexpected<Error>(Error{reason, std::move(message)});
}

}  // namespace flintgauge
