// Hand-made blocks for the tests of the evaluator.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/evaluate.h"
#include "flintgauge/store.h"

namespace flintgauge::testing {

constexpr std::int64_t kStartWall = 1'760'000'000'000;

/// Both clocks, `ms` after the start; the wall clock stepped by `wall_step_ms`.
inline Now at(std::int64_t ms, std::int64_t wall_step_ms = 0) {
  return {SteadyTime{5'000 + ms}, WallTime{kStartWall + ms + wall_step_ms}};
}

inline Pod pod(std::string ns, std::string name, std::string app_id, std::string role, Phase phase) {
  Pod out;
  out.namespace_name = std::move(ns);
  out.name = std::move(name);
  out.phase = phase;
  if (!app_id.empty())
    out.labels = {{"spark-app-selector", std::move(app_id)}, {"spark-role", std::move(role)}};
  return out;
}

inline void set_label(Pod& pod, std::string name, std::string value) {
  pod.labels.emplace_back(std::move(name), std::move(value));
  std::ranges::sort(pod.labels);
}

/// A series by family name and label values.
struct Row {
  FamilyId family;
  std::vector<std::string> labels;
  double value;
};

inline FamilyId family_named(std::string_view name) {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (kCatalogue[i].name == name) return static_cast<FamilyId>(i);
  }
  ADD_FAILURE() << "no family " << name;
  return {};
}

inline void set_rows(Block& block, const std::vector<Row>& rows) {
  SchemaBuilder builder;
  for (const Row& row : rows) {
    const std::vector<std::string_view> labels(row.labels.begin(), row.labels.end());
    builder.add(row.family, labels);
  }
  const auto built = builder.build();
  block.schema = built.schema;
  block.values.clear();
  for (const std::uint32_t ticket : built.ticket_of) block.values.push_back(rows[ticket].value);
}

/// "flintgauge_x{a="b"}" -> value.
inline std::map<std::string, double> series_of(const Block& block) {
  EXPECT_EQ(block.schema->size(), block.values.size());
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < block.schema->size(); ++i) {
    std::string name(block.schema->prefix(i));
    name.pop_back();
    out[name] = block.values[i];
  }
  return out;
}

/// Facts of an application with 2 executors of 4 slots, 8 tasks running, 392 waiting, of 10 s each: the case
/// "burst" of docs/hints.md, whose answer is 11.
inline SparkAppFacts burst(std::string ns, std::string app_id, SteadyTime read_at) {
  SparkAppFacts facts;
  facts.app = {std::move(ns), std::move(app_id)};
  facts.executors_at = facts.stages_at = read_at;
  facts.has_executors = facts.has_stages = true;
  facts.first_seen = SteadyTime{read_at.ms - 600'000};
  facts.executors = facts.busy_executors = 2;
  facts.slots_per_executor = 4;
  facts.running_tasks = 8;
  facts.pending_tasks = 392;
  facts.mean_task_seconds = 10;
  facts.completed_tasks = 1000;
  return facts;
}

/// A store with two hand-filled source blocks, and an evaluator that reads it.
struct Bench {
  EvaluateSettings settings{.min_executors = 1};
  Store store;

  template <typename Fill>
  void publish(Shard shard, const Now& now, Fill fill) {
    Block& block = store.writable(shard);
    block.schema = SchemaBuilder().build().schema;
    block.values.clear();
    block.pods = nullptr;
    block.targets.clear();
    block.spark_apps.clear();
    block.spark_usage.clear();
    fill(block);
    block.committed = now.steady;
    block.committed_wall = now.wall;
    store.publish(shard);
  }
  void publish_pods(const Now& now, std::vector<Pod> pods, const std::vector<Row>& rows = {}) {
    publish(Shard::kKubelet, now, [&](Block& block) {
      block.pods = std::make_shared<const PodList>(PodList{std::move(pods)});
      set_rows(block, rows);
    });
  }
  void publish_facts(const Now& now, std::vector<SparkAppFacts> facts, const std::vector<Row>& rows = {}) {
    publish(Shard::kSpark, now, [&](Block& block) {
      block.spark_apps = std::move(facts);
      set_rows(block, rows);
    });
  }

  std::shared_ptr<const Report> evaluate(const Now& now) {
    if (evaluator == nullptr) evaluator = std::make_unique<Evaluator>(settings, BudgetLimits{}, now);
    Block& block = store.writable(Shard::kDerived);
    auto report = evaluator->evaluate(store.read(), now, block);
    EXPECT_EQ(block.report, report);
    EXPECT_EQ(block.committed, now.steady);
    EXPECT_EQ(block.committed_wall, now.wall);
    series = series_of(block);
    targets = block.targets;
    schema = block.schema;
    store.publish(Shard::kDerived);
    return report;
  }

  std::map<std::string, double> series;  ///< of the last evaluation
  std::vector<TargetState> targets;
  std::shared_ptr<const Schema> schema;
  std::unique_ptr<Evaluator> evaluator;  ///< made by the first evaluation, with the settings of then
};

}  // namespace flintgauge::testing
