// Ratios that do not depend on who else is on the machine: two pieces of work take turns, each timed by the
// CPU time of its thread, and the medians are compared.
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace flintgauge::bench {

inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

template <typename Work>
double seconds_of(Work&& work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

/// The middle value of a non-empty list.
inline double median(std::vector<double> passes) {
  const auto middle = passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 2);
  std::nth_element(passes.begin(), middle, passes.end());
  return *middle;
}

struct Medians {
  double mine = 0;
  double other = 0;
};

/// Runs both once per iteration; the benchmark's own time is that of `mine`. Use with UseManualTime().
template <typename Mine, typename Other>
Medians take_turns(benchmark::State& state, Mine mine, Other other) {
  std::vector<double> mine_seconds;
  std::vector<double> other_seconds;
  for (auto _ : state) {
    mine_seconds.push_back(seconds_of(mine));
    other_seconds.push_back(seconds_of(other));
    state.SetIterationTime(mine_seconds.back());
  }
  return {median(mine_seconds), median(other_seconds)};
}

}  // namespace flintgauge::bench
