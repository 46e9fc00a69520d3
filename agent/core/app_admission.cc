#include "agent/core/app_admission.h"

namespace flintgauge {

void AppAdmission::update(const std::vector<App>& apps, const std::vector<AppKey>& others) {
  for (auto& [key, entry] : apps_) entry.is_there = false;
  for (const App& app : apps) {
    if (const auto at = apps_.find(app.key); at != apps_.end()) at->second.is_there = true;
  }
  for (const AppKey& key : others) {
    if (const auto at = apps_.find(key); at != apps_.end()) at->second.is_there = true;
  }
  for (auto at = apps_.begin(); at != apps_.end();) {
    if (at->second.is_there) {
      ++at;
      continue;
    }
    const AppKey& key = at->first;
    budget_.release(key.namespace_name, key.app_id, at->second.admitted ? kDerivedSeriesPerApp : 0);
    at = apps_.erase(at);
  }
  for (const App& app : apps) note(app.key);
  for (const AppKey& key : others) note(key);
}

void AppAdmission::note(const AppKey& key) {
  const auto [at, is_new] = apps_.try_emplace(key);
  if (!is_new) return;
  at->second.admitted = budget_.admit(key.namespace_name, key.app_id, kDerivedSeriesPerApp);
  // Nothing, but so the namespace is remembered, with its count, while the application is there.
  if (!at->second.admitted) budget_.charge(key.namespace_name, key.app_id, 0);
}

}  // namespace flintgauge
