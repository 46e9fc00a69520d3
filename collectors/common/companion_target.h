// Targets of the companions' source: pods of tools beside Spark, masters and workers of standalone clusters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"

namespace flintgauge {

/// How a running pod with a network of its own stands in a URL; "" when it may not be asked.
std::string companion_host(const Pod& pod, const Discovery& discovery);

/// The target for one page of a pod: key "COLLECTOR/NAMESPACE/POD", asked every companions.interval.
Target companion_target(const Pod& pod, const Discovery& discovery, std::string_view collector,
                        std::string url, Expect expect);

/// A master's or worker's UI of a standalone cluster.
struct ClusterUi {
  const Pod* pod;  ///< of Discovery::pods
  bool is_worker;
};

/// Those that may be asked, in the order of the pod list.
std::vector<ClusterUi> cluster_uis(const Discovery& discovery);

/// The target for a page of the UI, at the port that the pod's annotation tells (its path is one of the UI's
/// pages), else at Spark's default. The name of the cluster is its workload.
Target cluster_target(const ClusterUi& ui, const Discovery& discovery, std::string_view collector,
                      std::string_view path, Expect expect);

}  // namespace flintgauge
