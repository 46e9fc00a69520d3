// The text decoder against its slow twin, and the rules that the twin alone could get wrong in the same way.
#include "collectors/common/text_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "support/random_pages.h"
#include "support/text_twins.h"

namespace flintgauge {
namespace {

/// random_pages.h's page with limits that a test can reach.
TextPage small_page() {
  TextPage page = page_of_w();
  page.limits = {1'000, 8, 32, 64};
  return page;
}

struct BodyCase {
  const char* name;
  std::string body;
  std::optional<Reason> failure;
  std::uint64_t kept = 0;
  std::uint64_t skipped = 0;
};
class TextBody : public testing::TestWithParam<BodyCase> {};

TEST_P(TextBody, IsTakenOrRefused) {
  TextTwins twins(small_page());
  const BodyCase& test = GetParam();
  for (const std::size_t size : {std::string::npos, std::size_t{1}, std::size_t{3}}) {
    ASSERT_EQ(twins.scrape(test.body, [&] { return size; }), "");
    const auto decoder = make_text_decoder(small_page());
    decoder->begin();
    Status fed = decoder->feed(test.body);
    const std::optional<Error> error = !fed ? std::optional(fed.error()) : [&]() -> std::optional<Error> {
      Result<Batch> batch = decoder->finish();
      if (batch) return std::nullopt;
      return batch.error();
    }();
    ASSERT_EQ(error.has_value(), test.failure.has_value()) << (error ? error->message : "");
    if (error) {
      EXPECT_EQ(error->reason, *test.failure) << error->message;
      EXPECT_LE(error->message.size(), 256U);
      continue;
    }
    EXPECT_EQ(decoder->counts().kept, test.kept);
    EXPECT_EQ(decoder->counts().skipped, test.skipped);
  }
}

std::string many_labels(int count) {
  std::string text = "w{";
  for (int i = 0; i < count; ++i) text += "l" + std::to_string(i) + "=\"\",";
  return text + "} 1\n";
}

INSTANTIATE_TEST_SUITE_P(
    TextFormat, TextBody,
    testing::Values(
        BodyCase{"plain", "w 1\n", {}, 1},
        BodyCase{"type_lines", "# HELP w x\n# TYPE w counter\nw 1\n", {}, 1},
        BodyCase{"empty", "", Reason::kTruncated}, BodyCase{"only_newline", "\n", {}, 0},
        BodyCase{"no_final_newline", "w 1\nw2 2", Reason::kTruncated},
        BodyCase{"cut_in_name", "w 1\nw", Reason::kTruncated}, BodyCase{"eof_mark", "w 1\n# EOF\n", {}, 1},
        BodyCase{"eof_mark_no_newline", "w 1\n# EOF", {}, 1},
        BodyCase{"comment_cut", "w 1\n# EO", Reason::kTruncated},
        BodyCase{"crlf", "w{a=\"1\"} 1\r\nw{a=\"2\"} 2 3\r\n\r\n# x\r\n", {}, 2},
        BodyCase{"cr_inside", "w 1\r1\n", Reason::kParse}, BodyCase{"two_cr", "w 1\r\r\n", Reason::kParse},
        BodyCase{"bom", "\xEF\xBB\xBFw 1\n", Reason::kParse},
        BodyCase{"tabs", "w\t\t7\t1760000000000\t \n\tw2 1\n", {}, 2},
        BodyCase{"spaces_in_braces", "w { a = \"yes\" , } 3\n", {}, 1},
        BodyCase{"empty_braces", "w{} 3\n", {}, 1}, BodyCase{"no_blank_after_brace", "w{a=\"1\"}3\n", {}, 1},
        BodyCase{"escapes", "w{a=\"C:\\\\DIR\\\\\",b=\"\\\"q\\\"\\n\"} 1\n", {}, 1},
        BodyCase{"brace_in_value", "w{a=\"} 9 {\",b=\"a,b\",c=\"# x\"} 2 1760000000000\n", {}, 1},
        BodyCase{"wrong_escape", "w{a=\"\\t\"} 1\n", Reason::kParse},
        BodyCase{"escape_at_end", "w{a=\"\\\n\"} 1\n", Reason::kParse},
        BodyCase{"no_closing_quote", "w{a=\"b} 1\n", Reason::kParse},
        BodyCase{"no_closing_brace", "w{a=\"b\" 1\n", Reason::kParse},
        BodyCase{"no_value", "w{a=\"b\"}\n", Reason::kParse}, BodyCase{"only_name", "w\n", Reason::kParse},
        BodyCase{"leading_comma", "w{,a=\"b\"} 1\n", Reason::kParse},
        BodyCase{"two_commas", "w{a=\"b\",,} 1\n", Reason::kParse},
        BodyCase{"digit_label", "w{1a=\"b\"} 1\n", Reason::kParse},
        BodyCase{"colon_label", "w{a:b=\"b\"} 1\n", Reason::kParse},
        BodyCase{"name_label", "w{__name__=\"x\"} 1\n", Reason::kParse},
        BodyCase{"label_twice", "w{a=\"1\",b=\"2\",a=\"3\"} 1\n", Reason::kParse},
        BodyCase{"three_numbers", "w 1 2 3\n", Reason::kParse},
        BodyCase{"exemplar", "w 1 # {t=\"x\"} 1\n", Reason::kParse},
        BodyCase{"html", "<html>\n", Reason::kParse},
        BodyCase{"binary", std::string("w 1\n\x16\x03\x01\x00\n", 9), Reason::kParse},
        BodyCase{"digit_name", "1w 1\n", Reason::kParse}, BodyCase{"dot_name", "w.x 1\n", Reason::kParse},
        BodyCase{"unwanted_is_not_read", "u{broken 1\nu nonsense\nu{a=\"\\t\"} x\n", {}, 0, 3},
        BodyCase{"unwanted_needs_more", "u\n", Reason::kParse},
        BodyCase{"unwanted_row_needs_labels", "w{drop=\"yes\" 1\n", Reason::kParse},
        BodyCase{"unwanted_row_value_is_not_read", "w{drop=\"yes\"} x\nw{drop=\"yes\"} y\n", {}, 0, 2},
        BodyCase{"families_mixed", "u 1\nw 1\nu_w 2\nw2 1\nu{a=\"1\"} 2\nuu 1\nu 2\n", {}, 2, 5},
        BodyCase{"colon_name", "w:x 8\n_u 9\n:u 9\n", {}, 1, 2},
        BodyCase{"name_prefix", "w 1\nw1 2\nw12 3\n", {}, 3},
        BodyCase{"nothing_but_comments", "#\n# TYPE\n   \n#x\n", {}, 0},
        BodyCase{"eight_labels", many_labels(8), {}, 1},
        BodyCase{"nine_labels", many_labels(9), Reason::kLimit},
        BodyCase{"long_label_name", "w{" + std::string(33, 'a') + "=\"\"} 1\n", Reason::kLimit},
        BodyCase{"longest_label_name", "w{" + std::string(32, 'a') + "=\"\"} 1\n", {}, 1},
        BodyCase{"long_value", "w{a=\"" + std::string(65, 'a') + "\"} 1\n", Reason::kLimit},
        BodyCase{"longest_value", "w{a=\"" + std::string(64, 'a') + "\"} 1\n", {}, 1},
        BodyCase{"long_name", "w" + std::string(32, 'a') + " 1\n", Reason::kLimit},
        BodyCase{"long_unwanted_name", "u" + std::string(60'000, 'a') + " 1\n", Reason::kLimit},
        BodyCase{"long_line", "u " + std::string(kMaxLineSize - 1, 'x') + "\n", Reason::kLineTooLong},
        BodyCase{"longest_line", "u " + std::string(kMaxLineSize - 2, 'x') + "\n", {}, 0, 1},
        BodyCase{"long_second_line", "u 1\nu " + std::string(kMaxLineSize - 1, 'x') + "\n",
                 Reason::kLineTooLong},
        BodyCase{"long_comment", "#" + std::string(kMaxLineSize, 'x') + "\n", Reason::kLineTooLong},
        BodyCase{"long_without_end", "w 1\n" + std::string(kMaxLineSize + 1, 'x'), Reason::kLineTooLong},
        BodyCase{"long_blanks", "w" + std::string(kMaxLineSize, ' ') + "1\n", Reason::kLineTooLong}),
    [](const auto& test) { return std::string(test.param.name); });

std::string repeated(std::string_view line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line;
  return text;
}

std::string numbered(std::string_view name, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += std::string(name) + "{a=\"" + std::to_string(i) + "\"} " + std::to_string(i) + "\n";
  }
  return text;
}

TEST(TextDecoder, ManySamplesFailWholeWhereverTheyAre) {
  TextTwins twins(small_page());
  EXPECT_EQ(twins.scrape(numbered("w", 1'000)), "");
  EXPECT_EQ(twins.batch().samples.size(), 1'000U);
  for (const std::string& body :
       {numbered("w", 1'001), numbered("u", 1'001), numbered("w", 600) + numbered("u", 401),
        numbered("u", 600) + numbered("w", 401)}) {
    EXPECT_EQ(twins.scrape(body), "");
    EXPECT_EQ(slow_scrape(body, small_page()).failure, Reason::kLimit);
  }
  EXPECT_EQ(twins.scrape(numbered("u", 1'000)), "");
}

TEST(TextDecoder, LastOfDuplicatesWinsAndMoreThanOnePercentFails) {
  TextTwins twins(small_page());
  EXPECT_EQ(twins.scrape("w 1\nw 2\nw 3\n"), "");
  ASSERT_EQ(twins.batch().samples.size(), 1U);
  EXPECT_EQ(twins.batch().samples[0].value, 3);
  EXPECT_EQ(twins.decoder().counts().duplicate, 2U);
  EXPECT_EQ(twins.scrape(repeated("w 1\n", 11)), "");
  EXPECT_EQ(slow_scrape(repeated("w 1\n", 12), small_page()).failure, Reason::kParse);
  EXPECT_EQ(twins.scrape(repeated("w 1\n", 12)), "");
  EXPECT_EQ(twins.scrape(numbered("u", 900) + repeated("w 1\n", 12)), "");
}

TEST(TextDecoder, SpellingsOfOneSeriesAreOneSeries) {
  TextTwins twins(small_page());
  const std::string one = "w{a=\"1\",b=\"2\"} 1\n";
  const std::string two = "w{b=\"2\",a=\"1\"} 2\n";
  const std::string three = "w { a=\"1\", b=\"2\", } 3\n";
  for (const std::string& body :
       {one, two, three, one + two, two + one, three + two, one, two, three + one + two}) {
    ASSERT_EQ(twins.scrape(body), "") << body;
    EXPECT_EQ(twins.batch().samples.size(), 1U);
    EXPECT_EQ(twins.live(), 1U);
  }
  EXPECT_EQ(twins.scrape("w{a=\"1\"} 1\n"), "");
  EXPECT_EQ(twins.batch().retired.size(), 1U);
}

TEST(TextDecoder, NotFiniteKeepsTheSeriesButGivesNoSample) {
  TextTwins twins(small_page());
  EXPECT_EQ(twins.scrape("w 1\n"), "");
  for (const char* value : {"NaN", "nan", "+Inf", "-inf", "Infinity", "1e999", "-1e999", "1e-999"}) {
    EXPECT_EQ(twins.scrape("w " + std::string(value) + "\n"), "") << value;
    EXPECT_EQ(twins.decoder().counts().not_finite, 1U) << value;
    EXPECT_TRUE(twins.batch().samples.empty()) << value;
    EXPECT_TRUE(twins.batch().retired.empty()) << value;
    EXPECT_EQ(twins.live(), 1U) << value;
  }
  EXPECT_EQ(twins.scrape("w 1\nw NaN\n"), "");
  EXPECT_EQ(twins.batch().samples.size(), 1U);
}

TEST(TextDecoder, FailedScrapesLeaveNoTrace) {
  TextTwins twins(small_page());
  const std::string good = numbered("w", 5);
  EXPECT_EQ(twins.scrape(good), "");
  for (const std::string& bad : {good + "w{a=\"new\"} 1\nw x\n", good + "w{a=\"new\"} 1\nw{b=\"new\"} 2",
                                 std::string("w{a=\"4\"} 1\nw{"), numbered("w", 2'000), std::string()}) {
    EXPECT_EQ(twins.scrape(bad), "");
    EXPECT_EQ(twins.scrape(good), "");
    EXPECT_TRUE(twins.batch().created.empty());
    EXPECT_TRUE(twins.batch().retired.empty());
    EXPECT_EQ(twins.decoder().counts().slow_lines, 0U) << "the order of the last good scrape still predicts";
    EXPECT_EQ(twins.decoder().counts().new_series, 0U);
  }
}

TEST(TextDecoder, RetiredNumbersAreUsedAgain) {
  TextTwins twins(small_page());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(twins.scrape("w{a=\"" + std::to_string(i) + "\"} 1\nw 2\n"), "");
    EXPECT_LE(twins.batch().routes.size(), 3U);
  }
}

TEST(TextDecoder, OneLineThatComesOrGoesCostsOneSlowLine) {
  TextTwins twins(small_page());
  const std::string head = numbered("w", 100);
  const std::string tail = numbered("w2", 100);
  EXPECT_EQ(twins.scrape(head + tail), "");
  EXPECT_EQ(twins.decoder().counts().new_series, 200U);
  EXPECT_EQ(twins.scrape(head + "w{a=\"new\"} 1\n" + tail), "");
  EXPECT_EQ(twins.decoder().counts().slow_lines, 1U);
  EXPECT_EQ(twins.decoder().counts().new_series, 1U);
  EXPECT_EQ(twins.scrape(head + tail), "");
  EXPECT_EQ(twins.decoder().counts().slow_lines, 1U);
  EXPECT_EQ(twins.scrape(head + tail), "");
  EXPECT_EQ(twins.decoder().counts().slow_lines, 0U);
}

TEST(TextDecoder, BrokenUtf8BecomesReplacementCharacters) {
  TextTwins twins(small_page());
  const std::string body = "w{a=\"\xC3\xA9 \xF0\x9F\x98\x80\",b=\"x\xFFy\xC0\xAF\xED\xA0\x80\",c=\"" +
                           std::string(1, '\0') + "\"} 1\n";
  EXPECT_EQ(twins.scrape(body), "");
  ASSERT_EQ(twins.batch().created.size(), 1U);
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(twins.batch().routes[0].pod,
            "a=\xC3\xA9 \xF0\x9F\x98\x80;b=x" + mark + "y" + repeated(mark, 5) + ";c=" + mark + ";");
}

TEST(TextDecoder, LenientPagesSkipBadLines) {
  TextTwins twins(lenient_page());
  EXPECT_EQ(
      twins.scrape("w 1.0E7\nw2 null\nw3 true\nw4 Infinity\n<html>\nw5{a=\"x} 1\nu x\nw6{a=\"\xFF\"} 1\n"),
      "");
  EXPECT_EQ(twins.decoder().counts().kept, 1U);
  EXPECT_EQ(twins.decoder().counts().bad, 5U);
  EXPECT_EQ(twins.decoder().counts().not_finite, 1U);
  EXPECT_EQ(twins.decoder().counts().skipped, 1U);
  EXPECT_EQ(twins.scrape("<html>\n"), "");
  EXPECT_EQ(slow_scrape("<html>\n", lenient_page()).failure, Reason::kParse);
  EXPECT_EQ(slow_scrape("w 1\nw 2", lenient_page()).failure, Reason::kTruncated);
}

TEST(TextDecoder, UnescapedValuesMayHoldQuotes) {
  TextTwins twins(lenient_page());
  EXPECT_EQ(twins.scrape("w{a=\"spark-1\", b=\"retry \"quoted\"  app\", c=\"1\"} 5.0\n"), "");
  ASSERT_EQ(twins.batch().created.size(), 1U);
  EXPECT_EQ(twins.batch().routes[0].pod, "a=spark-1;b=retry \"quoted\"  app;c=1;");
  EXPECT_EQ(twins.scrape("w{a=\"C:\\temp\\\", b=\"x}, \"y\"} z\", c=\"1\"} 5.0\n"), "");
  ASSERT_EQ(twins.batch().created.size(), 1U);
  EXPECT_EQ(twins.batch().routes[twins.batch().created[0]].pod, "a=C:\\temp\\;b=x}, \"y\"} z;c=1;");
}

}  // namespace
}  // namespace flintgauge
