#include "agent/core/app_hints.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include "agent/core/mean_task.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 300'000;  // as long as the stable number looks back
constexpr double kLongestStartup = 600;      // Spark gives a pod up that has not registered by then

double seconds(std::int64_t ms) { return static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000; }

/// How long the application's tasks could be seen. Its driver's figures are sums over its whole life, so the
/// driver's age counts, not only ours: a restart of the agent must not move a hint.
double observed_seconds(const SparkAppFacts& facts, const App* app, const Now& now) {
  const double by_us = seconds(elapsed_ms(facts.first_seen, now.steady));
  if (app == nullptr || app->driver_started.ms == 0) return by_us;
  return std::max(by_us, seconds(now.wall.ms - app->driver_started.ms));
}

/// Of "3.5.1": 3005; 0 when it is no version.
int version_number(std::string_view text) {
  int major = 0;
  int minor = 0;
  const char* const end = text.data() + text.size();
  const auto [dot, fault] = std::from_chars(text.data(), end, major);
  if (fault != std::errc() || dot == end || *dot != '.') return 0;
  if (std::from_chars(dot + 1, end, minor).ec != std::errc()) return 0;
  return major * 1'000 + minor;
}

/// Whether dynamic allocation keeps executors whose shuffle files a live job may still read: by default since
/// Spark 3.4 (spark.md section 9). Without tasks no job is known to live.
bool keeps_shuffle(const SparkAppFacts& facts) {
  constexpr int kOnByDefault = 3'004;
  if (facts.running_tasks + facts.pending_tasks <= 0 || facts.settings == nullptr) return false;
  const SparkSettings& settings = *facts.settings;
  return settings.dynamic_allocation.value_or(false) &&
         settings.shuffle_tracking.value_or(version_number(facts.spark_version) >= kOnByDefault);
}

bool holds_shuffle(const ExecutorFacts& executor) {
  return executor.is_active && executor.totals[Measure::kExecutorShuffleWriteBytes] > 0;  // NaN: not told
}

/// Executors with a task, cached blocks, or shuffle files that are kept.
double busy_executors(const SparkAppFacts& facts) {
  const auto by_list = static_cast<double>(facts.busy_executors);
  if (!keeps_shuffle(facts)) return by_list;
  const auto holders = std::ranges::count_if(facts.executor_list, [](const ExecutorFacts& executor) {
    return executor.is_active &&
           (executor.active_tasks > 0 || executor.rdd_blocks > 0 || holds_shuffle(executor));
  });
  return std::max(by_list, static_cast<double>(holders));
}

/// As SparkAppFacts::mean_task_seconds, over the stages of one profile; 0 = not known.
double mean_of_profile(const SparkAppFacts& facts, std::int64_t profile) {
  MeanTask mean;
  for (const StageFacts& stage : facts.stage_list) {
    if (stage.resource_profile_id == profile) mean.add(stage.tasks, stage.tasks_complete, stage.run_seconds);
  }
  return mean.seconds();
}

/// The input of one profile: its own executors, work and task time where known; whatever is told of the
/// application only is the application's.
ProfileHint profile_hint(const ProfileFacts& profile, const SparkAppFacts& facts,
                         const HorizontalInput& whole) {
  ProfileHint out;
  out.id = profile.id;
  HorizontalInput& in = out.input;
  in = whole;
  in.max_needed_executors.reset();  // a sum over all profiles
  in.executors = in.executor_pods = profile.executors;
  in.running_tasks = profile.running_tasks;
  in.pending_tasks = profile.pending_tasks;
  if (profile.executors > 0)
    in.tasks_per_executor = std::max(1.0, std::floor(profile.slots / profile.executors));
  if (const double own = mean_of_profile(facts, profile.id); own > 0) in.mean_task_seconds = own;
  in.busy_executors = 0;
  const bool with_shuffle = keeps_shuffle(facts);
  for (const ExecutorFacts& executor : facts.executor_list) {
    if (!executor.is_active || executor.resource_profile_id != profile.id) continue;
    // Without knowledge of cached blocks any executor may hold some.
    const bool is_busy =
        executor.active_tasks > 0 || !(executor.rdd_blocks <= 0) || (with_shuffle && holds_shuffle(executor));
    in.busy_executors += is_busy ? 1 : 0;
  }
  out.hint = horizontal_hint(in);
  return out;
}

/// A task has a core unless the settings say otherwise.
double cores_of_executor(const SparkAppFacts& facts, double tasks_per_executor) {
  if (facts.settings == nullptr) return tasks_per_executor;
  return facts.settings->executor_cores.value_or(tasks_per_executor * facts.settings->task_cpus.value_or(1));
}

/// The registry shows the last batch: it is another one when any figure of it is.
bool same_batch(const QueryFacts& a, const QueryFacts& b) {
  return a.input_rows_per_second == b.input_rows_per_second &&
         a.processed_rows_per_second == b.processed_rows_per_second && a.batch_seconds == b.batch_seconds;
}

