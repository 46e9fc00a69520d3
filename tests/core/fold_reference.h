// The kubelet fold again, slow and obvious: everything is kept by name, looked up by search and summed anew
// at every moment. For the full page and the pod list; histories shorter than the groups' life.
#pragma once

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/fold_support.h"

namespace flintgauge::testing {

class ReferenceFold {
 public:
  explicit ReferenceFold(const Now& started) : started_ms_(started.wall.ms) {}

  void pods(const std::vector<Pod>& list) {
    listed_ = list;
    for (const Pod& pod : list) {
      const bool is_new = !known_.contains(pod.uid);
      known_[pod.uid] = pod;
      for (const std::string& group : groups_of(pod)) phases_[group].insert(phase_name(pod.phase));
      count_status(pod, is_new);
    }
  }

  void scrape(const std::vector<Line>& lines, const Now& now) {
    lines_ = lines;
    scraped_ms_ = now.wall.ms;
    for (const Line& entry : lines) {
      const Pod* pod = pod_of(entry.route);
      if (pod == nullptr || !is_counter(entry.route.measure)) continue;
      if (entry.route.scope == Scope::kSandbox && pod->host_network) continue;
      count(*pod, entry, now);
    }
  }

  std::map<std::string, double> series(const Now& now) const {
    std::map<std::string, double> out;
    for (const auto& [key, value] : totals_) out[name_of(key.first, key.second)] = value;
    for (const auto& [group, kills] : oom_)
      out[name_of(group, "oom_kills_total", "scope=\"container\"")] = kills;
    for (const auto& [group, phases] : phases_) {
      for (const std::string& phase : phases) out[name_of(group, "pods", "phase=\"" + phase + "\"")] = 0;
    }
    for (const Pod& pod : listed_) {
      for (const std::string& group : groups_of(pod)) add_listed(out, group, pod);
    }
    add_memory(out, now);
    return out;
  }

 private:
  using Key = std::pair<std::string, std::string>;  // group, family

  static std::string label(const Pod& pod, const std::string& name) {
    for (const auto& [key, value] : pod.labels) {
      if (key == name) return value;
    }
    return "";
  }

  /// "app_|labels" and "namespace_|labels" of a pod.
  static std::vector<std::string> groups_of(const Pod& pod) {
    const std::string app = label(pod, "spark-app-selector");
    std::vector<std::string> out = {"namespace_|namespace=\"" + pod.namespace_name + "\",workload=\"" +
                                    (app.empty() ? "other" : "spark") + "\""};
    if (!app.empty())
      out.push_back("app_|namespace=\"" + pod.namespace_name + "\",app_id=\"" + app + "\",role=\"" +
                    label(pod, "spark-role") + "\"");
    return out;
  }

  static std::string name_of(const std::string& group, const std::string& family,
                             const std::string& more = "") {
    const std::size_t bar = group.find('|');
    return "flintgauge_" + group.substr(0, bar) + family + "{" + group.substr(bar + 1) +
           (more.empty() ? "" : "," + more) + "}";
  }

  static std::string phase_name(Phase phase) {
    return phase == Phase::kPending ? "Pending" : phase == Phase::kRunning ? "Running" : "Failed";
  }

  const Pod* listed(const std::string& uid) const {
    for (const Pod& pod : listed_) {
      if (pod.uid == uid) return &pod;
    }
    return nullptr;
  }

  const Pod* pod_of(const Route& route) const {
    const auto known = known_.find(route.pod_uid);
    return known == known_.end() ? nullptr : &known->second;
  }

  static const Container* container_of(const Pod& pod, const std::string& name) {
    for (const Container& container : pod.containers) {
      if (container.name == name) return &container;
    }
    return nullptr;
  }

  /// 0 when nobody says.
  std::int64_t page_start(const Route& route) const {
    for (const Line& entry : lines_) {
      if (entry.route.measure == Measure::kStartTimeSeconds && entry.route.container_id == route.container_id)
        return std::llround(entry.value * 1000);
    }
    return 0;
  }

  std::int64_t start_of(const Pod& pod, const Route& route) const {
    if (route.scope == Scope::kSandbox) return pod.created_at.ms;
    if (const std::int64_t start = page_start(route); start != 0) return start;
    const Pod* in_list = listed(pod.uid);
    const Container* container = in_list == nullptr ? nullptr : container_of(*in_list, route.container);
    return container != nullptr && container->container_id == route.container_id ? container->started_at.ms
                                                                                 : 0;
  }

