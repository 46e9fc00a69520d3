#include "agent/core/spark_app.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace flintgauge::spark {
namespace {

constexpr std::string_view kDriverId = "driver";

/// An executor may report more running tasks than it has slots for some 100 ms (spark.md section 0.1).
double clamped(double active_tasks, double max_tasks) {
  return max_tasks > 0 ? std::min(active_tasks, max_tasks) : active_tasks;
}

void add_executor(ExecutorsNow& into, bool busy, double active_tasks, double max_tasks) {
  ++into.active;
  into.busy += busy ? 1 : 0;
  into.slots += max_tasks;
  into.active_tasks += clamped(active_tasks, max_tasks);
}

/// The totals that a row of the driver's list of executors has.
constexpr std::array kRowTotals = {Column::kTasksCompleted, Column::kTasksFailed, Column::kGcSeconds,
                                   Column::kInputBytes,     Column::kShuffleRead, Column::kShuffleWrite};
constexpr ColumnSet kRowTotalsMask = [] {
  ColumnSet mask = 0;
  for (const Column column : kRowTotals) mask |= bit(column);
  return mask;
}();

std::array<double, kTotals> counters_of(const SparkExecutor& row) {
  std::array<double, kTotals> counters{};
  counters[place(Column::kTasksCompleted)] = row.tasks_completed;
  counters[place(Column::kTasksFailed)] = row.tasks_failed;
  counters[place(Column::kGcSeconds)] = row.gc_seconds;
  counters[place(Column::kInputBytes)] = row.input_bytes;
  counters[place(Column::kShuffleRead)] = row.shuffle_read_bytes;
  counters[place(Column::kShuffleWrite)] = row.shuffle_write_bytes;
  return counters;
}

std::array<double, kTotals> counters_of(const SparkStage& stage) {
  return {static_cast<double>(stage.tasks_complete),
          static_cast<double>(stage.tasks_failed),
          stage.executor_run_seconds,
          stage.executor_cpu_seconds,
          stage.gc_seconds,
          stage.input_bytes,
          stage.input_records,
          stage.output_bytes,
          stage.shuffle_read_bytes,
          stage.shuffle_write_bytes,
          stage.shuffle_fetch_wait_seconds,
          stage.memory_spilled_bytes,
          stage.disk_spilled_bytes,
          stage.output_records,
          stage.shuffle_read_records,
          stage.shuffle_write_records,
          stage.shuffle_write_seconds,
          stage.deserialize_seconds,
          stage.result_bytes};
}

template <std::size_t kCount>
void raise_all(std::array<double, kCount>& counters, const std::array<double, kCount>& values) {
  for (std::size_t i = 0; i < kCount; ++i) counters[i] = std::max(counters[i], values[i]);
}

/// Mean run time of a task: each stage's own mean, weighted by the tasks that it still has to do.
struct MeanTask {
  double weighted_seconds = 0;
  double weight = 0;

  void add(const SparkStage& stage) {
    if (stage.tasks_complete <= 0) return;
    const auto remaining = static_cast<double>(std::max<std::int64_t>(0, stage.tasks - stage.tasks_complete));
    weighted_seconds += remaining * stage.executor_run_seconds / static_cast<double>(stage.tasks_complete);
    weight += remaining;
  }
  double seconds() const { return weight > 0 ? weighted_seconds / weight : 0; }
};

}  // namespace

ExecutorKey executor_key(std::string_view id) {
  ExecutorKey key;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), key.number);
  if (error == std::errc() && end == id.data() + id.size() && key.number >= 0) return key;
  key.number = -1;
  key.text = id;
  return key;
}

void App::apply(const Target& target, const SparkExecutors& list, const Now& now) {
  follow_driver(target);
  rest_target_ = target.key;
  executors_told_ |= kRowTotalsMask;
  rest_ = ExecutorsNow{};
  rest_.known = rest_.knows_blocks = true;
  rest_.complete = list.complete;
  rest_.at = now.steady;
  for (Executors::Entry* entry : rest_listed_) --entry->holders;
  rest_listed_.clear();
  double driver_active = 0;
  for (const SparkExecutor& row : list.executors) {
    if (row.id == kDriverId) {
      raise_all(driver_, counters_of(row));
      driver_slots_ = static_cast<double>(row.max_tasks);
      driver_active = static_cast<double>(row.active_tasks);
      continue;
    }
    if (Executors::Entry* entry = executors_.find_or_make(executor_key(row.id)); entry != nullptr) {
      raise_all(entry->counters, counters_of(row));
      ++entry->holders;
      rest_listed_.push_back(entry);
    }
    if (!row.is_active) {  // a lost executor's row may say for ever that it runs a task
      ++rest_.dead;
      continue;
    }
    add_executor(rest_, row.active_tasks > 0 || row.rdd_blocks > 0, static_cast<double>(row.active_tasks),
                 static_cast<double>(row.max_tasks));
  }
  if (is_local()) rest_.active_tasks = clamped(driver_active, driver_slots_);
  executors_.trim();
}

