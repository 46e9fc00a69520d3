#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "flintgauge/collector.h"
#include "support/cluster_pods.h"
#include "support/golden.h"
#include "support/json_bodies.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_cluster_json();
std::unique_ptr<Collector> make_spark_cluster_page();
namespace {

using reference::cluster_pod;
using reference::cluster_targets;

TEST(SparkClusterPage, StandsInForTheJsonPage) {
  const auto worker = cluster_targets(*make_spark_cluster_page(), cluster_pod("worker"));
  ASSERT_EQ(worker.size(), 1U);
  EXPECT_EQ(worker[0].key, "spark_cluster_page/team-a/shared-worker-0");
  EXPECT_EQ(worker[0].url, "http://10.0.0.9:8081/metrics/prometheus/");
  EXPECT_EQ(worker[0].fallback_of, "spark_cluster_json/team-a/shared-worker-0");
  EXPECT_TRUE(worker[0].optional);
  EXPECT_EQ(worker[0].workload, "shared");
  const auto master = cluster_targets(*make_spark_cluster_page(), cluster_pod("master"));
  ASSERT_EQ(master.size(), 1U);
  EXPECT_EQ(master[0].url, "http://10.0.0.9:8080/metrics/master/prometheus/");
  Pod pod = cluster_pod("worker");
  pod.phase = Phase::kPending;
  EXPECT_TRUE(cluster_targets(*make_spark_cluster_page(), pod).empty());
  EXPECT_TRUE(cluster_targets(*make_spark_cluster_page(), cluster_pod("driver")).empty());
}

TEST(SparkClusterPage, RealPagesAreReadAsTheirGoldenFilesSay) {
  const auto collector = make_spark_cluster_page();
  for (const char* name : {"worker", "master"}) {
    const std::string actual = decode_golden(*collector, {}, name);
    EXPECT_EQ(actual, expected_golden(*collector, name, actual)) << name;
  }
}

/// "measure value" of each sample, sorted.
std::set<std::string> told(const Collector& collector, const std::string& file) {
  Target target;
  target.body_limit = 1U << 20U;
  const auto decoder = collector.make_decoder(target);
  const auto batch = decode(*decoder, read_source_file(file));
  std::set<std::string> out;
  if (!batch) return {batch.error().message};
  const auto& samples = std::get<SampleBatch>(*batch);
  for (const Sample& sample : samples.samples)
    out.insert(std::to_string(static_cast<int>(samples.routes[sample.series].measure)) + " " +
               std::to_string(sample.value));
  return out;
}

TEST(SparkClusterPage, SaysWhatTheJsonPageSaid) {
  for (const std::string name : {"worker", "master"}) {
    const auto text = told(*make_spark_cluster_page(), "tests/golden/spark_cluster_page/" + name + ".in");
    EXPECT_EQ(text, told(*make_spark_cluster_json(), "tests/golden/spark_cluster_json/" + name + ".in"));
    EXPECT_EQ(text.size(), name == "worker" ? 5U : 4U);
  }
}

}  // namespace
}  // namespace flintgauge
