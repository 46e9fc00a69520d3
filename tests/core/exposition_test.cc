#include "flintgauge/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/page_blocks.h"
#include "support/page_parser.h"

namespace flintgauge {
namespace {

using ::flintgauge::testing::PageParser;
using ::flintgauge::testing::ParsedPage;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr PageFormat kFormats[] = {PageFormat::kText004, PageFormat::kOpenMetrics100};

std::string text_of(double value) {
  std::string out;
  append_value(value, out);
  return out;
}

std::string page(const std::vector<const Block*>& blocks, PageFormat format) {
  std::string out;
  render(blocks, format, out);
  finish_page(format, out);
  return out;
}

bool same_bits(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// --- numbers ---

TEST(Value, IsTheShortestThatReadsBackTheSame) {
  EXPECT_EQ(text_of(0), "0");
  EXPECT_EQ(text_of(-0.0), "-0");
  EXPECT_EQ(text_of(1), "1");
  EXPECT_EQ(text_of(1'000'000), "1000000");
  EXPECT_EQ(text_of(-42), "-42");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(1e-7), "1e-07");
  EXPECT_EQ(text_of(9007199254740991.0), "9007199254740991");
  EXPECT_EQ(text_of(1e300), "1e+300");
  EXPECT_EQ(text_of(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(text_of(-2.2250738585072014e-308), "-2.2250738585072014e-308");
}

TEST(Value, SpellsTheOnesThatAreNoNumbersAsPrometheusDoes) {
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text_of(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-Inf");
}

/// `value` in scientific notation with the least digits that read back as the same. Of as many digits the
/// nearest decimal is tried first, then its neighbours: next to a power of two only one of them may do.
std::string slow_scientific(double value) {
  char text[64];
  for (int digits = 0;; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits, value);
    const long double step = std::pow(10.0L, std::atoi(std::strchr(text, 'e') + 1) - digits);
    for (const long double neighbour : {0.0L, step, -step}) {
      std::snprintf(text, sizeof text, "%.*Le", digits, static_cast<long double>(value) + neighbour);
      if (std::strtod(text, nullptr) == value) return text;
    }
  }
}

/// The slow twin: the shorter of both notations.
std::string slow_text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[512];
  std::snprintf(text, sizeof text, "%.0f", value);
  if (std::fabs(value) < 9007199254740992.0 && std::strtod(text, nullptr) == value) return text;
  const std::string scientific = slow_scientific(value);
  for (int digits = 0; digits <= 340; ++digits) {
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return std::string(text).size() <= scientific.size() ? text : scientific;
}

TEST(Value, AgreesWithTheSlowTwinAndReadsBack) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 5'000; ++i) {
    const double value = testing::any_value(random);
    const std::string text = text_of(value);
    ASSERT_EQ(text, slow_text_of(value));
    ASSERT_TRUE(same_bits(std::strtod(text.c_str(), nullptr), value)) << text;
  }
}

// Counters of nano- and milliseconds in seconds, and the doubles beside them: what is printed from an
// integer.
TEST(Value, DecimalsAgreeWithTheSlowTwin) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 3'000; ++i) {
    const std::uint64_t digits = (random() % 10'000'000'000'000'000) >> random() % 54;
    const double decimal = static_cast<double>(digits) / std::pow(10.0, static_cast<double>(random() % 13));
    for (const double value : {decimal, -decimal, std::nextafter(decimal, 0), std::nextafter(decimal, 1e300)})
      ASSERT_EQ(text_of(value), slow_text_of(value));
  }
  for (const double edge :
       {1e-3, 1e6, 1e12, 1e15, 1e16, 99'999'999.0, 1e8, 999'999.999'999'999, 0.001'000'001})
    for (const double value : {edge, std::nextafter(edge, 0), std::nextafter(edge, 1e300)})
      ASSERT_EQ(text_of(value), slow_text_of(value));
}

TEST(Escape, TouchesBackslashQuoteAndNewlineOnly) {
  std::string out = "kept ";
  append_escaped("a\\b\"c\nd\t{},=\xc3\xa4", out);
  EXPECT_EQ(out, "kept a\\\\b\\\"c\\nd\t{},=\xc3\xa4");
}

// --- family lines ---

TEST(FamilyHeader, OfACounterKeepsTotalInTextAndLosesItInOpenMetrics) {
  std::string text;
  append_family_header(info(family("flintgauge_app_network_receive_bytes_total")), PageFormat::kText004,
                       text);
  EXPECT_EQ(
      text,
      "# HELP flintgauge_app_network_receive_bytes_total Bytes received by pods with a network of their "
      "own, this node's share.\n"
      "# TYPE flintgauge_app_network_receive_bytes_total counter\n");
  std::string openmetrics;
  append_family_header(info(family("flintgauge_app_network_receive_bytes_total")),
                       PageFormat::kOpenMetrics100, openmetrics);
  EXPECT_EQ(
      openmetrics,
      "# TYPE flintgauge_app_network_receive_bytes counter\n"
      "# UNIT flintgauge_app_network_receive_bytes bytes\n"
      "# HELP flintgauge_app_network_receive_bytes Bytes received by pods with a network of their own, this "
      "node's share.\n");
}

TEST(FamilyHeader, OfAnInfoIsAGaugeInTextAndLosesItsSuffixInOpenMetrics) {
  std::string text;
  append_family_header(info(family("flintgauge_app_info")), PageFormat::kText004, text);
  EXPECT_THAT(text, HasSubstr("# TYPE flintgauge_app_info gauge\n"));
  std::string openmetrics;
  append_family_header(info(family("flintgauge_app_info")), PageFormat::kOpenMetrics100, openmetrics);
  EXPECT_THAT(openmetrics, HasSubstr("# TYPE flintgauge_app info\n"));
  EXPECT_THAT(openmetrics, Not(HasSubstr("UNIT")));
}

// OpenMetrics wants the state in a label called like the family; ours is called `reason` in both formats.
TEST(FamilyHeader, OfAStateSetIsAGaugeInBothFormats) {
  for (const PageFormat format : kFormats) {
    std::string out;
    append_family_header(info(family("flintgauge_hint_reason")), format, out);
    EXPECT_THAT(out, HasSubstr("# TYPE flintgauge_hint_reason gauge\n"));
  }
}

TEST(FamilyHeader, EscapesTheHelp) {
  const Family odd{"flintgauge_odd_bytes", MetricType::kGauge, Owner::kDerived, {}, "a \\ \"b\"\nc", ""};
  std::string text;
  append_family_header(odd, PageFormat::kText004, text);
  EXPECT_THAT(text, HasSubstr("# HELP flintgauge_odd_bytes a \\\\ \"b\"\\nc\n"));
  std::string openmetrics;
  append_family_header(odd, PageFormat::kOpenMetrics100, openmetrics);
  EXPECT_THAT(openmetrics, HasSubstr("# HELP flintgauge_odd_bytes a \\\\ \\\"b\\\"\\nc\n"));
}

// OpenMetrics: family names are unique, and so are the names of the samples they may have.
TEST(FamilyHeader, NamesOfTheCatalogueDoNotClashInOpenMetrics) {
  std::set<std::string> names;
  for (const Family& entry : kCatalogue) {
    std::string name(entry.name);
    std::vector<std::string> reserved;
    if (entry.type == MetricType::kCounter) {
      name.resize(name.size() - 6);
      reserved = {name, name + "_total", name + "_created"};
    } else if (entry.type == MetricType::kInfo) {
      name.resize(name.size() - 5);
      reserved = {name, name + "_info"};
    } else {
      reserved = {name};
    }
    for (const std::string& taken : reserved) EXPECT_TRUE(names.insert(taken).second) << taken;
  }
}

// --- pages ---

class RandomPages : public ::testing::Test {
 protected:
  void make(std::uint64_t seed, std::size_t tries) {
    std::mt19937_64 random(seed);
    for (const Owner owner : {Owner::kSpark, Owner::kDerived, Owner::kCompanions, Owner::kKubelet}) {
      blocks_.push_back(testing::make_block(owner, tries, random, testing::any_value, testing::any_text));
      pointers_.push_back(blocks_.back().get());
      pointers_.push_back(nullptr);
    }
  }

  /// The slow twin: every family of the catalogue, every series of every block, one string at a time.
  std::string slow_page(PageFormat format) const {
    std::string out;
    for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
      std::map<std::vector<std::string>, double> series;
      for (const auto& block : blocks_) {
        for (std::size_t s = 0; s < block->schema->size(); ++s) {
          if (block->schema->family(s) != static_cast<FamilyId>(i)) continue;
          const auto labels = block->schema->labels(s);
          series[std::vector<std::string>(labels.begin(), labels.end())] = block->values[s];
        }
      }
      if (series.empty()) continue;
      append_family_header(kCatalogue[i], format, out);
      for (const auto& [labels, value] : series) out += slow_line(kCatalogue[i], labels, value);
    }
    return format == PageFormat::kText004 ? out : out + "# EOF\n";
  }

  static std::string slow_line(const Family& entry, const std::vector<std::string>& labels, double value) {
    std::string line(entry.name);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      line += (i == 0 ? "{" : ",") + std::string(entry.labels[i]) + "=\"";
      for (const char c : labels[i]) {
        line += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
      }
      line += '"';
    }
    return line + (labels.empty() ? " " : "} ") + slow_text_of(value) + "\n";
  }

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<const Block*> pointers_;
};

TEST_F(RandomPages, AgreeWithTheSlowTwin) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    blocks_.clear();
    pointers_.clear();
    make(seed, 60 * seed);
    for (const PageFormat format : kFormats) ASSERT_EQ(page(pointers_, format), slow_page(format)) << seed;
  }
}

