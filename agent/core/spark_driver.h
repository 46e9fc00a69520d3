// What a driver's own registry says of now. Private to the Spark fold.
#pragma once

#include <optional>

#include "flintgauge/measure.h"

namespace flintgauge::spark {

/// Absent gauges are not registered there (no dynamic allocation), or their page does not show them.
struct DriverNow {
  bool known = false;
  std::optional<double> target, max_needed, active_jobs, running_stages, waiting_stages;

  void take(Measure measure, double value);
  /// What is absent here is taken from there: several pages may show the same registry.
  void add(const DriverNow& other);
};

}  // namespace flintgauge::spark
