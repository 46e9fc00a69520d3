// Accept and Accept-Encoding. Grammar: RFC 9110 12.5; rules: prometheus/docs
// instrumenting/content_negotiation.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "flintgauge/exposition.h"

namespace flintgauge {
namespace {

constexpr int kFullQuality = 1000;  // q in thousandths

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_nocase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes the text up to the next separator that is not in a quoted string.
std::string_view take_until(char separator, std::string_view& rest) {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (rest[i] == separator && !quoted) {
      break;
    }
  }
  const std::string_view taken = rest.substr(0, i);
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return trim(taken);
}

/// "0", "0.75", "1.000" in thousandths, further digits cut; absent when it is no such number.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int quality = (text[0] - '0') * kFullQuality;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = kFullQuality / 10;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    quality += (c - '0') * weight;
    weight /= 10;
  }
  if (quality > kFullQuality) return std::nullopt;
  return quality;
}

/// One element of a list header: `name;version=...;escaping=...;q=...`.
struct Element {
  std::string_view name;
  std::string_view version;
  std::string_view escaping;
  int quality = kFullQuality;
};

/// Absent when q is unreadable: such an element does not count.
std::optional<Element> parse_element(std::string_view text) {
  Element element{.name = take_until(';', text), .version = {}, .escaping = {}};
  while (!text.empty()) {
    std::string_view parameter = take_until(';', text);
    const std::string_view key = take_until('=', parameter);
    std::string_view value = trim(parameter);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (equal_nocase(key, "q")) {
      const std::optional<int> quality = parse_quality(value);
      if (!quality) return std::nullopt;
      element.quality = *quality;
    } else if (equal_nocase(key, "version")) {
      element.version = value;
    } else if (equal_nocase(key, "escaping")) {
      element.escaping = value;
    }
  }
  return element;
}

template <typename Visit>
void for_each_element(std::string_view header, Visit visit) {
  while (!header.empty()) {
    const std::string_view text = take_until(',', header);
    if (const std::optional<Element> element = parse_element(text)) visit(*element);
  }
}

/// How well the list likes one of our types: the most specific range that matches decides its quality, of
/// equally specific ones the best.
struct Liking {
  int specificity = 0;  ///< 0 no match, 1 "*/*", 2 "type/*", 3 the type itself
  int quality = 0;
  std::size_t position = 0;

  void consider(int range_specificity, int range_quality, std::size_t range_position) {
    if (range_specificity < specificity) return;
    if (range_specificity == specificity && range_quality <= quality) return;
    *this = {range_specificity, range_quality, range_position};
  }
  bool beats(const Liking& other) const {
    if (quality != other.quality) return quality > other.quality;
    if (specificity != other.specificity) return specificity > other.specificity;
    return position < other.position;
  }
};

constexpr std::string_view kOpenMetrics = "application/openmetrics-text";

bool is_openmetrics_1(const Element& element) {
  return equal_nocase(element.name, kOpenMetrics) && (element.version.empty() || element.version == "1.0.0");
}

}  // namespace

PageFormat negotiate(std::string_view accept) {
  bool knows_1 = false;  // version 0.0.1 is answered with 1.0.0 when the client knows that too
  for_each_element(accept, [&](const Element& element) {
    knows_1 = knows_1 || (is_openmetrics_1(element) && element.quality > 0);
  });
  Liking text;
  Liking openmetrics;
  std::size_t position = 0;
  for_each_element(accept, [&](const Element& element) {
    ++position;
    if (element.name == "*/*") {
      text.consider(1, element.quality, position);
      openmetrics.consider(1, element.quality, position);
    } else if (equal_nocase(element.name, "text/*")) {
      text.consider(2, element.quality, position);
    } else if (equal_nocase(element.name, "application/*")) {
      openmetrics.consider(2, element.quality, position);
    } else if (equal_nocase(element.name, "text/plain")) {
      if (element.version.empty() || element.version == "0.0.4") text.consider(3, element.quality, position);
    } else if (is_openmetrics_1(element) ||
               (equal_nocase(element.name, kOpenMetrics) && element.version == "0.0.1" && knows_1)) {
      openmetrics.consider(3, element.quality, position);
    }
  });
  return openmetrics.quality > 0 && openmetrics.beats(text) ? PageFormat::kOpenMetrics100
                                                            : PageFormat::kText004;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool accepted = false;
  for_each_element(accept_encoding, [&](const Element& element) {
    if (equal_nocase(element.name, "gzip") || equal_nocase(element.name, "x-gzip")) {
      accepted = element.quality > 0;
    }
  });
  return accepted;
}

std::string_view content_type(PageFormat format, std::string_view accept) {
  if (format == PageFormat::kText004) return "text/plain; version=0.0.4; charset=utf-8";
  bool underscores = false;
  for_each_element(accept, [&](const Element& element) {
    underscores = underscores || (is_openmetrics_1(element) && element.escaping == "underscores");
  });
  return underscores ? "application/openmetrics-text; version=1.0.0; escaping=underscores; charset=utf-8"
                     : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

}  // namespace flintgauge