TEST_F(RandomPages, ReadBackAsWhatTheyWereMadeFrom) {
  make(5, 1000);
  for (const PageFormat format : kFormats) {
    const ParsedPage parsed = PageParser::parse(page(pointers_, format), format);
    EXPECT_THAT(parsed.problems, IsEmpty());
    std::size_t series = 0;
    for (const auto& block : blocks_) {
      for (std::size_t s = 0; s < block->schema->size(); ++s, ++series) {
        const Family& entry = info(block->schema->family(s));
        ParsedPage::Labels labels;
        for (std::size_t i = 0; i < entry.label_count(); ++i) {
          labels.emplace_back(entry.labels[i], block->schema->labels(s)[i]);
        }
        const auto found = parsed.samples.find({std::string(entry.name), labels});
        ASSERT_NE(found, parsed.samples.end()) << block->schema->prefix(s);
        EXPECT_TRUE(same_bits(found->second, block->values[s])) << block->schema->prefix(s);
      }
    }
    EXPECT_EQ(parsed.samples.size(), series);
  }
}

TEST(Page, WithoutSeriesIsEmptyOrOnlyTheEnd) {
  Block empty;
  empty.schema = SchemaBuilder().build().schema;
  EXPECT_EQ(page({&empty, nullptr}, PageFormat::kText004), "");
  EXPECT_EQ(page({&empty, nullptr}, PageFormat::kOpenMetrics100), "# EOF\n");
}

