// All hints of a large node in one evaluation: 200 applications with a driver and ten executors each, every
// one with its pod and its usage here, four active stages, dynamic allocation, a streaming query. Compared
// with one pass over the same data, which reads every number of the blocks once. Each evaluation meets newer
// data, as after a round of the sources.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/turns.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/spark.h"
#include "flintgauge/store.h"
#include "support/allocations.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kApps = 200;
constexpr int kExecutors = 10;  // of each
constexpr std::int64_t kRoundMs = 10'000;
constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr std::int64_t kStartWall = 1'760'000'000'000;

/// As long as the ids of real applications, so that copies cost what they cost.
std::string app_id(std::int64_t app) {
  return "spark-0f3a6c1d2b4e4f5a8b9c0d1e2f3a4b" + std::to_string(100 + app);
}

Now at(std::int64_t round) {
  return {SteadyTime{1'000'000 + round * kRoundMs}, WallTime{kStartWall + round * kRoundMs}};
}

Pod make_pod(std::int64_t app, int executor) {
  const std::string id = std::to_string(app);
  Pod pod;
  pod.namespace_name = "team-" + std::to_string(app % 20);
  pod.name = "job-" + id + (executor < 0 ? "-driver" : "-exec-" + std::to_string(executor));
  pod.phase = Phase::kRunning;
  pod.created_at = {kStartWall - 60'000};
  pod.labels = {{"spark-app-name", "job-" + id}};
  if (executor >= 0) pod.labels.emplace_back("spark-exec-id", std::to_string(executor));
  pod.labels.emplace_back("spark-app-selector", app_id(app));
  pod.labels.emplace_back("spark-role", executor < 0 ? "driver" : "executor");
  std::sort(pod.labels.begin(), pod.labels.end());
  Container container;
  container.requests = {.cpu_millicores = 4000, .memory_bytes = std::int64_t{9} << 30};
  container.state = ContainerState::kRunning;
  pod.containers = {container};
  return pod;
}

ExecutorFacts make_executor(int id) {
  ExecutorFacts out;
  out.id = std::to_string(id);
  out.added = {kStartWall - 30'000};
  out.max_tasks = out.active_tasks = 4;
  out.rdd_blocks = 0;
  out.peak_jvm_heap_bytes = (3 + 0.1 * id) * kGiB;
  out.peak_on_heap_unified_bytes = kGiB;
  out.peak_jvm_off_heap_bytes = out.peak_direct_pool_bytes = out.peak_mapped_pool_bytes = 0.1 * kGiB;
  return out;
}

SparkAppFacts make_facts(std::int64_t app) {
  SparkAppFacts facts;
  facts.app = {"team-" + std::to_string(app % 20), app_id(app)};
  facts.has_executors = facts.has_stages = true;
  facts.first_seen = at(-100).steady;
  facts.executors = facts.busy_executors = kExecutors;
  facts.slots_per_executor = 4;
  facts.running_tasks = 4L * kExecutors;
  facts.slots = 4.0 * kExecutors;
  facts.pending_tasks = 400 + app;
  facts.mean_task_seconds = 10;
  facts.completed_tasks = 1'000;
  for (int id = 1; id <= kExecutors; ++id) facts.executor_list.push_back(make_executor(id));
  facts.has_driver = true;
  facts.driver = make_executor(0);
  for (int id = 1; id <= 4; ++id) {
    StageFacts stage;
    stage.stage_id = id;
    stage.tasks = 200;
    stage.tasks_active = 10;
    stage.tasks_waiting = 100;
    stage.task_run_seconds_median = 9;
    stage.task_run_seconds_max = 20;
    facts.stage_list.push_back(stage);
  }
  facts.profiles = {{.id = 0, .executors = kExecutors, .slots = 4.0 * kExecutors}};
  facts.queries = {{"orders", 1'000, 1'200, 3}};
  auto settings = std::make_shared<SparkSettings>();
  settings->executor_memory_bytes = 8 * kGiB;
  settings->dynamic_allocation = true;
  settings->max_executors = 100;
  facts.settings = settings;
  return facts;
}

void add_series(SchemaBuilder& builder, const AppKey& app) {
  for (const auto* const state : {"target", "max_needed", "to_add"})
    builder.add(family("flintgauge_spark_executors"), {app.namespace_name, app.app_id, state});
  builder.add(family("flintgauge_spark_jobs"), {app.namespace_name, app.app_id, "active"});
  builder.add(family("flintgauge_spark_stages"), {app.namespace_name, app.app_id, "active"});
}

/// Blocks as the two sources would leave them, newer at each round.
class Node {
 public:
  Node() : evaluator_(EvaluateSettings{}, BudgetLimits{500, 1'000'000, 1'000'000}, at(0)) {
    SchemaBuilder spark;
    auto pods = std::make_shared<PodList>();
    for (std::int64_t app = 0; app < kApps; ++app) {
      facts_.push_back(make_facts(app));
      add_series(spark, facts_.back().app);
      for (int executor = 0; executor <= kExecutors; ++executor) {
        usage_.push_back({.pod = static_cast<std::uint32_t>(pods->pods.size())});
        pods->pods.push_back(make_pod(app, executor == 0 ? -1 : executor));
      }
    }
    pods_ = std::move(pods);
    spark_schema_ = spark.build().schema;
    SchemaBuilder node;
    node.add(family("flintgauge_node_cpu_capacity_cores"), {});
    node.add(family("flintgauge_node_memory_capacity_bytes"), {});
    node_schema_ = node.build().schema;
  }

  void next_round() {
    ++round_;
    for (SparkAppFacts& facts : facts_) {
      facts.executors_at = facts.stages_at = at(round_).steady;
      const auto seconds = static_cast<double>(round_ * kRoundMs) / 1000;
      for (double& total : facts.stage_totals.values) total = seconds;
      facts.stage_totals[Measure::kExecutorRunSeconds] = 40 * seconds;
      for (ExecutorFacts& executor : facts.executor_list) executor.peak_jvm_heap_bytes += 1e6;
      facts.driver.peak_jvm_heap_bytes += 1e6;
    }
    for (SparkUsage& usage : usage_) {
      usage.memory_rss_bytes = usage.memory_working_set_bytes = 5 * kGiB;
      usage.cpu_seconds = 30.0 * static_cast<double>(round_);
      usage.cpu_at_ms = at(round_).wall.ms;
    }
    publish(Shard::kSpark, [this](Block& block) {
      block.schema = spark_schema_;
      block.values.assign(spark_schema_->size(), 12);
      block.spark_apps = facts_;
    });
    publish(Shard::kKubelet, [this](Block& block) {
      block.schema = node_schema_;
      block.values = {64, 256 * kGiB};
      block.pods = pods_;
      block.spark_usage = usage_;
    });
  }

  /// Every hint, as the evaluator's thread makes them; the series too.
  std::shared_ptr<const Report> evaluate() {
    Block& block = store_.writable(Shard::kDerived);
    auto report = evaluator_.evaluate(store_.read(), at(round_), block);
    series_ = block.schema->size();
    store_.publish(Shard::kDerived);
    return report;
  }

  std::size_t series() const { return series_; }

  static double sum_of(const ExecutorFacts& executor) {
    double sum = 0;
    for (const double total : executor.totals.values) sum += total;
    return sum + executor.max_tasks + executor.active_tasks + executor.rdd_blocks +
           executor.duration_seconds + executor.peak_jvm_heap_bytes + executor.peak_on_heap_unified_bytes +
           executor.peak_jvm_off_heap_bytes + executor.peak_direct_pool_bytes +
           executor.peak_mapped_pool_bytes + executor.peak_process_tree_python_rss_bytes;
  }

  /// Reads each number of the blocks once.
  double pass() const {
    double sum = 0;
    for (const SparkAppFacts& facts : facts_) {
      for (const double total : facts.stage_totals.values) sum += total;
      for (const ExecutorFacts& executor : facts.executor_list) sum += sum_of(executor);
      sum += sum_of(facts.driver);
      for (const StageFacts& stage : facts.stage_list)
        sum += stage.tasks + stage.tasks_active + stage.tasks_waiting + stage.task_run_seconds_max;
    }
    for (const SparkUsage& usage : usage_)
      sum += usage.memory_rss_bytes + usage.memory_working_set_bytes + usage.cpu_seconds;
    return sum;
  }

 private:
  template <typename Fill>
  void publish(Shard shard, Fill fill) {
    Block& block = store_.writable(shard);
    fill(block);
    block.committed = at(round_).steady;
    block.committed_wall = at(round_).wall;
    store_.publish(shard);
  }

  Store store_;
  Evaluator evaluator_;
  std::vector<SparkAppFacts> facts_;
  std::vector<SparkUsage> usage_;
  std::shared_ptr<const PodList> pods_;
  std::shared_ptr<const Schema> spark_schema_, node_schema_;
  std::int64_t round_ = 0;
  std::size_t series_ = 0;
};

/// "median_ms": must be < 5. "allocations_per_app": by call site nine are of the report, which is made anew
/// each time (names, queries, points of the stable number, the node's one pool), and one lives for the
/// evaluation only (a query's state in judge_queries).
void all_hints(benchmark::State& state) {
  Node node;
  for (int round = 0; round < 40; ++round) {  // windows are full, every histogram is in use
    node.next_round();
    node.evaluate();
  }
  std::vector<double> mine, pass;
  std::uint64_t allocations = 0;
  std::shared_ptr<const Report> report;
  for (auto _ : state) {
    node.next_round();
    const std::uint64_t before = testing::allocations();
    mine.push_back(bench::seconds_of([&] { report = node.evaluate(); }));
    allocations += testing::allocations() - before;
    pass.push_back(bench::seconds_of([&] { benchmark::DoNotOptimize(node.pass()); }));
    state.SetIterationTime(mine.back());
  }
  if (report->hints.size() != kApps || report->verticals.size() != kApps ||
      report->bottlenecks.size() != kApps || report->sideways.size() != kApps ||
      report->quotas.size() != kApps ||
      !std::ranges::all_of(report->verticals, [](const AppVerticalHint& one) {
        return one.hint.has_memory && one.hint.has_cpu && one.driver && one.driver->hint.has_cpu;
      })) {
    state.SkipWithError("some application has no hint");
  }
  state.counters["median_ms"] = bench::median(mine) * 1e3;
  state.counters["times_one_pass"] = bench::median(mine) / bench::median(pass);
  state.counters["series_per_app"] = static_cast<double>(node.series()) / static_cast<double>(kApps);
  state.counters["allocations_per_app"] =
      static_cast<double>(allocations) / static_cast<double>(state.iterations()) / static_cast<double>(kApps);
}

BENCHMARK(all_hints)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flintgauge
