#include "collectors/common/pod_list.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "collectors/common/rfc3339.h"
#include "flintgauge/quantity.h"

namespace flintgauge {
namespace {

using json::Value;
using json::Verdict;

// A node has some hundred pods at most (default maxPods 110): a longer list is hostile or no node's.
constexpr std::size_t kMaxPods = 10'000;
constexpr std::size_t kMaxContainers = 50'000;

Phase phase_of(std::string_view text) {
  if (text == "Pending") return Phase::kPending;
  if (text == "Running") return Phase::kRunning;
  if (text == "Succeeded") return Phase::kSucceeded;
  if (text == "Failed") return Phase::kFailed;
  return Phase::kUnknown;
}

/// "containerd://<64 hex>" -> "<64 hex>"
std::string_view bare_id(std::string_view text) {
  const std::size_t scheme = text.find("://");
  return scheme == std::string_view::npos ? text : text.substr(scheme + 3);
}

Verdict keep(std::string& into, std::string_view text) {
  into = text;
  return Verdict::kKept;
}

Verdict keep_time(WallTime& into, std::string_view text) {
  const auto time = parse_rfc3339(text);
  if (!time) return Verdict::kBad;
  into = *time;
  return Verdict::kKept;
}

Verdict keep_quantity(std::optional<std::int64_t>& into, const Result<std::int64_t>& amount) {
  if (!amount) return Verdict::kBad;
  into = *amount;
  return Verdict::kKept;
}

/// Both lists of a pod that init containers and sidecars share.
bool same_list(ContainerKind spec, ContainerKind status) {
  return spec == status || (spec == ContainerKind::kSidecar && status == ContainerKind::kInit);
}

}  // namespace

void PodListVisitor::clear() {
  list_ = std::make_shared<PodList>();
  has_items_ = false;
  too_long_ = false;
  containers_ = 0;
  repeated_names_ = 0;
  begin_pod();
}

void PodListVisitor::begin_pod() {
  pod_ = Pod();
  pod_ip_.clear();
  statuses_.clear();
}

void PodListVisitor::begin_container(ContainerKind kind, bool is_status) {
  container_ = Container();
  container_.kind = kind;
  is_status_ = is_status;
}

void PodListVisitor::null(int id) {
  if (static_cast<Field>(id) == Field::kItems) has_items_ = true;  // how Go writes an empty list
}

void PodListVisitor::open(int id) {
  switch (static_cast<Field>(id)) {
    case Field::kItems:
      has_items_ = true;
      return;
    case Field::kPod:
      return begin_pod();
    case Field::kOwner:
      owner_ = Owner();
      return;
    case Field::kPort:
      port_name_.clear();
      port_number_ = 0;
      return;
    case Field::kCondition:
      condition_ = Condition();
      return;
    case Field::kRegular:
      return begin_container(ContainerKind::kRegular, false);
    case Field::kInit:
      return begin_container(ContainerKind::kInit, false);
    case Field::kEphemeral:
      return begin_container(ContainerKind::kEphemeral, false);
    case Field::kRegularStatus:
      return begin_container(ContainerKind::kRegular, true);
    case Field::kInitStatus:
      return begin_container(ContainerKind::kInit, true);
    case Field::kEphemeralStatus:
      return begin_container(ContainerKind::kEphemeral, true);
    default:
      return open_inner(static_cast<Field>(id));
  }
}

/// Objects inside a pod or container that say where the values in them go.
void PodListVisitor::open_inner(Field field) {
  switch (field) {
    case Field::kOverhead:
      resources_ = &pod_.overhead;
      return;
    case Field::kPodRequests:
      resources_ = &pod_.pod_requests;
      return;
    case Field::kPodLimits:
      resources_ = &pod_.pod_limits;
      return;
    case Field::kRequests:
      resources_ = &container_.requests;
      return;
    case Field::kLimits:
      resources_ = &container_.limits;
      return;
    case Field::kActualRequests:
      resources_ = &container_.actual_requests.emplace();
      return;
    case Field::kActualLimits:
      resources_ = &container_.actual_limits.emplace();
      return;
    case Field::kAllocated:
      resources_ = &container_.allocated.emplace();
      return;
    default:
      return open_state(field);
  }
}

void PodListVisitor::open_state(Field field) {
  if (field == Field::kWaiting) container_.state = ContainerState::kWaiting;
  if (field == Field::kRunning) container_.state = ContainerState::kRunning;
  if (field == Field::kTerminated) {
    container_.state = ContainerState::kTerminated;
    termination_ = &container_.terminated.emplace();
  }
  if (field == Field::kLastTerminated) termination_ = &container_.last_terminated.emplace();
}

void PodListVisitor::close(int id) {
  switch (static_cast<Field>(id)) {
    case Field::kPod:
      return end_pod();
    case Field::kOwner:
      return end_owner();
    case Field::kPort:
      return end_port();
    case Field::kCondition:
      return end_condition();
    case Field::kRegular:
    case Field::kInit:
    case Field::kEphemeral:
    case Field::kRegularStatus:
    case Field::kInitStatus:
    case Field::kEphemeralStatus:
      return end_container();
    default:
      return;
  }
}

void PodListVisitor::end_owner() {
  if (!owner_.controller) return;
  pod_.owner_kind = std::move(owner_.kind);
  pod_.owner_name = std::move(owner_.name);
  pod_.owner_uid = std::move(owner_.uid);
}

/// Constants.UI_PORT_NAME of Spark.
void PodListVisitor::end_port() {
  constexpr std::int64_t kMaxPort = 65'535;
  if (port_name_ == "spark-ui" && port_number_ > 0 && port_number_ <= kMaxPort)
    pod_.spark_ui_port = port_number_;
}

void PodListVisitor::end_condition() {
  if (condition_.status != "True") return;
  if (condition_.type == "PodResizePending") {
    pod_.resize_infeasible = pod_.resize_infeasible || condition_.reason == "Infeasible";
    pod_.resize_deferred = pod_.resize_deferred || condition_.reason == "Deferred";
  } else if (condition_.type == "PodResizeInProgress") {
    bool& state = condition_.reason == "Error" ? pod_.resize_error : pod_.resize_in_progress;
    state = true;
  }
}

void PodListVisitor::end_container() {
  if (++containers_ > kMaxContainers) {
    too_long_ = true;
    return;
  }
  (is_status_ ? statuses_ : pod_.containers).push_back(std::move(container_));
}

/// Statuses come in an order of their own, and before or after the spec.
void PodListVisitor::join_statuses() {
  const std::size_t in_spec = pod_.containers.size();
  for (Container& status : statuses_) {
    const auto spec_end = pod_.containers.begin() + static_cast<std::ptrdiff_t>(in_spec);
    const auto spec = std::find_if(pod_.containers.begin(), spec_end, [&](const Container& c) {
      return c.name == status.name && same_list(c.kind, status.kind);
    });
    if (spec == spec_end) {  // an answer without spec: its ids still tell whose a cgroup is
      pod_.containers.push_back(std::move(status));
      continue;
    }
    status.kind = spec->kind;
    status.requests = spec->requests;
    status.limits = spec->limits;
    *spec = std::move(status);
  }
}

/// By name, as Pod::label wants them; of equal names the last one stays.
void PodListVisitor::sort_strings(Strings& strings) {
  std::stable_sort(strings.begin(), strings.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto first = std::unique(strings.rbegin(), strings.rend(),
                                 [](const auto& a, const auto& b) { return a.first == b.first; });
  repeated_names_ += static_cast<std::size_t>(strings.rend() - first);
  strings.erase(strings.begin(), first.base());
}

void PodListVisitor::end_pod() {
  if (list_->pods.size() == kMaxPods) too_long_ = true;
  if (too_long_) return;
  join_statuses();
  sort_strings(pod_.labels);
  sort_strings(pod_.annotations);
  if (pod_.ips.empty() && !pod_ip_.empty()) pod_.ips.push_back(std::move(pod_ip_));
  list_->pods.push_back(std::move(pod_));
}

Result<std::shared_ptr<PodList>> PodListVisitor::take(ScrapeCounts& counts) {
  std::shared_ptr<PodList> list = std::exchange(list_, nullptr);
  if (!has_items_) return fail(Reason::kJson, "no v1.PodList: it has no \"items\"");
  if (too_long_) {
    return fail(Reason::kLimit, "pod list with over " + std::to_string(kMaxPods) + " pods or " +
                                    std::to_string(kMaxContainers) + " containers");
  }
  counts.kept -= repeated_names_;
  counts.duplicate += repeated_names_;
  return list;
}

Verdict PodListVisitor::value(int id, const Value& value) {
  const auto field = static_cast<Field>(id);
  if (field >= Field::kExitCode) return termination_value(field, value);
  if (field >= Field::kContainerName) return container_value(field, value);
  if (field == Field::kCpu) return keep_quantity(resources_->cpu_millicores, parse_milli(value.text));
  if (field == Field::kMemory) return keep_quantity(resources_->memory_bytes, parse_whole(value.text));
  if (field >= Field::kOwner) return list_value(field, value);
  return field >= Field::kNodeName ? pod_value(field, value) : metadata_value(field, value);
}

Verdict PodListVisitor::metadata_value(Field field, const Value& value) {
  switch (field) {
    case Field::kNamespace:
      return keep(pod_.namespace_name, value.text);
    case Field::kName:
      return keep(pod_.name, value.text);
    case Field::kUid:
      return keep(pod_.uid, value.text);
    case Field::kLabel:
      pod_.labels.emplace_back(value.name, value.text);
      return Verdict::kKept;
    case Field::kAnnotation:
      if (!value.name.starts_with("prometheus.io/") && !value.name.starts_with("kubernetes.io/config.")) {
        return Verdict::kSkipped;
      }
      pod_.annotations.emplace_back(value.name, value.text);
      return Verdict::kKept;
    case Field::kCreated:
      return keep_time(pod_.created_at, value.text);
    default:  // kDeletion
      pod_.deleting = true;
      return Verdict::kKept;
  }
}

Verdict PodListVisitor::pod_value(Field field, const Value& value) {
  switch (field) {
    case Field::kNodeName:
      return keep(pod_.node_name, value.text);
    case Field::kHostNetwork:
      pod_.host_network = value.truth;
      return Verdict::kKept;
    case Field::kPhase:
      pod_.phase = phase_of(value.text);
      return Verdict::kKept;
    case Field::kReason:
      return keep(pod_.reason, value.text);
    case Field::kResize:  // 1.27..1.32
      pod_.resize_infeasible = pod_.resize_infeasible || value.text == "Infeasible";
      pod_.resize_deferred = pod_.resize_deferred || value.text == "Deferred";
      pod_.resize_in_progress = pod_.resize_in_progress || value.text == "InProgress";
      return Verdict::kKept;
    case Field::kHostIp:
      return keep(pod_.host_ip, value.text);
    case Field::kPodIp:
      return keep(pod_ip_, value.text);
    default:  // kPodIps
      pod_.ips.emplace_back(value.text);
      return Verdict::kKept;
  }
}

/// Owner references and conditions.
Verdict PodListVisitor::list_value(Field field, const Value& value) {
  switch (field) {
    case Field::kOwnerKind:
      return keep(owner_.kind, value.text);
    case Field::kOwnerName:
      return keep(owner_.name, value.text);
    case Field::kOwnerUid:
      return keep(owner_.uid, value.text);
    case Field::kOwnerController:
      owner_.controller = value.truth;
      return Verdict::kKept;
    case Field::kConditionType:
      return keep(condition_.type, value.text);
    case Field::kConditionStatus:
      return keep(condition_.status, value.text);
    case Field::kPortName:
      return keep(port_name_, value.text);
    case Field::kPortNumber:
      port_number_ = value.integer;
      return Verdict::kKept;
    default:  // kConditionReason
      return keep(condition_.reason, value.text);
  }
}

Verdict PodListVisitor::container_value(Field field, const Value& value) {
  switch (field) {
    case Field::kContainerName:
      return keep(container_.name, value.text);
    case Field::kRestartPolicy:  // KEP-753: an init container that is restarted always is a sidecar
      if (container_.kind == ContainerKind::kInit && value.text == "Always") {
        container_.kind = ContainerKind::kSidecar;
      }
      return Verdict::kKept;
    case Field::kContainerId:
      return keep(container_.container_id, bare_id(value.text));
    case Field::kRestartCount:
      container_.restart_count = value.integer;
      return Verdict::kKept;
    case Field::kWaitingReason:
      return keep(container_.waiting_reason, value.text);
    default:  // kStartedAt
      return keep_time(container_.started_at, value.text);
  }
}

Verdict PodListVisitor::termination_value(Field field, const Value& value) {
  switch (field) {
    case Field::kExitCode:
      if (value.integer < std::numeric_limits<int>::min() ||
          value.integer > std::numeric_limits<int>::max()) {
        return Verdict::kNotFinite;
      }
      termination_->exit_code = static_cast<int>(value.integer);
      return Verdict::kKept;
    case Field::kTerminationReason:
      return keep(termination_->reason, value.text);
    case Field::kTerminationId:
      return keep(termination_->container_id, bare_id(value.text));
    default:  // kFinishedAt
      return keep_time(termination_->finished_at, value.text);
  }
}

}  // namespace flintgauge
