// When the whole list of a driver's stages is asked for again: after a task has ended or a stage has moved.
#include <gtest/gtest.h>

#include "core/spark_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

struct NewsBench : SparkBench {
  FakeDriver driver;
  Target whole = [this] {
    Target target = driver.stages;
    target.key = "spark_stages_all/team-a/spark-1";
    target.only_after_news = true;
    return target;
  }();

  void read_whole(std::vector<SparkStage> rows, double at) {
    fold->apply(whole, Batch(SparkStages{true, std::move(rows)}), after(at));
  }
  bool has_news() const { return fold->has_news(whole); }
};

const SparkStage kDone = stage(0, StageStatus::kComplete, 10, 0, 10);

TEST(SparkNews, AnUnknownApplicationHasSome) { EXPECT_TRUE(NewsBench().has_news()); }

TEST(SparkNews, NoneAfterTwoReadingsOfAnApplicationAtRest) {
  NewsBench bench;
  bench.executors(bench.driver, {executor("1", 10)}, 0);
  bench.stages(bench.driver, {}, 0);
  EXPECT_TRUE(bench.has_news()) << "never read";
  bench.read_whole({kDone}, 1);
  EXPECT_TRUE(bench.has_news()) << "the driver's lists may be 100 ms apart";
  bench.read_whole({kDone}, 31);
  EXPECT_FALSE(bench.has_news());
  bench.stages(bench.driver, {}, 40);
  bench.executors(bench.driver, {executor("1", 10)}, 40);
  EXPECT_FALSE(bench.has_news());
}

TEST(SparkNews, ATaskThatEndedIsNewsForTwoReadings) {
  NewsBench bench;
  bench.executors(bench.driver, {executor("1", 10)}, 0);
  bench.read_whole({kDone}, 1);
  bench.read_whole({kDone}, 31);
  SparkExecutor failed = executor("1", 10);
  failed.tasks_failed = 1;
  bench.executors(bench.driver, {failed}, 40);
  EXPECT_TRUE(bench.has_news());
  bench.read_whole({kDone}, 61);
  EXPECT_TRUE(bench.has_news());
  bench.read_whole({kDone}, 91);
  EXPECT_FALSE(bench.has_news());
}

TEST(SparkNews, AStageThatRunsOrWaitsIsNews) {
  NewsBench bench;
  bench.executors(bench.driver, {executor("1", 10)}, 0);
  for (const StageStatus status : {StageStatus::kActive, StageStatus::kPending}) {
    bench.read_whole({kDone}, 1);
    bench.read_whole({kDone}, 31);
    ASSERT_FALSE(bench.has_news());
    bench.stages(bench.driver, {stage(1, status, 4, 0, 0)}, 40);
    EXPECT_TRUE(bench.has_news());
  }
}

TEST(SparkNews, WithoutAListOfExecutorsNobodyCanTell) {
  NewsBench bench;
  bench.executors(bench.driver, {executor("1", 10)}, 0);
  bench.read_whole({kDone}, 1);
  bench.read_whole({kDone}, 31);
  ASSERT_FALSE(bench.has_news());
  bench.fold->drop(bench.driver.rest, after(100));
  EXPECT_TRUE(bench.has_news());
}

}  // namespace
}  // namespace flintgauge
