#include "bench/allocation/policies.h"

#include <algorithm>
#include <cmath>

#include "flintgauge/hint_horizontal.h"

namespace flintgauge::allocation {
namespace {

constexpr double kBacklogSeconds =
    1;  // spark.dynamicAllocation.schedulerBacklogTimeout, and the sustained one
constexpr double kScrapeSeconds = 10;  // spark.interval
constexpr double kSyncSeconds = 15;    // --horizontal-pod-autoscaler-sync-period
constexpr double kTolerance = 0.1;
constexpr double kDownWindow = 300;
constexpr double kUpPods = 20, kUpPeriod = 15;  // deploy/examples/hpa-application.yaml
constexpr double kDownPercent = 20, kDownPeriod = 60;
constexpr double kMaxAge = 3 * kScrapeSeconds;

}  // namespace

double SparkDynamicAllocation::want(const Moment& m, const Settings& settings) {
  if (target_ < 0) target_ = std::max(settings.min_executors, settings.initial_executors);
  if (m.pending_tasks > 0) {
    if (add_at_ == kNever) add_at_ = m.now + kBacklogSeconds;
  } else {
    add_at_ = kNever;
    add_ = 1;
  }
  const double needed = std::ceil((m.pending_tasks + m.running_tasks) / settings.slots);
  if (needed < target_) {
    target_ = std::max(needed, settings.min_executors);
    add_ = 1;
  } else if (m.now >= add_at_) {
    const double before = target_;
    target_ = std::min(std::max(target_, m.pods) + add_, needed);
    target_ = std::clamp(target_, settings.min_executors, settings.max_executors);
    add_ = target_ - before == add_ ? add_ * 2 : 1;
    add_at_ = m.now + kBacklogSeconds;
  }
  return target_;
}

/// As agent/core/app_hints.cc feeds it from the driver's lists.
void HintAndAutoscaler::read_hint(const Moment& m, const Settings& settings) {
  const bool contradicts = m.mean_task_seconds <= 0 && m.running_tasks + m.pending_tasks > 0;
  if (!contradicts) mean_at_ = m.now;
  if (m.mean_task_seconds > 0) mean_seconds_ = m.mean_task_seconds;
  HorizontalInput in;
  in.executors = m.registered;
  in.executor_pods = m.pods;
  in.busy_executors = m.busy;
  in.running_tasks = m.running_tasks;
  in.pending_tasks = m.pending_tasks;
  in.tasks_per_executor = settings.slots;
  in.mean_task_seconds = m.now - mean_at_ <= 2 * mean_seconds_ + kMaxAge ? mean_seconds_ : 0;
  in.startup_seconds = settings.startup_seconds;
  in.min_executors = settings.min_executors;
  in.max_executors = settings.max_executors;
  if (settings.quota_executors < kNoLimit) in.quota_headroom_executors = settings.quota_executors - m.pods;
  in.confidence = confidence(m.completed_tasks, m.now, 0, kMaxAge);
  hint_ = horizontal_hint(in).desired;
}

double recommended_replicas(double hint, double replicas) {
  const double ratio = replicas > 0 ? hint / replicas : 0;
  const bool within = replicas > 0 && ratio >= 1 - kTolerance && ratio <= 1 + kTolerance;
  return within ? replicas : std::ceil(hint);
}

double HintAndAutoscaler::changed_within(double now, double seconds, bool up) const {
  double sum = 0;
  for (const auto& [at, difference] : changes_) {
    if (now - at < seconds && (difference > 0) == up) sum += std::fabs(difference);
  }
  return sum;
}

double HintAndAutoscaler::autoscale(double now, double replicas, const Settings& settings) {
  const double recommended = recommended_replicas(hint_, replicas);
  recommendations_.emplace_back(now, recommended);
  while (now - recommendations_.front().first > kDownWindow) recommendations_.pop_front();
  double desired = recommended;
  if (recommended < replicas) {  // the greatest recommendation of the window, but no more than there are
    for (const auto& [at, value] : recommendations_) desired = std::max(desired, value);
    desired = std::min(desired, replicas);
  }
  const double most = replicas - changed_within(now, kUpPeriod, true) + kUpPods;
  const double start = replicas + changed_within(now, kDownPeriod, false);
  const double least = std::floor(start * (1 - kDownPercent / 100));
  if (desired > replicas) desired = std::max(replicas, std::min(desired, most));
  if (desired < replicas) desired = std::min(replicas, std::max(desired, least));
  return std::clamp(desired, std::max(settings.min_executors, 1.0), settings.max_executors);
}

double HintAndAutoscaler::want(const Moment& m, const Settings& settings) {
  if (replicas_ < 0) replicas_ = std::max({settings.initial_executors, settings.min_executors, 1.0});
  if (m.now >= next_hint_) {
    read_hint(m, settings);
    next_hint_ += kScrapeSeconds;
  }
  if (m.now >= next_sync_ && hint_ >= 0) {
    const double next = autoscale(m.now, replicas_, settings);
    if (next != replicas_) changes_.emplace_back(m.now, next - replicas_);
    while (!changes_.empty() && m.now - changes_.front().first > kDownPeriod) changes_.pop_front();
    replicas_ = next;
    next_sync_ += kSyncSeconds;
  }
  return replicas_;
}

}  // namespace flintgauge::allocation
