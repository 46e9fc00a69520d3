#include <gtest/gtest.h>

#include <random>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/every_capture.h"
#include "support/json_bodies.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_executors();
namespace {

using reference::describe;

std::unique_ptr<Decoder> decoder(const std::string& fallback_of = "") {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  target.fallback_of = fallback_of;
  return make_spark_executors()->make_decoder(target);
}

SparkExecutors executors_of(const Result<Batch>& batch) { return std::get<SparkExecutors>(batch.value()); }

TEST(SparkExecutors, OnePageAndItsFallbackForEachDriver) {
  const auto targets = make_spark_executors()->targets(reference::one_driver());
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].key, "spark_executors/team-a/spark-1");
  EXPECT_EQ(targets[0].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/allexecutors");
  EXPECT_EQ(targets[0].expect, Expect::kJson);
  EXPECT_EQ(targets[0].pace.first_timeout_ms, 30'000);
  EXPECT_EQ(targets[0].pod_uid, "uid-1");
  EXPECT_FALSE(targets[0].send_kubelet_token);
  EXPECT_EQ(targets[1].key, "spark_executors_live/team-a/spark-1");
  EXPECT_EQ(targets[1].collector, "spark_executors");
  EXPECT_EQ(targets[1].url, "http://10.1.2.3:4040/api/v1/applications/spark-1/executors");
  EXPECT_EQ(targets[1].fallback_of, targets[0].key);
  EXPECT_TRUE(make_spark_executors()->targets({}).empty());
}

TEST(SparkExecutors, EveryCaptureEqualsTheSlowReading) {
  for_every_json_capture(
      "executors", 20, [] { return decoder(); },
      [](const auto& tree, const auto& batch, const auto&) {
        EXPECT_EQ(describe(executors_of(batch).executors), describe(reference::executors(tree).value()));
      },
      NoDocument::kIsLeftOut);  // the Prometheus pages of the same name
}

TEST(SparkExecutors, ReadsALostExecutor) {
  const auto list =
      executors_of(decode(*decoder(), read_capture("spark/real-4.3.0/shuffle/t022/rest_allexecutors.json")));
  EXPECT_TRUE(list.complete);
  const auto lost = std::find_if(list.executors.begin(), list.executors.end(),
                                 [](const SparkExecutor& e) { return e.id == "1"; });
  ASSERT_NE(lost, list.executors.end());
  EXPECT_FALSE(lost->is_active);
  EXPECT_EQ(lost->active_tasks, 1);  // as Spark leaves it for ever
  EXPECT_EQ(lost->added.ms, 1'795'374'140'876);
  EXPECT_EQ(lost->removed.ms, 1'795'374'174'004);
  EXPECT_EQ(lost->remove_reason, "Command exited with code 137");
  EXPECT_FALSE(executors_of(decode(*decoder("spark_executors/a/b"), "[]")).complete);
}

/// Spark's event log replayed up to the moment of the list gives the same sums.
TEST(SparkExecutors, SumsEqualTheEventLog) {
  const auto truth = reference::parse_json(read_capture("spark/real-4.3.0/shuffle/truth.json"));
  for (const std::string moment : {"t022", "t050", "t080"}) {
    const auto* sums = reference::at(&*truth, {"moments", moment, "by_event_log_at_time_of_rest_stages"});
    ASSERT_NE(sums, nullptr) << moment;
    double completed = 0;
    double shuffle_written = 0;
    const std::string page = "spark/real-4.3.0/shuffle/" + moment + "/rest_allexecutors.json";
    for (const SparkExecutor& executor : executors_of(decode(*decoder(), read_capture(page))).executors) {
      completed += executor.tasks_completed;
      shuffle_written += executor.shuffle_write_bytes;
    }
    EXPECT_EQ(completed, static_cast<double>(reference::integer_at(sums, {"tasks_completed"}))) << moment;
    EXPECT_EQ(shuffle_written, static_cast<double>(reference::integer_at(sums, {"shuffle_write_bytes"})))
        << moment;
  }
}

TEST(SparkExecutors, RowsWithoutAnIdAreLeftOutAndCounted) {
  const auto d = decoder();
  const std::string long_id(129, 'x');
  const auto list =
      executors_of(decode(*d, "[{\"id\":\"1\",\"activeTasks\":-1},{\"activeTasks\":2},{\"id\":5},{\"id\":\"" +
                                  long_id + "\"},7]"));
  ASSERT_EQ(list.executors.size(), 1U);
  EXPECT_EQ(list.executors[0].active_tasks, 0);
  EXPECT_EQ(d->counts().not_finite, 1U);
  EXPECT_EQ(d->counts().bad, 3U + 2U + 1U);  // rows; ids; an element that is no object
}

TEST(SparkExecutors, KeepsTheHeadOfALongReason) {
  const std::string long_text(1'023, 'x');
  const auto list =
      executors_of(decode(*decoder(), "[{\"id\":\"1\",\"removeReason\":\"" + long_text +
                                          "\xc3\xa4 and more\"},"
                                          "{\"id\":\"2\",\"addTime\":\"1969-12-31T23:59:59.999GMT\"}]"));
  ASSERT_EQ(list.executors.size(), 2U);
  EXPECT_EQ(list.executors[0].remove_reason, long_text);  // no half character
  EXPECT_EQ(list.executors[1].added.ms, 0);
}

TEST(SparkExecutors, AnotherDocumentIsRefused) {
  for (const char* body :
       {"{}", "{\"error\":\"no such app\"}", "no such app: spark-1", "<html></html>", "5"}) {
    const auto batch = decode(*decoder(), body);
    ASSERT_FALSE(batch.has_value()) << body;
    EXPECT_EQ(batch.error().reason, Reason::kJson) << body;
  }
  std::string many = "[{\"id\":\"1\"}";
  for (int i = 0; i < 10'000; ++i) many += ",{\"id\":\"1\"}";
  EXPECT_EQ(decode(*decoder(), many + "]").error().reason, Reason::kLimit);
}

TEST(SparkExecutors, DamagedBodiesEqualTheSlowReading) {
  std::mt19937 random(3);
  const auto d = decoder();
  const std::vector<std::string> bodies = {
      read_capture("spark-on-kube/2-after-kill/team-a.allexecutors.json"),
      read_capture("spark/rest_executors_datadog_spark30.json")};
  int accepted = 0;
  for (int i = 0; i < 3'000; ++i) {
    std::string body = bodies[static_cast<std::size_t>(i) % bodies.size()];
    for (auto left = 1 + random() % 8; left > 0; --left) body = damage(body, random);
    reference::JsonParser parser(body);
    const auto tree = parser.parse();
    if (parser.has_huge_number()) continue;
    const auto expected = tree ? reference::executors(*tree) : std::nullopt;
    const auto batch = decode(*d, body, 1 + random() % 5000);
    ASSERT_EQ(batch.has_value(), expected.has_value()) << body;
    if (!expected) continue;
    ++accepted;
    ASSERT_EQ(describe(executors_of(batch).executors), describe(*expected)) << body;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace flintgauge
