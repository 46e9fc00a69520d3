#include "flintgauge/exposition.h"

#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>

namespace flintgauge {
namespace {

/// Longest value: "-2.2250738585072014e-308".
constexpr std::size_t kMaxValueSize = 24;

/// Integers below this are exact in a double and fit std::int64_t.
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

char* put(char* to, std::string_view text) { return text.copy(to, text.size()) + to; }

static_assert(std::endian::native == std::endian::little, "digits are put together in a word");
constexpr std::uint64_t kEightDigits = 100'000'000;

/// The 8 decimal digits of a number below 10^8 as bytes 0..9, the first one lowest: halves of 4 digits, then
/// of 2, then single ones, all at once. The multiplications are exact divisions for numbers that small.
std::uint64_t eight_digits(std::uint64_t number) {
  const std::uint64_t fours = number / 10'000 | (number % 10'000) << 32U;
  const std::uint64_t hundreds = fours * 10'486U >> 20U & 0x7F'0000'007FU;  // by 100
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16U;
  const std::uint64_t tens = twos * 103U >> 10U & 0xF'000F'000F'000FU;  // by 10
  return tens | (twos - 10 * tens) << 8U;
}

char* put_eight(char* to, std::uint64_t number) {
  const std::uint64_t text = eight_digits(number) + 0x3030303030303030U;
  std::memcpy(to, &text, sizeof text);
  return to + sizeof text;
}

/// REQUIRES: number < 10^16; 16 bytes at `to`, of which those after the end are overwritten, too.
char* put_whole(char* to, std::uint64_t number) {
  if (number >= kEightDigits) return put_eight(put_whole(to, number / kEightDigits), number % kEightDigits);
  const std::uint64_t digits = eight_digits(number);
  const unsigned zeros = number == 0 ? 7U : static_cast<unsigned>(std::countr_zero(digits)) / 8U;
  const std::uint64_t text = (digits + 0x3030303030303030U) >> (8U * zeros);
  std::memcpy(to, &text, sizeof text);
  return to + (sizeof text - zeros);
}

/// Decimals are printed from an integer, value times a power of ten, when that integer has at most 15 digits
/// and gives the value back by one division. That text is the shortest one: no two decimals of at most 15
/// digits are the same double, so a shorter one would be another double. Null when it is not so simple.
/// REQUIRES: value is no whole number and >= 1e-3 (1e-05 is shorter than 0.00001); kMaxValueSize bytes.
char* put_decimal(char* to, double value) {
  constexpr double kFifteenDigits = 1e15;
  const bool is_small = value < 1e6;
  const double scale = is_small ? 1e9 : 1e3;  // nanoseconds as seconds, milliseconds as seconds
  const double scaled = value * scale;
  if (!(scaled < kFifteenDigits)) return nullptr;
  constexpr double kHalf = 0.5;  // to the nearest: scaled is small enough to be exact
  const auto digits = static_cast<std::uint64_t>(scaled + kHalf);
  if (static_cast<double>(digits) / scale != value) return nullptr;
  const std::uint64_t unit = is_small ? 1'000'000'000 : 1'000;
  const std::uint64_t nano = digits % unit * (is_small ? 1 : 1'000'000);
  to = put_whole(to, digits / unit);
  *to++ = '.';
  *to++ = static_cast<char>('0' + nano / kEightDigits);
  to = put_eight(to, nano % kEightDigits);
  while (to[-1] == '0') --to;
  return to;
}

/// REQUIRES: kMaxValueSize bytes at `to`.
char* put_value(char* to, double value) {
  if (std::fabs(value) < kExactIntegers) {  // false for NaN
    const auto whole = static_cast<std::int64_t>(value);
    const bool negative_zero = whole == 0 && std::signbit(value);
    if (static_cast<double>(whole) == value && !negative_zero) {
      if (whole < 0) *to++ = '-';
      return put_whole(to, static_cast<std::uint64_t>(whole < 0 ? -whole : whole));
    }
  }
  if (value >= 1e-3) {
    if (char* const end = put_decimal(to, value); end != nullptr) return end;
  }
  if (std::isnan(value)) return put(to, "NaN");
  if (std::isinf(value)) return put(to, value > 0 ? "+Inf" : "-Inf");
  return std::to_chars(to, to + kMaxValueSize, value).ptr;
}

/// HELP text: a newline would end the line. OpenMetrics escapes double quotes too.
void append_help(std::string_view help, PageFormat format, std::string& out) {
  if (format == PageFormat::kOpenMetrics100) return append_escaped(help, out);
  for (const char c : help) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

/// Text 0.0.4 knows neither info nor state set. In OpenMetrics a state set must carry its state in a label
/// called like the family; ours is called `reason` or the like in both formats, so it is a gauge there too.
std::string_view type_word(MetricType type, PageFormat format) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kInfo:
      return format == PageFormat::kOpenMetrics100 ? "info" : "gauge";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kGauge:
    case MetricType::kStateSet:
      return "gauge";
  }
  return "gauge";
}

