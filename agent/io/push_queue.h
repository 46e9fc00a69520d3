// Reports of pushes on their way from the listener to the source's thread, which owns the fold.
#pragma once

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "flintgauge/push.h"

namespace flintgauge {

/// Bounded. A full queue loses nothing: reports hold the latest values, so who finds it full keeps them and
/// comes again.
class PushQueue {
 public:
  static constexpr std::size_t kReports = 512;

  /// Any thread. Only one offers at a time, so what has_room() says holds until it does.
  bool has_room() const {
    const std::lock_guard lock(mutex_);
    return reports_.size() < kReports;
  }
  /// REQUIRES: has_room().
  void offer(PushReport report) {
    const std::lock_guard lock(mutex_);
    reports_.push_back(std::move(report));
  }

  /// All of them, in their order. Any thread.
  std::vector<PushReport> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reports_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<PushReport> reports_;
};

}  // namespace flintgauge
