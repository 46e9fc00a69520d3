// The streaming queries of one application, as a page of its driver's registry shows them. Private to the
// Spark fold; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/series_budget.h"
#include "agent/core/series_list.h"
#include "flintgauge/catalogue.h"
#include "flintgauge/identity.h"
#include "flintgauge/measure.h"
#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge::spark {

enum class QueryColumn : std::uint8_t {
  kInputRows,
  kProcessedRows,
  kBatchSeconds,
  kStateRows,
  kStateMemory,
  kWatermarkDelay,
  kLagSeconds,
};
inline constexpr std::size_t kQueryColumns = static_cast<std::size_t>(QueryColumn::kLagSeconds) + 1;
inline constexpr std::array<FamilyId, kQueryColumns> kQueryFamilies = {
    family("flintgauge_spark_streaming_input_rows_per_second"),
    family("flintgauge_spark_streaming_processed_rows_per_second"),
    family("flintgauge_spark_streaming_batch_seconds"),
    family("flintgauge_spark_streaming_state_rows"),
    family("flintgauge_spark_streaming_state_memory_bytes"),
    family("flintgauge_spark_streaming_watermark_delay_seconds"),
    family("flintgauge_spark_streaming_lag_seconds"),
};

/// Queries of an application that have series of their own; the first ones that were seen.
inline constexpr std::size_t kMaxQueries = 5;
/// Label values for queries without a name, which Spark gives a new UUID at every start, and for those over
/// the limit: what they say is merged.
inline constexpr std::string_view kUnnamedQueries = "__unnamed__";
inline constexpr std::string_view kOverflowQueries = "__overflow__";

/// How a query counts in flintgauge_spark_streaming_queries.
enum class QueryState : std::uint8_t { kNamed, kUnnamed, kOverLimit };
inline constexpr std::array<std::string_view, 3> kQueryStateNames = {"named", "unnamed", "over_limit"};

/// Series that an application with queries can have. Only DStreams, which are one row, have a lag.
inline constexpr std::size_t kStreamingSeries =
    (kMaxQueries + 2) * (kQueryColumns - 1) + 1 + kQueryStateNames.size();

/// Values by column; absent ones are not told.
struct QueryNow {
  std::array<std::optional<double>, kQueryColumns> value;

  void set(QueryColumn column, double amount) { value[static_cast<std::size_t>(column)] = amount; }
  /// Rates and state add up; of times the longest counts.
  void merge(const QueryNow& other);
};

/// The queries of one page. Places are given out to series and come back with them.
class QueryPage {
 public:
  /// Queries of one page that are told apart; all others are one, which has no name.
  static constexpr std::size_t kMaxTracked = 256;

  /// The place of a query; the same one until it was let go as often as it was taken.
  std::uint32_t take_place(std::string_view query);
  void let_go(std::uint32_t place);

  /// A new page is read: nothing is known any more.
  void begin();
  void take(std::uint32_t place, Measure measure, double value);

  struct Query {
    std::string name;
    std::uint32_t series = 0;  ///< 0: the place is free
    bool told = false;         ///< in the present page
    QueryNow now;
    double watermark_seconds = 0;  ///< Unix time; 0 = none
  };
  const std::vector<Query>& queries() const { return queries_; }

 private:
  std::vector<Query> queries_;
};

/// The series of one application's queries.
class Streaming {
 public:
  struct Row {
    std::string label;
    QueryNow now;
  };

  /// Brings the rows up to now: begin, each page, finish. Of a query that several pages show each value is
  /// from the first page that has it; text pages spell names mangled.
  void begin();
  void add(const QueryPage& page);
  /// The first time that there is a query, the budget is asked for all series that an application can have;
  /// without them none is shown. True when the set of series is another than last time.
  bool finish(WallTime now, const AppKey& app, SeriesBudget& budget);
  /// Gives everything back.
  void end(const AppKey& app, SeriesBudget& budget);

  void add_series(SeriesList& out, const AppKey& app) const;
  void write_facts(std::vector<QueryFacts>& queries) const;

 private:
  enum class Place : std::uint8_t { kNone, kOwn, kRefused };
  struct Found {
    const QueryPage::Query* query;
    QueryNow now;
    double watermark_seconds;
  };

  bool reserve(const AppKey& app, SeriesBudget& budget);
  Row& row_of(std::string_view label);
  void add_row(const Found& found, QueryState state, WallTime now);

  Place place_ = Place::kNone;
  std::vector<Found> found_;
  std::vector<Row> rows_, before_, spare_;
  std::array<double, kQueryStateNames.size()> counts_{};
};

}  // namespace flintgauge::spark
