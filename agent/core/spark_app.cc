#include "agent/core/spark_app.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flintgauge::spark {

void App::apply(const Target& target, const SparkExecutors& list, const Now& now) {
  follow_driver(target, now.steady);
  if (executors_.is_of_another_context(list)) {
    driver_side_.begin_registry_again();
    begin_executors_again(now.steady);
  }
  rest_target_ = target.key;
  executors_.apply(list, now.steady);
}

void App::apply(const Target& target, const SparkStages& list, const Now& now) {
  follow_driver(target, now.steady);
  stages_target_ = target.key;
  stages_.apply(list, now);
  if (!target.only_after_news) return;
  const double work = work_seen();
  readings_since_work_ = work == std::exchange(work_at_reading_, work) ? readings_since_work_ + 1 : 1;
}

double App::work_seen() const {
  const std::array<double, kTotals> totals = executors_.totals();
  return totals[place(Column::kTasksCompleted)] + totals[place(Column::kTasksFailed)];
}

bool App::has_stage_news() const {
  constexpr int kReadings = 2;
  const bool is_at_rest = executors_.listed().known && stages_.now().known && stages_.now().active == 0 &&
                          stages_.now().pending == 0;
  return !is_at_rest || readings_since_work_ < kReadings || work_seen() != work_at_reading_;
}

FoldCounts App::apply(const Target& target, const SampleBatch& batch, const Now& now) {
  follow_driver(target, now.steady);
  const FoldCounts counts = pages_.apply(target, batch, now.steady);
  driver_side_.set_now(pages_.driver());
  return counts;
}

/// Another pod under the same application id is another driver: its executors and stages begin at 1 again.
void App::follow_driver(const Target& target, SteadyTime now) {
  if (!target.executor_id.empty()) return;
  is_driver_heard_ = true;
  if (target.pod_uid == pod_uid_ || target.pod_uid.empty()) return;
  const bool is_first = pod_uid_.empty();
  pod_uid_ = target.pod_uid;
  if (is_first) return;
  stages_.begin_again();
  driver_side_.begin_again();
  begin_executors_again(now);
}

void App::begin_executors_again(SteadyTime now) {
  pages_.begin_again([this, now] { executors_.begin_again(now); });
}

void App::drop(const Target& target) {
  if (target.key == rest_target_) executors_.forget_list();
  if (target.key == stages_target_) stages_.forget_list();
  pages_.drop(target);
  driver_side_.drop(target.key);
  driver_side_.set_now(pages_.driver());
}

void App::forget(const Target& target) {
  drop(target);
  pages_.forget(target);
}

bool App::is_live() const {
  return executors_.listed().known || pages_.listed().known || stages_.now().known || driver_side_.is_live();
}

/// Executors of a driver before this one are in no list of its.
void App::see_pod(const std::string& executor_id, const Pod& pod) {
  if (pod.owner_uid.empty() || pod_uid_.empty() || pod.owner_uid == pod_uid_)
    executors_.losses().see_pod(executor_id, pod);
}

void App::renumber(SteadyTime now) {
  if (!is_driver_heard_) return;
  executors_.settle(now, !is_live());
  raise_totals();
  set_gauges();
}

/// Executors and stages tell the same counters. A lost executor's failed tasks stand only in its stages,
/// stages that Spark has forgotten only in the executors: the larger sum knows more, and no sum ever makes a
/// total fall.
void App::raise_totals() {
  const auto raise = [this](Column column, double total) {
    numbers_.set(column, std::max(numbers_.value[place(column)], total));
  };
  const std::array<double, kTotals> of_executors = executors_.totals();
  const std::array<double, kTotals + 1> of_stages = stages_.totals();
  // The registry leaves out a killed task that ends after its stage.
  if (stages_.told()) raise(Column::kTasksKilled, of_stages[StageBook::kKilled]);
  for (std::size_t i = 0; i < kTotals; ++i) {
    if (executors_.told(i)) raise(static_cast<Column>(i), of_executors[i]);
    if (!stages_.told()) continue;
    raise(static_cast<Column>(i), of_stages[i]);
    double& kept = stage_totals_.values[i];
    if (!(kept >= of_stages[i])) kept = of_stages[i];  // not told before is not greater either
  }
}

