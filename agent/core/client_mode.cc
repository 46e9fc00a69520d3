// Drivers that only their executors tell of.
#include <algorithm>
#include <compare>
#include <map>
#include <string>
#include <utility>

#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

/// The youngest executor that names a pod its controller; of equally young ones that of the greatest id, so
/// that the answer does not depend on the order of the list.
struct Claim {
  WallTime created;
  std::string app_id;
  auto operator<=>(const Claim&) const = default;
};

using Claims = std::map<std::pair<std::string, std::string>, Claim>;  // by namespace and UID of the owner

Claims claims_of(const PodList& list) {
  Claims claims;
  for (const Pod& pod : list.pods) {
    if (pod.owner_kind != "Pod" || pod.owner_uid.empty()) continue;
    const PodIdentity who = identify(pod);
    if (who.app_id.empty() || who.role != Role::kExecutor || who.executor_id.empty()) continue;
    Claim& claim = claims[{pod.namespace_name, pod.owner_uid}];
    claim = std::max(claim, Claim{pod.created_at, std::string(who.app_id)});
  }
  return claims;
}

}  // namespace

void ClientModeDrivers::mark(PodList& list) {
  const Claims claims = claims_of(list);
  if (claims.empty() && app_of_.empty()) return;
  std::map<std::string, std::string, std::less<>> marked;
  for (Pod& pod : list.pods) {
    if (pod.uid.empty() || !identify(pod).app_id.empty()) continue;
    const auto claim = claims.find({pod.namespace_name, pod.uid});
    const auto before = app_of_.find(pod.uid);
    if (claim != claims.end()) {
      pod.client_app_id = claim->second.app_id;
    } else if (before != app_of_.end()) {
      pod.client_app_id = before->second;
    } else {
      continue;
    }
    marked.emplace(pod.uid, pod.client_app_id);
  }
  app_of_ = std::move(marked);
}

}  // namespace flintgauge
