#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

struct NameCase {
  std::string_view run;
  std::string_view job;
};

class StableJobName : public testing::TestWithParam<NameCase> {};

TEST_P(StableJobName, LeavesWhatRunsHaveInCommon) {
  EXPECT_EQ(stable_job_name(GetParam().run), GetParam().job);
  EXPECT_EQ(stable_job_name(GetParam().job), GetParam().job) << "a job's name is its own";
}

INSTANTIATE_TEST_SUITE_P(Rules, StableJobName,
                         testing::Values(
                             // Spark's own unique id in front of "-driver".
                             NameCase{"nightly-etl-36c87ba204d8d8a2", "nightly-etl"},
                             NameCase{"nightly-etl-1bb7e1a204d9252c", "nightly-etl"},
                             // ScheduledSparkApplication: the time in nanoseconds.
                             NameCase{"spark-pi-scheduled-1767225600000000000", "spark-pi-scheduled"},
                             NameCase{"spark-pi-1767225600000000000-36c87ba204d8d8a2", "spark-pi"},
                             NameCase{"pi-1767225600", "pi"}, NameCase{"pi-1767225600123", "pi"},
                             // Dates and times.
                             NameCase{"etl-20260131", "etl"}, NameCase{"etl-20260131-060000", "etl"},
                             NameCase{"etl-20260131t060000", "etl"}, NameCase{"etl_20260131T0600", "etl"},
                             NameCase{"etl-20260131t060000z", "etl"}, NameCase{"etl-2026-01-31", "etl"},
                             NameCase{"etl-2026-01-31-06-00-00", "etl"},
                             NameCase{"etl-2026-01-31t06-00-00", "etl"},
                             NameCase{"etl-scheduled--2026-01-31t06-00-00-00-00-x8k2j9d4", "etl-scheduled"},
                             NameCase{"etl.2026.01.31", "etl"},
                             // UUIDs, whole and in part; hashes; generated names.
                             NameCase{"load-0f5e1c3a-77aa-4b1c-9d00-112233445566", "load"},
                             NameCase{"load-0f5e1c3a", "load"}, NameCase{"load-ab112233445566cd", "load"},
                             NameCase{"load-3f9a2c1", "load"},
                             NameCase{"load-00000000-aaaa-bbbb-cccc-dddddddddddd", "load"},
                             NameCase{"load-x7k2p", "load"}, NameCase{"load-x7k2p-5d9c8b7f6", "load"}));

INSTANTIATE_TEST_SUITE_P(
    Kept, StableJobName,
    testing::Values(NameCase{"", ""}, NameCase{"etl", "etl"}, NameCase{"nightly-etl", "nightly-etl"},
                    // Short numbers and a year or a month alone tell jobs apart.
                    NameCase{"model-2", "model-2"}, NameCase{"report-2026", "report-2026"},
                    NameCase{"report-2026-01", "report-2026-01"}, NameCase{"load-1234567", "load-1234567"},
                    NameCase{"etl-2026-13-31", "etl-2026-13-31"},
                    NameCase{"etl-2026-01-32", "etl-2026-01-32"}, NameCase{"stage-0-1-2", "stage-0-1-2"},
                    NameCase{"tpc-ds-99", "tpc-ds-99"},
                    // Words.
                    NameCase{"load-facade", "load-facade"}, NameCase{"load-deadbeef", "load-deadbeef"},
                    NameCase{"load-s3export", "load-s3export"}, NameCase{"load-region12", "load-region12"},
                    NameCase{"load-part2", "load-part2"}, NameCase{"load-bcdfg", "load-bcdfg"},
                    NameCase{"load-24689", "load-24689"}, NameCase{"load-v2", "load-v2"},
                    // Nothing would be left.
                    NameCase{"36c87ba204d8d8a2", "36c87ba204d8d8a2"}, NameCase{"20260131", "20260131"},
                    NameCase{"2026-01-31", "2026-01-31"}, NameCase{"--", "--"},
                    NameCase{"-1767225600", "-1767225600"},
                    NameCase{"0f5e1c3a-77aa-4b1c-9d00-112233445566", "0f5e1c3a-77aa-4b1c-9d00"}));

