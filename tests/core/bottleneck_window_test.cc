#include "agent/core/bottleneck_window.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "support/allocations.h"

namespace flintgauge {
namespace {

SteadyTime second(std::int64_t seconds) { return SteadyTime{1'000'000 + seconds * 1000}; }

/// An application that does `pace` tasks of a second each in a second, two of its eight slots busy.
AppSample sample(double seconds, double pace = 2) {
  AppSample out;
  out.run_seconds = out.tasks_completed = 1000 + pace * seconds;
  out.cpu_seconds = 500 + seconds;
  out.driver_cpu_seconds = 10 + seconds / 2;
  out.executors = 2;
  out.slots = 8;
  out.active_tasks = 2;
  out.pending_tasks = 0;
  out.active_stages = 1;
  return out;
}

TEST(BottleneckWindow, SaysNothingBeforeItIsFull) {
  BottleneckWindow window(120'000);
  EXPECT_EQ(window.input().window_seconds, 0);
  for (std::int64_t s = 0; s < 120; s += 10) window.add(sample(static_cast<double>(s)), second(s));
  EXPECT_EQ(window.input().window_seconds, 0);
  window.add(sample(120), second(120));
  EXPECT_EQ(window.input().window_seconds, 120);
}

TEST(BottleneckWindow, GivesIncreasesAndMeans) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 600; s += 10) {
    AppSample now = sample(static_cast<double>(s));
    now.pending_tasks = s % 40 == 0 ? 4 : 0;
    window.add(now, second(s));
  }
  const BottleneckInput in = window.input();
  EXPECT_EQ(in.window_seconds, 120);
  EXPECT_EQ(in.run_seconds, 240);
  EXPECT_EQ(in.tasks_completed, 240);
  EXPECT_EQ(in.cpu_seconds, 120);
  EXPECT_EQ(in.driver_cpu_cores, 0.5);
  EXPECT_EQ(in.slots, 8);
  EXPECT_EQ(in.active_tasks, 2);
  EXPECT_DOUBLE_EQ(in.pending_tasks.value_or(0), 16.0 / 13);
  EXPECT_DOUBLE_EQ(in.backlog_share.value_or(0), 4.0 / 13);
  EXPECT_EQ(in.stage_share, 1);
  EXPECT_EQ(in.idle_share, 0);
  EXPECT_FALSE(in.gc_seconds) << "never told";
  EXPECT_FALSE(in.job_share);
  EXPECT_FALSE(in.stage_median_seconds);
  EXPECT_FALSE(in.shortfall_seconds) << "no target is known";
}

TEST(BottleneckWindow, LooksFurtherBackWhileFewTasksEnd) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 1000; s += 10) window.add(sample(static_cast<double>(s), 0.15), second(s));
  EXPECT_EQ(window.input().window_seconds, 200) << "30 tasks";
  BottleneckWindow slow(120'000);
  for (std::int64_t s = 0; s <= 1000; s += 10) slow.add(sample(static_cast<double>(s), 0.01), second(s));
  EXPECT_EQ(slow.input().window_seconds, 300) << "not further than that";
}

TEST(BottleneckWindow, LooksNoFurtherBackWhenNothingRan) {
  BottleneckWindow window(120'000);
  const auto feed = [&](std::int64_t from, std::int64_t to, bool runs) {
    for (std::int64_t s = from; s <= to; s += 10) {
      AppSample now = sample(static_cast<double>(runs ? s : 510), 0.01);
      if (!runs) now.active_tasks = now.active_stages = 0;
      window.add(now, second(s));
    }
    return window.input();
  };
  feed(0, 500, true);
  EXPECT_EQ(feed(510, 620, false).window_seconds, 300) << "its first sample saw a task";
  const BottleneckInput idle = feed(630, 630, false);
  EXPECT_EQ(idle.window_seconds, 120);
  EXPECT_EQ(classify(idle).kind, BottleneckKind::kIdle);
}

TEST(BottleneckWindow, ManySamplesASecondChangeLittle) {
  BottleneckWindow window(120'000);
  for (std::int64_t ms = 0; ms <= 600'000; ms += 500) {
    window.add(sample(static_cast<double>(ms) / 1000), SteadyTime{second(0).ms + ms});
  }
  const BottleneckInput in = window.input();
  EXPECT_GE(in.window_seconds, 120);
  EXPECT_LE(in.window_seconds, 130);
  EXPECT_EQ(in.run_seconds, 2 * in.window_seconds);
}

TEST(BottleneckWindow, BeginsAnewWhenACounterFell) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 200; s += 10) window.add(sample(static_cast<double>(s)), second(s));
  window.add(sample(0), second(210));
  EXPECT_EQ(window.input().window_seconds, 0);
}

