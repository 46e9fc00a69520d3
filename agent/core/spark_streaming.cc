#include "agent/core/spark_streaming.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace flintgauge::spark {
namespace {

constexpr std::size_t kMaxLabel = 128;

constexpr bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Spark names a query without a name by its UUID; text pages write its dashes as underscores.
bool is_uuid(std::string_view name) {
  constexpr std::size_t kSize = 36;
  if (name.size() != kSize) return false;
  for (std::size_t i = 0; i < kSize; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? name[i] != '-' && name[i] != '_' : !is_hex(name[i])) return false;
  }
  return true;
}

bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= kMaxLabel && std::ranges::none_of(name, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
  });
}

/// Equal but for characters that text pages mangle.
bool same_query(std::string_view a, std::string_view b) {
  const auto is_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return std::ranges::equal(a, b, [&is_word](char x, char y) {
    return x == y || (!is_word(x) && !is_word(y) && (x == '_' || y == '_'));
  });
}

constexpr FamilyId kQueriesFamily = family("flintgauge_spark_streaming_queries");

struct Told {
  Measure measure;
  QueryColumn column;
};
constexpr auto kTold = std::to_array<Told>({
    {Measure::kQueryInputRowsPerSecond, QueryColumn::kInputRows},
    {Measure::kQueryProcessedRowsPerSecond, QueryColumn::kProcessedRows},
    {Measure::kQueryBatchSeconds, QueryColumn::kBatchSeconds},
    {Measure::kQueryStateRows, QueryColumn::kStateRows},
    {Measure::kQueryStateMemoryBytes, QueryColumn::kStateMemory},
    {Measure::kQueryLagSeconds, QueryColumn::kLagSeconds},
});

constexpr bool adds_up(QueryColumn column) {
  return column == QueryColumn::kInputRows || column == QueryColumn::kProcessedRows ||
         column == QueryColumn::kStateRows || column == QueryColumn::kStateMemory;
}

bool same_series(const Streaming::Row& a, const Streaming::Row& b) {
  return a.label == b.label && std::ranges::equal(a.now.value, b.now.value, [](const auto& x, const auto& y) {
           return x.has_value() == y.has_value();
         });
}

}  // namespace

void QueryNow::merge(const QueryNow& other) {
  for (std::size_t i = 0; i < kQueryColumns; ++i) {
    if (!other.value[i]) continue;
    const double added = *other.value[i];
    if (!value[i]) {
      value[i] = added;
    } else {
      value[i] = adds_up(static_cast<QueryColumn>(i)) ? *value[i] + added : std::max(*value[i], added);
    }
  }
}

std::uint32_t QueryPage::take_place(std::string_view query) {
  std::size_t free = queries_.size();
  std::size_t taken = 0;
  for (std::size_t i = 0; i < queries_.size(); ++i) {
    if (queries_[i].series == 0) {
      free = std::min(free, i);
    } else if (++taken; queries_[i].name == query) {
      ++queries_[i].series;
      return static_cast<std::uint32_t>(i);
    }
  }
  if (taken >= kMaxTracked && !query.empty()) return take_place({});
  if (free == queries_.size()) queries_.emplace_back();
  queries_[free] = Query{};
  queries_[free].name = query;
  queries_[free].series = 1;
  return static_cast<std::uint32_t>(free);
}

void QueryPage::let_go(std::uint32_t place) { --queries_[place].series; }

void QueryPage::begin() {
  for (Query& query : queries_) {
    query.told = false;
    query.now = {};
    query.watermark_seconds = 0;
  }
}

void QueryPage::take(std::uint32_t place, Measure measure, double value) {
  Query& query = queries_[place];
  query.told = true;
  if (measure == Measure::kQueryWatermarkSeconds) query.watermark_seconds = value;
  for (const auto& [told, column] : kTold) {
    if (told == measure) query.now.set(column, value);
  }
}

void Streaming::begin() {
  std::swap(before_, rows_);
  std::ranges::move(rows_, std::back_inserter(spare_));
  rows_.clear();
  found_.clear();
  counts_ = {};
}

