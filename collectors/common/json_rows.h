// A JSON array of objects, read into rows: "[{"id": ..}, ..]". Numbers go where tables say; what is not a
// number is the derived class's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/json.h"
#include "collectors/common/rfc3339.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// Where a number of a row goes. Negative ones, and those from 2^63 on, are out of range.
template <typename Row>
struct IntegerField {
  std::string_view name;
  std::int64_t Row::*into;
};
template <typename Row>
struct NumberField {
  std::string_view name;
  double Row::*into;
  double unit;  ///< of the number in the document: 1e3 for milliseconds that are stored as seconds
};

template <typename Row>
class JsonRows : public json::Visitor {
 public:
  using Integers = std::span<const IntegerField<Row>>;
  using Numbers = std::span<const NumberField<Row>>;

  /// Ids from 0 on are the derived class's own fields, then kRow, then the tables.
  static constexpr int kRow = 16;
  static constexpr int kFirstNumber = kRow + 1;

  /// A list of more rows than this is refused: Spark keeps 1000 stages and 100 dead executors by default.
  static constexpr std::size_t kMaxRows = 10'000;

  JsonRows(Integers integers, Numbers numbers) : integers_(integers), numbers_(numbers) {}

  static void want_numbers(json::Paths& paths, Integers integers, Numbers numbers) {
    int id = kFirstNumber;
    paths.want("[]", json::Kind::kObject, kRow);
    for (const auto& field : integers)
      paths.want("[]." + std::string(field.name), json::Kind::kInteger, id++);
    for (const auto& field : numbers) paths.want("[]." + std::string(field.name), json::Kind::kNumber, id++);
  }

  /// The rows heard since clear(). Rows without what makes them one are left out and counted as bad.
  Result<std::vector<Row>> take(ScrapeCounts& counts) {
    counts.bad += incomplete_;
    if (seen_ > kMaxRows) {
      return fail(Reason::kLimit, "JSON list of over " + std::to_string(kMaxRows) + " rows");
    }
    return std::move(rows_);
  }

 protected:
  /// A time as Spark writes it.
  static json::Verdict set_time(WallTime& into, std::string_view text) {
    const auto time = parse_spark_time(text);
    if (!time) return json::Verdict::kBad;
    into = *time;
    return json::Verdict::kKept;
  }

  /// A field of the derived class: a string or bool.
  virtual json::Verdict set(Row& row, int id, const json::Value& value) = 0;
  /// Does the row have what makes it one?
  virtual bool is_complete(const Row& row) const = 0;
  /// A row begins; for what its defaults do not say.
  virtual void begin(Row& /*row*/) {}

 private:
  void clear() final {
    rows_ = {};
    seen_ = 0;
    incomplete_ = 0;
  }

  void open(int /*id*/) final {
    row_ = Row();
    begin(row_);
  }

  void close(int /*id*/) final {
    if (!is_complete(row_)) {
      ++incomplete_;
    } else if (++seen_ <= kMaxRows) {
      rows_.push_back(std::move(row_));
    }
  }

  json::Verdict value(int id, const json::Value& value) final {
    if (id < kFirstNumber) return set(row_, id, value);
    const auto place = static_cast<std::size_t>(id - kFirstNumber);
    if (place < integers_.size()) {
      if (value.integer < 0) return json::Verdict::kNotFinite;
      row_.*integers_[place].into = value.integer;
      return json::Verdict::kKept;
    }
    constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;
    if (value.number < 0 || value.number >= kTwoTo63) return json::Verdict::kNotFinite;
    const auto& field = numbers_[place - integers_.size()];
    row_.*field.into = value.number / field.unit;
    return json::Verdict::kKept;
  }

  Integers integers_;
  Numbers numbers_;
  std::vector<Row> rows_;
  std::size_t seen_ = 0;
  std::size_t incomplete_ = 0;
  Row row_;
};

}  // namespace flintgauge
