// v1.PodList, as the kubelet's /pods and the API server write it, made into a PodList.
//
// Every field is optional, as test doubles and old kubelets leave them out. A field of the wrong type is as
// if it were absent. Meanings: kubernetes/api core/v1 types.go.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "collectors/common/json.h"
#include "flintgauge/error.h"
#include "flintgauge/pod.h"

namespace flintgauge {

class PodListVisitor final : public json::Visitor {
 public:
  /// Grouped: value() hands each group to a function of its own.
  enum class Field : std::uint8_t {
    kItems,
    kPod,
    // metadata
    kNamespace,
    kName,
    kUid,
    kLabel,
    kAnnotation,
    kCreated,
    kDeletion,
    // spec and status of the pod
    kNodeName,
    kHostNetwork,
    kPhase,
    kReason,
    kResize,
    kHostIp,
    kPodIp,
    kPodIps,
    // lists of a pod
    kOwner,
    kOwnerKind,
    kOwnerName,
    kOwnerUid,
    kOwnerController,
    kPort,
    kPortName,
    kPortNumber,
    kCondition,
    kConditionType,
    kConditionStatus,
    kConditionReason,
    // resource lists: each says where the kCpu and kMemory inside it go
    kOverhead,
    kPodRequests,
    kPodLimits,
    kRequests,
    kLimits,
    kActualRequests,
    kActualLimits,
    kAllocated,
    kCpu,
    kMemory,
    // containers of the spec and their statuses; states
    kRegular,
    kInit,
    kEphemeral,
    kRegularStatus,
    kInitStatus,
    kEphemeralStatus,
    kWaiting,
    kRunning,
    kTerminated,
    kLastTerminated,
    kContainerName,
    kRestartPolicy,
    kContainerId,
    kRestartCount,
    kWaitingReason,
    kStartedAt,
    // inside a terminated state
    kExitCode,
    kTerminationReason,
    kTerminationId,
    kFinishedAt,
  };

  static const json::Paths& paths();

  void clear() override;
  void open(int id) override;
  void close(int id) override;
  void null(int id) override;
  json::Verdict value(int id, const json::Value& value) override;

  /// What was heard since clear(); leaves the visitor empty. kJson when it was no pod list, kLimit when it
  /// was longer than a node's can be. Names that came twice in one object of labels are moved from kept to
  /// duplicate.
  Result<std::shared_ptr<PodList>> take(ScrapeCounts& counts);

 private:
  using Strings = std::vector<std::pair<std::string, std::string>>;

  struct Owner {
    std::string kind, name, uid;
    bool controller = false;
  };
  struct Condition {
    std::string type, status, reason;
  };

  void open_inner(Field field);
  void open_state(Field field);
  void begin_pod();
  void begin_container(ContainerKind kind, bool is_status);
  void end_pod();
  void end_container();
  void end_owner();
  void end_port();
  void end_condition();
  void join_statuses();
  void sort_strings(Strings& strings);
  json::Verdict metadata_value(Field field, const json::Value& value);
  json::Verdict pod_value(Field field, const json::Value& value);
  json::Verdict list_value(Field field, const json::Value& value);
  json::Verdict container_value(Field field, const json::Value& value);
  json::Verdict termination_value(Field field, const json::Value& value);

  std::shared_ptr<PodList> list_;
  bool has_items_ = false;
  bool too_long_ = false;
  std::size_t containers_ = 0;
  std::size_t repeated_names_ = 0;
  Pod pod_;
  std::string pod_ip_;               // status.podIP, for kubelets without podIPs
  std::vector<Container> statuses_;  // of pod_; their kind is the list they came from
  Container container_;              // of the spec or the status
  bool is_status_ = false;
  Owner owner_;
  std::string port_name_;
  std::int64_t port_number_ = 0;
  Condition condition_;
  Resources* resources_ = nullptr;      // where kCpu and kMemory go
  Termination* termination_ = nullptr;  // where the fields of a terminated state go
};

}  // namespace flintgauge
