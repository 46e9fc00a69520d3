#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "flintgauge/collector.h"
#include "support/golden.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_master();
namespace {

using ::testing::HasSubstr;

Pod master_pod(std::vector<std::pair<std::string, std::string>> labels) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = "shared-master-0";
  pod.uid = "uid";
  pod.phase = Phase::kRunning;
  pod.ips = {"10.0.0.9"};
  pod.labels = std::move(labels);
  std::ranges::sort(pod.labels);
  return pod;
}

std::vector<Target> targets_of(const Pod& pod) {
  Discovery discovery;
  discovery.pods = std::make_shared<const PodList>(PodList{{pod}});
  return make_spark_master()->targets(discovery);
}

TEST(SparkMaster, IsAskedWhereTheOperatorsLabelsNameOne) {
  const auto targets =
      targets_of(master_pod({{"spark-role", "master"}, {"spark.operator/spark-cluster-name", "shared"}}));
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].key, "spark_master/team-a/shared-master-0");
  EXPECT_EQ(targets[0].url, "http://10.0.0.9:8080/json/");
  EXPECT_EQ(targets[0].expect, Expect::kJson);
  EXPECT_EQ(targets[0].workload, "shared");
  EXPECT_EQ(targets[0].app, (AppKey{"team-a", ""}));
  for (const char* role : {"worker", "cluster", "driver", "executor"})
    EXPECT_TRUE(targets_of(master_pod({{"spark-role", role}})).empty()) << role;
}

TEST(SparkMaster, AnAnnotationMayNameItsPort) {
  Pod pod = master_pod({{"app.kubernetes.io/component", "master"},
                        {"app.kubernetes.io/instance", "lake"},
                        {"app.kubernetes.io/name", "spark"}});
  pod.annotations = {{"prometheus.io/path", "/metrics/"}, {"prometheus.io/port", "18080"}};
  ASSERT_EQ(targets_of(pod).size(), 1U);
  EXPECT_EQ(targets_of(pod)[0].url, "http://10.0.0.9:18080/json/");
  EXPECT_EQ(targets_of(pod)[0].workload, "lake");
  pod.annotations[1].second = "10250";
  EXPECT_EQ(targets_of(pod)[0].url, "http://10.0.0.9:8080/json/");
  pod.host_network = true;
  EXPECT_TRUE(targets_of(pod).empty());
}

std::string read(const std::string& body) {
  const auto collector = make_spark_master();
  Target target;
  target.body_limit = 1U << 20U;
  const auto decoder = collector->make_decoder(target);
  decoder->begin();
  if (Status fed = decoder->feed(body); !fed) return std::string(to_string(fed.error().reason));
  Result<Batch> batch = decoder->finish();
  if (!batch) return std::string(to_string(batch.error().reason));
  return batch_text(std::get<SampleBatch>(*batch), decoder->counts());
}

TEST(SparkMaster, RealPage) {
  const std::string text = read(read_source_file("tests/golden/spark_master/4.3.0.in"));
  EXPECT_THAT(text, HasSubstr("cluster_workers tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_alive_workers tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_applications tool // 1\n"));
  EXPECT_THAT(text, HasSubstr("cluster_waiting_applications tool // 0\n"));
  EXPECT_THAT(text, HasSubstr("cluster_cores tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_used_cores tool // 2\n"));
  EXPECT_THAT(text, HasSubstr("cluster_memory_bytes tool // 6442450944\n")) << "6144 MiB";
  EXPECT_THAT(text, HasSubstr("cluster_used_memory_bytes tool // 1073741824\n"));
}

TEST(SparkMaster, AStandbySaysNothingAndOthersAreNoMasters) {
  EXPECT_THAT(read(R"({"workers":[],"cores":0,"status":"STANDBY"})"), ::testing::StartsWith("kept "));
  EXPECT_EQ(read(R"({"workers":[],"cores":0})"), "json");
  EXPECT_EQ(read("<!DOCTYPE html><html>"), "json") << "any other path answers 200 with the main page";
  EXPECT_EQ(read(""), "truncated");
}

TEST(SparkMaster, WaitingApplicationsAreAmongTheApplications) {
  const std::string text = read(
      R"({"activeapps":[{"state":"WAITING"},{"state":"RUNNING"},{"state":"WAITING"}],"cores":-1,"status":"ALIVE"})");
  EXPECT_THAT(text, HasSubstr("cluster_applications tool // 3\n"));
  EXPECT_THAT(text, HasSubstr("cluster_waiting_applications tool // 2\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("cluster_cores")));
}

}  // namespace
}  // namespace flintgauge
