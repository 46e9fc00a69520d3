#include <gtest/gtest.h>

#include <array>
#include <random>

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
constexpr int kActive = static_cast<int>(Measure::kExecutorActiveTasks);

struct Pushed {
  explicit Pushed(PushSender sender) : decoder(make_push_decoder(PushProtocol::kStatsd, std::move(sender))) {}
  void take(std::string_view datagram) { decoder->take(datagram, {0}, counts); }
  std::uint64_t count(PushResult result) { return count_of(counts, result); }
  std::map<int, double> values() { return values_of(decoder->report({0})); }

  std::unique_ptr<PushDecoder> decoder;
  PushCounts counts{};
};

TEST(PushStatsd, ACounterIsTheTotalWhateverItsType) {
  Pushed executor(executor_sender());
  executor.take("spark-1.3.executor.succeededTasks:5|c");
  executor.take("spark-1.3.executor.succeededTasks:7|c");
  executor.take("spark-1.3.executor.runTime:2500|g");  // as SPARK-43536 would send it
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kCompleted, 7}, {kRun, 2.5}}));
  executor.take("spark-1.3.executor.succeededTasks:2|c");
  EXPECT_EQ(executor.values().at(kCompleted), 2) << "a drop is the fold's to judge";
}

TEST(PushStatsd, NumbersMayHaveADecimalCommaAndNegativeGaugesAreValues) {
  Pushed executor(executor_sender());
  executor.take("spark-1.3.executor.threadpool.activeTasks:2,50|g");
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kActive, 2.5}}));
  executor.take("spark-1.3.executor.threadpool.activeTasks:-1|g");
  EXPECT_EQ(executor.count(PushResult::kNotFinite), 1U);
  EXPECT_EQ(executor.values().at(kActive), 2.5) << "not one less than before";
}

TEST(PushStatsd, StatisticsAreSkippedAndWhatSparkNeverSendsIsNoLine) {
  Pushed executor(executor_sender());
  executor.take("spark-1.3.CodeGenerator.compilationTime.p99:12.00|ms");
  EXPECT_EQ(executor.count(PushResult::kSkipped), 1U);
  for (const char* bad : {"", "x", ":1|c", "spark-1.3.executor.runTime|c", "spark-1.3.executor.runTime:1",
                          "spark-1.3.executor.runTime:1|c|@0.1",
                          "spark-1.3.executor.runTime:1|c|#app:spark-2", "spark-1.3.executor.runTime:+1|g",
                          "spark-1.3.executor.runTime:1,2,3|c", "spark-1.3.executor.runTime:1|x", "\xff\xfe"})
    executor.take(bad);
  EXPECT_EQ(executor.count(PushResult::kSyntax), 11U);
  EXPECT_EQ(total(executor.counts), 12U);
}

TEST(PushStatsd, ADatagramIsReadWithinItsOwnBounds) {
  Pushed executor(executor_sender());
  executor.take("spark-1.3.executor.succeededTasks:1|c\nspark-1.3.executor.runTime:1000|c\n");
  executor.take("spark-1.3.executor.succeeded");
  executor.take("Tasks:9|c");
  executor.take(std::string(kMaxPushLine + 1, 'x'));
  EXPECT_EQ(executor.values(), (std::map<int, double>{{kCompleted, 1}, {kRun, 1}}));
  EXPECT_EQ(executor.count(PushResult::kSyntax), 1U);
  EXPECT_EQ(executor.count(PushResult::kSkipped), 1U) << "a name without application";
  EXPECT_EQ(executor.count(PushResult::kLineTooLong), 1U);
}

TEST(PushStatsd, EveryRealDatagramIsCountedOnceAndNoneIsUnreadable) {
  const std::string app = "app-20261122190152-0000";
  const std::string packets = read_capture("spark/real-4.3.0/shuffle/push/statsd_packets.tsv");
  std::map<std::string, Pushed> senders;
  senders.emplace("driver", driver_sender(app));
  for (const char* id : {"0", "1", "2"}) senders.emplace(id, executor_sender(app, id));
  std::size_t datagrams = 0;
  for (std::size_t at = 0; at < packets.size(); ++datagrams) {
    const std::size_t end = packets.find('\n', at);
    const std::size_t text = packets.find('\t', packets.find('\t', at) + 1) + 1;
    const std::string datagram = packets.substr(text, end - text);
    const std::size_t id = datagram.starts_with(app) ? app.size() + 1 : std::string::npos;
    const std::string who =
        id == std::string::npos ? "driver" : datagram.substr(id, datagram.find('.', id) - id);
    senders.at(who).take(datagram);
    at = end + 1;
  }
  std::uint64_t counted = 0;
  for (auto& [who, sender] : senders) {
    counted += total(sender.counts);
    EXPECT_EQ(sender.count(PushResult::kKept) + sender.count(PushResult::kSkipped), total(sender.counts))
        << who;
    EXPECT_EQ(sender.count(PushResult::kKept), who == "driver" ? 15U : 19U) << who;
  }
  EXPECT_EQ(counted, datagrams);
}

TEST(PushStatsd, ReadsRandomDatagramsAsItsSlowTwinDoes) {
  std::mt19937 dice(11);
  const std::array<std::string, 13> parts = {
      "spark-1.3.executor.runTime", ":", "|", "c", "g", "ms", "1", "2,50", "-", "@0.1", ",", " ", "e5"};
  for (int i = 0; i < 50'000; ++i) {
    std::string datagram;
    for (unsigned parts_left = dice() % 8; parts_left != 0; --parts_left)
      datagram += parts[dice() % parts.size()];
    Pushed executor(executor_sender());
    executor.take(datagram);
    std::string type;
    const auto slow = reference::slow_statsd(datagram, type);
    EXPECT_EQ(executor.count(PushResult::kSyntax), slow ? 0U : 1U) << datagram;
    if (executor.count(PushResult::kKept) == 1) {
      EXPECT_EQ(executor.values().at(kRun), slow->number / 1000) << datagram;
    }
    EXPECT_EQ(total(executor.counts), 1U);
  }
}

}  // namespace
}  // namespace flintgauge
