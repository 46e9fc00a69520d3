#include "bench/allocation/cluster.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace flintgauge::allocation {
namespace {

constexpr double kDaySeconds = 86'400;

struct TaskId {
  std::size_t job = 0, stage = 0;
  double seconds = 0;
};

struct Running {
  TaskId task;
  std::size_t executor = 0;
  double end = 0;
};

struct Stage {
  bool submitted = false;
  double tasks = 0, complete = 0, run_seconds = 0;
};

struct Job {
  bool arrived = false;
  std::size_t stages_left = 0;
  double arrival = 0, end = 0;
};

class Cluster {
 public:
  Cluster(const Trace& trace, const Settings& settings) : trace_(trace), settings_(settings) {
    for (const JobTrace& job : trace.jobs) {
      jobs_.push_back({false, job.stages.size(), 0, 0});
      auto& stages = stages_.emplace_back();
      for (const StageTrace& stage : job.stages)
        stages.push_back({false, static_cast<double>(stage.task_seconds.size()), 0, 0});
    }
    for (double i = 0; i < settings.initial_executors; ++i)
      executors_.push_back({});  // they were there before
  }

  Outcome run(Policy& policy) {
    for (std::size_t step = 0; jobs_left() && now_ < kDaySeconds && !out_.ended; ++step) {
      now_ = static_cast<double>(step) * kStepSeconds;
      arrive();
      end_tasks();
      scale(policy);
      start_tasks();
      out_.executor_seconds += static_cast<double>(executors_.size()) * kStepSeconds;
      count_registered();
      out_.most_pods = std::max(out_.most_pods, static_cast<double>(executors_.size()));
    }
    finish();
    return out_;
  }

 private:
  void count_registered() {
    const auto registered = static_cast<double>(std::count_if(
        executors_.begin(), executors_.end(), [this](const Executor& one) { return one.ready_at <= now_; }));
    out_.registered_seconds += registered * kStepSeconds;
    if (out_.registered.empty() || out_.registered.back().second != registered)
      out_.registered.emplace_back(now_, registered);
  }