void App::apply(const Target& target, const SparkStages& list, const Now& now) {
  follow_driver(target);
  stages_target_ = target.key;
  stages_told_ = true;
  stages_now_ = StagesNow{};
  stages_now_.known = true;
  stages_now_.complete = list.complete;
  stages_now_.at = now.steady;
  for (Stages::Entry* entry : stages_listed_) --entry->holders;
  stages_listed_.clear();
  MeanTask mean;
  for (const SparkStage& stage : list.stages) {
    if (Stages::Entry* entry = stages_.find_or_make({stage.stage_id, stage.attempt_id}); entry != nullptr) {
      raise_all(entry->counters, counters_of(stage));
      ++entry->holders;
      stages_listed_.push_back(entry);
    }
    if (stage.status == StageStatus::kPending) stages_now_.pending += 1;
    if (stage.status != StageStatus::kActive) continue;
    stages_now_.active += 1;
    stages_now_.active_tasks += static_cast<double>(stage.tasks_active);
    // Failed and killed tasks are run again: they wait like those that never ran.
    const std::int64_t waiting = stage.tasks - stage.tasks_complete - stage.tasks_active;
    stages_now_.pending_tasks += static_cast<double>(std::max<std::int64_t>(0, waiting));
    mean.add(stage);
  }
  stages_now_.mean_task_seconds = mean.seconds();
  stages_.trim();
}

FoldCounts App::apply(const Target& target, const SampleBatch& batch, const Now& now) {
  follow_driver(target);
  FoldCounts counts;
  Page& page = page_of(target);
  if (page.rows.size() < batch.routes.size()) page.rows.resize(batch.routes.size());
  for (const SeriesIndex series : batch.retired) {
    if (series < page.rows.size()) let_go(page, page.rows[series]);
  }
  for (const SeriesIndex series : batch.created) {
    PageRow& row = page.rows[series];
    let_go(page, row);
    const Route& route = batch.routes[series];
    if (route.app_id.empty() || route.app_id == key_.app_id) bind(page, row, route);
  }
  page.driver = DriverNow{};
  for (const Sample& sample : batch.samples) {
    const PageRow& row = page.rows[sample.series];
    if (!row.bound) {
      ++counts.identity_mismatch;
      continue;
    }
    take(page, row, sample.value);
    ++counts.folded;
  }
  merge_drivers();
  if (page.has_executors) {
    paged_target_ = page.key;
    paged_ = summary_of(page, now);
    executors_.trim();
  }
  return counts;
}

App::Page& App::page_of(const Target& target) {
  for (Page& page : pages_) {
    if (page.key == target.key) return page;
  }
  pages_.emplace_back().key = target.key;
  return pages_.back();
}

void App::bind(Page& page, PageRow& row, const Route& route) {
  row.bound = true;
  row.measure = route.measure;
  row.scope = route.scope;
  if (route.scope != Scope::kExecutor) return;
  page.has_executors = true;
  row.executor = place_of(page, route.container);
  ++page.executors[row.executor].rows;
}

std::uint32_t App::place_of(Page& page, const std::string& executor_id) {
  std::size_t free = page.executors.size();
  for (std::size_t i = 0; i < page.executors.size(); ++i) {
    if (page.executors[i].rows != 0 && page.executors[i].id == executor_id)
      return static_cast<std::uint32_t>(i);
    if (page.executors[i].rows == 0) free = i;
  }
  if (free == page.executors.size()) page.executors.emplace_back();
  PageExecutor& executor = page.executors[free];
  executor = PageExecutor{};
  executor.id = executor_id;
  if (executor_id != kDriverId) executor.entry = executors_.find_or_make(executor_key(executor_id));
  if (executor.entry != nullptr) ++executor.entry->holders;
  return static_cast<std::uint32_t>(free);
}

void App::let_go(Page& page, PageRow& row) {
  if (row.bound && row.scope == Scope::kExecutor) {
    PageExecutor& executor = page.executors[row.executor];
    if (--executor.rows == 0 && executor.entry != nullptr) --executor.entry->holders;
  }
  row = PageRow{};
}

void App::take(Page& page, const PageRow& row, double value) {
  if (row.scope == Scope::kDriver) return page.driver.take(row.measure, value);
  if (row.scope != Scope::kExecutor) return;
  PageExecutor& executor = page.executors[row.executor];
  const bool is_driver = executor.id == kDriverId;
  if (is_counter(row.measure)) {
    const auto i =
        static_cast<std::size_t>(row.measure) - static_cast<std::size_t>(Measure::kExecutorTasksCompleted);
    if (i >= kTotals) return;
    executors_told_ |= bit(i);
    if (is_driver) Executors::raise(driver_[i], value);
    if (executor.entry != nullptr) Executors::raise(executor.entry->counters[i], value);
  } else if (row.measure == Measure::kExecutorActiveTasks) {
    executor.active_tasks = value;
  } else if (row.measure == Measure::kExecutorMaxTasks) {
    executor.max_tasks = value;
    if (is_driver) driver_slots_ = value;
  }
}

