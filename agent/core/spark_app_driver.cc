// An application's driver apart from its executors and stages: what its endpoints say goes to DriverSide.
#include <utility>

#include "agent/core/spark_app.h"

namespace flintgauge::spark {

void App::apply(const Target& target, const SparkJobs& list) {
  follow_driver(target);
  driver_side_.set_jobs(target.key, list);
}

void App::apply(const Target& target, std::shared_ptr<const SparkSettings> settings) {
  follow_driver(target);
  driver_side_.set_settings(std::move(settings));
}

bool App::apply(const Target& target, const SparkAbout& about) {
  follow_driver(target);
  return driver_side_.set_about(about);
}

/// Several pages may show the same registry: each gauge from the first page that has it.
void App::merge_drivers() {
  DriverNow merged;
  for (const Page& page : pages_) merged.add(page.driver);
  driver_side_.set_now(merged);
}

}  // namespace flintgauge::spark
