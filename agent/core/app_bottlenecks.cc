#include "agent/core/app_bottlenecks.h"

#include <algorithm>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 300'000;  // the longest window; after a longer pause nothing adds up

AppSample sample_of(const SparkAppFacts& facts, const App* app) {
  AppSample sample = app != nullptr ? app->sample : AppSample();
  sample.executors = static_cast<double>(facts.executors);
  sample.slots = static_cast<double>(facts.executors * facts.slots_per_executor);
  sample.active_tasks = static_cast<double>(facts.running_tasks);
  sample.pending_tasks = static_cast<double>(facts.pending_tasks);
  if (app != nullptr) sample.pending_pods = static_cast<double>(app->executor_pods_pending);
  return sample;
}

}  // namespace

std::optional<AppBottleneck> AppBottlenecks::classify_app(const SparkAppFacts& facts, const App* app,
                                                          SteadyTime now) {
  if (!facts.has_executors || !facts.has_stages) return std::nullopt;
  const std::int64_t age_ms = elapsed_ms(std::min(facts.executors_at, facts.stages_at), now);
  if (age_ms > settings_.hint_max_age_ms) return std::nullopt;

  const auto window_ms = static_cast<std::int64_t>(settings_.bottleneck_window_seconds * 1000);
  Memory& memory = memory_.try_emplace(facts.app, Memory{BottleneckWindow(window_ms), now}).first->second;
  // Two drivers cannot have one application; should a source say so, the first counts.
  if (memory.evaluation == evaluation_) return std::nullopt;
  memory.evaluation = evaluation_;
  memory.used = now;
  memory.window.add(sample_of(facts, app), std::max(facts.executors_at, facts.stages_at));

  AppBottleneck out;
  out.app = facts.app;
  out.age_seconds = static_cast<double>(std::max<std::int64_t>(age_ms, 0)) / 1000;
  out.input = memory.window.input();
  out.result = classify(out.input);
  return out;
}

void AppBottlenecks::append(const Block* spark, const AppTable& apps, const Now& now,
                            std::vector<AppBottleneck>& out) {
  ++evaluation_;
  if (spark != nullptr) {
    out.reserve(spark->spark_apps.size());
    for (const SparkAppFacts& facts : spark->spark_apps) {
      if (auto one = classify_app(facts, apps.find(facts.app), now.steady)) out.push_back(std::move(*one));
    }
  }
  std::ranges::sort(out, {}, &AppBottleneck::app);
  std::erase_if(memory_,
                [&](const auto& entry) { return elapsed_ms(entry.second.used, now.steady) > kForgetMs; });
}

}  // namespace flintgauge
