#include <gtest/gtest.h>

#include <random>

#include "collectors/common/spark_registry.h"
#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/json_bodies.h"
#include "support/metrics_json_reference.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_metrics_json();
namespace {

using reference::describe;
using reference::MetricsJson;

std::unique_ptr<Decoder> decoder(const std::string& app_id = "") {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  target.app.app_id = app_id;
  return make_spark_metrics_json()->make_decoder(target);
}

std::string body_of(const std::string& gauges, const std::string& counters = "") {
  return R"({"version":"4.0.0","gauges":{)" + gauges + R"(},"counters":{)" + counters +
         R"(},"histograms":{},"meters":{},"timers":{}})";
}

std::string gauge(const std::string& metric, const std::string& value) {
  return R"("spark-1.driver.)" + metric + R"(":{"value":)" + value + "}";
}

TEST(SparkMetricsJson, IsAskedOfEachDriverWithTheSlashSoThatNoRedirectIsFollowed) {
  const auto targets = make_spark_metrics_json()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_metrics_json/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/metrics/json/");
  EXPECT_EQ(targets[0].expect, Expect::kJson);
  EXPECT_EQ(targets[0].pace.first_timeout_ms, 30'000);
  EXPECT_TRUE(targets[0].optional);
}

/// Every scalar is counted once, values equal a walk over the tree, and names of unknown sources are few.
class SparkMetricsJsonCaptures : public testing::TestWithParam<const char*> {};

TEST_P(SparkMetricsJsonCaptures, EveryNumberIsAccountedForAndUnknownNamesAreFew) {
  const std::string body = read_capture(GetParam());
  const auto tree = reference::JsonParser(body).parse();
  ASSERT_TRUE(tree);
  const auto reader = decoder();
  const auto batch = decode(*reader, body);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(describe(std::get<SampleBatch>(*batch)), reference::metrics_json(*tree));
  EXPECT_EQ(total(reader->counts()), count_scalars(*tree));
  EXPECT_GE(reader->counts().kept, 3U);
  EXPECT_EQ(reader->counts().bad, 0U);
  std::size_t names = 0;
  std::size_t unknown = 0;
  for (const auto& [section, members] : tree->members) {
    for (const auto& [name, value] : members.members) {
      ++names;
      if (parse_registry_name(name)) continue;
      ++unknown;
      std::cout << "unknown source: " << name << "\n";
    }
  }
  EXPECT_GT(names, 30U);
  EXPECT_LE(unknown * 100, names);
}

INSTANTIATE_TEST_SUITE_P(Spark, SparkMetricsJsonCaptures,
                         testing::Values("spark/real-4.3.0/streaming/t050/metrics.json",
                                         "spark/real-4.3.0/shuffle/t050/metrics.json",
                                         "spark-on-kube/1-running/team-a.metrics.json",
                                         "spark-on-kube/1-running/team-b.metrics.json",
                                         "spark/metrics_json_local_mode_spark34.json",
                                         "spark/metrics_json_structured_streaming_subset_spark30.json"),
                         [](const auto& test) { return "case" + std::to_string(test.index); });

TEST(SparkMetricsJson, InLocalModeTheDriverIsItsOwnExecutor) {
  const auto reader = decoder();
  const auto batch = decode(*reader, read_capture("spark/real-4.3.0/streaming/t050/metrics.json"));
  const MetricsJson samples = describe(std::get<SampleBatch>(batch.value()));
  const auto told = [&](Measure measure, Scope scope, const std::string& of, double value) {
    Route route;
    route.measure = measure;
    route.scope = scope;
    route.container = of;
    return std::ranges::count(samples, describe(route, value)) == 1;
  };
  EXPECT_TRUE(told(Measure::kExecutorTasksCompleted, Scope::kExecutor, "driver", 45));
  EXPECT_TRUE(told(Measure::kExecutorGcSeconds, Scope::kExecutor, "driver", 1.156));
  EXPECT_TRUE(told(Measure::kExecutorShuffleWriteBytes, Scope::kExecutor, "driver", 5263));
  EXPECT_TRUE(told(Measure::kDriverActiveJobs, Scope::kDriver, "", 1));
}

TEST(SparkMetricsJson, GaugesThatAreNoNumbersGiveNoValueAndAreCounted) {
  const auto reader = decoder();
  const auto batch =
      decode(*reader, body_of(gauge("DAGScheduler.job.activeJobs", "3") + "," +
                              gauge("DAGScheduler.stage.runningStages", R"("NaN")") + "," +
                              gauge("DAGScheduler.stage.waitingStages", "null") + "," +
                              gauge("ExecutorAllocationManager.executors.numberTargetExecutors", "-1") +
                              R"(,"spark-1.driver.x.y":{"error":"java.lang.IllegalStateException"})"));
  EXPECT_EQ(std::get<SampleBatch>(batch.value()).samples.size(), 1U);
  const ScrapeCounts& counts = reader->counts();
  EXPECT_EQ(counts.kept, 1U);
  EXPECT_EQ(counts.bad, 1U);         // "NaN"
  EXPECT_EQ(counts.skipped, 3U);     // version, null, error
  EXPECT_EQ(counts.not_finite, 1U);  // -1
}

TEST(SparkMetricsJson, ADocumentWithoutGaugesIsNoRegistry) {
  for (const char* body : {"{}", "[]", R"({"gauges":[]})", R"({"error":"not found"})"})
    EXPECT_FALSE(decode(*decoder(), body)) << body;
  EXPECT_FALSE(decode(*decoder(), body_of("").substr(1)));
  EXPECT_TRUE(decode(*decoder(), body_of("")));
}

TEST(SparkMetricsJson, OfEqualNamesTheLastOneWins) {
  const auto reader = decoder();
  const auto batch = decode(*reader, body_of(gauge("DAGScheduler.job.activeJobs", "3") + "," +
                                             gauge("DAGScheduler.job.activeJobs", "5")));
  const auto& samples = std::get<SampleBatch>(batch.value()).samples;
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].value, 5);
  EXPECT_EQ(reader->counts().duplicate, 1U);
  EXPECT_EQ(reader->counts().kept, 1U);
}

