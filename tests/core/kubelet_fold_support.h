// A kubelet fold with pods and pages to feed it.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/fold_support.h"

namespace flintgauge::testing {

/// A 64-digit container id that is easy to read in a test.
inline std::string id(int number) {
  std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), 'a') + digits;
}

inline Pod spark_pod(std::string name, std::string app_id, std::string role,
                     std::string namespace_name = "team-a") {
  Pod pod;
  pod.namespace_name = std::move(namespace_name);
  pod.uid = "uid-" + pod.namespace_name + "-" + name;
  pod.name = std::move(name);
  pod.phase = Phase::kRunning;
  pod.created_at = WallTime{kEpochMs - 1'000'000};
  if (!app_id.empty())
    pod.labels = {{"spark-app-selector", std::move(app_id)}, {"spark-role", std::move(role)}};
  return pod;
}
inline Pod plain_pod(std::string name, std::string namespace_name = "team-a") {
  return spark_pod(std::move(name), "", "", std::move(namespace_name));
}

/// A running container with the instance id(number).
inline Container running(std::string name, int number, double started_seconds = -900) {
  Container container;
  container.name = std::move(name);
  container.container_id = id(number);
  container.state = ContainerState::kRunning;
  container.started_at = WallTime{stamp(started_seconds)};
  return container;
}

/// What cAdvisor says of container instance id(number) of `pod`.
inline Line row(const Pod& pod, const std::string& container, int number, Measure measure, double value,
                std::int64_t timestamp_ms = kNoTimestamp, std::string series = "") {
  Line out = line(Scope::kContainer, measure, value, timestamp_ms);
  out.route.namespace_name = pod.namespace_name;
  out.route.pod = pod.name;
  out.route.container = container;
  if (number >= 0) {
    out.route.container_id = id(number);
    out.route.pod_uid = pod.uid;
  }
  out.series = std::move(series);
  return out;
}
inline Line sandbox_row(const Pod& pod, int number, Measure measure, double value,
                        std::int64_t timestamp_ms = kNoTimestamp, std::string interface = "eth0") {
  Line out = row(pod, "", number, measure, value, timestamp_ms, std::move(interface));
  out.route.scope = Scope::kSandbox;
  return out;
}

class KubeletBench {
 public:
  explicit KubeletBench(const BudgetLimits& limits = {}) : fold(make_kubelet_fold(limits, after(0))) {
    pods_target.key = "kubelet_pods";
    pods_target.expect = Expect::kJson;
    summary.target.pace.interval_ms = 60'000;
  }

  std::unique_ptr<Fold> fold;
  Target pods_target;
  FakePage cadvisor{"cadvisor"};
  FakePage resource{"kubelet_resource", "cadvisor"};
  FakePage summary{"kubelet_summary", "", Expect::kJson};
  Block block;

  void pods(std::vector<Pod> list, double at) {
    for (Pod& pod : list) std::ranges::sort(pod.labels);
    const auto shared = std::make_shared<const PodList>(PodList{std::move(list)});
    fold->apply(pods_target, Batch(shared), after(at));
  }
  FoldCounts scrape(FakePage& page, const std::vector<Line>& lines, double at) {
    return fold->apply(page.target, Batch(page.scrape(lines)), after(at));
  }

  /// All series at a time.
  std::map<std::string, double> series(double at) {
    fold->fill(block, after(at));
    return series_in(block);
  }
  /// One series, or kAbsent.
  double value(const std::string& name, double at) {
    const auto all = series(at);
    const auto found = all.find(name);
    return found == all.end() ? kAbsent : found->second;
  }
  double app(const std::string& suffix, double at,
             const std::string& labels = R"(namespace="team-a",app_id="s-1",role="executor")") {
    return value("flintgauge_app_" + suffix + "{" + labels + "}", at);
  }
  double space(const std::string& suffix, double at,
               const std::string& labels = R"(namespace="team-a",workload="spark")") {
    return value("flintgauge_namespace_" + suffix + "{" + labels + "}", at);
  }
};

}  // namespace flintgauge::testing
