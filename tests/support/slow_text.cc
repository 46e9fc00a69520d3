#include "support/slow_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace flintgauge {
namespace {

/// What is wrong with a line.
struct Bad {
  Reason reason;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_number(char c) { return c >= '0' && c <= '9'; }

struct WrittenLabel {
  std::string name;
  std::string raw;      // as written
  std::string decoded;  // as meant
};

std::string encode(char32_t point) {
  std::string out;
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
  return out;
}

/// A sequence is valid when decoding and encoding it again gives the same bytes, and it is no surrogate and
/// no NUL.
std::string repair(const std::string& text, bool& repaired) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    char32_t point = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    const bool in_range = point != 0 && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    if (i + size <= text.size() && in_range && encode(point) == text.substr(i, size)) {
      out += text.substr(i, size);
      i += size;
    } else {
      out += encode(0xFFFD);
      repaired = true;
      ++i;
    }
  }
  return out;
}

class LineReader {
 public:
  LineReader(std::string line, const TextPage& page) : line_(std::move(line)), page_(page) {}

  bool at_end() const { return at_ == line_.size(); }
  char peek() const { return at_end() ? '\0' : line_[at_]; }
  bool at_blank() const { return !at_end() && (peek() == ' ' || peek() == '\t'); }
  void skip_blanks() {
    while (at_blank()) ++at_;
  }
  std::string rest() const { return line_.substr(at_); }
  std::size_t place() const { return at_; }

  std::string name(bool colon_allowed) {
    const std::size_t begin = at_;
    const auto fits = [&](char c) { return is_letter(c) || (colon_allowed && c == ':'); };
    while (!at_end() && (fits(peek()) || (at_ > begin && is_number(peek())))) ++at_;
    return line_.substr(begin, at_ - begin);
  }

  /// False: there are none.
  bool labels(std::vector<WrittenLabel>& out, bool& repaired) {
    const std::size_t before = at_;
    skip_blanks();
    if (peek() != '{' || at_end()) {
      at_ = before;
      return false;
    }
    ++at_;
    skip_blanks();
    while (!at_end() && peek() != '}') {
      out.push_back(label(out.size(), repaired));
      skip_blanks();
      if (at_end()) break;
      if (peek() == ',') {
        ++at_;
        skip_blanks();
      } else if (peek() != '}') {
        throw Bad{Reason::kParse};
      }
    }
    if (at_end()) throw Bad{Reason::kParse};
    ++at_;
    std::map<std::string, int> seen;
    for (const auto& label : out) {
      if (++seen[label.name] > 1) throw Bad{Reason::kParse};
    }
    return true;
  }

 private:
  WrittenLabel label(std::size_t count, bool& repaired) {
    if (count == page_.limits.labels) throw Bad{Reason::kLimit};
    WrittenLabel label;
    label.name = name(false);
    if (label.name.empty() || label.name == "__name__") throw Bad{Reason::kParse};
    if (label.name.size() > page_.limits.name_size) throw Bad{Reason::kLimit};
    skip_blanks();
    expect('=');
    skip_blanks();
    expect('"');
    std::string unescaped;
    while (!ends_value()) {
      if (at_end()) throw Bad{Reason::kParse};
      char c = line_[at_++];
      label.raw += c;
      if (c == '\\' && page_.labels == LabelSyntax::kEscaped) {
        const char code = peek();
        if (at_end() || (code != 'n' && code != '"' && code != '\\')) throw Bad{Reason::kParse};
        ++at_;
        label.raw += code;
        c = code == 'n' ? '\n' : code;
      }
      unescaped += c;
    }
    ++at_;
    if (label.raw.size() > page_.limits.value_size) throw Bad{Reason::kLimit};
    label.decoded = repair(unescaped, repaired);
    return label;
  }

  void expect(char c) {
    if (at_end() || peek() != c) throw Bad{Reason::kParse};
    ++at_;
  }

