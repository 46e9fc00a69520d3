#include "agent/io/demo_spark_app.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace flintgauge::demo {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kGiB = 1024.0 * kMiB;
constexpr std::int64_t kStartMs = 6'000;    // from the creation of a pod to its registration
constexpr std::int64_t kGoneMs = 90'000;    // a dead executor's pod is garbage collected
constexpr std::int64_t kLeakMs = 20'000;    // memory grows so long before the kernel kills
constexpr std::size_t kStagesKept = 1'000;  // spark.ui.retainedStages
constexpr double kTaskInputBytes = 24 * kMiB;
constexpr double kTaskShuffleBytes = 6 * kMiB;

std::string image() { return "registry.example/spark:3.5.1"; }

std::vector<std::pair<std::string, std::string>> labels_of(const Profile& profile, const std::string& app_id,
                                                           const std::string& role) {
  return {{"spark-app-name", std::string(profile.name)},
          {"spark-app-selector", app_id},
          {"spark-role", role},
          {"spark-version", "3.5.1"}};
}

/// A peak that nobody has told yet is not a number.
void raise_peak(double& peak, double value) { peak = std::fmax(peak, std::floor(value)); }

bool has_room(const Executor& executor) {
  return executor.is_registered && executor.facts.is_active &&
         static_cast<std::int64_t>(executor.running.size()) < executor.facts.max_tasks;
}

}  // namespace

SparkApp::SparkApp(const Profile& profile, std::uint64_t number, std::string driver_ip, WallTime start)
    : now_(start),
      profile_(profile),
      number_(number),
      app_id_("spark-" + hex_id(profile.name, number, 32)),
      driver_(make_pod(std::string(profile.namespace_name), std::string(profile.name) + "-driver", number,
                       start)) {
  driver_.labels = labels_of(profile_, app_id_, "driver");
  driver_.container = "spark-kubernetes-driver";
  driver_.image = image();
  driver_.ip = std::move(driver_ip);
  driver_.cpu_request_millicores = driver_.cpu_limit_millicores = 1'000;
  driver_.memory_limit_bytes = 1.5 * kGiB;
  driver_.working_set_bytes = 0.9 * kGiB;
  driver_.cache_bytes = 40 * kMiB;
  next_job_ = {start.ms + kStartMs};
  next_kill_ = {start.ms + static_cast<std::int64_t>(profile_.kill_every_seconds * 1e3)};
  for (int i = 0; i < profile_.executors; ++i) add_executor(start);
}