TEST(BottleneckWindow, ForgetsAfterAPause) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 200; s += 10) window.add(sample(static_cast<double>(s)), second(s));
  window.add(sample(1000), second(1000));
  EXPECT_EQ(window.input().window_seconds, 0);
}

TEST(BottleneckWindow, TheSameTimeTwiceIsOneSample) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 120; s += 10) window.add(sample(static_cast<double>(s)), second(s));
  window.add(sample(500), second(120));
  EXPECT_EQ(window.input().run_seconds, 240);
}

// A loaded node starts a Java process in a minute: its pod runs, so nothing was refused.
TEST(BottleneckWindow, AnExecutorWhosePodRunsIsNotMissing) {
  BottleneckWindow window(120'000);
  AppSample now = sample(0);
  now.target_executors = 3;
  const auto missing_for = [&](std::int64_t s, double pods) {
    now.running_pods = pods;
    window.add(now, second(s));
    return window.shortfall_seconds();
  };
  EXPECT_EQ(missing_for(0, 3), 0);
  EXPECT_EQ(missing_for(60, 3), 0);
  EXPECT_EQ(missing_for(70, 2), 0);
  EXPECT_EQ(missing_for(110, 2), 40);
  EXPECT_EQ(missing_for(120, AppSample::kUnknown), 50) << "nobody tells the pods";
  EXPECT_EQ(missing_for(130, 4), 0);
}

TEST(BottleneckWindow, FollowsHowLongExecutorsAreMissing) {
  BottleneckWindow window(120'000);
  const auto feed = [&](std::int64_t from, std::int64_t to, double target) {
    for (std::int64_t s = from; s <= to; s += 10) {
      AppSample now = sample(static_cast<double>(s));
      now.target_executors = target;
      window.add(now, second(s));
    }
    return window.input().shortfall_seconds;
  };
  EXPECT_EQ(feed(0, 150, 2), 0);
  EXPECT_EQ(feed(160, 200, 3), 40);
  EXPECT_EQ(feed(210, 210, 2), 0);
  EXPECT_EQ(feed(220, 220, 3), 0);
}

TEST(BottleneckWindow, FollowsTheEndOfAStage) {
  BottleneckWindow window(120'000);
  const auto feed = [&](std::int64_t from, std::int64_t to, double active, double pending) {
    for (std::int64_t s = from; s <= to; s += 10) {
      AppSample now = sample(static_cast<double>(s));
      now.active_tasks = active;
      now.pending_tasks = pending;
      window.add(now, second(s));
    }
    return window.input().tail_seconds;
  };
  EXPECT_EQ(feed(0, 150, 2, 0), 0) << "a quarter is not less than a quarter";
  EXPECT_EQ(feed(160, 200, 1, 0), 40);
  EXPECT_EQ(feed(210, 220, 1, 3), 0);
  EXPECT_EQ(feed(230, 240, 0, 0), 0) << "no task is no end of a stage";
  BottleneckWindow small(120'000);
  for (std::int64_t s = 0; s <= 150; s += 10) {
    AppSample now = sample(static_cast<double>(s));
    now.slots = 2;
    now.active_tasks = s < 100 ? 2 : 1;
    small.add(now, second(s));
  }
  EXPECT_EQ(small.input().tail_seconds, 50) << "the last task, half of the slots";
}

TEST(BottleneckWindow, KeepsTheStageWithTheLongestTask) {
  BottleneckWindow window(120'000);
  for (std::int64_t s = 0; s <= 120; s += 10) {
    AppSample now = sample(static_cast<double>(s));
    if (s >= 20) {
      now.stage_median_seconds = s == 50 ? 2 : 1;
      now.stage_max_seconds = s == 50 ? 30 : 3;
    }
    window.add(now, second(s));
  }
  EXPECT_EQ(window.input().stage_median_seconds, 2);
  EXPECT_EQ(window.input().stage_max_seconds, 30);
}

TEST(BottleneckWindow, DoesNotAllocate) {
  BottleneckWindow window(120'000);
  const std::size_t before = testing::allocations();
  for (std::int64_t s = 0; s <= 1000; s += 10) {
    window.add(sample(static_cast<double>(s)), second(s));
    EXPECT_EQ(classify(window.input()).kind,
              s < 120 ? BottleneckKind::kUnknown : classify(window.input()).kind);
  }
  EXPECT_EQ(testing::allocations(), before);
}

}  // namespace
}  // namespace flintgauge
