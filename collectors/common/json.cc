#include "collectors/common/json.h"

namespace {

struct AssertionFailed {};
[[noreturn]] void assertion_failed() { throw AssertionFailed{}; }

}  // namespace

// RapidJSON's assertions can be reached by foreign bytes (CVE-2024-38517): they must not abort. The namespace
// of our own keeps these functions apart from a RapidJSON that is compiled with other settings elsewhere.
#define RAPIDJSON_ASSERT(condition) (static_cast<bool>(condition) ? static_cast<void>(0) : assertion_failed())
#define RAPIDJSON_NAMESPACE flintgauge_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace flintgauge_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

namespace flintgauge::json {

namespace rapid = flintgauge_rapidjson;

// The combination that survived 3 million hostile inputs (reliability-security.md section 4.3): no recursion,
// no RapidJSON number conversion, UTF-8 checked, and a stream that knows its end.
constexpr unsigned kParseFlags =
    rapid::kParseIterativeFlag | rapid::kParseValidateEncodingFlag | rapid::kParseNumbersAsStringsFlag;

namespace {

/// Numbers that RapidJSON hands over as text: its own conversion is never used.
Verdict read_number(std::string_view text, Kind kind, Value& value) {
  const char* const end = text.data() + text.size();
  std::from_chars_result result{};
  switch (kind) {
    case Kind::kQuantity:
      value.text = text;
      return Verdict::kKept;
    case Kind::kInteger:
      result = std::from_chars(text.data(), end, value.integer);
      break;
    case Kind::kNumber:
      result = std::from_chars(text.data(), end, value.number);
      break;
    case Kind::kObject:
    case Kind::kArray:
    case Kind::kString:
    case Kind::kBool:
      return Verdict::kBad;
  }
  if (result.ec == std::errc::result_out_of_range) return Verdict::kNotFinite;
  return result.ec == std::errc{} && result.ptr == end ? Verdict::kKept : Verdict::kBad;
}

/// RapidJSON takes "\udc00" alone and writes it as three bytes that are no UTF-8.
bool has_half_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos; at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

/// Finds every member that a later one of the same name replaces: where its key ends. Slow and only used when
/// a document has such members, which no honest server writes.
class RepeatFinder : public rapid::BaseReaderHandler<rapid::UTF8<>, RepeatFinder> {
 public:
  explicit RepeatFinder(const rapid::MemoryStream& stream) : stream_(stream) {}

  std::vector<std::size_t> take() {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

  // What RapidJSON calls: the names are its own.
  // NOLINTBEGIN(readability-identifier-naming)
  bool StartObject() {
    objects_.emplace_back();
    return true;
  }
  bool Key(const char* text, rapid::SizeType size, bool /*copy*/) {
    std::size_t& key_end = objects_.back().try_emplace(std::string(text, size), 0).first->second;
    if (key_end != 0) found_.push_back(key_end);
    key_end = stream_.Tell();
    return true;
  }
  bool EndObject(rapid::SizeType /*members*/) {
    objects_.pop_back();
    return true;
  }
  // NOLINTEND(readability-identifier-naming)

 private:
  const rapid::MemoryStream& stream_;
  std::vector<std::unordered_map<std::string, std::size_t>> objects_;
  std::vector<std::size_t> found_;
};

}  // namespace

/// RapidJSON's events -> Visitor's. Keeps where it is as a stack of places.
class Handler : public rapid::BaseReaderHandler<rapid::UTF8<>, Handler> {
 public:
  enum class Stop : std::uint8_t { kNone, kTooDeep, kWrongDocument };

  /// Members whose key ends at one of the sorted places `superseded` are left out.
  Handler(const rapid::MemoryStream& stream, const Paths& paths, Visitor& visitor,
          const std::vector<std::size_t>& superseded, const ScrapeCounts& counts)
      : stream_(stream), paths_(paths), visitor_(visitor), superseded_(superseded), counts_(counts) {}

  Stop stop() const { return stop_; }
  bool has_repeats() const { return has_repeats_; }
  const ScrapeCounts& counts() const { return counts_; }