void take_counts(const SparkAppFacts& facts, const App* app, HorizontalInput& in) {
  in.executors = static_cast<double>(facts.executors);
  // Executors on other nodes are not in our pod list, so the larger of the two counts.
  const std::int64_t pods = app != nullptr ? app->executor_pods_held : 0;
  in.executor_pods = static_cast<double>(std::max(facts.executors, pods));
  in.busy_executors = busy_executors(facts);
  in.running_tasks = static_cast<double>(facts.running_tasks);
  in.pending_tasks = static_cast<double>(facts.pending_tasks);
  if (app != nullptr && !std::isnan(app->sample.max_needed)) in.max_needed_executors = app->sample.max_needed;
}

/// What only explains the number: Spark's own target, and each profile by itself.
void add_context(const SparkAppFacts& facts, const App* app, AppHint& out) {
  if (app != nullptr && !std::isnan(app->sample.target_executors)) {
    out.spark_target = app->sample.target_executors;
  }
  if (facts.profiles.size() > 1) {
    for (const ProfileFacts& profile : facts.profiles) {
      out.profiles.push_back(profile_hint(profile, facts, out.input));
    }
  }
}

}  // namespace

/// Dynamic allocation's own bounds and ratio, where they are narrower than ours: a hint beyond them would
/// never come true.
void AppHints::bound(const SparkAppFacts& facts, AppHint& out) const {
  HorizontalInput& in = out.input;
  in.min_executors = settings_.min_executors;
  in.max_executors = settings_.max_executors;
  if (facts.settings == nullptr || !facts.settings->dynamic_allocation.value_or(false)) return;
  out.has_dynamic_allocation = true;
  const SparkSettings& spark = *facts.settings;
  in.max_executors = std::min(in.max_executors, spark.max_executors.value_or(in.max_executors));
  in.min_executors = std::min(std::max(in.min_executors, spark.min_executors.value_or(0)), in.max_executors);
  in.allocation_ratio = spark.executor_allocation_ratio.value_or(1);
}

/// From the creation of the pod to the registration of the executor, whose first task follows at once if one
/// waits. Only pods of this node are seen; while there is none, the last median stands.
void AppHints::measure_startup(const SparkAppFacts& facts, const App* app, Memory& memory) {
  if (app == nullptr) return;
  startups_.clear();
  for (const ExecutorFacts& executor : facts.executor_list) {
    if (executor.added.ms <= 0) continue;
    const auto created = std::ranges::lower_bound(app->executors_created, executor.id, {},
                                                  &std::pair<std::string, WallTime>::first);
    if (created == app->executors_created.end() || created->first != executor.id) continue;
    const double startup = static_cast<double>(executor.added.ms - created->second.ms) / 1000;
    if (startup > 0 && startup <= kLongestStartup) startups_.push_back(startup);  // two clocks may disagree
  }
  if (startups_.empty()) return;
  const auto middle = startups_.begin() + static_cast<std::ptrdiff_t>((startups_.size() - 1) / 2);
  std::ranges::nth_element(startups_, middle);
  memory.startup_seconds = *middle;
  memory.startups = startups_.size();
}

/// Measured in this run, else in the last run of the job, else the setting.
double AppHints::startup_seconds(const SparkAppFacts& facts, const App* app, const JobHistory& history,
                                 const Memory& memory) const {
  if (memory.startups > 0) return memory.startup_seconds;
  if (app == nullptr || app->job_name.empty()) return settings_.startup_seconds;
  const JobRecord* record = history.find({facts.app.namespace_name, app->job_name, Role::kExecutor, 0});
  return record != nullptr && record->startup_seconds > 0 ? record->startup_seconds
                                                          : settings_.startup_seconds;
}

/// Idle executors of the last reading, until this one.
void AppHints::count_waste(const SparkAppFacts& facts, const AppHint& hint, Memory& memory) const {
  if (memory.has_idle && facts.executors_at > memory.idle_at) {
    const std::int64_t past_ms =
        std::min(elapsed_ms(memory.idle_at, facts.executors_at), settings_.hint_max_age_ms);
    memory.waste = {memory.wasted_core_seconds, memory.idle_cores, seconds(past_ms)};
    memory.wasted_core_seconds += memory.waste.idle_cores * memory.waste.seconds;
  }
  memory.has_idle = true;
  memory.idle_cores = hint.hint.idle_executors * hint.executor_cores;
  memory.idle_at = facts.executors_at;
}

/// The mean task time, or of a new stage that has none the one before: for as long as tasks of that length
/// need not have ended and been read. Without this every stage would begin with a leap to Spark's own number.
double AppHints::mean_task_seconds(const SparkAppFacts& facts, Memory& memory, SteadyTime now) const {
  const bool contradicts = facts.mean_task_seconds <= 0 && facts.running_tasks + facts.pending_tasks > 0;
  if (!contradicts) memory.mean_at = now;
  if (facts.mean_task_seconds > 0) memory.mean_task_seconds = facts.mean_task_seconds;
  const double believed = 2 * memory.mean_task_seconds + seconds(settings_.hint_max_age_ms);
  return seconds(elapsed_ms(memory.mean_at, now)) <= believed ? memory.mean_task_seconds : 0;
}

