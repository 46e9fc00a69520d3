// The targets of a source: which there are, and whose turn it is.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/io/target_run.h"
#include "flintgauge/collector.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Owned by the source's thread. Targets of one server (scheme, host and port) form a lane: one request at a
/// time, in the order of the collectors within a round, so a kubelet is asked for /pods before
/// /metrics/cadvisor.
class TargetSet {
 public:
  struct Entry {
    std::unique_ptr<TargetRun> run;
    std::size_t lane = 0;
    std::size_t stands_for = kNone;  ///< index of the target that this one is a fallback of
  };
  struct Wanted {
    Target target;
    const Collector* collector;
  };
  using Make = std::function<std::unique_ptr<TargetRun>(Wanted wanted)>;

  static constexpr std::size_t kMaxTargets = 2'000;
  static constexpr std::size_t kMaxTargetsOfNamespace = 500;
  /// Failures in a row after which a fallback is asked.
  static constexpr std::int64_t kFailuresForFallback = 3;

  explicit TargetSet(std::size_t max_of_namespace) : max_of_namespace_(max_of_namespace) {}

  /// Takes over what discovery found: targets with the same key and address go on, others are made with
  /// `make`, those that are gone are returned for the caller to cancel and drop. What is over a limit is
  /// left out and counted in over_limit().
  std::vector<std::unique_ptr<TargetRun>> update(std::vector<Wanted> wanted, const Make& make);

  std::size_t over_limit() const { return over_limit_; }
  const std::vector<Entry>& entries() const { return entries_; }

  /// The next target to ask: in an idle lane, no fallback that rests, due for longest (so that none starves
  /// behind slow ones), and of those the first. Null when there is none.
  TargetRun* next(SteadyTime now) const;
  /// When next() may give one without anything having ended before; nothing when all lanes are busy.
  std::optional<SteadyTime> next_at() const;

  /// Every target that is not resting has been asked at least once.
  bool all_asked() const;
  /// A fallback that was asked although its target is up again: to be put to rest. Null when there is none.
  TargetRun* idle_fallback() const;

  /// That `run` went down, or came up, was told by another target of its server: one that ends takes all of
  /// its pages along.
  bool is_old_news(const TargetRun& run) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  bool is_wanted(const Entry& entry) const;
  void find_busy_lanes() const;
  std::size_t drop_over_limit(std::vector<Wanted>& wanted) const;

  std::size_t max_of_namespace_;
  std::vector<Entry> entries_;
  std::size_t lane_count_ = 0;
  std::size_t over_limit_ = 0;
  mutable std::vector<bool> is_busy_;  // by lane; scratch, so that asking whose turn it is allocates nothing
};

/// Scheme, host and port of an URL.
std::string_view origin_of(std::string_view url);

}  // namespace flintgauge
