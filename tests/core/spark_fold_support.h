// A Spark fold with drivers to feed it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/core/spark_shown.h"
#include "core/fold_support.h"

namespace flintgauge::testing {

/// The endpoints of one driver.
struct FakeDriver {
  explicit FakeDriver(const std::string& namespace_name = "team-a", const std::string& app_id = "spark-1") {
    const std::string who = namespace_name + "/" + app_id;
    for (Target* target : {&rest, &stages, &page.target, &registry.target}) {
      target->app = {namespace_name, app_id};
      target->pod_uid = "uid-1";
    }
    rest.key = "spark_executors_rest/" + who;
    stages.key = "spark_stages/" + who;
    page.target.key = "spark_executors/" + who;
    registry.target.key = "spark_driver/" + who;
    labels = "namespace=\"" + namespace_name + "\",app_id=\"" + app_id + "\"";
  }

  Target rest, stages;
  FakePage page{""}, registry{""};
  std::string labels;
};

inline SparkExecutor executor(std::string id, double completed, std::int64_t active_tasks = 0,
                              std::int64_t max_tasks = 4) {
  SparkExecutor out;
  out.id = std::move(id);
  out.tasks_completed = completed;
  out.active_tasks = active_tasks;
  out.max_tasks = max_tasks;
  return out;
}
inline SparkExecutor dead(SparkExecutor row) {
  row.is_active = false;
  return row;
}

inline SparkStage stage(std::int64_t stage_id, StageStatus status, std::int64_t tasks, std::int64_t active,
                        std::int64_t complete, double run_seconds = 0) {
  SparkStage out;
  out.stage_id = stage_id;
  out.status = status;
  out.tasks = tasks;
  out.tasks_active = active;
  out.tasks_complete = complete;
  out.executor_run_seconds = run_seconds;
  return out;
}

/// A line of the executors page, or of the driver's registry when `executor_id` is empty.
inline Line spark_row(const std::string& executor_id, Measure measure, double value,
                      std::string app_id = "") {
  Line out = line(executor_id.empty() ? Scope::kDriver : Scope::kExecutor, measure, value);
  out.route.container = executor_id;
  out.route.app_id = std::move(app_id);
  return out;
}

/// What an application costs of its budget.
inline constexpr std::size_t kAppSeries = spark::kShownSeries + spark::kSpreadSeries;

class SparkBench {
 public:
  explicit SparkBench(const BudgetLimits& limits = {}, const SparkFoldSettings& settings = {})
      : fold(make_spark_fold(limits, after(0), settings)) {}

  std::unique_ptr<Fold> fold;
  Block block;

  void executors(const FakeDriver& driver, std::vector<SparkExecutor> rows, double at, bool complete = true) {
    fold->apply(driver.rest, Batch(SparkExecutors{complete, std::move(rows)}), after(at));
  }
  void stages(const FakeDriver& driver, std::vector<SparkStage> rows, double at, bool complete = true) {
    fold->apply(driver.stages, Batch(SparkStages{complete, std::move(rows)}), after(at));
  }
  FoldCounts page(FakePage& page, const std::vector<Line>& lines, double at) {
    return fold->apply(page.target, Batch(page.scrape(lines)), after(at));
  }

  std::map<std::string, double> series(double at) {
    fold->fill(block, after(at));
    return series_in(block);
  }
  /// flintgauge_spark_SUFFIX of the driver's application, or kAbsent.
  double value(const FakeDriver& driver, const std::string& suffix, double at,
               const std::string& state = "") {
    const auto all = series(at);
    const std::string labels = state.empty() ? driver.labels : driver.labels + ",state=\"" + state + "\"";
    const auto found = all.find("flintgauge_spark_" + suffix + "{" + labels + "}");
    return found == all.end() ? kAbsent : found->second;
  }
  const SparkAppFacts& facts(double at) {
    fold->fill(block, after(at));
    EXPECT_FALSE(block.spark_apps.empty());
    return block.spark_apps.front();
  }
};

}  // namespace flintgauge::testing
