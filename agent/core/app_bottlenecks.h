// What holds each application back whose driver was read lately. Private to the evaluator. One thread; time
// is an argument.
#pragma once

#include <cstdint>
#include <map>

#include "agent/core/app_table.h"
#include "agent/core/bottleneck_window.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

class AppBottlenecks {
 public:
  explicit AppBottlenecks(const EvaluateSettings& settings) : settings_(settings) {}

  /// Fills `bottlenecks` and `quotas` of the report, for each application with fresh facts in `spark` (may be
  /// null), sorted by key. Older facts than hint_max_age_ms, and facts that lack a list, give none. REQUIRES:
  /// apps.append_rows() before.
  void append(const Block* spark, const AppTable& apps, const Now& now, Report& report);

 private:
  struct Memory {
    BottleneckWindow window;
    SteadyTime used;
    std::uint64_t evaluation = 0;  ///< that used it last
  };
  void classify_app(const SparkAppFacts& facts, const App* app, SteadyTime now, Report& report);

  EvaluateSettings settings_;
  std::uint64_t evaluation_ = 0;
  std::map<AppKey, Memory> memory_;
};

}  // namespace flintgauge
