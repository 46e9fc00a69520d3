#include "agent/io/push_desk.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/push_pods.h"

namespace flintgauge {
namespace {

using testing::spark_pod;

constexpr auto kGraphite = PushProtocol::kGraphite;
constexpr auto kStatsd = PushProtocol::kStatsd;

class PushDeskTest : public ::testing::Test {
 protected:
  PushDeskTest() {
    for (const PushProtocol protocol : {kGraphite, kStatsd}) metrics_.enable_push(protocol);
    limits_.pod_lines_per_second = 10;
    limits_.namespace_lines_per_second = 15;
    limits_.pod_bytes_per_second = 1'000;
    limits_.namespace_bytes_per_second = 1'500;
    desk_.emplace(limits_, queue_, metrics_);
    pods_.pods = {spark_pod("driver", "10.0.0.1", "spark-1"), spark_pod("exec-1", "10.0.0.2", "spark-1", "1"),
                  spark_pod("exec-2", "10.0.0.3", "spark-1", "2"),
                  spark_pod("lonely", "10.0.0.4", "spark-9", "1")};
  }

  void set_pods() { desk_->set_pods(std::make_shared<const PodList>(pods_)); }

  bool take(const std::string& ip, const std::string& line, std::int64_t now_ms = 0, std::size_t bytes = 1) {
    const std::string_view view = line;
    return desk_->take(ip, kGraphite, {&view, 1}, bytes, {now_ms});
  }
  double metric(const std::string& series) const { return testing::value_of(metrics_, series); }
  double lines(const std::string& result) const {
    return metric("flintgauge_push_lines_total{protocol=\"graphite\",namespace=\"team-a\",result=\"" +
                  result + "\"}");
  }
  double refused(const std::string& reason) const {
    return metric("flintgauge_push_refused_total{protocol=\"graphite\",reason=\"" + reason + "\"}");
  }

  PushConfig limits_;
  PushQueue queue_;
  SelfMetrics metrics_{{"1", "2", "3"}};
  PodList pods_;
  std::optional<PushDesk> desk_;
};

const std::string kLine = "spark-1.1.executor.succeededTasks.count 4 1";

TEST_F(PushDeskTest, AReportIsOfThePodThatHasTheAddress) {
  set_pods();
  EXPECT_TRUE(take("10.0.0.2", kLine));
  EXPECT_TRUE(take("10.0.0.3", kLine));  // claims to be executor 1
  EXPECT_TRUE(desk_->flush({0}));
  const std::vector<PushReport> reports = queue_.take_all();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].target->app, (AppKey{"team-a", "spark-1"}));
  EXPECT_EQ(reports[0].routes[0].container, "1");
  EXPECT_EQ(lines("kept"), 1);
  EXPECT_EQ(lines("identity"), 1);
  EXPECT_FALSE(desk_->flush({0})) << "nothing new";
}

TEST_F(PushDeskTest, NobodysAddressIsRefusedAndTheReasonCounted) {
  EXPECT_FALSE(take("10.0.0.2", kLine)) << "no pod list yet";
  pods_.pods.push_back(spark_pod("twin", "10.0.0.3", "spark-1", "7"));
  Pod other = spark_pod("web", "10.0.0.5", "");
  other.labels.clear();
  pods_.pods.push_back(other);
  set_pods();
  EXPECT_FALSE(desk_->admit("10.9.9.9", kGraphite, {0}));
  EXPECT_FALSE(desk_->admit("192.0.2.1", kGraphite, {0}));
  EXPECT_FALSE(desk_->admit("10.0.0.3", kGraphite, {0}));
  EXPECT_FALSE(desk_->admit("10.0.0.5", kGraphite, {0}));
  EXPECT_TRUE(desk_->admit("10.0.0.2", kGraphite, {0}));
  EXPECT_EQ(refused("unknown_peer"), 2);
  EXPECT_EQ(refused("host_network"), 1);
  EXPECT_EQ(refused("ambiguous_address"), 1);
  EXPECT_EQ(refused("not_spark"), 1);
}

