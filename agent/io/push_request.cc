#include "agent/io/push_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

bool starts_with(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() && is_same(text.substr(0, lower_case.size()), lower_case);
}

/// RFC 9110 section 5.6.2.
constexpr bool is_token(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}

/// The word before the next space, which is taken off with it.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = std::min(text.find_first_not_of(kBlank), text.size());
  text.remove_prefix(first);
  while (!text.empty() && kBlank.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

struct StatusLine {
  int code;
  std::string_view phrase;
};
constexpr auto kStatuses = std::to_array<StatusLine>({
    {202, "Accepted"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {500, "Internal Server Error"},
});

}  // namespace

std::string http_answer(const PushAnswer& answer) {
  const auto* const found = std::ranges::find(kStatuses, answer.status, &StatusLine::code);
  const StatusLine& status = found == kStatuses.end() ? kStatuses.back() : *found;
  const std::string body = answer.text.empty() ? std::string() : answer.text + '\n';
  std::string text = "HTTP/1.1 " + std::to_string(status.code) + ' ';
  text.append(status.phrase).append("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\nConnection: close\r\n");
  if (status.code == 405) text += "Allow: PUT, POST, DELETE\r\n";
  if (status.code == 429 || status.code == 503) text += "Retry-After: 10\r\n";
  return text.append("\r\n").append(body);
}

PushRequest::State PushRequest::fail(int status, std::string text) {
  fault_ = {status, std::move(text)};
  head_.clear();
  return state_ = State::kFault;
}

bool PushRequest::refuse(int status, std::string text) {
  static_cast<void>(fail(status, std::move(text)));
  return false;
}

PushRequest::State PushRequest::feed(std::string_view& bytes) {
  if (state_ != State::kHead) return state_;
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kMaxHead - before));
  const std::size_t from = before < kHeadEnd.size() ? 0 : before - kHeadEnd.size() + 1;
  const std::size_t end = head_.find(kHeadEnd, from);
  if (end == std::string::npos) {
    bytes = {};
    return head_.size() < kMaxHead ? State::kHead : fail(431, "the request's head is too long");
  }
  bytes.remove_prefix(end + kHeadEnd.size() - before);
  head_.resize(end + 2);  // with the last line's end
  return read_head();
}

PushRequest::State PushRequest::read_head() {
  std::string_view rest = head_;
  std::size_t lines = 0;
  for (; !rest.empty(); ++lines) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (lines > kMaxHeaders) return fail(431, "too many headers");
    if (std::ranges::any_of(line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }))
      return fail(400, "a line of the request's head has no CR LF");
    if (!(lines == 0 ? read_request_line(line) : read_header(line))) return state_;
  }
  if (!has_length_ && action_ != PushAction::kForget) return fail(411, "send the body with Content-Length");
  head_.clear();
  return state_ = State::kBody;
}

bool PushRequest::read_request_line(std::string_view line) {
  const std::string_view method = take_word(line);
  const std::string_view target = take_word(line);
  if (!line.starts_with("HTTP/1.")) return refuse(400, "this is no HTTP/1.1");
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return refuse(505, "speak HTTP/1.1");
  if (method == "PUT") {
    action_ = PushAction::kReplace;
  } else if (method == "DELETE") {
    action_ = PushAction::kForget;
  } else if (method != "POST") {
    return refuse(405, "push with PUT or POST, forget with DELETE; the agent's own page has what was kept");
  }
  const bool is_path =
      target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_path || target.find_first_of("?#") != std::string_view::npos)
    return refuse(400, "the path is /metrics/job/JOB{/LABEL/VALUE}");
  path_ = target;
  return true;
}

bool PushRequest::read_header(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || colon == line.size() || !std::ranges::all_of(name, is_token))
    return refuse(400, "a header is broken");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (is_same(name, "content-length")) return read_length(value);
  if (is_same(name, "transfer-encoding"))
    return refuse(411, "send the body in one piece, with Content-Length");
  if (is_same(name, "expect") && is_same(value, "100-continue")) wants_continue_ = true;
  return read_coding(name, value);
}

bool PushRequest::read_length(std::string_view value) {
  std::size_t length = 0;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const char* const end = value.data() + value.size();
  if (has_length_ || value.empty() || !std::ranges::all_of(value, is_digit))
    return refuse(400, "the body has no one length");
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (error != std::errc{} || stop != end || length > kMaxPushBody)
    return refuse(413, "the body is over " + std::to_string(kMaxPushBody) + " bytes: push less at once");
  has_length_ = true;
  length_ = length;
  return true;
}

bool PushRequest::read_coding(std::string_view name, std::string_view value) {
  if (is_same(name, "content-encoding") && !value.empty() && !is_same(value, "identity"))
    return refuse(415, "the body is compressed: push it as it is, without Content-Encoding");
  if (is_same(name, "content-type") && (starts_with(value, "application/vnd.google.protobuf") ||
                                        starts_with(value, "application/openmetrics-text")))
    return refuse(415, "only the text format 0.0.4 is read: push text/plain; version=0.0.4");
  return true;
}

}  // namespace flintgauge
