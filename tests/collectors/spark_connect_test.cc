#include <gtest/gtest.h>

#include <string>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/connect_reference.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_connect();
namespace {

std::unique_ptr<Decoder> decoder(const std::string& list) {
  Target target;
  target.url = "http://10.1.2.3:4040/api/v1/applications/spark-1/connect/" + list;
  target.body_limit = 8UL * 1024 * 1024;
  return make_spark_connect()->make_decoder(target);
}

/// -1: it says nothing; -2: it cannot be read.
double told(Decoder& reader, const std::string& body, Measure measure = Measure::kDriverConnectSessions) {
  const auto batch = decode(reader, body);
  if (!batch) return -2;
  const auto& samples = std::get<SampleBatch>(*batch);
  if (samples.samples.empty()) return -1;
  EXPECT_EQ(samples.samples.size(), 1U);
  EXPECT_EQ(samples.routes[0].measure, measure);
  EXPECT_EQ(samples.routes[0].scope, Scope::kDriver);
  return samples.samples[0].value;
}

TEST(SparkConnect, TwoListsOfEachDriverOnceAMinute) {
  const auto targets = make_spark_connect()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "spark_connect/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/connect/sessions");
  EXPECT_EQ(targets[1].key, "spark_connect_operations/team-a/spark-1");
  EXPECT_EQ(targets[1].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/connect/operations");
  for (const Target& target : targets) {
    EXPECT_TRUE(target.optional) << "before Spark 4.3 there is no such path";
    EXPECT_EQ(target.pace.interval_ms, 60'000);
    EXPECT_EQ(target.expect, Expect::kJson);
  }
}

TEST(SparkConnect, RealListsTellWhatIsOpenAndWhatRuns) {
  const std::string folder = "spark/connect-4.3.0/connect_";
  EXPECT_EQ(told(*decoder("sessions"), read_capture(folder + "sessions.json")), 1) << "one of two is closed";
  const auto operations = decoder("operations");
  EXPECT_EQ(told(*operations, read_capture(folder + "operations.json"), Measure::kDriverConnectOperations), 1)
      << "of five one runs, one has failed";
  EXPECT_EQ(
      told(*operations, read_capture(folder + "operations_later.json"), Measure::kDriverConnectOperations), 0)
      << "it was interrupted";
}

TEST(SparkConnect, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture(
      "connect_", 3, [] { return decoder("sessions"); },
      [](const auto& tree, const auto& batch, const auto&) {
        const auto& samples = std::get<SampleBatch>(batch.value()).samples;
        ASSERT_EQ(samples.size(), 1U);
        EXPECT_EQ(samples[0].value, reference::connect_open(tree).value());
      });
}

TEST(SparkConnect, ADriverToWhichNobodyHasConnectedSaysNothing) {
  const auto reader = decoder("sessions");
  EXPECT_EQ(told(*reader, "[ ]"), -1);
  EXPECT_EQ(told(*reader, R"([{"finishTimestamp":0},{"finishTimestamp":7}])"), 1);
  EXPECT_EQ(told(*reader, "[]"), 0) << "old rows are forgotten, the server is one";
  EXPECT_EQ(told(*reader, "{}"), -2);
  EXPECT_EQ(told(*reader, R"([{"finishTimestamp":-1},{"finishTimestamp":"x"},{},3])"), 0);
  EXPECT_EQ(told(*decoder("sessions"), R"([{"finishTimestamp":-1}])"), -1);
}

}  // namespace
}  // namespace flintgauge
