// Fills the kubelet's block: gauges summed from what is fresh now, the schema while the set of series stays
// the same, values. Private to the kubelet fold; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "agent/core/kubelet_samples.h"
#include "flintgauge/block.h"

namespace flintgauge::kubelet {

class Page {
 public:
  Page(GroupTable& groups, const PodTable& pods, const SlotTable& slots, const SampleTable& samples)
      : groups_(groups), pods_(pods), slots_(slots), samples_(samples) {}

  /// Allocates only when the set of series changed, or the block's vectors are too small.
  void fill(Block& block, const Now& now);
  /// Writes Block::spark_usage. REQUIRES: block.pods is the list that the slots were resolved with.
  void fill_usage(Block& block, const Now& now) const;

 private:
  /// CPU total, working set, cores, memory, file system size and space left.
  static constexpr std::size_t kNodeColumns = 6;

  /// Where numbers come from, as the rows tell; empty when no row does.
  struct Origin {
    std::string_view network = "none";
    std::string_view provider;
    bool operator==(const Origin&) const = default;
  };

  void sum_gauges(const Now& now);
  void add_container(const Slot& slot, const Now& now);
  void add_gauge(const KnownPod& pod, Column column, double value);
  void read_node(const Slot& slot, const Now& now);
  void read_completeness();
  void add_volume(const Slot& slot, const Now& now);
  void note_origin(const Slot& slot);
  ColumnMask hidden_counters();
  bool same_series() const;
  void build_schema();

  GroupTable& groups_;
  const PodTable& pods_;
  const SlotTable& slots_;
  const SampleTable& samples_;
  std::array<double, kNodeColumns> node_{};
  ColumnMask node_present_ = 0;
  std::array<double, kRanks> incomplete_{};  ///< by rank
  std::array<bool, kRanks> told_{};          ///< whether the page of that rank says so
  std::array<double, kRanks> age_seconds_{};
  std::array<bool, kRanks> aged_{};
  Origin origin_;
  bool measures_pressure_ = false;

  // The schema and what it was built for.
  std::shared_ptr<const Schema> schema_;
  std::uint64_t generation_ = 0;
  ColumnMask schema_node_ = 0;
  std::array<bool, kRanks> schema_told_{};
  std::array<bool, kRanks> schema_aged_{};
  Origin schema_origin_;
  std::vector<ColumnMask> schema_present_;  ///< by group
  /// Where each series has its value: in a group, in node_ or in the budget. Groups move only when one is
  /// made, and then the generation changes.
  std::vector<const double*> places_;
};

}  // namespace flintgauge::kubelet
