#include "agent/core/kubelet_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace flintgauge::kubelet {
namespace {

constexpr ColumnMask kCounters = bit(kFirstGauge) - 1;

constexpr std::array kSampledGauges = {Column::kWorkingSet, Column::kWorkingSetMax,
                                       Column::kRss,        Column::kCache,
                                       Column::kSwap,       Column::kEphemeralStorage};

constexpr std::array kNodeFamilies = {
    family("flintgauge_node_cpu_usage_seconds_total"), family("flintgauge_node_memory_working_set_bytes"),
    family("flintgauge_node_cpu_capacity_cores"),      family("flintgauge_node_memory_capacity_bytes"),
    family("flintgauge_node_fs_capacity_bytes"),       family("flintgauge_node_fs_available_bytes")};

/// Columns of a container's cells, by gauge_place.
constexpr std::array kContainerGauges = {Column::kWorkingSet, Column::kRss, Column::kCache, Column::kSwap};

constexpr double kOne = 1;  // of info series

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
  if (!families.second_label.empty()) {
    if (group.is_app) {
      writer.add(
          families.app,
          {group.namespace_name, group.name, to_string(group.role), families.label, families.second_label},
          value);
    } else {
      writer.add(families.of_namespace,
                 {group.namespace_name, group.name, families.label, families.second_label}, value);
    }
  } else if (group.is_app && labelled) {
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

constexpr std::array kClaimFamilies = {
    std::pair(family("flintgauge_app_volume_usage_bytes"), family("flintgauge_namespace_volume_usage_bytes")),
    std::pair(family("flintgauge_app_volume_capacity_bytes"),
              family("flintgauge_namespace_volume_capacity_bytes"))};

void add_claim(const Group& group, Claim& claim, SchemaWriter& writer) {
  for (std::size_t which = 0; which < kSeriesPerClaim; ++which) {
    if ((claim.present & (1U << which)) == 0) continue;
    const auto& [app, of_namespace] = kClaimFamilies[which];
    if (group.is_app) {
      writer.add(app, {group.namespace_name, group.name, to_string(group.role), claim.name},
                 claim.value[which]);
    } else {
      writer.add(of_namespace, {group.namespace_name, group.name, claim.name}, claim.value[which]);
    }
  }
  claim.shown = claim.present;
}

/// Spark's own container among those of an executor or driver pod; a pod template may have renamed it or put
/// others beside it.
bool is_sparks_own(const Pod& pod, const Container& container) {
  for (const std::string_view name : {"spark-kubernetes-executor", "executor", "spark-kubernetes-driver"}) {
    if (container.name == name) return true;
  }
  const auto is_regular = [](const Container& one) { return one.kind == ContainerKind::kRegular; };
  return is_regular(container) && std::ranges::count_if(pod.containers, is_regular) == 1;
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
  groups_.budget().write_refused(block.refused);
}

/// Pressure that is 0 everywhere is not measured.
ColumnMask Page::hidden_counters() {
  measures_pressure_ = measures_pressure_ || samples_.measures_pressure();
  for (const Group& group : groups_.all()) {
    if (measures_pressure_) break;
    for (std::size_t i = 0; i < kColumns; ++i)
      measures_pressure_ |= (kPressureColumns & bit(i)) != 0 && group.value[i] > 0;
  }
  return measures_pressure_ ? 0 : kPressureColumns;
}

void Page::fill_usage(Block& block, const Now& now) const {
  block.spark_usage.clear();
  if (block.pods == nullptr) return;
  constexpr std::size_t kCpu = channel_of(Measure::kCpuUsageSeconds);
  for (const Slot& slot : slots_.all()) {
    if (!slot.used || slot.scope != Scope::kContainer || slot.listed_pod == nullptr || slot.superseded)
      continue;
    if (slot.pod == kNoPod || !SlotTable::is_live(slot)) continue;
    const GroupIndex app = pods_[slot.pod].app;
    if (app == kNoGroup || (groups_[app].role != Role::kExecutor && groups_[app].role != Role::kDriver))
      continue;
    if (slot.listed == nullptr || !is_sparks_own(*slot.listed_pod, *slot.listed)) continue;
    SparkUsage usage;
    usage.pod = static_cast<std::uint32_t>(slot.listed_pod - block.pods->pods.data());
    constexpr std::array kGauges = {Measure::kMemoryWorkingSetBytes, Measure::kMemoryRssBytes};
    const std::array values = {&usage.memory_working_set_bytes, &usage.memory_rss_bytes};
    for (std::size_t i = 0; i < kGauges.size(); ++i) {
      const Cell* cell = samples_.fresh_cell(slot.gauges[gauge_place(Scope::kContainer, kGauges[i])], now);
      if (cell != nullptr) *values[i] = cell->value;
    }
    const Channel& cpu = slot.counters[kCpu];
    if (cpu.reign != 0) {
      usage.cpu_seconds = cpu.counted;
      usage.cpu_at_ms = cpu.last_ms;
    }
    const bool is_told = !std::isnan(usage.memory_working_set_bytes) || !std::isnan(usage.memory_rss_bytes) ||
                         !std::isnan(usage.cpu_seconds);
    if (is_told) block.spark_usage.push_back(usage);  // else another slot means this container
  }
}

void Page::sum_gauges(const Now& now) {
  const ColumnMask counters = kCounters & ~hidden_counters();
  for (Group& group : groups_.all()) {
    for (const Column column : kSampledGauges) group.value[column_of(column)] = 0;
    group.present = (group.fed & counters) | group.from_pods;
  }
  groups_.begin_claims();
  origin_ = {};
  node_present_ = samples_.node().fed ? bit(0) : 0;
  node_[0] = samples_.node().cpu_seconds;
  read_completeness();
  for (const Slot& slot : slots_.all()) {
    if (!slot.used) continue;
    if (slot.scope == Scope::kNode) read_node(slot, now);
    note_origin(slot);
    if (slot.pod == kNoPod || slot.superseded || !SlotTable::is_live(slot)) continue;
    if (slot.scope == Scope::kContainer) add_container(slot, now);
    if (slot.scope == Scope::kVolume) add_volume(slot, now);
    if (slot.scope != Scope::kPod) continue;
    const Cell* cell = samples_.fresh_cell(slot.gauges[0], now);
    if (cell != nullptr) add_gauge(pods_[slot.pod], Column::kEphemeralStorage, cell->value);
  }
  groups_.end_claims();
}

void Page::add_volume(const Slot& slot, const Now& now) {
  const KnownPod& pod = pods_[slot.pod];
  for (std::size_t which = 0; which < kSeriesPerClaim; ++which) {
    const Cell* cell = samples_.fresh_cell(slot.gauges[which], now);
    if (cell == nullptr) continue;
    for (const GroupIndex index : {pod.app, pod.workload})
      groups_.add_claim(index, slot.route.container, which, cell->value);
  }
}

void Page::note_origin(const Slot& slot) {
  if (slot.rows == 0) return;
  // A row that cAdvisor made names the cgroup's path, and in it the pod.
  if (slot.scope == Scope::kContainer && !slot.route.container_id.empty())
    origin_.provider = slot.route.pod_uid.empty() ? "cri" : "cadvisor";
  if (slot.scope != Scope::kSandbox) return;
  const Channel& network = slot.counters[channel_of(Measure::kNetworkReceiveBytes)];
  if (network.rows == 0) return;
  if (network.rank == kSummaryRank && origin_.network == "none") origin_.network = "summary";
  if (network.rank != kSummaryRank) origin_.network = "cadvisor";
}

void Page::add_container(const Slot& slot, const Now& now) {
  const KnownPod& pod = pods_[slot.pod];
  const std::size_t gauges = kContainerGauges.size() - (samples_.measures_swap() ? 0 : 1);
  for (std::size_t i = 0; i < gauges; ++i) {
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
    aged_[rank] = said.has_age;
    age_seconds_[rank] = said.age_seconds;
  }
}

bool Page::same_series() const {
  if (generation_ != groups_.generation() || schema_node_ != node_present_ || schema_told_ != told_ ||
      schema_aged_ != aged_ || schema_origin_ != origin_)
    return false;
  const std::vector<Group>& groups = groups_.all();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].present != schema_present_[i]) return false;
    for (const Claim& claim : groups[i].claims) {
      if (claim.present != claim.shown) return false;
    }
  }
  return true;
}

