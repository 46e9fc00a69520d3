#include "agent/io/unchanged_body.h"

#include <gtest/gtest.h>

#include <random>

namespace flintgauge {
namespace {

struct RecordingDecoder final : Decoder {
  void begin() override {
    seen.clear();
    ++begun;
  }
  Status feed(std::string_view bytes) override {
    seen += bytes;
    return seen.find('!') == std::string::npos ? Status() : fail(Reason::kParse, "!");
  }
  Result<Batch> finish() override { return Batch(SampleBatch{}); }
  const ScrapeCounts& counts() const override { return none; }
  std::string seen;
  int begun = 0;
  ScrapeCounts none;
};

class UnchangedBodyTest : public ::testing::Test {
 protected:
  /// True: it was not decoded. Nothing: refused.
  std::optional<bool> send(std::string_view body, std::size_t piece = 3, bool accept = true) {
    decoder_.seen = "(not asked)";
    unchanged_.begin(decoder_);
    for (std::size_t at = 0; at < body.size(); at += piece) {
      if (!unchanged_.take(body.substr(at, piece), decoder_)) return std::nullopt;
    }
    const Result<bool> same = unchanged_.finish(decoder_);
    if (!same) return std::nullopt;
    if (accept) unchanged_.accept();
    return *same;
  }

  RecordingDecoder decoder_;
  UnchangedBody unchanged_;
};

TEST_F(UnchangedBodyTest, OnlyTheSameBodyIsNotDecoded) {
  for (const char* body : {"abcdefgh", "abcdefgX", "Xbcdefgh", "abc", "abcdefghi", "", "abcdefgh"}) {
    EXPECT_EQ(send(body), false) << body;
    EXPECT_EQ(decoder_.seen, body);
    EXPECT_EQ(send(body, 2), true) << body;
    EXPECT_EQ(decoder_.seen, "(not asked)");
  }
}

TEST_F(UnchangedBodyTest, ABodyThatWasNotGoodIsDecodedAgain) {
  EXPECT_EQ(send("abcdef"), false);
  EXPECT_EQ(send("abcxyz", 3, false), false);
  EXPECT_EQ(send("abcxyz"), false);
  EXPECT_EQ(send("abcxyz"), true);
  EXPECT_EQ(send("abc!yz"), std::nullopt);
  EXPECT_EQ(send("abc!yz"), std::nullopt) << "an error is not taken for unchanged";
  EXPECT_EQ(send("abcxyz"), false);
}

TEST_F(UnchangedBodyTest, ABodyCutShortWhileEqualLeavesTheGoodOne) {
  EXPECT_EQ(send("abcdef"), false);
  unchanged_.begin(decoder_);
  ASSERT_TRUE(unchanged_.take("abc", decoder_));  // and here the connection breaks
  EXPECT_EQ(send("abcdef"), true);
}

TEST_F(UnchangedBodyTest, ForgottenBodiesAreDecoded) {
  EXPECT_EQ(send("abcdef"), false);
  unchanged_.forget();
  EXPECT_EQ(send("abcdef"), false);
  EXPECT_EQ(send("abcdef"), true);
}

TEST_F(UnchangedBodyTest, HugeBodiesAreDecodedAlwaysAndNotKept) {
  const std::string huge(UnchangedBody::kKeepLimit + 1, 'x');
  EXPECT_EQ(send(huge, 1 << 20), false);
  EXPECT_EQ(send(huge, 1 << 20), false);
  EXPECT_EQ(decoder_.seen.size(), huge.size());
  const std::string most = huge.substr(1);
  EXPECT_EQ(send(most, 1 << 20), false);
  EXPECT_EQ(send(most, 1 << 20), true);
}

// The slow twin: compare whole strings.
TEST_F(UnchangedBodyTest, AgreesWithComparingWholeBodies) {
  std::mt19937 random(7);
  std::string good;
  bool has_good = false;
  for (int i = 0; i < 20'000; ++i) {
    std::string body;
    for (std::size_t left = random() % 6; left > 0; --left) body += static_cast<char>('a' + random() % 2);
    const bool accept = random() % 4 != 0;
    const std::optional<bool> same = send(body, 1 + random() % 4, accept);
    ASSERT_TRUE(same);
    EXPECT_EQ(*same, has_good && body == good) << body;
    if (!*same) {
      ASSERT_EQ(decoder_.seen, body);
      has_good = accept;
      good = body;
    }
  }
}

}  // namespace
}  // namespace flintgauge
