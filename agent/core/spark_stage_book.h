// The stages of one application, as its driver's lists tell them. Private to the Spark fold; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_ever_seen.h"
#include "flintgauge/spark.h"
#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge::spark {

struct StagesNow {
  bool known = false;
  bool complete = false;
  SteadyTime at;
  double active = 0, pending = 0;
  double active_tasks = 0, pending_tasks = 0;
  double mean_task_seconds = 0;  ///< 0 = unknown
};

class StageBook {
 public:
  static constexpr std::size_t kKilled = kTotals;  ///< place of Column::kTasksKilled in totals()

  void apply(const SparkStages& list, const Now& now);
  /// The list says nothing about now any more.
  void forget_list();
  /// Another driver of the application begins to count anew. A list that shows another SparkContext of the
  /// same driver does so by itself.
  void begin_again();

  const StagesNow& now() const { return now_; }
  bool told() const { return told_; }  ///< ever
  /// Of the columns below kTotals, then of kKilled.
  std::array<double, kTotals + 1> totals() const { return seen_.totals(); }
  /// Active stages, at most SparkAppFacts::kMaxStages, in order of their ids.
  const std::vector<StageFacts>& active() const { return active_; }

 private:
  /// Of one stage attempt. Quantiles come with the short lists only.
  struct StageDetail : Submission {
    double run_median = kNotTold, run_max = kNotTold, delay_median = kNotTold;
    void take(const SparkStage& stage);
  };
  using Seen = EverSeen<std::pair<std::int64_t, std::int64_t>, kTotals + 1, StageDetail>;

  bool is_of_another_context(const SparkStages& list) const;
  void add_active(const SparkStage& stage, const StageDetail& detail, WallTime now);

  Seen seen_;
  std::vector<Seen::Entry*> listed_;
  std::vector<StageFacts> active_;
  StagesNow now_;
  WallTime newest_;  ///< submission
  bool told_ = false;
};

}  // namespace flintgauge::spark
