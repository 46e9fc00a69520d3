#include "flintgauge/hint_horizontal.h"

#include <algorithm>
#include <cmath>

namespace flintgauge {
namespace {

constexpr double kGreatest = 1e9;                           // so that no product of inputs overflows
constexpr double kLeastConfidence = 0.3;                    // below it the task times are not trusted
constexpr double kTrustedTasks = 30, kTrustedSeconds = 60;  // docs/hints.md 1.3: ours
constexpr double kBatchesBehind = 3;                        // one slow batch is chance

double sane(double value) { return value > 0 ? std::min(value, kGreatest) : 0; }  // NaN > 0 is false

// No number is none known; a negative one is overdrawn.
std::optional<double> sane(const std::optional<double>& value) {
  if (!value || std::isnan(*value)) return std::nullopt;
  return sane(*value);
}

HorizontalInput sane(const HorizontalInput& raw) {
  HorizontalInput in;
  in.executors = sane(raw.executors);
  in.executor_pods = std::max(sane(raw.executor_pods), in.executors);
  in.busy_executors = std::min(sane(raw.busy_executors), in.executors);
  in.running_tasks = sane(raw.running_tasks);
  in.pending_tasks = sane(raw.pending_tasks);
  in.unschedulable_sets = sane(raw.unschedulable_sets);
  in.tasks_per_executor = std::max(sane(raw.tasks_per_executor), 1.0);
  in.allocation_ratio = sane(raw.allocation_ratio);
  in.mean_task_seconds = sane(raw.mean_task_seconds);
  in.drain_target_seconds = sane(raw.drain_target_seconds);
  in.startup_seconds = sane(raw.startup_seconds);
  in.max_executors = sane(raw.max_executors);
  in.min_executors = std::min(sane(raw.min_executors), in.max_executors);
  in.quota_headroom_executors = sane(raw.quota_headroom_executors);
  in.cluster_headroom_executors = sane(raw.cluster_headroom_executors);
  in.max_needed_executors = sane(raw.max_needed_executors);
  in.confidence = std::min(sane(raw.confidence), 1.0);
  return in;
}

// Spark's own number where it tells it, which knows speculative tasks and unschedulable sets of every
// profile; else its rule, in its order of operations:
// ExecutorAllocationManager.maxNumExecutorsNeededPerResourceProfile.
double spark_parity(const HorizontalInput& in) {
  const double tasks = in.running_tasks + in.pending_tasks;
  // Zero beside tasks is a gauge that was read before they came.
  if (in.max_needed_executors && (*in.max_needed_executors > 0 || tasks <= 0))
    return *in.max_needed_executors;
  const double needed = std::ceil(tasks * in.allocation_ratio / in.tasks_per_executor);
  if (in.unschedulable_sets <= 0) return needed;
  const double sets = std::ceil(in.unschedulable_sets * in.allocation_ratio / in.tasks_per_executor);
  return std::max(needed, in.executors + sets);
}

struct Term {
  double executors;
  HintReason reason;
};

// Executors that end `work` task-seconds within the drain target, a new pod being useless for
// startup_seconds.
Term drain_term(const HorizontalInput& in, double work) {
  const double slots = in.executors * in.tasks_per_executor;
  const double target = std::max(in.drain_target_seconds, 2 * in.startup_seconds);
  const double per_executor = in.tasks_per_executor * target;
  if (slots > 0 && work <= slots * in.startup_seconds) {
    return {std::min(in.executors, std::ceil(work / per_executor)), HintReason::kStartupBound};
  }
  if (work > slots * target) {
    const double per_new = in.tasks_per_executor * (target - in.startup_seconds);
    return {in.executors + std::ceil((work - slots * target) / per_new), HintReason::kBacklog};
  }
  return {std::ceil(work / per_executor), HintReason::kDrain};
}

Term need_term(const HorizontalInput& in, double parity, double work) {
  const double tasks = in.running_tasks + in.pending_tasks;
  if (tasks <= 0 && in.unschedulable_sets <= 0) return {0, HintReason::kIdle};
  // Without task times the work is unknown, not nothing.
  const bool unknown = in.confidence < kLeastConfidence || in.mean_task_seconds <= 0;
  if (in.drain_target_seconds <= 0 || unknown) return {parity, HintReason::kParity};
  Term need = drain_term(in, work);
  if (parity < need.executors) need = {parity, HintReason::kParity};
  const double running = std::ceil(in.running_tasks / in.tasks_per_executor);
  if (running > need.executors) need = {running, HintReason::kBusyFloor};
  return need;
}

}  // namespace

std::optional<double> effective_headroom(const HorizontalInput& input) {
  const std::optional<double> quota = sane(input.quota_headroom_executors);
  const std::optional<double> cluster = sane(input.cluster_headroom_executors);
  if (!quota || !cluster) return quota ? quota : cluster;
  return std::min(*quota, *cluster);
}

HorizontalHint horizontal_hint(const HorizontalInput& input) {
  const HorizontalInput in = sane(input);
  HorizontalHint out;
  out.parity = spark_parity(in);
  // A running task is half done on average.
  out.work_task_seconds =
      in.pending_tasks * in.mean_task_seconds + in.running_tasks * in.mean_task_seconds / 2;
  out.backlog_seconds = out.work_task_seconds / (in.tasks_per_executor * std::max(in.executors, 1.0));
  out.idle_executors = in.executors - in.busy_executors;

  const Term need = need_term(in, out.parity, out.work_task_seconds);
  out.need = need.executors;
  out.reason = need.reason;

  out.raw = std::clamp(out.need, in.min_executors, in.max_executors);
  if (out.raw < out.need) out.reason = HintReason::kMax;
  if (out.raw > out.need && out.reason != HintReason::kIdle) out.reason = HintReason::kMin;

  out.safe = out.raw;
  const double busy = std::min(in.busy_executors, in.max_executors);
  if (busy > out.raw) {  // so raw < E
    out.safe = busy;
    out.reason = HintReason::kBusyFloor;
  }

  out.desired = out.safe;
  const std::optional<double> room = effective_headroom(in);
  if (room && out.safe > in.executor_pods) {
    const double inside = std::min(out.safe, in.executor_pods + *room);
    out.desired = std::max(inside, in.min_executors);
    if (out.desired < out.safe) out.reason = HintReason::kQuota;
  }
  out.unmet = out.safe - out.desired;
  return out;
}

double streaming_executors(const StreamingInput& input) {
  const double executors = sane(input.executors);
  const double most = sane(input.max_executors);
  const double least = std::min(sane(input.min_executors), most);
  const double rate = sane(input.processing_rate);
  double wanted = executors;
  if (input.batches_behind >= kBatchesBehind && rate > 0 && input.input_rate > rate) {
    wanted = std::ceil(executors * sane(input.input_rate) / rate);
  }
  return std::clamp(wanted, least, most);
}

double demand_cores(std::span<const WorkerDemand> applications) {
  double cores = 0;
  for (const WorkerDemand& one : applications) cores += sane(one.executors) * sane(one.executor_cores);
  return cores;
}

double workers_desired(std::span<const WorkerDemand> applications, double cores_per_worker,
                       double min_workers, double max_workers) {
  const double most = sane(max_workers);
  const double least = std::min(sane(min_workers), most);
  if (!(cores_per_worker > 0)) return least;
  return std::clamp(std::ceil(demand_cores(applications) / cores_per_worker), least, most);
}

double confidence(double completed_tasks, double observed_seconds, double age_seconds,
                  double max_age_seconds) {
  if (!(max_age_seconds > 0) || std::isnan(age_seconds)) return 0;
  const double fresh = 1 - sane(age_seconds) / max_age_seconds;
  return std::min(1.0, sane(completed_tasks) / kTrustedTasks) *
         std::min(1.0, sane(observed_seconds) / kTrustedSeconds) * std::max(0.0, fresh);
}

double StableDesired::update(double desired, std::int64_t now_ms) {
  if (!(desired > 0)) desired = 0;
  if (count_ > 0) now_ms = std::max(now_ms, points_[count_ - 1].at_ms);
  std::size_t over = 0;
  while (over < count_ && now_ms - points_[over].at_ms > kDownMs) ++over;
  for (std::size_t i = over; i < count_; ++i) points_[i - over] = points_[i];
  count_ -= over;

  while (count_ > 0 && points_[count_ - 1].value <= desired) --count_;
  // A lower number in the bucket of the last point: that point stands for both, a little longer.
  if (count_ > 0 && points_[count_ - 1].at_ms / kBucketMs == now_ms / kBucketMs) {
    points_[count_ - 1].at_ms = now_ms;
  } else {
    points_[count_++] = {now_ms, desired};
  }
  return points_[0].value;
}

}  // namespace flintgauge
