// Which places of a v1.PodList are read: Kubernetes core/v1 types.go; the docs' data path.
#include <string>

#include "collectors/common/pod_list.h"

namespace flintgauge {
namespace {

using json::Kind;
using Field = PodListVisitor::Field;

void want_resources(json::Paths& paths, const std::string& prefix, Field list) {
  paths.want(prefix, Kind::kObject, list);
  paths.want(prefix + ".cpu", Kind::kQuantity, Field::kCpu);
  paths.want(prefix + ".memory", Kind::kQuantity, Field::kMemory);
}

void want_container(json::Paths& paths, const std::string& list, Field begins) {
  paths.want(list, Kind::kObject, begins);
  paths.want(list + ".name", Kind::kString, Field::kContainerName);
  paths.want(list + ".restartPolicy", Kind::kString, Field::kRestartPolicy);
  want_resources(paths, list + ".resources.requests", Field::kRequests);
  want_resources(paths, list + ".resources.limits", Field::kLimits);
}

void want_termination(json::Paths& paths, const std::string& prefix, Field begins) {
  paths.want(prefix, Kind::kObject, begins);
  paths.want(prefix + ".exitCode", Kind::kInteger, Field::kExitCode);
  paths.want(prefix + ".reason", Kind::kString, Field::kTerminationReason);
  paths.want(prefix + ".containerID", Kind::kString, Field::kTerminationId);
  paths.want(prefix + ".finishedAt", Kind::kString, Field::kFinishedAt);
}

void want_status(json::Paths& paths, const std::string& list, Field begins) {
  paths.want(list, Kind::kObject, begins);
  paths.want(list + ".name", Kind::kString, Field::kContainerName);
  paths.want(list + ".containerID", Kind::kString, Field::kContainerId);
  paths.want(list + ".restartCount", Kind::kInteger, Field::kRestartCount);
  paths.want(list + ".state.waiting", Kind::kObject, Field::kWaiting);
  paths.want(list + ".state.waiting.reason", Kind::kString, Field::kWaitingReason);
  paths.want(list + ".state.running", Kind::kObject, Field::kRunning);
  paths.want(list + ".state.running.startedAt", Kind::kString, Field::kStartedAt);
  want_termination(paths, list + ".state.terminated", Field::kTerminated);
  want_termination(paths, list + ".lastState.terminated", Field::kLastTerminated);
  want_resources(paths, list + ".resources.requests", Field::kActualRequests);
  want_resources(paths, list + ".resources.limits", Field::kActualLimits);
  want_resources(paths, list + ".allocatedResources", Field::kAllocated);
}

void want_metadata(json::Paths& paths, const std::string& metadata) {
  paths.want(metadata + ".namespace", Kind::kString, Field::kNamespace);
  paths.want(metadata + ".name", Kind::kString, Field::kName);
  paths.want(metadata + ".uid", Kind::kString, Field::kUid);
  paths.want(metadata + ".labels.*", Kind::kString, Field::kLabel);
  paths.want(metadata + ".annotations.*", Kind::kString, Field::kAnnotation);
  paths.want(metadata + ".creationTimestamp", Kind::kString, Field::kCreated);
  paths.want(metadata + ".deletionTimestamp", Kind::kString, Field::kDeletion);
  paths.want(metadata + ".ownerReferences[]", Kind::kObject, Field::kOwner);
  paths.want(metadata + ".ownerReferences[].kind", Kind::kString, Field::kOwnerKind);
  paths.want(metadata + ".ownerReferences[].name", Kind::kString, Field::kOwnerName);
  paths.want(metadata + ".ownerReferences[].uid", Kind::kString, Field::kOwnerUid);
  paths.want(metadata + ".ownerReferences[].controller", Kind::kBool, Field::kOwnerController);
}

json::Paths make_paths() {
  json::Paths paths;
  paths.want("items", Kind::kArray, Field::kItems);
  paths.want("items[]", Kind::kObject, Field::kPod);
  want_metadata(paths, "items[].metadata");
  paths.want("items[].spec.nodeName", Kind::kString, Field::kNodeName);
  paths.want("items[].spec.hostNetwork", Kind::kBool, Field::kHostNetwork);
  want_resources(paths, "items[].spec.overhead", Field::kOverhead);
  want_resources(paths, "items[].spec.resources.requests", Field::kPodRequests);
  want_resources(paths, "items[].spec.resources.limits", Field::kPodLimits);
  want_container(paths, "items[].spec.containers[]", Field::kRegular);
  want_container(paths, "items[].spec.initContainers[]", Field::kInit);
  want_container(paths, "items[].spec.ephemeralContainers[]", Field::kEphemeral);
  paths.want("items[].spec.containers[].ports[]", Kind::kObject, Field::kPort);
  paths.want("items[].spec.containers[].ports[].name", Kind::kString, Field::kPortName);
  paths.want("items[].spec.containers[].ports[].containerPort", Kind::kInteger, Field::kPortNumber);
  paths.want("items[].status.phase", Kind::kString, Field::kPhase);
  paths.want("items[].status.reason", Kind::kString, Field::kReason);
  paths.want("items[].status.resize", Kind::kString, Field::kResize);
  paths.want("items[].status.hostIP", Kind::kString, Field::kHostIp);
  paths.want("items[].status.podIP", Kind::kString, Field::kPodIp);
  paths.want("items[].status.podIPs[].ip", Kind::kString, Field::kPodIps);
  paths.want("items[].status.conditions[]", Kind::kObject, Field::kCondition);
  paths.want("items[].status.conditions[].type", Kind::kString, Field::kConditionType);
  paths.want("items[].status.conditions[].status", Kind::kString, Field::kConditionStatus);
  paths.want("items[].status.conditions[].reason", Kind::kString, Field::kConditionReason);
  want_status(paths, "items[].status.containerStatuses[]", Field::kRegularStatus);
  want_status(paths, "items[].status.initContainerStatuses[]", Field::kInitStatus);
  want_status(paths, "items[].status.ephemeralContainerStatuses[]", Field::kEphemeralStatus);
  return paths;
}

}  // namespace

const json::Paths& PodListVisitor::paths() {
  static const json::Paths kPaths = make_paths();
  return kPaths;
}

}  // namespace flintgauge
