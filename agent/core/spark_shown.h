// What is shown of one application: its numbers and losses as series. Private to the Spark fold.
#pragma once

#include <string_view>

#include "agent/core/series_list.h"
#include "agent/core/spark_columns.h"
#include "agent/core/spark_losses.h"
#include "agent/core/spark_spread.h"

namespace flintgauge::spark {

inline constexpr std::size_t kShownSeries = kColumns + kExecutorLosses + 1;

struct Shown {
  Numbers numbers;
  LossNumbers losses;

  void add(const Shown& other);
  /// Only what never falls.
  void add_totals(const Shown& other);
  bool has_series_of(const Shown& other) const {
    return numbers.present == other.numbers.present && losses.told == other.losses.told;
  }
  void add_series(SeriesList& out, std::string_view namespace_name, std::string_view app_id) const;
};

void add_series(SeriesList& out, std::string_view namespace_name, std::string_view app_id,
                const Spread& spread);

}  // namespace flintgauge::spark
