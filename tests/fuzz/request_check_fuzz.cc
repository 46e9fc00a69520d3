// Input: a method, a target and headers, a line each ("NAME:VALUE"). Property: a request passes exactly when
// a slow reading of the rules lets it pass, and a header is found whatever the case of its name.
#include <strings.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/io/request_check.h"

namespace {

using flintgauge::HttpHeader;

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

bool is_named(const HttpHeader& header, const char* name) {
  const std::string owned(header.name);
  return owned.find('\0') == std::string::npos && strcasecmp(owned.c_str(), name) == 0;
}

bool may_pass(std::string_view method, std::string_view path, const std::vector<HttpHeader>& headers) {
  constexpr std::string_view kOctets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-_.";
  std::size_t lengths = 0;
  for (const HttpHeader& header : headers) {
    if (is_named(header, "Transfer-Encoding")) return false;
    if (!is_named(header, "Content-Length")) continue;
    ++lengths;
    if (header.value != "0") return false;
  }
  return headers.size() < 64 && lengths <= 1 && (method == "GET" || method == "HEAD") &&
         path.substr(0, 1) == "/" && path.find_first_not_of(kOctets) == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view method = take_line(rest);
  const std::string_view path = take_line(rest);
  std::vector<HttpHeader> headers;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
  }
  if (check_request(method, path, headers).has_value() == may_pass(method, path, headers)) std::abort();
  std::string_view accept;
  for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
    if (is_named(*header, "ACCEPT")) accept = header->value;
  }
  if (find_header(headers, "accept") != accept) std::abort();
  return 0;
}
