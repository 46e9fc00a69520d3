#include "agent/core/job_history.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace flintgauge {
namespace {

constexpr WallTime kNow{1'800'000'000'000};
constexpr std::string_view kNode = "node-a";

WallTime later(std::int64_t ms) { return {kNow.ms + ms}; }

JobKey key(std::string name, std::string namespace_name = "team-a") {
  return {.namespace_name = std::move(namespace_name), .job_name = std::move(name)};
}

/// Every member has something in it.
void fill(JobRecord& record, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> bytes(1e8, 1e10);
  for (int i = 0; i < 50; ++i) {
    const WallTime at = later(i * kDayMs / 5);
    for (DecayingHistogram* histogram :
         {&record.heap, &record.unified, &record.non_heap, &record.python, &record.container})
      histogram->add(bytes(random), 1, at);
    record.cpu_cores.add(bytes(random) / 1e9, 0.1, at);
    record.gc.add(1, 20, at);
  }
  record.heap_floor.raise(bytes(random), kNow);
  record.overhead_floor.raise(bytes(random), later(5));
  record.note_run("spark-" + std::to_string(seed));
  record.executors = 17;
}

JobHistory filled() {
  JobHistory history;
  fill(history.use(key("nightly-etl"), kNow), 1);
  fill(history.use(key("nightly-etl", "team-b"), later(1)), 2);
  JobKey profile = key("nightly-etl");
  profile.resource_profile_id = 3;
  fill(history.use(profile, later(2)), 3);
  history.use(key("empty"), later(3));
  return history;
}

TEST(JobHistory, IsFoundAgainByTheNextRun) {
  JobHistory history;
  history.use(key("nightly-etl"), kNow).executors = 4;
  EXPECT_EQ(history.use(key("nightly-etl"), later(kDayMs)).executors, 4);
  EXPECT_EQ(history.use(key("nightly-etl", "team-b"), kNow).executors, 0);
  EXPECT_EQ(history.find(key("other")), nullptr);
}

TEST(JobHistory, CountsARunOnce) {
  JobRecord record;
  for (int i = 0; i < 3; ++i) record.note_run("spark-1");
  record.note_run("spark-2");
  record.note_run("spark-1");
  EXPECT_EQ(record.runs, 2);
}

TEST(JobHistory, DropsWhatWasNotUsedForLongest) {
  JobHistory history;
  for (std::size_t i = 0; i < JobHistory::kMaxJobs; ++i)
    history.use(key("job-" + std::to_string(i)), later(static_cast<std::int64_t>(i)));
  history.use(key("job-0"), later(100'000));
  EXPECT_EQ(history.dropped(), 0U);
  history.use(key("another"), later(100'001));
  EXPECT_EQ(history.size(), JobHistory::kMaxJobs);
  EXPECT_EQ(history.dropped(), 1U);
  EXPECT_NE(history.find(key("job-0")), nullptr);
  EXPECT_EQ(history.find(key("job-1")), nullptr);
}

TEST(JobHistory, OfATenantOfManyNamesDropsItsOwn) {
  JobHistory history;
  history.use(key("quiet", "team-b"), kNow);  // the oldest of all
  for (std::size_t i = 0; i < 3 * JobHistory::kMaxJobs; ++i)
    history.use(key("job-" + std::to_string(i)), later(static_cast<std::int64_t>(i) + 1));
  EXPECT_NE(history.find(key("quiet", "team-b")), nullptr);
  EXPECT_EQ(history.size(), JobHistory::kMaxJobs);
  EXPECT_EQ(history.dropped(), 2 * JobHistory::kMaxJobs + 1);
}

// A full node: 200 applications of three resource profiles, and their drivers.
TEST(JobHistory, OfAFullNodeIsKeptWhole) {
  JobHistory history;
  for (int round = 0; round < 2; ++round) {
    for (int app = 0; app < 200; ++app) {
      JobKey one = key("job-" + std::to_string(app), "team-" + std::to_string(app % 20));
      for (one.resource_profile_id = 0; one.resource_profile_id < 3; ++one.resource_profile_id)
        history.use(one, later(round));
      one.role = Role::kDriver;
      one.resource_profile_id = 0;
      history.use(one, later(round));
    }
  }
  EXPECT_EQ(history.size(), 800U);
  EXPECT_EQ(history.dropped(), 0U);
}

TEST(DecayingRatio, ForgetsByHalves) {
  DecayingRatio ratio;
  EXPECT_FALSE(ratio.value());
  ratio.add(10, 100, kNow);
  EXPECT_DOUBLE_EQ(ratio.value().value_or(0), 0.1);
  ratio.add(0, 100, later(kDayMs));
  EXPECT_DOUBLE_EQ(ratio.value().value_or(0), 5.0 / 150);
  ratio.add(std::numeric_limits<double>::quiet_NaN(), 1, later(kDayMs));
  EXPECT_DOUBLE_EQ(ratio.value().value_or(0), 5.0 / 150);
}

TEST(OomFloor, HoldsSevenDays) {
  OomFloor floor;
  EXPECT_EQ(floor.value(kNow), 0);
  floor.raise(2e9, kNow);
  floor.raise(1e9, later(kDayMs));
  EXPECT_EQ(floor.value(later(7 * kDayMs - 1)), 2e9);
  EXPECT_EQ(floor.value(later(7 * kDayMs)), 0);
  floor.raise(1e9, later(8 * kDayMs));
  EXPECT_EQ(floor.value(later(8 * kDayMs)), 1e9);
}

TEST(JobSnapshot, ComesBackWhole) {
  const JobHistory history = filled();
  const std::string bytes = history.encode(kNode);
  JobHistory read;
  ASSERT_FALSE(read.decode(bytes, kNode));
  EXPECT_EQ(read.size(), 4U);
  // Weights lose some digits when they are written: what was read is written the same from then on.
  EXPECT_EQ(read.newest().ms, later(3).ms);
  const JobRecord* was = history.find(key("nightly-etl"));
  const JobRecord* is = read.find(key("nightly-etl"));
  ASSERT_TRUE(was != nullptr && is != nullptr);
  for (const double p : {0.05, 0.5, 0.9, 0.95}) {
    EXPECT_EQ(is->heap.percentile(p), was->heap.percentile(p)) << p;
    EXPECT_EQ(is->cpu_cores.percentile(p), was->cpu_cores.percentile(p)) << p;
  }
  EXPECT_EQ(is->gc.value(), was->gc.value());
  EXPECT_EQ(is->heap_floor.value(kNow), was->heap_floor.value(kNow));
  EXPECT_EQ(is->overhead_floor.at.ms, was->overhead_floor.at.ms);
  EXPECT_EQ(is->runs, 1);
  EXPECT_EQ(is->executors, 17);
  EXPECT_EQ(is->recent_runs, was->recent_runs);
}

TEST(JobSnapshot, OfAnEmptyHistoryIsEmpty) {
  JobHistory read = filled();
  ASSERT_FALSE(read.decode(JobHistory().encode(kNode), kNode));
  EXPECT_EQ(read.size(), 0U);
}

TEST(JobSnapshot, CutAnywhereIsTruncated) {
  const std::string bytes = filled().encode(kNode);
  JobHistory kept = filled();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(kept.decode(std::string_view(bytes).substr(0, size), kNode), SnapshotFault::kTruncated) << size;
  }
  EXPECT_EQ(kept.size(), 4U);
}

TEST(JobSnapshot, WithAnyBitTurnedIsRefused) {
  JobHistory kept = filled();
  const std::string bytes = kept.encode(kNode);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(kept.decode(damaged, kNode)) << bit;
  }
  EXPECT_EQ(kept.encode(kNode), bytes);
}

TEST(JobSnapshot, OfAnotherNodeOrVersionIsRefused) {
  const std::string bytes = filled().encode(kNode);
  JobHistory history;
  EXPECT_EQ(history.decode(bytes, "node-b"), SnapshotFault::kNode);
  std::string newer = bytes;
  ++newer[8];
  EXPECT_EQ(history.decode(newer, kNode), SnapshotFault::kVersion);
  EXPECT_EQ(history.decode(bytes + 'x', kNode), SnapshotFault::kDamaged);
  EXPECT_EQ(history.decode("something else altogether", kNode), SnapshotFault::kDamaged);
  EXPECT_EQ(history.size(), 0U);
}

TEST(JobSnapshot, OfTheFullestHistoryIsWithinItsBound) {
  JobHistory history;
  for (std::size_t i = 0; i < JobHistory::kMaxJobs; ++i) {
    JobRecord& record = history.use(key(std::string(250, 'j') + std::to_string(i)), kNow);
    for (double value = 1e6; value < 2e12; value *= 1.02) {
      for (DecayingHistogram* histogram :
           {&record.heap, &record.unified, &record.non_heap, &record.python, &record.container})
        histogram->add(value, 1, kNow);
      record.cpu_cores.add(value / 1e9, 0.1, kNow);
    }
  }
  const std::string node(253, 'n');
  const std::string bytes = history.encode(node);
  EXPECT_LT(bytes.size(), JobHistory::kMaxSnapshotBytes);
  EXPECT_FALSE(JobHistory().decode(bytes, node));
}

}  // namespace
}  // namespace flintgauge