ExecutorsNow App::summary_of(const Page& page, const Now& now) const {
  ExecutorsNow summary;
  summary.known = true;
  summary.at = now.steady;
  for (const PageExecutor& executor : page.executors) {
    if (executor.rows == 0) continue;
    if (executor.id != kDriverId) {
      add_executor(summary, executor.active_tasks > 0, executor.active_tasks, executor.max_tasks);
    } else if (is_local()) {
      summary.active_tasks += clamped(executor.active_tasks, executor.max_tasks);
    }
  }
  return summary;
}

/// Another pod under the same application id is another driver: its executors and stages begin at 1 again.
void App::follow_driver(const Target& target) {
  if (target.pod_uid == pod_uid_ || target.pod_uid.empty()) return;
  const bool is_first = pod_uid_.empty();
  pod_uid_ = target.pod_uid;
  if (!is_first) forget_lists();
}

void App::forget_lists() {
  for (Executors::Entry* entry : rest_listed_) --entry->holders;
  for (Stages::Entry* entry : stages_listed_) --entry->holders;
  rest_listed_.clear();
  stages_listed_.clear();
  for (Page& page : pages_) {
    for (PageExecutor& executor : page.executors) {
      if (executor.rows != 0 && executor.entry != nullptr) --executor.entry->holders;
    }
  }
  executors_.begin_again();
  stages_.begin_again();
  for (Page& page : pages_) {
    for (PageExecutor& executor : page.executors) {
      if (executor.rows == 0 || executor.id == kDriverId) continue;
      executor.entry = executors_.find_or_make(executor_key(executor.id));
      ++executor.entry->holders;
    }
  }
  rest_ = paged_ = ExecutorsNow{};
  stages_now_ = StagesNow{};
  for (Page& page : pages_) page.driver = DriverNow{};
  driver_side_.begin_again();
}

void App::drop(const Target& target) {
  if (target.key == rest_target_) rest_ = ExecutorsNow{};
  if (target.key == paged_target_) paged_ = ExecutorsNow{};
  if (target.key == stages_target_) stages_now_ = StagesNow{};
  for (Page& page : pages_) {
    if (page.key == target.key) page.driver = DriverNow{};
  }
  driver_side_.drop(target.key);
  merge_drivers();
}

bool App::is_live() const {
  return rest_.known || paged_.known || stages_now_.known || driver_side_.is_live();
}

void App::renumber() {
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
  for (std::size_t i = 0; i < kTotals; ++i) {
    if ((executors_told_ & bit(i)) == 0) continue;
    raise(static_cast<Column>(i), executors_.total(i) + (is_local() ? driver_[i] : 0));
  }
  for (std::size_t i = 0; stages_told_ && i < kTotals; ++i) raise(static_cast<Column>(i), stages_.total(i));
}

void App::set_gauges() {
  numbers_.present &= kCountersMask;
  driver_side_.write(numbers_);
  const ExecutorsNow& executors = executors_now();
  if (executors.known) {
    numbers_.set(Column::kTasksActive, executors.active_tasks);
    numbers_.set(Column::kExecutorsActive, static_cast<double>(executors.active));
    if (executors.knows_blocks) numbers_.set(Column::kExecutorsBusy, static_cast<double>(executors.busy));
    if (executors.complete) numbers_.set(Column::kExecutorsDead, static_cast<double>(executors.dead));
  } else if (stages_now_.known) {
    numbers_.set(Column::kTasksActive, stages_now_.active_tasks);
  }
  const DriverNow& registry = driver_side_.now();
  if (const auto& stages = registry.of(Measure::kDriverRunningStages))
    numbers_.set(Column::kStagesActive, *stages);
  if (const auto& stages = registry.of(Measure::kDriverWaitingStages))
    numbers_.set(Column::kStagesPending, *stages);
  if (stages_now_.known) {
    numbers_.set(Column::kTasksPending, stages_now_.pending_tasks);
    numbers_.set(Column::kStagesActive, stages_now_.active);
    if (stages_now_.complete) numbers_.set(Column::kStagesPending, stages_now_.pending);
  }
}

void App::write_facts(SparkAppFacts& facts) const {
  const ExecutorsNow& executors = executors_now();
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
  facts.running_tasks = std::llround(executors.known ? executors.active_tasks : stages_now_.active_tasks);
  facts.has_stages = stages_now_.known;
  facts.stages_at = stages_now_.at;
  facts.pending_tasks = std::llround(stages_now_.pending_tasks);
  facts.mean_task_seconds = stages_now_.mean_task_seconds;
  driver_side_.write_facts(facts);
  facts.completed_tasks = numbers_.value[place(Column::kTasksCompleted)];
}

}  // namespace flintgauge::spark
