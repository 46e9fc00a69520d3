// Which executors of one application were lost and why, from its driver's lists and the pods of this node.
// Private to the Spark fold; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/spark_seen_executors.h"
#include "flintgauge/executor_loss.h"
#include "flintgauge/pod.h"
#include "flintgauge/time.h"

namespace flintgauge::spark {

/// Counters: never fall.
struct LossNumbers {
  std::array<double, kExecutorLosses> lost{};  ///< by ExecutorLoss
  double unseen = 0;
  bool told = false;  ///< a list of executors was read, so that zeros are zeros

  void add(const LossNumbers& other);
};

/// A loss is counted once, and for good. When the driver's word is not certain, that waits for what the
/// kubelet may say of the pod: up to kPatienceMs, or until the driver itself is gone.
class LossBook {
 public:
  static constexpr std::int64_t kPatienceMs = 30'000;  ///< three rounds of the pod list
  /// How long a pod that is gone is remembered, so that its end can be joined with the driver's word.
  static constexpr std::int64_t kPodMemoryMs = 120'000;
  static constexpr std::size_t kMaxPods = 2'000;

  /// The driver says that it is removed, or does not list it any more.
  void lose(SeenExecutors::Entry& entry, SteadyTime now);
  /// It is listed as living.
  void keep(SeenExecutors::Entry& entry);
  /// A whole list of the driver's was read.
  void told(SteadyTime at, bool is_complete);

  /// The pods of this node: begin, each executor of the application, end.
  void begin_pods() { ++pod_reading_; }
  void see_pod(const std::string& executor_id, const Pod& pod);
  void end_pods(SteadyTime now);

  /// Counts what is due. `is_over`: nobody will say any more.
  void settle(const SeenExecutors& seen, SteadyTime now, bool is_over);
  /// Another driver begins to number its executors anew.
  void begin_again(const SeenExecutors& seen, SteadyTime now);

  const LossNumbers& numbers() const { return numbers_; }

 private:
  struct Pending {
    SeenExecutors::Entry* entry;  ///< held
    SteadyTime since;
  };
  struct PodWord {
    std::optional<ExecutorLoss> loss;
    bool ran = false;
    bool is_over = false;     ///< its containers have ended
    bool is_counted = false;  ///< as unseen
    std::uint64_t reading = 0;
    std::optional<SteadyTime> over_at;  ///< since when it is over, or in no list
  };

  std::optional<ExecutorLoss> word_of_pod(const SeenExecutors::Entry& entry) const;
  void count(SeenExecutors::Entry& entry);
  void settle_pods(const SeenExecutors& seen, SteadyTime now);

  LossNumbers numbers_;
  std::vector<Pending> pending_;
  std::map<ExecutorKey, PodWord> pods_;
  std::uint64_t pod_reading_ = 0;
  std::optional<SteadyTime> complete_at_;  ///< of the last whole list with the dead ones
};

}  // namespace flintgauge::spark
