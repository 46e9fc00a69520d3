#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
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

// ---- properties over random input

TEST(StreamingExecutors, NeverFallWhenMoreArrivesAndStayWithinBounds) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> rate(0, 10'000), count(0, 200);
  for (int i = 0; i < 20'000; ++i) {
    StreamingInput in{.executors = std::floor(count(random)),
                      .input_rate = rate(random),
                      .processing_rate = rate(random),
                      .batches_behind = std::floor(count(random) / 40),
                      .min_executors = std::floor(count(random) / 10)};
    in.max_executors = in.min_executors + std::floor(count(random));
    const double before = streaming_executors(in);
    ASSERT_GE(before, in.min_executors);
    ASSERT_LE(before, in.max_executors);
    ASSERT_EQ(before, std::floor(before));
    ASSERT_GE(before, std::min(in.executors, in.max_executors)) << "it never gives one up";
    StreamingInput in_thousands = in;
    in_thousands.input_rate /= 1024;
    in_thousands.processing_rate /= 1024;
    ASSERT_EQ(streaming_executors(in_thousands), before) << "a unit of rows is only a unit";
    in.input_rate += rate(random);
    ASSERT_GE(streaming_executors(in), before);
    ++in.batches_behind;
    ASSERT_GE(streaming_executors(in), before);
  }
}

TEST(WorkersDesired, HoldAllCoresAndNoWorkerTooMany) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<int> few(0, 20);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<WorkerDemand> apps(static_cast<std::size_t>(few(random) % 5));
    double cores = 0;
    for (WorkerDemand& app : apps) {
      app = {static_cast<double>(few(random)), static_cast<double>(few(random))};
      cores += app.executors * app.executor_cores;
    }
    const double of_worker = 1 + few(random);
    const double desired = workers(apps, of_worker, 0, 1e9);
    ASSERT_GE(desired * of_worker, cores);
    ASSERT_LT((desired - 1) * of_worker, std::max(cores, 1.0));
    apps.push_back({1, 1});
    ASSERT_GE(workers(apps, of_worker, 0, 1e9), desired);
  }
}

}  // namespace
}  // namespace flintgauge
