// /stats/summary read the slow way, from a tree.
#pragma once

#include <map>
#include <string>

#include "collectors/common/rfc3339.h"
#include "flintgauge/collector.h"
#include "support/pods_reference.h"

namespace flintgauge::reference {

struct Reading {
  double value = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
  bool operator==(const Reading&) const = default;
};

/// Readings by "scope measure namespace/pod uid claim".
using Readings = std::map<std::string, Reading>;

inline std::string key_of(const Route& r) {
  return std::to_string(static_cast<int>(r.scope)) + " " + std::to_string(static_cast<int>(r.measure)) + " " +
         r.namespace_name + "/" + r.pod + " " + r.pod_uid + " " + r.container;
}

inline void read_number(const Json* object, std::string_view name, Measure measure, Scope scope, Route route,
                        Readings& out) {
  const Json* number = at(object, {name});
  if (number == nullptr || number->type != Type::kNumber) return;
  double value = 0;
  const char* const end = number->text.data() + number->text.size();
  if (std::from_chars(number->text.data(), end, value).ec != std::errc{}) return;
  if (value < 0 || value >= 0x1p63) return;
  route.measure = measure;
  route.scope = scope;
  const auto time = parse_rfc3339(text_at(object, {"time"}));
  if (measure == Measure::kCpuUsageSeconds) value /= 1e9;
  out[key_of(route)] = {value, time ? time->ms : kNoTimestamp};
}

/// nullopt when it is no summary.
inline std::optional<Readings> summary(const Json& document) {
  const Json* node = at(&document, {"node"});
  const Json* pods = at(&document, {"pods"});
  const bool has_pods = pods != nullptr && pods->type == Type::kArray;
  if (document.type != Type::kObject || (!is_object(node) && !has_pods)) return std::nullopt;
  Readings out;
  if (is_object(node)) {
    read_number(at(node, {"cpu"}), "usageCoreNanoSeconds", Measure::kCpuUsageSeconds, Scope::kNode, {}, out);
    read_number(at(node, {"memory"}), "workingSetBytes", Measure::kMemoryWorkingSetBytes, Scope::kNode, {},
                out);
    read_number(at(node, {"fs"}), "capacityBytes", Measure::kNodeFsCapacityBytes, Scope::kNode, {}, out);
    read_number(at(node, {"fs"}), "availableBytes", Measure::kNodeFsAvailableBytes, Scope::kNode, {}, out);
  }
  for (const Json& pod : list_at(&document, {"pods"})) {
    if (pod.type != Type::kObject) continue;
    Route route;
    route.namespace_name = text_at(&pod, {"podRef", "namespace"});
    route.pod = text_at(&pod, {"podRef", "name"});
    route.pod_uid = text_at(&pod, {"podRef", "uid"});
    read_number(at(&pod, {"ephemeral-storage"}), "usedBytes", Measure::kEphemeralStorageBytes, Scope::kPod,
                route, out);
    const Json* network = at(&pod, {"network"});
    read_number(network, "rxBytes", Measure::kNetworkReceiveBytes, Scope::kSandbox, route, out);
    read_number(network, "txBytes", Measure::kNetworkTransmitBytes, Scope::kSandbox, route, out);
    read_number(network, "rxErrors", Measure::kNetworkReceiveErrors, Scope::kSandbox, route, out);
    read_number(network, "txErrors", Measure::kNetworkTransmitErrors, Scope::kSandbox, route, out);
    for (const Json& volume : list_at(&pod, {"volume"})) {
      route.container = text_at(&volume, {"pvcRef", "name"});
      if (route.container.empty()) continue;
      read_number(&volume, "usedBytes", Measure::kVolumeUsageBytes, Scope::kVolume, route, out);
      read_number(&volume, "capacityBytes", Measure::kVolumeCapacityBytes, Scope::kVolume, route, out);
    }
  }
  return out;
}

/// Follows the series of one decoder through its batches, as a fold does.
class SeriesFollower {
 public:
  /// What the batch says, by key_of(). Series that were not announced, or announced twice, show as "broken".
  Readings apply(const SampleBatch& batch) {
    for (const SeriesIndex series : batch.retired) broken_ = broken_ || live_.erase(series) == 0;
    for (const SeriesIndex series : batch.created) {
      broken_ = broken_ || !live_.emplace(series, key_of(batch.routes[series])).second;
    }
    Readings out;
    for (const Sample& sample : batch.samples) {
      const auto series = live_.find(sample.series);
      broken_ = broken_ || series == live_.end();
      if (series != live_.end()) out[series->second] = {sample.value, sample.timestamp_ms};
    }
    if (broken_) out["broken"] = {};
    return out;
  }
  const std::map<SeriesIndex, std::string>& live() const { return live_; }

 private:
  std::map<SeriesIndex, std::string> live_;
  bool broken_ = false;
};

}  // namespace flintgauge::reference
