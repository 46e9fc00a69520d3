// A source against a scripted server: rounds, back-off, fallbacks, publication, and how it stops.
#include "agent/io/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "io/source_support.h"

namespace flintgauge {
namespace {

TEST_F(SourceTest, AsksNothingBeforeItsFirstRoundIsDue) {
  offer({target("a", "/1")});
  settings_.start_delay_ms = 3'600'000;
  start();
  ASSERT_TRUE(eventually([&] { return published_ >= 1; })) << "that there is a target";
  source_->stop();
  EXPECT_TRUE(server_.requests().empty());
  EXPECT_FALSE(state().asked);
  EXPECT_EQ(source_->first_round(), 0U);
}

TEST_F(SourceTest, AsksInTheOrderOfTheCollectorsOneAtATime) {
  server_.script([this](FakeConnection& out, const FakeRequest&) {
    if (++at_once_ > 1) overlapped_ = true;
    std::this_thread::sleep_for(milliseconds(5));
    --at_once_;
    out.respond("a 1\n");
  });
  std::vector<Target> targets = {target("pods", "/1"), target("cadvisor", "/2"), target("summary", "/3")};
  for (Target& one : targets)
    one.pace.interval_ms = 400;  // a loaded machine must not need longer for a round
  offer(targets);
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 12; }));
  const auto requests = server_.requests();
  EXPECT_EQ(requests[0].path, "/1");
  for (std::size_t i = 1; i < 12; ++i) {
    const std::string& path = requests[i].path;
    if (path != "/1") {
      EXPECT_EQ(requests[i - 1].path, path == "/2" ? "/1" : "/2");
    }
  }
  EXPECT_FALSE(overlapped_);
  EXPECT_EQ(server_.connections(), 1U);
}

TEST_F(SourceTest, PublishesOnceARound) {
  offer({target("pods", "/1"), target("cadvisor", "/2")});
  start();
  ASSERT_TRUE(eventually([&] { return published_ >= 5; }));
  source_->stop();
  EXPECT_LE(published_, static_cast<int>(server_.requests().size()) / 2 + 1);
  EXPECT_NE(source_->first_round(), 0U);
  EXPECT_TRUE(state(0).up && state(1).up);
  const View view = store_.read();
  EXPECT_EQ(view.block(Shard::kKubelet)->values, (std::vector<double>{1, 1}));
  EXPECT_EQ(view.block(Shard::kSpark), nullptr);
}

TEST_F(SourceTest, AFailureKeepsWhatWasGood) {
  offer({target("a", "/1"), target("b", "/2")});
  start();
  ASSERT_TRUE(eventually([&] { return state(0).up && state(1).up; }));
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/1") return (void)out.respond_status(500, "broken");
    out.respond("b 2\n");
  });
  ASSERT_TRUE(
      eventually([&] { return state(0).consecutive_failures >= 2 && diary_.count("apply b 2") > 0; }));
  const TargetState down = state(0);
  EXPECT_TRUE(down.asked && down.ever_succeeded);
  EXPECT_FALSE(down.up);
  EXPECT_EQ(down.last_reason, Reason::kHttpStatus);
  EXPECT_NE(down.last_error->find("HTTP 500: broken"), std::string::npos) << *down.last_error;
  EXPECT_LT(down.last_success, down.last_attempt);
  EXPECT_TRUE(state(1).up);
  {
    const View view = store_.read();
    EXPECT_EQ(view.block(Shard::kKubelet)->values, (std::vector<double>{1, 2}));
  }
  EXPECT_GE(
      metric("flintgauge_scrape_errors_total{source=\"kubelet\",endpoint=\"a\",reason=\"http_status\"}"), 2);
  EXPECT_EQ(diary_.count("drop a"), 0U);
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond("x 3\n"); });
  EXPECT_TRUE(eventually([&] { return state(0).up && state(0).consecutive_failures == 0; }));
  EXPECT_EQ(state(0).last_error, nullptr);
}

TEST_F(SourceTest, EveryBadBodyLeavesTheFoldAlone) {
  struct Case {
    const char* body;
    Reason reason;
  };
  offer({target("a", "/1")});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  for (const Case& test : {Case{"a 7", Reason::kTruncated}, Case{"a 7\npoison\n", Reason::kParse},
                           Case{"", Reason::kTruncated}, Case{"throw\n", Reason::kInternal}}) {
    const std::string body = test.body;
    server_.script([body](FakeConnection& out, const FakeRequest&) { out.respond(body); });
    EXPECT_TRUE(eventually([&] { return !state().up && state().last_reason == test.reason; })) << test.body;
  }
  EXPECT_EQ(diary_.count("apply a 7"), 0U);
}

