#include "collectors/common/text_series.h"

#include <algorithm>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::size_t kFirstRoutes = 64;
constexpr std::uint32_t kRetiring = kNone - 1;  // in State::sample, within commit()

}  // namespace

void SeriesTable::reset() {
  if (!is_committed_) take_back();
  is_committed_ = false;
  has_moved_ = has_fresh_ = false;
  if (keep_ == KeepRoutes::kUntilRead && !created_.empty())
    std::vector<Route>().swap(routes_);  // gives its room back
  created_.clear();
  retired_.clear();
  order_seen_.clear();
  samples_.clear();
  next_place_ = 0;
  ++scrape_;
}

void SeriesTable::take_back() {
  for (const TextId id : added_texts_) free_text(id);
  added_texts_.clear();
  pool_.take_back();
  for (const SeriesIndex series : created_) free_series_.push_back(series);
}

TextId SeriesTable::find(const TextKey& key) const {
  return index_.find(key.hash, [&](TextId id) {
    const std::string_view name = pool_.view(texts_[id].name);
    return key.text.starts_with(name) && key.text.substr(name.size()) == pool_.view(texts_[id].rest);
  });
}

TextId SeriesTable::add(const TextKey& key, std::string_view canonical, std::optional<Route>&& route) {
  const TextId id = add_text(key);
  if (id == kNone || !route) return id;
  if (canonical.empty()) {
    texts_[id].series = add_series(std::move(*route), id);
    return id;
  }
  const TextKey canonical_key = this->key(canonical, key.name_size);
  TextId first = find(canonical_key);
  if (first == kNone && (first = add_text(canonical_key)) == kNone) return kNone;
  if (texts_[first].series == kNone) texts_[first].series = add_series(std::move(*route), first);
  texts_[id].series = texts_[first].series;
  return id;
}

TextId SeriesTable::add_text(const TextKey& key) {
  const TextPool::Id name = pool_.hold(key.text.substr(0, key.name_size));
  if (name == kNone) return kNone;
  const TextPool::Id rest = pool_.hold(key.text.substr(key.name_size));
  if (rest == kNone) {
    pool_.let_go(name);
    return kNone;
  }
  auto id = static_cast<TextId>(texts_.size());
  if (free_texts_.empty()) {
    texts_.emplace_back();
  } else {
    id = free_texts_.back();
    free_texts_.pop_back();
  }
  texts_[id] = {.name = name, .rest = rest, .hash = key.hash};
  index_.insert(key.hash, id);
  added_texts_.push_back(id);
  return id;
}

SeriesIndex SeriesTable::add_series(Route&& route, TextId canonical) {
  auto series = static_cast<SeriesIndex>(states_.size());
  if (free_series_.empty()) {
    states_.emplace_back();
  } else {
    series = free_series_.back();
    free_series_.pop_back();
  }
  if (series >= routes_.size()) {
    // Moving routes is dear, memory that is not touched yet is not: grow fast.
    if (series >= routes_.capacity()) routes_.reserve(std::max<std::size_t>(kFirstRoutes, 4UL * series));
    routes_.resize(series + 1UL);
  }
  routes_[series] = std::move(route);
  states_[series] = {.canonical = canonical};
  created_.push_back(series);
  return series;
}

void SeriesTable::free_text(TextId id) {
  index_.erase(texts_[id].hash, id);
  pool_.let_go(texts_[id].name);
  pool_.let_go(texts_[id].rest);
  texts_[id] = {};
  free_texts_.push_back(id);
}

void SeriesTable::commit() {
  is_committed_ = true;
  if (!has_moved_ && !has_fresh_ && order_seen_.size() == order_.size()) return;  // the same again
  retire_unseen();
  order_.swap(order_seen_);
  for (std::uint32_t place = 0; place < order_.size(); ++place) texts_[order_[place]].place = place;
  pool_.commit();
  added_texts_.clear();
}

void SeriesTable::retire_unseen() {
  for (const TextId id : order_) {
    Text& text = texts_[id];
    if (text.seen == scrape_) continue;
    text.place = kNone;
    if (text.series == kNone) {
      free_text(id);
      continue;
    }
    State& state = states_[text.series];
    if (state.scrape != scrape_ && state.sample != kRetiring) {
      state.sample = kRetiring;
      retired_.push_back(text.series);
    }
    if (state.canonical != id) free_text(id);
  }
  for (const SeriesIndex series : retired_) {
    free_text(states_[series].canonical);
    free_series_.push_back(series);
  }
}

}  // namespace flintgauge
