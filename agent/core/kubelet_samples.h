// Rows of the kubelet's sample pages: baselines, reset-aware increments, freshness. Private to the kubelet
// fold; one thread.
//
// Three kinds of target may speak about the same container: the full text page, the page that stands in for
// it, the summary. At any time one of them reigns over a counter of a slot. When another takes over, its
// first values are compared with what has been counted so far, so the total goes on where it was.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/kubelet_slots.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge::kubelet {

/// Samples older than this say nothing about now (kubelet-cadvisor.md section 8.2); endpoints that are asked
/// less often have three of their intervals.
inline constexpr std::int64_t kFreshMs = 60'000;

/// Stamps further in the future, and those of 1970, are not believed.
inline constexpr std::int64_t kMaxAheadMs = 10LL * 60'000;
inline constexpr std::int64_t kYear1971Ms = 31'536'000'000;

/// One series of a target.
struct Row {
  double value = 0;                        ///< baseline of a counter
  std::int64_t sampled_ms = kNoTimestamp;  ///< of the baseline: stamp, or time of receipt
  SlotIndex slot = kNoSlot;                ///< kNoSlot: not bound
  std::uint32_t reign = 0;                 ///< the baseline is valid while this is the channel's reign
  Measure measure = Measure::kCpuUsageSeconds;
  RowKind kind = RowKind::kIgnored;
  bool stamped = false;  ///< sampled_ms is a stamp
};

/// CPU time of the node, an accumulator like the groups'.
struct NodeTotal {
  double cpu_seconds = 0;
  bool fed = false;
};

class SampleTable {
 public:
  SampleTable(GroupTable& groups, PodTable& pods, SlotTable& slots)
      : groups_(groups), pods_(pods), slots_(slots) {}

  /// `agent_started_ms`: wall clock; what started later is counted from zero.
  FoldCounts apply(const Target& target, const SampleBatch& batch, const Now& now,
                   std::int64_t agent_started_ms);

  /// The target's rows no longer count; what they have counted stays. Its series keep their slots: a decoder
  /// that goes on does not name them again.
  void drop(const Target& target);

  /// Decides anew which instance of each container counts.
  void choose_instances();

  /// The value of a gauge that counts now, from the best source that has a fresh one; null when none has.
  const Cell* fresh_cell(const std::array<Cell, kRanks>& cells, const Now& now) const;

  const NodeTotal& node() const { return node_; }

  /// What a target's page says of itself.
  struct Completeness {
    std::string_view key;   ///< of the target; lives as long as this object
    bool told = false;      ///< it says so now; a page without such a row, or a dropped one, does not
    double incomplete = 0;  ///< 1 or 0
    bool has_age = false;
    double age_seconds = 0;  ///< of its oldest memory sample of a live container, when it came
  };
  Completeness completeness(Rank rank) const {
    const Source& source = sources_[rank];
    const double age_seconds = static_cast<double>(source.oldest_age_ms) / 1000;
    return {source.key, source.counts && source.tells, source.incomplete ? 1.0 : 0.0,
            source.counts && source.oldest_age_ms != kNoAge, age_seconds};
  }

  /// Kernels and kubelets without pressure or swap show zeros: only something above 0 proves that they are
  /// measured (kubelet-cadvisor.md sections 3.3 and 7).
  bool measures_pressure() const { return measures_pressure_; }
  bool measures_swap() const { return measures_swap_; }

 private:
  static constexpr std::int64_t kNoAge = INT64_MIN;
  struct Source {
    std::string key;
    std::string fallback_of;
    std::int64_t fresh_ms = kFreshMs;
    std::uint32_t batch = 0;  ///< number of the newest one
    bool counts = false;      ///< not dropped
    bool tells = false;       ///< the newest batch has a row that says whether it is complete
    bool incomplete = false;
    std::int64_t oldest_age_ms = kNoAge;
    SteadyTime committed;
    std::vector<Row> rows;
  };
  struct Newcomer {
    std::uint32_t row;
    double value;
    std::int64_t sampled_ms;
    bool stamped;
  };
  /// What one apply() needs to know everywhere.
  struct Pass {
    Rank rank;
    Now now;
    std::int64_t agent_started_ms;
    FoldCounts counts;
  };

  Rank rank_of(const Target& target);
  bool bind_rows(const SampleBatch& batch, const Pass& pass);
  void let_go(Row& row, const Now& now);
  bool note_presence(const SampleBatch& batch, const Pass& pass);
  void take(Source& source, const Sample& sample, Pass& pass);
  void take_gauge(const Row& row, const Sample& sample, Pass& pass);
  void take_evidence(Measure measure, double value);
  bool is_countable(const Slot& slot, const Sample& sample, Pass& pass) const;
  void take_counter(std::uint32_t index, const Sample& sample, Pass& pass);
  void take_newcomers(Pass& pass);
  void take_newcomer(const Newcomer& newcomer, Pass& pass);
  bool accepts(const Channel& channel, SlotIndex speaker, const Pass& pass) const;
  double first_amount(Channel& channel, const Slot& slot, Pass& pass) const;
  static double amount_after_change(Channel& channel, Rank rank);
  void begin_reign(Channel& channel, const Slot& slot, SlotIndex speaker, Rank rank);
  void park_replaced();
  void forget_baseline(Row& row);
  void add(const Slot& slot, Measure measure, double amount);
  Channel& channel_of_row(const Row& row) {
    return slots_.meant(row.slot).counters.at(channel_of(row.measure));
  }

  GroupTable& groups_;
  PodTable& pods_;
  SlotTable& slots_;
  std::array<Source, kRanks> sources_;
  std::vector<Newcomer> newcomers_;
  NodeTotal node_;
  bool measures_pressure_ = false;
  bool measures_swap_ = false;
};

}  // namespace flintgauge::kubelet