TEST_F(PushDeskTest, AnApplicationWhoseDriverRunsElsewhereIsItsAgents) {
  set_pods();
  EXPECT_TRUE(take("10.0.0.4", "spark-9.1.executor.succeededTasks.count 4 1"));
  EXPECT_EQ(lines("driver_elsewhere"), 1);
  EXPECT_FALSE(desk_->flush({0}));
}

TEST_F(PushDeskTest, APodOverItsLinesLosesItsOwnAndANamespaceSharesOneBudget) {
  set_pods();
  for (int i = 0; i < 130; ++i) take("10.0.0.2", kLine);
  EXPECT_EQ(lines("kept"), 100) << "ten seconds at once";
  EXPECT_EQ(lines("budget"), 30);
  const std::string line = "spark-1.2.executor.succeededTasks.count 4 1";
  for (int i = 0; i < 60; ++i) take("10.0.0.3", line);
  EXPECT_EQ(lines("kept"), 150) << "what the namespace has left";
  take("10.0.0.3", line, 1'000);
  EXPECT_EQ(lines("kept"), 151) << "a second gives new lines";
}

TEST_F(PushDeskTest, BytesAreAllowedAsTheTenantHasThem) {
  set_pods();
  EXPECT_EQ(desk_->allowance("10.0.0.2", {0}), 10'000U);
  take("10.0.0.2", kLine, 0, 12'000);
  EXPECT_EQ(desk_->allowance("10.0.0.2", {0}), 0U);
  take("10.0.0.2", kLine, 0, 10);
  EXPECT_EQ(lines("budget"), 1) << "a datagram is not told to wait";
  EXPECT_EQ(desk_->allowance("10.0.0.3", {0}), 2'990U) << "of the namespace's 15000";
  EXPECT_EQ(desk_->allowance("10.0.0.2", {3'000}), 990U);
}

TEST_F(PushDeskTest, APodThatEndsSaysItsLastWordAndIsOver) {
  set_pods();
  take("10.0.0.2", kLine);
  pods_.pods[1].phase = Phase::kSucceeded;
  set_pods();
  EXPECT_FALSE(take("10.0.0.2", kLine));
  EXPECT_TRUE(desk_->flush({0}));
  const std::vector<PushReport> reports = queue_.take_all();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].samples.size(), 1U);
  EXPECT_TRUE(reports[1].is_over);
}

TEST_F(PushDeskTest, AnAddressThatChangesHandsIsTheNewPodsOnly) {
  set_pods();
  take("10.0.0.2", kLine);
  pods_.pods[1] = spark_pod("exec-8", "10.0.0.2", "spark-1", "8");
  set_pods();
  take("10.0.0.2", kLine);
  take("10.0.0.2", "spark-1.8.executor.succeededTasks.count 1 1");
  EXPECT_EQ(lines("identity"), 1);
  desk_->flush({0});
  const std::vector<PushReport> reports = queue_.take_all();
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[2].routes[0].container, "8");
}

TEST_F(PushDeskTest, AFullQueueDelaysReportsAndLosesNone) {
  set_pods();
  while (queue_.has_room()) queue_.offer({});
  take("10.0.0.2", kLine);
  EXPECT_FALSE(desk_->flush({0}));
  EXPECT_EQ(metric("flintgauge_push_queue_full_total"), 1);
  EXPECT_EQ(queue_.take_all().size(), PushQueue::kReports);
  EXPECT_TRUE(desk_->flush({0}));
  EXPECT_EQ(queue_.take_all().at(0).samples.at(0).value, 4);
}

TEST_F(PushDeskTest, OfManyNamespacesTheLastAreCountedTogether) {
  for (std::size_t i = 0; i <= SelfMetrics::kPushNamespaces; ++i)
    metrics_.push(kStatsd, "ns-" + std::to_string(i)).count_report();
  EXPECT_EQ(metric(R"(flintgauge_push_reports_total{protocol="statsd",namespace="__overflow__"})"), 1);
  EXPECT_EQ(metric(R"(flintgauge_push_reports_total{protocol="statsd",namespace="ns-0"})"), 1);
}

}  // namespace
}  // namespace flintgauge
