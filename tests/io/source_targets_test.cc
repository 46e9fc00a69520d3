// Who gets the token, and targets that come and go with the pods.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "io/source_support.h"

namespace flintgauge {
namespace {

// Token: sent only where it belongs, re-read and retried once after a 401.
class SourceTokenTest : public SourceTest {
 protected:
  SourceTokenTest() {
    std::string name = (std::filesystem::temp_directory_path() / "flintgauge-source-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    settings_.token_file = (directory_ / "token").string();
    write_token("one\n");
  }
  ~SourceTokenTest() override {
    if (source_) source_->stop();
    std::filesystem::remove_all(directory_);
  }
  /// With a modification time that stays the same, unless a second is added to it.
  void write_token(const std::string& token, int seconds = 0) {
    std::ofstream(directory_ / "next") << token;
    std::filesystem::last_write_time(directory_ / "next", modified_ += std::chrono::seconds(seconds));
    std::filesystem::rename(directory_ / "next", directory_ / "token");
  }
  /// A server that takes one token.
  void take_only(const std::string& token) {
    server_.script([token](FakeConnection& out, const FakeRequest& request) {
      if (request.header("Authorization") != "Bearer " + token)
        return (void)out.respond_status(401, "Unauthorized");
      out.respond("a 1\n");
    });
  }
  Target kubelet_target() const {
    Target one = target("a", "/1");
    one.send_kubelet_token = true;
    return one;
  }
  std::filesystem::path directory_;
  std::filesystem::file_time_type modified_{};
};

TEST_F(SourceTokenTest, IsSentOnlyToTargetsThatMayHaveIt) {
  offer({kubelet_target(), target("b", "/2")});
  start();
  ASSERT_TRUE(eventually([&] { return server_.requests().size() >= 4; }));
  for (const FakeRequest& request : server_.requests())
    EXPECT_EQ(request.header("Authorization"), request.path == "/1" ? "Bearer one" : "") << request.path;
}

TEST_F(SourceTokenTest, RotationIsSeenByA401WithoutAFailedScrape) {
  take_only("one");
  offer({kubelet_target()});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  write_token("two");
  take_only("two");
  ASSERT_TRUE(eventually([&] { return server_.requests().back().header("Authorization") == "Bearer two"; }));
  ASSERT_TRUE(eventually([&] { return diary_.count("apply a 1") >= 5; }));
  EXPECT_EQ(metric("flintgauge_scrape_errors_total{source=\"kubelet\",endpoint=\"a\",reason=\"auth\"}"), 0);
  EXPECT_EQ(metric("flintgauge_token_reloads_total"), 2);
}

TEST_F(SourceTokenTest, RotationIsSeenByTheFileWithoutA401) {
  offer({kubelet_target()});
  start();
  ASSERT_TRUE(eventually([&] { return state().up; }));
  write_token("two", 1);
  ASSERT_TRUE(eventually([&] { return server_.requests().back().header("Authorization") == "Bearer two"; }));
  source_->stop();
  EXPECT_EQ(metric("flintgauge_token_reloads_total"), 2);
}

TEST_F(SourceTokenTest, ABadTokenIsTriedOnceAgainPerScrape) {
  take_only("another");
  offer({kubelet_target()});
  start();
  ASSERT_TRUE(eventually([&] { return state().consecutive_failures >= 2; }));
  source_->stop();
  const double scrapes = metric("flintgauge_scrapes_total{source=\"kubelet\",endpoint=\"a\"}");
  EXPECT_LE(static_cast<double>(server_.requests().size()), 2 * scrapes + 2);
  EXPECT_GE(static_cast<double>(server_.requests().size()), 2 * scrapes);
  EXPECT_EQ(state().last_reason, Reason::kAuth);
}

// Spark: targets come and go with the pods in the kubelet's shard.
class SourceSparkTest : public SourceTest {
 protected:
  SourceSparkTest() { settings_.kind = SourceKind::kSpark; }

