#include "collectors/common/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "support/json_events.h"

namespace flintgauge {
namespace {

using json::Kind;
using reference::WantedPath;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<WantedPath>& wanted() {
  static const std::vector<WantedPath> kPaths = {
      {"a", Kind::kInteger, 0},    {"b", Kind::kString, 1},        {"c[]", Kind::kObject, 2},
      {"c[].a", Kind::kNumber, 3}, {"c[].b.*", Kind::kString, 4},  {"d.a", Kind::kBool, 5},
      {"d.b", Kind::kQuantity, 6}, {"e[][].a", Kind::kInteger, 7}, {"f.*.a", Kind::kInteger, 8},
      {"g", Kind::kArray, 9},      {"c[].c", Kind::kObject, 10}};
  return kPaths;
}

json::Paths make_paths(const std::vector<WantedPath>& list) {
  json::Paths paths;
  for (const WantedPath& w : list) paths.want(w.path, w.kind, w.id);
  return paths;
}

struct Outcome {
  Status status;
  std::vector<std::string> events;
  ScrapeCounts counts;
};

Outcome read(std::string_view document) {
  static const json::Paths kPaths = make_paths(wanted());
  static json::Reader reader;  // one for all: an earlier document must leave no trace
  reference::Recorder recorder(wanted());
  Outcome outcome;
  outcome.status = reader.read(document, kPaths, recorder, outcome.counts);
  outcome.events = std::move(recorder.events);
  return outcome;
}

TEST(Json, TellsWantedPlacesInOrder) {
  const Outcome o = read(
      "{\"x\":[1,{}],\"b\":\"t\",\"c\":[{\"a\":1.5,\"b\":{\"k\":\"v\",\"l\":\"w\"}},{}],"
      "\"d\":{\"b\":12,\"a\":true},\"a\":-7}");
  ASSERT_TRUE(o.status.has_value());
  EXPECT_THAT(o.events,
              ElementsAre("value 1 name= text=t", "open 2", "value 3 name= text=1.500000",
                          "value 4 name=k text=v", "value 4 name=l text=w", "close 2", "open 2", "close 2",
                          "value 6 name= text=12", "value 5 name= text=true", "value 0 name= text=-7"));
  EXPECT_EQ(o.counts.kept, 7U);
  EXPECT_EQ(o.counts.skipped, 1U);
}

TEST(Json, WrongTypesAreAbsentAndCounted) {
  const Outcome o = read("{\"a\":\"7\",\"b\":7,\"c\":{\"a\":1},\"d\":{\"a\":0,\"b\":true},\"g\":5,\"f\":[]}");
  ASSERT_TRUE(o.status.has_value());
  EXPECT_THAT(o.events, ElementsAre());
  EXPECT_EQ(o.counts.bad, 7U);
  EXPECT_EQ(o.counts.skipped, 1U);  // the 1 inside the object that should have been an array
}

TEST(Json, NullIsAbsent) {
  const Outcome o = read("{\"a\":null,\"c\":null,\"g\":null}");
  ASSERT_TRUE(o.status.has_value());
  EXPECT_THAT(o.events, ElementsAre("null 0", "null 9"));
  EXPECT_EQ(o.counts.bad, 0U);
  EXPECT_EQ(o.counts.skipped, 3U);
}

TEST(Json, IntegersKeepAllDigits) {
  EXPECT_THAT(read("{\"a\":9007199254740993}").events, ElementsAre("value 0 name= text=9007199254740993"));
  EXPECT_THAT(read("{\"a\":-9223372036854775808}").events,
              ElementsAre("value 0 name= text=-9223372036854775808"));
  EXPECT_EQ(read("{\"a\":9223372036854775808}").counts.not_finite, 1U);
  EXPECT_EQ(read("{\"a\":1.5}").counts.bad, 1U);
  EXPECT_EQ(read("{\"a\":1e3}").counts.bad, 1U);
  EXPECT_THAT(read("{\"c\":[{\"a\":18446744073709551615}]}").events,
              ElementsAre("open 2", "value 3 name= text=18446744073709551616.000000", "close 2"));
}

TEST(Json, LastOfEqualNamesWinsWhole) {
  const Outcome scalar = read("{\"a\":1,\"a\":2}");
  EXPECT_THAT(scalar.events, ElementsAre("value 0 name= text=2"));
  EXPECT_EQ(scalar.counts.duplicate, 1U);
  EXPECT_EQ(scalar.counts.kept, 1U);
  EXPECT_THAT(read("{\"a\":1,\"a\":null}").events, ElementsAre("null 0"));
  const Outcome list = read("{\"c\":[{\"a\":1},{\"a\":2}],\"c\":[{\"a\":3}]}");
  EXPECT_THAT(list.events, ElementsAre("open 2", "value 3 name= text=3.000000", "close 2"));
  EXPECT_EQ(list.counts.duplicate, 1U);
  EXPECT_EQ(list.counts.kept, 1U);
  EXPECT_EQ(list.counts.skipped, 2U);
  EXPECT_THAT(read("{\"d\":{\"a\":true,\"b\":1},\"d\":{\"b\":2}}").events,
              ElementsAre("value 6 name= text=2"));
  // Three times; and a name with an escape in it is the same name.
  EXPECT_THAT(read("{\"a\":1,\"\\u0061\":2,\"a\":3}").events, ElementsAre("value 0 name= text=3"));
}

TEST(Json, DepthIsBounded) {
  const std::string open(31, '[');
  const std::string close(31, ']');
  EXPECT_TRUE(read("{\"x\":" + open + close + "}").status.has_value());
  const Outcome deep = read("{\"x\":[" + open + close + "]}");
  ASSERT_FALSE(deep.status.has_value());
  EXPECT_EQ(deep.status.error().reason, Reason::kJson);
  EXPECT_THAT(deep.status.error().message, HasSubstr("32 levels"));
  EXPECT_EQ(read("{\"x\":" + std::string(1'000'000, '[')).status.error().reason, Reason::kJson);
}

TEST(Json, TruncatedIsToldFromBroken) {
  const std::string whole = "{\"a\":12,\"c\":[{\"a\":1.5,\"b\":{\"k\":\"\\u00e4\"}}],\"d\":{\"a\":true}}";
  ASSERT_TRUE(read(whole).status.has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Outcome o = read(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(o.status.has_value()) << size;
    EXPECT_EQ(o.status.error().reason, Reason::kTruncated) << size;
  }
  for (const char* text :
       {"{\"a\":1]", "{\"a\" 1}", "{a:1}", "{\"a\":01}", "{}{}", "{} x", "{\"a\":+1}", "{'a':1}",
        "{\"a\":NaN}", "{\"b\":\"\\q\"}", "{\"b\":\"\t\"}", "\xEF\xBB\xBF{}", "<html>", "{\"a\":1,}"}) {
    const Outcome o = read(text);
    ASSERT_FALSE(o.status.has_value()) << text;
    EXPECT_EQ(o.status.error().reason, Reason::kJson) << text;
  }
}

TEST(Json, AnotherKindOfDocumentIsRefused) {
  for (const char* text : {"[]", "1", "\"a\"", "null", "true"}) {
    const Outcome o = read(text);
    ASSERT_FALSE(o.status.has_value()) << text;
    EXPECT_EQ(o.status.error().reason, Reason::kJson) << text;
    EXPECT_THAT(o.status.error().message, HasSubstr("another kind")) << text;
  }
}

TEST(Json, ANulByteIsNotTheEnd) {
  using std::string_literals::operator""s;
  EXPECT_EQ(read("{\"a\":1}\0"s).status.error().reason, Reason::kJson);
  EXPECT_EQ(read("{\"a\":1}\0{\"a\":2}"s).status.error().reason, Reason::kJson);
  EXPECT_EQ(read("{\"b\":\"x\0y\"}"s).status.error().reason, Reason::kJson);
}

// reliability-security.md section 4.3: each of these broke RapidJSON in another configuration.
TEST(Json, HostilePayloads) {
  const std::array payloads = {std::string(60'000, '['), std::string("{\"a\":0.00000000000001e-2147483639}"),
                               std::string("{\"a\":128.74836467836484838364836483643636483648e-336}"),
                               std::string("\"\xF0\0", 3), std::string("{\"a\":1,\"a\":2}")};
  EXPECT_EQ(read(payloads[0]).status.error().reason, Reason::kJson);
  EXPECT_FALSE(read(payloads[1]).status.has_value() && read(payloads[1]).counts.kept != 0);
  EXPECT_FALSE(read(payloads[2]).status.has_value() && read(payloads[2]).counts.kept != 0);
  EXPECT_EQ(read(payloads[3]).status.error().reason, Reason::kJson);
  EXPECT_THAT(read(payloads[4]).events, ElementsAre("value 0 name= text=2"));
  EXPECT_FALSE(read("{\"b\":\"\xFF\xFE\"}").status.has_value());
  EXPECT_FALSE(read("{\"a\":1e309}").status.has_value());
  EXPECT_EQ(read("{\"b\":\"\\udc00\"}").counts.bad, 1U);
  EXPECT_EQ(read("{\"c\":[{\"b\":{\"\\udc00\":\"x\"}}]}").counts.bad, 1U);
  EXPECT_FALSE(read("{\"b\":\"\\ud800x\"}").status.has_value());
  EXPECT_THAT(read("{\"b\":\"\\ud83d\\ude00\"}").events, ElementsAre("value 1 name= text=\xF0\x9F\x98\x80"));
}

/// Random documents in the vocabulary of wanted(), so that every path is met with every type.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string document() {
    out_.clear();
    object(0);
    for (unsigned left = pick(4) == 0 ? pick(3) : 0; left > 0; --left) mutate();
    return out_;
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }

  void space() {
    if (pick(8) == 0) out_ += " \t\r\n"[pick(4)];
  }
  void name() {
    out_ += std::string("\"") + (pick(20) == 0 ? "\\u0061" : std::string(1, "abcdefgh"[pick(8)])) + "\"";
  }
  void object(int depth) {
    out_ += '{';
    for (unsigned i = 0, n = pick(depth == 0 ? 9 : 4); i < n; ++i) {
      if (i > 0) out_ += ',';
      space();
      name();
      space();
      out_ += ':';
      value(depth);
    }
    out_ += '}';
  }
  void value(int depth) {
    space();
    const unsigned choice = pick(depth > 5 ? 6 : 12);
    if (choice < 6) {
      static constexpr auto kScalars = std::to_array<const char*>({"1",
                                                                   "-2",
                                                                   "0",
                                                                   "2.5",
                                                                   "1e2",
                                                                   "-0.0",
                                                                   "9223372036854775807",
                                                                   "9223372036854775808",
                                                                   "123456789012345678901",
                                                                   "true",
                                                                   "false",
                                                                   "null",
                                                                   "\"\"",
                                                                   "\"500m\"",
                                                                   "\"\\n\\u0041\\\\\"",
                                                                   "\"\\ud83d\\ude00\"",
                                                                   "\"\\udc01\"",
                                                                   "\"\xC3\xA4\"",
                                                                   "1E+2",
                                                                   "4.9e-324",
                                                                   "1e-99"});
      out_ += kScalars[pick(kScalars.size())];
    } else if (choice < 9) {
      object(depth + 1);
    } else {
      out_ += '[';
      for (unsigned i = 0, n = pick(4); i < n; ++i) {
        if (i > 0) out_ += ',';
        value(depth + 1);
      }
      out_ += ']';
    }
    space();
  }
  void mutate() {
    if (out_.empty()) return;
    const std::size_t at = random_() % out_.size();
    switch (pick(4)) {
      case 0:
        out_[at] = static_cast<char>(random_() % 256);
        break;
      case 1:
        out_.erase(at, 1 + pick(8));
        break;
      case 2:
        out_.insert(at, 1, "{}[]\",:\\0\xED\xA0"[pick(11)]);
        break;
      default:
        out_ += out_.substr(at, 20);
    }
  }

  std::mt19937 random_;
  std::string out_;
};

TEST(Json, EqualsTheSlowParser) {
  Generator generator(4711);
  int accepted = 0;
  int with_repeats = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string document = generator.document();
    reference::JsonParser parser(document);
    const auto tree = parser.parse();
    const Outcome o = read(document);
    if (parser.has_huge_number()) continue;
    const bool is_object = tree && tree->type == reference::Json::Type::kObject;
    ASSERT_EQ(o.status.has_value(), is_object) << document;
    if (!is_object) continue;
    reference::EventWalk walk(wanted());
    walk.walk(*tree);
    if (walk.has_star_repeats) continue;
    ASSERT_EQ(o.events, walk.events) << document;
    ASSERT_EQ(o.counts.kept, walk.kept) << document;
    ASSERT_EQ(o.counts.bad, walk.bad) << document;
    ASSERT_EQ(o.counts.not_finite, walk.not_finite) << document;
    ++accepted;
    if (o.counts.duplicate > 0) ++with_repeats;
  }
  EXPECT_GT(accepted, 50'000);
  EXPECT_GT(with_repeats, 10'000);
}

}  // namespace
}  // namespace flintgauge
