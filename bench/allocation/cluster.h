// One application on a cluster, second by second: jobs arrive, stages become ready, tasks take free slots, a
// policy adds and removes executors. Steps of 100 ms, as Spark's allocation manager has.
//
// Left out: data locality, speculation, lost shuffle files (a removed executor's running tasks run again, its
// finished ones do not), other applications. They are left out for every policy alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "bench/allocation/trace.h"

namespace flintgauge::allocation {

inline constexpr double kStepSeconds = 0.1;
inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Settings {
  double slots = 4;             ///< tasks that an executor runs at once
  double startup_seconds = 30;  ///< from the pod's creation to its first task
  double min_executors = 0, max_executors = 100;
  double initial_executors = 0;
  double idle_timeout_seconds = 60;   ///< spark.dynamicAllocation.executorIdleTimeout
  double pod_batch = 10;              ///< spark.kubernetes.allocation.batch.size of Spark 4, per second
  double quota_executors = kNoLimit;  ///< the namespace's ResourceQuota has room for so many executor pods
  double max_failures = kNoLimit;     ///< spark.executor.maxNumFailures: more end the application
};

/// What Spark sets where nobody did: config/package.scala EXECUTOR_MAX_NUM_FAILURES.
inline double default_max_failures(const Settings& settings) {
  return std::max(3.0, 2 * settings.max_executors);
}

struct Executor {
  double ready_at = 0;
  double running = 0;
  double idle_since = 0;
  std::size_t last_job = 0;  ///< it holds shuffle files of this job
  bool has_shuffle = false;
};

/// What a policy may know. An executor is a pod from its creation on.
struct Moment {
  double now = 0;
  double pods = 0, registered = 0, busy = 0;
  double running_tasks = 0, pending_tasks = 0;  ///< of submitted stages
  double mean_task_seconds = 0;  ///< as REST tells it: by stage, weighted by what remains; 0 = unknown
  double completed_tasks = 0;
};

/// Which executors go first when a policy wants fewer.
enum class Victims : unsigned char {
  kIdleForLong,  ///< the driver's choice: only those idle for the timeout, without shuffle files of a live
                 ///< job
  kYoungest,     ///< a controller's choice: whatever they do
};

/// Who creates the pods that a policy wants.
enum class Creator : unsigned char {
  kDriver,      ///< tries the missing ones each second, a batch at a time; Spark 4.3 counts a refusal as a
                ///< failure
  kController,  ///< a refusal is an event of a ReplicaSet or StatefulSet
};

class Policy {
 public:
  virtual ~Policy() = default;
  /// The number of pods to have now. Called every step.
  virtual double want(const Moment& moment, const Settings& settings) = 0;
  virtual Victims victims() const = 0;
  virtual Creator creator() const = 0;
};

struct Outcome {
  double executor_seconds = 0;    ///< of pods, from creation to removal
  double registered_seconds = 0;  ///< the same from the time on when they can run tasks
  double completion_seconds = 0;  ///< end of the last job
  double mean_job_seconds = 0;    ///< arrival to end
  double most_pods = 0;
  double lost_tasks = 0;    ///< running on an executor that was removed
  double refused_pods = 0;  ///< creations beyond the quota
  bool ended = false;       ///< by Spark, for its executor failures: the jobs are not done
  /// (time, executors that can run tasks), at each change.
  std::vector<std::pair<double, double>> registered;
};

/// Ends when the last job does, or gives up after a simulated day.
Outcome simulate(const Trace& trace, Policy& policy, const Settings& settings);

}  // namespace flintgauge::allocation
