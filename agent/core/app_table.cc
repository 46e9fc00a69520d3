#include "agent/core/app_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace flintgauge {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Which member of a row a family feeds. `state`: only the series whose last label has this value.
struct Column {
  FamilyId family;
  std::string_view state;
  double AppRow::*member;
};
constexpr auto kColumns = std::to_array<Column>({
    {family("flintgauge_app_cpu_usage_seconds_total"), "", &AppRow::cpu_cores},
    {family("flintgauge_app_cpu_requests_cores"), "", &AppRow::cpu_requests_cores},
    {family("flintgauge_app_memory_working_set_bytes"), "", &AppRow::memory_working_set_bytes},
    {family("flintgauge_app_memory_limits_bytes"), "", &AppRow::memory_limits_bytes},
    {family("flintgauge_spark_tasks"), "active", &AppRow::tasks_active},
    {family("flintgauge_spark_tasks"), "pending", &AppRow::tasks_pending},
    {family("flintgauge_spark_tasks_failed_total"), "", &AppRow::tasks_failed},
});

/// Which member of a sample a family feeds. `label`: only the series that have this value, of their labels
/// after the application's key.
struct SampleColumn {
  FamilyId family;
  std::string_view label;
  double AppSample::*member;
};
constexpr auto kSampleColumns = std::to_array<SampleColumn>({
    {family("flintgauge_spark_jobs"), "active", &AppSample::active_jobs},
    {family("flintgauge_spark_stages"), "active", &AppSample::active_stages},
    {family("flintgauge_spark_executors"), "target", &AppSample::target_executors},
    {family("flintgauge_spark_executors"), "max_needed", &AppSample::max_needed},
    {family("flintgauge_spark_executors"), "to_add", &AppSample::executors_to_add},
    {family("flintgauge_spark_listener_bus_dropped_events_total"), "", &AppSample::dropped_events},
    {family("flintgauge_app_cpu_cfs_periods_total"), "executor", &AppSample::cfs_periods},
    {family("flintgauge_app_cpu_cfs_throttled_periods_total"), "executor", &AppSample::cfs_throttled_periods},
    {family("flintgauge_app_oom_kills_total"), "executor", &AppSample::oom_kills},
    {family("flintgauge_spark_executors_lost_total"), "oom", &AppSample::oom_executors},
    {family("flintgauge_spark_executors_lost_total"), "exited", &AppSample::exited_executors},
    {family("flintgauge_spark_executors_lost_total"), "unknown", &AppSample::exited_executors},
    {family("flintgauge_app_cpu_usage_seconds_total"), "driver", &AppSample::driver_cpu_seconds},
});

bool is_app_family(FamilyId id) {
  const Family& entry = info(id);
  return entry.labels[0] == "namespace" && entry.labels[1] == "app_id";
}

bool is_over(Phase phase) { return phase == Phase::kSucceeded || phase == Phase::kFailed; }

/// What pods say of their application in labels. They may disagree: the driver's word counts, then the least
/// in order, so that the answer does not depend on the order of the list.
struct Words {
  std::string name, job, version;
};

void take_least(std::string& field, std::string_view value) {
  if (!value.empty() && (field.empty() || value < field)) field = value;
}

WallTime start_of(const Pod& pod) {
  WallTime start;
  for (const Container& container : pod.containers) {
    if (container.state != ContainerState::kRunning || container.started_at.ms <= 0) continue;
    if (start.ms == 0 || container.started_at < start) start = container.started_at;
  }
  return start;
}

NodeResources requests_of(const Pod& pod) {
  const Resources requests = effective_requests(pod);
  return {static_cast<double>(requests.cpu_millicores.value_or(0)) / 1000,
          static_cast<double>(requests.memory_bytes.value_or(0)), 1};
}

void add(NodeResources& into, const NodeResources& more) {
  into.cpu_cores += more.cpu_cores;
  into.memory_bytes += more.memory_bytes;
  into.pods += more.pods;
}

void take_greatest(NodeResources& into, const NodeResources& other) {
  into.cpu_cores = std::max(into.cpu_cores, other.cpu_cores);
  into.memory_bytes = std::max(into.memory_bytes, other.memory_bytes);
  into.pods = std::max(into.pods, other.pods);
}

void count_executor(const Pod& pod, std::string_view executor_id, App& app) {
  if (is_over(pod.phase)) return;
  take_greatest(app.executor, requests_of(pod));
  if (!executor_id.empty() && pod.created_at.ms > 0) {
    app.executors_created.emplace_back(executor_id, pod.created_at);
  }
}

