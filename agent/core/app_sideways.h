// How executors of the applications fit on this node. Private to the evaluator. Pure.
#pragma once

#include <vector>

#include "agent/core/app_table.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// Appends one for each application with an executor pod here, in their order; nothing while the node's
/// capacity is not known.
void append_sideways(const Block* kubelet, const AppTable& apps, std::vector<AppSideways>& out);

}  // namespace flintgauge
