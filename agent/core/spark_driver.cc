#include "agent/core/spark_driver.h"

namespace flintgauge::spark {

void DriverNow::take(Measure measure, double value) {
  known = true;
  if (measure == Measure::kDriverTargetExecutors) target = value;
  if (measure == Measure::kDriverMaxNeededExecutors) max_needed = value;
  if (measure == Measure::kDriverActiveJobs) active_jobs = value;
  if (measure == Measure::kDriverRunningStages) running_stages = value;
  if (measure == Measure::kDriverWaitingStages) waiting_stages = value;
}

void DriverNow::add(const DriverNow& other) {
  const auto fill = [](std::optional<double>& into, const std::optional<double>& from) {
    if (!into) into = from;
  };
  known = known || other.known;
  fill(target, other.target);
  fill(max_needed, other.max_needed);
  fill(active_jobs, other.active_jobs);
  fill(running_stages, other.running_stages);
  fill(waiting_stages, other.waiting_stages);
}

}  // namespace flintgauge::spark
