// The only time types. Pure code takes them as arguments; agent/io reads the clocks.
#pragma once

#include <compare>
#include <cstdint>

namespace flintgauge {

/// Milliseconds on a clock that never goes back and goes on during suspend. Intervals and TTLs use this one.
struct SteadyTime {
  std::int64_t ms = 0;
  auto operator<=>(const SteadyTime&) const = default;
};

/// Milliseconds since 1970-01-01 UTC. Compared only with time stamps that others sent.
struct WallTime {
  std::int64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
};

/// One reading of both clocks.
struct Now {
  SteadyTime steady;
  WallTime wall;
};

constexpr std::int64_t elapsed_ms(SteadyTime from, SteadyTime to) { return to.ms - from.ms; }

}  // namespace flintgauge
