// The series of a vertical hint in the derived block. Private to the evaluator.
#pragma once

#include <vector>

#include "agent/core/series_list.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

void add_vertical(const AppVerticalHint& one, SeriesList& list);

/// Which series an application's vertical hint has.
struct VerticalShape {
  AppKey app;
  unsigned bits;
  bool operator==(const VerticalShape&) const = default;
};

/// Keeps the shapes; true when they are others than before.
bool take_shapes(const std::vector<AppVerticalHint>& items, std::vector<VerticalShape>& shapes);

}  // namespace flintgauge