  static std::string family_of(Measure measure) {
    switch (measure) {
      case Measure::kCpuUsageSeconds:
        return "cpu_usage_seconds_total";
      case Measure::kFsReadBytes:
        return "fs_read_bytes_total";
      default:
        return "network_receive_bytes_total";
    }
  }

  void count(const Pod& pod, const Line& entry, const Now& now) {
    struct Before& before =
        samples_[entry.route.container_id + entry.series + family_of(entry.route.measure)];
    const bool stamped = entry.timestamp_ms != kNoTimestamp;
    double increase = 0;
    if (!before.seen) {
      increase = start_of(pod, entry.route) > started_ms_ ? entry.value : 0;
    } else {
      if (stamped && before.stamped && entry.timestamp_ms <= before.ms) return;
      increase = entry.value < before.value ? entry.value : entry.value - before.value;
    }
    before = {true, entry.value, stamped ? entry.timestamp_ms : now.wall.ms, stamped};
    for (const std::string& group : groups_of(pod))
      totals_[{group, family_of(entry.route.measure)}] += increase;
  }

  void count_status(const Pod& pod, bool is_new) {
    for (const std::string& group : groups_of(pod)) {
      totals_[{group, "container_restarts_total"}] += 0;
      oom_[group] += 0;  // no container of these histories is killed
    }
    for (const Container& container : pod.containers) {
      const std::string key = pod.uid + "/" + container.name;
      const bool whole = !is_new || pod.created_at.ms > started_ms_;
      const std::int64_t before = restarts_.contains(key) ? restarts_[key]
                                  : whole                 ? 0
                                                          : container.restart_count;
      restarts_[key] = container.restart_count;
      for (const std::string& group : groups_of(pod))
        totals_[{group, "container_restarts_total"}] += static_cast<double>(container.restart_count - before);
    }
  }

  static void add_listed(std::map<std::string, double>& out, const std::string& group, const Pod& pod) {
    out[name_of(group, "pods", "phase=\"" + phase_name(pod.phase) + "\"")] += 1;
    if (pod.phase != Phase::kRunning) return;
    for (const Container& container : pod.containers) {
      if (container.requests.memory_bytes)
        out[name_of(group, "memory_requests_bytes")] += static_cast<double>(*container.requests.memory_bytes);
    }
  }

  /// A memory row counts when its container runs, it is fresh, and no newer instance has rows or is listed.
  void add_memory(std::map<std::string, double>& out, const Now& now) const {
    for (const Line& entry : lines_) {
      if (entry.route.measure != Measure::kMemoryWorkingSetBytes) continue;
      const std::int64_t sampled = entry.timestamp_ms == kNoTimestamp ? scraped_ms_ : entry.timestamp_ms;
      const Pod* pod = listed(entry.route.pod_uid);
      if (pod == nullptr || pod->phase != Phase::kRunning || now.wall.ms - sampled > 60'000) continue;
      const Container* container = container_of(*pod, entry.route.container);
      if (container == nullptr || container->state != ContainerState::kRunning) continue;
      const std::int64_t start = page_start(entry.route);
      bool newest = container->container_id == entry.route.container_id || start >= container->started_at.ms;
      for (const Line& other : lines_) {
        if (other.route.pod_uid == entry.route.pod_uid && other.route.container == entry.route.container &&
            page_start(other.route) > start)
          newest = false;
      }
      if (!newest) continue;
      for (const std::string& group : groups_of(*pod)) {
        out[name_of(group, "memory_working_set_bytes")] += entry.value;
        double& largest = out[name_of(group, "memory_working_set_max_bytes")];
        largest = std::max(largest, entry.value);
      }
    }
  }

  struct Before {
    bool seen = false;
    double value = 0;
    std::int64_t ms = 0;
    bool stamped = false;
  };

  std::int64_t started_ms_;
  std::vector<Pod> listed_;
  std::vector<Line> lines_;  ///< of the last scrape
  std::int64_t scraped_ms_ = 0;
  std::map<std::string, Pod> known_;
  std::map<std::string, std::set<std::string>> phases_;
  std::map<std::string, Before> samples_;
  std::map<std::string, std::int64_t> restarts_;
  std::map<Key, double> totals_;
  std::map<std::string, double> oom_;
};

}  // namespace flintgauge::testing
