#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <random>

#include "flintgauge/push.h"
#include "support/captures.h"
#include "support/golden.h"
#include "support/slow_gateway.h"
#include "support/slow_push.h"

namespace flintgauge {
namespace {

using reference::driver_sender;
using reference::executor_sender;
using reference::total;
using reference::values_of;
using enum PushAction;

constexpr int kCompleted = static_cast<int>(Measure::kExecutorTasksCompleted);
constexpr int kRun = static_cast<int>(Measure::kExecutorRunSeconds);
constexpr int kCpu = static_cast<int>(Measure::kExecutorCpuSeconds);
const std::string kApp = "spark-0123456789abcdef0123456789abcdef";
const std::string kName = "spark_0123456789abcdef0123456789abcdef_3_executor_";
const std::string kPath = "/metrics/job/" + kApp + "/role/executor/number/3";

struct Pushed {
  explicit Pushed(PushSender from = executor_sender(kApp))
      : sender(std::move(from)), groups(make_push_groups(sender)) {}

  PushVerdict take(PushAction action, const std::string& path, const std::string& text,
                   std::int64_t now_ms = 0) {
    const auto group = parse_push_path(path);
    EXPECT_TRUE(group) << path;
    if (!group) return PushVerdict::kUnreadable;
    const auto body = make_push_body_decoder(sender);
    const Status fed = body->feed(text);
    return groups->take(*group, action, *body, fed, {now_ms}, counts).verdict;
  }
  PushVerdict post(const std::string& text) { return take(kMerge, kPath, text); }
  std::uint64_t count(PushResult result) { return count_of(counts, result); }
  std::map<int, double> values(std::int64_t now_ms = 0) { return values_of(groups->report({now_ms})); }

  PushSender sender;
  std::unique_ptr<PushGroups> groups;
  PushCounts counts{};
};

TEST(PushPushgateway, PostMergesPutReplacesDeleteForgets) {
  Pushed executor;
  EXPECT_EQ(executor.post(kName + "succeededTasks 12.0\n" + kName + "runTime 1500.0\n"),
            PushVerdict::kAccepted);
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kCompleted, 12}, {kRun, 1.5}}));
  EXPECT_EQ(executor.post(kName + "succeededTasks 13.0\n"), PushVerdict::kAccepted);
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kCompleted, 13}, {kRun, 1.5}}));
  EXPECT_EQ(executor.take(kReplace, kPath, kName + "cpuTime 2e9\n"), PushVerdict::kAccepted);
  const PushReport report = executor.groups->report({0});
  EXPECT_EQ(values_of(report), (std::map<int, double>{{kCpu, 2}}));
  EXPECT_EQ(report.retired.size(), 2U);
  EXPECT_EQ(report.target->key, "push_pushgateway/team-a/" + kApp + "/3");
  EXPECT_EQ(report.target->executor_id, "3") << "its own registry, no list of executors";
  EXPECT_EQ(executor.take(kForget, kPath + "/x/y", ""), PushVerdict::kAccepted) << "no such group";
  EXPECT_EQ(executor.values().size(), 1U);
  EXPECT_EQ(executor.take(kForget, kPath, ""), PushVerdict::kAccepted);
  EXPECT_TRUE(executor.groups->has_news({0}));
  EXPECT_TRUE(executor.values().empty());
  EXPECT_EQ(executor.count(PushResult::kKept), 4U);
  EXPECT_EQ(total(executor.counts), 4U);
}

