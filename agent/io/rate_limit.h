// How many log lines of one kind may pass: one per key and minute, and not more than kLinesPerMinute in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "flintgauge/time.h"

namespace flintgauge::log {

/// Pure: time is an argument. One thread at a time. Bounded: kKeys keys, the one asked for least recently
/// makes room (what was suppressed under it stays in suppressed_total()).
class RateLimit {
 public:
  static constexpr std::int64_t kIntervalMs = 60'000;
  static constexpr std::size_t kKeys = 512;
  static constexpr std::uint64_t kLinesPerMinute = 600;

  /// Absent: leave the line out. Else write it, and say that so many of its key were left out before it.
  std::optional<std::uint64_t> pass(std::string_view key, SteadyTime now);

  std::uint64_t suppressed_total() const { return suppressed_total_; }

 private:
  struct Entry {
    SteadyTime last_passed;
    SteadyTime last_asked;
    std::uint64_t suppressed = 0;
  };
  bool pass_overall(SteadyTime now);
  Entry& insert(std::string_view key);

  std::unordered_map<std::string, Entry> entries_;
  SteadyTime window_start_;
  std::uint64_t window_lines_ = 0;
  std::uint64_t suppressed_total_ = 0;
};

}  // namespace flintgauge::log
