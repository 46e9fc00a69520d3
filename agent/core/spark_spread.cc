#include "agent/core/spark_spread.h"

#include <algorithm>
#include <cmath>

namespace flintgauge::spark {
namespace {

/// Of an even number the mean of the two in the middle. Reorders.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace

Spread spread_of(const SparkAppFacts& facts, std::vector<double>& scratch) {
  Spread spread;
  for (std::size_t i = 0; i < kSpreadColumns.size(); ++i) {
    scratch.clear();
    for (const ExecutorFacts& executor : facts.executor_list) {
      const double value = kSpreadColumns[i].of(executor);
      if (executor.is_active && !std::isnan(value)) scratch.push_back(value);
    }
    if (scratch.empty()) continue;
    spread.present |= std::uint32_t{1} << i;
    spread.values[i] = {*std::max_element(scratch.begin(), scratch.end()), median_of(scratch)};
  }
  return spread;
}

}  // namespace flintgauge::spark
