// Counters of things that come and go (executors, stage attempts), summed over all that were ever seen.
// Private to the Spark fold; one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "flintgauge/time.h"

namespace flintgauge::spark {

struct NoDetail {};

/// Detail of a job or a stage attempt: when it was submitted, which never changes. ms 0 = not told.
struct Submission {
  WallTime submitted;
};

/// A second SparkContext under the same application id (a driver whose container was started again, a program
/// that stops its session and makes another) numbers its jobs and stages from 0 again. True when a thing that
/// was seen before is listed as submitted later than it was. `newest`: the latest submission seen; it speaks
/// where the entry was folded.
template <typename Seen, typename Key>
bool is_numbered_anew(const Seen& seen, const Key& key, WallTime submitted, WallTime newest) {
  if (submitted.ms == 0) return false;
  const auto* const entry = seen.find(key);
  if (entry == nullptr) return seen.knows(key) && newest < submitted;
  const WallTime before = entry->detail.submitted;
  return before.ms != 0 && before < submitted;
}

/// Keeps a value per thing, because a thing that is gone from one list may still stand in another. When too
/// many are gone, the lowest keys are folded into a base: ids only ever grow, so a key at or below the
/// highest folded one that has no entry has been counted already.
/// `Detail`: what is known of a thing beside its counters, lost when it is folded.
template <typename Key, std::size_t kCounters, typename Detail = NoDetail>
class EverSeen {
 public:
  static constexpr std::size_t kKept = 1'000;  ///< entries that nobody lists

  struct Entry {
    std::array<double, kCounters> counters{};
    std::uint32_t holders = 0;  ///< sources that list it now
    [[no_unique_address]] Detail detail;
  };

  /// Null when the thing was folded into the base long ago. Entries do not move.
  Entry* find_or_make(const Key& key) {
    if (const auto at = entries_.find(key); at != entries_.end()) return &at->second;
    if (folded_to_ && !(*folded_to_ < key)) return nullptr;
    ever_ = true;
    return &entries_[key];
  }

  const Entry* find(const Key& key) const {
    const auto at = entries_.find(key);
    return at != entries_.end() ? &at->second : nullptr;
  }

  /// It has an entry, or was folded.
  bool knows(const Key& key) const { return entries_.contains(key) || (folded_to_ && !(*folded_to_ < key)); }

  /// Counters of one thing never fall: sources differ by what they have not heard of yet.
  static void raise(double& counter, double value) { counter = std::max(counter, value); }

  /// Of each counter, over everything that was ever seen.
  std::array<double, kCounters> totals() const {
    std::array<double, kCounters> sums = base_;
    for (const auto& [key, entry] : entries_) {
      for (std::size_t i = 0; i < kCounters; ++i) sums[i] += entry.counters[i];
    }
    return sums;
  }

  bool ever() const { return ever_; }

  /// Folds what nobody lists, oldest first, down to `kept` entries.
  void trim(std::size_t kept = kKept) {
    std::size_t unlisted = 0;
    for (const auto& [key, entry] : entries_) unlisted += entry.holders == 0 ? 1U : 0U;
    for (auto at = entries_.begin(); unlisted > kept && at != entries_.end();) {
      if (at->second.holders != 0) {
        ++at;
        continue;
      }
      for (std::size_t i = 0; i < kCounters; ++i) base_[i] += at->second.counters[i];
      if (!folded_to_ || *folded_to_ < at->first) folded_to_ = at->first;
      at = entries_.erase(at);
      --unlisted;
    }
  }

  /// Another driver begins to number its things anew. REQUIRES: nobody lists any.
  void begin_again() {
    trim(0);
    folded_to_.reset();
  }

  std::size_t size() const { return entries_.size(); }

 private:
  std::map<Key, Entry> entries_;
  std::array<double, kCounters> base_{};
  std::optional<Key> folded_to_;
  bool ever_ = false;
};

}  // namespace flintgauge::spark
