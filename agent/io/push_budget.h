// How much a tenant may push: a token bucket. Pure; time is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

#include "flintgauge/time.h"

namespace flintgauge {

/// Fills at `rate` a second, holds kBurstSeconds of it: JVMs report every 10 s or so, all lines at once.
class TokenBucket {
 public:
  static constexpr double kBurstSeconds = 10;

  TokenBucket(double rate, SteadyTime now) : rate_(rate), tokens_(rate * kBurstSeconds), filled_(now) {}

  double tokens(SteadyTime now) {
    const auto seconds = static_cast<double>(std::max<std::int64_t>(0, elapsed_ms(filled_, now))) / 1000;
    tokens_ = std::min(rate_ * kBurstSeconds, tokens_ + seconds * rate_);
    filled_ = now;
    return tokens_;
  }
  /// May leave a debt, which the next second pays.
  void charge(double amount) { tokens_ -= amount; }

 private:
  double rate_;
  double tokens_;
  SteadyTime filled_;
};

}  // namespace flintgauge
