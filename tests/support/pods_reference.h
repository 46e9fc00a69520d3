// v1.PodList read the slow way, from a tree; and a PodList as text, so that two can be compared.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>

#include "collectors/common/rfc3339.h"
#include "flintgauge/pod.h"
#include "support/json_reference.h"
#include "support/quantity_reference.h"

namespace flintgauge::reference {

using Type = Json::Type;

/// Follows names from a node; null when one is missing or no object on the way.
inline const Json* at(const Json* node, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (node == nullptr || node->type != Type::kObject) return nullptr;
    node = node->find(name);
  }
  return node;
}

inline bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\xED' && static_cast<unsigned char>(text[i + 1]) >= 0xA0) return false;
  }
  return true;
}

inline std::string text_at(const Json* node, std::initializer_list<std::string_view> names) {
  const Json* found = at(node, names);
  return found != nullptr && found->type == Type::kString && is_utf8(found->text) ? found->text : "";
}

inline bool is_string(const Json* node) {
  return node != nullptr && node->type == Type::kString && is_utf8(node->text);
}

inline std::int64_t integer_at(const Json* node, std::initializer_list<std::string_view> names) {
  const Json* found = at(node, names);
  std::int64_t value = 0;
  if (found == nullptr || found->type != Type::kNumber) return 0;
  const char* const end = found->text.data() + found->text.size();
  const auto result = std::from_chars(found->text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end ? value : 0;
}

inline bool truth_at(const Json* node, std::initializer_list<std::string_view> names) {
  const Json* found = at(node, names);
  return found != nullptr && found->type == Type::kBool && found->truth;
}

inline WallTime time_at(const Json* node, std::initializer_list<std::string_view> names) {
  return parse_rfc3339(text_at(node, names)).value_or(WallTime{});
}

/// Elements of an array; nothing when it is none.
inline const std::vector<Json>& list_at(const Json* node, std::initializer_list<std::string_view> names) {
  static const std::vector<Json> none;
  const Json* found = at(node, names);
  return found != nullptr && found->type == Type::kArray ? found->elements : none;
}

inline std::optional<std::int64_t> quantity_at(const Json* node, std::string_view name, int extra_power) {
  const Json* found = at(node, {name});
  if (found == nullptr || (found->type != Type::kString && found->type != Type::kNumber)) return std::nullopt;
  return quantity(found->text, extra_power);
}

inline Resources resources(const Json* node) {
  return {quantity_at(node, "cpu", 3), quantity_at(node, "memory", 0)};
}

inline std::string bare(const std::string& text) {
  const std::size_t scheme = text.find("://");
  return scheme == std::string::npos ? text : text.substr(scheme + 3);
}

inline bool is_object(const Json* node) { return node != nullptr && node->type == Type::kObject; }

inline std::optional<Termination> termination(const Json* node) {
  if (!is_object(node)) return std::nullopt;
  Termination t;
  t.container_id = bare(text_at(node, {"containerID"}));
  t.reason = text_at(node, {"reason"});
  const std::int64_t code = integer_at(node, {"exitCode"});
  t.exit_code = code >= INT32_MIN && code <= INT32_MAX ? static_cast<int>(code) : 0;
  t.finished_at = time_at(node, {"finishedAt"});
  return t;
}

inline void read_status(const Json& node, Container& c) {
  c.container_id = bare(text_at(&node, {"containerID"}));
  c.restart_count = integer_at(&node, {"restartCount"});
  // "Exactly one key": with more, the last one in the document counts.
  if (const Json* state = at(&node, {"state"}); is_object(state)) {
    for (const auto& [name, member] : state->members) {
      if (member.type != Type::kObject) continue;
      if (name == "waiting") c.state = ContainerState::kWaiting;
      if (name == "running") c.state = ContainerState::kRunning;
      if (name == "terminated") c.state = ContainerState::kTerminated;
    }
  }
  c.waiting_reason = text_at(&node, {"state", "waiting", "reason"});
  c.started_at = time_at(&node, {"state", "running", "startedAt"});
  c.terminated = termination(at(&node, {"state", "terminated"}));
  c.last_terminated = termination(at(&node, {"lastState", "terminated"}));
  if (const Json* r = at(&node, {"resources", "requests"}); is_object(r)) c.actual_requests = resources(r);
  if (const Json* r = at(&node, {"resources", "limits"}); is_object(r)) c.actual_limits = resources(r);
  if (const Json* r = at(&node, {"allocatedResources"}); is_object(r)) c.allocated = resources(r);
}

inline void read_containers(const Json& node, std::string_view spec_list, std::string_view status_list,
                            ContainerKind kind, std::vector<Container>& spec,
                            std::vector<Container>& orphans) {
  const std::size_t first = spec.size();
  for (const Json& item : list_at(&node, {"spec", spec_list})) {
    if (item.type != Type::kObject) continue;
    Container& c = spec.emplace_back();
    c.name = text_at(&item, {"name"});
    const bool always = text_at(&item, {"restartPolicy"}) == "Always";
    c.kind = kind == ContainerKind::kInit && always ? ContainerKind::kSidecar : kind;
    c.requests = resources(at(&item, {"resources", "requests"}));
    c.limits = resources(at(&item, {"resources", "limits"}));
  }
  for (const Json& item : list_at(&node, {"status", status_list})) {
    if (item.type != Type::kObject) continue;
    const std::string name = text_at(&item, {"name"});
    auto c = std::find_if(spec.begin() + static_cast<std::ptrdiff_t>(first), spec.end(),
                          [&](const Container& known) { return known.name == name; });
    if (c != spec.end()) {
      read_status(item, *c);
    } else {
      Container& orphan = orphans.emplace_back();
      orphan.name = name;
      orphan.kind = kind;
      read_status(item, orphan);
    }
  }
}

inline std::vector<std::pair<std::string, std::string>> strings(const Json* node) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!is_object(node)) return out;
  for (const auto& [name, member] : node->members) {
    if (is_string(&member) && is_utf8(name)) out.emplace_back(name, member.text);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The container port named spark-ui; the last one of several.
inline std::int64_t ui_port(const Json& node) {
  std::int64_t port = 0;
  for (const Json& container : list_at(&node, {"spec", "containers"})) {
    for (const Json& one : list_at(&container, {"ports"})) {
      const std::int64_t number = integer_at(&one, {"containerPort"});
      if (text_at(&one, {"name"}) == "spark-ui" && number > 0 && number < 65'536) port = number;
    }
  }
  return port;
}

inline void read_status_of_pod(const Json& node, Pod& pod) {
  const std::string phase = text_at(&node, {"status", "phase"});
  const auto phases = {std::pair("Pending", Phase::kPending), std::pair("Running", Phase::kRunning),
                       std::pair("Succeeded", Phase::kSucceeded), std::pair("Failed", Phase::kFailed)};
  for (const auto& [name, value] : phases) {
    if (phase == name) pod.phase = value;
  }
  pod.reason = text_at(&node, {"status", "reason"});
  pod.host_ip = text_at(&node, {"status", "hostIP"});
  for (const Json& ip : list_at(&node, {"status", "podIPs"})) {
    if (is_string(at(&ip, {"ip"}))) pod.ips.push_back(text_at(&ip, {"ip"}));
  }
  if (pod.ips.empty() && !text_at(&node, {"status", "podIP"}).empty())
    pod.ips.push_back(text_at(&node, {"status", "podIP"}));
  const std::string resize = text_at(&node, {"status", "resize"});
  pod.resize_infeasible = resize == "Infeasible";
  pod.resize_deferred = resize == "Deferred";
  pod.resize_in_progress = resize == "InProgress";
  for (const Json& c : list_at(&node, {"status", "conditions"})) {
    if (text_at(&c, {"status"}) != "True") continue;
    const std::string what = text_at(&c, {"type"}) + " " + text_at(&c, {"reason"});
    if (what == "PodResizePending Infeasible") pod.resize_infeasible = true;
    if (what == "PodResizePending Deferred") pod.resize_deferred = true;
    if (what == "PodResizeInProgress Error") pod.resize_error = true;
    if (what.starts_with("PodResizeInProgress ") && !what.ends_with(" Error")) pod.resize_in_progress = true;
  }
}

inline Pod pod(const Json& node) {
  Pod pod;
  pod.namespace_name = text_at(&node, {"metadata", "namespace"});
  pod.name = text_at(&node, {"metadata", "name"});
  pod.uid = text_at(&node, {"metadata", "uid"});
  pod.labels = strings(at(&node, {"metadata", "labels"}));
  pod.annotations = strings(at(&node, {"metadata", "annotations"}));
  std::erase_if(pod.annotations, [](const auto& annotation) {
    return !annotation.first.starts_with("prometheus.io/") &&
           !annotation.first.starts_with("kubernetes.io/config.");
  });
  for (const Json& owner : list_at(&node, {"metadata", "ownerReferences"})) {
    if (!truth_at(&owner, {"controller"})) continue;
    pod.owner_kind = text_at(&owner, {"kind"});
    pod.owner_name = text_at(&owner, {"name"});
    pod.owner_uid = text_at(&owner, {"uid"});
  }
  pod.created_at = time_at(&node, {"metadata", "creationTimestamp"});
  pod.deleting = is_string(at(&node, {"metadata", "deletionTimestamp"}));
  pod.node_name = text_at(&node, {"spec", "nodeName"});
  pod.host_network = truth_at(&node, {"spec", "hostNetwork"});
  pod.overhead = resources(at(&node, {"spec", "overhead"}));
  pod.pod_requests = resources(at(&node, {"spec", "resources", "requests"}));
  pod.pod_limits = resources(at(&node, {"spec", "resources", "limits"}));
  read_status_of_pod(node, pod);
  pod.spark_ui_port = ui_port(node);
  std::vector<Container> orphans;
  read_containers(node, "initContainers", "initContainerStatuses", ContainerKind::kInit, pod.containers,
                  orphans);
  read_containers(node, "containers", "containerStatuses", ContainerKind::kRegular, pod.containers, orphans);
  read_containers(node, "ephemeralContainers", "ephemeralContainerStatuses", ContainerKind::kEphemeral,
                  pod.containers, orphans);
  pod.containers.insert(pod.containers.end(), orphans.begin(), orphans.end());
  return pod;
}

/// nullopt when it is no pod list.
inline std::optional<PodList> pod_list(const Json& document) {
  const Json* items = at(&document, {"items"});
  if (items == nullptr || (items->type != Type::kArray && items->type != Type::kNull)) return std::nullopt;
  PodList list;
  for (const Json& item : items->elements) {
    if (item.type == Type::kObject) list.pods.push_back(pod(item));
  }
  return list;
}

// -- As text ----------------------------------------------------------------------------------------------

inline std::string describe(const std::optional<std::int64_t>& amount) {
  return amount ? std::to_string(*amount) : "-";
}
inline std::string describe(const Resources& r) {
  return describe(r.cpu_millicores) + "m/" + describe(r.memory_bytes);
}
inline std::string describe(const std::optional<Resources>& r) { return r ? describe(*r) : "none"; }
inline std::string describe(const std::optional<Termination>& t) {
  if (!t) return "none";
  return t->container_id + " " + t->reason + " " + std::to_string(t->exit_code) + " " +
         std::to_string(t->finished_at.ms);
}

inline std::string describe(const Container& c) {
  std::string out = "  container " + c.name + " kind " + std::to_string(static_cast<int>(c.kind));
  out += " requests " + describe(c.requests) + " limits " + describe(c.limits);
  out += " actual " + describe(c.actual_requests) + " " + describe(c.actual_limits) + " allocated " +
         describe(c.allocated);
  out += " id " + c.container_id + " restarts " + std::to_string(c.restart_count);
  out += " state " + std::to_string(static_cast<int>(c.state)) + " since " + std::to_string(c.started_at.ms);
  out += " waiting " + c.waiting_reason + " ended " + describe(c.terminated) + " before " +
         describe(c.last_terminated);
  return out + "\n";
}

inline void append(std::string& out, const std::vector<std::pair<std::string, std::string>>& strings) {
  for (const auto& [name, value] : strings) out.append(" ").append(name).append("=").append(value);
}

inline std::string describe(const Pod& p) {
  std::string out =
      "pod " + p.namespace_name + "/" + p.name + " uid " + p.uid + " node " + p.node_name + "\n ";
  append(out, p.labels);
  out += "\n ";
  append(out, p.annotations);
  out += "\n  owner " + p.owner_kind + "/" + p.owner_name + "/" + p.owner_uid;
  out += " created " + std::to_string(p.created_at.ms) + (p.deleting ? " deleting" : "");
  out += p.host_network ? " host network" : "";
  out += " phase " + std::to_string(static_cast<int>(p.phase)) + " reason " + p.reason + " host " +
         p.host_ip + " ips";
  for (const std::string& ip : p.ips) out += " " + ip;
  out += std::string(p.resize_infeasible ? " infeasible" : "") + (p.resize_deferred ? " deferred" : "") +
         (p.resize_in_progress ? " in progress" : "") + (p.resize_error ? " resize error" : "");
  if (p.spark_ui_port != 0) out += " ui " + std::to_string(p.spark_ui_port);
  out += " overhead " + describe(p.overhead);
  out += " pod " + describe(p.pod_requests) + " " + describe(p.pod_limits) + "\n";
  std::string containers;
  std::vector<std::string> lines;
  for (const Container& c : p.containers) lines.push_back(describe(c));
  std::stable_sort(lines.begin(), lines.end());  // the lists of a pod come in any order
  for (const std::string& line : lines) out += line;
  out += "  in all " + describe(effective_requests(p)) + " " + describe(effective_limits(p)) + "\n";
  return out;
}

inline std::string describe(const PodList& list) {
  std::string out;
  for (const Pod& p : list.pods) out += describe(p);
  return out;
}

}  // namespace flintgauge::reference
