#include "collectors/common/text_labels.h"

#include <algorithm>
#include <array>
#include <bit>

#include "collectors/common/text_number.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace flintgauge {
namespace {

enum : std::uint8_t { kNameStart = 1, kNameRest = 2, kColon = 4 };

constexpr std::array<std::uint8_t, 256> make_name_table() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = kNameStart | kNameRest;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = kNameStart | kNameRest;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = kNameRest;
  table['_'] = kNameStart | kNameRest;
  table[':'] = kColon;
  return table;
}
constexpr std::array<std::uint8_t, 256> kNameTable = make_name_table();

bool is_name(char c, unsigned classes) { return (kNameTable[static_cast<unsigned char>(c)] & classes) != 0; }

const char* scan_name(const char* p, const char* end, unsigned colon) {
  if (p == end || !is_name(*p, kNameStart | colon)) return p;
  do {
    ++p;
  } while (p != end && is_name(*p, kNameRest | colon));
  return p;
}

const char* skip_blanks(const char* p, const char* end) {
  while (p != end && is_blank(*p)) ++p;
  return p;
}

/// First quote or backslash at or after `p`; sets `suspicious` when a byte before it is NUL or not ASCII.
const char* scan_value(const char* p, const char* end, bool& suspicious) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
    const __m128i nuls = _mm_cmpeq_epi8(bytes, _mm_setzero_si128());
    const auto odd =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(bytes, nuls)));  // by their high bits
    const auto stop = static_cast<unsigned>(_mm_movemask_epi8(stops));
    const unsigned before_stop = ~stop & (stop - 1);  // all when there is none
    suspicious |= (odd & before_stop) != 0;
    if (stop != 0) return p + std::countr_zero(stop);
  }
#endif
  for (; p != end && *p != '"' && *p != '\\'; ++p) suspicious |= static_cast<signed char>(*p) <= 0;
  return p;
}

/// Length of the valid UTF-8 sequence at `p`, 0 when there is none (RFC 3629 table 3-7; NUL does not count).
std::size_t utf8_sequence(const unsigned char* p, std::size_t left) {
  const auto tail = [&](std::size_t i, unsigned low, unsigned high) {
    return i < left && p[i] >= low && p[i] <= high;
  };
  const unsigned lead = p[0];
  if (lead < 0x80) return lead == 0 ? 0 : 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = tail(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && tail(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead < 0xF0 || lead > 0xF4) return 0;
  const bool second = tail(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
  return second && tail(2, 0x80, 0xBF) && tail(3, 0x80, 0xBF) ? 4 : 0;
}

void unescape(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\';
    i += escape ? 1 : 0;
    out.push_back(escape && text[i] == 'n' ? '\n' : text[i]);
  }
}

}  // namespace

std::string_view find_label(std::span<const Label> labels, std::string_view name) {
  for (const Label& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

const char* scan_metric_name(const char* p, const char* end) { return scan_name(p, end, kColon); }

bool append_utf8(std::string_view text, std::string& out) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  bool clean = true;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_sequence(p + i, text.size() - i);
    out.append(size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(i, size));
    clean = clean && size != 0;
    i += std::max<std::size_t>(size, 1);
  }
  return clean;
}

const char* LabelReader::read(const char* p, const char* end) {
  raw_.clear();
  labels_.clear();
  sorted_.clear();
  is_ascending_ = true;
  is_as_written_ = true;
  repaired_utf8_ = false;
  const char* q = skip_blanks(p, end);
  if (q == end || *q != '{') return p;
  q = skip_blanks(q + 1, end);
  while (q != end && *q != '}') {
    q = read_one(q, end);
    if (q == nullptr) return nullptr;
    q = skip_blanks(q, end);
    if (q != end && *q == ',') {
      q = skip_blanks(q + 1, end);
    } else if (q != end && *q != '}') {
      return refuse(Reason::kParse, "a comma or a closing brace must follow a label value");
    }
  }
  if (q == end) return refuse(Reason::kParse, "the labels have no closing brace");
  if (!is_ascending_ && has_duplicates()) return refuse(Reason::kParse, "a label name occurs twice");
  if (!is_as_written_) decode();
  return q + 1;
}

