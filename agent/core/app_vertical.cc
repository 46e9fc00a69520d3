#include "agent/core/app_vertical.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "flintgauge/pod.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 15LL * 60 * 1000;
constexpr std::string_view kDriverId = "driver";  // SparkContext.DRIVER_IDENTIFIER; executors have numbers

double told(double value) { return std::isfinite(value) && value > 0 ? value : 0; }

std::int64_t profile_of(const Pod& pod) {
  const std::string_view text = pod.label("spark-exec-resourceprofile-id");
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

}  // namespace

AppVertical::AppVertical(const EvaluateSettings& settings, const Now& started)
    : settings_(settings), base_(started) {}

void AppVertical::restart_clock(const Now& now) {
  base_ = now;
  base_.wall = std::max(base_.wall, history_.newest());
}

void AppVertical::sample(const Block* kubelet, const Block* spark, const AppTable& apps, const Now& now) {
  if (kubelet != nullptr && kubelet->version != kubelet_version_) {
    kubelet_version_ = kubelet->version;
    if (kubelet->pods != pods_) read_pods(*kubelet, apps, now);
    sample_usage(*kubelet, now);
  }
  if (spark != nullptr) {
    for (const SparkAppFacts& facts : spark->spark_apps) {
      const App* app = apps.find(facts.app);
      if (app != nullptr && !app->job_name.empty() && facts.has_executors) sample_app(facts, *app, now);
    }
  }
  forget(now.steady);
}

LiveMemory* AppVertical::live_of(const AppKey& app, std::string_view executor_id, JobRecord& record,
                                 const Now& now) {
  AppMemory& memory = apps_[app];
  memory.used = now.steady;
  auto at = memory.executors.find(executor_id);
  if (at == memory.executors.end()) {
    if (memory.executors.size() >= kMaxExecutors) {
      ++left_out_;
      return nullptr;
    }
    at = memory.executors.try_emplace(std::string(executor_id)).first;
    record.note_run(app.app_id);
    ++record.executors;
  }
  at->second.note_use(now.steady);
  return &at->second;
}

/// Who the executors' pods are, and which of them ran out of memory.
void AppVertical::read_pods(const Block& kubelet, const AppTable& apps, const Now& now) {
  pods_ = kubelet.pods;
  entries_.clear();
  if (pods_ == nullptr) return;
  entries_.reserve(pods_->pods.size());
  for (const Pod& pod : pods_->pods) {
    PodEntry& entry = entries_.emplace_back();
    const PodIdentity who = identify(pod);
    const bool is_driver = who.role == Role::kDriver;
    if (who.app_id.empty() || (!is_driver && (who.role != Role::kExecutor || who.executor_id.empty())))
      continue;
    entry.app = {std::string(who.namespace_name), std::string(who.app_id)};
    entry.executor_id = is_driver ? kDriverId : who.executor_id;
    // The driver's word counts where it is known, so that both sources write into one record.
    const App* app = apps.find(entry.app);
    const std::string_view job = app != nullptr && !app->job_name.empty() ? app->job_name : who.job_name;
    if (job.empty()) continue;
    entry.job = {entry.app.namespace_name, std::string(job), who.role, is_driver ? 0 : profile_of(pod)};
    entry.is_known = true;
    const Oom oom = oom_of(pod);
    if (oom == Oom::kNone) continue;
    JobRecord& record = history_.use(entry.job, time_of(now));
    LiveMemory* live = live_of(entry.app, entry.executor_id, record, now);
    const VerticalInput shape = shape_of_pod(pod);
    if (live == nullptr || !live->run_out(shape)) continue;
    raise_floor(oom, shape, record, time_of(now));
    if (!is_driver) count_oom(oom, apps_[entry.app]);
  }
}