void App::set_gauges() {
  numbers_.present &= kCountersMask;
  driver_side_.write(numbers_);
  const ExecutorsNow& executors = executors_now();
  const StagesNow& stages = stages_.now();
  const DriverNow& registry = driver_side_.now();
  if (executors.known) {
    numbers_.set(Column::kTasksActive, executors.active_tasks);
    numbers_.set(Column::kExecutorsActive, static_cast<double>(executors.active));
    if (executors.knows_blocks) numbers_.set(Column::kExecutorsBusy, static_cast<double>(executors.busy));
    if (executors.complete) numbers_.set(Column::kExecutorsDead, static_cast<double>(executors.dead));
  } else if (stages.known) {
    numbers_.set(Column::kTasksActive, stages.active_tasks);
  }
  if (const auto& running = registry.of(Measure::kDriverRunningStages))
    numbers_.set(Column::kStagesActive, *running);
  if (const auto& waiting = registry.of(Measure::kDriverWaitingStages))
    numbers_.set(Column::kStagesPending, *waiting);
  if (stages.known) {
    numbers_.set(Column::kTasksPending, stages.pending_tasks);
    numbers_.set(Column::kStagesActive, stages.active);
    if (stages.complete) numbers_.set(Column::kStagesPending, stages.pending);
  }
}

void App::write_profiles(SparkAppFacts& facts) {
  facts.profiles.clear();
  const auto profile = [&facts](std::int64_t id) {
    const auto at = std::ranges::lower_bound(facts.profiles, id, {}, &ProfileFacts::id);
    if (at != facts.profiles.end() && at->id == id) return &*at;
    if (facts.profiles.size() == SparkAppFacts::kMaxProfiles) return static_cast<ProfileFacts*>(nullptr);
    ProfileFacts made;
    made.id = id;
    return &*facts.profiles.insert(at, made);
  };
  for (const ExecutorFacts& executor : facts.executor_list) {
    ProfileFacts* to = executor.is_active ? profile(executor.resource_profile_id) : nullptr;
    if (to == nullptr) continue;
    to->executors += 1;
    if (!std::isnan(executor.max_tasks)) to->slots += executor.max_tasks;
    if (!std::isnan(executor.active_tasks)) to->running_tasks += executor.active_tasks;
  }
  for (const StageFacts& stage : facts.stage_list) {
    if (ProfileFacts* to = profile(stage.resource_profile_id); to != nullptr)
      to->pending_tasks += stage.tasks_waiting;
  }
}

void App::write_facts(SparkAppFacts& facts) const {
  const ExecutorsNow& executors = executors_now();
  const StagesNow& stages = stages_.now();
  facts.app = key_;
  facts.first_seen = first_seen_;
  facts.has_executors = executors.known;
  facts.executors_at = executors.at;
  facts.executors = executors.active;
  // Without knowledge of cached blocks any executor may hold some.
  facts.busy_executors = executors.knows_blocks ? executors.busy : executors.active;
  facts.slots_per_executor =
      executors.active > 0 ? std::llround(std::floor(executors.slots / static_cast<double>(executors.active)))
                           : 0;
  facts.slots = executors.known && executors_.is_local() ? executors_.driver_slots() : executors.slots;
  facts.running_tasks = std::llround(executors.known ? executors.active_tasks : stages.active_tasks);
  facts.has_stages = stages.known;
  facts.stages_at = stages.at;
  facts.pending_tasks = std::llround(stages.pending_tasks);
  facts.mean_task_seconds = stages.mean_task_seconds;
  driver_side_.write_facts(facts);
  facts.completed_tasks = numbers_.value[place(Column::kTasksCompleted)];
  for (std::size_t i = 0; i < kTotals; ++i) {
    facts.totals.values[i] = (numbers_.present & bit(i)) != 0 ? numbers_.value[i] : kNotTold;
  }
  facts.stage_totals = stage_totals_;
  facts.has_driver = executors_.knows_driver();
  facts.driver = executors_.driver();
  ExecutorListWriter writer(facts);
  if (executors_.listed().known) {
    executors_.write_listed(writer);
  } else if (pages_.listed().known) {
    pages_.write_listed(writer);
  }
  writer.finish();
  facts.stage_list = stages_.active();
  write_profiles(facts);
}

}  // namespace flintgauge::spark
