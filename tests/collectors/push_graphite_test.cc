#include <gtest/gtest.h>

#include <array>
#include <random>

#include "collectors/common/push_registry.h"
#include "flintgauge/push.h"
#include "support/captures.h"
#include "support/slow_push.h"

namespace flintgauge {
namespace {

using reference::driver_sender;
using reference::executor_sender;
using reference::total;
using reference::values_of;

constexpr int kCompleted = static_cast<int>(Measure::kExecutorTasksCompleted);
constexpr int kRun = static_cast<int>(Measure::kExecutorRunSeconds);
constexpr int kActiveJobs = static_cast<int>(Measure::kDriverActiveJobs);

struct Pushed {
  explicit Pushed(PushSender sender)
      : decoder(make_push_decoder(PushProtocol::kGraphite, std::move(sender))) {}

  PushResult take(std::string_view line, std::int64_t now_ms = 0) {
    const PushCounts before = counts;
    decoder->take(line, {now_ms}, counts);
    for (std::size_t i = 0; i < kPushResults; ++i) {
      if (counts[i] != before[i]) return static_cast<PushResult>(i);
    }
    ADD_FAILURE() << "not counted: " << line;
    return PushResult::kSyntax;
  }
  std::map<int, double> values(std::int64_t now_ms = 0) { return values_of(decoder->report({now_ms})); }

  std::unique_ptr<PushDecoder> decoder;
  PushCounts counts{};
};

TEST(PushGraphite, TakesTotalsInBaseUnitsOfTheSendersOwnRegistry) {
  Pushed executor(executor_sender());
  EXPECT_EQ(executor.take("spark-1.3.executor.succeededTasks.count 12 1795374148"), PushResult::kKept);
  EXPECT_EQ(executor.take("spark-1.3.executor.runTime.count 1500 1795374148\r"), PushResult::kKept);
  EXPECT_EQ(executor.take("  spark-1.3.executor.succeededTasks.count\t13   1795374148 "), PushResult::kKept);
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kCompleted, 13}, {kRun, 1.5}}));
  Pushed driver(driver_sender());
  EXPECT_EQ(driver.take("spark-1.driver.DAGScheduler.job.activeJobs 2 1795374148"), PushResult::kKept);
  EXPECT_EQ(driver.values(), (std::map<int, double>{{kActiveJobs, 2}}));
  EXPECT_EQ(driver.decoder->report({0}).target->executor_id, "");
  EXPECT_EQ(executor.decoder->report({0}).target->executor_id, "3")
      << "its own registry, no list of executors";
}

TEST(PushGraphite, LinesThatAreNoneAreCountedAndSayNothing) {
  Pushed executor(executor_sender());
  for (const char* bad :
       {"", " ", "spark-1.3.executor.runTime.count", "spark-1.3.executor.runTime.count 1",
        "spark-1.3.executor.runTime.count 1 2 3", "spark-1.3.executor.runTime.count x 1",
        "spark-1.3.executor.runTime.count 1,5 1", "spark-1.3.executor.runTime.count 0x10 1",
        "spark-1.3.executor.runTime.count +1 1", "spark-1.3.executor.runTime.count 1 now"}) {
    EXPECT_EQ(executor.take(bad), PushResult::kSyntax) << bad;
  }
  for (const char* odd : {"NaN", "inf", "-1", "-0.01"})
    EXPECT_EQ(executor.take("spark-1.3.executor.runTime.count " + std::string(odd) + " 1"),
              PushResult::kNotFinite);
  EXPECT_EQ(executor.take(std::string(kMaxPushLine + 1, 'x')), PushResult::kLineTooLong);
  EXPECT_FALSE(executor.decoder->has_news({0}));
  EXPECT_TRUE(executor.values().empty());
}

TEST(PushGraphite, WhoClaimsAnotherApplicationOrExecutorIsNotBelieved) {
  const std::string own = "spark-0123456789abcdef0123456789abcdef";
  const std::string other = "spark-ffffffffffffffffffffffffffffffff";
  Pushed executor(executor_sender(own));
  const auto line = [](const std::string& start) { return start + ".executor.runTime.count 1 1"; };
  for (const std::string& lie : {other + ".3", own + ".4", own + ".driver", "prod." + other + ".3",
                                 std::string("app-20261122190152-0000.3"), std::string("local-1795374148.3"),
                                 std::string("application_1_2.3"), std::string("spark-application-17.3")})
    EXPECT_EQ(executor.take(line(lie)), PushResult::kIdentity) << lie;
  EXPECT_TRUE(executor.values().empty());
  // Names that users chose claim nothing; a sink's prefix stands before them.
  for (const std::string& fine :
       {own + ".3", "prod." + own + ".3", std::string("my-team.nightly.3"), other + "." + own + ".3"})
    EXPECT_EQ(executor.take(line(fine)), PushResult::kKept) << fine;
}

TEST(PushGraphite, NobodyButTheDriverSpeaksOfTheDriversRegistry) {
  Pushed executor(executor_sender());
  EXPECT_EQ(executor.take("spark-1.3.DAGScheduler.job.activeJobs 2 1"), PushResult::kSkipped);
  EXPECT_EQ(executor.take("jvm.heap.used 2 1"), PushResult::kSkipped) << "a JVM that has no id yet";
  EXPECT_EQ(executor.take("spark-1.3.executor.runTime 2 1"), PushResult::kSkipped) << "no counter";
}