  // What RapidJSON calls: the names are its own.
  // NOLINTBEGIN(readability-identifier-naming)
  bool Null() {
    if (depth_ == 0) return halt(Stop::kWrongDocument);
    ++(is_superseded_ ? counts_.duplicate : counts_.skipped);
    if (const Paths::Node* node = wanted(place())) visitor_.null(node->id);
    return true;
  }
  bool Bool(bool truth) {
    return scalar([&](Kind kind, Value& value) {
      value.truth = truth;
      return kind == Kind::kBool ? Verdict::kKept : Verdict::kBad;
    });
  }
  bool RawNumber(const char* text, rapid::SizeType size, bool /*copy*/) {
    return scalar([&](Kind kind, Value& value) { return read_number({text, size}, kind, value); });
  }
  bool String(const char* text, rapid::SizeType size, bool /*copy*/) {
    return scalar([&](Kind kind, Value& value) {
      value.text = {text, size};
      if (has_half_surrogate(value.text)) return Verdict::kBad;
      return kind == Kind::kString || kind == Kind::kQuantity ? Verdict::kKept : Verdict::kBad;
    });
  }
  bool Key(const char* text, rapid::SizeType size, bool /*copy*/) {
    enter_member({text, size});
    return true;
  }
  bool StartObject() { return open(Kind::kObject); }
  bool StartArray() { return open(Kind::kArray); }
  bool EndObject(rapid::SizeType /*members*/) { return close(); }
  bool EndArray(rapid::SizeType /*elements*/) { return close(); }
  // NOLINTEND(readability-identifier-naming)

 private:
  struct Frame {
    Paths::Place place = Paths::kNowhere;
    bool is_array = false;
    std::uint64_t seen = 0;  ///< which of the wanted names this object had already
  };

  bool halt(Stop why) {
    stop_ = why;
    return false;
  }

  /// Null when nothing is wanted there.
  const Paths::Node* node_of(Paths::Place place) const {
    return place == Paths::kNowhere ? nullptr : &paths_.nodes_[place];
  }
  /// Null unless the visitor is to hear of the place itself.
  const Paths::Node* wanted(Paths::Place place) const {
    const Paths::Node* node = node_of(place);
    return node != nullptr && node->id != Paths::kNoId ? node : nullptr;
  }

  /// The place of the value that begins now.
  Paths::Place place() const {
    if (depth_ == 0) return 0;
    const Frame& frame = frames_[depth_ - 1];
    if (!frame.is_array) return member_;
    return frame.place == Paths::kNowhere ? Paths::kNowhere : paths_.nodes_[frame.place].element;
  }

  void enter_member(std::string_view name) {
    Frame& frame = frames_[depth_ - 1];
    member_ = Paths::kNowhere;
    is_superseded_ = false;
    const Paths::Node* node = node_of(frame.place);
    if (node == nullptr) return;
    for (std::size_t i = 0; i < node->names.size(); ++i) {
      if (node->names[i].text != name) continue;
      const std::uint64_t bit = std::uint64_t{1} << i;
      has_repeats_ = has_repeats_ || (frame.seen & bit) != 0;
      frame.seen |= bit;
      is_superseded_ = std::binary_search(superseded_.begin(), superseded_.end(), stream_.Tell());
      if (!is_superseded_) member_ = node->names[i].place;
      return;
    }
    member_ = node->any;
    if (member_ != Paths::kNowhere) name_ = name;
  }

  /// `read` fills the value and says whether it is of the kind.
  template <typename Read>
  bool scalar(Read read) {
    if (depth_ == 0) return halt(Stop::kWrongDocument);
    const Paths::Place here = place();
    const Paths::Node* node = wanted(here);
    if (is_superseded_) {
      ++counts_.duplicate;
    } else if (here == Paths::kNowhere) {
      ++counts_.skipped;
    } else if (node == nullptr) {
      ++counts_.bad;  // an object or array should be there
    } else {
      Value value;
      value.name = name_;
      Verdict verdict = has_half_surrogate(name_) ? Verdict::kBad : read(node->kind, value);
      if (verdict == Verdict::kKept) verdict = visitor_.value(node->id, value);
      count(verdict);
    }
    return true;
  }

