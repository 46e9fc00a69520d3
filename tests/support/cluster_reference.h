// What a standalone master's page and the registries of masters and workers say, read slowly off the tree.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "flintgauge/collector.h"
#include "support/json_reference.h"

namespace flintgauge::reference {

using ClusterNumbers = std::map<Measure, double>;

inline std::optional<double> plain_number(const Json* node) {
  if (node == nullptr || node->type != Json::Type::kNumber) return std::nullopt;
  const double number = std::stod(node->text);
  return number < 0 ? std::nullopt : std::optional(number);
}

inline std::optional<ClusterNumbers> master(const Json& tree) {
  const Json* const status = tree.find("status");
  if (tree.type != Json::Type::kObject || status == nullptr || status->type != Json::Type::kString)
    return std::nullopt;
  ClusterNumbers numbers;
  if (status->text != "ALIVE") return numbers;
  numbers[Measure::kClusterWorkers] = 0;
  numbers[Measure::kClusterApplications] = 0;
  numbers[Measure::kClusterWaitingApplications] = 0;
  for (const auto& [name, measure] :
       {std::pair{"workers", Measure::kClusterWorkers}, {"activeapps", Measure::kClusterApplications}}) {
    const Json* const list = tree.find(name);
    if (list == nullptr || list->type != Json::Type::kArray) continue;
    for (const Json& row : list->elements) {
      if (row.type != Json::Type::kObject) continue;
      numbers[measure] += 1;
      const Json* const state = row.find("state");
      const bool waits = state != nullptr && state->type == Json::Type::kString && state->text == "WAITING";
      if (measure == Measure::kClusterApplications && waits)
        numbers[Measure::kClusterWaitingApplications] += 1;
    }
  }
  const double mib = 1024.0 * 1024.0;
  for (const auto& [name, measure, unit] : {std::tuple{"aliveworkers", Measure::kClusterAliveWorkers, 1.0},
                                            {"cores", Measure::kClusterCores, 1.0},
                                            {"coresused", Measure::kClusterUsedCores, 1.0},
                                            {"memory", Measure::kClusterMemoryBytes, mib},
                                            {"memoryused", Measure::kClusterUsedMemoryBytes, mib}}) {
    if (const auto number = plain_number(tree.find(name))) numbers[measure] = *number * unit;
  }
  return numbers;
}

inline std::optional<ClusterNumbers> cluster_registry(const Json& tree) {
  const Json* const gauges = tree.find("gauges");
  if (tree.type != Json::Type::kObject || gauges == nullptr || gauges->type != Json::Type::kObject)
    return std::nullopt;
  const double mib = 1024.0 * 1024.0;
  ClusterNumbers numbers;
  for (const auto& [name, measure, unit] : {std::tuple{"master.workers", Measure::kClusterWorkers, 1.0},
                                            {"master.aliveWorkers", Measure::kClusterAliveWorkers, 1.0},
                                            {"master.apps", Measure::kClusterApplications, 1.0},
                                            {"master.waitingApps", Measure::kClusterWaitingApplications, 1.0},
                                            {"worker.executors", Measure::kWorkerExecutors, 1.0},
                                            {"worker.coresFree", Measure::kWorkerFreeCores, 1.0},
                                            {"worker.coresUsed", Measure::kWorkerUsedCores, 1.0},
                                            {"worker.memFree_MB", Measure::kWorkerFreeMemoryBytes, mib},
                                            {"worker.memUsed_MB", Measure::kWorkerUsedMemoryBytes, mib}}) {
    const Json* const gauge = gauges->find(name);
    const bool is_object = gauge != nullptr && gauge->type == Json::Type::kObject;
    if (const auto number = plain_number(is_object ? gauge->find("value") : nullptr))
      numbers[measure] = *number * unit;
  }
  return numbers;
}

inline ClusterNumbers cluster_numbers(const Batch& batch) {
  const auto& samples = std::get<SampleBatch>(batch);
  ClusterNumbers numbers;
  for (const Sample& sample : samples.samples) numbers[samples.routes[sample.series].measure] = sample.value;
  return numbers;
}

}  // namespace flintgauge::reference
