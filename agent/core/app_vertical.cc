#include "agent/core/app_vertical.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "flintgauge/pod.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kForgetMs = 15LL * 60 * 1000;
constexpr std::int64_t kCpuSampleMs = 60'000;              // a Vertical Pod Autoscaler samples once a minute
constexpr double kDefaultHeapBytes = 1024 * kBytesPerMiB;  // spark.executor.memory is 1g
constexpr double kFactor = 0.1;                            // spark.kubernetes.memoryOverheadFactor
constexpr int kHeapExit = 52, kKilledExit = 137;           // SparkExitCode.OOM, SIGKILL

double told(double value) { return std::isfinite(value) && value > 0 ? value : 0; }

std::int64_t mib(double bytes) { return static_cast<std::int64_t>(bytes / kBytesPerMiB); }

std::int64_t profile_of(const Pod& pod) {
  const std::string_view text = pod.label("spark-exec-resourceprofile-id");
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc{} && end == text.data() + text.size() ? id : 0;
}

const SparkProfile* find_profile(const SparkSettings& settings, std::int64_t id) {
  const auto found = std::ranges::find(settings.profiles, id, &SparkProfile::id);
  return found == settings.profiles.end() ? nullptr : &*found;
}

/// What a profile says, else what the settings say.
std::optional<double> either(const SparkProfile* profile, std::optional<double> SparkProfile::*of_profile,
                             const std::optional<double>& of_settings) {
  if (profile != nullptr && profile->*of_profile) return profile->*of_profile;
  return of_settings;
}

VerticalInput shape_of_settings(const SparkSettings& settings, std::int64_t id) {
  const SparkProfile* profile = id == 0 ? nullptr : find_profile(settings, id);
  ExecutorMemory memory;
  const auto heap = either(profile, &SparkProfile::executor_memory_bytes, settings.executor_memory_bytes);
  memory.heap_mib = mib(heap.value_or(kDefaultHeapBytes));
  if (const auto set = either(profile, &SparkProfile::memory_overhead_bytes, settings.memory_overhead_bytes))
    memory.overhead_mib = mib(*set);
  memory.overhead_factor = settings.memory_overhead_factor.value_or(kFactor);
  if (settings.min_memory_overhead_bytes)
    memory.least_overhead_mib = mib(*settings.min_memory_overhead_bytes);
  const bool has_offheap = settings.offheap_enabled.value_or(false);
  const auto offheap = either(profile, &SparkProfile::offheap_bytes, settings.offheap_bytes);
  const auto cores = either(profile, &SparkProfile::executor_cores, settings.executor_cores);

  VerticalInput shape;
  shape.heap_bytes = static_cast<double>(memory.heap_mib) * kBytesPerMiB;
  shape.overhead_bytes = static_cast<double>(overhead_mib(memory)) * kBytesPerMiB;
  shape.offheap_bytes = has_offheap ? offheap.value_or(0) : 0;
  shape.pyspark_bytes =
      either(profile, &SparkProfile::pyspark_memory_bytes, settings.pyspark_memory_bytes).value_or(0);
  shape.memory_fraction = settings.memory_fraction.value_or(shape.memory_fraction);
  shape.request_cores = settings.request_cores.value_or(cores.value_or(1));
  return shape;
}

/// What the runs of the job have shown.
void take_record(const JobRecord& record, WallTime at, VerticalInput& in) {
  in.heap = spread_of(record.heap);
  in.unified = spread_of(record.unified);
  in.non_heap = spread_of(record.non_heap);
  in.python = spread_of(record.python);
  in.container = spread_of(record.container);
  in.cpu_cores = spread_of(record.cpu_cores);
  in.gc_ratio = record.gc.value();
  in.heap_floor_bytes = record.heap_floor.value(at);
  in.overhead_floor_bytes = record.overhead_floor.value(at);
  in.runs = static_cast<double>(record.runs);
  in.executors = static_cast<double>(record.executors);
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

AppVertical::Live* AppVertical::live_of(const AppKey& app, std::string_view executor_id, JobRecord& record,
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
  at->second.used = now.steady;
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
    if (who.app_id.empty() || who.role != Role::kExecutor || who.executor_id.empty()) continue;
    entry.app = {std::string(who.namespace_name), std::string(who.app_id)};
    entry.executor_id = who.executor_id;
    // The driver's word counts where it is known, so that both sources write into one record.
    const App* app = apps.find(entry.app);
    const std::string_view job = app != nullptr && !app->job_name.empty() ? app->job_name : who.job_name;
    if (job.empty()) continue;
    entry.job = {entry.app.namespace_name, std::string(job), Role::kExecutor, profile_of(pod)};
    entry.is_executor = true;
    const Oom oom = oom_of(pod);
    if (oom == Oom::kNone) continue;
    JobRecord& record = history_.use(entry.job, time_of(now));
    if (Live* live = live_of(entry.app, entry.executor_id, record, now))
      note_oom(oom, shape_of(pod), apps_[entry.app], *live, record, time_of(now));
  }
}