void AppVertical::sample_usage(const Block& kubelet, const Now& now) {
  const WallTime at = time_of(now);
  for (const SparkUsage& usage : kubelet.spark_usage) {
    if (usage.pod >= entries_.size() || !entries_[usage.pod].is_known) continue;
    const PodEntry& entry = entries_[usage.pod];
    JobRecord& record = history_.use(entry.job, at);
    LiveMemory* live = live_of(entry.app, entry.executor_id, record, now);
    if (live != nullptr) live->take(usage, record, at);
  }
}

void AppVertical::sample_app(const SparkAppFacts& facts, const App& app, const Now& now) {
  AppMemory& memory = apps_[facts.app];
  memory.used = now.steady;
  if (memory.executors_at == facts.executors_at) return;
  memory.executors_at = facts.executors_at;
  const WallTime at = time_of(now);
  for (const ExecutorFacts& executor : facts.executor_list) {
    const JobKey job{facts.app.namespace_name, app.job_name, Role::kExecutor, executor.resource_profile_id};
    if (executor.is_active) {
      JobRecord& record = history_.use(job, at);
      LiveMemory* live = live_of(facts.app, executor.id, record, now);
      if (live != nullptr) live->take(executor, record, at);
      continue;
    }
    const Oom oom = oom_of(executor.remove_reason);
    const auto known = memory.executors.find(executor.id);  // one never seen alive ended before we came
    if (oom == Oom::kNone || known == memory.executors.end()) continue;
    known->second.note_use(now.steady);  // while the driver tells of it, it is not to be counted again
    const VerticalInput shape = shape_of(facts, Role::kExecutor, executor.resource_profile_id);
    if (!known->second.run_out(shape)) continue;
    raise_floor(oom, shape, history_.use(job, at), at);
    count_oom(oom, memory);
  }
  sample_driver(facts, app, now);
  if (!facts.profiles.empty()) memory.profile = facts.profiles.front().id;
  sample_totals(facts, app, memory, now);
}

void AppVertical::sample_driver(const SparkAppFacts& facts, const App& app, const Now& now) {
  if (!facts.has_driver) return;
  JobRecord& record = history_.use({facts.app.namespace_name, app.job_name, Role::kDriver, 0}, time_of(now));
  LiveMemory* live = live_of(facts.app, kDriverId, record, now);
  if (live != nullptr) live->take(facts.driver, record, time_of(now));
}

/// Collection time against task time, and the task's CPU time against the slots there were.
void AppVertical::sample_totals(const SparkAppFacts& facts, const App& app, AppMemory& memory,
                                const Now& now) {
  if (std::isnan(facts.stage_totals[Measure::kExecutorRunSeconds]))
    return;  // what is told later is no increase
  const double gc = told(facts.stage_totals[Measure::kExecutorGcSeconds]);
  const double run = told(facts.stage_totals[Measure::kExecutorRunSeconds]);
  const double cpu = told(facts.stage_totals[Measure::kExecutorCpuSeconds]);
  if (memory.has_totals) {
    const double more_run = run - memory.run_seconds;
    if (more_run > 0) {
      for (const ProfileFacts& profile : facts.profiles) {
        if (profile.executors <= 0) continue;
        history_.use({facts.app.namespace_name, app.job_name, Role::kExecutor, profile.id}, time_of(now))
            .gc.add(std::max(gc - memory.gc_seconds, 0.0), more_run, time_of(now));
      }
    }
    memory.cpu_spent += std::max(cpu - memory.cpu_seconds, 0.0);
    memory.slot_seconds += told(facts.slots) * static_cast<double>(elapsed_ms(memory.at, now.steady)) / 1000;
  }
  memory.gc_seconds = gc;
  memory.run_seconds = run;
  memory.cpu_seconds = cpu;
  memory.at = now.steady;
  memory.has_totals = true;
}

void AppVertical::count_oom(Oom kind, AppMemory& memory) {
  (kind == Oom::kHeap ? memory.heap_ooms : memory.container_ooms) += 1;
}

