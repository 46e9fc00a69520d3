// Timing against a floor in the same process: ratios survive a slow or busy machine, times do not.
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace flintgauge::bench {

/// CPU time of this thread: a ratio must not depend on who else is on the machine.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <typename Work>
double seconds_of(Work work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

inline double median(std::vector<double> passes) {
  std::nth_element(passes.begin(), passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 2),
                   passes.end());
  return passes[passes.size() / 2];
}

/// Times `pass` and `floor` in turns. ratio_to_floor = median floor / median pass: 1 = as fast as the floor.
template <typename Pass, typename Floor>
void run_in_turns(benchmark::State& state, std::size_t bytes, Pass pass, Floor floor) {
  std::vector<double> times;
  std::vector<double> floors;
  for (auto _ : state) {
    times.push_back(seconds_of(pass));
    floors.push_back(seconds_of(floor));
    state.SetIterationTime(times.back());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
  state.counters["median_ms"] = median(times) * 1e3;
  state.counters["floor_ms"] = median(floors) * 1e3;
  state.counters["ratio_to_floor"] = median(floors) / median(times);
}

}  // namespace flintgauge::bench
