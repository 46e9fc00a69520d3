#include "agent/io/rate_limit.h"

#include <algorithm>
#include <utility>

namespace flintgauge::log {

bool RateLimit::pass_overall(SteadyTime now) {
  if (elapsed_ms(window_start_, now) >= kIntervalMs) {
    window_start_ = now;
    window_lines_ = 0;
  }
  if (window_lines_ >= kLinesPerMinute) return false;
  ++window_lines_;
  return true;
}

RateLimit::Entry& RateLimit::insert(std::string_view key) {
  if (entries_.size() >= kKeys) {
    // Linear, but only reached by a storm of different keys, whose lines are bounded by pass_overall.
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_asked < b.second.last_asked;
    }));
  }
  return entries_.try_emplace(std::string(key)).first->second;
}

std::optional<std::uint64_t> RateLimit::pass(std::string_view key, SteadyTime now) {
  const auto found = entries_.find(std::string(key));
  const bool is_new = found == entries_.end();
  if (!is_new) found->second.last_asked = now;
  const bool is_due = is_new || elapsed_ms(found->second.last_passed, now) >= kIntervalMs;
  if (!is_due || !pass_overall(now)) {
    if (!is_new) ++found->second.suppressed;
    ++suppressed_total_;
    return std::nullopt;
  }
  Entry& entry = is_new ? insert(key) : found->second;
  entry.last_passed = now;
  entry.last_asked = now;
  return std::exchange(entry.suppressed, 0);
}

}  // namespace flintgauge::log
