#include "agent/io/demo_node.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flintgauge::demo {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr std::int64_t kTickMs = 250;
constexpr std::int64_t kWarmUpMs = 240'000;
constexpr std::int64_t kLongestGapMs = 600'000;

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> kProfiles = {
      {.namespace_name = "team-a",
       .name = "nightly-etl",
       .executors = 6,
       .stage_tasks = {180, 120, 40},
       .task_seconds = 1.6,
       .kill_every_seconds = 45},
      {.namespace_name = "team-a",
       .name = "clickstream-join",
       .executors = 5,
       .stage_tasks = {80, 60},
       .task_seconds = 1.2,
       .pause_seconds = 3,
       .longest_task_seconds = 40,
       .spill_bytes = 8.0 * 1024 * 1024},
      {.namespace_name = "team-b",
       .name = "orders-stream",
       .executors = 2,
       .stage_tasks = {8},
       .task_seconds = 0.9,
       .pause_seconds = 2,
       .query = "orders"},
      {.namespace_name = "team-b",
       .name = "feature-backfill",
       .executors = 2,
       .stage_tasks = {900},
       .task_seconds = 6},
      {.namespace_name = "team-b",
       .name = "notebook-adhoc",
       .executors = 3,
       .stage_tasks = {48},
       .task_seconds = 0.8,
       .pause_seconds = 300},
  };
  return kProfiles;
}

struct Other {
  std::string_view namespace_name, name, container, app_label;
  double cores, memory_gib;
  bool host_network;
};
constexpr auto kOthers = std::to_array<Other>({
    {"streaming", "kafka-0", "kafka", "kafka", 0.8, 2.2, false},
    {"streaming", "kafka-1", "kafka", "kafka", 0.7, 2.1, false},
    {"notebooks", "jupyter-ada", "notebook", "jupyterhub", 0.1, 0.7, false},
    {"shop", "web-7d4b9c-x2x7k", "web", "web", 0.3, 0.4, false},
    {"kube-system", "node-exporter-5qk2f", "node-exporter", "node-exporter", 0.05, 0.03, true},
});

DemoPod make_other(const Other& other, WallTime start) {
  DemoPod pod = make_pod(std::string(other.namespace_name), std::string(other.name), 1, start);
  pod.container = other.container;
  pod.image = "registry.example/" + std::string(other.container) + ":1";
  pod.labels = {{"app.kubernetes.io/name", std::string(other.app_label)}};
  pod.host_network = other.host_network;
  pod.ip =
      other.host_network ? std::string(kNodeIp) : "127.66.0." + std::to_string(1 + (&other - kOthers.data()));
  pod.cpu_request_millicores = 500;
  pod.memory_limit_bytes = 4 * kGiB;
  pod.working_set_bytes = other.memory_gib * kGiB;
  pod.cache_bytes = 0.1 * kGiB;
  pod.disk_bytes = 0.2 * kGiB;
  return pod;
}

}  // namespace

std::size_t app_count() { return profiles().size(); }

DemoNode::DemoNode(const std::vector<std::string>& driver_ips, Now start)
    : steady_{start.steady.ms - kWarmUpMs}, wall_{start.wall.ms - kWarmUpMs} {
  for (std::size_t i = 0; i < profiles().size(); ++i)
    apps_.emplace_back(profiles()[i], i + 1, driver_ips.at(i), wall_);
  for (const Other& other : kOthers) others_.push_back(make_other(other, wall_));
  advance_to(start);
}

void DemoNode::advance_to(const Now& now) {
  if (elapsed_ms(steady_, now.steady) > kLongestGapMs) {  // the machine was suspended
    wall_.ms += now.steady.ms - kLongestGapMs - steady_.ms;
    steady_.ms = now.steady.ms - kLongestGapMs;
  }
  while (elapsed_ms(steady_, now.steady) >= kTickMs) {
    steady_.ms += kTickMs;
    wall_.ms += kTickMs;
    step(static_cast<double>(kTickMs) / 1e3);
  }
}

void DemoNode::step(double seconds) {
  for (SparkApp& app : apps_) app.step(wall_, seconds);
  for (std::size_t i = 0; i < others_.size(); ++i) {
    DemoPod& pod = others_[i];
    const double wave =
        1 + 0.4 * std::sin(static_cast<double>(wall_.ms % 3'600'000) / 9e3 + static_cast<double>(i));
    pod.use_cpu(kOthers[i].cores * wave, seconds);
    pod.working_set_bytes = kOthers[i].memory_gib * kGiB * (0.97 + 0.03 * wave);
    pod.transfer(400'000 * wave * seconds, 300'000 * wave * seconds);
    pod.written_bytes += 100'000 * wave * seconds;
  }
}

std::vector<const DemoPod*> DemoNode::pods() const {
  std::vector<const DemoPod*> out;
  for (const SparkApp& app : apps_) {
    out.push_back(&app.driver());
    for (const Executor& executor : app.executors()) out.push_back(&executor.pod);
  }
  for (const DemoPod& pod : others_) out.push_back(&pod);
  return out;
}

}  // namespace flintgauge::demo
