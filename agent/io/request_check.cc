#include "agent/io/request_check.h"

#include <algorithm>

namespace flintgauge {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// Nothing here takes a body, so any Transfer-Encoding and any length but one plain 0 is a fault. That also
/// covers both headers at once, repeated ones, signs, lists and trailing text.
bool is_framing_fault(std::span<const HttpHeader> headers) {
  int lengths = 0;
  for (const HttpHeader& header : headers) {
    if (is_same_name(header.name, "transfer-encoding")) return true;
    if (is_same_name(header.name, "content-length") && (++lengths > 1 || header.value != "0")) return true;
  }
  return false;
}

/// Octets of our own routes, of Kubernetes names and of the demo's Spark pages. No '%': nothing is decoded.
bool is_path_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
         c == '_' || c == '.';
}

}  // namespace

std::optional<RequestFault> check_request(std::string_view method, std::string_view path,
                                          std::span<const HttpHeader> headers) {
  if (headers.size() >= kHttpHeaderLimit) return RequestFault::kTooManyHeaders;
  if (is_framing_fault(headers)) return RequestFault::kFraming;
  if (method != "GET" && method != "HEAD") return RequestFault::kMethod;
  if (!path.starts_with('/') || !std::all_of(path.begin(), path.end(), is_path_octet))
    return RequestFault::kTarget;
  return std::nullopt;
}

std::string_view find_header(std::span<const HttpHeader> headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const HttpHeader& header) {
    return is_same_name(header.name, name);
  });
  return found == headers.end() ? std::string_view{} : found->value;
}

}  // namespace flintgauge
