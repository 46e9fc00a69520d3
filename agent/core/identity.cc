#include "flintgauge/identity.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flintgauge {
namespace {

/// Longer label values are not identity: Kubernetes allows 63, so these come from no API server.
constexpr std::size_t kMaxIdentityBytes = 128;
constexpr std::size_t kContainerIdDigits = 64;
constexpr std::size_t kUidLength = 36;
constexpr std::size_t kStaticPodUidDigits = 32;

std::string_view trusted(std::string_view value) {
  if (value.size() > kMaxIdentityBytes) return {};
  const bool clean = std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
  return clean ? value : std::string_view();
}

std::string_view label_of(const Pod& pod, std::string_view name) {
  const auto at = std::lower_bound(pod.labels.begin(), pod.labels.end(), name,
                                   [](const auto& entry, std::string_view key) { return entry.first < key; });
  if (at == pod.labels.end() || at->first != name) return {};
  return trusted(at->second);
}

/// Values of spark-role that make a driver. A Spark Connect server is the driver of its application.
bool is_driver_role(std::string_view role) { return role == "driver" || role == "connect-server"; }

std::string_view operator_of(const Pod& pod) {
  if (!label_of(pod, "spark.operator/name").empty() ||
      !label_of(pod, "spark.operator/spark-app-name").empty())
    return "apache";
  if (!label_of(pod, "sparkoperator.k8s.io/app-name").empty() ||
      label_of(pod, "sparkoperator.k8s.io/launched-by-spark-operator") == "true")
    return "kubeflow";
  return "none";
}

std::string_view job_name_of(const Pod& pod, Role role) {
  // The schedule's own name is a person's choice.
  if (const std::string_view name = label_of(pod, "sparkoperator.k8s.io/scheduled-app-name"); !name.empty())
    return name;
  for (const std::string_view label : {"sparkoperator.k8s.io/app-name", "sparkoperator.k8s.io/connect-name",
                                       "spark.operator/spark-app-name", "spark-app-name"}) {
    if (const std::string_view name = label_of(pod, label); !name.empty()) return stable_job_name(name);
  }
  const bool of_driver = role == Role::kExecutor && pod.owner_kind == "Pod";
  if (role == Role::kExecutor && !of_driver) return {};
  std::string_view driver = trusted(of_driver ? pod.owner_name : pod.name);
  if (driver.ends_with("-driver")) driver.remove_suffix(std::string_view("-driver").size());
  return stable_job_name(driver);
}

/// `part`: "master" or "worker".
bool is_standalone(std::string_view part, const Pod& pod, std::string_view role) {
  if (!role.empty()) return role == part;
  return label_of(pod, "app.kubernetes.io/name") == "spark" &&
         label_of(pod, "app.kubernetes.io/component") == part;
}

std::string_view cluster_name_of(const Pod& pod) {
  for (const std::string_view name : {label_of(pod, "spark.operator/spark-cluster-name"),
                                      label_of(pod, "app.kubernetes.io/instance"), trusted(pod.owner_name)}) {
    if (!name.empty()) return name;
  }
  return trusted(pod.name);
}

/// app.kubernetes.io/name as the usual charts and operators of companions set it.
constexpr auto kCompanions = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"jupyter", "jupyter"},
    {"jupyter-notebook", "jupyter"},
    {"jupyterhub", "jupyter"},
    {"jupyterlab", "jupyter"},
    {"kafka", "kafka"},
    {"zeppelin", "zeppelin"},
    {"zeppelin-server", "zeppelin"},
});