TEST_F(SourceTest, OldDataIsDroppedAtItsTtl) {
  Target one = target("a", "/1");
  one.pace.ttl_ms = 300;
  offer({one});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond_status(503, ""); });
  ASSERT_TRUE(eventually([&] { return diary_.count("drop a") == 1; }));
  EXPECT_EQ(diary_.count("forget a"), 0U) << "its decoder lives, so its rows stay known";
  ASSERT_TRUE(eventually([&] { return store_.read().block(Shard::kKubelet)->values.empty(); }));
  const TargetState down = state();
  EXPECT_GT(elapsed_ms(down.last_success, down.last_attempt), 150);
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond("a 9\n"); });
  EXPECT_TRUE(
      eventually([&] { return store_.read().block(Shard::kKubelet)->values == std::vector<double>{9}; }));
  EXPECT_EQ(diary_.count("drop a"), 1U);
}

TEST_F(SourceTest, BacksOff) {
  const int closed = testing::closed_port();
  Target one = target("a", "/1");
  one.url = "http://127.0.0.1:" + std::to_string(closed) + "/";
  offer({one, target("b", "/2")});
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 20; }));
  const auto failures = state(0).consecutive_failures;
  EXPECT_GE(failures, 2);
  EXPECT_LE(failures, 16) << "no slower than half the pace of the good one, and no faster";
  EXPECT_EQ(state(0).last_reason, Reason::kConnect);
}

TEST_F(SourceTest, OptionalEndpointsMayBeMissing) {
  Target one = target("a", "/1");
  Target two = target("b", "/2");
  one.optional = two.optional = true;
  offer({one, two, target("c", "/3")});
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/1") return (void)out.respond_status(404, "");
    if (request.path == "/2") return (void)out.respond_status(302, "", "Location: /jobs/\r\n");
    out.respond("c 1\n");
  });
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 10; }));
  EXPECT_TRUE(state(0).not_offered && state(0).asked && !state(0).up);
  EXPECT_TRUE(state(1).not_offered);
  const auto count = [requests = server_.requests()](std::string_view path) {
    return std::ranges::count(requests, path, &FakeRequest::path);
  };
  for (const char* path : {"/1", "/2"})
    EXPECT_LT(1 << (count(path) - 1), count("/3") + 3) << "ever more rarely";
  EXPECT_EQ(
      metric("flintgauge_scrape_errors_total{source=\"kubelet\",endpoint=\"a\",reason=\"not_offered\"}"), 0);
}

TEST_F(SourceTest, TheFallbackIsAskedAfterThreeFailuresAndRestsAfterwards) {
  Target main = target("cadvisor", "/1");
  Target fallback = target("resource", "/2");
  fallback.fallback_of = "cadvisor";
  offer({main, fallback});
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 5; }));
  EXPECT_EQ(diary_.count("apply resource 1"), 0U);
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/1") return (void)out.respond_status(500, "");
    out.respond("x 2\n");
  });
  ASSERT_TRUE(eventually([&] { return diary_.count("apply resource 2") >= 2; }));
  EXPECT_GE(state(0).consecutive_failures, 3);
  EXPECT_TRUE(state(1).up);
  const auto requests = server_.requests();
  const auto first =
      std::find_if(requests.begin(), requests.end(), [](const auto& r) { return r.path == "/2"; });
  EXPECT_GE(std::count_if(requests.begin(), first, [](const auto& r) { return r.path == "/1"; }), 5 + 3);
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond("x 3\n"); });
  ASSERT_TRUE(eventually([&] { return diary_.count("drop resource") == 1; }));
  const std::size_t asked = diary_.count("apply resource 3");
  ASSERT_TRUE(eventually([&] { return diary_.count("apply cadvisor 3") >= 5; }));
  EXPECT_EQ(diary_.count("apply resource 3"), asked);
  EXPECT_FALSE(state(1).asked);
}

TEST_F(SourceTest, AServerThatEndsIsOneLineAndItsStandInsAreNotAsked) {
  auto server =
      std::make_unique<FakeHttp>([](FakeConnection& out, const FakeRequest&) { out.respond("x 1\n"); });
  std::vector<Target> targets = {
      target("gone-a", ""), target("gone-b", ""), target("gone-c", ""), target("gone-spare", ""),
      target("gone-elsewhere", "")};  // names of their own: the log limits rates by them
  for (Target& one : targets) one.url = server->url("/" + one.key);
  targets[4].url = "http://127.0.0.1:" + std::to_string(testing::closed_port()) + "/";
  targets[3].fallback_of = targets[4].fallback_of = "gone-a";
  offer(targets);
  ::testing::internal::CaptureStderr();
  start();
  const auto all = [&](auto&& holds) { return holds(state(0)) && holds(state(1)) && holds(state(2)); };
  const bool came = eventually([&] { return all([](const TargetState& one) { return one.up; }); });
  server.reset();
  const std::int64_t enough = TargetSet::kFailuresForFallback + 1;
  const bool went = eventually([&] {
    return all([&](const TargetState& one) { return one.consecutive_failures >= enough; }) && state(4).asked;
  });
  source_->stop();
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(came && went) << log;
  EXPECT_FALSE(state(3).asked);
  const std::size_t first = log.find("target down");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("target down", first + 1), std::string::npos) << log;
}

