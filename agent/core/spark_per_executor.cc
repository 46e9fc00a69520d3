#include "agent/core/spark_per_executor.h"

#include <cmath>

#include "flintgauge/budget.h"

namespace flintgauge::spark {
namespace {

constexpr std::uint32_t bit_of(std::size_t column) { return std::uint32_t{1} << column; }

void add(ExecutorValues& into, const ExecutorValues& values, bool counters_only) {
  for (std::size_t i = 0; i < kExecutorColumns.size(); ++i) {
    if ((values.present & bit_of(i)) == 0 || (counters_only && !is_counter_column(i))) continue;
    into.value[i] += values.value[i];
    into.present |= bit_of(i);
  }
}

ExecutorValues values_of(const ExecutorFacts& facts) {
  ExecutorValues values;
  for (std::size_t i = 0; i < kExecutorColumns.size(); ++i) {
    const double value = kExecutorColumns[i].of(facts);
    if (std::isnan(value)) continue;
    values.value[i] = value;
    values.present |= bit_of(i);
  }
  return values;
}

void add_values(SeriesList& out, const AppKey& app, std::string_view executor_id,
                const ExecutorValues& values) {
  for (std::size_t i = 0; i < kExecutorColumns.size(); ++i) {
    if ((values.present & bit_of(i)) != 0)
      out.add(kExecutorColumns[i].family, {app.namespace_name, app.app_id, executor_id}, values.value[i]);
  }
}

}  // namespace

bool PerExecutor::update(const SparkAppFacts& facts, SeriesBudget& budget) {
  ++reading_;
  bool changed = false;
  for (const ExecutorFacts& one : facts.executor_list) {
    if (!one.is_active) continue;
    auto at = executors_.find(one.id);
    if (at == executors_.end()) {
      at = executors_.try_emplace(one.id).first;
      at->second.is_own = one.id != kOverflowAppId &&
                          budget.admit(facts.app.namespace_name, facts.app.app_id, kExecutorColumns.size());
      changed = true;
    }
    Executor& executor = at->second;
    const ExecutorValues values = values_of(one);
    changed = changed || values.present != executor.values.present;
    executor.values = values;
    executor.reading = reading_;
  }
  changed = drop_unread(facts.app, budget) || changed;
  return sum_overflow() || changed;
}

bool PerExecutor::silence(const AppKey& app, SeriesBudget& budget) {
  ++reading_;
  const bool changed = drop_unread(app, budget);
  return sum_overflow() || changed;
}

bool PerExecutor::drop_unread(const AppKey& app, SeriesBudget& budget) {
  const std::size_t gone = std::erase_if(executors_, [&](const auto& executor) {
    if (executor.second.reading == reading_) return false;
    if (executor.second.is_own) {
      budget.release(app.namespace_name, app.app_id, kExecutorColumns.size());
    } else {
      add(left_, executor.second.values, true);
    }
    return true;
  });
  return gone != 0;
}

bool PerExecutor::sum_overflow() {
  const std::uint32_t before = overflow_.present;
  overflow_ = left_;
  for (const auto& [id, executor] : executors_) {
    if (!executor.is_own) add(overflow_, executor.values, false);
  }
  return overflow_.present != before;
}

void PerExecutor::end(const AppKey& app, SeriesBudget& budget) {
  ++reading_;
  drop_unread(app, budget);
}

void PerExecutor::add_series(SeriesList& out, const AppKey& app) const {
  for (const auto& [id, executor] : executors_) {
    if (executor.is_own) add_values(out, app, id, executor.values);
  }
  add_values(out, app, kOverflowAppId, overflow_);
}

}  // namespace flintgauge::spark
