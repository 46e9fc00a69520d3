// One application as its driver's endpoints tell it. Private to the Spark fold; one thread.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_driver.h"
#include "agent/core/spark_executors.h"
#include "agent/core/spark_pages.h"
#include "agent/core/spark_stage_book.h"
#include "flintgauge/block.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"
#include "flintgauge/spark.h"

namespace flintgauge::spark {

class App {
 public:
  App(AppKey key, const Now& now) : key_(std::move(key)), first_seen_(now.steady) {}
  App(const App&) = delete;  // pages_ refers to executors_
  App& operator=(const App&) = delete;

  void apply(const Target& target, const SparkExecutors& list, const Now& now);
  void apply(const Target& target, const SparkStages& list, const Now& now);
  /// A text page: rows of executors (scope kExecutor) or of the driver (kDriver).
  FoldCounts apply(const Target& target, const SampleBatch& batch, const Now& now);

  void apply(const Target& target, const SparkJobs& list, const Now& now);
  void apply(const Target& target, std::shared_ptr<const SparkSettings> settings, const Now& now);
  /// True when the driver says something else of itself than before.
  bool apply(const Target& target, const SparkAbout& about, const Now& now);

  /// The target says nothing about now any more.
  void drop(const Target& target);
  /// The target is gone, and its decoder with it.
  void forget(const Target& target);

  /// Brings totals and gauges up to now. Totals never fall.
  void renumber(SteadyTime now);
  /// Nothing is present before the application's driver was heard: the totals are of the whole application,
  /// and executors alone are some node's share.
  const Numbers& numbers() const { return numbers_; }
  void write_queries(Streaming& to) const { pages_.write_queries(to); }
  void write_facts(SparkAppFacts& facts) const;
  const LossNumbers& losses() const { return executors_.loss_numbers(); }

  /// The pods of this node: begin, each executor of the application, end.
  void begin_pods() { executors_.losses().begin_pods(); }
  void see_pod(const std::string& executor_id, const Pod& pod);
  void end_pods(SteadyTime now) { executors_.losses().end_pods(now); }

  /// The whole list of stages may be another than at its last two readings: two, because a driver shows what
  /// tasks have done in its lists of executors and of stages up to 100 ms apart (spark.ui.liveUpdate.period).
  bool has_stage_news() const;

  /// Some target of the application's driver still speaks.
  bool is_live() const;
  bool is_driver_heard() const { return is_driver_heard_; }  ///< ever
  const AppKey& key() const { return key_; }

 private:
  void follow_driver(const Target& target, SteadyTime now);
  void begin_executors_again(SteadyTime now);
  const ExecutorsNow& executors_now() const {
    return executors_.listed().known ? executors_.listed() : pages_.listed();
  }
  /// Something that is another whenever a task has ended or a stage has moved.
  double work_seen() const;
  void raise_totals();
  void set_gauges();
  static void write_profiles(SparkAppFacts& facts);

  AppKey key_;
  SteadyTime first_seen_;
  bool is_driver_heard_ = false;
  std::string pod_uid_;
  ExecutorBook executors_;
  StageBook stages_;
  DriverSide driver_side_;
  PageBook pages_{executors_};
  std::string rest_target_, stages_target_;
  double work_at_reading_ = 0;  ///< work_seen() at the last reading of the whole list of stages
  int readings_since_work_ = 0;
  Numbers numbers_;
  SparkTotals stage_totals_;
};

}  // namespace flintgauge::spark