TEST(SparkMetricsJson, SeriesAreCreatedOnceAndRetiredWhenTheyGo) {
  const auto reader = decoder();
  const std::string jobs = gauge("DAGScheduler.job.activeJobs", "3");
  const std::string stages = gauge("DAGScheduler.stage.runningStages", "1");
  const auto shape = [&](const std::string& body) {
    const auto batch = std::get<SampleBatch>(decode(*reader, body).value());
    return std::vector{batch.created.size(), batch.retired.size(), batch.samples.size()};
  };
  EXPECT_EQ(shape(body_of(jobs + "," + stages)), (std::vector<std::size_t>{2, 0, 2}));
  EXPECT_EQ(shape(body_of(jobs + "," + stages)), (std::vector<std::size_t>{0, 0, 2}));
  EXPECT_EQ(shape(body_of(stages)), (std::vector<std::size_t>{0, 1, 1}));
  EXPECT_EQ(shape(body_of(jobs + "," + stages)), (std::vector<std::size_t>{1, 0, 2}));
  EXPECT_EQ(shape(body_of(gauge("DAGScheduler.job.activeJobs", "null") + "," + stages)),
            (std::vector<std::size_t>{0, 1, 1}));
  EXPECT_FALSE(decode(*reader, "{"));
  EXPECT_EQ(shape(body_of(stages)), (std::vector<std::size_t>{0, 0, 1}));
}

TEST(SparkMetricsJson, ARegistryOfTooManyNamesIsRefusedAndNothingGrows) {
  std::string many;
  for (int i = 0; i < 20'001; ++i) many += gauge("x.n" + std::to_string(i), "1") + ",";
  const auto reader = decoder();
  const auto batch = decode(*reader, body_of(many + gauge("DAGScheduler.job.activeJobs", "3")));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().reason, Reason::kLimit);
  EXPECT_TRUE(decode(*reader, body_of(gauge("DAGScheduler.job.activeJobs", "3"))));
}

TEST(SparkMetricsJson, DamagedBodiesGiveTheTreesValuesOrAnError) {
  std::mt19937 random(11);
  const std::string good = read_capture("spark-on-kube/1-running/team-a.metrics.json");
  const auto reader = decoder();
  for (int i = 0; i < 400; ++i) {
    const std::string body = damage(good, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    const auto batch = decode(*reader, body);
    if (parser.has_huge_number() || (tree && has_repeats(*tree))) continue;
    const auto expected = tree ? reference::metrics_json(*tree) : std::nullopt;
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ASSERT_EQ(describe(std::get<SampleBatch>(*batch)), *expected) << body;
  }
}

}  // namespace
}  // namespace flintgauge
