#include "agent/io/push_talk.h"

#include <gtest/gtest.h>

#include <string>

#include "support/push_pods.h"

namespace flintgauge {
namespace {

constexpr auto kGateway = PushProtocol::kPushgateway;

class GatewayTalkTest : public ::testing::Test {
 protected:
  GatewayTalkTest() {
    metrics_.enable_push(kGateway);
    limits_.pod_lines_per_second = 1;
    limits_.pod_bytes_per_second = 1'000;
    desk_.emplace(limits_, queue_, metrics_);
    set_pods("1", true);
  }

  /// An executor that has the address, and perhaps its driver.
  void set_pods(const std::string& executor, bool has_driver) {
    PodList pods;
    if (has_driver) pods.pods.push_back(testing::spark_pod("driver", "10.0.0.1", "spark-1"));
    pods.pods.push_back(testing::spark_pod("exec-" + executor, "10.0.0.2", "spark-1", executor));
    desk_->set_pods(std::make_shared<const PodList>(std::move(pods)));
  }

  GatewayTalk talk() { return {*desk_, metrics_, "10.0.0.2", *desk_->sender_at("10.0.0.2", kGateway, {0})}; }

  static std::string request(const std::string& body, const std::string& more = "",
                             const std::string& path = "/metrics/job/x") {
    return "POST " + path + " HTTP/1.1\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  /// The status of the one answer to a request that came at once.
  int status(const std::string& text, std::int64_t now_ms = 0) {
    GatewayTalk one = talk();
    const PushStep step = one.take(text, {now_ms});
    EXPECT_EQ(step.next, PushStep::Next::kAnswered);
    return step.answer.size() < 12 ? 0 : std::stoi(step.answer.substr(9, 3));
  }
  double metric(const std::string& series) const { return testing::value_of(metrics_, series); }
  double lines(const std::string& result) const {
    return metric("flintgauge_push_lines_total{protocol=\"pushgateway\",namespace=\"team-a\",result=\"" +
                  result + "\"}");
  }
  double refused(const std::string& reason) const {
    return metric("flintgauge_push_refused_total{protocol=\"pushgateway\",reason=\"" + reason + "\"}");
  }

  PushConfig limits_;
  PushQueue queue_;
  SelfMetrics metrics_{{"1", "2", "3"}};
  std::optional<PushDesk> desk_;
};

const std::string kBody = "spark_1_1_executor_succeededTasks 4.0\n";

TEST_F(GatewayTalkTest, APushIsReportedOnceItIsWhole) {
  GatewayTalk one = talk();
  const std::string text = request(kBody);
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const PushStep step = one.take(text.substr(i, 1), {0});
    ASSERT_EQ(step.next, PushStep::Next::kMore) << i;
    ASSERT_EQ(step.answer, "");
  }
  EXPECT_FALSE(desk_->flush({0})) << "nothing of a body that has not ended";
  const PushStep last = one.take("\n", {0});
  EXPECT_EQ(last.next, PushStep::Next::kAnswered);
  EXPECT_TRUE(last.answer.starts_with("HTTP/1.1 202 ")) << last.answer;
  EXPECT_TRUE(desk_->flush({0}));
  const std::vector<PushReport> reports = queue_.take_all();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].target->key, "push_pushgateway/team-a/spark-1/1");
  EXPECT_EQ(reports[0].samples.at(0).value, 4);
  EXPECT_EQ(lines("kept"), 1);
  EXPECT_EQ(metric("flintgauge_push_bytes_total{protocol=\"pushgateway\",namespace=\"team-a\"}"),
            static_cast<double>(text.size()));
}

TEST_F(GatewayTalkTest, AClientThatAsksMaySendItsBody) {
  GatewayTalk one = talk();
  const std::string text = request(kBody, "Expect: 100-continue\r\n");
  const PushStep step = one.take(text.substr(0, text.size() - kBody.size()), {0});
  EXPECT_EQ(step.next, PushStep::Next::kMore);
  EXPECT_EQ(step.answer, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(one.take(kBody, {0}).answer.starts_with("HTTP/1.1 202 "));
}

TEST_F(GatewayTalkTest, EveryRefusalIsCountedByItsReason) {
  EXPECT_EQ(status(request(kBody, "", "/metrics/job/x/a")), 400);
  EXPECT_EQ(status("GET /metrics HTTP/1.1\r\n\r\n"), 405);
  EXPECT_EQ(refused("request"), 2);
  EXPECT_EQ(status(request(kBody, "Content-Encoding: gzip\r\n")), 415);
  EXPECT_EQ(refused("format"), 1);
  EXPECT_EQ(status("PUT /metrics/job/x HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"), 413);
  EXPECT_EQ(refused("too_large"), 1);
  GatewayTalk cut = talk();
  EXPECT_EQ(cut.take("POST /metrics/job/x HTTP/1.1\r\n", {0}).next, PushStep::Next::kMore);
  cut.end({0});
  EXPECT_EQ(refused("request"), 3);
  EXPECT_TRUE(cut.late().starts_with("HTTP/1.1 408 "));
  EXPECT_EQ(lines("kept"), 0);
}

TEST_F(GatewayTalkTest, ARefusalOfWhoDoesNotTellWhy) {
  EXPECT_EQ(status(request(kBody, "", "/metrics/job/x/role/driver")), 403);
  EXPECT_EQ(lines("identity"), 1);
  EXPECT_FALSE(desk_->flush({0}));
  GatewayTalk one = talk();
  const std::string text = request(kBody);
  one.take(text.substr(0, text.size() - 1), {0});
  set_pods("7", true);  // the address has changed hands
  EXPECT_EQ(one.take("\n", {0}).answer, GatewayTalk::forbidden());
  EXPECT_EQ(lines("identity"), 2);
  desk_->set_pods(std::make_shared<const PodList>());
  EXPECT_EQ(one.take("\n", {0}).answer, GatewayTalk::forbidden());
  EXPECT_EQ(refused("unknown_peer"), 1);
}

TEST_F(GatewayTalkTest, WhatIsOverTheBudgetIsRefusedWhole) {
  std::string body;
  for (int i = 0; i < 12; ++i) body += "n" + std::to_string(i) + " 1\n";
  EXPECT_EQ(status(request(body)), 202) << "ten lines, and a debt of two";
  EXPECT_EQ(status(request(kBody)), 429);
  EXPECT_EQ(lines("budget"), 1);
  EXPECT_EQ(status(request(kBody), 4'000), 202) << "seconds give new lines";
}

TEST_F(GatewayTalkTest, AnApplicationWhoseDriverRunsElsewhereIsItsAgents) {
  set_pods("1", false);
  EXPECT_EQ(status(request(kBody)), 202) << "the client did nothing wrong";
  EXPECT_EQ(lines("driver_elsewhere"), 1);
  EXPECT_FALSE(desk_->flush({0}));
}

TEST_F(GatewayTalkTest, DeleteForgets) {
  EXPECT_EQ(status(request(kBody)), 202);
  desk_->flush({0});
  EXPECT_EQ(status("DELETE /metrics/job/x HTTP/1.1\r\n\r\n"), 202);
  EXPECT_TRUE(desk_->flush({0}));
  const std::vector<PushReport> reports = queue_.take_all();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[1].retired.size(), 1U);
  EXPECT_TRUE(reports[1].samples.empty());
}

}  // namespace
}  // namespace flintgauge
