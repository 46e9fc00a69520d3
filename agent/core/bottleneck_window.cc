#include "agent/core/bottleneck_window.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace flintgauge {
namespace {

constexpr double kEnoughTasks = 30;  // as in the horizontal hint's confidence
constexpr double kTailBusy = 0.25;   // BottleneckInput::tail_seconds

struct Counter {
  double AppSample::*from;
  std::optional<double> BottleneckInput::*to;
};
constexpr auto kCounters = std::to_array<Counter>({
    {&AppSample::run_seconds, &BottleneckInput::run_seconds},
    {&AppSample::cpu_seconds, &BottleneckInput::cpu_seconds},
    {&AppSample::gc_seconds, &BottleneckInput::gc_seconds},
    {&AppSample::fetch_wait_seconds, &BottleneckInput::fetch_wait_seconds},
    {&AppSample::shuffle_write_seconds, &BottleneckInput::shuffle_write_seconds},
    {&AppSample::deserialize_seconds, &BottleneckInput::deserialize_seconds},
    {&AppSample::disk_spilled_bytes, &BottleneckInput::disk_spilled_bytes},
    {&AppSample::input_bytes, &BottleneckInput::input_bytes},
    {&AppSample::shuffle_read_bytes, &BottleneckInput::shuffle_read_bytes},
    {&AppSample::tasks_completed, &BottleneckInput::tasks_completed},
    {&AppSample::tasks_failed, &BottleneckInput::tasks_failed},
    {&AppSample::cfs_periods, &BottleneckInput::cfs_periods},
    {&AppSample::cfs_throttled_periods, &BottleneckInput::cfs_throttled_periods},
    {&AppSample::oom_kills, &BottleneckInput::oom_kills},
    {&AppSample::oom_executors, &BottleneckInput::oom_executors},
    {&AppSample::exited_executors, &BottleneckInput::exited_executors},
    {&AppSample::dropped_events, &BottleneckInput::dropped_events},
    {&AppSample::driver_cpu_seconds, &BottleneckInput::driver_cpu_cores},
});
constexpr auto kMeans = std::to_array<Counter>({
    {&AppSample::executors, &BottleneckInput::executors},
    {&AppSample::slots, &BottleneckInput::slots},
    {&AppSample::active_tasks, &BottleneckInput::active_tasks},
    {&AppSample::pending_tasks, &BottleneckInput::pending_tasks},
    {&AppSample::stage_tasks, &BottleneckInput::stage_tasks},
});
constexpr auto kLast = std::to_array<Counter>({
    {&AppSample::target_executors, &BottleneckInput::target_executors},
    {&AppSample::max_executors, &BottleneckInput::max_executors},
    {&AppSample::pending_pods, &BottleneckInput::pending_pods},
});
struct Share {
  double AppSample::*of;
  std::optional<double> BottleneckInput::*to;
  bool is_positive;  ///< counts samples above 0, else those at 0
};
constexpr auto kShares = std::to_array<Share>({
    {&AppSample::active_jobs, &BottleneckInput::job_share, true},
    {&AppSample::active_stages, &BottleneckInput::stage_share, true},
    {&AppSample::active_tasks, &BottleneckInput::idle_share, false},
    {&AppSample::pending_tasks, &BottleneckInput::backlog_share, true},
});

double seconds(SteadyTime from, SteadyTime to) { return static_cast<double>(elapsed_ms(from, to)) / 1000; }

/// Mean of the known values; absent when most are not known.
class Mean {
 public:
  void add(double value) {
    ++count_;
    if (std::isnan(value)) return;
    ++known_;
    sum_ += value;
  }
  std::optional<double> value() const {
    if (known_ == 0 || 2 * known_ < count_) return std::nullopt;
    return sum_ / static_cast<double>(known_);
  }

 private:
  double sum_ = 0;
  std::size_t known_ = 0, count_ = 0;
};

/// The stage with the longest task that was seen in the window.
class LongestTask {
 public:
  void add(const AppSample& sample) {
    if (std::isnan(sample.stage_median_seconds)) return;
    if (found_ != nullptr && !(sample.stage_max_seconds >= found_->stage_max_seconds)) return;
    found_ = &sample;
  }
  void write(BottleneckInput& input) const {
    if (found_ == nullptr) return;
    input.stage_median_seconds = found_->stage_median_seconds;
    input.stage_max_seconds = found_->stage_max_seconds;
    input.stage_scheduler_delay_seconds = found_->stage_scheduler_delay_seconds;
  }

 private:
  const AppSample* found_ = nullptr;
};

void follow(bool holds, SteadyTime at, bool& held, SteadyTime& since) {
  if (holds && !held) since = at;
  held = holds;
}

}  // namespace

bool BottleneckWindow::fell(const AppSample& sample) const {
  return std::ranges::any_of(
      kCounters, [&](const Counter& counter) { return sample.*counter.from < last_.sample.*counter.from; });
}

