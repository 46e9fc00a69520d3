// An immutable block: what one source says at one time. A source thread fills a block it owns, publishes it
// through the Store, and never touches it again until the Store has given it back.
//
// The series part is two arrays of equal length: Schema (names and labels, shared by successive blocks while
// the series set is unchanged) and values. The rest are typed facts that other parts need whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/catalogue.h"
#include "flintgauge/collector.h"
#include "flintgauge/error.h"
#include "flintgauge/pod.h"
#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Names and labels of a block's series, sorted by (family, label values), unique. Immutable after build.
class Schema {
 public:
  Schema() = default;
  Schema(const Schema&) = delete;  // views into the arena: a schema stays where it was built
  Schema& operator=(const Schema&) = delete;

  std::size_t size() const { return rows_.size(); }
  FamilyId family(std::size_t series) const { return rows_[series].family; }
  /// Label values in the order of info(family).labels. Views live as long as the schema.
  std::span<const std::string_view> labels(std::size_t series) const {
    return {values_.data() + rows_[series].first_value, rows_[series].value_count};
  }
  /// `name{a="b"} ` with the name of text format 0.0.4, labels escaped, one space at the end.
  std::string_view prefix(std::size_t series) const {
    return {arena_.data() + rows_[series].prefix_begin, rows_[series].prefix_size};
  }
  /// [first, last) of the series of one family; O(log size()).
  std::pair<std::size_t, std::size_t> range(FamilyId family) const;

 private:
  friend class SchemaBuilder;
  struct Row {
    FamilyId family;
    std::uint32_t first_value, value_count, prefix_begin, prefix_size;
  };
  std::vector<Row> rows_;
  std::vector<std::string_view> values_;  // into arena_
  std::string arena_;
};

/// Collects series in any order and sorts them into a Schema. One thread.
class SchemaBuilder {
 public:
  /// REQUIRES: as many values as the family has labels. Returns the ticket of this series.
  std::uint32_t add(FamilyId family, std::span<const std::string_view> label_values);
  std::uint32_t add(FamilyId family, std::initializer_list<std::string_view> label_values);

  /// The schema, and for each of its series the ticket it came from. Two additions with equal family and
  /// labels are a programming error: the first wins, the other's ticket is in no place. Leaves the builder
  /// empty.
  struct Built {
    std::shared_ptr<const Schema> schema;
    std::vector<std::uint32_t> ticket_of;  ///< by series
  };
  Built build();

 private:
  struct Piece {
    std::uint32_t begin, size;  // of text_
  };
  struct Entry {
    FamilyId family;
    std::uint32_t first_piece, piece_count;
  };
  std::string_view text(const Piece& piece) const { return {text_.data() + piece.begin, piece.size}; }
  int compare(const Entry& a, const Entry& b) const;
  void append(const Entry& entry, Schema& schema, std::vector<Piece>& values) const;

  std::vector<Entry> entries_;
  std::vector<Piece> pieces_;  // label values, by entry
  std::string text_;
};

/// How a target fared; published with the block so that pages and metrics can show it.
struct TargetState {
  std::shared_ptr<const Target> target;
  bool asked = false;        ///< at least one scrape has ended
  bool up = false;           ///< the last scrape succeeded
  bool not_offered = false;  ///< optional endpoint that does not exist there
  std::int64_t consecutive_failures = 0;
  SteadyTime last_attempt;
  SteadyTime last_success;  ///< meaningful when ever_succeeded
  bool ever_succeeded = false;
  WallTime last_success_wall;
  Reason last_reason = Reason::kInternal;         ///< meaningful when asked and not up
  std::shared_ptr<const std::string> last_error;  ///< for people, <= 256 bytes, escaped; null when none
  double duration_seconds = 0;                    ///< of the last scrape
  ScrapeCounts counts;                            ///< of the last successful scrape
};

/// What a source had to sum under a namespace's overflow since it first refused something there.
struct Refused {
  std::string namespace_name;
  double times = 0;
};

/// What the kubelet says of the running container of an executor or a driver. NaN: not told.
struct SparkUsage {
  std::uint32_t pod = 0;  ///< place in Block::pods
  double memory_rss_bytes = kNotTold;
  double memory_working_set_bytes = kNotTold;
  double cpu_seconds = kNotTold;  ///< counted since the agent first saw it; never falls
  std::int64_t cpu_at_ms = 0;     ///< of its newest sample, wall clock
};

struct Report;  // evaluate.h

struct Block {
  std::uint64_t version = 0;   ///< counts this source's publications from 1
  std::uint64_t checksum = 0;  ///< of the values, set by publish() in debug builds; 0 in others
  SteadyTime committed;
  WallTime committed_wall;
  std::shared_ptr<const Schema> schema;  ///< never null in a published block
  std::vector<double> values;            ///< by series of the schema
  std::shared_ptr<const PodList> pods;   ///< kubelet source only
  std::vector<SparkUsage> spark_usage;   ///< kubelet source only, in the order of its slots
  std::vector<TargetState> targets;
  std::vector<Refused> refused;           ///< sorted by namespace
  std::vector<SparkAppFacts> spark_apps;  ///< Spark source only
  // Derived block only: what the evaluator made of all blocks, rendered once for all who ask.
  std::shared_ptr<const Report> report;
  std::string page_text;         ///< text 0.0.4, all blocks, without the agent's own counters
  std::string page_openmetrics;  ///< OpenMetrics 1.0, the same, without "# EOF"
};

}  // namespace flintgauge
