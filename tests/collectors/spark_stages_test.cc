#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_stages();
namespace {

using reference::describe;

std::unique_ptr<Decoder> decoder() {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  return make_spark_stages()->make_decoder(target);
}

SparkStages stages_of(const Result<Batch>& batch) { return std::get<SparkStages>(batch.value()); }

TEST(SparkStages, AShortListEachRoundAndTheWholeListMoreRarely) {
  Discovery discovery = reference::one_driver();
  discovery.spark_interval_ms = 5'000;
  const auto targets = make_spark_stages()->targets(discovery);
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "spark_stages/team-a/spark-1");
  EXPECT_EQ(targets[0].url,
            "http://10.1.2.3:4040/api/v1/applications/spark-1/stages?status=active&status=pending"
            "&withSummaries=true&quantiles=0.5,1.0");
  EXPECT_EQ(targets[0].pace.interval_ms, 5'000);
  EXPECT_EQ(targets[0].pace.first_timeout_ms, 30'000);
  EXPECT_EQ(targets[1].key, "spark_stages_all/team-a/spark-1");
  EXPECT_EQ(targets[1].collector, "spark_stages");
  EXPECT_EQ(targets[1].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/stages");
  EXPECT_EQ(targets[1].pace.interval_ms, 30'000);
  EXPECT_EQ(targets[1].pace.ttl_ms, 90'000);
  EXPECT_TRUE(targets[1].only_after_news);
  EXPECT_FALSE(targets[0].only_after_news);
  EXPECT_EQ(targets[1].expect, Expect::kJson);
  discovery.spark_interval_ms = 20'000;
  EXPECT_EQ(make_spark_stages()->targets(discovery).at(1).pace.interval_ms, 60'000);
}

TEST(SparkStages, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture("stages", 15, decoder, [](const auto& tree, const auto& batch, const auto&) {
    EXPECT_EQ(describe(stages_of(batch).stages), describe(reference::stages(tree).value()));
  });
}

TEST(SparkStages, ReadsQuantilesOfTasksWhereTheDriverTellsThem) {
  const auto of = [](const std::string& path) {
    return stages_of(decode(*decoder(), read_capture("spark/real-4.3.0/shuffle/t022/" + path))).stages.at(0);
  };
  const SparkStage with = of("rest_stages_summ.json");
  EXPECT_EQ(with.task_run_seconds_median, 12.72);
  EXPECT_EQ(with.task_run_seconds_max, 12.72);
  EXPECT_EQ(with.scheduler_delay_seconds_median, 0.454);
  EXPECT_EQ(with.first_task_launched.ms, 1'795'374'155'489);
  EXPECT_TRUE(std::isnan(of("rest_stages_active.json").task_run_seconds_median));
}

TEST(SparkStages, BelievesQuantilesOnlyByTheirNames) {
  const auto one = [](const std::string& distributions) {
    return stages_of(decode(*decoder(),
                            "[{\"status\":\"ACTIVE\",\"stageId\":1,\"attemptId\":0,"
                            "\"taskMetricsDistributions\":{" +
                                distributions + "}}]"))
        .stages.at(0);
  };
  const SparkStage others =
      one("\"quantiles\":[0.25,0.5,0.75,1.0],\"executorRunTime\":[1000,2000.0,3000,9000]");
  EXPECT_EQ(others.task_run_seconds_median, 2);
  EXPECT_EQ(others.task_run_seconds_max, 9);
  EXPECT_TRUE(std::isnan(one("\"executorRunTime\":[1000,2000]").task_run_seconds_max));
  EXPECT_TRUE(std::isnan(one("\"quantiles\":[0.5],\"executorRunTime\":[-1,2]").task_run_seconds_median));
}

/// Spark's event log replayed up to the moment of each list gives the same sums. (At failing/t040 a task was
/// about to fail: the log is one task ahead of the list.)
TEST(SparkStages, SumsEqualTheEventLog) {
  for (const std::string moment : {"shuffle/t022", "shuffle/t050", "shuffle/t080", "failing/t070"}) {
    const auto truth = reference::parse_json(
        read_capture("spark/real-4.3.0/" + moment.substr(0, moment.find('/')) + "/truth.json"));
    const auto* sums = reference::at(
        &*truth, {"moments", moment.substr(moment.find('/') + 1), "by_event_log_at_time_of_rest_stages"});
    ASSERT_NE(sums, nullptr) << moment;
    SparkStage sum;
    for (const SparkStage& stage :
         stages_of(decode(*decoder(), read_capture("spark/real-4.3.0/" + moment + "/rest_stages.json")))
             .stages) {
      sum.tasks_complete += stage.tasks_complete;
      sum.tasks_failed += stage.tasks_failed;
      sum.executor_run_seconds += stage.executor_run_seconds;
      sum.executor_cpu_seconds += stage.executor_cpu_seconds;
      sum.shuffle_read_bytes += stage.shuffle_read_bytes;
      sum.disk_spilled_bytes += stage.disk_spilled_bytes;
    }
    const auto number = [&](std::string_view name) {
      return static_cast<double>(reference::integer_at(sums, {name}));
    };
    EXPECT_EQ(sum.tasks_complete, reference::integer_at(sums, {"tasks_completed"})) << moment;
    EXPECT_NEAR(sum.executor_run_seconds, number("run_ms") / 1e3, 1e-9) << moment;
    EXPECT_NEAR(sum.executor_cpu_seconds, number("cpu_ns") / 1e9, 1e-6) << moment;
    EXPECT_EQ(sum.disk_spilled_bytes, number("disk_spilled_bytes")) << moment;
  }
}

TEST(SparkStages, RowsWithoutIdentityAreLeftOutAndCounted) {
  const auto d = decoder();
  const auto list =
      stages_of(decode(*d,
                       "[{\"stageId\":1,\"attemptId\":0,\"status\":\"ACTIVE\",\"jvmGcTime\":1500},"
                       "{\"stageId\":1,\"status\":\"ACTIVE\"},{\"attemptId\":0,\"status\":\"ACTIVE\"},"
                       "{\"stageId\":2,\"attemptId\":0,\"status\":\"NEW\"}]"));
  ASSERT_EQ(list.stages.size(), 1U);
  EXPECT_EQ(list.stages[0].gc_seconds, 1.5);
  EXPECT_EQ(d->counts().bad, 3U + 1U);  // rows; the unknown status
}

TEST(SparkStages, AnotherDocumentIsRefused) {
  for (const char* body : {"{}", "Spark is starting up", "null"}) {
    const auto batch = decode(*decoder(), body);
    ASSERT_FALSE(batch.has_value()) << body;
    EXPECT_EQ(batch.error().reason, Reason::kJson) << body;
  }
}

TEST(SparkStages, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(4);
  const auto d = decoder();
  const std::vector<std::string> bodies = {read_capture("spark-on-kube/2-after-kill/team-a.stages.json"),
                                           read_capture("spark/rest_stages_spark35.json")};
  int accepted = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string body = bodies[static_cast<std::size_t>(i) % bodies.size()];
    for (auto left = 1 + random() % 8; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number()) continue;
    const auto expected = tree ? reference::stages(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 5000);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(describe(stages_of(batch).stages), describe(*expected)) << body;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace flintgauge
