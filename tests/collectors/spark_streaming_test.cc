#include <gtest/gtest.h>

#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/json_bodies.h"
#include "support/streaming_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_streaming();
namespace {

std::unique_ptr<Decoder> decoder() {
  Target target;
  target.body_limit = 1UL * 1024 * 1024;
  return make_spark_streaming()->make_decoder(target);
}

// In the shape of StreamingStatistics of Spark 3.5 (core/status/api/v1/streaming).
constexpr const char* kPage =
    R"({"startTime":"2026-11-22T19:02:34.416GMT","batchDuration":1000,"numReceivers":1,"numActiveReceivers":1,)"
    R"("numInactiveReceivers":0,"numTotalCompletedBatches":37,"numRetainedCompletedBatches":37,)"
    R"("numActiveBatches":1,"numProcessedRecords":3700,"numReceivedRecords":3800,"avgInputRate":100.5,)"
    R"("avgSchedulingDelay":250,"avgProcessingTime":1200,"avgTotalDelay":1450})";

TEST(SparkStreamingPage, IsAskedMoreRarelyAndMayBeMissing) {
  const auto targets = make_spark_streaming()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/streaming/statistics");
  EXPECT_TRUE(targets[0].optional) << "404: no streaming listener attached";
  EXPECT_EQ(targets[0].pace.interval_ms, 30'000);
}

TEST(SparkStreamingPage, GivesRatesAndDelaysInSeconds) {
  const auto d = decoder();
  const auto batch = decode(*d, kPage, 9);
  EXPECT_EQ(reference::describe_streaming(std::get<SampleBatch>(batch.value())),
            reference::streaming(*reference::parse_json(kPage)).value());
  const auto& samples = std::get<SampleBatch>(*batch).samples;
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].value, 100.5);
  EXPECT_EQ(samples[1].value, 1.2);
  EXPECT_EQ(samples[2].value, 0.25);
  EXPECT_EQ(std::get<SampleBatch>(*batch).routes[0].container, "__dstreams__");
  EXPECT_EQ(std::get<SampleBatch>(*batch).created.size(), 3U);
  EXPECT_EQ(total(d->counts()), count_scalars(*reference::parse_json(kPage)));
  EXPECT_TRUE(std::get<SampleBatch>(decode(*d, kPage).value()).created.empty());
}

TEST(SparkStreamingPage, BeforeTheFirstBatchThereAreNoAverages) {
  EXPECT_TRUE(std::get<SampleBatch>(decode(*decoder(), R"({"batchDuration":1000})").value()).samples.empty());
}

TEST(SparkStreamingPage, OtherDocumentsAreRefused) {
  for (const char* body : {"{}", "[]", R"({"batchDuration":"x"})", R"({"avgInputRate":3})"})
    EXPECT_FALSE(decode(*decoder(), body).has_value()) << body;
  for (const std::string& path : list_captures("streaming_statistics"))  // the text of the 404
    EXPECT_FALSE(decode(*decoder(), read_capture(path)).has_value()) << path;
}

TEST(SparkStreamingPage, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(3);
  const auto d = decoder();
  int accepted = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string body = kPage;
    for (auto left = 1 + random() % 4; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number()) continue;
    const auto expected = tree ? reference::streaming(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 100);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(reference::describe_streaming(std::get<SampleBatch>(*batch)), *expected) << body;
  }
  EXPECT_GT(accepted, 300);
}

}  // namespace
}  // namespace flintgauge
