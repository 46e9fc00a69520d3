// The path of a Pushgateway (prometheus/pushgateway README.md, handler/push.go; spark.md section 5.4).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "flintgauge/push.h"

namespace flintgauge {
namespace {

constexpr std::string_view kStart = "/metrics/";
constexpr std::string_view kEncoded = "@base64";
constexpr std::size_t kMaxLabelName = 256;
constexpr std::size_t kMaxLabelValue = 1024;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr int hex_of(char c) {
  constexpr int kTen = 10;
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + kTen;
  if (c >= 'A' && c <= 'F') return c - 'A' + kTen;
  return -1;
}

/// What Java's URLEncoder and Go's clients write: %XX, and '+' for a space.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_of(text[i + 1]);
    const int low = hex_of(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

constexpr int base64_of(char c) {
  constexpr int kLetters = 26;
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + kLetters;
  if (is_digit(c)) return c - '0' + 2 * kLetters;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

/// RFC 4648 section 5; the padding may be left out, and "=" stands for nothing at all.
std::optional<std::string> base64_decoded(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int six = base64_of(c);
    if (six < 0) return std::nullopt;
    bits = (bits << 6U | static_cast<std::uint32_t>(six)) & 0xffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
  }
  return out;
}

bool is_label_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxLabelName && !is_digit(name.front()) &&
         std::ranges::all_of(name, is_word) && !name.starts_with("__");
}

/// The part before the next slash, which is taken off with it; nothing when there is none.
std::optional<std::string_view> take_part(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const std::size_t end = rest->find('/');
  const std::string_view part = rest->substr(0, end);
  rest = end == std::string_view::npos ? std::nullopt : std::optional(rest->substr(end + 1));
  return part;
}

tl::unexpected<Error> bad(std::string message) { return fail(Reason::kParse, std::move(message)); }

Result<std::pair<std::string, std::string>> label_of(std::string_view name, std::string_view value) {
  const bool is_encoded = name.ends_with(kEncoded);
  if (is_encoded) name.remove_suffix(kEncoded.size());
  if (!is_label_name(name)) return bad("a label of the path has a name that no label may have");
  auto decoded = is_encoded ? base64_decoded(value) : percent_decoded(value);
  if (!decoded)
    return bad("the value of label " + std::string(name) +
               (is_encoded ? " is no URL-safe base64" : " has a broken %-escape"));
  if (decoded->size() > kMaxLabelValue)
    return bad("the value of label " + std::string(name) + " is too long");
  return std::pair(std::string(name), *std::move(decoded));
}

}  // namespace

Result<PushGroup> parse_push_path(std::string_view path) {
  if (path.size() > kMaxPushPath) return bad("the path is too long");
  std::optional<std::string_view> rest =
      path.starts_with(kStart) ? std::optional(path.substr(kStart.size())) : std::nullopt;
  PushGroup group;
  for (std::size_t count = 0; const auto name = take_part(rest); ++count) {
    if (count == kMaxPushLabels) return bad("the path has too many labels");
    const auto value = take_part(rest);
    if (!value) return bad("a label of the path has no value");
    auto label = label_of(*name, *value);
    if (!label) return tl::unexpected(label.error());
    const bool is_job = label->first == "job";
    if ((count == 0) != is_job || (is_job && label->second.empty()))
      return bad("the path is /metrics/job/JOB{/LABEL/VALUE}");
    if (!label->second.empty()) group.labels.push_back(*std::move(label));
  }
  if (group.labels.empty()) return bad("the path is /metrics/job/JOB{/LABEL/VALUE}");
  std::ranges::sort(group.labels);
  const auto twice =
      std::ranges::adjacent_find(group.labels, {}, [](const auto& label) { return label.first; });
  if (twice != group.labels.end()) return bad("label " + twice->first + " stands twice in the path");
  return group;
}

}  // namespace flintgauge