using Labels = std::vector<std::pair<std::string, std::string>>;

Pod spark_pod(std::string name, std::string role, Labels labels) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = std::move(name);
  pod.labels = std::move(labels);
  pod.labels.emplace_back("spark-app-selector", "spark-1");
  pod.labels.emplace_back("spark-role", std::move(role));
  std::ranges::sort(pod.labels);
  return pod;
}

TEST(JobName, LabelsGoFromTheScheduleToSparksOwn) {
  Labels labels = {{"spark-app-name", "by-spark"},
                   {"spark.operator/spark-app-name", "by-apache"},
                   {"sparkoperator.k8s.io/connect-name", "by-connect"},
                   {"sparkoperator.k8s.io/app-name", "by-app-1767225600000000000"},
                   {"sparkoperator.k8s.io/scheduled-app-name", "by-schedule-20260131"}};
  std::vector<std::string> seen;
  while (true) {
    seen.emplace_back(identify(spark_pod("by-pod-36c87ba204d8d8a2-driver", "driver", labels)).job_name);
    if (labels.empty()) break;
    labels.pop_back();
  }
  const std::vector<std::string> want = {
      "by-schedule-20260131", "by-app", "by-connect", "by-apache", "by-spark", "by-pod"};
  EXPECT_EQ(seen, want);
}

TEST(JobName, AnExecutorHasItFromItsOwner) {
  Pod executor = spark_pod("etl-1bb7e1a204d9252c-exec-1", "executor", {});
  EXPECT_EQ(identify(executor).job_name, "") << "its own prefix is another than the driver's";
  executor.owner_kind = "Pod";
  executor.owner_name = "nightly-etl-36c87ba204d8d8a2-driver";
  EXPECT_EQ(identify(executor).job_name, "nightly-etl");
  executor.owner_name = "a\nb";
  EXPECT_EQ(identify(executor).job_name, "");
}

TEST(Identify, StandaloneMastersAndWorkersHaveTheNameOfTheirCluster) {
  Pod pod;
  pod.name = "x-master-0";
  pod.labels = {{"spark-role", "worker"}, {"spark.operator/spark-cluster-name", "shared"}};
  EXPECT_FALSE(identify(pod).is_master);
  EXPECT_TRUE(identify(pod).is_worker);
  EXPECT_EQ(identify(pod).cluster_name, "shared");
  EXPECT_EQ(identify(pod).workload, "spark");
  pod.labels[0].second = "master";
  EXPECT_TRUE(identify(pod).is_master);
  EXPECT_EQ(identify(pod).cluster_name, "shared");
  pod.labels = {{"app.kubernetes.io/component", "master"}, {"app.kubernetes.io/name", "spark"}};
  EXPECT_TRUE(identify(pod).is_master);
  EXPECT_EQ(identify(pod).cluster_name, "x-master-0");
  pod.owner_name = "x-master";
  EXPECT_EQ(identify(pod).cluster_name, "x-master");
  pod.labels[0].second = "worker";
  EXPECT_FALSE(identify(pod).is_master);
  EXPECT_TRUE(identify(pod).is_worker);
  EXPECT_EQ(identify(pod).cluster_name, "x-master");
  pod.labels[0].second = "history-server";
  EXPECT_FALSE(identify(pod).is_worker);
  EXPECT_EQ(identify(pod).cluster_name, "");
}

TEST(JobName, OnlySparkPodsHaveOne) {
  Pod pod;
  pod.name = "kafka-driver";
  pod.labels = {{"spark-app-name", "kafka"}};
  EXPECT_EQ(identify(pod).job_name, "");
}

}  // namespace
}  // namespace flintgauge