void SparkApp::add_executor(WallTime now) {
  Executor& executor = executors_.emplace_back();
  const int id = next_executor_++;
  executor.facts.id = std::to_string(id);
  executor.facts.max_tasks = executor.facts.total_cores = profile_.slots;
  executor.facts.duration_seconds = 0;
  executor.facts.max_memory_bytes = std::floor(1.6 * kGiB);
  executor.facts.memory_used_bytes =
      std::floor(24 * kMiB * (1 + noise(number_ * 7 + static_cast<std::uint64_t>(id))));
  executor.pod = make_pod(std::string(profile_.namespace_name),
                          std::string(profile_.name) + "-exec-" + std::to_string(id), number_, now);
  DemoPod& pod = executor.pod;
  pod.labels = labels_of(profile_, app_id_, "executor");
  pod.labels.emplace_back("spark-exec-id", executor.facts.id);
  pod.container = "spark-kubernetes-executor";
  pod.image = image();
  pod.ip = "127.65." + std::to_string(number_) + '.' + std::to_string(id % 250 + 1);
  pod.phase = Phase::kPending;
  pod.cpu_request_millicores = std::int64_t{1'000} * profile_.slots;
  pod.cpu_limit_millicores = pod.cpu_request_millicores;
  pod.memory_limit_bytes = profile_.memory_limit_bytes;
}

void SparkApp::register_pending(WallTime now) {
  for (Executor& executor : executors_) {
    if (executor.is_registered || !executor.facts.is_active || now.ms - executor.pod.created.ms < kStartMs)
      continue;
    executor.is_registered = true;
    executor.added = executor.pod.started = now;
    executor.pod.phase = Phase::kRunning;
  }
}

/// The oldest executor dies of its memory; what it ran is lost and is launched again; a new one is asked for.
void SparkApp::kill_one(WallTime now) {
  if (profile_.kill_every_seconds <= 0 || now < next_kill_) return;
  next_kill_ = {now.ms + static_cast<std::int64_t>(profile_.kill_every_seconds * 1e3)};
  const auto victim = std::find_if(executors_.begin(), executors_.end(), [](const Executor& executor) {
    return executor.is_registered && executor.facts.is_active;
  });
  if (victim == executors_.end()) return;
  for (const Task& task : victim->running) {
    SparkStage& stage = stages_[task.stage].facts;
    --stage.tasks_active;
    ++stage.tasks_failed;
    --stages_[task.stage].launched;
  }
  victim->running.clear();
  victim->facts.active_tasks = 0;
  victim->facts.is_active = false;
  victim->facts.remove_reason = "The executor with id " + victim->facts.id +
                                " exited with exit code 137(SIGKILL, possible container OOM).";
  victim->removed = victim->pod.finished = now;
  victim->pod.phase = Phase::kFailed;
  victim->pod.end_reason = "OOMKilled";
  victim->pod.exit_code = 137;
  add_executor(now);
}

void SparkApp::forget_old(WallTime now) {
  std::erase_if(executors_, [now](const Executor& executor) {
    return !executor.facts.is_active && now.ms - executor.removed.ms > kGoneMs;
  });
  const bool is_idle = !job_is_active_;  // no task holds an index into the stages
  if (is_idle && stages_.size() > kStagesKept)
    stages_.erase(stages_.begin(), stages_.end() - static_cast<std::ptrdiff_t>(kStagesKept));
}

void SparkApp::start_job(WallTime now) {
  if (job_is_active_ || now < next_job_ || profile_.stage_tasks.empty()) return;
  job_is_active_ = true;
  stage_of_job_ = 0;
  start_stage(now);
}

void SparkApp::start_stage(WallTime now) {
  Stage& stage = stages_.emplace_back();
  const bool is_last = stage_of_job_ + 1 == profile_.stage_tasks.size();
  stage.facts.stage_id = stages_.size() < 2 ? 0 : stages_[stages_.size() - 2].facts.stage_id + 1;
  stage.facts.status = StageStatus::kActive;
  stage.facts.tasks = profile_.stage_tasks[stage_of_job_];
  stage.task_seconds = profile_.task_seconds;
  stage.longest_task_seconds = is_last ? profile_.longest_task_seconds : 0;
  stage.reads_input = stage_of_job_ == 0;
  stage.submitted = now;
}

void SparkApp::finish_tasks(Executor& executor, double seconds) {
  for (std::size_t i = 0; i < executor.running.size();) {
    Task& task = executor.running[i];
    task.left_seconds -= seconds;
    if (task.left_seconds > 0) {
      ++i;
      continue;
    }
    finish_task(executor, task);
    executor.running.erase(executor.running.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void SparkApp::finish_task(Executor& executor, const Task& task) {
  Stage& stage = stages_[task.stage];
  SparkStage& facts = stage.facts;
  --facts.tasks_active;
  ++facts.tasks_complete;
  const double gc_seconds = task.duration_seconds * 0.03;
  facts.executor_run_seconds += task.duration_seconds;
  facts.executor_cpu_seconds += task.duration_seconds * 0.82;
  facts.gc_seconds += gc_seconds;
  const double skew = task.duration_seconds / stage.task_seconds;  // a long task is one with much data
  const double input = stage.reads_input ? std::floor(kTaskInputBytes * skew) : 0;
  const double shuffle_read = stage.reads_input ? 0 : std::floor(kTaskShuffleBytes * skew);
  facts.input_bytes += input;
  facts.input_records += std::floor(input / 200);
  facts.shuffle_read_bytes += shuffle_read;
  facts.shuffle_fetch_wait_seconds += shuffle_read > 0 ? task.duration_seconds * 0.06 : 0;
  facts.shuffle_write_bytes += std::floor(kTaskShuffleBytes);
  facts.output_bytes += stage.reads_input ? 0 : std::floor(shuffle_read / 3);
  facts.output_records += stage.reads_input ? 0 : std::floor(shuffle_read / 600);
  const double spilled = std::floor(profile_.spill_bytes * std::max(0.0, skew - 1.5));
  facts.memory_spilled_bytes += spilled;
  facts.disk_spilled_bytes += std::floor(spilled / 4);
  executor.facts.tasks_completed += 1;
  executor.facts.duration_seconds += task.duration_seconds;
  executor.facts.gc_seconds += gc_seconds;
  executor.facts.input_bytes += input;
  executor.facts.shuffle_read_bytes += shuffle_read;
  executor.facts.shuffle_write_bytes += std::floor(kTaskShuffleBytes);
  executor.pod.transfer(input + shuffle_read, shuffle_read * 0.9);
  executor.pod.read_bytes += shuffle_read;
  executor.pod.written_bytes += std::floor(kTaskShuffleBytes) + std::floor(spilled / 4);
  executor.pod.disk_bytes = std::min(20 * kGiB, executor.pod.disk_bytes + kTaskShuffleBytes / 20);
}

void SparkApp::launch_tasks(Executor& executor) {
  if (stages_.empty() || !job_is_active_) return;
  const std::size_t last = stages_.size() - 1;
  Stage& stage = stages_[last];
  while (has_room(executor) && stage.launched < stage.facts.tasks) {
    const bool is_longest = stage.longest_task_seconds > 0 && stage.launched == 0;
    const double spread = 0.6 + 0.8 * noise(number_ * 1'000'003 + tasks_made_++);
    const double seconds = is_longest ? stage.longest_task_seconds : stage.task_seconds * spread;
    executor.running.push_back({.stage = last, .left_seconds = seconds, .duration_seconds = seconds});
    ++stage.launched;
    ++stage.facts.tasks_active;
  }
}

void SparkApp::complete_stages(WallTime now) {
  if (!job_is_active_) return;
  Stage& stage = stages_.back();
  if (stage.facts.tasks_complete < stage.facts.tasks) return;
  stage.facts.status = StageStatus::kComplete;
  stage.completed = now;
  if (++stage_of_job_ < profile_.stage_tasks.size()) return start_stage(now);
  job_is_active_ = false;
  ++jobs_done_;
  next_job_ = {now.ms + static_cast<std::int64_t>(profile_.pause_seconds * 1e3)};
}

/// What the container of an executor uses: a core for each task, heap that grows with them.
void SparkApp::measure(Executor& executor, double seconds) const {
  if (!executor.is_registered || !executor.facts.is_active) return;
  DemoPod& pod = executor.pod;
  const auto tasks = static_cast<double>(executor.running.size());
  const double busy = tasks * (0.85 + 0.3 * noise(tasks_made_ + number_));
  pod.use_cpu(0.02 + busy, seconds);
  pod.transfer(2'000 * seconds, 3'000 * seconds);  // heartbeats
  const double wanted = 1.1 * kGiB + tasks * 0.3 * kGiB;
  pod.working_set_bytes += (wanted - pod.working_set_bytes) * std::min(1.0, seconds / 8);
  pod.cache_bytes = std::min(0.4 * kGiB, pod.cache_bytes + tasks * 0.5 * kMiB * seconds);
  raise_peak(executor.facts.peak_jvm_heap_bytes, 0.62 * pod.working_set_bytes);
  raise_peak(executor.facts.peak_on_heap_unified_bytes, 0.3 * pod.working_set_bytes);
  raise_peak(executor.facts.peak_jvm_off_heap_bytes, 0.06 * pod.working_set_bytes);
  raise_peak(executor.facts.peak_process_tree_python_rss_bytes, 0.08 * pod.working_set_bytes);
}

void SparkApp::step(WallTime now, double seconds) {
  now_ = now;
  register_pending(now);
  kill_one(now);
  start_job(now);
  bool leaks = profile_.kill_every_seconds > 0 && next_kill_.ms - now.ms < kLeakMs;
  for (Executor& executor : executors_) {
    finish_tasks(executor, seconds);
    launch_tasks(executor);
    measure(executor, seconds);
    executor.facts.active_tasks = static_cast<std::int64_t>(executor.running.size());
    if (leaks && executor.is_registered && executor.facts.is_active) {
      const double left = static_cast<double>(std::max<std::int64_t>(next_kill_.ms - now.ms, 1)) / 1e3;
      executor.pod.working_set_bytes +=
          (executor.pod.memory_limit_bytes * 0.98 - executor.pod.working_set_bytes) *
          std::min(1.0, seconds / left);
      leaks = false;  // only the next victim: the oldest
    }
  }
  complete_stages(now);
  forget_old(now);
  driver_.use_cpu(0.05 + 0.15 * static_cast<double>(job_is_active_), seconds);
  driver_.transfer(8'000 * seconds, 20'000 * seconds);
  driver_.working_set_bytes =
      0.9 * kGiB + 0.1 * kGiB * std::sin(static_cast<double>(now.ms % 600'000) / 95'493.0);
}

std::int64_t SparkApp::needed_executors() const {
  if (!job_is_active_) return 0;
  const SparkStage& stage = stages_.back().facts;
  return (stage.tasks - stage.tasks_complete + profile_.slots - 1) / profile_.slots;
}

}  // namespace flintgauge::demo
