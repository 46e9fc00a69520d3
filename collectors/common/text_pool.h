// Texts that many lines share, kept once.
//
// A container's label block stands behind a dozen metric names and a metric name before every container's
// labels, so a page's lines are two thirds repetition: kept whole they are the most of the agent's memory.
//
// What is held after commit() is provisional until the next one: take_back() forgets it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace flintgauge {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Where tables of hashes start differs from process to process, by address space randomisation: a tenant who
/// picks pod names cannot make them collide. No secret, and nothing to read from the system.
std::uint64_t hash_seed(const void* object);

/// Hash of a text under a seed.
class TextHash {
 public:
  explicit TextHash(std::uint64_t seed);
  std::uint32_t operator()(std::string_view text) const;

 private:
  std::array<unsigned char, 192> secret_;  // made from the seed
};

/// Open addressing from the hash of a text to its id. Linear probing, at most half full.
class TextIndex {
 public:
  /// The first id with this hash for which `same` holds, or kNone.
  template <typename Same>
  std::uint32_t find(std::uint32_t hash, Same same) const {
    if (slots_.empty()) return kNone;
    for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
      if (slots_[i].id == kNone) return kNone;
      if (slots_[i].hash == hash && same(slots_[i].id)) return slots_[i].id;
    }
  }
  void insert(std::uint32_t hash, std::uint32_t id);
  void erase(std::uint32_t hash, std::uint32_t id);

 private:
  struct Slot {
    std::uint32_t hash;
    std::uint32_t id;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  void grow();

  std::vector<Slot> slots_;  // power of two
  std::size_t used_ = 0;
};

/// Bytes that stay where they are, in pieces, so that growing copies nothing and touches no page twice.
class TextArena {
 public:
  /// Copies `text` (at most 64 KiB); gives its place, or kNone when 4 GiB are full.
  std::uint32_t add(std::string_view text);
  const char* at(std::uint32_t place) const { return pieces_[place / kPiece].get() + place % kPiece; }
  /// Where the next text goes at the earliest; cut() takes away everything from there on.
  std::uint32_t end() const { return end_; }
  void cut(std::uint32_t end);

 private:
  static constexpr std::uint32_t kPiece = 256U * 1024;
  std::vector<std::unique_ptr<char[]>> pieces_;  // NOLINT(modernize-avoid-c-arrays): not written at first
  std::uint32_t end_ = 0;
};

/// Texts by number, each there once however many hold it. An id lives until the last holder lets go.
class TextPool {
 public:
  using Id = std::uint32_t;

  explicit TextPool(std::uint64_t seed) : hash_(seed) {}

  /// `text` (at most 64 KiB) is held once more. kNone when the arena is full.
  Id hold(std::string_view text);
  void let_go(Id id);
  std::string_view view(Id id) const { return {arena_.at(texts_[id].begin), texts_[id].size}; }

  /// What is held now stays. Moves the texts together when most of the arena is garbage.
  void commit();
  /// REQUIRES: everything held since the last commit() was let go, and nothing else.
  void take_back();

 private:
  struct Text {
    std::uint32_t begin = 0;  ///< in the arena
    std::uint32_t size = 0;
    std::uint32_t holders = 0;  ///< 0: this id is free
    std::uint32_t hash = 0;
  };
  void compact();

  TextHash hash_;
  TextArena arena_;
  TextIndex index_;
  std::vector<Text> texts_;
  std::vector<Id> free_;
  std::uint32_t garbage_ = 0;            // bytes of the arena that no text owns
  std::uint32_t committed_garbage_ = 0;  // the same, and the arena's end, at the last commit
  std::uint32_t committed_end_ = 0;
};

}  // namespace flintgauge
