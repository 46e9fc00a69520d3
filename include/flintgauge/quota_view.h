// What a namespace's ResourceQuotas say: plain values. A node agent has none, because only the API server
// knows them; a hub fills them. Base units: cores, bytes, counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/error.h"

namespace flintgauge {

struct QuotaResource {
  std::string
      name;         ///< as Kubernetes spells it: requests.cpu, limits.memory, pods, cpu (= requests.cpu), ...
  double hard = 0;  ///< status.hard
  double used = 0;  ///< status.used
  std::optional<double> used_p95;  ///< 95th percentile of `used` over an hour
};

/// Which pods a quota counts (spec.scopes, spec.scopeSelector). All that are set must match.
struct QuotaScopes {
  bool best_effort = false;
  bool not_best_effort = false;
  bool terminating = false;
  bool not_terminating = false;
  bool priority_class = false;                ///< only pods with a class ...
  std::vector<std::string> priority_classes;  ///< ... of these, when not empty
};

struct Quota {
  std::string name;
  QuotaScopes scopes;
  std::vector<QuotaResource> resources;
};

/// Every quota of a namespace binds.
struct NamespaceQuotas {
  std::string namespace_name;
  std::vector<Quota> quotas;
};

struct QuotaView {
  std::vector<NamespaceQuotas> namespaces;  ///< sorted by name
  const NamespaceQuotas* find(std::string_view namespace_name) const;
};

/// One pod as a quota counts it. Absent: the pod does not state it.
struct PodShape {
  std::optional<double> cpu_request_cores, cpu_limit_cores;
  std::optional<double> memory_request_bytes, memory_limit_bytes;
  std::string priority_class;
};

/// Reads `hard` and `used` of a resource as they stand in the object ("2", "1500m", "8Gi"). Reason::kParse
/// for what is no quantity.
Result<QuotaResource> parse_quota_resource(std::string_view name, std::string_view hard,
                                           std::string_view used);

}  // namespace flintgauge