void count_pod(const Pod& pod, Role role, App& app) {
  if (pod.phase == Phase::kPending) ++app.pending_pods;
  if (role == Role::kExecutor) {
    if (pod.phase == Phase::kRunning) ++app.executor_pods;
    if (!is_over(pod.phase)) ++app.executor_pods_held;
    if (pod.phase == Phase::kPending) ++app.executor_pods_pending;
    return;
  }
  app.had_driver = true;
  if (!is_over(pod.phase)) ++app.driver_pods_held;
  if (pod.phase != Phase::kRunning) return;
  ++app.driver_pods;
  const WallTime start = start_of(pod);
  if (app.driver_started.ms == 0 || (start.ms > 0 && start < app.driver_started)) app.driver_started = start;
}

bool same_description(const App& a, const App& b) {
  return a.key == b.key && a.name == b.name && a.job_name == b.job_name && a.ended == b.ended &&
         a.spark_version == b.spark_version && a.operator_name == b.operator_name;
}

}  // namespace

void CounterRate::add(double value, SteadyTime at) {
  if (count_ > 0) {
    const Point& last = points_[count_ - 1];
    if (value == last.value || (value > last.value && elapsed_ms(last.at, at) < kApartMs)) return;
    // A counter that fell is another one; over a longer pause than the window nothing is known of the pace.
    if (value < last.value || elapsed_ms(last.at, at) > kWindowMs) count_ = 0;
  }
  // The oldest point goes once the next one spans the window.
  std::size_t over = 0;
  while (over + 1 < count_ && elapsed_ms(points_[over + 1].at, at) >= kWindowMs) ++over;
  for (std::size_t i = over; i < count_; ++i) points_[i - over] = points_[i];
  count_ -= over;
  points_[count_++] = {at, value};
}

double CounterRate::per_second(SteadyTime now, bool fresh) const {
  if (count_ == 0) return kUnknown;
  const Point& last = points_[count_ - 1];
  if (elapsed_ms(last.at, now) > kWindowMs) return fresh ? 0 : kUnknown;
  if (count_ < 2) return kUnknown;
  const double seconds = static_cast<double>(elapsed_ms(points_[0].at, last.at)) / 1000;
  return (last.value - points_[0].value) / seconds;
}

void AppTable::read_pods(const PodList& pods, Found& found) {
  std::map<AppKey, Words> by_driver;
  for (const Pod& pod : pods.pods) {
    const PodIdentity who = identify(pod);
    if (who.app_id.empty()) continue;
    const AppKey key{std::string(who.namespace_name), std::string(who.app_id)};
    App& app = found[key];
    app.key = key;
    count_pod(pod, who.role, app);
    if (who.role == Role::kExecutor) count_executor(pod, who.executor_id, app);
    if (who.operator_name != "none") take_least(app.operator_name, who.operator_name);
    take_least(app.name, who.app_name);
    take_least(app.job_name, who.job_name);
    take_least(app.spark_version, who.spark_version);
    if (who.role != Role::kDriver) continue;
    take_least(by_driver[key].name, who.app_name);
    take_least(by_driver[key].job, who.job_name);
    take_least(by_driver[key].version, who.spark_version);
  }
  for (auto& [key, app] : found) {
    if (app.operator_name.empty()) app.operator_name = "none";
    std::ranges::sort(app.executors_created);
    const auto words = by_driver.find(key);
    if (words == by_driver.end()) continue;
    if (!words->second.name.empty()) app.name = words->second.name;
    if (!words->second.job.empty()) app.job_name = words->second.job;
    if (!words->second.version.empty()) app.spark_version = words->second.version;
  }
}

void AppTable::count_requests(const PodList& pods) {
  requested_ = daemonsets_ = {};
  for (const Pod& pod : pods.pods) {
    if (is_over(pod.phase)) continue;
    const NodeResources requests = requests_of(pod);
    add(requested_, requests);
    if (pod.owner_kind == "DaemonSet") add(daemonsets_, requests);
  }
}

