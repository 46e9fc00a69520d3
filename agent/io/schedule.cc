#include "agent/io/schedule.h"

#include <algorithm>

namespace flintgauge {

Schedule::Schedule(std::int64_t interval_ms, std::int64_t phase_ms, SteadyTime first, std::int64_t retry_ms)
    : interval_ms_(interval_ms),
      phase_ms_(phase_ms % interval_ms),
      retry_ms_(retry_ms < interval_ms ? retry_ms : 0),
      due_(first) {}

void Schedule::failed(SteadyTime begun, std::int64_t failures, SteadyTime now) {
  const std::int64_t doublings = std::min<std::int64_t>(failures - 1, 16);
  if (retry_ms_ > 0) {
    const std::int64_t delay = std::min(std::max(retry_ms_, kMaxBackoffMs), retry_ms_ << doublings);
    due_ = {std::max(begun.ms + std::min(delay, interval_ms_), now.ms + 1)};
    return;
  }
  const std::int64_t most =
      std::max(interval_ms_, std::min(kMaxBackoffMs, kMaxBackoffIntervals * interval_ms_));
  due_ = next(begun, std::min(most, interval_ms_ << doublings), now);
}

void Schedule::not_offered(SteadyTime begun, std::int64_t absences, SteadyTime now) {
  const std::int64_t doublings = std::min<std::int64_t>(absences - 1, 16);
  const std::int64_t most = std::max(interval_ms_, kNotOfferedMs);
  due_ = next(begun, std::min(most, interval_ms_ << doublings), now);
}

// The grid point nearest to begun + delay, but later than now.
SteadyTime Schedule::next(SteadyTime begun, std::int64_t delay_ms, SteadyTime now) const {
  const std::int64_t earliest = std::max(begun.ms + delay_ms - interval_ms_ / 2, now.ms + 1);
  const std::int64_t steps = (earliest - phase_ms_ + interval_ms_ - 1) / interval_ms_;
  return {phase_ms_ + steps * interval_ms_};
}

std::int64_t start_delay_of(std::string_view node, std::int64_t interval_ms) {
  constexpr std::int64_t kMostMs = 5'000;
  return phase_of(node, std::clamp<std::int64_t>(interval_ms / 4, 1, kMostMs));
}

std::int64_t phase_of(std::string_view text, std::int64_t interval_ms) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(interval_ms));
}

}  // namespace flintgauge
