#include "flintgauge/bottleneck.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/bottleneck_support.h"

namespace flintgauge {
namespace {

using test::healthy;
using test::names;

template <typename Change>
BottleneckInput with(Change change) {
  BottleneckInput in = healthy();
  change(in);
  return in;
}

BottleneckInput nothing_known() {
  BottleneckInput in;
  in.window_seconds = 120;
  return in;
}

BottleneckInput idle() {
  return with([](BottleneckInput& in) {
    in.active_tasks = in.job_share = in.stage_share = in.run_seconds = in.cpu_seconds = in.tasks_completed =
        0;
    in.gc_seconds = in.fetch_wait_seconds = in.shuffle_write_seconds = in.stage_tasks = 0;
    in.idle_share = 1;
    in.stage_median_seconds = in.stage_max_seconds = std::nullopt;
  });
}

BottleneckInput driver_bound() {
  return with([](BottleneckInput& in) {
    in.active_tasks = 0.5;
    in.idle_share = 0.9;
    in.run_seconds = in.cpu_seconds = 60;
    in.tasks_completed = 40;
    in.driver_cpu_cores = 1.02;
  });
}

/// All slots busy, 300 tasks wait.
BottleneckInput backlog() {
  return with([](BottleneckInput& in) {
    in.active_tasks = 32;
    in.run_seconds = 3840;
    in.cpu_seconds = 2300;
    in.pending_tasks = 300;
    in.backlog_share = 1;
  });
}

BottleneckInput tail_of(double busy, double stage_tasks) {
  return with([&](BottleneckInput& in) {
    in.active_tasks = busy * 32;
    in.run_seconds = busy * 3840;
    in.cpu_seconds = busy * 2300;
    in.gc_seconds = in.fetch_wait_seconds = in.shuffle_write_seconds = 1;
    in.stage_tasks = stage_tasks;
  });
}

struct Case {
  const char* name;
  BottleneckInput in;
  BottleneckKind kind;
  double share, confidence;
};

class Cause : public testing::TestWithParam<Case> {};

TEST_P(Cause, IsNamed) {
  const Case& want = GetParam();
  const Bottleneck got = classify(want.in);
  EXPECT_EQ(to_string(got.kind), to_string(want.kind));
  EXPECT_NEAR(got.confidence, want.confidence, 1e-9);
  ASSERT_EQ(got.count > 0, want.kind != BottleneckKind::kUnknown);
  if (got.count == 0) return;
  EXPECT_NEAR(got.found[0].share, want.share, 1e-9);
}

using enum BottleneckKind;

INSTANTIATE_TEST_SUITE_P(
    Rules, Cause,
    testing::Values(
        Case{"healthy_is_no_cause", healthy(), kUnknown, 0, 0},
        Case{"nothing_known", nothing_known(), kUnknown, 0, 0},
        Case{"no_window", with([](auto& in) {
               in.window_seconds = 0;
               in.gc_seconds = 2000;
             }),
             kUnknown, 0, 0},
        Case{"idle", idle(), kIdle, 1, 1},
        Case{"idle_by_stages_alone",
             [] {
               auto in = idle();
               in.job_share.reset();
               return in;
             }(),
             kIdle, 1, 0.7},
        Case{"no_stage_but_the_driver_computes",
             [] {
               auto in = idle();
               in.job_share.reset();
               in.driver_cpu_cores = 0.98;
               return in;
             }(),
             kDriver, 1, 0.5},
        Case{"driver", driver_bound(), kDriver, 1 - 0.5 / 32, 1},
        Case{"driver_that_waits",
             [] {
               auto in = driver_bound();
               in.driver_cpu_cores = 0.05;
               return in;
             }(),
             kDriver, 1 - 0.5 / 32, 0.7},
        Case{"slots", backlog(), kSlots, 300.0 / 332, 0.7},
        Case{"slots_none_at_all",
             [] {
               auto in = backlog();
               in.executors = in.slots = in.active_tasks = in.run_seconds = 0;
               return in;
             }(),
             kSlots, 1, 0.7},
        Case{"max_executors",
             [] {
               auto in = backlog();
               in.max_executors = 8;
               return in;
             }(),
             kMaxExecutors, 300.0 / 332, 1},
        Case{"scheduling",
             [] {
               auto in = backlog();
               in.target_executors = 20;
               in.shortfall_seconds = 40;
               in.pending_pods = 3;
               return in;
             }(),
             kScheduling, 300.0 / 332, 1},
        Case{"quota_by_its_figures",
             [] {
               auto in = backlog();
               in.quota_headroom_executors = 0;
               return in;
             }(),
             kQuota, 300.0 / 332, 1},
        Case{"quota_has_room",
             [] {
               auto in = backlog();
               in.quota_headroom_executors = 5;
               return in;
             }(),
             kSlots, 300.0 / 332, 0.7},
        Case{"quota_by_signs",
             [] {
               auto in = backlog();
               in.target_executors = 20;
               in.shortfall_seconds = 30;
               return in;
             }(),
             kQuota, 300.0 / 332, 0.5},
        Case{"quota_by_signs_of_all_nodes",
             [] {
               auto in = backlog();
               in.target_executors = 20;
               in.shortfall_seconds = 30;
               in.cluster_pending_pods = 0;
               return in;
             }(),
             kQuota, 300.0 / 332, 0.7},
        Case{"shortfall_is_young",
             [] {
               auto in = backlog();
               in.target_executors = 20;
               in.shortfall_seconds = 29;
               return in;
             }(),
             kSlots, 300.0 / 332, 0.7},
        Case{"skew",
             [] {
               auto in = tail_of(0.2, 200);
               in.stage_max_seconds = 110;
               return in;
             }(),
             kSkew, 0.8, 1},
        Case{"skew_by_the_end_of_a_stage",
             [] {
               auto in = tail_of(0.2, 200);
               in.tail_seconds = 30;
               return in;
             }(),
             kSkew, 0.8, 0.7},
        Case{"short_end_of_a_stage",
             [] {
               auto in = tail_of(0.2, 200);
               in.tail_seconds = 29;
               return in;
             }(),
             kUnknown, 0, 0},
        Case{"long_but_harmless_task",
             [] {
               auto in = backlog();
               in.stage_max_seconds = 110;
               return in;
             }(),
             kSlots, 300.0 / 332, 0.7},
        Case{"skew_of_milliseconds",
             [] {
               auto in = tail_of(0.2, 200);
               in.stage_median_seconds = 0.1;
               in.stage_max_seconds = 4.9;
               return in;
             }(),
             kUnknown, 0, 0},
        Case{"parallelism", tail_of(0.2, 6), kParallelism, 0.8, 1},
        Case{"gc", with([](auto& in) { in.gc_seconds = 288; }), kGc, 0.1 * 0.75, 1},
        Case{"gc_below", with([](auto& in) { in.gc_seconds = 287; }), kUnknown, 0, 0},
        Case{"gc_of_few_tasks", with([](auto& in) {
               in.gc_seconds = 1440;
               in.tasks_completed = 15;
             }),
             kGc, 0.375, 0.5},
        Case{"spill", with([](auto& in) { in.disk_spilled_bytes = 2e9; }), kSpill, 0.375, 0.7},
        Case{"spill_a_note_only", with([](auto& in) { in.disk_spilled_bytes = 1.9e8; }), kUnknown, 0, 0},
        Case{"shuffle_read", with([](auto& in) { in.fetch_wait_seconds = 1000; }), kShuffleRead,
             1000.0 / 2880 * 0.75, 0.7},
        Case{"shuffle_write", with([](auto& in) { in.shuffle_write_seconds = 1000; }), kShuffleWrite,
             1000.0 / 2880 * 0.75, 0.7},
        Case{"cpu", with([](auto& in) { in.cpu_seconds = 2448; }), kCpu, 0.85 * 0.75, 0.7},
        Case{"cpu_limit", with([](auto& in) { in.cfs_throttled_periods = 400; }), kCpuLimit, 0.4 * 0.75, 0.7},
        Case{"io_wait", with([](auto& in) { in.cpu_seconds = 288; }), kIoWait, (1 - 0.1 - 0.02 - 0.02) * 0.75,
             0.7},
        Case{"io_wait_of_the_first_tasks", with([](auto& in) {
               in.cpu_seconds = 288;
               in.tasks_completed = 4;
             }),
             kUnknown, 0, 0},
        Case{"io_wait_needs_the_other_figures", with([](auto& in) {
               in.cpu_seconds = 288;
               in.fetch_wait_seconds.reset();
             }),
             kUnknown, 0, 0},
        Case{"failing_tasks", with([](auto& in) { in.tasks_failed = 72; }), kFailingTasks, 0.2, 1},
        Case{"oom", with([](auto& in) { in.oom_kills = 2; }), kOom, 0.25, 1},
        Case{"oom_elsewhere", with([](auto& in) { in.oom_executors = 2; }), kOom, 0.25, 1},
        Case{"executors_gone", with([](auto& in) { in.exited_executors = 2; }), kOom, 0.25, 0.5},
        Case{"small_tasks", with([](auto& in) {
               in.stage_median_seconds = 0.2;
               in.stage_max_seconds = 1;
               in.stage_tasks = 20000;
             }),
             kSmallTasks, 0.25, 1},
        Case{"small_tasks_of_many_stages", with([](auto& in) {
               in.stage_median_seconds.reset();
               in.stage_max_seconds.reset();
               in.tasks_completed = 9000;
             }),
             kSmallTasks, 0.25, 1},
        Case{"scheduler_slower_than_the_tasks", with([](auto& in) {
               in.stage_median_seconds = 0.2;
               in.stage_max_seconds = 1;
               in.stage_scheduler_delay_seconds = 0.3;
             }),
             kSmallTasks, 0.25, 0.7},
        Case{"unreliable_data", with([](auto& in) { in.dropped_events = 1; }), kUnreliableData, 0, 1}),
    [](const auto& test) { return std::string(test.param.name); });

using Names = std::vector<std::string>;

TEST(Bottleneck, RanksWhatDestroysWorkThenLostSlotTimeThenMissingSlotsThenWork) {
  BottleneckInput in = backlog();
  in.gc_seconds = 800;
  in.fetch_wait_seconds = 1600;
  in.cpu_seconds = 3100;
  in.tasks_failed = 100;
  EXPECT_EQ(names(classify(in)), (Names{"failing_tasks", "shuffle_read", "gc", "slots", "cpu"}));
  in.gc_seconds = 1700;
  EXPECT_EQ(names(classify(in)), (Names{"failing_tasks", "gc", "shuffle_read", "slots", "cpu"}));
  in.quota_headroom_executors = 0;
  in.dropped_events = 3;
  EXPECT_EQ(names(classify(in)),
            (Names{"unreliable_data", "quota", "failing_tasks", "gc", "shuffle_read", "cpu"}));
}

TEST(Bottleneck, ShowsTheFiguresThatDecided) {
  BottleneckInput in = backlog();
  in.gc_seconds = 768;
  const Bottleneck got = classify(in);
  EXPECT_EQ(got.figures.busy, 1);
  EXPECT_EQ(got.figures.gc, 0.2);
  EXPECT_EQ(got.figures.skew, 1.4);
  EXPECT_EQ(got.figures.failed, 0);
  ASSERT_GE(got.count, 1U);
  EXPECT_EQ(got.found[0].figure, 0.2);
  EXPECT_EQ(got.found[0].threshold, 0.1);
}

TEST(Bottleneck, BusyIsFromTheCountersWhenNobodyCountsActiveTasks) {
  BottleneckInput in = healthy();
  in.active_tasks.reset();
  EXPECT_EQ(classify(in).figures.busy, 0.75);
}

TEST(Bottleneck, NamesAreUnique) {
  EXPECT_EQ(std::set<std::string_view>(kBottleneckNames.begin(), kBottleneckNames.end()).size(),
            kBottleneckKinds);
}

TEST(Bottleneck, NumbersThatAreNoneAreUnknown) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    BottleneckInput in = backlog();
    in.gc_seconds = bad;
    in.stage_max_seconds = bad;
    in.tasks_failed = bad;
    in.oom_kills = bad;
    EXPECT_EQ(names(classify(in)), Names{"slots"}) << bad;
    in.window_seconds = bad;
    EXPECT_EQ(classify(in).kind, std::isfinite(bad) || std::isnan(bad) ? kUnknown : kSlots) << bad;
  }
}

}  // namespace
}  // namespace flintgauge
