// What the demo's kubelet answers: /pods, /metrics/cadvisor and /stats/summary, in the shape of
// Kubernetes 1.35 on containerd with systemd cgroups.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "agent/io/api_json.h"
#include "agent/io/demo_node.h"
#include "flintgauge/exposition.h"

namespace flintgauge::demo {
namespace {

using rapidjson::StringBuffer;
using Writer = rapidjson::Writer<StringBuffer>;

void key(Writer& json, std::string_view name) {
  json.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}
void text(Writer& json, std::string_view value) {
  json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void member(Writer& json, std::string_view name, std::string_view value) {
  key(json, name);
  text(json, value);
}
void member(Writer& json, std::string_view name, double whole) {
  key(json, name);
  json.Int64(static_cast<std::int64_t>(whole));
}

/// Kubernetes writes whole seconds.
std::string seconds_text(WallTime time) {
  return timestamp_text({time.ms / 1000 * 1000}).substr(0, 19) + 'Z';
}

std::string_view phase_word(Phase phase) {
  switch (phase) {
    case Phase::kPending:
      return "Pending";
    case Phase::kRunning:
      return "Running";
    case Phase::kSucceeded:
      return "Succeeded";
    case Phase::kFailed:
      return "Failed";
    case Phase::kUnknown:
      break;
  }
  return "Unknown";
}

void write_resources(Writer& json, std::int64_t cpu_millicores, double memory_bytes) {
  json.StartObject();
  if (cpu_millicores > 0) member(json, "cpu", std::to_string(cpu_millicores) + 'm');
  member(json, "memory", std::to_string(static_cast<std::int64_t>(memory_bytes)));
  json.EndObject();
}

void write_spec(Writer& json, const DemoPod& pod) {
  json.StartObject();
  member(json, "nodeName", kNodeName);
  if (pod.host_network) {
    key(json, "hostNetwork");
    json.Bool(true);
  }
  key(json, "containers");
  json.StartArray();
  json.StartObject();
  member(json, "name", pod.container);
  member(json, "image", pod.image);
  key(json, "resources");
  json.StartObject();
  key(json, "requests");
  write_resources(json, pod.cpu_request_millicores, pod.memory_limit_bytes);
  key(json, "limits");
  write_resources(json, pod.cpu_limit_millicores, pod.memory_limit_bytes);
  json.EndObject();
  json.EndObject();
  json.EndArray();
  json.EndObject();
}

void write_state(Writer& json, const DemoPod& pod) {
  json.StartObject();
  if (pod.phase == Phase::kRunning) {
    key(json, "running");
    json.StartObject();
    member(json, "startedAt", seconds_text(pod.started));
    json.EndObject();
  } else if (pod.phase == Phase::kPending) {
    key(json, "waiting");
    json.StartObject();
    member(json, "reason", "ContainerCreating");
    json.EndObject();
  } else {
    key(json, "terminated");
    json.StartObject();
    member(json, "exitCode", pod.exit_code);
    member(json, "reason", pod.end_reason);
    member(json, "startedAt", seconds_text(pod.started));
    member(json, "finishedAt", seconds_text(pod.finished));
    member(json, "containerID", "containerd://" + pod.container_id);
    json.EndObject();
  }
  json.EndObject();
}

void write_container_status(Writer& json, const DemoPod& pod) {
  json.StartObject();
  member(json, "name", pod.container);
  key(json, "state");
  write_state(json, pod);
  key(json, "lastState");
  json.StartObject();
  json.EndObject();
  key(json, "ready");
  json.Bool(pod.phase == Phase::kRunning);
  member(json, "restartCount", 0.0);
  member(json, "image", pod.image);
  if (pod.phase != Phase::kPending) member(json, "containerID", "containerd://" + pod.container_id);
  json.EndObject();
}

void write_status(Writer& json, const DemoPod& pod) {
  json.StartObject();
  member(json, "phase", phase_word(pod.phase));
  member(json, "hostIP", kNodeIp);
  if (pod.phase != Phase::kPending) {
    member(json, "podIP", pod.ip);
    key(json, "podIPs");
    json.StartArray();
    json.StartObject();
    member(json, "ip", pod.ip);
    json.EndObject();
    json.EndArray();
    member(json, "startTime", seconds_text(pod.created));
  }
  key(json, "containerStatuses");
  json.StartArray();
  write_container_status(json, pod);
  json.EndArray();
  json.EndObject();
}

void write_pod(Writer& json, const DemoPod& pod) {
  json.StartObject();
  key(json, "metadata");
  json.StartObject();
  member(json, "name", pod.name);
  member(json, "namespace", pod.namespace_name);
  member(json, "uid", pod.uid);
  member(json, "creationTimestamp", seconds_text(pod.created));
  key(json, "labels");
  json.StartObject();
  for (const auto& [name, value] : pod.labels) member(json, name, value);
  json.EndObject();
  json.EndObject();
  key(json, "spec");
  write_spec(json, pod);
  key(json, "status");
  write_status(json, pod);
  json.EndObject();
}

/// Pods that have cgroups.
std::vector<const DemoPod*> running_pods(const DemoNode& node) {
  std::vector<const DemoPod*> pods = node.pods();
  std::erase_if(pods, [](const DemoPod* pod) { return pod->phase != Phase::kRunning; });
  return pods;
}

std::string pod_cgroup(const DemoPod& pod) {
  std::string uid = pod.uid;
  std::replace(uid.begin(), uid.end(), '-', '_');
  return "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid + ".slice";
}
std::string scope_of(const DemoPod& pod, const std::string& id) {
  return pod_cgroup(pod) + "/cri-containerd-" + id + ".scope";
}

/// The text page, a family at a time. Rows of one pod: its cgroup, its container, its sandbox.
class CadvisorPage {
 public:
  explicit CadvisorPage(const DemoNode& node) : pods_(running_pods(node)), timestamp_ms_(node.now().ms) {}

  using Measure = double (*)(const DemoPod&);

  void begin(std::string_view name, std::string_view type) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(name).append("\n# TYPE ").append(name).append(" ");
    out_.append(type).append("\n");
  }
  /// Of containers; of the pods' cgroups too when those have it; of the root as the sum when asked. `extra`
  /// and `last`: more labels of the containers, behind the first and behind all others.
  void family(std::string_view name, std::string_view type, Measure measure, bool has_root,
              std::string_view extra = "", std::string_view last = "") {
    begin(name, type);
    double sum = 0;
    for (const DemoPod* pod : pods_) sum += measure(*pod);
    if (has_root) row("container=\"\",id=\"/\",image=\"\",name=\"\",namespace=\"\",pod=\"\"", sum);
    for (const DemoPod* pod : pods_) {
      const std::string tail = "\",namespace=\"" + pod->namespace_name + "\",pod=\"" + pod->name + '"';
      if (has_root)
        row("container=\"\",id=\"" + pod_cgroup(*pod) + "\",image=\"\",name=\"" + tail, measure(*pod));
      row("container=\"" + pod->container + "\"," + std::string(extra) + "id=\"" +
              scope_of(*pod, pod->container_id) + "\",image=\"" + pod->image + "\",name=\"" +
              pod->container_id + tail + std::string(last),
          measure(*pod));
    }
  }
  void network(std::string_view name, Measure measure) {
    begin(name, "counter");
    for (const DemoPod* pod : pods_) {
      for (const std::string_view interface : {"eth0", "lo"}) {
        row("container=\"\",id=\"" + scope_of(*pod, pod->sandbox_id) +
                "\",image=\"registry.k8s.io/pause:3.10.1\",interface=\"" + std::string(interface) +
                "\",name=\"" + pod->sandbox_id + "\",namespace=\"" + pod->namespace_name + "\",pod=\"" +
                pod->name + '"',
            interface == "lo" ? 0 : measure(*pod));
      }
    }
  }
  void machine(std::string_view name, double value) {
    begin(name, "gauge");
    out_.append(name_).append("{boot_id=\"demo\",machine_id=\"demo\",system_uuid=\"demo\"} ");
    append_value(value, out_);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  void row(const std::string& labels, double value) {
    out_.append(name_).append("{").append(labels).append("} ");
    append_value(value, out_);
    out_.append(" ").append(std::to_string(timestamp_ms_)).append("\n");
  }

  std::vector<const DemoPod*> pods_;
  std::int64_t timestamp_ms_;
  std::string_view name_;
  std::string out_;
};

void write_memory_families(CadvisorPage& page) {
  page.family(
      "container_memory_cache", "gauge", [](const DemoPod& pod) { return std::floor(pod.cache_bytes); },
      true);
  page.family(
      "container_memory_failures_total", "counter", [](const DemoPod& pod) { return pod.major_faults; },
      false, "failure_type=\"pgmajfault\",", ",scope=\"container\"");
  page.family(
      "container_memory_rss", "gauge",
      [](const DemoPod& pod) { return std::floor(pod.working_set_bytes * 0.93); }, true);
  page.family(
      "container_memory_usage_bytes", "gauge",
      [](const DemoPod& pod) { return std::floor(pod.working_set_bytes + pod.cache_bytes); }, true);
  page.family(
      "container_memory_working_set_bytes", "gauge",
      [](const DemoPod& pod) { return std::floor(pod.working_set_bytes); }, true);
}

void write_node_summary(Writer& json, const std::vector<const DemoPod*>& pods, const std::string& time) {
  constexpr double kDisk = 512.0 * 1024 * 1024 * 1024;
  double cpu_seconds = 0;
  double memory = 0;
  double disk = 0.2 * kDisk;
  for (const DemoPod* pod : pods) {
    cpu_seconds += pod->cpu_seconds;
    memory += pod->working_set_bytes;
    disk += pod->disk_bytes;
  }
  key(json, "node");
  json.StartObject();
  member(json, "nodeName", kNodeName);
  key(json, "cpu");
  json.StartObject();
  member(json, "time", time);
  member(json, "usageCoreNanoSeconds", cpu_seconds * 1e9);
  json.EndObject();
  key(json, "memory");
  json.StartObject();
  member(json, "time", time);
  member(json, "workingSetBytes", memory);
  json.EndObject();
  key(json, "fs");
  json.StartObject();
  member(json, "time", time);
  member(json, "availableBytes", kDisk - disk);
  member(json, "capacityBytes", kDisk);
  member(json, "usedBytes", disk);
  json.EndObject();
  json.EndObject();
}

void write_pod_summary(Writer& json, const DemoPod& pod, const std::string& time) {
  json.StartObject();
  key(json, "podRef");
  json.StartObject();
  member(json, "name", pod.name);
  member(json, "namespace", pod.namespace_name);
  member(json, "uid", pod.uid);
  json.EndObject();
  key(json, "ephemeral-storage");
  json.StartObject();
  member(json, "time", time);
  member(json, "usedBytes", pod.disk_bytes);
  json.EndObject();
  json.EndObject();
}

}  // namespace

std::string pods_page(const DemoNode& node) {
  StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  member(json, "kind", "PodList");
  member(json, "apiVersion", "v1");
  key(json, "metadata");
  json.StartObject();
  json.EndObject();
  key(json, "items");
  json.StartArray();
  for (const DemoPod* pod : node.pods()) write_pod(json, *pod);
  json.EndArray();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string cadvisor_page(const DemoNode& node) {
  CadvisorPage page(node);
  page.family(
      "container_cpu_cfs_periods_total", "counter",
      [](const DemoPod& pod) { return std::floor(pod.cpu_periods); }, false);
  page.family(
      "container_cpu_cfs_throttled_periods_total", "counter",
      [](const DemoPod& pod) { return std::floor(pod.throttled_periods); }, false);
  page.family(
      "container_cpu_cfs_throttled_seconds_total", "counter",
      [](const DemoPod& pod) { return pod.throttled_seconds; }, false);
  page.family(
      "container_cpu_usage_seconds_total", "counter", [](const DemoPod& pod) { return pod.cpu_seconds; },
      true, "cpu=\"total\",");
  page.family(
      "container_fs_reads_bytes_total", "counter",
      [](const DemoPod& pod) { return std::floor(pod.read_bytes); }, false, "device=\"/dev/vda\",");
  page.family(
      "container_fs_writes_bytes_total", "counter",
      [](const DemoPod& pod) { return std::floor(pod.written_bytes); }, false, "device=\"/dev/vda\",");
  write_memory_families(page);
  page.network("container_network_receive_bytes_total",
               [](const DemoPod& pod) { return std::floor(pod.received_bytes); });
  page.network("container_network_receive_errors_total", [](const DemoPod&) { return 0.0; });
  page.network("container_network_receive_packets_dropped_total", [](const DemoPod&) { return 0.0; });
  page.network("container_network_transmit_bytes_total",
               [](const DemoPod& pod) { return std::floor(pod.sent_bytes); });
  page.network("container_network_transmit_errors_total", [](const DemoPod&) { return 0.0; });
  page.network("container_network_transmit_packets_dropped_total", [](const DemoPod&) { return 0.0; });
  page.family(
      "container_oom_events_total", "counter", [](const DemoPod&) { return 0.0; },
      false);  // the whole container dies: /pods tells
  page.family(
      "container_start_time_seconds", "gauge",
      [](const DemoPod& pod) { return std::floor(static_cast<double>(pod.started.ms) / 1e3); }, false);
  page.machine("machine_cpu_cores", kNodeCores);
  page.machine("machine_memory_bytes", kNodeMemoryBytes);
  return page.take();
}

std::string summary_page(const DemoNode& node) {
  const std::string time = seconds_text(node.now());
  const std::vector<const DemoPod*> pods = running_pods(node);
  StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  write_node_summary(json, pods, time);
  key(json, "pods");
  json.StartArray();
  for (const DemoPod* pod : pods) write_pod_summary(json, *pod, time);
  json.EndArray();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace flintgauge::demo
