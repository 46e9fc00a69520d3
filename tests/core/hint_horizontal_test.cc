#include "flintgauge/hint_horizontal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// c=4, S=30, min=1, max=200, k=1, T=120 unless changed: docs/hints.md section 1.
HorizontalInput input(double executors, double busy, double running, double pending, double seconds) {
  HorizontalInput in;
  in.executors = executors;
  in.executor_pods = executors;
  in.busy_executors = busy;
  in.running_tasks = running;
  in.pending_tasks = pending;
  in.mean_task_seconds = seconds;
  in.tasks_per_executor = 4;
  in.min_executors = 1;
  return in;
}

template <typename Change>
HorizontalInput with(HorizontalInput in, Change change) {
  change(in);
  return in;
}

struct Case {
  const char* name;
  HorizontalInput in;
  double parity, work, need, raw, safe, desired, unmet;
  HintReason reason;
};

class Vector : public testing::TestWithParam<Case> {};

TEST_P(Vector, GivesEachTerm) {
  const Case& want = GetParam();
  const HorizontalHint got = horizontal_hint(want.in);
  EXPECT_EQ(got.parity, want.parity);
  EXPECT_EQ(got.work_task_seconds, want.work);
  EXPECT_EQ(got.need, want.need);
  EXPECT_EQ(got.raw, want.raw);
  EXPECT_EQ(got.safe, want.safe);
  EXPECT_EQ(got.desired, want.desired);
  EXPECT_EQ(got.unmet, want.unmet);
  EXPECT_EQ(to_string(got.reason), to_string(want.reason));
}

const auto kMax50 = [](HorizontalInput& in) { in.max_executors = 50; };

