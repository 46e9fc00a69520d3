#include <gtest/gtest.h>

#include <random>

#include "collectors/common/spark_settings.h"
#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/spark_driver_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_environment();
namespace {

std::unique_ptr<Decoder> decoder() {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  return make_spark_environment()->make_decoder(target);
}

SparkSettings settings_of(const Result<Batch>& batch) {
  return *std::get<std::shared_ptr<const SparkSettings>>(batch.value());
}

SparkSettings settings_of(const std::vector<std::pair<std::string, std::string>>& properties) {
  std::string body = R"({"sparkProperties":[)";
  for (const auto& [key, value] : properties) body += R"([")" + key + R"(",")" + value + R"("],)";
  return settings_of(decode(*decoder(), body + R"(["x","y"]]})"));
}

TEST(SparkEnvironment, IsAskedOnceAndAgainUntilItHasAnswered) {
  const auto targets = make_spark_environment()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_environment/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/environment");
  EXPECT_EQ(targets[0].pace.interval_ms, 86'400'000);
  EXPECT_EQ(targets[0].pace.ttl_ms, 3 * 86'400'000);
  EXPECT_EQ(targets[0].pace.retry_ms, 10'000);
}

TEST(SparkEnvironment, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture("environment", 8, decoder, [](const auto& tree, const auto& batch, const auto&) {
    EXPECT_EQ(reference::describe(settings_of(batch)), reference::settings(tree).value());
  });
}

TEST(SparkEnvironment, ReadsARealDriverOnKubernetes) {
  const auto s =
      settings_of(decode(*decoder(), read_capture("spark-on-kube/1-running/team-b.environment.json")));
  EXPECT_EQ(s.executor_cores, 1);
  EXPECT_EQ(s.executor_memory_bytes, 512.0 * 1024 * 1024);
  EXPECT_EQ(s.memory_overhead_factor, 0.4);
  EXPECT_EQ(s.memory_overhead_bytes, std::nullopt);
  EXPECT_EQ(s.request_cores, 0.2);
  EXPECT_EQ(s.limit_cores, std::nullopt);
  EXPECT_EQ(s.max_executor_failures, 1'000'000);
  EXPECT_EQ(s.dynamic_allocation, true);
  EXPECT_EQ(s.min_executors, 0);
  EXPECT_EQ(s.max_executors, 8);
  EXPECT_EQ(s.initial_executors, 1);
  EXPECT_EQ(s.idle_timeout_seconds, 30);
  EXPECT_EQ(s.shuffle_tracking, true);
  EXPECT_EQ(s.shuffle_tracking_timeout_seconds, 20);
  EXPECT_EQ(s.servlet_path, "/metrics/prometheus");
  ASSERT_EQ(s.profiles.size(), 1U);
  EXPECT_EQ(s.profiles[0].executor_memory_bytes, 512.0 * 1024 * 1024);
  EXPECT_EQ(s.profiles[0].task_cpus, 1);
}

TEST(SparkEnvironment, ReadsResourceProfiles) {
  const auto s =
      settings_of(decode(*decoder(), read_capture("spark/rest_environment_resource_profiles_spark35.json")));
  ASSERT_EQ(s.profiles.size(), 4U);
  EXPECT_EQ(s.profiles[1].executor_cores, 4);
  EXPECT_EQ(s.profiles[2].task_cpus, 2);
  EXPECT_EQ(s.profiles[3].id, 3);
  const auto python = settings_of(decode(
      *decoder(),
      R"({"sparkProperties":[],"resourceProfiles":[{"id":7,"executorResources":)"
      R"({"pyspark.memory":{"amount":64},"memoryOverhead":{"amount":384},"offHeap":{"amount":1}}}]})"));
  EXPECT_EQ(python.profiles.at(0).pyspark_memory_bytes, 64.0 * 1048576);
  EXPECT_EQ(python.profiles.at(0).memory_overhead_bytes, 384.0 * 1048576);
  EXPECT_EQ(python.profiles.at(0).offheap_bytes, 1048576);
}

/// Whatever stands in the environment, only the numbers and the path of the wanted keys are kept.
TEST(SparkEnvironment, NoOtherValueIsKept) {
  const std::string secret = "s3cr3t-0123456789";
  std::string body = R"({"runtime":{"javaHome":")" + secret + R"("},"sparkProperties":[)";
  for (const char* key :
       {"spark.hadoop.fs.s3a.secret.key", "spark.ssl.keyPassword", "spark.app.name", "spark.executor.memory",
        "spark.executor.cores", "spark.dynamicAllocation.enabled", "spark.executor.memoryOverheadFactor",
        "spark.executor.extraJavaOptions", "spark.metrics.conf.*.sink.prometheusServlet.class",
        "spark.metrics.conf.*.sink.graphite.password", "spark.executorEnv.PASSWORD"})
    body += R"([")" + std::string(key) + R"(",")" + secret + R"("],)";
  body += R"([")" + secret + R"(","spark.executor.cores"],["spark.executor.instances","2",")" + secret +
          R"("]],"hadoopProperties":[["fs.key",")" + secret +
          R"("]],"systemProperties":[["spark.executor.cores",")" + secret +
          R"("]],"metricsProperties":[["driver.sink.prometheusServlet.path","http://u:)" + secret +
          R"(@h/"]],"classpathEntries":[["/x/)" + secret + R"(","System"]],"resourceProfiles":[{"id":0,)" +
          R"("executorResources":{"gpu":{"vendor":")" + secret + R"(","amount":1}}}]})";
  const auto s = settings_of(decode(*decoder(), body));
  EXPECT_EQ(reference::describe(s).find(secret), std::string::npos);
  SparkSettings expected;
  expected.executor_instances = 2;
  expected.profiles.resize(1);
  EXPECT_EQ(reference::describe(s), reference::describe(expected));
}