void BottleneckWindow::follow_states(const AppSample& sample, SteadyTime at) {
  // An executor whose pod runs is there, though it takes its time to tell the driver.
  const bool has_pods = sample.target_executors <= sample.running_pods;
  follow(sample.target_executors > sample.executors && !has_pods, at, is_short_, short_since_);
  const bool is_last = sample.active_tasks == 1 && sample.slots > 1;  // however few the slots
  const bool is_tail = sample.active_stages > 0 && sample.pending_tasks <= 0 && sample.active_tasks > 0 &&
                       (is_last || sample.active_tasks < kTailBusy * sample.slots);
  follow(is_tail, at, is_tail_, tail_since_);
}

void BottleneckWindow::add(const AppSample& sample, SteadyTime at) {
  if (has_last_ && at <= last_.at) return;
  if (has_last_ && fell(sample)) {
    count_ = 0;
    is_short_ = is_tail_ = false;
  }
  follow_states(sample, at);
  last_ = {at, sample};
  has_last_ = true;
  if (count_ > 0 && elapsed_ms(point(count_ - 1).at, at) < window_ms_ / kPointsPerWindow) return;
  if (count_ == kPoints) {
    first_ = (first_ + 1) % kPoints;
    --count_;
  }
  points_[(first_ + count_) % kPoints] = last_;
  ++count_;
}

/// No job, stage or task in any sample since.
bool BottleneckWindow::is_quiet_since(std::size_t begin) const {
  const auto is_quiet = [](const AppSample& sample) {
    return sample.active_tasks <= 0 && sample.active_stages <= 0 && !(sample.active_jobs > 0);
  };
  for (std::size_t i = begin; i < count_; ++i) {
    if (!is_quiet(point(i).sample)) return false;
  }
  return is_quiet(last_.sample) && last_.sample.tasks_completed <= point(begin).sample.tasks_completed;
}

/// The youngest point that is a window old, or an older one, up to 2.5 windows, if that has seen more tasks
/// end and the window has seen few, though it was not idle.
std::size_t BottleneckWindow::begin_of_window() const {
  std::size_t begin = count_;
  for (std::size_t i = count_; i > 0; --i) {
    const Point& start = point(i - 1);
    const std::int64_t span = elapsed_ms(start.at, last_.at);
    if (span > window_ms_ * 5 / 2) break;
    if (span < window_ms_) continue;
    begin = i - 1;
    if (last_.sample.tasks_completed - start.sample.tasks_completed >= kEnoughTasks) break;
    if (is_quiet_since(begin)) break;
  }
  return begin;
}

/// Means, shares and the longest task of the points from `begin` on.
void BottleneckWindow::write_means(std::size_t begin, BottleneckInput& out) const {
  std::array<Mean, kMeans.size()> means;
  std::array<Mean, kShares.size()> shares;
  LongestTask longest;
  const auto count = [&](const AppSample& sample) {
    for (std::size_t i = 0; i < kMeans.size(); ++i) means[i].add(sample.*kMeans[i].from);
    for (std::size_t i = 0; i < kShares.size(); ++i) {
      const double value = sample.*kShares[i].of;
      shares[i].add(std::isnan(value) ? value : static_cast<double>((value > 0) == kShares[i].is_positive));
    }
    longest.add(sample);
  };
  for (std::size_t i = begin; i < count_; ++i) count(point(i).sample);
  if (point(count_ - 1).at < last_.at) count(last_.sample);
  for (std::size_t i = 0; i < kMeans.size(); ++i) out.*kMeans[i].to = means[i].value();
  for (std::size_t i = 0; i < kShares.size(); ++i) out.*kShares[i].to = shares[i].value();
  longest.write(out);
}

double BottleneckWindow::shortfall_seconds() const { return is_short_ ? seconds(short_since_, last_.at) : 0; }

BottleneckInput BottleneckWindow::input() const {
  BottleneckInput out;
  const std::size_t begin = begin_of_window();
  if (begin >= count_) return out;
  const Point& start = point(begin);
  out.window_seconds = seconds(start.at, last_.at);
  for (const Counter& counter : kCounters) {
    const double increase = last_.sample.*counter.from - start.sample.*counter.from;
    if (!std::isnan(increase)) out.*counter.to = increase;
  }
  if (out.driver_cpu_cores) *out.driver_cpu_cores /= out.window_seconds;
  write_means(begin, out);
  for (const Counter& gauge : kLast) {
    if (!std::isnan(last_.sample.*gauge.from)) out.*gauge.to = last_.sample.*gauge.from;
  }
  if (!std::isnan(last_.sample.target_executors)) {
    out.shortfall_seconds = shortfall_seconds();
  }
  out.tail_seconds = is_tail_ ? seconds(tail_since_, last_.at) : 0;
  return out;
}

}  // namespace flintgauge