INSTANTIATE_TEST_SUITE_P(
    Reference, Vector,
    testing::Values(
        Case{"idle", with(input(5, 0, 0, 0, 10), kMax50), 0, 0, 0, 1, 1, 1, 0, HintReason::kIdle},
        Case{"burst", input(2, 2, 8, 392, 10), 100, 3960, 11, 11, 11, 11, 0, HintReason::kBacklog},
        Case{"tiny_tasks", with(input(2, 2, 8, 40, 0.5), kMax50), 12, 22, 2, 2, 2, 2, 0,
             HintReason::kBusyFloor},
        Case{"long_tasks", with(input(2, 2, 8, 24, 600), kMax50), 8, 16800, 8, 8, 8, 8, 0,
             HintReason::kParity},
        Case{"quota", with(input(2, 2, 8, 392, 10), [](auto& in) { in.quota_headroom_executors = 4; }), 100,
             3960, 11, 11, 11, 6, 5, HintReason::kQuota},
        Case{"tail",
             with(input(20, 12, 14, 0, 60),
                  [](auto& in) {
                    in.min_executors = 2;
                    in.max_executors = 50;
                  }),
             4, 420, 4, 4, 12, 12, 0, HintReason::kBusyFloor},
        Case{"from_zero",
             with(input(0, 0, 0, 100, 10),
                  [](auto& in) {
                    in.min_executors = 0;
                    in.max_executors = 50;
                  }),
             25, 1000, 3, 3, 3, 3, 0, HintReason::kBacklog},
        Case{"low_confidence", with(input(2, 2, 8, 392, 10), [](auto& in) { in.confidence = 0.1; }), 100,
             3960, 100, 100, 100, 100, 0, HintReason::kParity},
        Case{"drain_target_zero",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.drain_target_seconds = 0; }), 100, 3960, 100,
             100, 100, 100, 0, HintReason::kParity},
        Case{"unschedulable",
             with(input(3, 1, 1, 3, 10),
                  [](auto& in) {
                    in.unschedulable_sets = 2;
                    in.drain_target_seconds = 0;
                  }),
             4, 35, 4, 4, 4, 4, 0, HintReason::kParity},
        Case{"steady", input(10, 10, 40, 400, 10), 110, 4200, 10, 10, 10, 10, 0, HintReason::kBusyFloor},
        Case{"max_clamp", with(input(10, 10, 40, 4000, 30), kMax50), 1010, 120600, 332, 50, 50, 50, 0,
             HintReason::kMax}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Ours, Vector,
    testing::Values(
        Case{"unknown_task_time_is_not_no_work", input(10, 10, 40, 400, 0), 110, 0, 110, 110, 110, 110, 0,
             HintReason::kParity},
        Case{"startup_bound", input(10, 2, 4, 36, 20), 10, 760, 2, 2, 2, 2, 0, HintReason::kStartupBound},
        Case{"drain", input(10, 10, 4, 200, 20), 51, 4040, 9, 9, 10, 10, 0, HintReason::kBusyFloor},
        Case{"drain_decides", input(10, 5, 4, 200, 20), 51, 4040, 9, 9, 9, 9, 0, HintReason::kDrain},
        Case{"boundary_of_startup", input(2, 0, 0, 24, 10), 6, 240, 1, 1, 1, 1, 0, HintReason::kStartupBound},
        Case{"drain_equals_parity", with(input(0, 0, 0, 4, 45), [](auto& in) { in.min_executors = 0; }), 1,
             180, 1, 1, 1, 1, 0, HintReason::kBacklog},
        Case{"drain_target_shorter_than_two_starts",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.drain_target_seconds = 40; }), 100, 3960, 31, 31,
             31, 31, 0, HintReason::kBacklog},
        Case{"least_confidence", with(input(2, 2, 8, 392, 10), [](auto& in) { in.confidence = 0.3; }), 100,
             3960, 11, 11, 11, 11, 0, HintReason::kBacklog},
        Case{"min", with(input(2, 1, 4, 0, 600), [](auto& in) { in.min_executors = 2; }), 1, 1200, 1, 2, 2, 2,
             0, HintReason::kMin},
        Case{"pending_pods_are_inside_the_quota",
             with(input(2, 2, 8, 392, 10),
                  [](auto& in) {
                    in.executor_pods = 9;
                    in.quota_headroom_executors = 0;
                  }),
             100, 3960, 11, 11, 11, 9, 2, HintReason::kQuota},
        Case{"quota_overdrawn_keeps_what_runs",
             with(input(4, 4, 16, 400, 60), [](auto& in) { in.quota_headroom_executors = -3; }), 104, 24480,
             67, 67, 67, 4, 63, HintReason::kQuota},
        Case{"cluster_is_less_than_quota",
             with(input(2, 2, 8, 392, 10),
                  [](auto& in) {
                    in.quota_headroom_executors = 4;
                    in.cluster_headroom_executors = 1;
                  }),
             100, 3960, 11, 11, 11, 3, 8, HintReason::kQuota},
        Case{"quota_is_less_than_cluster",
             with(input(2, 2, 8, 392, 10),
                  [](auto& in) {
                    in.quota_headroom_executors = 4;
                    in.cluster_headroom_executors = 40;
                  }),
             100, 3960, 11, 11, 11, 6, 5, HintReason::kQuota},
        Case{"cluster_without_a_quota",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.cluster_headroom_executors = 2; }), 100, 3960,
             11, 11, 11, 4, 7, HintReason::kQuota},
        Case{"cluster_that_is_no_number_is_none",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.cluster_headroom_executors = kNaN; }), 100, 3960,
             11, 11, 11, 11, 0, HintReason::kBacklog},
        Case{"spark_says_what_it_needs",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.max_needed_executors = 3; }), 3, 3960, 3, 3, 3,
             3, 0, HintReason::kParity},
        Case{"spark_needs_more_than_its_rule",
             with(input(2, 2, 8, 392, 10),
                  [](auto& in) {
                    in.max_needed_executors = 101;
                    in.drain_target_seconds = 0;
                  }),
             101, 3960, 101, 101, 101, 101, 0, HintReason::kParity},
        Case{"spark_said_so_before_the_tasks_came",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.max_needed_executors = 0; }), 100, 3960, 11, 11,
             11, 11, 0, HintReason::kBacklog},
        Case{"spark_needs_less_than_runs",
             with(input(2, 2, 8, 392, 10), [](auto& in) { in.max_needed_executors = 1; }), 1, 3960, 2, 2, 2,
             2, 0, HintReason::kBusyFloor},
        Case{"unschedulable_without_tasks",
             with(input(3, 0, 0, 0, 10), [](auto& in) { in.unschedulable_sets = 1; }), 4, 0, 0, 1, 1, 1, 0,
             HintReason::kMin}),
    [](const auto& test) { return std::string(test.param.name); });

// ---- properties over random input
// ---------------------------------------------------------------------------

double pick(std::mt19937_64& random, std::initializer_list<double> some, double most) {
  std::uniform_real_distribution<double> any(0, most);
  std::uniform_int_distribution<std::size_t> which(0, some.size());
  const std::size_t index = which(random);
  return index == some.size() ? any(random) : *(some.begin() + static_cast<std::ptrdiff_t>(index));
}

