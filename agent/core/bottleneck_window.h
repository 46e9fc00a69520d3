// The last minutes of one application, as the classifier wants them: increases of counters, means of gauges.
// Private to the evaluator. One thread; time is an argument; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/core/app_sample.h"
#include "flintgauge/bottleneck.h"
#include "flintgauge/time.h"

namespace flintgauge {

class BottleneckWindow {
 public:
  /// The shortest window; a longer one, of up to 2.5 times that, is taken while few tasks have ended in it.
  explicit BottleneckWindow(std::int64_t window_ms) : window_ms_(window_ms) {}

  /// Time never goes back; a counter that fell is another one, and all begins anew.
  void add(const AppSample& sample, SteadyTime at);

  /// window_seconds is 0 while the samples do not span the shortest window.
  BottleneckInput input() const;

  /// How long dynamic allocation has asked for more executors than there are, until now; before a window is
  /// full, too.
  double shortfall_seconds() const;

 private:
  static constexpr std::int64_t kPointsPerWindow = 12;
  static constexpr std::size_t kPoints = kPointsPerWindow * 5 / 2 + 2;
  struct Point {
    SteadyTime at;
    AppSample sample;
  };
  const Point& point(std::size_t i) const { return points_[(first_ + i) % kPoints]; }  // oldest first
  bool is_quiet_since(std::size_t begin) const;
  std::size_t begin_of_window() const;
  void write_means(std::size_t begin, BottleneckInput& out) const;
  void follow_states(const AppSample& sample, SteadyTime at);
  bool fell(const AppSample& sample) const;

  std::int64_t window_ms_;
  std::array<Point, kPoints> points_{};
  std::size_t first_ = 0, count_ = 0;
  Point last_;  ///< the newest, kept apart: points are spaced
  bool has_last_ = false;
  // States that have held at every sample since then.
  bool is_short_ = false, is_tail_ = false;
  SteadyTime short_since_, tail_since_;
};

}  // namespace flintgauge