void AppHints::judge_queries(const SparkAppFacts& facts, Memory& memory, AppHint& out) {
  std::vector<Query> queries;
  queries.reserve(facts.queries.size());
  for (const QueryFacts& now : facts.queries) {
    if (std::isnan(now.input_rows_per_second) || std::isnan(now.processed_rows_per_second)) continue;
    const auto known =
        std::ranges::find_if(memory.queries, [&now](const Query& one) { return one.last.name == now.name; });
    Query& query = queries.emplace_back(known == memory.queries.end() ? Query{} : *known);
    if (known == memory.queries.end() || !same_batch(query.last, now)) {
      const bool is_behind = now.processed_rows_per_second < now.input_rows_per_second;
      query.batches_behind = is_behind ? query.batches_behind + 1 : 0;
    }
    query.last = now;
    QueryHint& hint = out.queries.emplace_back();
    hint.query = now.name;
    hint.input = {.executors = out.input.executors,
                  .input_rate = now.input_rows_per_second,
                  .processing_rate = now.processed_rows_per_second,
                  .batches_behind = query.batches_behind,
                  .min_executors = out.input.min_executors,
                  .max_executors = out.input.max_executors};
    hint.executors = streaming_executors(hint.input);
    out.by_rate = std::max(out.by_rate.value_or(0), hint.executors);
  }
  memory.queries = std::move(queries);
}

/// Both confidences, and what they were made of. REQUIRES: out.age_seconds.
void AppHints::trust(double observed, const SparkAppFacts& facts, AppHint& out) const {
  const double max_age = seconds(settings_.hint_max_age_ms);
  out.confidence_terms = {facts.completed_tasks, observed, max_age};
  out.input.confidence = confidence(facts.completed_tasks, observed, 0, max_age);
  out.confidence = confidence(facts.completed_tasks, observed, out.age_seconds, max_age);
}

std::optional<AppHint> AppHints::hint(const SparkAppFacts& facts, const App* app, const JobHistory& history,
                                      const Now& now) {
  if (!facts.has_executors || !facts.has_stages) return withhold(Withheld::kIncomplete);
  const std::int64_t age_ms = elapsed_ms(std::min(facts.executors_at, facts.stages_at), now.steady);
  if (age_ms > settings_.hint_max_age_ms) return withhold(Withheld::kStale);

  Memory& memory = memory_[facts.app];
  // Two drivers cannot have one application; should a source say so, the first counts.
  if (memory.evaluation == evaluation_) return std::nullopt;
  memory.evaluation = evaluation_;
  memory.used = now.steady;
  if (facts.slots_per_executor > 0) memory.tasks_per_executor = static_cast<double>(facts.slots_per_executor);
  if (memory.tasks_per_executor <= 0) return withhold(Withheld::kNoSlots);

  AppHint out;
  out.app = facts.app;
  out.age_seconds = seconds(age_ms);
  HorizontalInput& in = out.input;
  take_counts(facts, app, in);
  in.tasks_per_executor = memory.tasks_per_executor;
  in.mean_task_seconds = mean_task_seconds(facts, memory, now.steady);
  in.drain_target_seconds = settings_.drain_target_seconds;
  measure_startup(facts, app, memory);
  out.startups = memory.startups;
  in.startup_seconds = startup_seconds(facts, app, history, memory);
  bound(facts, out);
  trust(observed_seconds(facts, app, now), facts, out);
  out.hint = horizontal_hint(in);
  out.stable = memory.stable.update(out.hint.desired, now.steady.ms);
  for (const auto& [at_ms, desired] : memory.stable.window())
    out.stable_window.push_back({seconds(now.steady.ms - at_ms), desired});
  out.executor_cores = cores_of_executor(facts, memory.tasks_per_executor);
  count_waste(facts, out, memory);
  out.wasted_core_seconds = memory.wasted_core_seconds;
  out.waste = memory.waste;
  judge_queries(facts, memory, out);
  add_context(facts, app, out);
  return out;
}

std::nullopt_t AppHints::withhold(Withheld reason) {
  ++withheld_[static_cast<std::size_t>(reason)];
  return std::nullopt;
}

void AppHints::withhold(const Block* spark) {
  if (spark == nullptr) return;
  for (std::size_t i = 0; i < spark->spark_apps.size(); ++i) withhold(Withheld::kClock);
}

void AppHints::append(const Block* spark, const AppTable& apps, const JobHistory& history, const Now& now,
                      std::vector<AppHint>& hints) {
  ++evaluation_;
  if (spark != nullptr) {
    hints.reserve(spark->spark_apps.size());
    for (const SparkAppFacts& facts : spark->spark_apps) {
      if (auto one = hint(facts, apps.find(facts.app), history, now)) hints.push_back(std::move(*one));
    }
  }
  std::ranges::sort(hints, {}, &AppHint::app);
  forget(now.steady);
}

void AppHints::forget(SteadyTime now) {
  std::erase_if(memory_, [now](const auto& entry) { return elapsed_ms(entry.second.used, now) > kForgetMs; });
}

}  // namespace flintgauge
