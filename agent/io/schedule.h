// When a target is asked next. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <string_view>

#include "flintgauge/time.h"

namespace flintgauge {

/// First at a given time; then on a grid of its interval, shifted by a phase of its own, so that targets of
/// equal interval and phase stay in one round and a fleet does not ask in step. A late or long scrape skips
/// grid points, it never bursts. One thread.
class Schedule {
 public:
  /// After failures the next try waits up to this many intervals (and 60 s): a target that is back is seen
  /// within two rounds, and three failures, which call in a fallback, fit into the 60 s that old data live.
  static constexpr std::int64_t kMaxBackoffIntervals = 2;
  static constexpr std::int64_t kMaxBackoffMs = 60'000;
  /// An endpoint that does not exist there is looked for this often in the end. At first sooner: a server
  /// that is starting does not have all of its pages, a Spark driver on a loaded node for a minute.
  static constexpr std::int64_t kNotOfferedMs = 600'000;
  static constexpr std::int64_t kLooks = 6;

  /// `retry_ms`: after a failure, when that is sooner than the interval; doubled up to 60 s. 0: as the
  /// interval. REQUIRES: interval_ms > 0.
  Schedule(std::int64_t interval_ms, std::int64_t phase_ms, SteadyTime first, std::int64_t retry_ms = 0);

  SteadyTime due() const { return due_; }
  bool is_due(SteadyTime now) const { return now >= due_; }

  /// The scrape begun at `begun` has ended at `now`.
  void succeeded(SteadyTime begun, SteadyTime now) { due_ = next(begun, interval_ms_, now); }
  /// `failures`: how many in a row, this one included, >= 1.
  void failed(SteadyTime begun, std::int64_t failures, SteadyTime now);
  /// `absences`: how many since it was last there, this one included, >= 1. After one interval, two, four...
  void not_offered(SteadyTime begun, std::int64_t absences, SteadyTime now);

  /// Not before `at`, on the grid.
  void put_off(SteadyTime at) {
    if (at > due_) due_ = next(at, interval_ms_ / 2, at);
  }
  /// Not asked at `now`: looked at again several times in an interval.
  void look_again(SteadyTime now) { due_ = {now.ms + interval_ms_ / kLooks + 1}; }
  /// Not later than `at`.
  void ask_by(SteadyTime at) {
    if (at < due_) due_ = at;
  }

 private:
  SteadyTime next(SteadyTime begun, std::int64_t delay_ms, SteadyTime now) const;

  std::int64_t interval_ms_;
  std::int64_t phase_ms_;
  std::int64_t retry_ms_;
  SteadyTime due_;
};

/// How long a node waits before its first round, so that a fleet started at once does not ask in step (each
/// first question costs the API server a review of the token): fixed for a node, spread over a quarter of the
/// interval and at most 5 s, because nothing is ready before.
std::int64_t start_delay_of(std::string_view node, std::int64_t interval_ms);

/// A number in [0, interval_ms), the same for the same text always and everywhere.
std::int64_t phase_of(std::string_view text, std::int64_t interval_ms);

}  // namespace flintgauge
