#include "collectors/common/text_series.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::size_t kFirstSlots = 256;
constexpr std::size_t kFirstRoutes = 64;
constexpr std::uint32_t kGarbageAllowed = 64U * 1024;  // bytes, not worth moving the rest for
constexpr std::uint32_t kRetiring = kNone - 1;         // in State::sample, within commit()

}  // namespace

std::uint64_t hash_seed(const void* object) {
  static const char kAnchor = 0;
  const auto heap = reinterpret_cast<std::uintptr_t>(object);
  const auto program = reinterpret_cast<std::uintptr_t>(&kAnchor);
  return (static_cast<std::uint64_t>(heap) << 20U) ^ static_cast<std::uint64_t>(program);
}

void TextIndex::insert(std::uint32_t hash, TextId id) {
  if (2 * (used_ + 1) > slots_.size()) grow();
  std::size_t i = hash & mask();
  while (slots_[i].id != kNone) i = (i + 1) & mask();
  slots_[i] = {hash, id};
  ++used_;
}

void TextIndex::erase(std::uint32_t hash, TextId id) {
  std::size_t hole = hash & mask();
  while (slots_[hole].id != id) hole = (hole + 1) & mask();
  // Moves later entries of the chain back, so that no lookup ends at the hole too early.
  for (std::size_t i = (hole + 1) & mask(); slots_[i].id != kNone; i = (i + 1) & mask()) {
    const std::size_t home = slots_[i].hash & mask();
    if (((i - home) & mask()) >= ((i - hole) & mask())) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole].id = kNone;
  --used_;
}

void TextIndex::grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.empty() ? kFirstSlots : 2 * old.size(), Slot{0, kNone});
  used_ = 0;
  for (const Slot& slot : old) {
    if (slot.id != kNone) insert(slot.hash, slot.id);
  }
}

std::uint32_t TextArena::add(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::uint32_t begin = end_;
  if (begin % kPiece + size > kPiece || begin / kPiece == pieces_.size()) {
    begin = static_cast<std::uint32_t>(pieces_.size()) * kPiece;
    if (begin > kNone - 2 * kPiece) return kNone;
    pieces_.push_back(std::make_unique_for_overwrite<char[]>(kPiece));  // NOLINT(modernize-avoid-c-arrays)
  }
  std::memcpy(pieces_[begin / kPiece].get() + begin % kPiece, text.data(), size);
  end_ = begin + size;
  return begin;
}

void TextArena::cut(std::uint32_t end) {
  pieces_.resize((end + kPiece - 1) / kPiece);
  end_ = end;
}

SeriesTable::SeriesTable(std::uint64_t seed) : secret_() {
  static_assert(std::tuple_size_v<decltype(secret_)> == XXH3_SECRET_DEFAULT_SIZE);
  XXH3_generateSecret_fromSeed(secret_.data(), seed);
}

TextKey SeriesTable::key(std::string_view text) const {
  const XXH64_hash_t hash = XXH3_64bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size());
  return {text, static_cast<std::uint32_t>(hash)};
}

void SeriesTable::reset() {
  if (!is_committed_) take_back();
  is_committed_ = false;
  has_moved_ = has_fresh_ = false;
  created_.clear();
  retired_.clear();
  order_seen_.clear();
  samples_.clear();
  next_place_ = 0;
  ++scrape_;
}

void SeriesTable::take_back() {
  const std::uint32_t garbage = garbage_;
  for (const TextId id : added_texts_) free_text(id);
  added_texts_.clear();
  arena_.cut(committed_arena_);
  garbage_ = garbage;
  for (const SeriesIndex series : created_) free_series_.push_back(series);
}

TextId SeriesTable::find(const TextKey& key) const {
  return index_.find(key.hash, [&](TextId id) { return view(id) == key.text; });
}

TextId SeriesTable::add(const TextKey& key, std::string_view canonical, std::optional<Route>&& route) {
  const TextId id = add_text(key);
  if (id == kNone || !route) return id;
  if (canonical.empty()) {
    texts_[id].series = add_series(std::move(*route), id);
    return id;
  }
  const TextKey canonical_key = this->key(canonical);
  TextId first = find(canonical_key);
  if (first == kNone && (first = add_text(canonical_key)) == kNone) return kNone;
  if (texts_[first].series == kNone) texts_[first].series = add_series(std::move(*route), first);
  texts_[id].series = texts_[first].series;
  return id;
}

TextId SeriesTable::add_text(const TextKey& key) {
  const std::uint32_t begin = arena_.add(key.text);
  if (begin == kNone) return kNone;
  auto id = static_cast<TextId>(texts_.size());
  if (free_texts_.empty()) {
    texts_.emplace_back();
  } else {
    id = free_texts_.back();
    free_texts_.pop_back();
  }
  texts_[id] = {.begin = begin, .size = static_cast<std::uint32_t>(key.text.size())};
  index_.insert(key.hash, id);
  added_texts_.push_back(id);
  return id;
}

SeriesIndex SeriesTable::add_series(Route&& route, TextId canonical) {
  auto series = static_cast<SeriesIndex>(routes_.size());
  if (free_series_.empty()) {
    // Moving routes is dear, memory that is not touched yet is not: grow fast.
    if (routes_.size() == routes_.capacity()) routes_.reserve(std::max(kFirstRoutes, 4 * routes_.size()));
    routes_.push_back(std::move(route));
    states_.emplace_back();
  } else {
    series = free_series_.back();
    free_series_.pop_back();
    routes_[series] = std::move(route);
  }
  states_[series] = {.canonical = canonical};
  created_.push_back(series);
  return series;
}

void SeriesTable::free_text(TextId id) {
  index_.erase(key(view(id)).hash, id);
  garbage_ += texts_[id].size;
  texts_[id] = {};
  free_texts_.push_back(id);
}

void SeriesTable::commit() {
  is_committed_ = true;
  if (!has_moved_ && !has_fresh_ && order_seen_.size() == order_.size()) return;  // the same again
  retire_unseen();
  order_.swap(order_seen_);
  for (std::uint32_t place = 0; place < order_.size(); ++place) texts_[order_[place]].place = place;
  if (garbage_ > kGarbageAllowed && garbage_ > arena_.end() / 2) compact();
  committed_arena_ = arena_.end();
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

void SeriesTable::compact() {
  TextArena packed;
  const auto move = [&](Text& text) { text.begin = packed.add({bytes(text), text.size}); };
  for (const TextId id : order_) move(texts_[id]);  // in the order in which they are read
  for (Text& text : texts_) {
    if (text.size != 0 && text.place == kNone) move(text);
  }
  arena_ = std::move(packed);
  garbage_ = 0;
}

}  // namespace flintgauge
