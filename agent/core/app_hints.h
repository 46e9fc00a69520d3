// Hints of the applications whose drivers were read lately. Private to the evaluator. One thread; time is an
// argument.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/core/app_table.h"
#include "agent/core/job_history.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/hint_horizontal.h"

namespace flintgauge {

class AppHints {
 public:
  explicit AppHints(const EvaluateSettings& settings) : settings_(settings) {}

  /// Appends the hints of the fresh facts in `spark` (may be null), sorted by key, one per application.
  /// Older facts than hint_max_age_ms, and facts that lack a list, give none.
  /// `history`: where the start-up of a job's executors is known from its runs before.
  void append(const Block* spark, const AppTable& apps, const JobHistory& history, const Now& now,
              std::vector<AppHint>& hints);
  /// Instead of append(): the clocks disagree, so none of the applications gets a hint.
  void withhold(const Block* spark);

  enum class Withheld : std::uint8_t { kStale, kIncomplete, kNoSlots, kClock };
  static constexpr auto kWithheldNames =
      std::to_array<std::string_view>({"stale", "incomplete", "no_slots", "clock"});
  /// How often an application got no hint in an evaluation since the start, by Withheld.
  const std::array<double, kWithheldNames.size()>& withheld() const { return withheld_; }

 private:
  /// A streaming query at its last batch.
  struct Query {
    QueryFacts last;
    double batches_behind = 0;  ///< in succession
  };
  /// What outlives an evaluation.
  struct Memory {
    StableDesired stable;
    double startup_seconds = 0;  ///< median of the last executors whose start could be measured; 0 = none yet
    std::size_t startups = 0;
    double wasted_core_seconds = 0;
    WasteStep waste;
    bool has_idle = false;  ///< idle_cores is known, as of idle_at
    double idle_cores = 0;
    SteadyTime idle_at;
    double tasks_per_executor = 0;  ///< last known: an application without executors does not say it
    double mean_task_seconds = 0;   ///< last known; 0 = never
    std::vector<Query> queries;
    SteadyTime mean_at;  ///< when nothing contradicted it last
    SteadyTime used;
    std::uint64_t evaluation = 0;  ///< that used it last
  };
  std::optional<AppHint> hint(const SparkAppFacts& facts, const App* app, const JobHistory& history,
                              const Now& now);
  std::nullopt_t withhold(Withheld reason);
  void bound(const SparkAppFacts& facts, AppHint& out) const;
  void measure_startup(const SparkAppFacts& facts, const App* app, Memory& memory);
  double startup_seconds(const SparkAppFacts& facts, const App* app, const JobHistory& history,
                         const Memory& memory) const;
  void count_waste(const SparkAppFacts& facts, const AppHint& hint, Memory& memory) const;
  double mean_task_seconds(const SparkAppFacts& facts, Memory& memory, SteadyTime now) const;
  void trust(double observed, const SparkAppFacts& facts, AppHint& out) const;
  static void judge_queries(const SparkAppFacts& facts, Memory& memory, AppHint& out);
  void forget(SteadyTime now);

  EvaluateSettings settings_;
  std::uint64_t evaluation_ = 0;
  std::map<AppKey, Memory> memory_;
  std::array<double, kWithheldNames.size()> withheld_{};
  std::vector<double> startups_;  ///< of one application, while they are measured
};

}  // namespace flintgauge
