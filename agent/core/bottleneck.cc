#include "flintgauge/bottleneck.h"

#include <algorithm>
#include <cmath>

namespace flintgauge {
namespace {

using Figure = std::optional<double>;

// Thresholds. "P": proposed by us, no published source; docs/hints.md says so beside each.
constexpr double kGcRatio = 0.10;          // Dr. Elephant, "moderate"
constexpr double kFailureRate = 0.10;      // Dr. Elephant, "low"
constexpr double kSkewRatio = 10;          // DataFlint, partition skew: max / median ...
constexpr double kSkewSeconds = 5;         // ... and the longest at least this
constexpr double kSmallTaskSeconds = 0.5;  // DataFlint, small tasks: median below ...
constexpr double kSmallTaskCount = 5000;   // ... and more than this many
constexpr double kTailMedians = 3;         // P: an end of a stage as long as three of its tasks
constexpr double kSpillRatio = 0.10;       // P
constexpr double kShuffleRatio = 0.20;     // P, waiting to read and writing
constexpr double kThrottledRatio = 0.25;   // P, CFS periods
constexpr double kCpuRatio = 0.80;         // P
constexpr double kWaitCpuRatio = 0.30;     // P, tasks that compute less than this wait for something
constexpr double kBusy = 0.90;             // P, slots are all busy
constexpr double kIdleSlots = 0.10;        // P, slots wait for the driver
constexpr double kTailBusy = 0.25;         // P
constexpr double kMost = 0.5;              // of the samples
constexpr double kDriverCores = 0.8;       // P, one thread of the driver computes
constexpr double kShortfallSeconds = 30;   // P, the default of hints.startup: a pod should have come
constexpr double kTasksForTrust = 30;      // as in the horizontal hint's confidence
constexpr double kLeastConfidence = 0.1;   // P, 3 tasks by a published threshold, 5 by one of ours
constexpr double kMeasured = 1;
constexpr double kProposed = 0.7;  // confidence of a rule whose threshold is ours
constexpr double kBySigns = 0.5;   // confidence of what is inferred, not seen

bool is_number(const Figure& value) { return value && std::isfinite(*value) && *value >= 0; }
double or_zero(const Figure& value) { return is_number(value) ? *value : 0; }
bool at_least(const Figure& value, double least) { return is_number(value) && *value >= least; }
bool below(const Figure& value, double limit) { return is_number(value) && *value < limit; }

Figure ratio(const Figure& part, const Figure& whole) {
  if (!is_number(part) || !is_number(whole) || *whole <= 0) return std::nullopt;
  return *part / *whole;
}

Figure sum(const Figure& a, const Figure& b) {
  if (!is_number(a) && !is_number(b)) return std::nullopt;
  return or_zero(a) + or_zero(b);
}

/// Mean active tasks where they are known: the counters move only when a task ends.
Figure busy_slots(const BottleneckInput& in) {
  Figure busy = ratio(in.active_tasks, in.slots);
  if (!busy) busy = ratio(ratio(in.run_seconds, in.slots), in.window_seconds);
  if (busy) busy = std::min(*busy, 1.0);
  return busy;
}

BottleneckFigures figures_of(const BottleneckInput& in) {
  BottleneckFigures out;
  out.busy = busy_slots(in);
  out.gc = ratio(in.gc_seconds, in.run_seconds);
  out.fetch = ratio(in.fetch_wait_seconds, in.run_seconds);
  out.write = ratio(in.shuffle_write_seconds, in.run_seconds);
  out.cpu = ratio(in.cpu_seconds, in.run_seconds);
  out.throttled = ratio(in.cfs_throttled_periods, in.cfs_periods);
  out.failed = ratio(in.tasks_failed, sum(in.tasks_failed, in.tasks_completed));
  out.skew = ratio(in.stage_max_seconds, in.stage_median_seconds);
  out.mean_task_seconds = ratio(in.run_seconds, in.tasks_completed);
  if (const Figure read = sum(in.input_bytes, in.shuffle_read_bytes)) {
    out.spill = ratio(in.disk_spilled_bytes, std::max(1.0, *read));
  }
  return out;
}

/// Ranks causes: the least first. Kinds of one rank are ordered by share.
int rank(BottleneckKind kind) {
  switch (kind) {
    case BottleneckKind::kUnreliableData:
      return 0;
    case BottleneckKind::kOom:
    case BottleneckKind::kFailingTasks:
    case BottleneckKind::kQuota:  // Spark 4.3 ends the application over it
      return 1;
    case BottleneckKind::kScheduling:
    case BottleneckKind::kMaxExecutors:
    case BottleneckKind::kSlots:
      return 3;
    case BottleneckKind::kCpu:
    case BottleneckKind::kIoWait:
      return 4;
    case BottleneckKind::kUnknown:
      return 5;
    default:
      return 2;
  }
}

class Classifier {
 public:
  explicit Classifier(const BottleneckInput& in) : in_(in) { out_.figures = figures_of(in); }

