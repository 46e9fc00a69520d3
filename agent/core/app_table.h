// The applications of this node: who they are, how many pods they have, where their numbers lie in the
// blocks. Private to the evaluator. One thread; time is an argument.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/app_sample.h"
#include "flintgauge/block.h"
#include "flintgauge/cluster_view.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/identity.h"

namespace flintgauge {

/// Rate of a counter over about a minute, from its values at successive commits. No allocation.
class CounterRate {
 public:
  /// Points closer than 5 s and points that say nothing new are not kept.
  void add(double value, SteadyTime at);

  /// Per second. NaN until two points are known, and `fresh` apart when the newest is older than a minute.
  /// `fresh`: the source still says of the counter's owner that it lives, so a counter that stands is a zero.
  double per_second(SteadyTime now, bool fresh) const;

 private:
  static constexpr std::int64_t kWindowMs = 60'000;
  static constexpr std::int64_t kApartMs = 5'000;
  struct Point {
    SteadyTime at;
    double value = 0;
  };
  std::array<Point, kWindowMs / kApartMs + 2> points_{};  // oldest first; one may lie before the window
  std::size_t count_ = 0;
};

/// One application with a pod on this node, or with series that outlive its pods.
struct App {
  AppKey key;
  std::string name;
  std::string job_name;  ///< see PodIdentity
  std::string spark_version;
  std::string operator_name;
  std::int64_t driver_pods = 0, executor_pods = 0;  ///< running
  std::int64_t pending_pods = 0;
  std::int64_t executor_pods_held = 0;  ///< executor pods that hold resources: running, pending, ending
  std::int64_t executor_pods_pending = 0;
  std::int64_t driver_pods_held = 0;  ///< driver pods that are not over
  bool had_driver = false;            ///< ever on this node
  bool ended = false;                 ///< its driver ran here and is over
  NodeResources executor;             ///< requests of the largest executor pod; pods 0 = none
  /// When each executor's pod was made, by executor id.
  std::vector<std::pair<std::string, WallTime>> executors_created;
  WallTime driver_started;  ///< ms 0 = no running driver here
  CounterRate cpu;
  /// Where a number of its row lies: which member, which series of which shard's block. Several add up.
  struct Place {
    double AppRow::*member;
    Shard shard;
    std::uint32_t series;
  };
  std::vector<Place> places;
  /// The same for the numbers of a sample.
  struct SamplePlace {
    double AppSample::*member;
    Shard shard;
    std::uint32_t series;
  };
  std::vector<SamplePlace> sample_places;
  AppSample sample;  ///< as of the last append_rows()
};

class AppTable {
 public:
  /// Reads the pod list and the schemas again when they are others than last time. True when a label of
  /// flintgauge_app_info changed: an application came, went, or is described differently.
  bool update(const Block* kubelet, const Block* spark);

  /// Sorted by key.
  const std::vector<App>& apps() const { return apps_; }
  const App* find(const AppKey& key) const;
  /// Requests of the pods of this node that have not ended: of all, of those that every node has.
  const NodeResources& requested() const { return requested_; }
  const NodeResources& daemonsets() const { return daemonsets_; }

  /// Appends a row for each application. REQUIRES: update() with the same blocks.
  void append_rows(const Block* kubelet, const Block* spark, const Now& now, std::vector<AppRow>& rows);

 private:
  using Found = std::map<AppKey, App>;
  static void read_pods(const PodList& pods, Found& found);
  void read_series(const Schema& schema, Shard shard, Found& found) const;
  static void read_facts(const std::vector<SparkAppFacts>& facts, Found& found);

  void count_requests(const PodList& pods);

  std::vector<App> apps_;
  NodeResources requested_, daemonsets_;
  // Kept alive, so that an equal address is the same object.
  std::shared_ptr<const PodList> pods_;
  std::shared_ptr<const Schema> kubelet_schema_, spark_schema_;
};

}  // namespace flintgauge
