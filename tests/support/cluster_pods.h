// Pods of a standalone cluster.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "flintgauge/collector.h"

namespace flintgauge::reference {

/// Of cluster "shared", as Apache's operator labels it. `role`: "master", "worker", ..
inline Pod cluster_pod(const std::string& role) {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = "shared-" + role + "-0";
  pod.uid = "uid";
  pod.phase = Phase::kRunning;
  pod.ips = {"10.0.0.9"};
  pod.labels = {{"spark-role", role}, {"spark.operator/spark-cluster-name", "shared"}};
  return pod;
}

inline std::vector<Target> cluster_targets(const Collector& collector, const Pod& pod) {
  Discovery discovery;
  discovery.pods = std::make_shared<const PodList>(PodList{{pod}});
  return collector.targets(discovery);
}

}  // namespace flintgauge::reference
