// The pods of this node as the fold remembers them: which groups they belong to, and what the pod list itself
// counts (phases, requests, restarts, container OOM kills). Private to the kubelet fold; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/core/kubelet_groups.h"
#include "flintgauge/pod.h"
#include "flintgauge/time.h"

namespace flintgauge::kubelet {

using PodNumber = std::uint32_t;
inline constexpr PodNumber kNoPod = UINT32_MAX;

/// What was last seen of a container's status, to count what is new.
struct ContainerHistory {
  std::string name;
  std::int64_t restarts = 0;
  std::string ended;       ///< id of the instance in state.terminated
  std::string last_ended;  ///< id of the instance in lastState.terminated
};

/// A pod that is listed, or was within kGroupTtlMs. Pods are told apart by UID.
struct KnownPod {
  bool used = false;
  std::string uid;
  GroupIndex app = kNoGroup;
  GroupIndex workload = kNoGroup;
  bool listed = false;
  bool host_network = false;
  WallTime created;
  SteadyTime last_listed;
  std::vector<ContainerHistory> containers;
};

class PodTable {
 public:
  explicit PodTable(GroupTable& groups) : groups_(groups) {}

  /// Takes a new list. `agent_started`: what happened before is not counted.
  void apply(const PodList& list, const Now& now, WallTime agent_started);

  /// The list is too old to say anything about now: its gauges end.
  void forget_list();

  /// Forgets pods that left the list kGroupTtlMs ago. Calls ended(number) for each.
  template <typename Ended>
  void expire(const Now& now, Ended ended) {
    for (PodNumber i = 0; i < pods_.size(); ++i) {
      KnownPod& pod = pods_[i];
      if (!pod.used) continue;
      if (pod.listed) pod.last_listed = now.steady;
      if (elapsed_ms(pod.last_listed, now.steady) <= kGroupTtlMs) continue;
      ended(i);
      by_uid_.erase(pod.uid);
      pod = KnownPod{};
      free_.push_back(i);
    }
  }

  /// The group has ended: no pod feeds it any more.
  void unbind(GroupIndex group);

  PodNumber find(std::string_view uid) const;
  const KnownPod& operator[](PodNumber number) const { return pods_[number]; }

 private:
  PodNumber find_or_make(const Pod& pod);
  void bind(KnownPod& known, const Pod& pod, bool is_new, const Now& now, WallTime agent_started);
  void add_gauges(const Pod& pod, GroupIndex index);
  void count_changes(KnownPod& known, const Pod& pod, bool is_new, WallTime agent_started);
  void add(const KnownPod& known, Column column, double amount);
  void clear_gauges();

  GroupTable& groups_;
  std::vector<KnownPod> pods_;
  std::vector<PodNumber> free_;
  std::unordered_map<std::string, PodNumber> by_uid_;
};

/// The pod's UID; a pod without one (a test double) is told apart by its name.
std::string uid_of(const Pod& pod);

}  // namespace flintgauge::kubelet
