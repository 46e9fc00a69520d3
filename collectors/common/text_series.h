// The series of one page: which line texts are known, in which order they come, and which series each stands
// for.
//
// Three things move together at commit() and not at all before it, so that a failed scrape leaves no trace:
// the set of texts, their order, and the numbers (SeriesIndex) under which the fold knows the series. What a
// scrape adds is provisional: reset() takes it back.
//
// A text is the bytes of a line up to its value, kept as metric name and rest, because both repeat. Several
// texts may be spellings of one series; one of them, the canonical one, is then kept even while no line has
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/common/text_pool.h"
#include "flintgauge/collector.h"

namespace flintgauge {

using TextId = std::uint32_t;

/// What a text is looked up by: the hash is needed again when it is added.
struct TextKey {
  std::string_view text;
  std::size_t name_size;  ///< of the metric name, which the text starts with
  std::uint32_t hash;
};

/// For how long a table keeps the routes of its series.
enum class KeepRoutes : bool {
  kAlways,
  kUntilRead,  ///< the batch that creates the series has them, later ones do not
};

class SeriesTable {
 public:
  struct Text {
    TextPool::Id name = kNone;
    TextPool::Id rest = kNone;
    std::uint32_t hash = 0;       ///< of both together
    std::uint32_t place = kNone;  ///< in the order of the last committed scrape
    SeriesIndex series = kNone;   ///< kNone: nobody wants these rows
    std::uint32_t seen = 0;       ///< scrape that had it last
  };

  SeriesTable(std::uint64_t seed, KeepRoutes keep) : keep_(keep), hash_(seed), pool_(seed) {}

  /// Starts a scrape; takes back what an unfinished one added.
  void reset();

  /// The text that the next wanted line should have, or kNone at the end of the order.
  TextId expected() const { return next_place_ < order_.size() ? order_[next_place_] : kNone; }
  const Text& text(TextId id) const { return texts_[id]; }

  /// The end of `text` when it stands at [p, end) and something follows it, else null.
  const char* match(const Text& text, const char* p, const char* end) const {
    const std::string_view name = pool_.view(text.name);
    const std::string_view rest = pool_.view(text.rest);
    if (static_cast<std::size_t>(end - p) <= name.size() + rest.size()) return nullptr;
    if (std::memcmp(p, name.data(), name.size()) != 0) return nullptr;
    p += name.size();
    return std::memcmp(p, rest.data(), rest.size()) == 0 ? p + rest.size() : nullptr;
  }

  TextKey key(std::string_view text, std::size_t name_size) const { return {text, name_size, hash_(text)}; }
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
  TextId add_text(const TextKey& key);
  SeriesIndex add_series(Route&& route, TextId canonical);
  void free_text(TextId id);
  void take_back();
  void retire_unseen();

  KeepRoutes keep_;
  TextHash hash_;
  std::uint32_t scrape_ = 0;  // its number, from 1
  bool is_committed_ = true;
  bool has_fresh_ = false;  // this scrape showed a text that the order does not have
  bool has_moved_ = false;  // or one at another place than expected
  std::size_t next_place_ = 0;
  std::vector<TextId> order_;       // of the last committed scrape
  std::vector<TextId> order_seen_;  // of this one
  std::vector<Text> texts_;         // by id
  std::vector<TextId> free_texts_;
  std::vector<TextId> added_texts_;  // by this scrape
  TextPool pool_;
  TextIndex index_;
  std::vector<State> states_;  // by series
  std::vector<Route> routes_;  // by series; shorter than that where they are forgotten
  std::vector<SeriesIndex> free_series_;
  std::vector<SeriesIndex> created_;  // by this scrape
  std::vector<SeriesIndex> retired_;  // by the last committed one
  std::vector<Sample> samples_;
};

}  // namespace flintgauge
