#include "agent/core/spark_driver.h"

#include <algorithm>

namespace flintgauge::spark {
namespace {

struct Shown {
  Measure measure;
  Column column;
};

// Stages have a source they prefer to the registry: App.
constexpr auto kShown = std::to_array<Shown>({
    {Measure::kDriverTargetExecutors, Column::kExecutorsTarget},
    {Measure::kDriverMaxNeededExecutors, Column::kExecutorsMaxNeeded},
    {Measure::kDriverExecutorsToAdd, Column::kExecutorsToAdd},
    {Measure::kDriverExecutorsPendingToRemove, Column::kExecutorsPendingToRemove},
    {Measure::kDriverExecutorsDecommissioning, Column::kExecutorsDecommissioning},
    {Measure::kDriverStorageMemoryUsedBytes, Column::kStorageMemoryUsed},
    {Measure::kDriverStorageMemoryMaxBytes, Column::kStorageMemoryMax},
    {Measure::kDriverHeapUsedBytes, Column::kDriverHeapUsed},
    {Measure::kDriverHeapMaxBytes, Column::kDriverHeapMax},
    {Measure::kDriverConnectSessions, Column::kConnectSessions},
    {Measure::kDriverConnectOperations, Column::kConnectOperations},
    {Measure::kDriverJobsSucceeded, Column::kJobsSucceeded},
    {Measure::kDriverJobsFailed, Column::kJobsFailed},
    {Measure::kDriverStagesCompleted, Column::kStagesCompleted},
    {Measure::kDriverStagesFailed, Column::kStagesFailed},
    {Measure::kDriverStagesSkipped, Column::kStagesSkipped},
    {Measure::kDriverTasksKilled, Column::kTasksKilled},
    {Measure::kDriverEventsDropped, Column::kEventsDropped},
    {Measure::kDriverGcSeconds, Column::kDriverGcSeconds},
    {Measure::kDriverCpuSeconds, Column::kDriverCpuSeconds},
});

constexpr bool is_of_driver(Measure measure) {
  return measure >= Measure::kDriverTargetExecutors && measure <= Measure::kDriverCpuSeconds;
}

}  // namespace

void DriverNow::take(Measure measure, double amount) {
  if (!is_of_driver(measure)) return;
  known = true;
  std::optional<double>& into = value[driver_place(measure)];
  into = measure == Measure::kDriverEventsDropped ? into.value_or(0) + amount : amount;
}

void DriverNow::add(const DriverNow& other) {
  known = known || other.known;
  for (std::size_t i = 0; i < kDriverMeasures; ++i) {
    if (!value[i]) value[i] = other.value[i];
  }
}

void DriverSide::set_now(const DriverNow& now) {
  now_ = now;
  for (std::size_t i = 0; i < kDriverMeasures; ++i) {
    if (!now.value[i]) continue;
    told_[i] = true;
    highest_[i] = std::max(highest_[i], *now.value[i]);
  }
}

void DriverSide::forget_jobs() {
  for (Jobs::Entry* entry : jobs_listed_) --entry->holders;
  jobs_listed_.clear();
  jobs_running_.reset();
}

bool DriverSide::is_of_another_context(const SparkJobs& list) const {
  return std::ranges::any_of(list.jobs, [this](const SparkJob& job) {
    return is_numbered_anew(jobs_, job.job_id, job.submitted, newest_job_);
  });
}

void DriverSide::set_jobs(std::string target_key, const SparkJobs& list) {
  forget_jobs();
  if (is_of_another_context(list)) jobs_.begin_again();
  jobs_target_ = std::move(target_key);
  jobs_told_ = true;
  double running = 0;
  for (const SparkJob& job : list.jobs) {
    running += job.status == JobStatus::kRunning ? 1 : 0;
    Jobs::Entry* const entry = jobs_.find_or_make(job.job_id);
    if (entry == nullptr) continue;
    if (job.status == JobStatus::kSucceeded) Jobs::raise(entry->counters[kSucceeded], 1);
    if (job.status == JobStatus::kFailed) Jobs::raise(entry->counters[kFailed], 1);
    if (job.submitted.ms != 0) entry->detail.submitted = job.submitted;
    newest_job_ = std::max(newest_job_, job.submitted);
    ++entry->holders;
    jobs_listed_.push_back(entry);
  }
  jobs_running_ = running;
  jobs_.trim();
}

bool DriverSide::set_about(const SparkAbout& about) {
  if (about.app_name == about_.app_name && about.spark_version == about_.spark_version) return false;
  about_ = about;
  return true;
}

void DriverSide::drop(const std::string& target_key) {
  if (target_key == jobs_target_) jobs_running_.reset();
}

void DriverSide::begin_registry_again() {
  for (std::size_t i = 0; i < kDriverMeasures; ++i) {
    if (is_counter(static_cast<Measure>(i + static_cast<std::size_t>(Measure::kDriverTargetExecutors))))
      before_[i] += highest_[i];
    highest_[i] = 0;
  }
  now_ = DriverNow{};
}

void DriverSide::begin_again() {
  begin_registry_again();
  forget_jobs();
  jobs_.begin_again();
  settings_.reset();
  about_ = {};
}

void DriverSide::write(Numbers& numbers) const {
  for (const auto& [measure, column] : kShown) {
    const std::size_t i = driver_place(measure);
    if (!is_counter(measure)) {
      if (now_.value[i]) numbers.set(column, *now_.value[i]);
    } else if (told_[i]) {
      numbers.set(column, std::max(numbers.value[place(column)], before_[i] + highest_[i]));
    }
  }
  write_jobs(numbers);
}

void DriverSide::write_jobs(Numbers& numbers) const {
  if (now_.of(Measure::kDriverActiveJobs)) {
    numbers.set(Column::kJobsActive, *now_.of(Measure::kDriverActiveJobs));
  } else if (jobs_running_) {
    numbers.set(Column::kJobsActive, *jobs_running_);
  }
  if (!jobs_told_) return;
  const auto raise = [&numbers](Column column, double total) {
    numbers.set(column, std::max(numbers.value[place(column)], total));
  };
  const std::array<double, 2> ended = jobs_.totals();
  raise(Column::kJobsSucceeded, ended[kSucceeded]);
  raise(Column::kJobsFailed, ended[kFailed]);
}

void DriverSide::write_facts(SparkAppFacts& facts) const {
  facts.settings = settings_;
  facts.app_name = about_.app_name;
  facts.spark_version = about_.spark_version;
}

}  // namespace flintgauge::spark
