// Who a pod, container or cgroup is: namespace, application, role. Identity comes only from the kubelet's pod
// list, never from text that a tenant's endpoint sends.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "flintgauge/pod.h"

namespace flintgauge {

enum class Role : std::uint8_t { kDriver, kExecutor };
constexpr std::string_view to_string(Role role) { return role == Role::kDriver ? "driver" : "executor"; }

/// (namespace, application id): the key of everything about an application.
struct AppKey {
  std::string namespace_name;
  std::string app_id;
  auto operator<=>(const AppKey&) const = default;
};

/// What one pod is. Views live as long as the Pod they were made from.
struct PodIdentity {
  std::string_view namespace_name;
  std::string_view app_id;       ///< label spark-app-selector, else Pod::client_app_id; "" when the pod is no
                                 ///< Spark pod
  Role role = Role::kExecutor;   ///< label spark-role; meaningful only with app_id
  std::string_view executor_id;  ///< label spark-exec-id
  std::string_view
      app_name;  ///< sparkoperator.k8s.io/app-name, spark.operator/spark-app-name, spark-app-name, else ""
  /// One name for all runs of a recurring job, see stable_job_name():
  /// sparkoperator.k8s.io/scheduled-app-name, sparkoperator.k8s.io/app-name,
  /// sparkoperator.k8s.io/connect-name, spark.operator/spark-app-name, spark-app-name, else the driver's pod
  /// name without "-driver" (an executor's owner tells it). "" when the pod is no Spark pod.
  std::string_view job_name;
  /// A standalone master: spark-role master (Apache's operator), or app.kubernetes.io/name spark and
  /// component master (charts).
  bool is_master = false;
  bool is_worker = false;  ///< a standalone worker: likewise, spark-role or component worker
  /// Of a master or worker: spark.operator/spark-cluster-name, app.kubernetes.io/instance, else its
  /// controller's or its own name.
  std::string_view cluster_name;
  std::string_view spark_version;  ///< label spark-version
  std::string_view operator_name;  ///< "kubeflow", "apache" or "none"
  std::string_view workload;       ///< "spark", "kafka", "jupyter", "zeppelin" or "other"
};

/// Labels decide (spark.md section 8; app.kubernetes.io/name for companions). Values longer than 128 bytes or
/// with control characters are not trusted as identity and give "".
PodIdentity identify(const Pod& pod);

/// In client mode (a notebook, a pod that runs spark-submit) nobody labels the driver's pod, but executors
/// name it as their controller when spark.kubernetes.driver.pod.name is set (kubelet-cadvisor.md section
/// 5.6). One thread; it remembers pods of the last list, because a driver may have no executor for a while.
class ClientModeDrivers {
 public:
  /// Sets client_app_id of pods without an application id of their own whose executors are on this node, in
  /// the same namespace. Of several applications of one pod it is that of the youngest executor.
  void mark(PodList& list);

 private:
  std::map<std::string, std::string, std::less<>> app_of_;  ///< by pod UID
};

/// `name` without what differs from run to run, taken off its end as often as there is any: a UUID, a date
/// (20260131 or 2026-01-31) and the numbers of a time behind it, 7 and more hex digits, letters and decimal
/// ones, 8 and more decimal digits, 5 letters and digits of the API server's alphabet for generated
/// names, 8 letters and digits that change at least three times. What would leave nothing stays. A shorter
/// number stays: "model-2" and "model-3" may be two jobs.
std::string_view stable_job_name(std::string_view name);

/// A pod and, when the row named one, a container of it.
struct PodRef {
  const Pod* pod = nullptr;
  const Container* container = nullptr;
  explicit operator bool() const { return pod != nullptr; }
};

/// Finds the pod and container a row belongs to. Built once per PodList, then immutable; safe from any
/// thread. Order of resolution (kubelet-cadvisor.md section 9): names, then container id, then pod UID.
/// Where the list has two pods of one name, the younger one is found by that name. O(1), allocates nothing
/// but the key of find_by_name.
class PodIndex {
 public:
  /// Keeps the list alive.
  explicit PodIndex(std::shared_ptr<const PodList> pods);

  PodRef find_by_name(std::string_view namespace_name, std::string_view pod,
                      std::string_view container) const;
  PodRef find_by_container_id(
      std::string_view container_id) const;        ///< bare 64-hex id; last terminated ones too
  PodRef find_by_uid(std::string_view uid) const;  ///< with dashes, or a static pod's config hash
  const PodList& pods() const { return *pods_; }

 private:
  std::shared_ptr<const PodList> pods_;
  std::unordered_map<std::string, PodRef> by_name_;  // "ns/pod"
  std::unordered_map<std::string_view, PodRef> by_container_id_;
  std::unordered_map<std::string_view, PodRef> by_uid_;
};

/// Who has an address of the node's pod network now (reliability-security.md section 3.2). Built once per
/// PodList, then immutable; safe from any thread. Pods that do not run have no address here; an address that
/// two running pods claim is nobody's; pods in the node's network are not told apart by theirs.
class PodAddresses {
 public:
  enum class Kind : std::uint8_t { kUnknown, kHostNetwork, kAmbiguous, kPod };
  struct Owner {
    Kind kind = Kind::kUnknown;
    const Pod* pod = nullptr;  ///< only for kPod
  };

  /// Keeps the list alive.
  explicit PodAddresses(std::shared_ptr<const PodList> pods);

  Owner find_by_ip(std::string_view ip) const;  ///< numeric, as inet_ntop() writes it

  /// The driver of the application is among the node's pods, in whatever phase.
  bool has_driver(const AppKey& app) const;

 private:
  std::shared_ptr<const PodList> pods_;
  std::unordered_map<std::string_view, Owner> by_ip_;
  std::set<AppKey> drivers_;
};

/// Pod UID (with dashes) and container id of a cgroup path, in every spelling of kubelet-cadvisor.md section
/// 3.1 (cgroupfs, systemd, nested, CRI-fed bare id). Empty when absent. A cgroup inside a container
/// (".../<64 hex>/init.scope") has no container id: counting it would count the container twice.
struct CgroupIds {
  std::string_view container_id;  ///< 64 hex digits, a view into the path
  std::string pod_uid;            ///< dashes, however the path spells it; or 32 hex digits of a static pod
};
CgroupIds parse_cgroup_path(std::string_view path);

}  // namespace flintgauge