TEST(Page, AppendsToWhatIsThere) {
  std::mt19937_64 random(1);
  const auto block = testing::make_block(Owner::kSpark, 10, random, testing::any_value, testing::any_text);
  const Block* const blocks[] = {block.get()};
  std::string out = "before\n";
  render(blocks, PageFormat::kText004, out);
  EXPECT_EQ(out, "before\n" + page({block.get()}, PageFormat::kText004));
}

// Longer than the renderer's own buffer, and around its size.
TEST(Page, LongLabelsComeThroughWhole) {
  for (const std::size_t size : {16'000U, 16'300U, 16'320U, 16'340U, 16'360U, 16'384U, 20'000U, 100'000U}) {
    SchemaBuilder builder;
    builder.add(family("flintgauge_namespace_memory_rss_bytes"), {"a", "other"});
    builder.add(family("flintgauge_namespace_memory_rss_bytes"), {std::string(size, 'x'), "spark"});
    builder.add(family("flintgauge_namespace_memory_rss_bytes"), {"y", "other"});
    Block block;
    block.schema = builder.build().schema;
    block.values = {1, 2.5, 3};
    const std::string text = page({&block}, PageFormat::kText004);
    EXPECT_THAT(PageParser::parse(text, PageFormat::kText004).problems, IsEmpty());
    EXPECT_THAT(text, ::testing::EndsWith(
                          "flintgauge_namespace_memory_rss_bytes{namespace=\"a\",workload=\"other\"} 1\n" +
                          std::string(block.schema->prefix(1)) + "2.5\n" +
                          std::string(block.schema->prefix(2)) + "3\n"));
  }
}

// The parser of these tests must be able to object.
TEST(PageParser, ObjectsToWhatTheFormatsForbid) {
  const auto problems = [](const std::string& text, PageFormat format) {
    return PageParser::parse(text, format).problems.size();
  };
  const std::string good = "# TYPE a gauge\na{b=\"c\"} 1\n";
  EXPECT_EQ(problems(good, PageFormat::kText004), 0U);
  EXPECT_EQ(problems(good + "# EOF\n", PageFormat::kOpenMetrics100), 0U);
  for (const char* bad :
       {"# TYPE a gauge\na 1", "a 1\n", "# TYPE a gauge\na 1\n\na{b=\"c\"} 1\n", "# TYPE a gauge\na 1\na 1\n",
        "# TYPE a gauge\na{b=\"c} 1\n", "# TYPE a gauge\na{b=\"\\c\"} 1\n", "# TYPE a gauge\na 1,5\n",
        "# TYPE a gauge\na 1 2\n", "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na{x=\"y\"} 2\n",
        "# TYPE a gauge\nb 1\n", "# TYPE a gauge\n# TYPE a gauge\na 1\n"}) {
    EXPECT_GT(problems(bad, PageFormat::kText004), 0U) << bad;
  }
  for (const char* bad : {"# TYPE a gauge\na 1\n", "# TYPE a counter\na 1\n# EOF\n",
                          "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n", "# EOF\na 1\n"}) {
    EXPECT_GT(problems(bad, PageFormat::kOpenMetrics100), 0U) << bad;
  }
}

}  // namespace
}  // namespace flintgauge
