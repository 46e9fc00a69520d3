#include "flintgauge/quota.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "flintgauge/quantity.h"

namespace flintgauge {
namespace {

constexpr double kSafety = 1.1;     // lent quota leaves a tenth above what the lender uses
constexpr double kRounding = 1e-9;  // 0.3 / 0.1 is 3 executors
constexpr double kFailures = 1e6;   // a failure a second for eleven days: the application is never ended
constexpr double kBySigns = 0.5;
constexpr std::array<std::string_view, 5> kPressureNames = {"none", "unknown", "next_step", "suspected",
                                                            "starved"};

double sane(double value) { return std::isfinite(value) && value > 0 ? value : 0; }

bool is_best_effort(const PodShape& pod) {
  return !pod.cpu_request_cores && !pod.cpu_limit_cores && !pod.memory_request_bytes &&
         !pod.memory_limit_bytes;
}

/// An executor has no activeDeadlineSeconds, so it is never "terminating".
bool counts(const Quota& quota, const PodShape& pod) {
  const QuotaScopes& scopes = quota.scopes;
  if (scopes.terminating) return false;
  if (scopes.best_effort && !is_best_effort(pod)) return false;
  if (scopes.not_best_effort && is_best_effort(pod)) return false;
  if (!scopes.priority_class) return true;
  if (pod.priority_class.empty()) return false;
  return scopes.priority_classes.empty() ||
         std::ranges::find(scopes.priority_classes, pod.priority_class) != scopes.priority_classes.end();
}

struct Request {
  bool is_counted = false;  ///< the resource is one that every pod has
  bool is_limit = false;
  std::optional<double> amount;
};

Request request_of(std::string_view resource, const PodShape& pod) {
  if (resource == "pods" || resource == "count/pods") return {true, false, 1};
  if (resource == "limits.cpu") return {true, true, pod.cpu_limit_cores};
  if (resource == "limits.memory") return {true, true, pod.memory_limit_bytes};
  // A limit without a request is the request too (defaults of the API server).
  if (resource == "requests.cpu" || resource == "cpu") {
    return {true, false, pod.cpu_request_cores ? pod.cpu_request_cores : pod.cpu_limit_cores};
  }
  if (resource == "requests.memory" || resource == "memory") {
    return {true, false, pod.memory_request_bytes ? pod.memory_request_bytes : pod.memory_limit_bytes};
  }
  return {};
}

void bind(QuotaRoom& room, const Quota& quota, const QuotaResource& resource, double request, double pods) {
  if (room.headroom_executors && *room.headroom_executors <= pods) return;
  room.headroom_executors = pods;
  room.quota = quota.name;
  room.resource = resource.name;
  room.hard = resource.hard;
  room.used = resource.used;
  room.request = request;
}

void count_resource(const Quota& quota, const QuotaResource& resource, const PodShape& pod, QuotaRoom& room) {
  const Request request = request_of(resource.name, pod);
  if (!request.is_counted) return;
  if (resource.hard > 0) room.used_ratio = std::max(room.used_ratio, resource.used / resource.hard);
  if (!request.amount) {
    room.must_specify.push_back(resource.name);
    room.requires_limits = room.requires_limits || request.is_limit;
    bind(room, quota, resource, 0, 0);
    return;
  }
  if (!(*request.amount > 0)) return;
  const double left = sane(resource.hard - resource.used);
  bind(room, quota, resource, *request.amount, std::floor(left / *request.amount + kRounding));
}

QuotaPressure pressure_of(const QuotaPressureInput& in, double missing) {
  const bool is_waiting =
      in.target && *in.target > in.executors && in.shortfall_seconds.value_or(0) >= in.startup_seconds;
  if (in.headroom) {
    if (*in.headroom < 1 && in.target && *in.target > in.executor_pods) return QuotaPressure::kStarved;
    return missing > *in.headroom ? QuotaPressure::kNextStep : QuotaPressure::kNone;
  }
  if (is_waiting && in.pending_pods && *in.pending_pods <= 0) return QuotaPressure::kSuspected;
  return QuotaPressure::kUnknown;
}

}  // namespace

const NamespaceQuotas* QuotaView::find(std::string_view namespace_name) const {
  const auto at = std::ranges::lower_bound(namespaces, namespace_name, {}, &NamespaceQuotas::namespace_name);
  return at != namespaces.end() && at->namespace_name == namespace_name ? &*at : nullptr;
}

Result<QuotaResource> parse_quota_resource(std::string_view name, std::string_view hard,
                                           std::string_view used) {
  const bool is_cpu = name == "cpu" || name == "requests.cpu" || name == "limits.cpu";
  const auto read = is_cpu ? parse_milli : parse_whole;
  const Result<std::int64_t> hard_value = read(hard);
  if (!hard_value) return tl::unexpected<Error>(hard_value.error());
  const Result<std::int64_t> used_value = read(used);
  if (!used_value) return tl::unexpected<Error>(used_value.error());
  const double unit = is_cpu ? 1000 : 1;
  QuotaResource out;
  out.name = name;
  out.hard = static_cast<double>(*hard_value) / unit;
  out.used = static_cast<double>(*used_value) / unit;
  return out;
}

QuotaRoom quota_room(const NamespaceQuotas& quotas, const PodShape& pod) {
  QuotaRoom room;
  for (const Quota& quota : quotas.quotas) {
    if (!counts(quota, pod)) continue;
    for (const QuotaResource& resource : quota.resources) count_resource(quota, resource, pod, room);
  }
  return room;
}

std::string_view to_string(QuotaPressure pressure) {
  return kPressureNames[static_cast<std::size_t>(pressure)];
}

QuotaAdvice quota_advice(const QuotaPressureInput& in) {
  QuotaAdvice out;
  const double target = sane(in.target.value_or(0));
  // The step of ExecutorAllocationManager: from the target or what there is, by to_add, as far as there are
  // tasks and as the maximum allows.
  double next = std::max(target, in.to_add ? sane(in.executors) : 0) + sane(in.to_add.value_or(0));
  next = std::min(next, std::max(target, in.max_needed.value_or(next)));
  out.next_target = std::min(next, in.max_executors.value_or(next));

  const double pods = std::max(sane(in.executor_pods), sane(in.executors));
  out.pressure = pressure_of(in, out.next_target - pods);
  switch (out.pressure) {
    case QuotaPressure::kNone:
    case QuotaPressure::kUnknown:
      return out;
    case QuotaPressure::kNextStep:
    case QuotaPressure::kStarved:
      out.confidence = 1;
      break;
    case QuotaPressure::kSuspected:
      out.confidence = kBySigns;
      break;
  }
  out.dynamic_allocation_max_executors = std::max(1.0, pods + in.headroom.value_or(0));
  out.executor_max_num_failures = kFailures;
  return out;
}

double lendable(double hard, double used, double used_p95, double reserve) {
  return std::max(0.0, sane(hard) - std::max(sane(used), sane(used_p95)) * kSafety - sane(reserve));
}

std::vector<TenantShare> share_quota(std::span<const Tenant> tenants) {
  std::vector<TenantShare> out(tenants.size());
  double pool = 0;
  double weights = 0;
  bool lender_lacks = false;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const Tenant& tenant = tenants[i];
    // One that lacks something needs what it has.
    out[i].lendable =
        tenant.unmet > 0 ? 0 : lendable(tenant.hard, tenant.used, tenant.used_p95, tenant.reserve);
    pool += out[i].lendable;
    if (tenant.unmet > 0) weights += sane(tenant.weight);
    lender_lacks = lender_lacks || (tenant.unmet > 0 && tenant.used <= tenant.hard);
  }
  double lent = 0;
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const Tenant& tenant = tenants[i];
    if (tenant.unmet > 0 && weights > 0) {
      out[i].borrowable = std::min(sane(tenant.limit), pool * sane(tenant.weight) / weights);
    }
    out[i].reclaim = tenant.used > tenant.hard && lender_lacks;
    lent += std::min(out[i].borrowable, sane(tenant.unmet));
  }
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const double gives = pool > 0 ? lent * out[i].lendable / pool : 0;
    out[i].suggested_hard = tenants[i].hard - gives + std::min(out[i].borrowable, sane(tenants[i].unmet));
  }
  return out;
}

}  // namespace flintgauge