TEST(PushPushgateway, OfTwoGroupsThatTellANumberTheOneHeardLastCounts) {
  Pushed executor;
  executor.take(kMerge, kPath, kName + "succeededTasks 5\n", 1'000);
  executor.take(kMerge, kPath + "/copy/1", kName + "succeededTasks 4\n" + kName + "runTime 1000\n", 2'000);
  EXPECT_EQ(executor.values(2'000), (std::map<int, double>{{kCompleted, 4}, {kRun, 1}}));
  executor.take(kForget, kPath + "/copy/1", "", 3'000);
  EXPECT_EQ(executor.values(3'000), (std::map<int, double>{{kCompleted, 5}})) << "the other still tells it";
  executor.take(kReplace, kPath, "other 1\n", 4'000);
  EXPECT_TRUE(executor.values(4'000).empty());
}

TEST(PushPushgateway, AGroupIsToldUntilItIsTooOld) {
  Pushed executor;
  executor.take(kMerge, kPath, kName + "succeededTasks 5\n", 0);
  executor.take(kMerge, kPath, kName + "runTime 1000\n", 10);
  EXPECT_EQ(executor.values(kPushTtlMs).size(), 2U);
  EXPECT_FALSE(executor.groups->has_news({kPushTtlMs}));
  EXPECT_TRUE(executor.groups->has_news({kPushTtlMs + 1}));
  EXPECT_EQ(executor.values(kPushTtlMs + 1), (std::map<int, double>{{kRun, 1}}));
}

TEST(PushPushgateway, AValueThatIsOldHereMayNotComeBackFromAnotherGroup) {
  Pushed executor;
  executor.take(kMerge, kPath, kName + "succeededTasks 5\n", 0);
  executor.take(kMerge, kPath + "/copy/1", kName + "succeededTasks 6\n", kPushTtlMs);
  executor.take(kForget, kPath + "/copy/1", "", kPushTtlMs + 1);
  EXPECT_TRUE(executor.values(kPushTtlMs + 1).empty());
}

TEST(PushPushgateway, GroupsAreBoundedAndAFullOneStillTakesItsOwn) {
  Pushed executor;
  const std::string body = kName + "succeededTasks 1\n";
  for (std::size_t i = 0; i < PushGroups::kGroups; ++i)
    EXPECT_EQ(executor.take(kMerge, kPath + "/n/" + std::to_string(i), body), PushVerdict::kAccepted);
  EXPECT_EQ(executor.take(kMerge, kPath + "/n/more", body), PushVerdict::kBudget);
  EXPECT_EQ(executor.count(PushResult::kBudget), 1U);
  EXPECT_EQ(executor.take(kReplace, kPath + "/n/0", body), PushVerdict::kAccepted);
  EXPECT_EQ(executor.take(kMerge, kPath + "/n/more", body, kPushTtlMs + 1), PushVerdict::kAccepted)
      << "old ones make room";
}

TEST(PushPushgateway, PathsThatNameAnotherApplicationOrExecutorAreNotBelieved) {
  const std::string body = kName + "succeededTasks 1\n" + kName + "runTime x\n";
  const std::string other = "spark-ffffffffffffffffffffffffffffffff";
  for (const std::string& lie :
       {"/metrics/job/" + other, "/metrics/job/prod." + other, "/metrics/job/x/instance/" + other,
        std::string("/metrics/job/x/role/driver"), std::string("/metrics/job/x/role/executor/number/4")}) {
    Pushed executor;
    EXPECT_EQ(executor.take(kMerge, lie, body), PushVerdict::kIdentity) << lie;
    EXPECT_EQ(executor.count(PushResult::kIdentity), 2U) << "every line of it";
    EXPECT_TRUE(executor.values().empty());
    EXPECT_EQ(executor.take(kForget, lie, ""), PushVerdict::kIdentity) << lie;
  }
  for (const std::string& fine :
       {"/metrics/job/" + kApp + "/instance/" + kApp, std::string("/metrics/job/nightly/number/77"),
        std::string("/metrics/job/x/role/unknown"), "/metrics/job/prod." + kApp}) {
    Pushed executor;
    EXPECT_EQ(executor.take(kMerge, fine, body), PushVerdict::kAccepted) << fine;
    EXPECT_EQ(executor.count(PushResult::kSyntax), 1U);
  }
  Pushed driver(driver_sender(kApp));
  EXPECT_EQ(driver.take(kMerge, kPath, body), PushVerdict::kIdentity);
}

TEST(PushPushgateway, LinesThatNameAnotherApplicationOrExecutorAreCounted) {
  Pushed executor;
  executor.post(
      "spark_ffffffffffffffffffffffffffffffff_3_executor_runTime 1\n"
      "prod_app_20261122190152_0000_3_executor_cpuTime 1\n"
      "local_1795374148123_3_executor_resultSize 1\n" +
      kName.substr(0, kName.size() - 11) + "4_executor_bytesRead 1\n" +
      "executor_runTime 2000\nnightly_2024_05_3_executor_succeededTasks 7\n");
  EXPECT_EQ(executor.count(PushResult::kIdentity), 4U);
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kRun, 2}, {kCompleted, 7}}))
      << "names of the user's own claim nothing";
}

TEST(PushPushgateway, NobodyButTheDriverSpeaksOfTheDriversRegistry) {
  Pushed executor;
  executor.post("DAGScheduler_job_activeJobs 2\n" + kName + "runTime -1\n" + kName + "cpuTime NaN\nx 1\n");
  EXPECT_EQ(executor.count(PushResult::kSkipped), 2U);
  EXPECT_EQ(executor.count(PushResult::kNotFinite), 2U);
  EXPECT_TRUE(executor.values().empty());
  Pushed driver(driver_sender(kApp));
  driver.take(kMerge, "/metrics/job/x/role/driver", "DAGScheduler_job_activeJobs 2\n");
  EXPECT_EQ(driver.values(), (std::map<int, double>{{static_cast<int>(Measure::kDriverActiveJobs), 2}}));
}

TEST(PushPushgateway, AnEmptyBodyHasNoValues) {
  Pushed executor;
  executor.post(kName + "runTime 1000\n");
  EXPECT_EQ(executor.post(""), PushVerdict::kAccepted);
  EXPECT_EQ(executor.values().size(), 1U);
  EXPECT_EQ(executor.take(kReplace, kPath, ""), PushVerdict::kAccepted);
  EXPECT_TRUE(executor.values().empty());
  EXPECT_EQ(total(executor.counts), 1U);
}

TEST(PushPushgateway, ABodyWithNothingReadableSaysNothing) {
  for (const std::string& bad :
       {kName + "runTime 1", std::string("{\"a\":1}\n"), std::string("\x1f\x8b\x08")}) {
    Pushed executor;
    EXPECT_EQ(executor.post(bad), PushVerdict::kUnreadable) << bad;
    EXPECT_GE(executor.count(PushResult::kSyntax), 1U) << bad;
    EXPECT_FALSE(executor.groups->has_news({0}));
  }
  Pushed executor;
  executor.post(kName + "runTime 1000\n" + kName + "runTime 2000\nbroken\n");
  EXPECT_EQ(executor.count(PushResult::kDuplicate), 1U);
  EXPECT_EQ(executor.count(PushResult::kSyntax), 1U);
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kRun, 2}})) << "the last one wins";
}

TEST(PushPushgateway, ABodyOfManyWantedLinesIsRefusedNotKept) {
  std::string body;
  for (int i = 0; i < 600; ++i) body += "a" + std::to_string(i) + "_3_executor_runTime 1\n";
  Pushed executor;
  EXPECT_EQ(executor.post(body), PushVerdict::kUnreadable);
  EXPECT_TRUE(executor.values().empty());
}

TEST(PushPushgateway, ARealRegistryTellsWhatItTellsGraphite) {
  const std::string app = "app-20261122190152-0000";
  std::size_t files = 0;
  for (const std::string& path : list_captures("graphite_")) {
    const std::string report = read_capture(path);
    const std::string who = path.substr(path.rfind('_') + 1, path.rfind('.') - path.rfind('_') - 1);
    const bool is_driver = who == "driver" || who == "noid";
    const PushSender sender = is_driver ? driver_sender(app) : executor_sender(app, who);
    const auto graphite = make_push_decoder(PushProtocol::kGraphite, sender);
    PushCounts counts{};
    std::size_t lines = 0;
    for (std::size_t at = 0; at < report.size(); at = report.find('\n', at) + 1, ++lines)
      graphite->take(std::string_view(report).substr(at, report.find('\n', at) - at), {0}, counts);
    Pushed gateway(sender);
    EXPECT_EQ(gateway.take(kReplace, "/metrics/job/" + app + "/role/" + (is_driver ? "driver" : "executor"),
                           reference::gateway_body(report)),
              PushVerdict::kAccepted);
    EXPECT_EQ(total(gateway.counts), lines) << path;
    ++files;
    if (who == "noid") continue;  // names that begin with their source are the sender's own here
    EXPECT_EQ(gateway.values(), values_of(graphite->report({0}))) << path;
    EXPECT_EQ(gateway.count(PushResult::kKept), count_of(counts, PushResult::kKept)) << path;
  }
  EXPECT_EQ(files, 13U);
}

TEST(PushPushgateway, ABodyOfTheSinkIsReadAsItsGoldenFileSays) {
  const std::string body = read_source_file("tests/golden/push_pushgateway/executor.in");
  Pushed executor(executor_sender("spark-1d3b6f7a0c9e4a55b1e2f3a4b5c6d7e8", "2"));
  EXPECT_EQ(
      executor.take(kMerge,
                    "/metrics/job/spark-1d3b6f7a0c9e4a55b1e2f3a4b5c6d7e8/role/executor/app_name/nightly+etl/"
                    "instance/spark-1d3b6f7a0c9e4a55b1e2f3a4b5c6d7e8/number/2",
                    body),
      PushVerdict::kAccepted);
  std::string actual = batch_text(executor.groups->report({0}).batch(), {});
  for (std::size_t i = 0; i < kPushResults; ++i)
    actual += std::string(kPushResultNames[i]) + ' ' + std::to_string(executor.counts[i]) + '\n';
  const std::string golden = "tests/golden/push_pushgateway/executor.expected";
  if (std::getenv("FLINTGAUGE_UPDATE_GOLDEN") != nullptr)
    std::ofstream(std::string(FLINTGAUGE_SOURCE_DIR) + '/' + golden) << actual;
  EXPECT_EQ(actual, read_source_file(golden));
}

TEST(PushPath, SaysTheGroup) {
  using Labels = std::vector<std::pair<std::string, std::string>>;
  const std::vector<std::pair<std::string, Labels>> good = {
      {"/metrics/job/x", {{"job", "x"}}},
      {"/metrics/job/a+b%2Fc/role/driver", {{"job", "a b/c"}, {"role", "driver"}}},
      {"/metrics/job@base64/YS9i", {{"job", "a/b"}}},
      {"/metrics/job@base64/YS9iYw==/x@base64/", {{"job", "a/bc"}}},
      {"/metrics/job/x/path@base64/L3Zhci90bXA", {{"job", "x"}, {"path", "/var/tmp"}}},
      {"/metrics/job/x/empty@base64/=", {{"job", "x"}}},
      {"/metrics/job/x/a//b/1", {{"b", "1"}, {"job", "x"}}},
      {"/metrics/job/x/b/+%2B@/a@base64/Pz8_Pj4-", {{"a", "?\?\?>>>"}, {"b", " +@"}, {"job", "x"}}},
  };
  for (const auto& [path, labels] : good) {
    const auto group = parse_push_path(path);
    ASSERT_TRUE(group) << path << ": " << group.error().message;
    EXPECT_EQ(group->labels, labels) << path;
  }
}

TEST(PushPath, RefusesWhatAPushgatewayRefuses) {
  std::string many = "/metrics/job/x";
  for (std::size_t i = 1; i < kMaxPushLabels; ++i) many += "/l" + std::to_string(i) + "/v";
  EXPECT_TRUE(parse_push_path(many));
  for (const std::string& bad : {std::string(),
                                 std::string("/"),
                                 std::string("/metrics"),
                                 std::string("/metrics/"),
                                 std::string("/metrics/job"),
                                 std::string("/metrics/job/"),
                                 std::string("/metrics/job//a/b"),
                                 std::string("/metrics/job@base64/="),
                                 std::string("/metrics/job/x/"),
                                 std::string("/metrics/job/x/a"),
                                 std::string("/metrics/job/x//y"),
                                 std::string("/metrics/job/x/1a/y"),
                                 std::string("/metrics/job/x/__name__/y"),
                                 std::string("/metrics/job/x/a-b/y"),
                                 std::string("/metrics/job/x/job/y"),
                                 std::string("/metrics/job/x/a/1/a/2"),
                                 std::string("/metrics/a/b/job/x"),
                                 std::string("/metrics/job/%"),
                                 std::string("/metrics/job/%4"),
                                 std::string("/metrics/job/%zz"),
                                 std::string("/metrics/job@base64/a"),
                                 std::string("/metrics/job@base64/a+b/"),
                                 std::string("/metrics/job@base64/ab=c"),
                                 std::string("/metrics/job@base64@base64/YQ"),
                                 std::string("metrics/job/x"),
                                 many + "/more/v",
                                 "/metrics/job/" + std::string(1025, 'x'),
                                 "/metrics/job/x/" + std::string(257, 'x') + "/y",
                                 "/metrics/job/x/a/" + std::string(kMaxPushPath, '%')})
    EXPECT_FALSE(parse_push_path(bad)) << bad;
}

TEST(PushPath, ReadsRandomPathsAsItsSlowTwinDoes) {
  std::mt19937 dice(7);
  const std::array<std::string, 16> parts = {"/", "/",   "/", "job", "a", "a_1", "@base64", "YS9i",
                                             "=", "%2F", "%", "+",   "-", "_",   "x",       "role"};
  std::size_t good = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string path = dice() % 8 == 0   ? "/metrics"
                       : dice() % 2 == 0 ? "/metrics/job/x"
                                         : "/metrics/job@base64/";
    for (unsigned left = dice() % 8; left != 0; --left) path += parts[dice() % parts.size()];
    const auto fast = parse_push_path(path);
    const auto slow = reference::slow_push_path(path);
    ASSERT_EQ(fast.has_value(), slow.has_value()) << path;
    if (!fast) continue;
    ++good;
    EXPECT_EQ((std::map<std::string, std::string>(fast->labels.begin(), fast->labels.end())), *slow) << path;
  }
  EXPECT_GT(good, 1'000U);
}

}  // namespace
}  // namespace flintgauge
