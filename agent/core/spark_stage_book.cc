#include "agent/core/spark_stage_book.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "agent/core/mean_task.h"

namespace flintgauge::spark {
namespace {

std::array<double, kTotals + 1> counters_of(const SparkStage& stage) {
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
          stage.result_bytes,
          static_cast<double>(stage.tasks_killed)};
}

/// Failed and killed tasks are run again: they wait like those that never ran.
double waiting_tasks(const SparkStage& stage) {
  return static_cast<double>(
      std::max<std::int64_t>(0, stage.tasks - stage.tasks_complete - stage.tasks_active));
}

}  // namespace

void StageBook::StageDetail::take(const SparkStage& stage) {
  if (stage.submitted.ms != 0) submitted = stage.submitted;
  if (!std::isnan(stage.task_run_seconds_median)) run_median = stage.task_run_seconds_median;
  if (!std::isnan(stage.task_run_seconds_max)) run_max = stage.task_run_seconds_max;
  if (!std::isnan(stage.scheduler_delay_seconds_median)) delay_median = stage.scheduler_delay_seconds_median;
}

void StageBook::add_active(const SparkStage& stage, const StageDetail& detail, WallTime now) {
  if (active_.size() == SparkAppFacts::kMaxStages) return;
  StageFacts& facts = active_.emplace_back();
  facts.stage_id = stage.stage_id;
  facts.attempt_id = stage.attempt_id;
  facts.resource_profile_id = stage.resource_profile_id;
  facts.tasks = static_cast<double>(stage.tasks);
  facts.tasks_active = static_cast<double>(stage.tasks_active);
  facts.tasks_complete = static_cast<double>(stage.tasks_complete);
  facts.tasks_failed = static_cast<double>(stage.tasks_failed);
  facts.tasks_waiting = waiting_tasks(stage);
  facts.run_seconds = stage.executor_run_seconds;
  facts.task_run_seconds_median = detail.run_median;
  facts.task_run_seconds_max = detail.run_max;
  facts.scheduler_delay_seconds_median = detail.delay_median;
  // The driver runs on this node, by the same clock.
  if (stage.first_task_launched.ms != 0)
    facts.wall_seconds =
        static_cast<double>(std::max<std::int64_t>(0, now.ms - stage.first_task_launched.ms)) / 1e3;
}

bool StageBook::is_of_another_context(const SparkStages& list) const {
  return std::ranges::any_of(list.stages, [this](const SparkStage& stage) {
    return is_numbered_anew(seen_, std::pair(stage.stage_id, stage.attempt_id), stage.submitted, newest_);
  });
}

void StageBook::apply(const SparkStages& list, const Now& now) {
  forget_list();
  if (is_of_another_context(list)) begin_again();
  told_ = true;
  now_.known = true;
  now_.complete = list.complete;
  now_.at = now.steady;
  MeanTask mean;
  for (const SparkStage& stage : list.stages) {
    StageDetail detail;
    if (Seen::Entry* entry = seen_.find_or_make({stage.stage_id, stage.attempt_id}); entry != nullptr) {
      // Not the greatest ever told: bytes and records of an active stage hold those of running tasks, and go
      // back when such a task is lost (spark.md section 0.1). The application's total never does.
      entry->counters = counters_of(stage);
      ++entry->holders;
      listed_.push_back(entry);
      entry->detail.take(stage);
      detail = entry->detail;
    }
    newest_ = std::max(newest_, stage.submitted);
    if (stage.status == StageStatus::kPending) now_.pending += 1;
    if (stage.status != StageStatus::kActive) continue;
    now_.active += 1;
    now_.active_tasks += static_cast<double>(stage.tasks_active);
    now_.pending_tasks += waiting_tasks(stage);
    mean.add(static_cast<double>(stage.tasks), static_cast<double>(stage.tasks_complete),
             stage.executor_run_seconds);
    add_active(stage, detail, now.wall);
  }
  now_.mean_task_seconds = mean.seconds();
  std::ranges::sort(active_, {},
                    [](const StageFacts& facts) { return std::pair(facts.stage_id, facts.attempt_id); });
  seen_.trim();
}

void StageBook::forget_list() {
  now_ = StagesNow{};
  active_.clear();
  for (Seen::Entry* entry : listed_) --entry->holders;
  listed_.clear();
}

void StageBook::begin_again() {
  forget_list();
  seen_.begin_again();
}

}  // namespace flintgauge::spark
