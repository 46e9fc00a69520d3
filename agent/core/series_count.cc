#include "agent/core/series_count.h"

#include <algorithm>

namespace flintgauge {

void SeriesCount::tally(const Schema& schema, Tally& into) {
  std::size_t* count = nullptr;
  std::string_view counted;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const FamilyId id = schema.family(i);
    // The count itself is the agent's series, whatever namespace it speaks of.
    const bool has_namespace = info(id).labels[0] == "namespace" && id != family("flintgauge_series");
    const std::string_view name = has_namespace ? schema.labels(i)[0] : std::string_view();
    if (count == nullptr || name != counted) {
      auto at = into.find(name);
      if (at == into.end()) at = into.emplace(name, 0).first;
      count = &at->second;
      counted = at->first;
    }
    ++*count;
  }
}

bool SeriesCount::read(const Blocks& sources, bool own_changed, const std::vector<App>& apps,
                       const std::vector<AppKey>& hinted) {
  decltype(schemas_) schemas;
  std::ranges::transform(sources, schemas.begin(),
                         [](const Block* block) { return block != nullptr ? block->schema : nullptr; });
  const bool first = namespaces_.empty();
  if (schemas == schemas_ && !own_changed && !first) return false;
  schemas_ = std::move(schemas);

  Tally names;
  names[""];
  for (const auto& schema : schemas_) {
    if (schema != nullptr) tally(*schema, names);
  }
  for (const App& app : apps) names[app.key.namespace_name];
  for (const AppKey& key : hinted) names[key.namespace_name];
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  const bool changed = !std::ranges::equal(names, namespaces_, same_name);
  sources_ = std::move(names);
  sum();
  return changed;
}

void SeriesCount::read_own(const Schema& schema) {
  own_.clear();
  tally(schema, own_);
  sum();
}

void SeriesCount::sum() {
  namespaces_.clear();
  for (const auto& [name, count] : sources_) {
    const auto own = own_.find(name);
    namespaces_.emplace_back(name, count + (own != own_.end() ? own->second : 0));
  }
}

}  // namespace flintgauge
