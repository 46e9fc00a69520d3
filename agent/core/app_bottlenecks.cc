#include "agent/core/app_bottlenecks.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 300'000;  // the longest window; after a longer pause nothing adds up

struct StageCounter {
  Measure measure;
  double AppSample::*to;
};
constexpr auto kStageCounters = std::to_array<StageCounter>({
    {Measure::kExecutorRunSeconds, &AppSample::run_seconds},
    {Measure::kExecutorCpuSeconds, &AppSample::cpu_seconds},
    {Measure::kExecutorGcSeconds, &AppSample::gc_seconds},
    {Measure::kExecutorShuffleFetchWaitSeconds, &AppSample::fetch_wait_seconds},
    {Measure::kExecutorShuffleWriteSeconds, &AppSample::shuffle_write_seconds},
    {Measure::kExecutorDeserializeSeconds, &AppSample::deserialize_seconds},
    {Measure::kExecutorDiskSpilledBytes, &AppSample::disk_spilled_bytes},
    {Measure::kExecutorInputBytes, &AppSample::input_bytes},
    {Measure::kExecutorShuffleReadBytes, &AppSample::shuffle_read_bytes},
    {Measure::kExecutorTasksCompleted, &AppSample::tasks_completed},
    {Measure::kExecutorTasksFailed, &AppSample::tasks_failed},
});

/// Of the active stages all tasks, and the times of the one with the longest task.
void add_stages(const SparkAppFacts& facts, AppSample& sample) {
  if (!facts.has_stages) return;
  sample.stage_tasks = 0;
  for (const StageFacts& stage : facts.stage_list) {
    sample.stage_tasks += stage.tasks;
    if (std::isnan(stage.task_run_seconds_median)) continue;
    if (sample.stage_max_seconds >= stage.task_run_seconds_max) continue;
    sample.stage_median_seconds = stage.task_run_seconds_median;
    sample.stage_max_seconds = stage.task_run_seconds_max;
    sample.stage_scheduler_delay_seconds = stage.scheduler_delay_seconds_median;
  }
}

AppSample sample_of(const SparkAppFacts& facts, const App* app) {
  AppSample sample = app != nullptr ? app->sample : AppSample();
  sample.executors = static_cast<double>(facts.executors);
  sample.slots = facts.slots;
  sample.active_tasks = static_cast<double>(facts.running_tasks);
  sample.pending_tasks = static_cast<double>(facts.pending_tasks);
  if (app != nullptr) {
    sample.pending_pods = static_cast<double>(app->executor_pods_pending);
    sample.running_pods = static_cast<double>(app->executor_pods);
  }
  if (facts.settings != nullptr && facts.settings->dynamic_allocation.value_or(false)) {
    sample.max_executors = facts.settings->max_executors.value_or(AppSample::kUnknown);
  }
  for (const auto& [measure, to] : kStageCounters) sample.*to = facts.stage_totals[measure];
  add_stages(facts, sample);
  return sample;
}

std::optional<double> known(double value) {
  if (std::isnan(value)) return std::nullopt;
  return value;
}

AppQuota quota_of(const AppBottleneck& one, const AppSample& sample, const App* app, double startup_seconds) {
  AppQuota out;
  out.app = one.app;
  out.age_seconds = one.age_seconds;
  QuotaPressureInput& in = out.input;
  in.executors = sample.executors;
  in.executor_pods =
      std::max(sample.executors, app != nullptr ? static_cast<double>(app->executor_pods_held) : 0);
  in.target = known(sample.target_executors);
  in.to_add = known(sample.executors_to_add);
  in.max_needed = known(sample.max_needed);
  in.max_executors = known(sample.max_executors);
  in.shortfall_seconds = one.shortfall_seconds;
  in.pending_pods = known(sample.pending_pods);
  in.startup_seconds = startup_seconds;
  out.advice = quota_advice(in);
  return out;
}

}  // namespace

void AppBottlenecks::classify_app(const SparkAppFacts& facts, const App* app, SteadyTime now,
                                  Report& report) {
  if (!facts.has_executors || !facts.has_stages) return;
  const std::int64_t age_ms = elapsed_ms(std::min(facts.executors_at, facts.stages_at), now);
  if (age_ms > settings_.hint_max_age_ms) return;

  const auto window_ms = static_cast<std::int64_t>(settings_.bottleneck_window_seconds * 1000);
  Memory& memory = memory_.try_emplace(facts.app, Memory{BottleneckWindow(window_ms), now}).first->second;
  // Two drivers cannot have one application; should a source say so, the first counts.
  if (memory.evaluation == evaluation_) return;
  memory.evaluation = evaluation_;
  memory.used = now;
  const AppSample sample = sample_of(facts, app);
  memory.window.add(sample, std::max(facts.executors_at, facts.stages_at));

  AppBottleneck& out = report.bottlenecks.emplace_back();
  out.app = facts.app;
  out.age_seconds = static_cast<double>(std::max<std::int64_t>(age_ms, 0)) / 1000;
  out.input = memory.window.input();
  out.result = classify(out.input);
  out.shortfall_seconds = memory.window.shortfall_seconds();
  if (std::isnan(sample.target_executors)) return;
  report.quotas.push_back(quota_of(out, sample, app, settings_.startup_seconds));
}

void AppBottlenecks::append(const Block* spark, const AppTable& apps, const Now& now, Report& report) {
  ++evaluation_;
  if (spark != nullptr) {
    report.bottlenecks.reserve(spark->spark_apps.size());
    for (const SparkAppFacts& facts : spark->spark_apps) {
      classify_app(facts, apps.find(facts.app), now.steady, report);
    }
  }
  std::ranges::sort(report.bottlenecks, {}, &AppBottleneck::app);
  std::ranges::sort(report.quotas, {}, &AppQuota::app);
  std::erase_if(memory_,
                [&](const auto& entry) { return elapsed_ms(entry.second.used, now.steady) > kForgetMs; });
}

}  // namespace flintgauge
