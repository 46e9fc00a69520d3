// What quotas mean for executors: room, what binds, starvation, and lending between namespaces.
// Source: docs/hints.md section "Quota"; Kubernetes' rules: resource-quotas documentation, kubernetes
// pkg/quota/v1/evaluator/core/pods.go. Pure; no clock; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/quota_view.h"

namespace flintgauge {

struct QuotaRoom {
  /// H: pods of this shape that still fit. Absent: no quota counts them.
  std::optional<double> headroom_executors;
  // What binds: views into the NamespaceQuotas. Empty without headroom.
  std::string_view quota, resource;
  double hard = 0, used = 0, request = 0;  ///< of that resource; request: of one pod
  /// Resources the pod must state and does not: the API server refuses it ("must specify limits.cpu").
  std::vector<std::string_view> must_specify;
  bool requires_limits = false;  ///< one of them is a limit: quota_requires_limits
  double used_ratio = 0;         ///< greatest used / hard of any resource that counts the pod
};
QuotaRoom quota_room(const NamespaceQuotas& quotas, const PodShape& pod);

enum class QuotaPressure : std::uint8_t {
  kNone,
  kUnknown,    ///< no sign and no quota known
  kNextStep,   ///< what dynamic allocation asks for next does not fit: Spark 4.3 may end the application
  kSuspected,  ///< wanted executors do not come and nobody sees a pod of theirs; no quota is known
  kStarved,    ///< the quota refuses executors now
};
std::string_view to_string(QuotaPressure pressure);

/// Counts of executors.
struct QuotaPressureInput {
  double executors = 0;                     ///< registered
  double executor_pods = 0;                 ///< pending ones included; at least `executors`
  std::optional<double> target;             ///< dynamic allocation's
  std::optional<double> to_add;             ///< its next step
  std::optional<double> max_needed;         ///< as many as it has tasks for
  std::optional<double> max_executors;      ///< its maximum
  std::optional<double> shortfall_seconds;  ///< target > executors and > their pods that run: how long
  std::optional<double> pending_pods;       ///< seen by whoever asks
  std::optional<double> headroom;           ///< QuotaRoom::headroom_executors
  double startup_seconds = 30;
};

struct QuotaAdvice {
  QuotaPressure pressure = QuotaPressure::kUnknown;
  double confidence = 0;
  double next_target = 0;  ///< executors asked for after the next step
  /// Settings that help; absent when they would change nothing.
  std::optional<double> dynamic_allocation_max_executors;  ///< what fits
  std::optional<double> executor_max_num_failures;
};
QuotaAdvice quota_advice(const QuotaPressureInput& input);

// Lending between namespaces, one resource at a time.

/// What a namespace does not need: max(0, hard - max(used, p95) * 1.1 - reserve).
double lendable(double hard, double used, double used_p95, double reserve);

struct Tenant {
  double hard = 0;  ///< its own, before any lending
  double used = 0;
  double used_p95 = 0;
  double reserve = 0;
  double limit = 0;   ///< most it may borrow
  double weight = 1;  ///< its part of the pool
  double unmet = 0;   ///< what it would use if it could
};
struct TenantShare {
  double lendable = 0;
  double borrowable = 0;      ///< 0 for one that lacks nothing
  bool reclaim = false;       ///< it uses more than its own, and one that lends lacks something
  double suggested_hard = 0;  ///< the sum over tenants is that of `hard`, save what borrowers already exceed
};
std::vector<TenantShare> share_quota(std::span<const Tenant> tenants);

}  // namespace flintgauge