  Bottleneck run() {
    if (!(in_.window_seconds > 0)) return out_;
    losses_of_work();
    if (!idle()) {
      idle_slots();
      slow_tasks();
      small_tasks();
      missing_slots();
      work();
    }
    finish();
    return out_;
  }

 private:
  const BottleneckFigures& figures() const { return out_.figures; }
  double busy() const { return figures().busy.value_or(1); }
  double lost_slots() const { return 1 - busy(); }
  bool has_backlog() const { return at_least(in_.backlog_share, kMost); }
  bool has_no_backlog() const { return below(in_.backlog_share, kMost); }
  /// Ratios of few tasks are chance.
  double by_tasks() const {
    const double ended = or_zero(in_.tasks_completed) + or_zero(in_.tasks_failed);
    return std::min(1.0, ended / kTasksForTrust);
  }

  void found(BottleneckKind kind, double share, double confidence, double figure, double threshold) {
    if (confidence < kLeastConfidence) return;
    out_.found[out_.count++] = {kind, std::clamp(share, 0.0, 1.0), std::clamp(confidence, 0.0, 1.0), figure,
                                threshold};
  }

  void losses_of_work() {
    if (const double dropped = or_zero(in_.dropped_events); dropped > 0) {
      found(BottleneckKind::kUnreliableData, 0, kMeasured, dropped, 0);
    }
    const double killed = std::max(or_zero(in_.oom_kills), or_zero(in_.oom_executors));
    const double exited = or_zero(in_.exited_executors);
    if (killed > 0 || exited > 0) {
      const double lost = std::max(killed, exited);
      // One of which nobody says why may also have been deleted, or have failed.
      found(BottleneckKind::kOom, lost / std::max(or_zero(in_.executors), lost),
            killed > 0 ? kMeasured : kBySigns, lost, 0);
    }
    if (at_least(figures().failed, kFailureRate)) {
      found(BottleneckKind::kFailingTasks, *figures().failed, by_tasks(), *figures().failed, kFailureRate);
    }
  }

  /// Nothing to do for the whole window: no other rule applies.
  bool idle() {
    const bool knows_jobs = is_number(in_.job_share);
    if (or_zero(in_.job_share) > 0 || or_zero(in_.stage_share) > 0 || or_zero(in_.active_tasks) > 0) {
      return false;
    }
    if (!knows_jobs && !is_number(in_.stage_share)) return false;
    if (or_zero(in_.run_seconds) > 0 || or_zero(in_.tasks_completed) > 0) return false;
    if (!knows_jobs && at_least(in_.driver_cpu_cores, kDriverCores)) {
      found(BottleneckKind::kDriver, 1, kBySigns, *in_.driver_cpu_cores, kDriverCores);
      return true;
    }
    found(BottleneckKind::kIdle, 1, knows_jobs ? kMeasured : kProposed, or_zero(in_.job_share), 0);
    return true;
  }

  void idle_slots() {
    if (!figures().busy) return;
    const bool waits = at_least(in_.job_share, kMost) && below(figures().busy, kIdleSlots) &&
                       has_no_backlog() && at_least(in_.idle_share, kMost);
    if (waits) {
      const bool computes = at_least(in_.driver_cpu_cores, kDriverCores);
      found(BottleneckKind::kDriver, lost_slots(), computes ? kMeasured : kProposed, busy(), kIdleSlots);
      return;
    }
    if (skew() || !has_no_backlog() || or_zero(in_.stage_share) < kMost) return;
    if (below(figures().busy, kTailBusy) && is_number(in_.stage_tasks) && is_number(in_.slots) &&
        *in_.stage_tasks > 0 && *in_.stage_tasks < *in_.slots) {
      found(BottleneckKind::kParallelism, lost_slots(), kMeasured, *in_.stage_tasks, *in_.slots);
    }
  }

  bool skew() {
    if (!has_no_backlog() || busy() > kBusy) return false;
    if (at_least(figures().skew, kSkewRatio) && at_least(in_.stage_max_seconds, kSkewSeconds)) {
      found(BottleneckKind::kSkew, lost_slots(), kMeasured, *figures().skew, kSkewRatio);
      return true;
    }
    // The long task of a stage that still runs is in no median yet: the end of the stage shows it.
    const double tail = kTailMedians * or_zero(in_.stage_median_seconds);
    if (tail > 0 && at_least(in_.tail_seconds, std::max(tail, kSkewSeconds))) {
      found(BottleneckKind::kSkew, lost_slots(), kProposed, *in_.tail_seconds, std::max(tail, kSkewSeconds));
      return true;
    }
    return false;
  }

  void slow_task(BottleneckKind kind, const Figure& figure, double threshold, double confidence) {
    if (!at_least(figure, threshold)) return;
    found(kind, std::min(*figure, 1.0) * busy(), confidence * by_tasks(), *figure, threshold);
  }

