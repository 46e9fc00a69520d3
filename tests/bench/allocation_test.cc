#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/allocation/policies.h"

namespace flintgauge::allocation {
namespace {

Trace one_stage(std::size_t tasks, double seconds) {
  return {"t", {{0, false, {{{}, std::vector<double>(tasks, seconds)}}}}};
}

/// What a policy wants over time while `pending` tasks wait and its wishes come true at once.
std::vector<double> wishes(Policy& policy, const Settings& settings, double pending, double seconds) {
  std::vector<double> out;
  Moment moment;
  for (int step = 0; step <= static_cast<int>(seconds / kStepSeconds); ++step) {
    moment.now = step * kStepSeconds;
    moment.pending_tasks = pending;
    moment.pods = moment.registered = policy.want(moment, settings);
    if (step % 10 == 5) out.push_back(moment.pods);
  }
  return out;
}

TEST(DynamicAllocation, DoublesEachSecondUpToWhatIsNeeded) {
  SparkDynamicAllocation policy;
  EXPECT_EQ(wishes(policy, {}, 100, 7), (std::vector<double>{0, 1, 3, 7, 15, 25, 25}));
}

TEST(DynamicAllocation, StopsAtItsMaximum) {
  SparkDynamicAllocation policy;
  Settings settings;
  settings.max_executors = 10;
  EXPECT_EQ(wishes(policy, settings, 4000, 6), (std::vector<double>{0, 1, 3, 7, 10, 10}));
}

TEST(DynamicAllocation, WantsLessAtOnceWhenWorkEnds) {
  SparkDynamicAllocation policy;
  wishes(policy, {}, 100, 10);
  Moment moment;
  moment.now = 11;
  moment.running_tasks = 6;
  EXPECT_EQ(policy.want(moment, {}), 2);
}

TEST(Cluster, KeepsIdleExecutorsForTheirTimeoutAndShuffleFilesForTheirJob) {
  // 8 tasks of 10 s on two executors, then one task of 200 s: the idle executor stays, for it has files of
  // the job.
  const Trace trace{"t", {{0, false, {{{}, std::vector<double>(8, 10)}, {{0}, {200}}}}}};
  SparkDynamicAllocation policy;
  const Outcome out = simulate(trace, policy, {});
  EXPECT_EQ(out.most_pods, 2);
  EXPECT_NEAR(out.completion_seconds, 2 + 30 + 10 + 200, 2);
  EXPECT_NEAR(out.executor_seconds, 2 * 241, 4);
}

TEST(Cluster, TellsWhenExecutorsCameAndWent) {
  SparkDynamicAllocation policy;
  Settings settings;
  settings.max_executors = 2;
  const Outcome out = simulate(
      {"t", {{0, false, {{{}, std::vector<double>(8, 10)}}}, {95, true, {{{}, {10}}}}}}, policy, settings);
  // Both at once after 1 s of backlog and 1 s more; 60 s after the first job one is left, none at 2 * 60 s.
  ASSERT_GE(out.registered.size(), 4U);
  EXPECT_EQ(out.registered[0], std::pair(0.0, 0.0));
  EXPECT_NEAR(out.registered[1].first, 31, 0.3);
  EXPECT_EQ(out.registered[1].second, 1);
  double area = 0;
  for (std::size_t i = 0; i + 1 < out.registered.size(); ++i)
    area += out.registered[i].second * (out.registered[i + 1].first - out.registered[i].first);
  area +=
      out.registered.back().second * (out.completion_seconds + kStepSeconds - out.registered.back().first);
  EXPECT_NEAR(area, out.registered_seconds, 1e-6 + 2 * kStepSeconds);
}

TEST(Cluster, FixedSizeCostsItsSizeTimesTheTime) {
  FixedSize policy(5);
  const Outcome out = simulate(one_stage(200, 10), policy, {});
  EXPECT_NEAR(out.completion_seconds, 30 + 100, 0.5);
  EXPECT_NEAR(out.executor_seconds, 5 * 130, 3);
  EXPECT_EQ(out.lost_tasks, 0);
}

TEST(Cluster, TasksOfARemovedExecutorRunAgain) {
  class Shrinks final : public Policy {
   public:
    double want(const Moment& moment, const Settings&) override { return moment.now < 35 ? 2 : 1; }
    Victims victims() const override { return Victims::kYoungest; }
    Creator creator() const override { return Creator::kController; }
  } policy;
  const Outcome out = simulate(one_stage(8, 10), policy, {});
  EXPECT_EQ(out.lost_tasks, 4);
  EXPECT_NEAR(out.completion_seconds, 30 + 10 + 10, 0.5);
}

// Spark 4.3.0 on Kubernetes 1.35, maxExecutors 8, a quota with room for 2: 2, 6, 6 and 6 refusals within 5 s,
// then "Max number of executor failures (16) reached".
TEST(Quota, EndsAnApplicationThatSparkScales) {
  SparkDynamicAllocation policy;
  Settings settings;
  settings.slots = 1;
  settings.max_executors = 8;
  settings.quota_executors = 2;
  settings.max_failures = default_max_failures(settings);
  EXPECT_EQ(settings.max_failures, 16);
  const Outcome out = simulate(one_stage(400, 10), policy, settings);
  EXPECT_TRUE(out.ended);
  EXPECT_EQ(out.most_pods, 2);
  EXPECT_GT(out.refused_pods, 16);
  EXPECT_LE(out.refused_pods, 22);
  EXPECT_LT(out.completion_seconds, 10);
}

TEST(Quota, IsAskedForInVainWhereFailuresAreAllowed) {
  SparkDynamicAllocation policy;
  Settings settings;
  settings.quota_executors = 2;
  const Outcome out = simulate(one_stage(80, 10), policy, settings);
  EXPECT_FALSE(out.ended);
  EXPECT_EQ(out.most_pods, 2);
  EXPECT_NEAR(out.completion_seconds, 2 + 30 + 100, 2);
  EXPECT_NEAR(out.refused_pods, 10 * 98, 20) << "ten a second";
}

TEST(Quota, IsKeptByTheHint) {
  for (const char* kind : kKinds) {
    for (const double quota : {1.0, 3.0, 10.0}) {
      HintAndAutoscaler policy;
      Settings settings;
      settings.quota_executors = quota;
      settings.max_failures = 0;
      const Outcome out = simulate(generate(kind, 2), policy, settings);
      EXPECT_EQ(out.refused_pods, 0) << kind << ' ' << quota;
      EXPECT_LE(out.most_pods, quota) << kind;
      EXPECT_GT(out.mean_job_seconds, 0) << kind;
    }
  }
}

TEST(Quota, DoesNotEndWhatAControllerCreates) {
  class Wants final : public Policy {
   public:
    double want(const Moment&, const Settings&) override { return 5; }
    Victims victims() const override { return Victims::kYoungest; }
    Creator creator() const override { return Creator::kController; }
  } policy;
  Settings settings;
  settings.quota_executors = 2;
  settings.max_failures = 16;
  const Outcome out = simulate(one_stage(80, 10), policy, settings);
  EXPECT_FALSE(out.ended);
  EXPECT_GT(out.refused_pods, 16);
}

/// Replicas that the autoscaler makes of a hint of Spark's own rule: nothing is known of the tasks.
double follows(double hint, double replicas) {
  HintAndAutoscaler policy;
  Settings settings;
  settings.initial_executors = replicas;
  Moment moment;
  moment.pods = moment.registered = replicas;
  moment.pending_tasks = hint * settings.slots;
  return policy.want(moment, settings);
}

TEST(Autoscaler, ToleranceSwallowsSmallCorrections) {  // vectors of docs/hints.md, AverageValue 1
  EXPECT_EQ(follows(11, 2), 11);
  EXPECT_EQ(follows(21, 20), 20);
  EXPECT_EQ(follows(22, 20), 20);
  EXPECT_EQ(follows(23, 20), 23);
  EXPECT_EQ(follows(18, 20), 20);
}

TEST(Autoscaler, RecommendsByTheRatioBeforeItsLimits) {  // the same vectors and the way down
  struct Case {
    double hint, replicas, recommended;
  };
  for (const Case& one :
       {Case{11, 2, 11}, Case{21, 20, 20}, Case{22, 20, 20}, Case{23, 20, 23}, Case{18, 20, 20},
        Case{17, 20, 17}, Case{0, 5, 0}, Case{3, 0, 3}, Case{1.5, 1, 2}}) {
    EXPECT_EQ(recommended_replicas(one.hint, one.replicas), one.recommended)
        << one.hint << " at " << one.replicas;
  }
}

TEST(Autoscaler, EndsAtItsMinimum) {  // a hint of 0 at 5 replicas
  HintAndAutoscaler policy;
  Settings settings;
  settings.initial_executors = 5;
  Moment moment;
  moment.pods = 5;
  for (; moment.now < 600; moment.now += kStepSeconds) moment.pods = policy.want(moment, settings);
  EXPECT_EQ(moment.pods, 1) << "an HPA has no 0 replicas";
}

TEST(Autoscaler, GrowsByTwentyPodsASync) { EXPECT_EQ(follows(90, 2), 22); }

TEST(Autoscaler, ShrinksAfterItsWindowAFifthAMinute) {
  HintAndAutoscaler policy;
  Settings settings;
  settings.initial_executors = 50;
  Moment moment;
  std::vector<double> seen;
  for (int step = 0; step < 6000; ++step) {
    moment.now = step * kStepSeconds;
    moment.pending_tasks = step == 0 ? 200 : 0;  // the hint is 50 once, then the minimum
    moment.pods = moment.registered = policy.want(moment, settings);
    if (step % 600 == 590) seen.push_back(moment.pods);
  }
  EXPECT_EQ(seen, (std::vector<double>{50, 50, 50, 50, 50, 40, 32, 25, 20, 16}));
}

TEST(Cluster, AJobMayWaitForTheOneBefore) {
  const Trace trace{"t", {{5, false, {{{}, {10}}}}, {2, true, {{{}, {10}}}}}};
  FixedSize policy(1);
  const Outcome out = simulate(trace, policy, {});
  EXPECT_NEAR(out.completion_seconds, 30 + 10 + 2 + 10, 0.5);
  EXPECT_NEAR(out.mean_job_seconds, ((30 - 5 + 10) + 10) / 2.0, 0.5);
  EXPECT_NEAR(out.registered_seconds, 22, 0.5);
}

TEST(Traces, OfRealRunsAreReadAndEndWithEveryPolicy) {
  std::size_t traces = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(FLINTGAUGE_SOURCE_DIR "/bench/allocation/traces")) {
    const Trace trace = read_trace(entry.path().string());
    ASSERT_GT(trace.jobs.size(), 1U) << trace.name;
    EXPECT_LE(entry.file_size(), 50'000U) << trace.name;
    SparkDynamicAllocation spark;
    HintAndAutoscaler hint;
    FixedSize fixed(2);
    Settings settings;
    settings.slots = 1;  // as the executors had
    for (Policy* policy : std::initializer_list<Policy*>{&spark, &hint, &fixed}) {
      const Outcome out = simulate(trace, *policy, settings);
      EXPECT_GT(out.mean_job_seconds, 0) << trace.name;
      EXPECT_LT(out.completion_seconds, 3600) << trace.name << ": a minute's work";
    }
    ++traces;
  }
  EXPECT_EQ(traces, 10U);
}

TEST(Traces, AreTheSameForTheSameSeedAndEndWithEveryPolicy) {
  for (const char* kind : kKinds) {
    const Trace trace = generate(kind, 3);
    ASSERT_FALSE(trace.jobs.empty()) << kind;
    EXPECT_EQ(trace.jobs[0].stages[0].task_seconds, generate(kind, 3).jobs[0].stages[0].task_seconds) << kind;
    SparkDynamicAllocation spark;
    HintAndAutoscaler hint;
    FixedSize fixed(4);
    for (Policy* policy : std::initializer_list<Policy*>{&spark, &hint, &fixed}) {
      const Outcome out = simulate(trace, *policy, {});
      EXPECT_GT(out.mean_job_seconds, 0) << kind;
      EXPECT_GE(out.completion_seconds, trace.jobs.back().arrival_seconds) << kind;
    }
  }
}

}  // namespace
}  // namespace flintgauge::allocation