  /// Is the quote here the end of the value?
  bool ends_value() const {
    if (at_end() || peek() != '"') return false;
    if (page_.labels == LabelSyntax::kEscaped) return true;
    std::string after = line_.substr(at_ + 1);
    const auto trim = [&] { after.erase(0, std::min(after.find_first_not_of(" \t"), after.size())); };
    trim();
    if (after.empty()) throw Bad{Reason::kParse};
    if (after[0] == '}') return after.find('"') == std::string::npos;
    if (after[0] != ',') return false;
    after.erase(0, 1);
    trim();
    std::size_t end = 0;
    while (end < after.size() && (is_letter(after[end]) || (end > 0 && is_number(after[end])))) ++end;
    return end > 0 && after.substr(end, 2) == "=\"";
  }

  std::string line_;
  const TextPage& page_;
  std::size_t at_ = 0;
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Nothing: not finite. Throws when it is no number.
std::optional<double> slow_number(const std::string& token) {
  if (token.empty() || token.size() > 64) throw Bad{Reason::kParse};
  const std::string body = token[0] == '+' || token[0] == '-' ? token.substr(1) : token;
  if (lower(token) == "nan" || lower(body) == "inf" || lower(body) == "infinity") return std::nullopt;
  std::size_t i = 0;
  bool digits = false;
  bool not_zero = false;
  const auto read = [&](bool mantissa) {
    bool any = false;
    for (; i < body.size() && is_number(body[i]); ++i) {
      any = true;
      not_zero = not_zero || (mantissa && body[i] != '0');
    }
    return any;
  };
  digits = read(true);
  if (i < body.size() && body[i] == '.') {
    ++i;
    digits = read(true) || digits;
  }
  if (!digits) throw Bad{Reason::kParse};
  if (i < body.size() && (body[i] == 'e' || body[i] == 'E')) {
    ++i;
    if (i < body.size() && (body[i] == '+' || body[i] == '-')) ++i;
    if (!read(false)) throw Bad{Reason::kParse};
  }
  if (i != body.size()) throw Bad{Reason::kParse};
  const double value = std::strtod(token.c_str(), nullptr);
  if (!std::isfinite(value) || (value == 0 && not_zero)) return std::nullopt;
  return value;
}

std::int64_t slow_timestamp(const std::string& token) {
  const bool negative = token[0] == '-';
  std::string digits = token.substr(negative || token[0] == '+' ? 1 : 0);
  if (token.size() > 64 || digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Bad{Reason::kParse};
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits.size() > 19) throw Bad{Reason::kParse};
  const unsigned long long number = std::stoull(digits);
  const unsigned long long most = static_cast<unsigned long long>(INT64_MAX) + (negative ? 1 : 0);
  if (number > most) throw Bad{Reason::kParse};
  return negative ? static_cast<std::int64_t>(0 - number) : static_cast<std::int64_t>(number);
}

std::vector<std::string> tokens_of(const std::string& text) {
  std::vector<std::string> tokens(1);
  for (const char c : text) {
    if (c == ' ' || c == '\t') {
      if (!tokens.back().empty()) tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  if (tokens.back().empty()) tokens.pop_back();
  return tokens;
}

class Scrape {
 public:
  Scrape(const TextPage& page, SlowScrape& out) : page_(page), out_(out) {}

  /// `line` without blanks before it and without line end.
  void sample(const std::string& line) {
    LineReader reader(line, page_);
    const std::string name = reader.name(true);
    if (name.empty()) throw Bad{Reason::kParse};
    if (name.size() > page_.limits.name_size) throw Bad{Reason::kLimit};
    if (reader.at_end() || (reader.peek() != '{' && !reader.at_blank())) throw Bad{Reason::kParse};
    const auto measure = page_.measure(name);
    if (!measure) {
      ++out_.counts.skipped;
      return;
    }
    std::vector<WrittenLabel> written;
    bool repaired = false;
    const bool has_labels = reader.labels(written, repaired);
    if (repaired && page_.lenient) throw Bad{Reason::kUtf8};
    std::vector<Label> labels;
    for (const auto& label : written) labels.push_back({label.name, label.decoded});
    const auto route = page_.named_route ? page_.named_route(name, labels) : page_.route(*measure, labels);
    if (!has_labels && !reader.at_blank()) throw Bad{Reason::kParse};
    if (!route) {
      ++out_.counts.skipped;
      return;
    }
    value(key_of(name, written), *route, tokens_of(reader.rest()));
  }

 private:
  static std::string key_of(const std::string& name, const std::vector<WrittenLabel>& written) {
    std::map<std::string, std::string> sorted;
    for (const auto& label : written) sorted[label.name] = label.raw;
    std::string key = name;
    for (const auto& [label, raw] : sorted) key += "\n" + label + "=" + raw;
    return key;
  }

  void value(const std::string& key, const Route& route, const std::vector<std::string>& tokens) {
    if (tokens.empty() || tokens.size() > 2) throw Bad{Reason::kParse};
    for (const auto& token : tokens) {
      if (token.find('\r') != std::string::npos) throw Bad{Reason::kParse};
    }
    const std::optional<double> number = slow_number(tokens[0]);
    const std::int64_t timestamp = tokens.size() == 2 ? slow_timestamp(tokens[1]) : kNoTimestamp;
    out_.live.emplace(key, route);
    if (!number) {
      ++out_.counts.not_finite;
    } else if (const auto known = sample_of_.find(key); known != sample_of_.end()) {
      ++out_.counts.duplicate;
      out_.samples[known->second] = {route, *number, timestamp};
    } else {
      ++out_.counts.kept;
      sample_of_[key] = out_.samples.size();
      out_.samples.push_back({route, *number, timestamp});
    }
  }

  const TextPage& page_;
  SlowScrape& out_;
  std::map<std::string, std::size_t> sample_of_;
};

std::uint64_t total(const ScrapeCounts& counts) {
  return counts.kept + counts.skipped + counts.bad + counts.duplicate + counts.not_finite;
}

void take_line(std::string line, const TextPage& page, Scrape& scrape, SlowScrape& out) {
  if (line.size() > kMaxLineSize) throw Bad{Reason::kLineTooLong};
  line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty() || line[0] == '#') return;
  if (total(out.counts) == page.limits.samples) throw Bad{Reason::kLimit};
  try {
    scrape.sample(line);
  } catch (const Bad&) {
    if (!page.lenient) throw;
    ++out.counts.bad;
  }
}

void take_body(std::string_view body, const TextPage& page, SlowScrape& out) {
  if (body.empty()) throw Bad{Reason::kTruncated};
  Scrape scrape(page, out);
  std::string line;
  for (const char c : body) {
    if (c != '\n') {
      line += c;
      continue;
    }
    take_line(line, page, scrape, out);
    line.clear();
  }
  if (line.size() > kMaxLineSize) throw Bad{Reason::kLineTooLong};
  if (!line.empty() && line != "# EOF") throw Bad{Reason::kTruncated};
  if (out.counts.bad > 0 && out.counts.kept == 0) throw Bad{Reason::kParse};
  const double readable = static_cast<double>(total(out.counts) - out.counts.bad);
  if (out.counts.duplicate > kDuplicatesTolerated &&
      static_cast<double>(out.counts.duplicate) > readable / 100) {
    throw Bad{Reason::kParse};
  }
}

}  // namespace

SlowScrape slow_scrape(std::string_view body, const TextPage& page) {
  SlowScrape out;
  out.counts.bytes = body.size();
  try {
    take_body(body, page, out);
  } catch (const Bad& bad) {
    out.failure = bad.reason;
  }
  return out;
}

}  // namespace flintgauge
