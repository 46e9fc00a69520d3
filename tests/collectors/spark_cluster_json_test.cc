#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "flintgauge/collector.h"
#include "support/cluster_pods.h"
#include "support/golden.h"
#include "support/json_bodies.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_cluster_json();
namespace {

using reference::cluster_pod;
using reference::cluster_targets;
using ::testing::HasSubstr;
using ::testing::Not;

std::string read(const std::string& body) {
  Target target;
  target.body_limit = 1U << 20U;
  const auto decoder = make_spark_cluster_json()->make_decoder(target);
  const auto batch = decode(*decoder, body);
  if (!batch) return std::string(to_string(batch.error().reason));
  return batch_text(std::get<SampleBatch>(*batch), decoder->counts());
}

TEST(SparkClusterJson, AWorkerIsAskedAtItsOwnPort) {
  const auto targets = cluster_targets(*make_spark_cluster_json(), cluster_pod("worker"));
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_cluster_json/team-a/shared-worker-0");
  EXPECT_EQ(targets[0].url, "http://10.0.0.9:8081/metrics/json/");
  EXPECT_EQ(targets[0].workload, "shared");
  EXPECT_EQ(targets[0].fallback_of, "");
  Pod pod = cluster_pod("worker");
  pod.annotations = {{"prometheus.io/path", "/metrics/json/"}, {"prometheus.io/port", "9091"}};
  EXPECT_EQ(cluster_targets(*make_spark_cluster_json(), pod)[0].url, "http://10.0.0.9:9091/metrics/json/");
}

TEST(SparkClusterJson, AMastersStandsInForItsPageOfTheCluster) {
  const auto targets = cluster_targets(*make_spark_cluster_json(), cluster_pod("master"));
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].url, "http://10.0.0.9:8080/metrics/master/json/");
  EXPECT_EQ(targets[0].fallback_of, "spark_master/team-a/shared-master-0");
  for (const char* role : {"driver", "executor", "cluster", "history-server"})
    EXPECT_TRUE(cluster_targets(*make_spark_cluster_json(), cluster_pod(role)).empty()) << role;
}

TEST(SparkClusterJson, RealWorker) {
  const std::string text = read(read_source_file("tests/golden/spark_cluster_json/worker.in"));
  EXPECT_THAT(text, HasSubstr("worker_executors tool // 1\n"));
  EXPECT_THAT(text, HasSubstr("worker_free_cores tool // 0\n"));
  EXPECT_THAT(text, HasSubstr("worker_used_cores tool // 1\n"));
  EXPECT_THAT(text, HasSubstr("worker_free_memory_bytes tool // 2684354560\n")) << "2560 MiB";
  EXPECT_THAT(text, HasSubstr("worker_used_memory_bytes tool // 536870912\n"));
  EXPECT_THAT(text, HasSubstr("kept 5"));
  EXPECT_THAT(text, Not(HasSubstr("cluster_")));
}

TEST(SparkClusterJson, RealMaster) {
  const std::string text = read(read_source_file("tests/golden/spark_cluster_json/master.in"));
  EXPECT_THAT(text, HasSubstr("cluster_workers tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_alive_workers tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_applications tool // 1\n"));
  EXPECT_THAT(text, HasSubstr("cluster_waiting_applications tool // 0\n"));
  EXPECT_THAT(text, HasSubstr("kept 4"));
}

TEST(SparkClusterJson, OddDocuments) {
  EXPECT_EQ(read("<!DOCTYPE html><html>"), "json") << "any other path answers 200 with the main page";
  EXPECT_EQ(read(R"({"version":"4.0.0"})"), "json");
  const std::string text =
      read(R"({"gauges":{"worker.coresUsed":{"value":1},"worker.coresFree":{"value":-1},)"
           R"("worker.executors":{"value":"x"},"worker.coresUsed":{"value":3}}})");
  EXPECT_THAT(text, HasSubstr("worker_used_cores tool // 3\n")) << "the last one wins";
  EXPECT_THAT(text, Not(HasSubstr("free")));
  EXPECT_THAT(text, Not(HasSubstr("executors")));
}

}  // namespace
}  // namespace flintgauge
