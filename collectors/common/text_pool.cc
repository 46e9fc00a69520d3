#include "collectors/common/text_pool.h"

#include <xxhash.h>

#include <cstring>
#include <tuple>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::size_t kFirstSlots = 256;
constexpr std::uint32_t kGarbageAllowed = 64U * 1024;  // bytes, not worth moving the rest for

}  // namespace

std::uint64_t hash_seed(const void* object) {
  static const char kAnchor = 0;
  const auto heap = reinterpret_cast<std::uintptr_t>(object);
  const auto program = reinterpret_cast<std::uintptr_t>(&kAnchor);
  return (static_cast<std::uint64_t>(heap) << 20U) ^ static_cast<std::uint64_t>(program);
}

TextHash::TextHash(std::uint64_t seed) : secret_() {
  static_assert(std::tuple_size_v<decltype(secret_)> == XXH3_SECRET_DEFAULT_SIZE);
  XXH3_generateSecret_fromSeed(secret_.data(), seed);
}

std::uint32_t TextHash::operator()(std::string_view text) const {
  return static_cast<std::uint32_t>(
      XXH3_64bits_withSecret(text.data(), text.size(), secret_.data(), secret_.size()));
}

void TextIndex::insert(std::uint32_t hash, std::uint32_t id) {
  if (2 * (used_ + 1) > slots_.size()) grow();
  std::size_t i = hash & mask();
  while (slots_[i].id != kNone) i = (i + 1) & mask();
  slots_[i] = {hash, id};
  ++used_;
}

void TextIndex::erase(std::uint32_t hash, std::uint32_t id) {
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

TextPool::Id TextPool::hold(std::string_view text) {
  const std::uint32_t hash = hash_(text);
  Id id = index_.find(hash, [&](Id known) { return view(known) == text; });
  if (id != kNone) {
    ++texts_[id].holders;
    return id;
  }
  const std::uint32_t begin = arena_.add(text);
  if (begin == kNone) return kNone;
  id = static_cast<Id>(texts_.size());
  if (free_.empty()) {
    texts_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  texts_[id] = {.begin = begin, .size = static_cast<std::uint32_t>(text.size()), .holders = 1, .hash = hash};
  index_.insert(hash, id);
  return id;
}

void TextPool::let_go(Id id) {
  Text& text = texts_[id];
  if (--text.holders != 0) return;
  index_.erase(text.hash, id);
  garbage_ += text.size;
  free_.push_back(id);
}

void TextPool::commit() {
  if (garbage_ > kGarbageAllowed && garbage_ > arena_.end() / 2) compact();
  committed_garbage_ = garbage_;
  committed_end_ = arena_.end();
}

void TextPool::take_back() {
  arena_.cut(committed_end_);
  garbage_ = committed_garbage_;
}

void TextPool::compact() {
  TextArena packed;
  for (Text& text : texts_) {
    if (text.holders != 0) text.begin = packed.add({arena_.at(text.begin), text.size});
  }
  arena_ = std::move(packed);
  garbage_ = 0;
}

}  // namespace flintgauge
