// How many workers the standalone clusters of this node should have. Private to the evaluator. Pure.
#pragma once

#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// Appends a hint for each cluster of `companions` (may be null) whose applications are exactly those of its
/// namespace in `hints`: as many as its master counts, and no other cluster there. Sorted by cluster. Nothing
/// of a block that was committed over two minutes ago.
void append_pools(const Block* companions, const std::vector<AppHint>& hints, SteadyTime now,
                  std::vector<PoolHint>& out);

}  // namespace flintgauge
