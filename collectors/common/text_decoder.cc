#include "collectors/common/text_decoder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "collectors/common/text_series.h"
#include "collectors/common/text_skip.h"
#include "collectors/common/text_value.h"

namespace flintgauge {
namespace {

/// At most 32 bytes of foreign text, printable.
std::string excerpt(const char* p, const char* end) {
  constexpr std::ptrdiff_t kShown = 32;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char* const stop = end - p > kShown ? p + kShown : end; p != stop; ++p) {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte >= 0x20 && byte < 0x7F) {
      out.push_back(*p);
    } else {
      out.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
    }
  }
  return out;
}

const char* find_newline(const char* p, const char* end) {
  return static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

class TextDecoder final : public Decoder {
 public:
  explicit TextDecoder(TextPage page)
      : page_(std::move(page)),
        skip_lines_(skip_lines()),
        series_(hash_seed(this), page_.routes),
        labels_(page_.labels, page_.limits) {
    carry_.reserve(kMaxLineSize + 1);
  }

  void begin() override;
  Status feed(std::string_view bytes) override;
  Result<Batch> finish() override;
  const ScrapeCounts& counts() const override { return counts_; }
  const TextPage& page() const { return page_; }

 private:
  /// A line that is not as expected, without blanks before it and the line end.
  struct Line {
    const char* begin;
    const char* end;   ///< LF, or CR LF
    const char* next;  ///< the line after it
  };

  // [p, end) are whole lines. A const char* is the next line to take, null when the scrape has failed; so is
  // false.
  bool feed_carry(std::string_view& bytes);
  bool take_lines(const char* p, const char* end);
  const char* take_expected(const char* p, const char* end);
  const char* pass_value(const char* p, const char* end) const;
  const char* skip_metric(const char* p, const char* end);
  const char* take_line(const char* p, const char* end);
  bool take_named(const Line& line, std::string_view name);
  bool take_wanted(const Line& line, std::string_view name, Measure measure);
  bool take_known(const Line& line, TextId id, const char* text_end);
  bool take_new(const Line& line, std::string_view name, Measure measure, TextKey key);
  void take(TextId id, const Value& value);

  std::optional<Measure> measure(std::string_view name);
  bool refuse(const Line& line, Reason reason, std::string_view what);
  bool fail_scrape(Reason reason, std::string_view message);
  Status check_whole() const;
  std::uint64_t readable() const {
    return counts_.kept + counts_.skipped + counts_.duplicate + counts_.not_finite;
  }

  TextPage page_;
  SkipLines skip_lines_;
  SeriesTable series_;
  LabelReader labels_;
  std::string carry_;             // the unfinished line of the last feed()
  std::string skipped_name_;      // the metric being passed over; "" when none
  std::string wanted_name_;       // the last wanted metric looked up, and
  Measure wanted_measure_{};      // what it measures
  std::uint64_t lines_left_ = 0;  // sample lines allowed
  std::uint64_t wanted_lines_ = 0;
  std::uint64_t other_lines_ = 0;  // comments and blank lines
  ScrapeCounts counts_;
  std::optional<Error> error_;
};

void TextDecoder::begin() {
  series_.reset();
  carry_.clear();
  skipped_name_.clear();
  counts_ = {};
  wanted_lines_ = 0;
  other_lines_ = 0;
  lines_left_ = page_.limits.samples;
  error_.reset();
}

Status TextDecoder::feed(std::string_view bytes) {
  if (error_) return tl::unexpected(*error_);
  counts_.bytes += bytes.size();
  if (!carry_.empty() && !feed_carry(bytes)) return tl::unexpected(*error_);
  const std::size_t whole = bytes.rfind('\n') + 1;  // npos + 1 is 0: no line ends here
  if (!take_lines(bytes.data(), bytes.data() + whole)) return tl::unexpected(*error_);
  bytes.remove_prefix(whole);
  if (bytes.size() > kMaxLineSize) {
    fail_scrape(Reason::kLineTooLong, "longer than 64 KiB");
    return tl::unexpected(*error_);
  }
  carry_.append(bytes);
  return {};
}

/// Ends the unfinished line with the first bytes and takes them away.
bool TextDecoder::feed_carry(std::string_view& bytes) {
  const std::size_t size = std::min(bytes.find('\n'), bytes.size());  // of the rest of the line
  if (carry_.size() + size > kMaxLineSize) return fail_scrape(Reason::kLineTooLong, "longer than 64 KiB");
  const bool is_whole = size < bytes.size();
  carry_.append(bytes.substr(0, size + (is_whole ? 1 : 0)));
  bytes.remove_prefix(size + (is_whole ? 1 : 0));
  if (!is_whole) return true;
  const bool good = take_lines(carry_.data(), carry_.data() + carry_.size());
  carry_.clear();
  return good;
}

bool TextDecoder::take_lines(const char* p, const char* end) {
  while (p != end) {
    p = take_expected(p, end);
    if (p != end && !skipped_name_.empty()) p = skip_metric(p, end);
    if (p != end) p = take_line(p, end);
    if (p == nullptr) return false;
  }
  return true;
}

/// Takes lines as long as they are the expected ones; never fails. What is odd about a line (its length, its
/// number, one sample too many) is left for take_line() to find.
const char* TextDecoder::take_expected(const char* p, const char* end) {
  while (p != end && lines_left_ != 0) {
    const TextId id = series_.expected();
    if (id == kNone) return p;
    const SeriesTable::Text& text = series_.text(id);
    const char* const text_end = series_.match(text, p, end);
    if (text_end == nullptr || !is_separated(text_end)) return p;
    Value value;
    const bool is_wanted = text.series != kNone;
    const char* const next = is_wanted ? read_value(text_end, value) : pass_value(text_end, end);
    if (next == nullptr || static_cast<std::size_t>(next - p) > kMaxLineSize + 1) return p;
    take(id, value);
    p = next;
  }
  return p;
}

/// The line after an unwanted row with its labels before `p`; null when there may be more to the labels:
/// where values are not escaped, a quote further on means that the last brace so far was part of a value.
const char* TextDecoder::pass_value(const char* p, const char* end) const {
  const char* const newline = find_newline(p, end);
  const bool is_over =
      page_.labels == LabelSyntax::kEscaped || between(p, newline).find('"') == std::string_view::npos;
  return is_over ? newline + 1 : nullptr;
}

/// Passes over lines of the metric that was unwanted last, if they come next.
const char* TextDecoder::skip_metric(const char* p, const char* end) {
  const Skipped skipped = skip_lines_(p, end, skipped_name_, {kMaxLineSize, lines_left_});
  counts_.skipped += skipped.lines;
  lines_left_ -= skipped.lines;
  return skipped.next;  // a line that is too long is left for take_line()
}

const char* TextDecoder::take_line(const char* p, const char* end) {
  const char* const newline = find_newline(p, end);
  if (static_cast<std::size_t>(newline - p) > kMaxLineSize) {
    fail_scrape(Reason::kLineTooLong, "longer than 64 KiB");
    return nullptr;
  }
  Line line{skip_blanks(p), newline, newline + 1};
  if (line.end != line.begin && line.end[-1] == '\r') --line.end;
  if (line.begin == line.end || *line.begin == '#') {
    ++other_lines_;
    return line.next;
  }
  if (lines_left_ == 0) {
    fail_scrape(Reason::kLimit, "more samples than allowed");
    return nullptr;
  }
  const std::string_view name = between(line.begin, scan_metric_name(line.begin, line.end));
  return take_named(line, name) ? line.next : nullptr;
}

bool TextDecoder::take_named(const Line& line, std::string_view name) {
  if (name.empty()) return refuse(line, Reason::kParse, "a line must start with a metric name");
  if (name.size() > page_.limits.name_size)
    return refuse(line, Reason::kLimit, "the metric name is too long");
  const char* const name_end = name.data() + name.size();
  if (name_end == line.end || (*name_end != '{' && !is_blank(*name_end))) {
    return refuse(line, Reason::kParse, "labels or a value must follow a metric name");
  }
  if (const std::optional<Measure> wanted = measure(name)) return take_wanted(line, name, *wanted);
  skipped_name_.assign(name);
  ++counts_.skipped;
  --lines_left_;
  return true;
}

std::optional<Measure> TextDecoder::measure(std::string_view name) {
  if (name == wanted_name_) return wanted_measure_;
  const std::optional<Measure> measure = page_.measure(name);
  if (measure) {
    wanted_name_.assign(name);
    wanted_measure_ = *measure;
  }
  return measure;
}

bool TextDecoder::take_wanted(const Line& line, std::string_view name, Measure measure) {
  ++counts_.slow_lines;
  if (static_cast<std::size_t>(line.end - line.begin) > page_.limits.wanted_line_size)
    return refuse(line, Reason::kLimit, "the line of a wanted metric is too long");
  // Value and time stamp hold no brace, so the last one is the likely end of the labels. A text that is known
  // was read whole once, and the same bytes read the same: when this finds one, it is the right one.
  const std::string_view rest = between(name.data() + name.size(), line.end);
  const char* const text_end = rest.data() + (rest.rfind('}') + 1);
  const TextKey likely = series_.key(between(line.begin, text_end), name.size());
  const TextId id = series_.find(likely);
  return id != kNone ? take_known(line, id, text_end) : take_new(line, name, measure, likely);
}

bool TextDecoder::take_known(const Line& line, TextId id, const char* text_end) {
  const SeriesIndex series = series_.text(id).series;
  Value value;
  const char* const next = series == kNone ? pass_value(text_end, line.next) : read_value(text_end, value);
  if (!is_separated(text_end) || next == nullptr) {
    return refuse(line, Reason::kParse, "a number, and at most a time stamp, must follow the series");
  }
  take(id, value);
  return true;
}

bool TextDecoder::take_new(const Line& line, std::string_view name, Measure measure, TextKey key) {
  const char* const text_end = labels_.read(name.data() + name.size(), line.end);
  if (text_end == nullptr) return refuse(line, labels_.reason(), labels_.message());
  if (page_.lenient && labels_.repaired_utf8())
    return refuse(line, Reason::kUtf8, "a label value is no UTF-8");
  if (text_end != key.text.data() + key.text.size()) {
    key = series_.key(between(line.begin, text_end), name.size());
    if (const TextId known = series_.find(key); known != kNone) return take_known(line, known, text_end);
  }
  if (wanted_lines_ >= page_.limits.wanted_lines)
    return fail_scrape(Reason::kLimit, "more samples of wanted metrics than allowed");
  std::optional<Route> route =
      page_.named_route ? page_.named_route(name, labels_.labels()) : page_.route(measure, labels_.labels());
  Value value;
  if (!is_separated(text_end) || (route && read_value(text_end, value) == nullptr)) {
    return refuse(line, Reason::kParse, "a number, and at most a time stamp, must follow the series");
  }
  ++counts_.new_series;
  const std::string_view canonical = route ? labels_.canonical(key.text, name) : std::string_view{};
  const TextId id = series_.add(key, canonical, std::move(route));
  if (id == kNone) return fail_scrape(Reason::kLimit, "more series text than fits");
  take(id, value);
  return true;
}

/// A line of a known text. Unwanted rows have no series and no value.
inline void TextDecoder::take(TextId id, const Value& value) {
  --lines_left_;
  ++wanted_lines_;
  const SeriesIndex series = series_.text(id).series;
  series_.see(id);
  if (series == kNone) {
    ++counts_.skipped;
  } else if (value.kind == NumberKind::kNotFinite) {
    series_.take_nothing(series);
    ++counts_.not_finite;
  } else if (series_.take(series, value.number, value.timestamp_ms)) {
    ++counts_.kept;
  } else {
    ++counts_.duplicate;
  }
}

/// A line that cannot be read: true when the page may have such lines.
bool TextDecoder::refuse(const Line& line, Reason reason, std::string_view what) {
  if (page_.lenient) {
    ++counts_.bad;
    --lines_left_;
    return true;
  }
  return fail_scrape(reason, std::string(what) + ", not '" + excerpt(line.begin, line.end) + "'");
}

bool TextDecoder::fail_scrape(Reason reason, std::string_view message) {
  const std::uint64_t line = readable() + counts_.bad + other_lines_ + 1;
  error_ = Error{reason, "line " + std::to_string(line) + ": " + std::string(message)};
  return false;
}

/// Is what was read a whole page?
Status TextDecoder::check_whole() const {
  if (error_) return tl::unexpected(*error_);
  if (counts_.bytes == 0) return fail(Reason::kTruncated, "the body is empty");
  if (!carry_.empty() && carry_ != "# EOF") {
    return fail(Reason::kTruncated, "the body ends inside a line: '" +
                                        excerpt(carry_.data(), carry_.data() + carry_.size()) + "'");
  }
  if (wanted_lines_ > page_.limits.wanted_lines)  // new ones first, then known ones, which are not checked
    return fail(Reason::kLimit, "more samples of wanted metrics than allowed");
  if (counts_.bad != 0 && counts_.kept == 0) {
    return fail(Reason::kParse, "none of the wanted samples is there, and " + std::to_string(counts_.bad) +
                                    " lines cannot be read: not the page it should be");
  }
  if (counts_.duplicate > kDuplicatesTolerated && counts_.duplicate * 100 > readable()) {
    return fail(Reason::kParse, std::to_string(counts_.duplicate) + " of " + std::to_string(readable()) +
                                    " samples repeat a series of the same body");
  }
  return {};
}

Result<Batch> TextDecoder::finish() {
  if (Status whole = check_whole(); !whole) {
    error_ = whole.error();
    return tl::unexpected(*error_);
  }
  series_.commit();
  return series_.batch();
}

}  // namespace

TextPage text_page_by_name(std::function<std::optional<Route>(std::string_view)> route) {
  TextPage page;
  page.measure = [route](std::string_view name) -> std::optional<Measure> {
    const std::optional<Route> found = route(name);
    return found ? std::optional(found->measure) : std::nullopt;
  };
  page.named_route = [route = std::move(route)](std::string_view name, std::span<const Label> /*labels*/) {
    return route(name);
  };
  return page;
}

std::unique_ptr<Decoder> make_text_decoder(TextPage page) {
  return std::make_unique<TextDecoder>(std::move(page));
}

const TextPage* text_page_of(const Decoder& decoder) {
  const auto* const text = dynamic_cast<const TextDecoder*>(&decoder);
  return text != nullptr ? &text->page() : nullptr;
}

}  // namespace flintgauge
