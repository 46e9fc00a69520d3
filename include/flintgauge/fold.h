// A fold turns verified batches of one source into per-application, per-namespace and per-node numbers, and
// fills the source's block with them. One thread owns it: the source's.
//
// Counters are reset-aware accumulators (kubelet-cadvisor.md section 8.2): they start at 0 when the agent
// first sees the group, grow by non-negative deltas and never fall; a container that started after the agent
// adds its first value whole. Gauges are recomputed from the rows that are fresh now. Absent input is absent
// output, never zero.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/budget.h"
#include "flintgauge/collector.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// What the fold made of one batch; added to the agent's own counters by the shell.
struct FoldCounts {
  std::uint64_t folded = 0;
  std::uint64_t unmatched = 0;     ///< rows whose pod is not in the pod list (yet)
  std::uint64_t host_network = 0;  ///< network rows of host-network pods: the node's traffic, not the pod's
  std::uint64_t superseded = 0;    ///< rows of an older instance of a container that has a newer one, or of a
                                   ///< target that another one speaks for
  std::uint64_t not_live = 0;      ///< gauge rows of a container that the pod list says is not running
  std::uint64_t stale = 0;         ///< sample older than 60 s: gauges left out
  std::uint64_t left_out = 0;    ///< over a bound of the fold: too many targets of one application, no series
  std::uint64_t unchanged = 0;   ///< same timestamp as last time
  std::uint64_t impossible = 0;  ///< counters below zero (the baseline stays), swap of 2^63 bytes and more
  std::uint64_t counter_resets = 0;
  std::uint64_t identity_mismatch = 0;  ///< text claims another application than the pod asked
};

class Fold {
 public:
  virtual ~Fold() = default;

  /// Takes one committed batch of `target`. Borrowed data is not kept.
  virtual FoldCounts apply(const Target& target, const Batch& batch, const Now& now) = 0;

  /// The target is gone, or has failed for longer than its ttl: its rows no longer count. Accumulators stay.
  virtual void drop(const Target& target, const Now& now) = 0;

  /// As drop(), and the target's decoder ends with it: if there is ever one of this key again, it begins anew
  /// and creates all its series.
  virtual void forget(const Target& target, const Now& now) { drop(target, now); }

  /// The pods of this node, when the list is another than before. For folds that are not given it as a batch.
  virtual void see_pods(const PodList& /*pods*/, const Now& /*now*/) {}

  /// Ends what is over: groups without a live member for 15 minutes (Spark: the setting). Call
  /// once a round.
  virtual void expire(const Now& now) = 0;

  /// Writes schema, values and facts into a block whose targets the shell fills. Allocates only when the
  /// series set changed or the block is used for the first time.
  virtual void fill(Block& block, const Now& now) = 0;

  /// True when rows could not be matched to a pod: the pod list should be asked again soon.
  virtual bool wants_pods() const = 0;

  /// False when the target, asked now, would say what it said last. For targets with only_after_news.
  virtual bool has_news(const Target& /*target*/) const { return true; }

  /// Where drivers say that their PrometheusServlet is; the pointer is another when it says something else.
  virtual std::shared_ptr<const ServletPaths> servlet_paths() const { return nullptr; }
};

/// For SourceKind::kKubelet. `started` is when the agent began to observe.
std::unique_ptr<Fold> make_kubelet_fold(const BudgetLimits& limits, const Now& started);

struct SparkFoldSettings {
  std::int64_t ended_retention_ms =
      15LL * 60 * 1000;       ///< totals stay for so long after the driver's last word
  bool per_executor = false;  ///< series of each living executor
};

/// For SourceKind::kSpark.
std::unique_ptr<Fold> make_spark_fold(const BudgetLimits& limits, const Now& started,
                                      const SparkFoldSettings& settings = {});

/// For SourceKind::kCompanions.
std::unique_ptr<Fold> make_tool_fold(const BudgetLimits& limits, const Now& started);

}  // namespace flintgauge