  bool jobs_left() const {
    return std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.stages_left > 0; });
  }

  void arrive() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const JobTrace& plan = trace_.jobs[i];
      const bool waits = plan.after_previous && jobs_[i - 1].stages_left > 0;
      const double due = plan.arrival_seconds + (plan.after_previous ? jobs_[i - 1].end : 0);
      if (jobs_[i].arrived || waits || due > now_) continue;
      jobs_[i].arrived = true;
      jobs_[i].arrival = now_;
      submit_ready(i);
    }
  }

  void submit_ready(std::size_t job) {
    const std::vector<StageTrace>& plan = trace_.jobs[job].stages;
    for (std::size_t s = 0; s < plan.size(); ++s) {
      Stage& stage = stages_[job][s];
      const bool ready = std::all_of(plan[s].parents.begin(), plan[s].parents.end(), [&](std::size_t parent) {
        return stages_[job][parent].submitted && stages_[job][parent].complete >= stages_[job][parent].tasks;
      });
      if (stage.submitted || !ready) continue;
      stage.submitted = true;
      for (const double seconds : plan[s].task_seconds) waiting_.push_back({job, s, seconds});
      if (plan[s].task_seconds.empty()) end_stage(job);
    }
  }

  void end_stage(std::size_t job) {
    if (--jobs_[job].stages_left == 0) jobs_[job].end = now_;
  }

  void end_tasks() {
    for (std::size_t i = 0; i < running_.size();) {
      if (running_[i].end > now_ + kStepSeconds / 2) {
        ++i;
        continue;
      }
      const Running done = running_[i];
      running_[i] = running_.back();
      running_.pop_back();
      leave(done.executor);
      Stage& stage = stages_[done.task.job][done.task.stage];
      ++stage.complete;
      ++completed_;
      stage.run_seconds += done.task.seconds;
      if (stage.complete < stage.tasks) continue;
      end_stage(done.task.job);
      submit_ready(done.task.job);
    }
  }

  void leave(std::size_t executor) {
    Executor& one = executors_[executor];
    if (--one.running == 0) one.idle_since = now_;
  }

  void start_tasks() {
    for (std::size_t e = 0; e < executors_.size() && !waiting_.empty(); ++e) {
      Executor& one = executors_[e];
      if (one.ready_at > now_) continue;
      for (; one.running < settings_.slots && !waiting_.empty(); ++one.running) {
        const TaskId task = waiting_.front();
        waiting_.pop_front();
        running_.push_back({task, e, now_ + task.seconds});
        one.has_shuffle = true;
        one.last_job = std::max(one.last_job, task.job);
      }
    }
  }

  Moment moment() const {
    Moment m;
    m.now = now_;
    m.pods = static_cast<double>(executors_.size());
    for (const Executor& one : executors_) {
      m.registered += one.ready_at <= now_ ? 1 : 0;
      m.busy += one.running > 0 ? 1 : 0;
    }
    m.running_tasks = static_cast<double>(running_.size());
    m.pending_tasks = static_cast<double>(waiting_.size());
    m.completed_tasks = completed_;
    double weighted = 0, weight = 0;
    for (const std::vector<Stage>& stages : stages_) {
      for (const Stage& stage : stages) {
        if (!stage.submitted || stage.complete >= stage.tasks || stage.complete == 0) continue;
        const double left = stage.tasks - stage.complete;
        weighted += left * stage.run_seconds / stage.complete;
        weight += left;
      }
    }
    m.mean_task_seconds = weight > 0 ? weighted / weight : 0;
    return m;
  }

  void scale(Policy& policy) {
    const double want = policy.want(moment(), settings_);
    if (now_ >= next_batch_ && want > static_cast<double>(executors_.size())) create(want, policy);
    for (std::size_t i = executors_.size(); i-- > 0 && static_cast<double>(executors_.size()) > want;) {
      if (policy.victims() == Victims::kYoungest || may_go(executors_[i])) remove(i);
    }
  }

  void create(double want, const Policy& policy) {
    const auto there = static_cast<double>(executors_.size());
    const double more = std::min(want - there, settings_.pod_batch);
    const double made = std::clamp(std::floor(settings_.quota_executors) - there, 0.0, more);
    for (double i = 0; i < made; ++i)
      executors_.push_back({now_ + settings_.startup_seconds, 0, now_ + settings_.startup_seconds, 0, false});
    out_.refused_pods += more - made;
    out_.ended = policy.creator() == Creator::kDriver && out_.refused_pods > settings_.max_failures;
    next_batch_ = now_ + 1;
  }

  bool may_go(const Executor& one) const {
    const bool pinned = one.has_shuffle && jobs_[one.last_job].stages_left > 0;
    return one.running == 0 && !pinned && now_ - one.idle_since >= settings_.idle_timeout_seconds;
  }

  void remove(std::size_t executor) {
    for (std::size_t i = 0; i < running_.size();) {
      if (running_[i].executor != executor) {
        if (running_[i].executor > executor) --running_[i].executor;
        ++i;
        continue;
      }
      waiting_.push_front(running_[i].task);
      running_[i] = running_.back();
      running_.pop_back();
      ++out_.lost_tasks;
    }
    executors_.erase(executors_.begin() + static_cast<std::ptrdiff_t>(executor));
  }

  void finish() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      out_.completion_seconds = std::max(out_.completion_seconds, jobs_[i].end);
      out_.mean_job_seconds += (jobs_[i].end - jobs_[i].arrival) / static_cast<double>(jobs_.size());
    }
    if (out_.ended) out_.completion_seconds = now_;
  }

  const Trace& trace_;
  const Settings& settings_;
  double now_ = 0, next_batch_ = 0, completed_ = 0;
  std::vector<Job> jobs_;
  std::vector<std::vector<Stage>> stages_;
  std::deque<TaskId> waiting_;
  std::vector<Running> running_;
  std::vector<Executor> executors_;
  Outcome out_;
};

}  // namespace

Outcome simulate(const Trace& trace, Policy& policy, const Settings& settings) {
  return Cluster(trace, settings).run(policy);
}

}  // namespace flintgauge::allocation