  void slow_tasks() {
    slow_task(BottleneckKind::kGc, figures().gc, kGcRatio, kMeasured);
    slow_task(BottleneckKind::kShuffleRead, figures().fetch, kShuffleRatio, kProposed);
    slow_task(BottleneckKind::kShuffleWrite, figures().write, kShuffleRatio, kProposed);
    slow_task(BottleneckKind::kCpuLimit, figures().throttled, kThrottledRatio, kProposed);
    if (at_least(figures().spill, kSpillRatio)) {
      // The time of spilling is told by nobody: its part of all bytes moved stands for it.
      const double moved = *figures().spill / (1 + *figures().spill);
      found(BottleneckKind::kSpill, moved * busy(), kProposed * by_tasks(), *figures().spill, kSpillRatio);
    }
  }

  void small_tasks() {
    const Figure length =
        is_number(in_.stage_median_seconds) ? in_.stage_median_seconds : figures().mean_task_seconds;
    const double starting = ratio(in_.deserialize_seconds, in_.run_seconds).value_or(0) * busy();
    const double share = std::max(lost_slots(), starting);
    const double tasks = std::max(or_zero(in_.stage_tasks), or_zero(in_.tasks_completed));
    if (below(length, kSmallTaskSeconds) && tasks > kSmallTaskCount) {
      found(BottleneckKind::kSmallTasks, share, kMeasured, *length, kSmallTaskSeconds);
    } else if (below(length, kSmallTaskSeconds) && at_least(in_.stage_scheduler_delay_seconds, 0) &&
               *in_.stage_scheduler_delay_seconds > *length) {
      found(BottleneckKind::kSmallTasks, share, kProposed * by_tasks(), *in_.stage_scheduler_delay_seconds,
            *length);
    }
  }

  void missing_slots() {
    const double waiting = or_zero(in_.pending_tasks);
    if (waiting <= 0) return;
    const double share = waiting / (waiting + or_zero(in_.active_tasks));
    const bool short_of = at_least(in_.shortfall_seconds, kShortfallSeconds);
    const double pending_pods = std::max(or_zero(in_.pending_pods), or_zero(in_.cluster_pending_pods));
    const double wanted = or_zero(in_.target_executors) - or_zero(in_.executors);
    if (is_number(in_.quota_headroom_executors) && *in_.quota_headroom_executors < 1 && has_backlog()) {
      found(BottleneckKind::kQuota, share, kMeasured, *in_.quota_headroom_executors, 1);
      return;
    }
    if (short_of && pending_pods > 0) {
      found(BottleneckKind::kScheduling, share, kMeasured, pending_pods, 0);
      return;
    }
    if (short_of && !is_number(in_.quota_headroom_executors) && is_number(in_.pending_pods)) {
      // Refused pods leave no trace, and a pod without a node is in no kubelet's list: both look like this.
      const double confidence = is_number(in_.cluster_pending_pods) ? kProposed : kBySigns;
      found(BottleneckKind::kQuota, share, confidence, wanted, 0);
      return;
    }
    const bool all_busy = or_zero(in_.slots) <= 0 || busy() > kBusy;
    if (!all_busy || !has_backlog()) return;
    if (is_number(in_.max_executors) && or_zero(in_.executors) >= *in_.max_executors) {
      found(BottleneckKind::kMaxExecutors, share, kMeasured, or_zero(in_.executors), *in_.max_executors);
      return;
    }
    found(BottleneckKind::kSlots, share, kProposed, busy(), kBusy);
  }

  void work() {
    const BottleneckFigures& f = figures();
    if (!f.cpu || busy() < kIdleSlots) return;
    if (*f.cpu >= kCpuRatio) {
      found(BottleneckKind::kCpu, std::min(*f.cpu, 1.0) * busy(), kProposed * by_tasks(), *f.cpu, kCpuRatio);
      return;
    }
    const bool explained = at_least(f.gc, kGcRatio) || at_least(f.spill, kSpillRatio) ||
                           at_least(f.fetch, kShuffleRatio) || at_least(f.write, kShuffleRatio);
    if (*f.cpu >= kWaitCpuRatio || explained || !f.gc || !f.fetch || !f.write) return;
    const double told = *f.cpu + *f.gc + *f.fetch + *f.write;
    found(BottleneckKind::kIoWait, (1 - told) * busy(), kProposed * by_tasks(), *f.cpu, kWaitCpuRatio);
  }

  void finish() {
    const auto end = out_.found.begin() + static_cast<std::ptrdiff_t>(out_.count);
    std::sort(out_.found.begin(), end, [](const BottleneckCause& a, const BottleneckCause& b) {
      if (rank(a.kind) != rank(b.kind)) return rank(a.kind) < rank(b.kind);
      if (a.share != b.share) return a.share > b.share;
      return a.kind < b.kind;
    });
    if (out_.count == 0) return;
    out_.kind = out_.found[0].kind;
    out_.confidence = out_.found[0].confidence;
  }

  const BottleneckInput& in_;
  Bottleneck out_;
};

}  // namespace

Bottleneck classify(const BottleneckInput& input) { return Classifier(input).run(); }

}  // namespace flintgauge