/// Adds the places of the series of known applications. An application whose pods are gone is kept while it
/// has series; one that never had a pod (the overflow of a budget) is none.
void AppTable::read_series(const Schema& schema, Shard shard, Found& found) const {
  App* app = nullptr;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (!is_app_family(schema.family(i))) continue;
    const auto labels = schema.labels(i);
    if (app == nullptr || app->key.namespace_name != labels[0] || app->key.app_id != labels[1]) {
      const AppKey key{std::string(labels[0]), std::string(labels[1])};
      auto at = found.find(key);
      if (at == found.end()) {
        const App* before = find(key);
        if (before == nullptr) continue;
        App gone = *before;
        gone.driver_pods = gone.executor_pods = gone.pending_pods = 0;
        gone.executor_pods_held = gone.driver_pods_held = 0;
        gone.executor_pods_pending = 0;
        gone.executor = {};
        gone.executors_created.clear();
        gone.driver_started = {};
        gone.places.clear();
        gone.sample_places.clear();
        at = found.emplace(key, std::move(gone)).first;
      }
      app = &at->second;
    }
    for (const Column& column : kColumns) {
      if (column.family != schema.family(i)) continue;
      if (!column.state.empty() && labels.back() != column.state) continue;
      app->places.push_back({column.member, shard, static_cast<std::uint32_t>(i)});
    }
    for (const SampleColumn& column : kSampleColumns) {
      if (column.family != schema.family(i)) continue;
      const auto own = labels.subspan(2);
      if (!column.label.empty() && std::ranges::find(own, column.label) == own.end()) continue;
      app->sample_places.push_back({column.member, shard, static_cast<std::uint32_t>(i)});
    }
  }
}

/// What a driver says of itself counts where its pods have no label for it.
void AppTable::read_facts(const std::vector<SparkAppFacts>& facts, Found& found) {
  for (const SparkAppFacts& driver : facts) {
    const auto at = found.find(driver.app);
    if (at == found.end()) continue;
    if (at->second.name.empty()) at->second.name = driver.app_name;
    if (at->second.spark_version.empty()) at->second.spark_version = driver.spark_version;
  }
}

bool AppTable::update(const Block* kubelet, const Block* spark) {
  const auto pods = kubelet != nullptr ? kubelet->pods : nullptr;
  const auto kubelet_schema = kubelet != nullptr ? kubelet->schema : nullptr;
  const auto spark_schema = spark != nullptr ? spark->schema : nullptr;
  if (pods == pods_ && kubelet_schema == kubelet_schema_ && spark_schema == spark_schema_) return false;

  Found found;
  if (pods != nullptr) read_pods(*pods, found);
  if (pods != nullptr) count_requests(*pods);
  if (kubelet_schema != nullptr) read_series(*kubelet_schema, Shard::kKubelet, found);
  if (spark_schema != nullptr) read_series(*spark_schema, Shard::kSpark, found);
  if (spark != nullptr) read_facts(spark->spark_apps, found);

  std::vector<App> apps;
  for (auto& [key, app] : found) {
    const bool lives = app.driver_pods + app.pending_pods + app.executor_pods_held > 0;
    if (!lives && app.places.empty()) continue;  // a finished pod stays in the list until somebody deletes it
    if (const App* before = find(key)) {
      app.cpu = before->cpu;
      app.had_driver = app.had_driver || before->had_driver;
      // What only its driver said of it holds when the driver is gone.
      if (app.name.empty()) app.name = before->name;
      if (app.spark_version.empty()) app.spark_version = before->spark_version;
    }
    app.ended = app.had_driver && app.driver_pods_held == 0;
    apps.push_back(std::move(app));
  }
  const bool changed = !std::ranges::equal(apps, apps_, same_description);
  apps_ = std::move(apps);
  pods_ = pods;
  kubelet_schema_ = kubelet_schema;
  spark_schema_ = spark_schema;
  return changed;
}

const App* AppTable::find(const AppKey& key) const {
  const auto at = std::ranges::lower_bound(apps_, key, {}, &App::key);
  return at != apps_.end() && at->key == key ? &*at : nullptr;
}

void AppTable::append_rows(const Block* kubelet, const Block* spark, const Now& now,
                           std::vector<AppRow>& rows) {
  rows.reserve(rows.size() + apps_.size());
  for (App& app : apps_) {
    AppRow& row = rows.emplace_back();
    row.app = app.key;
    row.name = app.name;
    row.job_name = app.job_name;
    row.spark_version = app.spark_version;
    row.driver_pods = app.driver_pods;
    row.executor_pods = app.executor_pods;
    row.pending_pods = app.pending_pods;
    for (const Column& column : kColumns) row.*column.member = kUnknown;
    for (const App::Place& place : app.places) {
      const Block* block = place.shard == Shard::kKubelet ? kubelet : spark;
      double& member = row.*place.member;
      member = (std::isnan(member) ? 0 : member) + block->values[place.series];
    }
    app.sample = AppSample();
    for (const App::SamplePlace& place : app.sample_places) {
      const Block* block = place.shard == Shard::kKubelet ? kubelet : spark;
      double& member = app.sample.*place.member;
      member = (std::isnan(member) ? 0 : member) + block->values[place.series];
    }
    if (!std::isnan(row.cpu_cores)) app.cpu.add(row.cpu_cores, kubelet->committed);
    row.cpu_cores = app.cpu.per_second(now.steady, !std::isnan(row.memory_working_set_bytes));
  }
}

}  // namespace flintgauge
