// Property: a request to the Pushgateway is read the same however its bytes are split; one that is good has a
// method, a path without blanks and a length within the limit; the answer to a bad one is a 4xx or 505.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/io/push_request.h"

namespace {

using flintgauge::PushRequest;

/// What was read, and how many bytes of the input were left for the body.
std::string read(std::string_view text, std::size_t step) {
  PushRequest request;
  auto state = PushRequest::State::kHead;
  while (!text.empty() && state == PushRequest::State::kHead) {
    std::string_view piece = text.substr(0, step);
    const std::size_t size = piece.size();
    state = request.feed(piece);
    text.remove_prefix(size - piece.size());
  }
  if (state == PushRequest::State::kHead) return "more";
  if (state == PushRequest::State::kFault) {
    const int status = request.fault().status;
    if ((status < 400 || status > 499) && status != 505) std::abort();
    if (!flintgauge::http_answer(request.fault()).starts_with("HTTP/1.1 " + std::to_string(status)))
      std::abort();
    return "fault " + std::to_string(status);
  }
  if (request.length() > flintgauge::kMaxPushBody || !request.path().starts_with('/')) std::abort();
  if (request.path().find_first_of(" \t\r\n?#") != std::string_view::npos) std::abort();
  return std::string(request.path()) + ' ' + std::to_string(static_cast<int>(request.action())) + ' ' +
         std::to_string(request.length()) + (request.wants_continue() ? " continue " : " ") +
         std::to_string(text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, text.size() + 1);
  for (const std::size_t step : {1U, 3U, 64U}) {
    // Of a head that is too long the place where it is noticed depends on the pieces, the answer does not.
    if (read(text, step) != whole) std::abort();
  }
  return 0;
}
