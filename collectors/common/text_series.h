// The series of one page: which line texts are known, in which order they come, and which series each stands
// for.
//
// Three things move together at commit() and not at all before it, so that a failed scrape leaves no trace:
// the set of texts, their order, and the numbers (SeriesIndex) under which the fold knows the series. What a
// scrape adds is provisional: reset() takes it back.
//
// A text is the bytes of a line up to its value. Several texts may be spellings of one series; one of them,
// the canonical one, is then kept even while no line has it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"

namespace flintgauge {

using TextId = std::uint32_t;
/// Where tables of hashes start differs from process to process, by address space randomisation: a tenant who
/// picks pod names cannot make them collide. No secret, and nothing to read from the system.
std::uint64_t hash_seed(const void* object);

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Open addressing from the hash of a text to its id. Linear probing, at most half full.
class TextIndex {
 public:
  /// The first id with this hash for which `same` holds, or kNone.
  template <typename Same>
  TextId find(std::uint32_t hash, Same same) const {
    if (slots_.empty()) return kNone;
    for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
      if (slots_[i].id == kNone) return kNone;
      if (slots_[i].hash == hash && same(slots_[i].id)) return slots_[i].id;
    }
  }
  void insert(std::uint32_t hash, TextId id);
  void erase(std::uint32_t hash, TextId id);

 private:
  struct Slot {
    std::uint32_t hash;
    TextId id;
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

/// What a text is looked up by: the hash is needed again when it is added.
struct TextKey {
  std::string_view text;
  std::uint32_t hash;
};

class SeriesTable {
 public:
  struct Text {
    std::uint32_t begin = 0;      ///< in the arena
    std::uint32_t size = 0;       ///< 0: this id is free
    std::uint32_t place = kNone;  ///< in the order of the last committed scrape
    SeriesIndex series = kNone;   ///< kNone: nobody wants these rows
    std::uint32_t seen = 0;       ///< scrape that had it last
  };

  explicit SeriesTable(std::uint64_t seed);

  /// Starts a scrape; takes back what an unfinished one added.
  void reset();

  /// The text that the next wanted line should have, or kNone at the end of the order.
  TextId expected() const { return next_place_ < order_.size() ? order_[next_place_] : kNone; }
  const Text& text(TextId id) const { return texts_[id]; }
  const char* bytes(const Text& text) const { return arena_.at(text.begin); }

  TextKey key(std::string_view text) const;
  TextId find(const TextKey& key) const;

  /// Adds a text that find() does not know. Without a route its rows are unwanted. `canonical` is the one
  /// spelling of the series when `text` is another, else empty. kNone when the arena is full (4 GiB).
  TextId add(const TextKey& key, std::string_view canonical, std::optional<Route>&& route);

  /// A line with this text was read; the line after it in the last scrape is expected next.
  void see(TextId id) {
    Text& text = texts_[id];
    if (text.seen != scrape_) {
      text.seen = scrape_;
      order_seen_.push_back(id);
    }
    if (text.place == kNone) {
      has_fresh_ = true;
      return;
    }
    has_moved_ |= text.place != next_place_;
    next_place_ = text.place + 1;
  }

  /// Takes the value of a series that was seen. False: it had one in this scrape already, which is replaced.
  bool take(SeriesIndex series, double value, std::int64_t timestamp_ms) {
    State& state = states_[series];
    if (state.scrape == scrape_ && state.sample != kNone) {
      samples_[state.sample] = {series, value, timestamp_ms};
      return false;
    }
    state.scrape = scrape_;
    state.sample = static_cast<std::uint32_t>(samples_.size());
    samples_.push_back({series, value, timestamp_ms});
    return true;
  }
  /// The series lives although this line has no usable value.
  void take_nothing(SeriesIndex series) {
    State& state = states_[series];
    if (state.scrape != scrape_) state = {scrape_, kNone, state.canonical};
  }

  /// Ends a good scrape: what it did not show is retired. Allocates only when the set of texts changed.
  void commit();

  /// After commit(), until the next reset().
  SampleBatch batch() const { return {routes_, retired_, created_, samples_}; }

 private:
  struct State {
    std::uint32_t scrape = 0;      ///< that showed the series last
    std::uint32_t sample = kNone;  ///< its place in samples_, of that scrape
    TextId canonical = kNone;
  };
  std::string_view view(TextId id) const { return {bytes(texts_[id]), texts_[id].size}; }
  TextId add_text(const TextKey& key);
  SeriesIndex add_series(Route&& route, TextId canonical);
  void free_text(TextId id);
  void take_back();
  void retire_unseen();
  void compact();

  std::array<unsigned char, 192> secret_;  // of the hash, made from the seed
  std::uint32_t scrape_ = 0;               // its number, from 1
  bool is_committed_ = true;
  bool has_fresh_ = false;  // this scrape showed a text that the order does not have
  bool has_moved_ = false;  // or one at another place than expected
  std::size_t next_place_ = 0;
  std::vector<TextId> order_;       // of the last committed scrape
  std::vector<TextId> order_seen_;  // of this one
  std::vector<Text> texts_;         // by id
  std::vector<TextId> free_texts_;
  std::vector<TextId> added_texts_;  // by this scrape
  TextArena arena_;
  std::uint32_t garbage_ = 0;          // bytes of the arena that no text owns
  std::uint32_t committed_arena_ = 0;  // its end before this scrape
  TextIndex index_;
  std::vector<State> states_;  // by series
  std::vector<Route> routes_;  // by series
  std::vector<SeriesIndex> free_series_;
  std::vector<SeriesIndex> created_;  // by this scrape
  std::vector<SeriesIndex> retired_;  // by the last committed one
  std::vector<Sample> samples_;
};

}  // namespace flintgauge