  void count(Verdict verdict) {
    switch (verdict) {
      case Verdict::kKept:
        ++counts_.kept;
        break;
      case Verdict::kSkipped:
        ++counts_.skipped;
        break;
      case Verdict::kBad:
        ++counts_.bad;
        break;
      case Verdict::kNotFinite:
        ++counts_.not_finite;
        break;
    }
  }

  bool open(Kind kind) {
    if (depth_ == kMaxDepth) return halt(Stop::kTooDeep);
    Paths::Place here = place();
    if (is_superseded_) {
      ++counts_.duplicate;
    } else if (const Paths::Node* node = node_of(here); node != nullptr && node->kind != kind) {
      if (depth_ == 0) return halt(Stop::kWrongDocument);
      ++counts_.bad;
      here = Paths::kNowhere;
    }
    is_superseded_ = false;
    frames_[depth_++] = {here, kind == Kind::kArray, 0};
    if (const Paths::Node* node = wanted(here)) visitor_.open(node->id);
    return true;
  }

  bool close() {
    if (const Paths::Node* node = wanted(frames_[--depth_].place)) visitor_.close(node->id);
    return true;
  }

  const rapid::MemoryStream& stream_;
  const Paths& paths_;
  Visitor& visitor_;
  const std::vector<std::size_t>& superseded_;
  ScrapeCounts counts_;
  std::array<Frame, kMaxDepth> frames_;
  std::size_t depth_ = 0;
  Paths::Place member_ = Paths::kNowhere;  // where the value of the last key belongs
  bool is_superseded_ = false;             // ... it belongs nowhere: a later member replaces it
  bool has_repeats_ = false;
  Stop stop_ = Stop::kNone;
  std::string name_;
};

struct Reader::State {
  rapid::Reader reader;  // keeps the memory it decodes strings in
  std::vector<std::size_t> superseded;

  /// Runs `handler` over the document. Never lets an exception of RapidJSON's assertions out.
  template <typename EventHandler>
  Status run(rapid::MemoryStream& stream, std::size_t size, EventHandler& handler) {
    try {
      const rapid::ParseResult result = reader.Parse<kParseFlags>(stream, handler);
      // A NUL byte looks like the end to RapidJSON.
      if (!result.IsError() && stream.Tell() == size) return {};
      if (stream.Tell() == size && result.Code() != rapid::kParseErrorStringInvalidEncoding) {
        return fail(Reason::kTruncated, "JSON ends in the middle, after byte " + std::to_string(size));
      }
      const std::string why = result.IsError() ? rapid::GetParseError_En(result.Code()) : "a NUL byte.";
      return fail(Reason::kJson, "broken JSON at byte " + std::to_string(stream.Tell()) + ": " + why);
    } catch (const AssertionFailed&) {
      return fail(Reason::kJson, "broken JSON at byte " + std::to_string(stream.Tell()));
    }
  }
};

Reader::Reader() : state_(std::make_unique<State>()) {}
Reader::~Reader() = default;

void Reader::forget_buffers() { state_ = std::make_unique<State>(); }

Status Reader::read(std::string_view document, const Paths& paths, Visitor& visitor, ScrapeCounts& counts) {
  state_->superseded.clear();
  for (;;) {
    visitor.clear();
    rapid::MemoryStream stream(document.data(), document.size());
    Handler handler(stream, paths, visitor, state_->superseded, counts);
    Status status = state_->run(stream, document.size(), handler);
    if (handler.stop() == Handler::Stop::kTooDeep) {
      return fail(Reason::kJson, "JSON nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    if (handler.stop() == Handler::Stop::kWrongDocument) {
      return fail(Reason::kJson, "JSON of another kind than this endpoint has");
    }
    if (!status) return status;
    if (!handler.has_repeats() || !state_->superseded.empty()) {
      counts = handler.counts();
      return {};
    }
    rapid::MemoryStream again(document.data(), document.size());
    RepeatFinder finder(again);
    if (Status found = state_->run(again, document.size(), finder); !found) return found;
    state_->superseded = finder.take();
  }
}

}  // namespace flintgauge::json
