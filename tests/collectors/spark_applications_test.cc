#include <gtest/gtest.h>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/json_bodies.h"
#include "support/spark_driver_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_applications();
namespace {

std::string about(const std::string& app_id, const std::string& body) {
  Target target;
  target.body_limit = 1UL * 1024 * 1024;
  target.app.app_id = app_id;
  const auto reader = make_spark_applications()->make_decoder(target);
  const auto batch = decode(*reader, body, 11);
  if (!batch) return std::string(to_string(batch.error().reason));
  const auto& found = std::get<SparkAbout>(*batch);
  return found.app_name + "|" + found.spark_version;
}

TEST(SparkApplications, IsAskedOnceADay) {
  const auto targets = make_spark_applications()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications");
  EXPECT_EQ(targets[0].pace.interval_ms, 86'400'000);
  EXPECT_EQ(targets[0].pace.retry_ms, 10'000);
}

TEST(SparkApplications, SaysNameAndVersion) {
  EXPECT_EQ(
      about("app-20261122190152-0000", read_capture("spark/real-4.3.0/shuffle/t002/rest_applications.json")),
      "nightly-orders|4.3.0");
  EXPECT_EQ(about("spark-727aec87d30f4e0c8e89a501db1ad716",
                  read_capture("spark-on-kube/1-running/team-b.applications.json")),
            "Clickstream Join 7|4.3.0");
}

TEST(SparkApplications, EveryCaptureEqualsTheSlowReading) {
  const auto captures = list_captures("applications.json");
  ASSERT_GE(captures.size(), 10U);
  for (const std::string& path : captures) {
    const auto tree = reference::parse_json(read_capture(path));
    ASSERT_TRUE(tree && !tree->elements.empty()) << path;
    const std::string app_id = reference::text_at(&tree->elements[0], {"id"});
    EXPECT_EQ(about(app_id, read_capture(path)), reference::about(*tree, app_id).value()) << path;
  }
}

TEST(SparkApplications, OtherApplicationsOfAHistoryServerSayNothing) {
  EXPECT_EQ(about("a", R"([{"id":"b","name":"other","attempts":[{"appSparkVersion":"3.5.1"}]},)"
                       R"({"id":"a","name":"mine","attempts":[{"appSparkVersion":"3.5.2"},)"
                       R"({"appSparkVersion":"3.5.0"}]},{"id":"c","name":"x"}])"),
            "mine|3.5.2");
  EXPECT_EQ(about("a", R"([{"id":"b","name":"other"}])"), "|");
}

TEST(SparkApplications, NamesThatAreLongOrNotPrintableAreNone) {
  EXPECT_EQ(about("a", R"([{"id":"a","name":"x\ny"}])"), "|");
  EXPECT_EQ(about("a", R"([{"id":"a","name":")" + std::string(129, 'x') + R"("}])"), "|");
  EXPECT_EQ(about("a", R"([{"id":"a","name":"retry \"quoted\"  app"}])"), "retry \"quoted\"  app|");
}

TEST(SparkApplications, AnotherDocumentIsRefused) {
  EXPECT_EQ(about("a", "{}"), "json");
  EXPECT_EQ(about("a", "<html>Spark is starting up. Please wait a while until it's ready."), "json");
}

}  // namespace
}  // namespace flintgauge