void Streaming::add(const QueryPage& page) {
  const std::size_t from_pages_before = found_.size();
  for (const QueryPage::Query& query : page.queries()) {
    if (query.series == 0 || !query.told) continue;
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(from_pages_before);
    const auto same = std::find_if(found_.begin(), end, [&query](const Found& found) {
      return same_query(found.query->name, query.name);
    });
    if (same == end) {
      found_.push_back({&query, query.now, query.watermark_seconds});
      continue;
    }
    for (std::size_t i = 0; i < kQueryColumns; ++i) {
      if (!same->now.value[i]) same->now.value[i] = query.now.value[i];
    }
    if (same->watermark_seconds == 0) same->watermark_seconds = query.watermark_seconds;
  }
}

Streaming::Row& Streaming::row_of(std::string_view label) {
  const auto found = std::ranges::find(rows_, label, &Row::label);
  if (found != rows_.end()) return *found;
  if (spare_.empty()) {
    rows_.emplace_back();
  } else {
    rows_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  rows_.back().label.assign(label);
  rows_.back().now = {};
  return rows_.back();
}

void Streaming::add_row(const Found& found, QueryState state, WallTime now) {
  constexpr double kMsPerSecond = 1e3;
  QueryNow told = found.now;
  if (found.watermark_seconds > 0) {
    const double delay = static_cast<double>(now.ms) / kMsPerSecond - found.watermark_seconds;
    told.set(QueryColumn::kWatermarkDelay, std::max(0.0, delay));
  }
  const std::array<std::string_view, 3> labels = {found.query->name, kUnnamedQueries, kOverflowQueries};
  row_of(labels[static_cast<std::size_t>(state)]).now.merge(told);
  counts_[static_cast<std::size_t>(state)] += 1;
}

bool Streaming::reserve(const AppKey& app, SeriesBudget& budget) {
  if (place_ == Place::kNone) {
    const bool admitted = budget.admit(app.namespace_name, app.app_id, kStreamingSeries);
    place_ = admitted ? Place::kOwn : Place::kRefused;
  }
  return place_ == Place::kOwn;
}

bool Streaming::finish(WallTime now, const AppKey& app, SeriesBudget& budget) {
  if (!found_.empty() && reserve(app, budget)) {
    std::size_t named = 0;
    for (const Found& found : found_) {
      QueryState state = is_uuid(found.query->name) ? QueryState::kUnnamed : QueryState::kNamed;
      if (state == QueryState::kNamed && (!is_plain(found.query->name) || named++ >= kMaxQueries))
        state = QueryState::kOverLimit;
      add_row(found, state, now);
    }
  }
  return !std::ranges::equal(rows_, before_, same_series);
}

void Streaming::end(const AppKey& app, SeriesBudget& budget) {
  if (place_ == Place::kOwn) budget.release(app.namespace_name, app.app_id, kStreamingSeries);
  place_ = Place::kNone;
}

void Streaming::add_series(SeriesList& out, const AppKey& app) const {
  if (rows_.empty()) return;
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < kQueryColumns; ++i) {
      if (!row.now.value[i]) continue;
      out.add(kQueryFamilies[i], {app.namespace_name, app.app_id, row.label}, *row.now.value[i]);
    }
  }
  for (std::size_t i = 0; i < counts_.size(); ++i)
    out.add(kQueriesFamily, {app.namespace_name, app.app_id, kQueryStateNames[i]}, counts_[i]);
}

void Streaming::write_facts(std::vector<QueryFacts>& queries) const {
  queries.resize(rows_.size());
  const auto told = [](const Row& row, QueryColumn column) {
    return row.now.value[static_cast<std::size_t>(column)].value_or(kNotTold);
  };
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    queries[i].name = rows_[i].label;
    queries[i].input_rows_per_second = told(rows_[i], QueryColumn::kInputRows);
    queries[i].processed_rows_per_second = told(rows_[i], QueryColumn::kProcessedRows);
    queries[i].batch_seconds = told(rows_[i], QueryColumn::kBatchSeconds);
  }
}

}  // namespace flintgauge::spark