void AppVertical::sample_usage(const Block& kubelet, const Now& now) {
  const WallTime at = time_of(now);
  for (const ExecutorUsage& usage : kubelet.executor_usage) {
    if (usage.pod >= entries_.size() || !entries_[usage.pod].is_executor) continue;
    const PodEntry& entry = entries_[usage.pod];
    JobRecord& record = history_.use(entry.job, at);
    Live* live = live_of(entry.app, entry.executor_id, record, now);
    if (live != nullptr) sample_container(usage, *live, record, at);
  }
}

void AppVertical::sample_container(const ExecutorUsage& usage, Live& live, JobRecord& record, WallTime at) {
  // Page cache is given back under pressure, so resident memory is what kills; the working set has some.
  const double resident = told(usage.memory_rss_bytes);
  const double bytes = resident > 0 ? resident : told(usage.memory_working_set_bytes);
  if (bytes > 0) {
    live.container.add(bytes, at, record.container);
    live.container_bytes = std::max(live.container_bytes, bytes);
  }
  if (!std::isfinite(usage.cpu_seconds)) return;
  const std::int64_t ms = usage.cpu_at_ms - live.cpu_at_ms;
  if (live.cpu_at_ms != 0 && ms < kCpuSampleMs) return;
  if (live.cpu_at_ms != 0 && usage.cpu_seconds >= live.cpu_seconds) {
    const double cores = (usage.cpu_seconds - live.cpu_seconds) / (static_cast<double>(ms) / 1000);
    record.cpu_cores.add(cores, kVpaCpuWeight, at);
  }
  live.cpu_seconds = usage.cpu_seconds;
  live.cpu_at_ms = usage.cpu_at_ms;
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
      Live* live = live_of(facts.app, executor.id, record, now);
      if (live != nullptr) sample_executor(executor, *live, record, at);
      continue;
    }
    const Oom oom = oom_of(executor.remove_reason);
    const auto known = memory.executors.find(executor.id);  // one never seen alive ended before we came
    if (oom == Oom::kNone || known == memory.executors.end()) continue;
    known->second.used = now.steady;  // while the driver tells of it, it is not to be counted again
    note_oom(oom, shape_of(facts, executor.resource_profile_id), memory, known->second, history_.use(job, at),
             at);
  }
  if (!facts.profiles.empty()) memory.profile = facts.profiles.front().id;
  sample_totals(facts, app, memory, now);
}

void AppVertical::sample_executor(const ExecutorFacts& executor, Live& live, JobRecord& record, WallTime at) {
  const double heap = told(executor.peak_jvm_heap_bytes);
  const double unified = told(executor.peak_on_heap_unified_bytes);
  const double python = told(executor.peak_process_tree_python_rss_bytes);
  if (heap <= 0) return;  // before its first heartbeat
  live.heap.add(heap, at, record.heap);
  if (unified > 0) live.unified.add(unified, at, record.unified);
  if (python > 0) live.python.add(python, at, record.python);
  const double jvm = told(executor.peak_jvm_off_heap_bytes) + told(executor.peak_direct_pool_bytes) +
                     told(executor.peak_mapped_pool_bytes);
  const double tree = told(executor.peak_process_tree_jvm_rss_bytes);
  const double seen = live.container_bytes > 0 ? live.container_bytes - python : tree;
  const double rest = seen - heap - told(executor.peak_off_heap_unified_bytes);
  const double non_heap = std::max(rest, jvm);
  if (non_heap > 0) live.non_heap.add(non_heap, at, record.non_heap);
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

void AppVertical::note_oom(Oom kind, const VerticalInput& shape, AppMemory& memory, Live& live,
                           JobRecord& record, WallTime at) {
  if (live.ran_out || shape.heap_bytes <= 0) return;
  live.ran_out = true;
  (kind == Oom::kHeap ? memory.heap_ooms : memory.container_ooms) += 1;
  if (kind == Oom::kHeap) {
    record.heap_floor.raise(oom_floor_bytes(shape.heap_bytes), at);
    return;
  }
  const double limit = shape.heap_bytes + shape.overhead_bytes + shape.offheap_bytes + shape.pyspark_bytes;
  record.overhead_floor.raise(shape.overhead_bytes + oom_floor_bytes(limit) - limit, at);
}

VerticalInput AppVertical::shape_of(const SparkAppFacts& facts, std::int64_t profile) const {
  if (facts.settings != nullptr) return shape_of_settings(*facts.settings, profile);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const PodEntry& entry = entries_[i];
    if (entry.is_executor && entry.app == facts.app && entry.job.resource_profile_id == profile)
      return shape_of(pods_->pods[i]);
  }
  return {};
}