TEST(SparkEnvironment, TheExecutorsOwnOverheadFactorWins) {
  EXPECT_EQ(settings_of({{"spark.executor.memoryOverheadFactor", "0.2"},
                         {"spark.kubernetes.memoryOverheadFactor", "0.4"}})
                .memory_overhead_factor,
            0.2);
  EXPECT_EQ(settings_of({{"spark.kubernetes.memoryOverheadFactor", "0.4"}}).memory_overhead_factor, 0.4);
  EXPECT_EQ(settings_of({{"spark.driver.memoryOverheadFactor", "0.2"},
                         {"spark.kubernetes.memoryOverheadFactor", "0.4"}})
                .driver_memory_overhead_factor,
            0.2);
  EXPECT_EQ(settings_of({{"spark.kubernetes.memoryOverheadFactor", "0.4"}}).driver_memory_overhead_factor,
            0.4);
  EXPECT_EQ(settings_of({{"spark.driver.memory", "3g"}}).driver_memory_bytes, 3.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(settings_of({{"spark.kubernetes.driver.request.cores", "500m"}}).driver_request_cores, 0.5);
  EXPECT_EQ(settings_of({{"spark.kubernetes.memoryOverheadFactor", "0.4"},
                         {"spark.executor.memoryOverheadFactor", "0.2"}})
                .memory_overhead_factor,
            0.2);
}

TEST(SparkEnvironment, TheDriversServletPathBeatsEverybodys) {
  const std::string any = "spark.metrics.conf.*.sink.prometheusServlet.path";
  const std::string own = "spark.metrics.conf.driver.sink.prometheusServlet.path";
  EXPECT_EQ(settings_of({{any, "/m/a"}}).servlet_path, "/m/a");
  EXPECT_EQ(settings_of({{any, "/m/a"}, {own, "/m/b"}}).servlet_path, "/m/b");
  EXPECT_EQ(settings_of({{own, "/m/b"}, {any, "/m/a"}}).servlet_path, "/m/b");
  for (const char* bad : {"m", "/", "/a b", "/a?b=c", "/../x", "//user@host/%2f", ""})
    EXPECT_EQ(settings_of({{any, bad}}).servlet_path, "") << bad;
}

TEST(SparkEnvironment, AnotherDocumentIsRefused) {
  for (const char* body : {"[]", "{}", R"({"sparkProperties":{}})", "Spark is starting up"})
    EXPECT_FALSE(decode(*decoder(), body).has_value()) << body;
}

TEST(SparkEnvironment, TooManyProfilesAreRefused) {
  std::string body = R"({"sparkProperties":[],"resourceProfiles":[{})";
  for (int i = 0; i < 100; ++i) body += R"(,{"id":1})";
  const auto batch = decode(*decoder(), body + "]}");
  ASSERT_FALSE(batch.has_value());
  EXPECT_EQ(batch.error().reason, Reason::kLimit);
}

TEST(SparkEnvironment, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(17);
  const auto d = decoder();
  const std::string good =
      R"({"sparkProperties":[["spark.executor.memory","1g"],["spark.task.cpus","2"],["a",null]],)"
      R"("metricsProperties":[["*.sink.prometheusServlet.path","/metrics/p"]],)"
      R"("resourceProfiles":[{"id":1,"executorResources":{"cores":{"amount":4},"memory":{"amount":512}},)"
      R"("taskResources":{"cpus":{"amount":1.0}}},{"id":2}]})";
  int accepted = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string body = good;
    for (auto left = 1 + random() % 4; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number() || (tree && has_repeats(*tree))) continue;
    const auto expected = tree ? reference::settings(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 300);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(reference::describe(settings_of(batch)), *expected) << body;
  }
  EXPECT_GT(accepted, 100);
}

TEST(SparkSettingText, BytesAreReadAsSparkReadsThem) {
  EXPECT_EQ(parse_spark_bytes("896", 1048576), 896.0 * 1048576);
  EXPECT_EQ(parse_spark_bytes("1g", 1), 1073741824.0);
  EXPECT_EQ(parse_spark_bytes(" 2GB ", 1048576), 2147483648.0);
  EXPECT_EQ(parse_spark_bytes("3k", 1), 3072.0);
  EXPECT_EQ(parse_spark_bytes("1t", 1), 1099511627776.0);
  EXPECT_EQ(parse_spark_bytes("5b", 1048576), 5.0);
  for (const char* bad : {"", "0.5g", "-1", "1x", "g", "1 g", "0x10", "9223372036854775808"})
    EXPECT_EQ(parse_spark_bytes(bad, 1), std::nullopt) << bad;
}

TEST(SparkSettingText, TimesAreReadAsSparkReadsThem) {
  EXPECT_EQ(parse_spark_seconds("60"), 60);
  EXPECT_EQ(parse_spark_seconds("60s"), 60);
  EXPECT_EQ(parse_spark_seconds("100ms"), 0.1);
  EXPECT_EQ(parse_spark_seconds("5min"), 300);
  EXPECT_EQ(parse_spark_seconds("2m"), 120);
  EXPECT_EQ(parse_spark_seconds("1h"), 3600);
  EXPECT_EQ(parse_spark_seconds("1d"), 86'400);
  for (const char* bad : {"infinity", "1.5s", "", "s"}) EXPECT_EQ(parse_spark_seconds(bad), std::nullopt);
}

}  // namespace
}  // namespace flintgauge
