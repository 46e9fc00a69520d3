// A simulated Spark application of the demo: a driver that launches tasks of stages on its executors, as a
// scheduler does, and the pods they run in. Deterministic; time is an argument.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "agent/io/demo_pod.h"
#include "flintgauge/spark.h"
#include "flintgauge/time.h"

namespace flintgauge::demo {

/// How an application behaves.
struct Profile {
  std::string_view namespace_name, name;
  int executors = 4;
  int slots = 4;                    ///< tasks an executor runs at once
  std::vector<int> stage_tasks;     ///< of each job
  double task_seconds = 1.5;        ///< mean
  double pause_seconds = 4;         ///< between two jobs
  double longest_task_seconds = 0;  ///< of one task in the last stage of each job; 0: like the others
  double spill_bytes = 0;           ///< of each task
  double kill_every_seconds = 0;    ///< one executor runs out of memory so often; 0: never
  double memory_limit_bytes = 3.5 * 1024 * 1024 * 1024;
  std::string_view query = {};  ///< name of a streaming query whose micro-batches are the jobs; empty: none
};

struct Task {
  std::size_t stage;  ///< index into SparkApp::stages()
  double left_seconds;
  double duration_seconds;
};

struct Executor {
  SparkExecutor facts;  ///< as the driver reports it; counters in base units
  DemoPod pod;
  std::vector<Task> running;
  WallTime added, removed;
  bool is_registered = false;
};

struct Stage {
  SparkStage facts;
  std::int64_t launched = 0;
  double task_seconds = 0;
  double longest_task_seconds = 0;
  bool reads_input = false;
  WallTime submitted, completed;
};

class SparkApp {
 public:
  /// `driver_ip`: where its web UI answers. `number` tells the applications apart.
  SparkApp(const Profile& profile, std::uint64_t number, std::string driver_ip, WallTime start);

  /// Lets `seconds` (some tenths) pass; `now` is their end.
  void step(WallTime now, double seconds);

  const Profile& profile() const { return profile_; }
  const std::string& app_id() const { return app_id_; }
  const DemoPod& driver() const { return driver_; }
  /// In the order of their ids; those of the last minutes only once they are gone.
  const std::deque<Executor>& executors() const { return executors_; }
  const std::vector<Stage>& stages() const { return stages_; }
  int jobs_done() const { return jobs_done_; }
  int active_jobs() const { return job_is_active_ ? 1 : 0; }
  WallTime now() const { return now_; }
  /// What Spark's own dynamic allocation would want: ceil(tasks / slots).
  std::int64_t needed_executors() const;

 private:
  void add_executor(WallTime now);
  void register_pending(WallTime now);
  void kill_one(WallTime now);
  void forget_old(WallTime now);
  void start_job(WallTime now);
  void start_stage(WallTime now);
  void finish_tasks(Executor& executor, double seconds);
  void finish_task(Executor& executor, const Task& task);
  void launch_tasks(Executor& executor);
  void complete_stages(WallTime now);
  void measure(Executor& executor, double seconds) const;

  WallTime now_;
  Profile profile_;
  std::uint64_t number_;
  std::string app_id_;
  DemoPod driver_;
  std::deque<Executor> executors_;
  std::vector<Stage> stages_;
  int next_executor_ = 1;
  std::size_t stage_of_job_ = 0;
  bool job_is_active_ = false;
  int jobs_done_ = 0;
  WallTime next_job_, next_kill_;
  std::uint64_t tasks_made_ = 0;
};

}  // namespace flintgauge::demo