std::string_view workload_of(const Pod& pod, bool is_spark) {
  if (is_spark) return "spark";
  std::string_view name = label_of(pod, "app.kubernetes.io/name");
  if (name.empty()) name = label_of(pod, "app");  // JupyterHub's chart before its version 4
  for (const auto& [label, workload] : kCompanions) {
    if (label == name) return workload;
  }
  return "other";
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_separator(char c) { return c == '-' || c == '_'; }

/// Length of the pod UID that `text` begins with: 8-4-4-4-12 hex digits, or 32 of them; 0 when there is none.
std::size_t uid_length(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_hex(text[digits])) ++digits;
  if (digits == kStaticPodUidDigits) return digits;
  if (digits != 8 || text.size() < kUidLength) return 0;
  for (std::size_t i = 0; i < kUidLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? !is_separator(text[i]) : !is_hex(text[i])) return 0;
  }
  return text.size() > kUidLength && is_hex(text[kUidLength]) ? 0 : kUidLength;
}

/// The innermost pod of the path: a nested cluster's own pods come after those of the outer one.
std::string pod_uid_of(std::string_view path) {
  for (std::size_t end = path.size(); end >= 3;) {
    const std::size_t at = path.substr(0, end).rfind("pod");
    if (at == std::string_view::npos) break;
    const bool starts_word = at == 0 || path[at - 1] == '/' || path[at - 1] == '-';
    const std::string_view rest = path.substr(at + 3);
    if (const std::size_t length = starts_word ? uid_length(rest) : 0; length != 0) {
      std::string uid(rest.substr(0, length));
      std::replace(uid.begin(), uid.end(), '_', '-');
      return uid;
    }
    end = at + 2;
  }
  return {};
}

/// 64 hex digits at the end of the path, alone or after one of the runtimes' prefixes.
std::string_view container_id_of(std::string_view path) {
  if (path.ends_with(".scope")) path.remove_suffix(6);
  if (path.size() < kContainerIdDigits) return {};
  const std::string_view id = path.substr(path.size() - kContainerIdDigits);
  if (!std::all_of(id.begin(), id.end(), is_hex)) return {};
  const std::string_view before = path.substr(0, path.size() - kContainerIdDigits);
  if (before.empty()) return id;
  // CRI-O's monitor process has a cgroup of its own beside the container's.
  if (before.ends_with("conmon-")) return {};
  const char last = before.back();
  return last == '/' || last == '-' || last == ':' ? id : std::string_view();
}

std::string name_key(std::string_view namespace_name, std::string_view pod) {
  std::string key;
  key.reserve(namespace_name.size() + 1 + pod.size());
  key.append(namespace_name).append("/").append(pod);
  return key;
}

bool is_over(const Pod& pod) { return pod.phase == Phase::kSucceeded || pod.phase == Phase::kFailed; }

/// Of two pods with one name the one that lives now: not ended, then the younger.
bool supersedes(const Pod& candidate, const Pod& present) {
  if (is_over(candidate) != is_over(present)) return is_over(present);
  return candidate.created_at > present.created_at;
}

}  // namespace

PodIdentity identify(const Pod& pod) {
  PodIdentity identity;
  identity.namespace_name = pod.namespace_name;
  const std::string_view role = label_of(pod, "spark-role");
  identity.app_id = label_of(pod, "spark-app-selector");
  const bool is_client = identity.app_id.empty() && !pod.client_app_id.empty();
  if (is_client) identity.app_id = pod.client_app_id;
  identity.role = is_client || is_driver_role(role) ? Role::kDriver : Role::kExecutor;
  identity.executor_id = label_of(pod, "spark-exec-id");
  for (const std::string_view name :
       {"sparkoperator.k8s.io/app-name", "spark.operator/spark-app-name", "spark-app-name"}) {
    if (identity.app_name.empty()) identity.app_name = label_of(pod, name);
  }
  identity.spark_version = label_of(pod, "spark-version");
  identity.operator_name = operator_of(pod);
  const bool is_spark = !identity.app_id.empty() || !role.empty();
  if (is_spark) identity.job_name = job_name_of(pod, identity.role);
  identity.is_master = is_standalone("master", pod, role);
  identity.is_worker = is_standalone("worker", pod, role);
  if (identity.is_master || identity.is_worker) identity.cluster_name = cluster_name_of(pod);
  identity.workload = workload_of(pod, is_spark && !is_client);
  if (is_client && identity.workload == "other") identity.workload = "spark";
  return identity;
}

