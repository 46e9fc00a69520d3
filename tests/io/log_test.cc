#include "agent/io/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>
#include <vector>

namespace flintgauge::log {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

/// What the call writes to stderr.
template <typename Call>
std::string written(Call call) {
  testing::internal::CaptureStderr();
  call();
  return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
 protected:
  ~Log() override { EXPECT_TRUE(setup("info", "logfmt")); }
};

TEST_F(Log, LogfmtLineHasTimeLevelMessageAndFields) {
  const std::string line = written([] {
    info("first kind of line", {{"target", "cadvisor"}, {"seconds", 0.25}, {"count", 7}, {"ok", true}});
  });
  EXPECT_THAT(line, MatchesRegex("time=[0-9-]+T[0-9:]+\\.[0-9]+Z level=info msg=\"first kind of line\" "
                                 "target=cadvisor seconds=0.25 count=7 ok=true\n"));
}

TEST_F(Log, JsonLineIsOneObject) {
  ASSERT_TRUE(setup("info", "json"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string line = written([&] {
    warn("json line", {{"text", "a \"b\"\nc"}, {"none", nan}, {"n", -3}});
  });
  EXPECT_THAT(line, EndsWith(R"("level":"warn","msg":"json line","text":"a \"b\"\\nc","none":null,"n":-3})"
                             "\n"));
  EXPECT_THAT(line, MatchesRegex("\\{\"time\":\"[0-9-]+T[0-9:.]+Z\".*"));
}

TEST_F(Log, ForeignTextCannotForgeALine) {
  const std::string line = written([] {
    warn("foreign", {{"text", "x\nlevel=info msg=forged \"q\" {} %s %n \x1b[31m \xc3\xa9"}});
  });
  EXPECT_THAT(line, EndsWith(R"(text="x\nlevel=info msg=forged \"q\" {} %s %n \x1b[31m \xc3\xa9")"
                             "\n"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_F(Log, LongTextIsCut) {
  const std::string line = written([] { warn("long", {{"text", std::string(100'000, 'a')}}); });
  EXPECT_THAT(line, EndsWith(" text=" + std::string(253, 'a') + "...\n"));
}

TEST_F(Log, LevelDecides) {
  ASSERT_TRUE(setup("warn", "logfmt"));
  EXPECT_EQ(written([] { info("below the level"); }), "");
  EXPECT_THAT(written([] { error("above the level"); }), HasSubstr("level=error"));
  EXPECT_EQ(setup("loud", "logfmt").error().message,
            "log.level: one of debug, info, warn, error; not \"loud\"");
  EXPECT_EQ(setup("info", "xml").error().message, "log.format: logfmt or json; not \"xml\"");
}

TEST_F(Log, RepeatedLineIsSuppressedPerFirstFieldAndCounted) {
  const std::uint64_t before = suppressed_total();
  const std::string lines = written([] {
    for (int i = 0; i < 100; ++i) info("target down", {{"target", "a"}, {"attempt", i}});
    info("target down", {{"target", "b"}});
  });
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_EQ(suppressed_total() - before, 99U);
}

TEST_F(Log, LinesOfSeveralThreadsStayWhole) {
  const std::string lines = written([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 25; ++i) info("thread line", {{"key", t * 100 + i}, {"end", "here"}});
      });
    }
  });
  std::size_t begin = 0;
  int count = 0;
  for (std::size_t end; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1, ++count)
    EXPECT_THAT(lines.substr(begin, end - begin),
                MatchesRegex("time=.* msg=\"thread line\" key=[0-9]+ end=here"));
  EXPECT_EQ(count, 100);
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable(std::string_view("\0\x7f\xff", 3)), "\\x00\\x7f\\xff");
  EXPECT_EQ(printable("a\\b\r\t"), "a\\\\b\\r\\t");
  EXPECT_EQ(printable("12345678", 8), "12345678");
  EXPECT_EQ(printable("123456789", 8), "12345...");
  EXPECT_EQ(printable("123\xff"
                      "89",
                      8),
            "123...")
      << "no half escape";
  EXPECT_EQ(printable(std::string(1'000, '\n')).size(), 256U - 1) << "whole escapes only";
}

}  // namespace
}  // namespace flintgauge::log
