#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "flintgauge/hint_horizontal.h"

namespace flintgauge {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double workers(std::vector<WorkerDemand> applications, double cores, double least = 0, double most = 100) {
  return workers_desired(applications, cores, least, most);
}

TEST(WorkersDesired, AreTheCoresOfAllApplicationsOverThoseOfAWorker) {
  EXPECT_EQ(workers({{11, 4}, {3, 2}}, 16), 4);  // 50 / 16
  EXPECT_EQ(workers({{8, 2}}, 16), 1);
  EXPECT_EQ(workers({}, 16), 0);
}

TEST(WorkersDesired, StayWithinBounds) {
  EXPECT_EQ(workers({{11, 4}}, 16, 5), 5);
  EXPECT_EQ(workers({{1100, 4}}, 16, 1, 50), 50);
  EXPECT_EQ(workers({{1100, 4}}, 16, 60, 50), 50);
  EXPECT_EQ(workers({{kNaN, 4}, {-1, 3}}, 16, 2), 2);
  EXPECT_EQ(workers({{11, 4}}, 0, 2), 2) << "nothing is known of a worker";
}

StreamingInput slow() {
  return {.executors = 4, .input_rate = 1500, .processing_rate = 1000, .batches_behind = 3};
}

TEST(StreamingExecutors, ScaleByHowMuchTheQueryIsTooSlow) {
  EXPECT_EQ(streaming_executors(slow()), 6);
  StreamingInput in = slow();
  in.max_executors = 5;
  EXPECT_EQ(streaming_executors(in), 5);
}

TEST(StreamingExecutors, KeepWhatThereIsUnlessThreeBatchesWereSlow) {
  StreamingInput in = slow();
  in.batches_behind = 2;
  EXPECT_EQ(streaming_executors(in), 4);
  in = slow();
  in.processing_rate = 0;
  EXPECT_EQ(streaming_executors(in), 4) << "no batch has ended";
  in = slow();
  in.input_rate = 900;
  EXPECT_EQ(streaming_executors(in), 4);
  in.input_rate = kNaN;
  EXPECT_EQ(streaming_executors(in), 4);
}

}  // namespace
}  // namespace flintgauge