VerticalInput AppVertical::shape_of(const SparkAppFacts& facts, Role role, std::int64_t profile) const {
  if (facts.settings != nullptr)
    return role == Role::kDriver ? driver_shape(*facts.settings) : executor_shape(*facts.settings, profile);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const PodEntry& entry = entries_[i];
    if (entry.is_known && entry.app == facts.app && entry.job.role == role &&
        entry.job.resource_profile_id == profile)
      return shape_of_pod(pods_->pods[i]);
  }
  return {};
}

void AppVertical::size_executors(const SparkAppFacts& facts, const App& app, const AppMemory& memory,
                                 WallTime at, AppVerticalHint& out) const {
  out.resource_profile_id = memory.profile;
  out.heap_ooms = memory.heap_ooms;
  out.container_ooms = memory.container_ooms;
  if (memory.slot_seconds > 0) {
    out.task_cpu_seconds = memory.cpu_spent;
    out.slot_seconds = memory.slot_seconds;
    out.slot_efficiency = out.task_cpu_seconds / out.slot_seconds;
  }
  const JobRecord* record =
      history_.find({facts.app.namespace_name, app.job_name, Role::kExecutor, memory.profile});
  if (record == nullptr) return;
  out.input = shape_of(facts, Role::kExecutor, memory.profile);
  take_record(*record, at, out.input);
  out.hint = vertical_hint(out.input);
}

void AppVertical::size_driver(const SparkAppFacts& facts, const App& app, WallTime at,
                              AppVerticalHint& out) const {
  const JobRecord* record = history_.find({facts.app.namespace_name, app.job_name, Role::kDriver, 0});
  if (record == nullptr) return;
  DriverSize driver;
  driver.input = shape_of(facts, Role::kDriver, 0);
  driver.input.is_driver = true;
  take_record(*record, at, driver.input);
  driver.hint = vertical_hint(driver.input);
  if (driver.hint.has_memory || driver.hint.has_cpu) out.driver = driver;
}

void AppVertical::append(const Block* spark, const AppTable& apps, const Now& now,
                         std::vector<AppVerticalHint>& out) const {
  if (spark == nullptr) return;
  const WallTime at = time_of(now);
  for (const SparkAppFacts& facts : spark->spark_apps) {
    const App* app = apps.find(facts.app);
    const auto memory = apps_.find(facts.app);
    if (app == nullptr || memory == apps_.end() || !facts.has_executors) continue;
    const std::int64_t age_ms = elapsed_ms(facts.executors_at, now.steady);
    if (age_ms > settings_.hint_max_age_ms) continue;
    AppVerticalHint hint;
    hint.app = facts.app;
    hint.job_name = app->job_name;
    hint.age_seconds = static_cast<double>(std::max<std::int64_t>(age_ms, 0)) / 1000;
    size_executors(facts, *app, memory->second, at, hint);
    size_driver(facts, *app, at, hint);
    if (hint.hint.has_memory || hint.hint.has_cpu || hint.driver) out.push_back(std::move(hint));
  }
  std::ranges::sort(out, {}, &AppVerticalHint::app);
  const auto is_same = [](const AppVerticalHint& a, const AppVerticalHint& b) { return a.app == b.app; };
  out.erase(std::unique(out.begin(), out.end(), is_same), out.end());
}

void AppVertical::note_startup(const App& app, double startup_seconds, const Now& now) {
  if (app.job_name.empty()) return;
  history_.use({app.key.namespace_name, app.job_name, Role::kExecutor, 0}, time_of(now)).startup_seconds =
      startup_seconds;
}

void AppVertical::forget(SteadyTime now) {
  const auto is_over = [now](SteadyTime used) { return elapsed_ms(used, now) > kForgetMs; };
  std::erase_if(apps_, [&](const auto& entry) { return is_over(entry.second.used); });
  for (auto& [app, memory] : apps_)
    std::erase_if(memory.executors, [&](const auto& entry) { return is_over(entry.second.used()); });
}

}  // namespace flintgauge
