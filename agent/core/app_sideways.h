// How executors of the applications fit on this node. Private to the evaluator. Pure.
#pragma once

#include <vector>

#include "agent/core/app_table.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// What the kubelet knows, as a view of one node: its capacity and the requests of its pods. Labels, taints
/// and pods that no node has taken are not in it. REQUIRES: a capacity.
ClusterView view_of_node(const NodeResources& capacity, const AppTable& apps);

/// Appends one for each application with an executor pod here, in their order; nothing while the node's
/// capacity is not known. `spark`, which may be null, tells how a container divides into heap and overhead.
void append_sideways(const Block* kubelet, const Block* spark, const AppTable& apps,
                     std::vector<AppSideways>& out);

}  // namespace flintgauge