void Page::build_schema() {
  SchemaWriter writer;
  schema_present_.clear();
  for (Group& group : groups_.all()) {
    schema_present_.push_back(group.present);
    for (Claim& claim : group.claims) add_claim(group, claim, writer);
    for (std::size_t column = 0; column < kColumns; ++column) {
      if (group.used && (group.present & bit(column)) != 0) add_series(group, column, writer);
    }
  }
  for (std::size_t column = 0; column < kNodeColumns; ++column) {
    if ((node_present_ & bit(column)) != 0) writer.add(kNodeFamilies[column], {}, node_[column]);
  }
  for (Rank rank = 0; rank < kRanks; ++rank) {
    const std::string_view key = samples_.completeness(rank).key;
    if (told_[rank]) writer.add(family("flintgauge_target_incomplete"), {"kubelet", key}, incomplete_[rank]);
    if (aged_[rank])
      writer.add(family("flintgauge_target_sample_age_seconds"), {"kubelet", key}, age_seconds_[rank]);
  }
  if (!origin_.provider.empty())
    writer.add(family("flintgauge_kubelet_info"), {origin_.network, origin_.provider}, kOne);
  schema_ = writer.build(places_);
  generation_ = groups_.generation();
  schema_node_ = node_present_;
  schema_told_ = told_;
  schema_aged_ = aged_;
  schema_origin_ = origin_;
}

}  // namespace flintgauge::kubelet
