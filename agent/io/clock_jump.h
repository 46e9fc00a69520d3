// Steps of the wall clock: seen by comparing how far both clocks moved.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "flintgauge/time.h"

namespace flintgauge {

/// Pure: time is an argument. One thread.
class ClockJumpDetector {
 public:
  static constexpr std::int64_t kToleranceMs = 2'000;

  explicit ClockJumpDetector(const Now& started) : last_(started) {}

  /// Milliseconds the wall clock was set forward (> 0) or back (< 0) since the last call; 0 when it moved
  /// with the steady clock to within kToleranceMs.
  std::int64_t observe(const Now& now) {
    const std::int64_t drift = (now.wall.ms - last_.wall.ms) - elapsed_ms(last_.steady, now.steady);
    last_ = now;
    return std::llabs(drift) > kToleranceMs ? drift : 0;
  }

 private:
  Now last_;
};

}  // namespace flintgauge