TEST(PushGraphite, AValueIsToldUntilItIsTooOld) {
  Pushed executor(executor_sender());
  executor.take("spark-1.3.executor.succeededTasks.count 1 1", 0);
  executor.take("spark-1.3.executor.runTime.count 1000 1", 1'000);
  const PushReport first = executor.decoder->report({1'000});
  EXPECT_EQ(first.created.size(), 2U);
  EXPECT_EQ(first.target->key, "push_graphite/team-a/spark-1/3");
  EXPECT_EQ(first.target->executor_id, "3") << "its own registry, no list of executors";
  EXPECT_FALSE(executor.decoder->has_news({kPushTtlMs}));
  EXPECT_TRUE(executor.decoder->has_news({kPushTtlMs + 1}));
  const PushReport later = executor.decoder->report({kPushTtlMs + 1});
  EXPECT_TRUE(later.created.empty());
  EXPECT_EQ(later.retired, std::vector<SeriesIndex>{0});
  EXPECT_EQ(values_of(later), (std::map<int, double>{{kRun, 1}}));
  executor.take("spark-1.3.executor.succeededTasks.count 2 1", kPushTtlMs + 2);
  EXPECT_EQ(executor.decoder->report({kPushTtlMs + 2}).created, std::vector<SeriesIndex>{0});
}

TEST(PushGraphite, EveryLineOfARealReportIsCountedOnceAndNoneIsUnreadable) {
  const std::string app = "app-20261122190152-0000";
  std::size_t files = 0;
  for (const std::string& path : list_captures("graphite_")) {
    const std::string body = read_capture(path);
    const std::string who = path.substr(path.rfind('_') + 1, path.rfind('.') - path.rfind('_') - 1);
    const bool is_driver = who == "driver" || who == "noid";
    Pushed sender(is_driver ? driver_sender(app) : executor_sender(app, who));
    std::size_t lines = 0;
    for (std::size_t at = 0; at < body.size(); ++lines) {
      const std::size_t end = body.find('\n', at);
      ASSERT_NE(end, std::string::npos);
      sender.take(std::string_view(body).substr(at, end - at));
      at = end + 1;
    }
    EXPECT_EQ(total(sender.counts), lines) << path;
    EXPECT_EQ(count_of(sender.counts, PushResult::kKept) + count_of(sender.counts, PushResult::kSkipped),
              lines)
        << path;
    const std::size_t wanted = who == "noid" ? 0 : is_driver ? 15 : 19;
    EXPECT_EQ(count_of(sender.counts, PushResult::kKept), wanted) << path;
    ++files;
  }
  EXPECT_EQ(files, 13U);
}

// What executor 2 of the captured run pushed as it ended: two reports of one second (spark.md section 0.1).
TEST(SparkTrapGraphite, TheLastReportComesTwiceAndCountsOnce) {
  const std::string pushed = "spark/real-4.3.0/shuffle/push/";
  Pushed executor(executor_sender("app-20261122190152-0000", "2"));
  const auto push = [&executor](const std::string& body) {
    for (std::size_t at = 0; at < body.size(); at = body.find('\n', at) + 1)
      executor.take(std::string_view(body).substr(at, body.find('\n', at) - at));
    return executor.values();
  };
  const std::map<int, double> once = push(read_capture(pushed + "graphite_10_2.txt"));
  ASSERT_TRUE(once.contains(kCompleted));
  EXPECT_EQ(once.at(kCompleted), 28);
  EXPECT_GT(once.at(kRun), 0);
  const std::map<int, double> twice = push(read_capture(pushed + "graphite_11_2.txt"));
  EXPECT_EQ(twice.at(kCompleted), 28);
  EXPECT_EQ(twice.at(kRun), once.at(kRun));
}

TEST(PushGraphite, ReadsRandomLinesAsItsSlowTwinDoes) {
  std::mt19937 dice(7);
  const std::array<std::string, 17> parts = {"spark-1.3.executor.runTime.count",
                                             " ",
                                             "  ",
                                             "\t",
                                             "1",
                                             "12.50",
                                             "-1",
                                             "NaN",
                                             "e",
                                             "1e3",
                                             "spark-1.3.executor.runTime",
                                             ",",
                                             "1795374148",
                                             "+",
                                             "\r",
                                             ".",
                                             std::string(1, '\0')};
  for (int i = 0; i < 50'000; ++i) {
    std::string line;
    for (unsigned parts_left = dice() % 8; parts_left != 0; --parts_left)
      line += parts[dice() % parts.size()];
    Pushed executor(executor_sender());
    const PushResult result = executor.take(line);
    const auto slow = reference::slow_graphite(line);
    EXPECT_EQ(result == PushResult::kSyntax, !slow) << line;
    if (result == PushResult::kKept) {
      EXPECT_EQ(executor.values().at(kRun), slow->number / 1000) << line;
    }
  }
}

}  // namespace
}  // namespace flintgauge