/// Without the driver's settings: the pod's request, taken apart as Spark put it together for a JVM
/// application.
VerticalInput AppVertical::shape_of(const Pod& pod) {
  VerticalInput shape;
  const Resources requests = effective_requests(pod);
  if (!requests.memory_bytes) return shape;
  const auto request = *requests.memory_bytes / static_cast<std::int64_t>(kBytesPerMiB);
  const std::int64_t heap = heap_of_request_mib(request, kFactor);
  shape.heap_bytes = static_cast<double>(heap) * kBytesPerMiB;
  shape.overhead_bytes = static_cast<double>(request - heap) * kBytesPerMiB;
  if (requests.cpu_millicores) shape.request_cores = static_cast<double>(*requests.cpu_millicores) / 1000;
  return shape;
}

AppVertical::Oom AppVertical::oom_of(const Pod& pod) {
  Oom found = Oom::kNone;
  for (const Container& container : pod.containers) {
    if (container.kind != ContainerKind::kRegular) continue;
    for (const auto& end : {container.terminated, container.last_terminated}) {
      if (!end) continue;
      if (end->reason == "OOMKilled") return Oom::kContainer;
      if (end->exit_code == kHeapExit) found = Oom::kHeap;
    }
  }
  return found;
}

/// "... exited with exit code 52(JVM OOM).", "... exit code 137(SIGKILL, possible container OOM)."
AppVertical::Oom AppVertical::oom_of(std::string_view remove_reason) {
  constexpr std::string_view kWords = "exit code ";
  const std::size_t at = remove_reason.find(kWords);
  if (at == std::string_view::npos) return Oom::kNone;
  const std::string_view text = remove_reason.substr(at + kWords.size());
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  if (code == kHeapExit) return Oom::kHeap;
  return code == kKilledExit && text.find("OOM") != std::string_view::npos ? Oom::kContainer : Oom::kNone;
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
    const std::int64_t profile = memory->second.profile;
    const JobRecord* record =
        history_.find({facts.app.namespace_name, app->job_name, Role::kExecutor, profile});
    if (record == nullptr) continue;

    AppVerticalHint hint;
    hint.app = facts.app;
    hint.job_name = app->job_name;
    hint.resource_profile_id = profile;
    hint.age_seconds = static_cast<double>(std::max<std::int64_t>(age_ms, 0)) / 1000;
    hint.input = shape_of(facts, profile);
    take_record(*record, at, hint.input);
    hint.hint = vertical_hint(hint.input);
    hint.heap_ooms = memory->second.heap_ooms;
    hint.container_ooms = memory->second.container_ooms;
    if (memory->second.slot_seconds > 0) {
      hint.task_cpu_seconds = memory->second.cpu_spent;
      hint.slot_seconds = memory->second.slot_seconds;
      hint.slot_efficiency = hint.task_cpu_seconds / hint.slot_seconds;
    }
    if (hint.hint.has_memory || hint.hint.has_cpu) out.push_back(std::move(hint));
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
  const auto is_over = [now](const auto& entry) { return elapsed_ms(entry.second.used, now) > kForgetMs; };
  std::erase_if(apps_, is_over);
  for (auto& [app, memory] : apps_) std::erase_if(memory.executors, is_over);
}

}  // namespace flintgauge
