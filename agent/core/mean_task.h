// Mean run time of a task over active stages: each stage's own mean, weighted by the tasks that it still has
// to do. Private to the core.
#pragma once

#include <algorithm>

namespace flintgauge {

class MeanTask {
 public:
  /// A stage attempt: its tasks, those that completed, and the run time of those that ended.
  void add(double tasks, double complete, double run_seconds) {
    if (!(complete > 0)) return;
    const double remaining = std::max(0.0, tasks - complete);
    weighted_seconds_ += remaining * run_seconds / complete;
    weight_ += remaining;
  }
  /// 0 = not known.
  double seconds() const { return weight_ > 0 ? weighted_seconds_ / weight_ : 0; }

 private:
  double weighted_seconds_ = 0;
  double weight_ = 0;
};

}  // namespace flintgauge