HorizontalInput random_input(std::mt19937_64& random) {
  HorizontalInput in;
  in.executors = std::floor(pick(random, {0, 1, 2}, 300));
  in.executor_pods = in.executors + std::floor(pick(random, {0, 0}, 20));
  in.busy_executors = std::floor(in.executors * pick(random, {0, 1}, 1));
  in.tasks_per_executor = 1 + std::floor(pick(random, {0, 3}, 16));
  in.running_tasks = std::floor(in.busy_executors * pick(random, {0, 1}, in.tasks_per_executor));
  in.pending_tasks = std::floor(pick(random, {0, 1}, 20'000));
  in.unschedulable_sets = std::floor(pick(random, {0, 0, 0}, 5));
  in.allocation_ratio = pick(random, {1, 1, 0.5}, 1);
  in.mean_task_seconds = pick(random, {0, 0.01, 1, 10}, 1000);
  in.drain_target_seconds = pick(random, {0, 120}, 600);
  in.startup_seconds = pick(random, {0, 30}, 120);
  in.min_executors = std::floor(pick(random, {0, 1}, 20));
  in.max_executors = in.min_executors + std::floor(pick(random, {0, 200}, 400));
  if (pick(random, {0, 1}, 1) > 0.5) in.quota_headroom_executors = std::floor(pick(random, {0, 1}, 100));
  in.confidence = pick(random, {1, 0.29, 0.3}, 1);
  if (pick(random, {0, 1}, 1) > 0.5) in.cluster_headroom_executors = std::floor(pick(random, {0, 1}, 100));
  if (pick(random, {0, 1}, 1) > 0.5) in.max_needed_executors = std::floor(pick(random, {0, 1}, 300));
  return in;
}

constexpr int kRounds = 100'000;

TEST(HorizontalHint, StaysInsideItsBounds) {
  std::mt19937_64 random(1);
  for (int i = 0; i < kRounds; ++i) {
    const HorizontalInput in = random_input(random);
    const HorizontalHint hint = horizontal_hint(in);
    ASSERT_GE(hint.desired, in.min_executors);
    ASSERT_LE(hint.desired, in.max_executors);
    ASSERT_GE(hint.desired, std::min(in.busy_executors, in.max_executors));
    ASSERT_GE(hint.unmet, 0);
    ASSERT_EQ(hint.desired, std::floor(hint.desired));
    for (const auto& room : {in.quota_headroom_executors, in.cluster_headroom_executors}) {
      if (!room) continue;
      ASSERT_LE(hint.desired, std::max(in.executor_pods + *room, in.min_executors));
    }
  }
}

TEST(HorizontalHint, NeverFallsWhenTheBacklogOrTheQuotaGrows) {
  std::mt19937_64 random(2);
  for (int i = 0; i < kRounds; ++i) {
    HorizontalInput in = random_input(random);
    const double before = horizontal_hint(in).desired;
    in.pending_tasks += std::floor(pick(random, {1, 2}, 5'000));
    const double longer = horizontal_hint(in).desired;
    ASSERT_GE(longer, before);
    if (!in.quota_headroom_executors) continue;
    in.quota_headroom_executors = *in.quota_headroom_executors + std::floor(pick(random, {1}, 50));
    const double wider = horizontal_hint(in).desired;
    ASSERT_GE(wider, longer);
    in.quota_headroom_executors.reset();
    const double without = horizontal_hint(in).desired;
    ASSERT_GE(without, wider);
    if (!in.cluster_headroom_executors) continue;
    *in.cluster_headroom_executors += std::floor(pick(random, {1}, 50));
    const double roomier = horizontal_hint(in).desired;
    ASSERT_GE(roomier, without);
    in.cluster_headroom_executors.reset();
    ASSERT_GE(horizontal_hint(in).desired, roomier);
  }
}

TEST(HorizontalHint, NeverGrowsWhenThereIsMoreTimeToDrain) {
  std::mt19937_64 random(3);
  for (int i = 0; i < kRounds; ++i) {
    HorizontalInput in = random_input(random);
    if (in.drain_target_seconds <= 0) continue;
    const double before = horizontal_hint(in).need;
    in.drain_target_seconds *= 2;
    ASSERT_LE(horizontal_hint(in).need, before);
  }
}

// Spark's own dynamic allocation is what we must not exceed: that is the point of the hint.
TEST(HorizontalHint, NeedsNoMoreThanSparkWouldAskFor) {
  std::mt19937_64 random(4);
  for (int i = 0; i < kRounds; ++i) {
    HorizontalInput in = random_input(random);
    in.allocation_ratio = 1;  // less than 1 may ask for fewer than run now
    const HorizontalHint hint = horizontal_hint(in);
    // Spark's own number may be of before the tasks that run now.
    ASSERT_LE(hint.need, std::max(hint.parity, std::ceil(in.running_tasks / in.tasks_per_executor)));
    in.max_needed_executors.reset();
    const HorizontalHint by_rule = horizontal_hint(in);
    ASSERT_LE(by_rule.need, by_rule.parity);
  }
}

// n times the application needs n times the executors, up to rounding in each part; and a unit of time is
// only a unit.
TEST(HorizontalHint, Scales) {
  std::mt19937_64 random(5);
  for (int i = 0; i < kRounds; ++i) {
    HorizontalInput in = random_input(random);
    const double once = horizontal_hint(in).need;
    HorizontalInput times = in;
    constexpr double kTimes = 8;
    for (double* count : {&times.executors, &times.executor_pods, &times.busy_executors, &times.running_tasks,
                          &times.pending_tasks, &times.unschedulable_sets}) {
      *count *= kTimes;
    }
    if (times.max_needed_executors) *times.max_needed_executors *= kTimes;
    const double many = horizontal_hint(times).need;
    ASSERT_LE(many, kTimes * once);
    ASSERT_GE(many, kTimes * (once - 2));  // unschedulable sets round a second time

    HorizontalInput unit = in;
    for (double* seconds : {&unit.mean_task_seconds, &unit.drain_target_seconds, &unit.startup_seconds}) {
      *seconds *= 1024;
    }
    ASSERT_EQ(horizontal_hint(unit).desired, horizontal_hint(in).desired);
  }
}

TEST(HorizontalHint, GivesNumbersForHostileInput) {
  const std::vector<double> hostile = {0,    -0.0,  1,      -1,   0.3,   1e-320, 1e9,
                                       1e18, 1e308, -1e308, kInf, -kInf, kNaN,   4};
  std::mt19937_64 random(6);
  std::uniform_int_distribution<std::size_t> which(0, hostile.size() - 1);
  const auto any = [&] { return hostile[which(random)]; };
  for (int i = 0; i < kRounds; ++i) {
    const HorizontalInput in{any(), any(), any(), any(), any(), any(), any(), any(), any(),
                             any(), any(), any(), any(), any(), any(), any(), any()};
    const HorizontalHint hint = horizontal_hint(in);
    for (const double value : {hint.desired, hint.unmet, hint.backlog_seconds, hint.idle_executors,
                               hint.parity, hint.work_task_seconds, hint.need, hint.raw, hint.safe}) {
      ASSERT_TRUE(std::isfinite(value)) << i;
      ASSERT_GE(value, 0);
    }
    const double most = in.max_executors > 0 ? std::min(in.max_executors, 1e9) : 0;
    ASSERT_LE(hint.desired, most);
    const double k = confidence(any(), any(), any(), any());
    ASSERT_TRUE(k >= 0 && k <= 1);
  }
}

// ---- confidence
// -----------------------------------------------------------------------------------------------

TEST(Confidence, IsTheProductOfWhatWasSeen) {
  EXPECT_EQ(confidence(30, 60, 0, 30), 1);
  EXPECT_EQ(confidence(3000, 6000, 0, 30), 1);
  EXPECT_EQ(confidence(15, 60, 0, 30), 0.5);
  EXPECT_EQ(confidence(30, 15, 0, 30), 0.25);
  EXPECT_EQ(confidence(30, 60, 15, 30), 0.5);
  EXPECT_EQ(confidence(15, 30, 15, 30), 0.125);
  EXPECT_EQ(confidence(30, 60, 30, 30), 0);
  EXPECT_EQ(confidence(30, 60, 31, 30), 0);
  EXPECT_EQ(confidence(30, 60, -5, 30), 1) << "a sample from the future is not better than one of now";
  EXPECT_EQ(confidence(30, 60, 0, 0), 0);
  EXPECT_EQ(confidence(kNaN, 60, 0, 30), 0);
  EXPECT_EQ(confidence(30, 60, kNaN, 30), 0);
}

}  // namespace
}  // namespace flintgauge
