// Hints of the applications whose drivers were read lately. Private to the evaluator. One thread; time is an
// argument.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "agent/core/app_table.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/hint_horizontal.h"

namespace flintgauge {

class AppHints {
 public:
  explicit AppHints(const EvaluateSettings& settings) : settings_(settings) {}

  /// Appends the hints of the fresh facts in `spark` (may be null), sorted by key, one per application.
  /// Older facts than hint_max_age_ms, and facts that lack a list, give none.
  void append(const Block* spark, const AppTable& apps, const Now& now, std::vector<AppHint>& hints);

 private:
  /// What outlives an evaluation.
  struct Memory {
    StableDesired stable;
    double tasks_per_executor = 0;  ///< last known: an application without executors does not say it
    double mean_task_seconds = 0;   ///< last known; 0 = never
    SteadyTime mean_at;             ///< when nothing contradicted it last
    SteadyTime used;
    std::uint64_t evaluation = 0;  ///< that used it last
  };
  std::optional<AppHint> hint(const SparkAppFacts& facts, const App* app, const Now& now);
  double mean_task_seconds(const SparkAppFacts& facts, Memory& memory, SteadyTime now) const;
  void forget(SteadyTime now);

  EvaluateSettings settings_;
  std::uint64_t evaluation_ = 0;
  std::map<AppKey, Memory> memory_;
};

}  // namespace flintgauge