PodIndex::PodIndex(std::shared_ptr<const PodList> pods) : pods_(std::move(pods)) {
  by_name_.reserve(pods_->pods.size());
  by_uid_.reserve(pods_->pods.size());
  by_container_id_.reserve(pods_->pods.size() * 2);
  for (const Pod& pod : pods_->pods) {
    const auto [at, added] =
        by_name_.try_emplace(name_key(pod.namespace_name, pod.name), PodRef{&pod, nullptr});
    if (!added && supersedes(pod, *at->second.pod)) at->second.pod = &pod;
    if (!pod.uid.empty()) by_uid_.try_emplace(pod.uid, PodRef{&pod, nullptr});
    for (const Container& container : pod.containers) {
      if (!container.container_id.empty())
        by_container_id_.insert_or_assign(container.container_id, PodRef{&pod, &container});
    }
  }
  // Ids of ended instances never hide an id that is in use.
  for (const Pod& pod : pods_->pods) {
    for (const Container& container : pod.containers) {
      for (const auto* ended : {&container.terminated, &container.last_terminated}) {
        if (*ended && !(*ended)->container_id.empty())
          by_container_id_.try_emplace((*ended)->container_id, PodRef{&pod, &container});
      }
    }
  }
}

PodRef PodIndex::find_by_name(std::string_view namespace_name, std::string_view pod,
                              std::string_view container) const {
  const auto at = by_name_.find(name_key(namespace_name, pod));
  if (at == by_name_.end()) return {};
  PodRef found = at->second;
  for (const Container& candidate : found.pod->containers) {
    if (!container.empty() && candidate.name == container) found.container = &candidate;
  }
  return found;
}

PodRef PodIndex::find_by_container_id(std::string_view container_id) const {
  const auto at = by_container_id_.find(container_id);
  return at == by_container_id_.end() ? PodRef{} : at->second;
}

PodRef PodIndex::find_by_uid(std::string_view uid) const {
  const auto at = by_uid_.find(uid);
  return at == by_uid_.end() ? PodRef{} : at->second;
}

PodAddresses::PodAddresses(std::shared_ptr<const PodList> pods) : pods_(std::move(pods)) {
  const auto claim = [this](std::string_view ip, const Owner& owner) {
    const auto [at, added] = by_ip_.try_emplace(ip, owner);
    if (added || at->second.kind == Kind::kHostNetwork || at->second.pod == owner.pod) return;
    at->second = owner.kind == Kind::kHostNetwork ? owner : Owner{Kind::kAmbiguous, nullptr};
  };
  for (const Pod& pod : pods_->pods) {
    const PodIdentity identity = identify(pod);
    if (identity.role == Role::kDriver && !identity.app_id.empty())
      drivers_.insert({std::string(identity.namespace_name), std::string(identity.app_id)});
    if (!pod.host_ip.empty()) claim(pod.host_ip, {Kind::kHostNetwork, nullptr});
    if (pod.phase != Phase::kRunning) continue;
    for (const std::string& ip : pod.ips) {
      claim(ip, pod.host_network ? Owner{Kind::kHostNetwork, nullptr} : Owner{Kind::kPod, &pod});
    }
  }
}

PodAddresses::Owner PodAddresses::find_by_ip(std::string_view ip) const {
  const auto at = by_ip_.find(ip);
  return at == by_ip_.end() ? Owner{} : at->second;
}

bool PodAddresses::has_driver(const AppKey& app) const { return drivers_.contains(app); }

CgroupIds parse_cgroup_path(std::string_view path) { return {container_id_of(path), pod_uid_of(path)}; }

}  // namespace flintgauge