  Pod pod(const std::string& name, const std::string& url, const std::string& uid = "u1") const {
    Pod made;
    made.namespace_name = "team";
    made.name = name;
    made.uid = uid;
    made.annotations = {{"url", url}};
    return made;
  }
  void publish_pods(std::vector<Pod> pods) {
    Block& block = store_.writable(Shard::kKubelet);
    block.schema = SchemaBuilder().build().schema;
    block.pods = std::make_shared<const PodList>(PodList{std::move(pods)});
    store_.publish(Shard::kKubelet);
    source_->wake();
  }
};

TEST_F(SourceSparkTest, FollowsThePods) {
  offer({target("driver", "/")}, true);
  start();
  EXPECT_EQ(source_->first_round(), 0U);
  publish_pods({});
  ASSERT_TRUE(eventually([&] { return source_->first_round() != 0; }));
  publish_pods({pod("a", server_.url("/a")), pod("b", server_.url("/b"))});
  ASSERT_TRUE(eventually([&] { return diary_.count("apply driver/team/b 1") >= 2; }));
  ASSERT_TRUE(eventually([&] { return state(0).target != nullptr; })) << "blocks have a least distance";
  EXPECT_EQ(state(0).target->key, "driver/team/a");
  publish_pods({pod("b", server_.url("/b"))});
  ASSERT_TRUE(eventually([&] { return diary_.count("forget driver/team/a") == 1; }));
  EXPECT_EQ(diary_.count("drop driver/team/a"), 1U);
  EXPECT_EQ(diary_.count("see 2 pods"), 1U) << "only when the list is another";
  EXPECT_EQ(diary_.count("see 1 pods"), 1U);
  const std::size_t more = diary_.count("apply driver/team/b 1") + 2;
  ASSERT_TRUE(eventually([&] { return diary_.count("apply driver/team/b 1") >= more; }));
  EXPECT_EQ(diary_.count("drop driver/team/b"), 0U);
}

TEST_F(SourceSparkTest, APodThatACollectorRefusesIsCountedOnce) {
  offer({target("driver", "/")}, true);
  start();
  const Pod driver = pod("refused-1", server_.url("/a"));
  const std::string dropped = "flintgauge_targets_dropped_total{reason=\"blocked_address\"}";
  EXPECT_EQ(metric(dropped), 0);
  publish_pods({driver});
  ASSERT_TRUE(eventually([&] { return metric(dropped) == 1; }));
  publish_pods({driver, pod("b", server_.url("/b"))});
  ASSERT_TRUE(eventually([&] { return diary_.count("apply driver/team/b 1") >= 1; }));
  EXPECT_EQ(metric(dropped), 1) << "known before";
  Pod another = driver;
  another.name = "refused-2";
  publish_pods({driver, another});
  EXPECT_TRUE(eventually([&] { return metric(dropped) == 2; }));
}

TEST_F(SourceSparkTest, ThePodsNewIncarnationIsANewTarget) {
  offer({target("driver", "/")}, true);
  start();
  publish_pods({pod("a", server_.url("/old"), "u1")});
  ASSERT_TRUE(eventually([&] { return diary_.count("apply driver/team/a 1") >= 1; }));
  publish_pods({pod("a", server_.url("/new"), "u2")});
  ASSERT_TRUE(eventually([&] { return diary_.count("drop driver/team/a") == 1; }));
  EXPECT_TRUE(eventually([&] { return server_.requests().back().path == "/new"; }));
}

TEST_F(SourceSparkTest, AnotherProcessAtTheSameAddressIsANewTarget) {
  Target one = target("driver", "/");
  one.pace.interval_ms = 600'000;
  one.process_started = WallTime{1};
  Target other = one;
  other.process_started = WallTime{2};
  TargetSet set(10);
  std::size_t made = 0;
  const auto make = [&](TargetSet::Wanted wanted) {
    ++made;
    return std::make_unique<TargetRun>(std::make_shared<const Target>(std::move(wanted.target)),
                                       *wanted.collector, settings_.requests,
                                       metrics_.endpoint(SourceKind::kSpark, "driver"), 0, SteadyTime{0});
  };
  const FakeCollector collector("driver", SourceKind::kSpark, {});
  EXPECT_TRUE(set.update({{one, &collector}}, make).empty());
  EXPECT_TRUE(set.update({{one, &collector}}, make).empty());
  EXPECT_EQ(set.update({{other, &collector}}, make).size(), 1U);
  EXPECT_EQ(made, 2U);
}

TEST_F(SourceSparkTest, IsNotAskedWhileTheFoldKnowsThatItSaysTheSame) {
  Target list = target("list", "/list");
  list.only_after_news = true;
  list.pace.ttl_ms = 3 * kInterval;
  offer({list, target("other", "/other")}, false);
  const auto asked = [&](const std::string& path) {
    std::size_t count = 0;
    for (const FakeRequest& request : server_.requests()) count += request.path == path ? 1 : 0;
    return count;
  };
  diary_.has_news = false;
  start();
  publish_pods({});
  ASSERT_TRUE(eventually([&] { return asked("/other") >= 12; }));
  EXPECT_EQ(asked("/list"), 1U) << "what is not in the fold is asked";
  EXPECT_EQ(diary_.count("drop list"), 0U) << "it is as good as an answer, so nothing is too old";
  {
    const std::lock_guard lock(diary_.mutex);
    diary_.has_news = true;
  }
  EXPECT_TRUE(eventually([&] { return asked("/list") >= 3; }));
}

TEST_F(SourceSparkTest, ALongBodyIsAskedForMoreRarely) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    out.respond(request.path == "/long" ? std::string(4'000, ' ') + " 1\n" : "x 1\n");
  });
  Target longer = target("long", "/long");
  longer.pace.bytes_per_second = 1;
  longer.pace.ttl_ms = kInterval;
  Target other = target("other", "/other");
  other.pace.bytes_per_second = 1'000'000;
  offer({longer, other}, false);
  start();
  publish_pods({});
  ASSERT_TRUE(eventually([&] { return diary_.count("apply other 1") >= 12; }));
  EXPECT_EQ(diary_.count("apply long 1"), 1U);
  EXPECT_EQ(diary_.count("drop long"), 0U) << "what may not be asked for does not grow old by that";
}

TEST_F(SourceSparkTest, AGoneTargetIsCancelled) {
  server_.script([](FakeConnection& out, const FakeRequest& request) {
    if (request.path == "/a") return out.stall();
    out.respond("x 1\n");
  });
  Target one = target("driver", "/");
  one.pace.timeout_ms = one.pace.first_timeout_ms = 600'000;
  offer({one}, true);
  start();
  publish_pods({pod("a", server_.url("/a"))});
  ASSERT_TRUE(eventually([&] { return !server_.requests().empty(); }));
  publish_pods({pod("b", server_.url("/b"))});
  EXPECT_TRUE(eventually([&] { return diary_.count("apply driver/team/b 1") >= 2; }));
  EXPECT_EQ(diary_.count("drop driver/team/a"), 0U) << "it never was in the fold";
}

TEST_F(SourceSparkTest, LoopbackIsRefusedUnlessAllowed) {
  settings_.requests.addresses = AddressRule::kPods;
  offer({target("driver", "/")}, true);
  start();
  publish_pods({pod("a", server_.url("/a"))});
  ASSERT_TRUE(eventually([&] { return state().asked; }));
  EXPECT_EQ(state().last_reason, Reason::kBlockedAddress);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(SourceSparkTest, ManyTargetsWithinTheLimits) {
  offer({target("driver", "/")}, true);
  start();
  std::vector<Pod> pods;
  for (std::size_t i = 0; i < TargetSet::kMaxTargetsOfNamespace + 20; ++i)
    pods.push_back(pod("p" + std::to_string(i), server_.url("/" + std::to_string(i))));
  publish_pods(std::move(pods));
  ASSERT_TRUE(eventually([&] { return state(TargetSet::kMaxTargetsOfNamespace - 1).up; }));
  EXPECT_EQ(metric("flintgauge_targets_dropped_total{reason=\"limit\"}"), 20);
  EXPECT_EQ(store_.read().block(Shard::kSpark)->targets.size(), TargetSet::kMaxTargetsOfNamespace);
}

}  // namespace
}  // namespace flintgauge
