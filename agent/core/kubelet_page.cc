#include "agent/core/kubelet_page.h"

#include <algorithm>
#include <utility>

namespace flintgauge::kubelet {
namespace {

constexpr ColumnMask kCounters = bit(kFirstGauge) - 1;

constexpr std::array kSampledGauges = {Column::kWorkingSet, Column::kWorkingSetMax, Column::kRss,
                                       Column::kCache, Column::kEphemeralStorage};

constexpr std::array kNodeFamilies = {
    family("flintgauge_node_cpu_usage_seconds_total"), family("flintgauge_node_memory_working_set_bytes"),
    family("flintgauge_node_cpu_capacity_cores"),      family("flintgauge_node_memory_capacity_bytes"),
    family("flintgauge_node_fs_capacity_bytes"),       family("flintgauge_node_fs_available_bytes")};

/// Columns of a container's cells, by gauge_place.
constexpr std::array kContainerGauges = {Column::kWorkingSet, Column::kRss, Column::kCache};

/// Collects tickets of a SchemaBuilder and where their values are.
class SchemaWriter {
 public:
  void add(FamilyId family, std::initializer_list<std::string_view> labels, const double& value) {
    builder_.add(family, labels);
    values_.push_back(&value);
  }

  std::shared_ptr<const Schema> build(std::vector<const double*>& places) {
    SchemaBuilder::Built built = builder_.build();
    places.clear();
    for (const std::uint32_t ticket : built.ticket_of) places.push_back(values_[ticket]);
    return std::move(built.schema);
  }

 private:
  SchemaBuilder builder_;
  std::vector<const double*> values_;  // by ticket
};

void add_series(const Group& group, std::size_t column, SchemaWriter& writer) {
  const ColumnFamilies& families = kColumnFamilies[column];
  const double& value = group.value[column];
  const bool labelled = !families.label.empty();
  if (group.is_app && labelled) {
    writer.add(families.app, {group.namespace_name, group.name, to_string(group.role), families.label},
               value);
  } else if (group.is_app) {
    writer.add(families.app, {group.namespace_name, group.name, to_string(group.role)}, value);
  } else if (labelled) {
    writer.add(families.of_namespace, {group.namespace_name, group.name, families.label}, value);
  } else {
    writer.add(families.of_namespace, {group.namespace_name, group.name}, value);
  }
}

}  // namespace

void Page::fill(Block& block, const Now& now) {
  sum_gauges(now);
  if (schema_ == nullptr || !same_series()) build_schema();
  block.committed = now.steady;
  block.committed_wall = now.wall;
  block.schema = schema_;
  block.values.resize(places_.size());
  for (std::size_t i = 0; i < places_.size(); ++i) block.values[i] = *places_[i];
}

void Page::sum_gauges(const Now& now) {
  for (Group& group : groups_.all()) {
    for (const Column column : kSampledGauges) group.value[column_of(column)] = 0;
    group.present = (group.fed & kCounters) | group.from_pods;
  }
  node_present_ = samples_.node().fed ? bit(0) : 0;
  node_[0] = samples_.node().cpu_seconds;
  read_completeness();
  for (const Slot& slot : slots_.all()) {
    if (!slot.used) continue;
    if (slot.scope == Scope::kNode) read_node(slot, now);
    if (slot.pod == kNoPod || slot.superseded || !SlotTable::is_live(slot)) continue;
    if (slot.scope == Scope::kContainer) add_container(slot, now);
    if (slot.scope != Scope::kPod) continue;
    const Cell* cell = samples_.fresh_cell(slot.gauges[0], now);
    if (cell != nullptr) add_gauge(pods_[slot.pod], Column::kEphemeralStorage, cell->value);
  }
}

void Page::add_container(const Slot& slot, const Now& now) {
  const KnownPod& pod = pods_[slot.pod];
  for (std::size_t i = 0; i < kContainerGauges.size(); ++i) {
    const Cell* cell = samples_.fresh_cell(slot.gauges[i], now);
    if (cell == nullptr) continue;
    add_gauge(pod, kContainerGauges[i], cell->value);
    if (kContainerGauges[i] != Column::kWorkingSet) continue;
    for (const GroupIndex index : {pod.app, pod.workload}) {
      if (index == kNoGroup) continue;
      Group& group = groups_.target(index);
      double& largest = group.value[column_of(Column::kWorkingSetMax)];
      largest = std::max(largest, cell->value);
      group.present |= bit(column_of(Column::kWorkingSetMax));
    }
  }
}

void Page::add_gauge(const KnownPod& pod, Column column, double value) {
  for (const GroupIndex index : {pod.app, pod.workload}) {
    if (index == kNoGroup) continue;
    Group& group = groups_.target(index);
    group.value[column_of(column)] += value;
    group.present |= bit(column_of(column));
  }
}

void Page::read_node(const Slot& slot, const Now& now) {
  for (std::size_t i = 0; i < kSlotGauges; ++i) {
    const Cell* cell = samples_.fresh_cell(slot.gauges[i], now);
    if (cell == nullptr) continue;
    node_[1 + i] = cell->value;
    node_present_ |= bit(1 + i);
  }
}

void Page::read_completeness() {
  for (Rank rank = 0; rank < kRanks; ++rank) {
    const SampleTable::Completeness said = samples_.completeness(rank);
    told_[rank] = said.told;
    incomplete_[rank] = said.incomplete;
  }
}

bool Page::same_series() const {
  if (generation_ != groups_.generation() || schema_node_ != node_present_ || schema_told_ != told_)
    return false;
  const std::vector<Group>& groups = groups_.all();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].present != schema_present_[i]) return false;
  }
  return true;
}

void Page::build_schema() {
  SchemaWriter writer;
  schema_present_.clear();
  for (const Group& group : groups_.all()) {
    schema_present_.push_back(group.present);
    for (std::size_t column = 0; column < kColumns; ++column) {
      if (group.used && (group.present & bit(column)) != 0) add_series(group, column, writer);
    }
  }
  for (std::size_t column = 0; column < kNodeColumns; ++column) {
    if ((node_present_ & bit(column)) != 0) writer.add(kNodeFamilies[column], {}, node_[column]);
  }
  for (const auto& [name, use] : groups_.budget().namespaces()) {
    if (use.refused > 0) writer.add(family("flintgauge_series_overflow_total"), {name}, use.refused);
  }
  for (Rank rank = 0; rank < kRanks; ++rank) {
    if (!told_[rank]) continue;
    writer.add(family("flintgauge_target_incomplete"), {"kubelet", samples_.completeness(rank).key},
               incomplete_[rank]);
  }
  schema_ = writer.build(places_);
  generation_ = groups_.generation();
  schema_node_ = node_present_;
  schema_told_ = told_;
}

}  // namespace flintgauge::kubelet
