// An application's driver apart from its executors and stages: what its endpoints say goes to DriverSide.
#include <utility>

#include "agent/core/spark_app.h"

namespace flintgauge::spark {

void App::apply(const Target& target, const SparkJobs& list, const Now& now) {
  follow_driver(target, now.steady);
  driver_side_.set_jobs(target.key, list);
}

void App::apply(const Target& target, std::shared_ptr<const SparkSettings> settings, const Now& now) {
  follow_driver(target, now.steady);
  driver_side_.set_settings(std::move(settings));
}

bool App::apply(const Target& target, const SparkAbout& about, const Now& now) {
  follow_driver(target, now.steady);
  return driver_side_.set_about(about);
}

}  // namespace flintgauge::spark