TEST_F(SourceTest, PagesThatFailEachForItselfAreALineEach) {
  offer({target("bad-a", "/1"), target("bad-b", "/2")});
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond_status(500, ""); });
  ::testing::internal::CaptureStderr();
  start();
  const bool went =
      eventually([&] { return state(0).consecutive_failures > 1 && state(1).consecutive_failures > 1; });
  source_->stop();
  const std::string log = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(went) << log;
  const std::size_t first = log.find("target down");
  EXPECT_NE(log.find("target down", first + 1), std::string::npos) << log;
}

/// A page that does not exist is looked for at its next place, and so on.
TEST_F(SourceTest, WhatIsNotOfferedHasStandInsAndTheyHaveTheirs) {
  Target first = target("a", "/1"), second = target("b", "/2"), third = target("c", "/3");
  first.optional = second.optional = true;
  second.fallback_of = "a";
  third.fallback_of = "b";
  offer({first, second, third});
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path != "/3") return (void)out.respond_status(404, "");
    out.respond("x 1\n");
  });
  start();
  ASSERT_TRUE(eventually([&] { return diary_.count("apply c 1") >= 3; }));
  EXPECT_TRUE(state(0).not_offered && state(1).not_offered && state(2).up);
}

TEST_F(SourceTest, UnchangedBodiesCountAsSuccessWithoutDecoding) {
  Target one = target("a", "/1");
  one.skip_unchanged = true;
  offer({one});
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 8; }));
  EXPECT_EQ(diary_.count("apply a 1"), 1U);
  EXPECT_TRUE(state().up);
  server_.script([](FakeConnection& out, const FakeRequest&) { out.respond("a 2\n"); });
  EXPECT_TRUE(eventually([&] { return diary_.count("apply a 2") == 1; }));
}

// A Spark driver answers HTML while it starts, and its first real answer takes long.
TEST_F(SourceTest, AServerThatWarmsUpGetsTime) {
  server_.script([this](FakeConnection& out, const FakeRequest&) {
    const int number = ++asked_;
    if (number <= 2) return (void)out.respond("<html>", "text/html");
    std::this_thread::sleep_for(milliseconds(300));
    out.respond("a 1\n");
  });
  Target one = target("a", "/1");
  one.pace.timeout_ms = 100;
  one.pace.first_timeout_ms = 5'000;
  offer({one});
  start();
  ASSERT_TRUE(eventually([&] { return diary_.count("apply a 1") == 1; }));
  EXPECT_LE(asked_, 4) << "the third was good; one more may be on its way";
  const auto has_run_out = [&] { return state().last_reason == Reason::kTimeout; };
  EXPECT_TRUE(eventually(has_run_out)) << "patient for ever";
}

TEST_F(SourceTest, PatienceHasAnEnd) {
  server_.script([this](FakeConnection& out, const FakeRequest&) {
    ++asked_;
    out.stall();
  });
  Target one = target("a", "/1");
  one.pace.timeout_ms = 50;
  one.pace.first_timeout_ms = 300;
  offer({one});
  start();
  ASSERT_TRUE(eventually([&] { return state().consecutive_failures >= 4; }));
  EXPECT_LT(state().duration_seconds, 0.25);
}

TEST_F(SourceTest, RowsWithoutAPodMakeItAskForPodsAgain) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    out.respond(request.path == "/1" ? "pods 1\n" : "a 1\n");
  });
  Target pods = target("pods", "/1");
  pods.pace.interval_ms = 3'600'000;
  offer({pods, target("cadvisor", "/2")});
  diary_.wants_pods = true;
  start();
  // The rule says five seconds between two looks; the test waits for one.
  ASSERT_TRUE(eventually([&] { return diary_.count("pods pods") >= 2; }));
  const auto requests = server_.requests();
  EXPECT_LE(std::count_if(requests.begin(), requests.end(), [](const auto& r) { return r.path == "/1"; }), 3);
}

TEST_F(SourceTest, StopsAtOnceWithAStalledServer) {
  server_.script([](FakeConnection& out, const FakeRequest&) {
    out.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\na 1\n");
    out.stall();
  });
  Target one = target("a", "/1");
  one.pace.timeout_ms = one.pace.first_timeout_ms = 600'000;
  offer({one});
  start();
  ASSERT_TRUE(eventually([&] { return !server_.requests().empty(); }));
  const auto begin = std::chrono::steady_clock::now();
  source_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(4'000));
  EXPECT_EQ(diary_.all().size(), 0U);
}

TEST_F(SourceTest, ASlowServerDoesNotHoldBackTheOthers) {
  FakeHttp slow([](FakeConnection& out, const FakeRequest&) { out.stall(); });
  Target one = target("a", "/1");
  one.url = slow.url();
  one.pace.timeout_ms = one.pace.first_timeout_ms = 600'000;
  settings_.kind = SourceKind::kKubelet;
  offer({one, target("b", "/2")});
  start();
  ASSERT_TRUE(eventually([&] { return diary_.count("apply b 1") >= 5; }));
  EXPECT_TRUE(eventually([&] { return state(1).up; })) << "published although a round is not whole";
}

}  // namespace
}  // namespace flintgauge