std::string_view family_name(const Family& family, PageFormat format) {
  std::string_view name = family.name;
  if (format == PageFormat::kText004) return name;
  if (family.type == MetricType::kCounter && name.ends_with("_total")) name.remove_suffix(6);
  if (family.type == MetricType::kInfo && name.ends_with("_info")) name.remove_suffix(5);
  return name;
}

void append_line(std::string_view keyword, std::string_view name, std::string_view text, std::string& out) {
  out += keyword;
  out += name;
  out += ' ';
  out += text;
  out += '\n';
}

/// Lines are put together in a buffer of this size and then appended: a string grows one append at a time.
constexpr std::size_t kBufferSize = 16UL * 1024;

void append_series(const Block& block, std::size_t first, std::size_t last, std::string& out) {
  std::array<char, kBufferSize>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
  char* to = buffer.data();
  const auto flush = [&] {
    out.append(buffer.data(), static_cast<std::size_t>(to - buffer.data()));
    to = buffer.data();
  };
  for (std::size_t series = first; series < last; ++series) {
    const std::string_view prefix = block.schema->prefix(series);
    const auto room = static_cast<std::size_t>(buffer.data() + buffer.size() - to);
    if (prefix.size() + kMaxValueSize + 1 > room) {
      flush();
      if (prefix.size() + kMaxValueSize + 1 > buffer.size()) {  // labels of a tenant who wants to know
        out += prefix;
        append_value(block.values[series], out);
        out += '\n';
        continue;
      }
    }
    to = put(to, prefix);
    to = put_value(to, block.values[series]);
    *to++ = '\n';
  }
  flush();
}

}  // namespace

void append_value(double value, std::string& out) {
  std::array<char, kMaxValueSize> text{};
  const char* end = put_value(text.data(), value);
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

void append_escaped(std::string_view label_value, std::string& out) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < label_value.size(); ++i) {
    const char c = label_value[i];
    if (c != '\\' && c != '"' && c != '\n') continue;
    out += label_value.substr(begin, i - begin);
    out += '\\';
    out += c == '\n' ? 'n' : c;
    begin = i + 1;
  }
  out += label_value.substr(begin);
}

void append_family_header(const Family& family, PageFormat format, std::string& out) {
  const std::string_view name = family_name(family, format);
  if (format == PageFormat::kOpenMetrics100) {  // TYPE, UNIT, HELP
    append_line("# TYPE ", name, type_word(family.type, format), out);
    if (const std::string_view unit = unit_of(family); !unit.empty()) append_line("# UNIT ", name, unit, out);
  }
  out += "# HELP ";
  out += name;
  out += ' ';
  append_help(family.help, format, out);
  out += '\n';
  if (format == PageFormat::kText004) append_line("# TYPE ", name, type_word(family.type, format), out);
}

void render(std::span<const Block* const> blocks, PageFormat format, std::string& out) {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    for (const Block* block : blocks) {
      if (block == nullptr) continue;
      assert(block->values.size() == block->schema->size());
      const auto [first, last] = block->schema->range(static_cast<FamilyId>(i));
      if (first == last) continue;
      append_family_header(kCatalogue[i], format, out);
      append_series(*block, first, last, out);
      break;  // a family has one owner
    }
  }
}

void finish_page(PageFormat format, std::string& out) {
  if (format == PageFormat::kOpenMetrics100) out += "# EOF\n";
}

}  // namespace flintgauge
