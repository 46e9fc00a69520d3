#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/bottleneck_support.h"
#include "flintgauge/bottleneck.h"

namespace flintgauge {
namespace {

using test::names;
using Field = std::optional<double> BottleneckInput::*;

constexpr std::array kCounts = {
    &BottleneckInput::executors,        &BottleneckInput::slots,         &BottleneckInput::active_tasks,
    &BottleneckInput::pending_tasks,    &BottleneckInput::tasks_failed,  &BottleneckInput::stage_tasks,
    &BottleneckInput::target_executors, &BottleneckInput::max_executors, &BottleneckInput::pending_pods,
    &BottleneckInput::oom_kills,        &BottleneckInput::oom_executors, &BottleneckInput::exited_executors,
};
constexpr std::array kTimes = {
    &BottleneckInput::run_seconds,
    &BottleneckInput::cpu_seconds,
    &BottleneckInput::gc_seconds,
    &BottleneckInput::fetch_wait_seconds,
    &BottleneckInput::shuffle_write_seconds,
    &BottleneckInput::deserialize_seconds,
};
constexpr std::array kBytes = {
    &BottleneckInput::disk_spilled_bytes,
    &BottleneckInput::input_bytes,
    &BottleneckInput::shuffle_read_bytes,
};
constexpr std::array kOthers = {
    &BottleneckInput::driver_cpu_cores,
    &BottleneckInput::job_share,
    &BottleneckInput::stage_share,
    &BottleneckInput::idle_share,
    &BottleneckInput::backlog_share,
    &BottleneckInput::cfs_periods,
    &BottleneckInput::cfs_throttled_periods,
    &BottleneckInput::dropped_events,
    &BottleneckInput::stage_median_seconds,
    &BottleneckInput::stage_max_seconds,
    &BottleneckInput::stage_scheduler_delay_seconds,
    &BottleneckInput::tail_seconds,
    &BottleneckInput::shortfall_seconds,
    &BottleneckInput::cluster_pending_pods,
    &BottleneckInput::quota_headroom_executors,
    &BottleneckInput::tasks_completed,
};

class RandomInput {
 public:
  BottleneckInput next() {
    BottleneckInput in;
    in.window_seconds = pick({0, 60, 120, 300});
    for (const Field field : kCounts) in.*field = value({0, 1, 2, 8, 40});
    for (const Field field : kTimes) in.*field = value({0, 1, 60, 240, 900, 4000});
    for (const Field field : kBytes) in.*field = value({0, 1, 1e6, 1e9});
    in.oom_executors = value({0, 0, 0, 0, 2});  // comes before most other kinds
    for (const Field field : kOthers) in.*field = value({0, 0.2, 0.6, 1, 12, 60, 6000});
    return in;
  }

 private:
  double pick(const std::vector<double>& from) { return from[random_() % from.size()]; }
  std::optional<double> value(const std::vector<double>& from) {
    if (random_() % 6 == 0) return std::nullopt;
    return pick(from);
  }
  std::mt19937 random_{7};
};

TEST(BottleneckProperty, HasOnePrimaryCauseAndNoKindTwice) {
  RandomInput random;
  std::set<BottleneckKind> seen;
  for (int i = 0; i < 20'000; ++i) {
    const Bottleneck got = classify(random.next());
    std::set<BottleneckKind> kinds;
    for (const BottleneckCause& cause : got.causes()) {
      EXPECT_TRUE(kinds.insert(cause.kind).second) << to_string(cause.kind);
      EXPECT_NE(cause.kind, BottleneckKind::kUnknown);
      EXPECT_GE(cause.share, 0);
      EXPECT_LE(cause.share, 1);
      EXPECT_GE(cause.confidence, 0);
      EXPECT_LE(cause.confidence, 1);
    }
    EXPECT_EQ(got.kind, got.count > 0 ? got.found[0].kind : BottleneckKind::kUnknown);
    seen.insert(got.kind);
  }
  EXPECT_GE(seen.size(), 15U) << "the generator reaches most rules";
}

template <std::size_t kCount>
void scale(BottleneckInput& in, const std::array<Field, kCount>& fields, double factor) {
  for (const Field field : fields) {
    if (in.*field) *(in.*field) *= factor;
  }
}

// Twice the executors with twice the work are held back by the same thing; so are twice the bytes. (The
// number of ended tasks is no part of it: it decides how much a ratio is trusted, and what "many" means.)
TEST(BottleneckProperty, DoesNotDependOnTheSizeOfTheApplicationOrOfItsData) {
  RandomInput random;
  for (int i = 0; i < 5'000; ++i) {
    BottleneckInput in = random.next();
    in.tasks_completed = 400;
    in.tasks_failed = 0;
    in.stage_median_seconds = in.stage_median_seconds.value_or(10);
    in.quota_headroom_executors.reset();
    if (in.stage_tasks) in.stage_tasks = std::min(*in.stage_tasks, 1000.0);
    const Bottleneck before = classify(in);
    scale(in, kCounts, 2);
    scale(in, kTimes, 2);
    if (in.disk_spilled_bytes && in.input_bytes.value_or(0) + in.shuffle_read_bytes.value_or(0) >= 1) {
      scale(in, kBytes, 4);
    }
    const Bottleneck after = classify(in);
    ASSERT_EQ(names(before), names(after)) << i;
    for (std::size_t k = 0; k < before.count; ++k) {
      EXPECT_NEAR(before.found[k].share, after.found[k].share, 1e-12) << i;
    }
  }
}

TEST(BottleneckProperty, WithoutTimesOfTasksNoRatioOfThemDecides) {
  RandomInput random;
  for (int i = 0; i < 5'000; ++i) {
    BottleneckInput in = random.next();
    in.run_seconds.reset();
    for (const std::string& name : names(classify(in))) {
      EXPECT_TRUE(name != "gc" && name != "shuffle_read" && name != "shuffle_write" && name != "cpu" &&
                  name != "io_wait")
          << name;
    }
  }
}

}  // namespace
}  // namespace flintgauge