const char* LabelReader::read_one(const char* p, const char* end) {
  if (raw_.size() == limits_.labels) return refuse(Reason::kLimit, "too many labels");
  Raw raw{};
  const char* q = scan_name(p, end, 0);
  raw.name = {p, static_cast<std::size_t>(q - p)};
  if (raw.name.empty())
    return refuse(Reason::kParse, "a label name must start with a letter or an underscore");
  if (raw.name == "__name__") return refuse(Reason::kParse, "the label __name__ is the metric name's");
  if (raw.name.size() > limits_.name_size) return refuse(Reason::kLimit, "a label name is too long");
  q = skip_blanks(q, end);
  if (q == end || *q != '=') return refuse(Reason::kParse, "an equals sign must follow a label name");
  q = skip_blanks(q + 1, end);
  if (q == end || *q != '"') return refuse(Reason::kParse, "a label value must start with a quote");
  const char* const close = end_of_value(q + 1, end, raw);
  if (close == nullptr) return refuse(Reason::kParse, "a label value has a wrong escape or no closing quote");
  raw.value = {q + 1, static_cast<std::size_t>(close - (q + 1))};
  if (raw.value.size() > limits_.value_size) return refuse(Reason::kLimit, "a label value is too long");
  is_ascending_ = is_ascending_ && (raw_.empty() || raw_.back().name < raw.name);
  is_as_written_ = is_as_written_ && !raw.escaped && !raw.suspicious;
  raw_.push_back(raw);
  labels_.push_back({raw.name, raw.value});
  return close + 1;
}

const char* LabelReader::end_of_value(const char* p, const char* end, Raw& raw) const {
  if (syntax_ == LabelSyntax::kEscaped) return end_of_escaped(p, end, raw);
  for (; p != end; ++p) {
    raw.suspicious |= static_cast<signed char>(*p) <= 0;
    if (*p != '"') continue;
    const char* q = skip_blanks(p + 1, end);
    if (q == end) return nullptr;
    if (*q == '}' && std::find(q, end, '"') == end) return p;
    if (*q != ',') continue;
    q = skip_blanks(q + 1, end);
    const char* const after_name = scan_name(q, end, 0);
    if (after_name != q && end - after_name >= 2 && after_name[0] == '=' && after_name[1] == '"') return p;
  }
  return nullptr;
}

const char* LabelReader::end_of_escaped(const char* p, const char* end, Raw& raw) {
  for (;;) {
    p = scan_value(p, end, raw.suspicious);
    if (p == end) return nullptr;
    if (*p == '"') return p;
    raw.escaped = true;
    if (end - p < 2 || (p[1] != '\\' && p[1] != '"' && p[1] != 'n')) return nullptr;
    p += 2;
  }
}

const char* LabelReader::refuse(Reason reason, std::string_view message) {
  reason_ = reason;
  message_ = message;
  return nullptr;
}

bool LabelReader::has_duplicates() {
  sorted_ = raw_;
  std::sort(sorted_.begin(), sorted_.end(), [](const Raw& a, const Raw& b) { return a.name < b.name; });
  const auto same = [](const Raw& a, const Raw& b) { return a.name == b.name; };
  return std::adjacent_find(sorted_.begin(), sorted_.end(), same) != sorted_.end();
}

void LabelReader::decode() {
  decoded_.clear();
  std::size_t need = 0;
  for (const Raw& raw : raw_) need += raw.escaped || raw.suspicious ? raw.value.size() : 0;
  decoded_.reserve(need * 3);  // U+FFFD has 3 bytes; views into the buffer must not move
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    const Raw& raw = raw_[i];
    if (!raw.escaped && !raw.suspicious) continue;
    std::string unescaped(raw.value);
    if (raw.escaped) {
      unescaped.clear();
      unescape(raw.value, unescaped);
    }
    const std::size_t begin = decoded_.size();
    repaired_utf8_ = !append_utf8(unescaped, decoded_) || repaired_utf8_;
    labels_[i].value = std::string_view(decoded_).substr(begin);
  }
}

std::string_view LabelReader::canonical(std::string_view text, std::string_view metric_name) {
  const std::vector<Raw>& labels = is_ascending_ ? raw_ : sorted_;
  std::size_t size = metric_name.size() + (labels.empty() ? 0 : 1);
  for (const Raw& raw : labels)
    size += raw.name.size() + raw.value.size() + std::string_view(R"(="",)").size();
  if (is_ascending_ && size == text.size()) return {};  // in order and nothing between the parts
  canonical_.assign(metric_name);
  for (const Raw& raw : labels) {
    canonical_.push_back(canonical_.size() == metric_name.size() ? '{' : ',');
    canonical_.append(raw.name).append("=\"").append(raw.value).push_back('"');
  }
  if (!labels.empty()) canonical_.push_back('}');
  return canonical_;
}

}  // namespace flintgauge
