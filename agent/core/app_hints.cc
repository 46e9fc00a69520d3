#include "agent/core/app_hints.h"

#include <algorithm>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 300'000;  // as long as the stable number looks back

double seconds(std::int64_t ms) { return static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000; }

/// How long the application's tasks could be seen. Its driver's figures are sums over its whole life, so the
/// driver's age counts, not only ours: a restart of the agent must not move a hint.
double observed_seconds(const SparkAppFacts& facts, const App* app, const Now& now) {
  const double by_us = seconds(elapsed_ms(facts.first_seen, now.steady));
  if (app == nullptr || app->driver_started.ms == 0) return by_us;
  return std::max(by_us, seconds(now.wall.ms - app->driver_started.ms));
}

}  // namespace

/// The mean task time, or of a new stage that has none the one before: for as long as tasks of that length
/// need not have ended and been read. Without this every stage would begin with a leap to Spark's own number.
double AppHints::mean_task_seconds(const SparkAppFacts& facts, Memory& memory, SteadyTime now) const {
  const bool contradicts = facts.mean_task_seconds <= 0 && facts.running_tasks + facts.pending_tasks > 0;
  if (!contradicts) memory.mean_at = now;
  if (facts.mean_task_seconds > 0) memory.mean_task_seconds = facts.mean_task_seconds;
  const double believed = 2 * memory.mean_task_seconds + seconds(settings_.hint_max_age_ms);
  return seconds(elapsed_ms(memory.mean_at, now)) <= believed ? memory.mean_task_seconds : 0;
}

std::optional<AppHint> AppHints::hint(const SparkAppFacts& facts, const App* app, const Now& now) {
  if (!facts.has_executors || !facts.has_stages) return std::nullopt;
  const std::int64_t age_ms = elapsed_ms(std::min(facts.executors_at, facts.stages_at), now.steady);
  if (age_ms > settings_.hint_max_age_ms) return std::nullopt;

  Memory& memory = memory_[facts.app];
  // Two drivers cannot have one application; should a source say so, the first counts.
  if (memory.evaluation == evaluation_) return std::nullopt;
  memory.evaluation = evaluation_;
  memory.used = now.steady;
  if (facts.slots_per_executor > 0) memory.tasks_per_executor = static_cast<double>(facts.slots_per_executor);
  if (memory.tasks_per_executor <= 0) return std::nullopt;  // no executor ever said how many tasks it runs

  AppHint out;
  out.app = facts.app;
  out.age_seconds = seconds(age_ms);
  HorizontalInput& in = out.input;
  in.executors = static_cast<double>(facts.executors);
  // Executors on other nodes are not in our pod list, so the larger of the two counts.
  const std::int64_t pods = app != nullptr ? app->executor_pods_held : 0;
  in.executor_pods = static_cast<double>(std::max(facts.executors, pods));
  in.busy_executors = static_cast<double>(facts.busy_executors);
  in.running_tasks = static_cast<double>(facts.running_tasks);
  in.pending_tasks = static_cast<double>(facts.pending_tasks);
  in.tasks_per_executor = memory.tasks_per_executor;
  in.mean_task_seconds = mean_task_seconds(facts, memory, now.steady);
  in.drain_target_seconds = settings_.drain_target_seconds;
  in.startup_seconds = settings_.startup_seconds;
  in.min_executors = settings_.min_executors;
  in.max_executors = settings_.max_executors;
  const double observed = observed_seconds(facts, app, now);
  const double max_age = seconds(settings_.hint_max_age_ms);
  in.confidence = confidence(facts.completed_tasks, observed, 0, max_age);
  out.confidence = confidence(facts.completed_tasks, observed, out.age_seconds, max_age);
  out.hint = horizontal_hint(in);
  out.stable = memory.stable.update(out.hint.desired, now.steady.ms);
  return out;
}

void AppHints::append(const Block* spark, const AppTable& apps, const Now& now, std::vector<AppHint>& hints) {
  ++evaluation_;
  if (spark != nullptr) {
    hints.reserve(spark->spark_apps.size());
    for (const SparkAppFacts& facts : spark->spark_apps) {
      if (auto one = hint(facts, apps.find(facts.app), now)) hints.push_back(std::move(*one));
    }
  }
  std::ranges::sort(hints, {}, &AppHint::app);
  forget(now.steady);
}

void AppHints::forget(SteadyTime now) {
  std::erase_if(memory_, [now](const auto& entry) { return elapsed_ms(entry.second.used, now) > kForgetMs; });
}

}  // namespace flintgauge
