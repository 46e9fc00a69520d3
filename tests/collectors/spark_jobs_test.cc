#include <gtest/gtest.h>

#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/spark_driver_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_jobs();
namespace {

std::unique_ptr<Decoder> decoder() {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  return make_spark_jobs()->make_decoder(target);
}

std::string jobs_of(const Result<Batch>& batch) {
  return reference::describe(std::get<SparkJobs>(batch.value()));
}

TEST(SparkJobs, TheWholeListIsAskedForRarely) {
  Discovery discovery = reference::one_driver();
  const auto targets = make_spark_jobs()->targets(discovery);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_jobs/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/jobs");
  EXPECT_EQ(targets[0].pace.interval_ms, 60'000);
  EXPECT_EQ(targets[0].pace.ttl_ms, 180'000);
  EXPECT_EQ(targets[0].pace.retry_ms, 10'000);
  discovery.spark_interval_ms = 30'000;
  EXPECT_EQ(make_spark_jobs()->targets(discovery).at(0).pace.interval_ms, 180'000);
}

TEST(SparkJobs, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture("jobs", 13, decoder, [](const auto& tree, const auto& batch, const auto&) {
    EXPECT_EQ(jobs_of(batch), reference::jobs(tree).value());
    EXPECT_FALSE(jobs_of(batch).empty());
  });
}

TEST(SparkJobs, RowsWithoutIdOrStatusAreLeftOutAndCounted) {
  const auto d = decoder();
  const auto batch = decode(*d, R"([{"jobId":3,"status":"FAILED"},{"jobId":4},{"status":"RUNNING"},)"
                                R"({"jobId":5,"status":"NEW"},{"jobId":-1,"status":"RUNNING"}])");
  EXPECT_EQ(jobs_of(batch), "3 2 0\n");
  EXPECT_EQ(d->counts().bad, 4U + 1U);  // rows; the unknown status
  EXPECT_FALSE(decode(*d, "{}").has_value());
}

TEST(SparkJobs, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(9);
  const auto d = decoder();
  const std::string good = read_capture("spark/rest_jobs_spark35.json");
  int accepted = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string body = good;
    for (auto left = 1 + random() % 6; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number()) continue;
    const auto expected = tree ? reference::jobs(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 500);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(jobs_of(batch), *expected) << body;
  }
  EXPECT_GT(accepted, 300);
}

}  // namespace
}  // namespace flintgauge
