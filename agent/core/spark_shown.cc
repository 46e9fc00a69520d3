#include "agent/core/spark_shown.h"

namespace flintgauge::spark {

void Shown::add(const Shown& other) {
  numbers.add(other.numbers, kAllMask);
  losses.add(other.losses);
}

void Shown::add_totals(const Shown& other) {
  numbers.add(other.numbers, kCountersMask);
  losses.add(other.losses);
}

void Shown::add_series(SeriesList& out, std::string_view namespace_name, std::string_view app_id) const {
  for (std::size_t column = 0; column < kColumns; ++column) {
    if ((numbers.present & bit(column)) == 0) continue;
    const auto& [family, state] = kColumnFamilies[column];
    if (state.empty()) {
      out.add(family, {namespace_name, app_id}, numbers.value[column]);
    } else {
      out.add(family, {namespace_name, app_id, state}, numbers.value[column]);
    }
  }
  if (!losses.told) return;
  for (std::size_t i = 0; i < kExecutorLosses; ++i) {
    out.add(family("flintgauge_spark_executors_lost_total"), {namespace_name, app_id, kExecutorLossNames[i]},
            losses.lost[i]);
  }
  out.add(family("flintgauge_executors_unseen_total"), {namespace_name, app_id}, losses.unseen);
}

void add_series(SeriesList& out, std::string_view namespace_name, std::string_view app_id,
                const Spread& spread) {
  for (std::size_t i = 0; i < kSpreadColumns.size(); ++i) {
    if ((spread.present & (std::uint32_t{1} << i)) == 0) continue;
    out.add(kSpreadColumns[i].max, {namespace_name, app_id}, spread.values[i].max);
    out.add(kSpreadColumns[i].median, {namespace_name, app_id}, spread.values[i].median);
  }
}

}  // namespace flintgauge::spark
