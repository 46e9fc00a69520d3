// The numbers a group of pods (an application's role, or a namespace's workload) has, as columns: what feeds
// each and which family shows it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "flintgauge/catalogue.h"
#include "flintgauge/measure.h"

namespace flintgauge::kubelet {

/// Counters of containers and sandboxes come first and have the place of their Measure.
inline constexpr std::size_t kSampledCounters =
    static_cast<std::size_t>(Measure::kNetworkTransmitDropped) + 1;

/// The columns that are not simply the counter measures, from kSampledCounters on.
enum class Column : std::uint8_t {
  kRestarts = kSampledCounters,
  kOomKills,
  kWorkingSet,  // gauges from here
  kWorkingSetMax,
  kRss,
  kCache,
  kSwap,
  kMemoryRequests,
  kMemoryLimits,
  kCpuRequests,
  kCpuLimits,
  kEphemeralStorage,
  kPodsPending,  // in the order of Phase
  kPodsRunning,
  kPodsSucceeded,
  kPodsFailed,
  kPodsUnknown,
  kResizingDeferred,
  kResizingInfeasible,
  kResizingInProgress,
  kResizingError,
};
inline constexpr std::size_t kColumns = static_cast<std::size_t>(Column::kResizingError) + 1;
inline constexpr std::size_t kFirstGauge = static_cast<std::size_t>(Column::kWorkingSet);

constexpr std::size_t column_of(Measure counter) { return static_cast<std::size_t>(counter); }
constexpr std::size_t column_of(Column column) { return static_cast<std::size_t>(column); }

/// A set of columns.
using ColumnMask = std::uint64_t;
static_assert(kColumns < 64);
constexpr ColumnMask bit(std::size_t column) { return ColumnMask{1} << column; }

struct ColumnFamilies {
  FamilyId app;
  FamilyId of_namespace;
  /// Values of the family's last labels (scope, phase, direction; resource and kind), "" where it has none.
  std::string_view label, second_label;
};

/// The families PREFIX_SUFFIX; a name that is not in the catalogue does not compile.
consteval FamilyId family_with(std::string_view prefix, std::string_view suffix) {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    const std::string_view name = kCatalogue[i].name;
    if (name.starts_with(prefix) && name.substr(prefix.size()) == suffix) return static_cast<FamilyId>(i);
  }
  throw "no such family in the catalogue";
}
consteval ColumnFamilies column(std::string_view suffix, std::string_view label = {},
                                std::string_view second_label = {}) {
  return {family_with("flintgauge_app_", suffix), family_with("flintgauge_namespace_", suffix), label,
          second_label};
}

inline constexpr std::array<ColumnFamilies, kColumns> kColumnFamilies = {
    column("cpu_usage_seconds_total"),
    column("cpu_cfs_periods_total"),
    column("cpu_cfs_throttled_periods_total"),
    column("cpu_throttled_seconds_total"),
    column("memory_major_page_faults_total"),
    column("oom_kills_total", "process"),
    column("fs_read_bytes_total"),
    column("fs_written_bytes_total"),
    column("pressure_seconds_total", "cpu", "waiting"),
    column("pressure_seconds_total", "cpu", "stalled"),
    column("pressure_seconds_total", "memory", "waiting"),
    column("pressure_seconds_total", "memory", "stalled"),
    column("pressure_seconds_total", "io", "waiting"),
    column("pressure_seconds_total", "io", "stalled"),
    column("network_receive_bytes_total"),
    column("network_transmit_bytes_total"),
    column("network_errors_total", "receive"),
    column("network_errors_total", "transmit"),
    column("network_packets_dropped_total", "receive"),
    column("network_packets_dropped_total", "transmit"),
    column("container_restarts_total"),
    column("oom_kills_total", "container"),
    column("memory_working_set_bytes"),
    column("memory_working_set_max_bytes"),
    column("memory_rss_bytes"),
    column("memory_cache_bytes"),
    column("swap_usage_bytes"),
    column("memory_requests_bytes"),
    column("memory_limits_bytes"),
    column("cpu_requests_cores"),
    column("cpu_limits_cores"),
    column("ephemeral_storage_usage_bytes"),
    column("pods", "Pending"),
    column("pods", "Running"),
    column("pods", "Succeeded"),
    column("pods", "Failed"),
    column("pods", "Unknown"),
    column("pods_resizing", "deferred"),
    column("pods_resizing", "infeasible"),
    column("pods_resizing", "in_progress"),
    column("pods_resizing", "error"),
};

constexpr bool is_pressure(Measure measure) {
  return measure >= Measure::kPressureCpuWaitingSeconds && measure <= Measure::kPressureIoStalledSeconds;
}
inline constexpr ColumnMask kPressureColumns = bit(column_of(Measure::kPressureIoStalledSeconds) + 1) -
                                               bit(column_of(Measure::kPressureCpuWaitingSeconds));

/// What a row of a scope is worth to the fold.
enum class RowKind : std::uint8_t {
  kIgnored,
  kCounter,
  kGauge,
  kStartTime,
  kScrapeError,
  kEvidence,  ///< of the node: above 0 it proves that this is measured here
};

constexpr RowKind kind_of(Scope scope, Measure measure) {
  const bool network =
      measure >= Measure::kNetworkReceiveBytes && measure <= Measure::kNetworkTransmitDropped;
  if (measure == Measure::kStartTimeSeconds) return RowKind::kStartTime;
  if (measure == Measure::kScrapeError) return RowKind::kScrapeError;
  switch (scope) {
    case Scope::kContainer:
      if (measure < Measure::kNetworkReceiveBytes) return RowKind::kCounter;
      return measure >= Measure::kMemoryWorkingSetBytes && measure <= Measure::kMemorySwapBytes
                 ? RowKind::kGauge
                 : RowKind::kIgnored;
    case Scope::kSandbox:
      return network ? RowKind::kCounter : RowKind::kIgnored;
    case Scope::kPod:  // of a pod's cgroup only what no container row has
      if (measure == Measure::kEphemeralStorageBytes) return RowKind::kGauge;
      return network ? RowKind::kCounter : RowKind::kIgnored;
    case Scope::kNode:
      if (measure == Measure::kCpuUsageSeconds) return RowKind::kCounter;
      if (is_pressure(measure) || measure == Measure::kMemorySwapBytes) return RowKind::kEvidence;
      return measure == Measure::kMemoryWorkingSetBytes ||
                     (measure >= Measure::kMachineCpuCores && measure <= Measure::kNodeFsAvailableBytes)
                 ? RowKind::kGauge
                 : RowKind::kIgnored;
    case Scope::kVolume:
      return RowKind::kGauge;
    case Scope::kExecutor:
    case Scope::kDriver:
    case Scope::kQuery:
    case Scope::kTool:
      return RowKind::kIgnored;
  }
  return RowKind::kIgnored;
}

}  // namespace flintgauge::kubelet
