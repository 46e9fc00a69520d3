#include "agent/core/series_budget.h"

#include <algorithm>

namespace flintgauge {

bool SeriesBudget::fits(std::string_view namespace_name, std::string_view app_id, std::size_t series) const {
  const auto own = namespaces_.find(namespace_name);
  std::size_t of_namespace = 0;
  std::size_t of_app = 0;
  if (own != namespaces_.end()) {
    of_namespace = own->second.series;
    if (const auto app = own->second.apps.find(app_id); app != own->second.apps.end()) of_app = app->second;
  }
  return of_app + series <= limits_.app && of_namespace + series <= limits_.namespace_ &&
         series_ + series <= limits_.node;
}

bool SeriesBudget::admit(std::string_view namespace_name, std::string_view app_id, std::size_t series) {
  if (fits(namespace_name, app_id, series)) {
    charge(namespace_name, app_id, series);
    return true;
  }
  refuse(namespace_name, 1);
  return false;
}

void SeriesBudget::refuse(std::string_view namespace_name, std::size_t times) {
  namespaces_[std::string(namespace_name)].refused += static_cast<double>(times);
}

void SeriesBudget::write_refused(std::vector<Refused>& out) const {
  std::size_t count = 0;
  for (const auto& [name, use] : namespaces_) {
    if (use.refused == 0) continue;
    if (count == out.size()) out.emplace_back();
    out[count].namespace_name = name;
    out[count++].times = use.refused;
  }
  out.resize(count);
}

void SeriesBudget::charge(std::string_view namespace_name, std::string_view app_id, std::size_t series) {
  Use& use = namespaces_[std::string(namespace_name)];
  use.series += series;
  use.apps[std::string(app_id)] += series;
  series_ += series;
}

void SeriesBudget::release(std::string_view namespace_name, std::string_view app_id, std::size_t series) {
  const auto own = namespaces_.find(namespace_name);
  if (own == namespaces_.end()) return;
  const auto app = own->second.apps.find(app_id);
  if (app == own->second.apps.end()) return;
  const std::size_t back = std::min(series, app->second);
  app->second -= back;
  own->second.series -= back;
  series_ -= back;
  if (app->second == 0) own->second.apps.erase(app);
  if (own->second.apps.empty()) namespaces_.erase(own);
}

}  // namespace flintgauge
