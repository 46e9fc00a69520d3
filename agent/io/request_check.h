// What is refused before any route is looked at: requests whose framing two servers could read differently,
// and methods that nothing here has. civetweb 1.15 lets most of it pass (docs/decisions.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace flintgauge {

struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

inline constexpr std::size_t kHttpHeaderLimit = 64;  ///< civetweb drops the headers after the 64th silently

enum class RequestFault : std::uint8_t {
  kTooManyHeaders,  ///< 431
  kFraming,         ///< 400: a body, or lengths that contradict each other; the connection must be closed
  kTarget,          ///< 404: not in origin form, or an octet that no route of ours has
  kMethod,          ///< 405: not GET or HEAD
};

/// First thing wrong with a request whose target is `path` without the query. Pure.
std::optional<RequestFault> check_request(std::string_view method, std::string_view path,
                                          std::span<const HttpHeader> headers);

/// Value of the first header of that name (any case), or "".
std::string_view find_header(std::span<const HttpHeader> headers, std::string_view name);

}  // namespace flintgauge
