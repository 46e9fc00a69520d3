// How a Spark driver's web server misleads a client (spark.md section 0.1), each trap by its name.
#include <algorithm>
#include <atomic>
#include <memory>

#include "io/source_support.h"

namespace flintgauge {
namespace {

class SparkTrap : public SourceTest {
 protected:
  SparkTrap() { settings_.kind = SourceKind::kKubelet; }  // the fake targets need no pods

  Target json(const std::string& key, const std::string& path) const {
    Target made = target(key, path);
    made.expect = Expect::kJson;
    return made;
  }
};

TEST_F(SparkTrap, AStartingDriverAnswers200AsHtmlOnEveryPath) {
  server_.script([](FakeConnection& out, const FakeRequest&) {
    out.respond("Spark is starting up. Please wait a while until it's ready.", "text/html");
  });
  offer({json("rest", "/api/v1/applications"), target("page", "/metrics/executors/prometheus/")});
  start();
  ASSERT_TRUE(eventually([&] { return state(0).consecutive_failures >= 1 && state(1).asked; }));
  EXPECT_FALSE(state(0).up);
  EXPECT_EQ(state(0).last_reason, Reason::kContentType);
  EXPECT_EQ(state(1).last_reason, Reason::kContentType);
  EXPECT_EQ(diary_.count("apply rest 1"), 0U);
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path.starts_with("/api")) return (void)out.respond("a 1\n", "application/json");
    out.respond("a 1\n", "text/plain");
  });
  EXPECT_TRUE(eventually([&] { return state(0).up && state(1).up; }));
}

TEST_F(SparkTrap, MasterPagesAnswer200AsHtmlToAnything) {
  server_.script([](FakeConnection& out, const FakeRequest&) {
    out.respond("<!DOCTYPE html><html>", "text/html;charset=utf-8");
  });
  offer({target("page", "/metrics/prometheus/")});
  start();
  ASSERT_TRUE(eventually([&] { return state().consecutive_failures >= 1; }));
  EXPECT_EQ(state().last_reason, Reason::kContentType);
}

TEST_F(SparkTrap, APageThatIsSwitchedOffRedirects302ToAPageOf200) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/jobs/") return (void)out.respond("a 1\n", "text/plain");
    out.respond_status(302, "", "Location: http://127.0.0.1/jobs/\r\n");
  });
  Target page = target("page", "/metrics/prometheus/");
  page.optional = true;
  offer({page});
  start();
  ASSERT_TRUE(eventually([&] { return state().asked; }));
  EXPECT_TRUE(state().not_offered);
  EXPECT_EQ(server_.requests().size(), 1U);
}

/// Seen on Spark 4.3.0 in Kubernetes: the UI listens for up to a minute before /metrics/json/ is attached to
/// it.
TEST_F(SparkTrap, ADriverThatIsStartingAnswers404ForAPageThatComesLater) {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  server_.script([asked](FakeConnection& out, const FakeRequest&) {
    if (++*asked <= 3) return (void)out.respond_status(404, "");
    out.respond("a 1\n", "text/json");
  });
  Target page = json("page", "/metrics/json/");
  page.optional = true;
  offer({page});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  EXPECT_FALSE(state().not_offered);
  EXPECT_GE(server_.requests().size(), 4U);
}

TEST_F(SparkTrap, APathWithoutItsSlashRedirects301RelativeAndIsNotFollowed) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/metrics/json/") return (void)out.respond("a 1\n", "text/json");
    out.respond_status(301, "", "Location: /metrics/json/\r\n");
  });
  offer({json("without", "/metrics/json"), json("with", "/metrics/json/")});
  start();
  ASSERT_TRUE(eventually([&] { return state(0).asked && state(1).up; }));
  EXPECT_FALSE(state(0).up);
  EXPECT_EQ(state(0).last_reason, Reason::kRedirect);
}

TEST_F(SparkTrap, RestAnswers406ToAnAcceptHeaderWithoutJson) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    const std::string accept = request.header("Accept");
    const bool is_json =
        accept.find("application/json") != std::string::npos || accept.find("*/*") != std::string::npos;
    if (!is_json) return (void)out.respond_status(406, "");
    out.respond("a 1\n", "application/json");
  });
  offer({json("rest", "/api/v1/applications")});
  start();
  EXPECT_TRUE(eventually([&] { return state().up; }));
  EXPECT_EQ(state().consecutive_failures, 0);
}

TEST_F(SparkTrap, TheFirstRequestIsSlowAndTheNextAreNot) {
  server_.script([this](FakeConnection& out, const FakeRequest&) {
    if (++asked_ == 1)
      std::this_thread::sleep_for(milliseconds(400));  // Jersey is set up by its first request
    out.respond("a 1\n");
  });
  Target page = target("page", "/metrics/executors/prometheus/");
  page.pace.timeout_ms = 100;
  page.pace.first_timeout_ms = 5'000;
  offer({page});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  EXPECT_EQ(metric("flintgauge_scrape_errors_total{source=\"kubelet\",endpoint=\"page\",reason=\"timeout\"}"),
            0);
}

}  // namespace
}  // namespace flintgauge
