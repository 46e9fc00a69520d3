// The fast text decoder and its slow twin agree sample by sample: on captures, on random pages, on damaged
// ones, and however the stream is cut into pieces.
#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/allocations.h"
#include "support/golden.h"
#include "support/random_pages.h"
#include "support/text_twins.h"

namespace flintgauge {
namespace {

/// Body that made the twins differ, short enough to read.
std::string shown(std::string_view body) { return "\n" + std::string(body.substr(0, 2'000)); }

class RandomSequences : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomSequences, AgreeOnPagesThatChangeFromScrapeToScrape) {
  RandomPages random(GetParam());
  for (int sequence = 0; sequence < 40; ++sequence) {
    TextTwins twins(sequence % 4 == 0 ? lenient_page() : page_of_w());
    std::vector<std::string> lines = random.lines();
    for (int scrape = 0; scrape < 12; ++scrape) {
      const std::string body = RandomPages::join(lines, scrape % 5 == 4 ? "\r\n" : "\n");
      ASSERT_EQ(twins.scrape(body, random.split(scrape % 2 == 0 ? 7 : 400)), "") << shown(body);
      lines = random.next(std::move(lines));
    }
  }
}

TEST_P(RandomSequences, AgreeOnDamagedPages) {
  RandomPages random(GetParam() + 1'000'000);
  for (int sequence = 0; sequence < 40; ++sequence) {
    TextTwins twins(sequence % 3 == 0 ? lenient_page() : page_of_w());
    const std::string good = RandomPages::join(random.lines());
    for (int scrape = 0; scrape < 25; ++scrape) {
      const std::string body = scrape % 3 == 0 ? good : random.damage(good);
      ASSERT_EQ(twins.scrape(body, random.split(64)), "") << shown(body);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomSequences, ::testing::Range<std::uint64_t>(1, 9));

TEST(TextTwinsTest, EverySplitOfTheStreamGivesTheSame) {
  RandomPages random(7);
  TextTwins twins(page_of_w());
  const std::string body = RandomPages::join(random.lines()) + "w{a=\"1\"} 5 7\r\nw 1\nu{} 1\nw2 9";
  for (const std::string& page : {body, body + "\n"}) {
    for (std::size_t cut = 0; cut <= page.size(); ++cut) {
      std::size_t pieces = 0;
      ASSERT_EQ(twins.scrape(page, [&] { return pieces++ == 0 ? cut : std::string::npos; }), "") << cut;
    }
  }
}

class CapturedPages : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(CapturedPages, AgreeWholeDamagedAndInPieces) {
  const auto [collector, file] = GetParam();
  const std::string body = read_source_file(std::string("tests/golden/") + collector + "/" + file + ".in");
  ASSERT_FALSE(body.empty());
  // What is wanted here does not matter; half of the metrics are.
  TextPage page = page_of_w();
  page.measure = [](std::string_view name) -> std::optional<Measure> {
    if (name.size() % 2 == 0) return std::nullopt;
    return Measure::kCpuUsageSeconds;
  };
  page.limits = kKubeletTextLimits;
  page.lenient = std::string_view(collector).starts_with("spark");
  page.labels = page.lenient ? LabelSyntax::kUnescaped : LabelSyntax::kEscaped;
  TextTwins twins(page);
  RandomPages random(11);
  ASSERT_EQ(twins.scrape(body), "");
  EXPECT_GT(twins.live(), 0U);
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(twins.scrape(body, random.split(5'000)), "");
    ASSERT_EQ(twins.scrape(random.damage(body), random.split(5'000)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Golden, CapturedPages,
    ::testing::Values(std::pair{"cadvisor", "k8s1.15-podname"}, std::pair{"cadvisor", "k8s1.16-docker"},
                      std::pair{"cadvisor", "k8s1.28-containerd"},
                      std::pair{"cadvisor", "k8s1.35-interfaces"}, std::pair{"cadvisor", "v1.35.4-spark"},
                      std::pair{"cadvisor", "v1.37.2-cri"}, std::pair{"cadvisor", "standalone"},
                      std::pair{"kubelet_resource", "v1.35.4"},
                      std::pair{"spark_executors_page", "4.3.0-quoted-name"},
                      std::pair{"spark_executors_page", "excerpts"}, std::pair{"spark_driver_page", "forms"}),
    [](const auto& test) { return "case" + std::to_string(test.index); });

TEST(TextDecoderAllocations, ASteadyScrapeMakesNone) {
  for (const auto& collector : make_collectors()) {
    if (collector->name() != "cadvisor") continue;
    const std::string body = read_source_file("tests/golden/cadvisor/v1.35.4-spark.in");
    const auto decoder = collector->make_decoder(Target{});
    for (int scrape = 1; scrape <= 10; ++scrape) {
      const std::uint64_t before = testing::allocations();
      decoder->begin();
      // Pieces of 1000 bytes: every line end falls inside one, and lines are carried over.
      for (std::size_t at = 0; at < body.size(); at += 1'000) {
        ASSERT_TRUE(decoder->feed(std::string_view(body).substr(at, 1'000)).has_value());
      }
      const Result<Batch> batch = decoder->finish();
      ASSERT_TRUE(batch.has_value());
      const std::uint64_t made = testing::allocations() - before;
      EXPECT_TRUE(scrape > 1 || made > 0) << "the counter does not count";
      EXPECT_TRUE(scrape < 3 || made == 0) << made << " in scrape " << scrape;
    }
  }
}

}  // namespace
}  // namespace flintgauge
