#include "agent/io/system_clock.h"

#include <time.h>

namespace flintgauge {
namespace {

std::int64_t read_ms(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);  // fails only for an unknown clock
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Now read_clocks() noexcept {
  return {.steady = {.ms = read_ms(CLOCK_BOOTTIME)}, .wall = {.ms = read_ms(CLOCK_REALTIME)}};
}

}  // namespace flintgauge
