#include "agent/core/spark_executors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <utility>

namespace flintgauge::spark {
namespace {

/// The totals that a row of the driver's list of executors has.
constexpr auto kRowTotals = std::to_array<std::pair<Column, double SparkExecutor::*>>({
    {Column::kTasksCompleted, &SparkExecutor::tasks_completed},
    {Column::kTasksFailed, &SparkExecutor::tasks_failed},
    {Column::kGcSeconds, &SparkExecutor::gc_seconds},
    {Column::kInputBytes, &SparkExecutor::input_bytes},
    {Column::kShuffleRead, &SparkExecutor::shuffle_read_bytes},
    {Column::kShuffleWrite, &SparkExecutor::shuffle_write_bytes},
});

/// What only grows while an executor lives, in a REST row and in a page's samples.
struct Growing {
  Measure measure;
  double SparkExecutor::*row;
  double ExecutorFacts::*fact;
};
constexpr auto kGrowing = std::to_array<Growing>({
    {Measure::kExecutorDurationSeconds, &SparkExecutor::duration_seconds, &ExecutorFacts::duration_seconds},
    {Measure::kExecutorPeakJvmHeapBytes, &SparkExecutor::peak_jvm_heap_bytes,
     &ExecutorFacts::peak_jvm_heap_bytes},
    {Measure::kExecutorPeakJvmOffHeapBytes, &SparkExecutor::peak_jvm_off_heap_bytes,
     &ExecutorFacts::peak_jvm_off_heap_bytes},
    {Measure::kExecutorPeakOnHeapUnifiedBytes, &SparkExecutor::peak_on_heap_unified_bytes,
     &ExecutorFacts::peak_on_heap_unified_bytes},
    {Measure::kExecutorPeakOffHeapUnifiedBytes, &SparkExecutor::peak_off_heap_unified_bytes,
     &ExecutorFacts::peak_off_heap_unified_bytes},
    {Measure::kExecutorPeakDirectPoolBytes, &SparkExecutor::peak_direct_pool_bytes,
     &ExecutorFacts::peak_direct_pool_bytes},
    {Measure::kExecutorPeakMappedPoolBytes, &SparkExecutor::peak_mapped_pool_bytes,
     &ExecutorFacts::peak_mapped_pool_bytes},
    {Measure::kExecutorPeakProcessTreeJvmRssBytes, &SparkExecutor::peak_process_tree_jvm_rss_bytes,
     &ExecutorFacts::peak_process_tree_jvm_rss_bytes},
    {Measure::kExecutorPeakProcessTreePythonRssBytes, &SparkExecutor::peak_process_tree_python_rss_bytes,
     &ExecutorFacts::peak_process_tree_python_rss_bytes},
    {Measure::kExecutorPeakProcessTreeOtherRssBytes, &SparkExecutor::peak_process_tree_other_rss_bytes,
     &ExecutorFacts::peak_process_tree_other_rss_bytes},
});

/// Values of now in a page's samples.
constexpr auto kMoving = std::to_array<std::pair<Measure, double ExecutorFacts::*>>({
    {Measure::kExecutorActiveTasks, &ExecutorFacts::active_tasks},
    {Measure::kExecutorMaxTasks, &ExecutorFacts::max_tasks},
    {Measure::kExecutorRddBlocks, &ExecutorFacts::rdd_blocks},
    {Measure::kExecutorMemoryUsedBytes, &ExecutorFacts::memory_used_bytes},
    {Measure::kExecutorMaxMemoryBytes, &ExecutorFacts::max_memory_bytes},
});

constexpr std::size_t place_of_total(Measure measure) {
  return static_cast<std::size_t>(measure) - SparkTotals::kFirst;
}

/// Up to Spark 3.5 the size of a result is filled in by the driver, after the executor's registry has taken
/// it: there it is 0 for ever, which says nothing.
constexpr bool is_told(Measure measure, double value) {
  return measure != Measure::kExecutorResultBytes || value > 0;
}

/// Sources differ by what they have not heard of yet.
void raise_known(double& value, double told) {
  if (std::isnan(value) || told > value) value = told;
}

}  // namespace

ExecutorKey executor_key(std::string_view id) {
  ExecutorKey key;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), key.number);
  if (error == std::errc() && end == id.data() + id.size() && key.number >= 0) return key;
  key.number = -1;
  key.text = id;
  return key;
}

double clamped(double active_tasks, double max_tasks) {
  return max_tasks > 0 ? std::min(active_tasks, max_tasks) : active_tasks;
}

void ExecutorsNow::add(double active_tasks_told, double max_tasks, double rdd_blocks) {
  ++active;
  busy += active_tasks_told > 0 || rdd_blocks > 0 ? 1 : 0;
  slots += max_tasks;
  active_tasks += clamped(active_tasks_told, max_tasks);
}

void ExecutorBook::take(Entry& entry, const SparkExecutor& row, SteadyTime at) {
  ExecutorFacts& facts = entry.detail.facts;
  for (const auto& [column, from] : kRowTotals) {
    Seen::raise(entry.counters[place(column)], row.*from);
    entry.detail.told |= bit(column);
  }
  for (const Growing& field : kGrowing) raise_known(facts.*field.fact, row.*field.row);
  facts.id = row.id;
  facts.is_active = row.is_active;
  facts.resource_profile_id = row.resource_profile_id;
  if (row.added.ms != 0) facts.added = row.added;
  if (row.removed.ms != 0) facts.removed = row.removed;
  if (!row.remove_reason.empty()) facts.remove_reason = row.remove_reason;
  facts.max_tasks = static_cast<double>(row.max_tasks);
  facts.active_tasks = static_cast<double>(row.active_tasks);
  facts.rdd_blocks = static_cast<double>(row.rdd_blocks);
  facts.memory_used_bytes = row.memory_used_bytes;
  facts.max_memory_bytes = row.max_memory_bytes;
  if (row.is_active) {
    losses_.keep(entry);
  } else {
    losses_.lose(entry, at);
  }
}

std::array<double, kTotals> ExecutorBook::totals() const {
  std::array<double, kTotals> sums = seen_.totals();
  for (std::size_t i = 0; i < kTotals; ++i) sums[i] += driver_before_[i] + (is_local() ? driver_[i] : 0);
  return sums;
}

bool ExecutorBook::is_of_another_context(const SparkExecutors& list) const {
  if (driver_added_.ms == 0) return false;
  return std::ranges::any_of(list.executors, [this](const SparkExecutor& row) {
    return row.id == kDriverId && driver_added_ < row.added;
  });
}

void ExecutorBook::apply(const SparkExecutors& list, SteadyTime at) {
  rest_ = ExecutorsNow{};
  std::swap(rest_listed_, listed_before_);
  ++reading_;
  rest_.known = rest_.knows_blocks = true;
  rest_.complete = list.complete;
  rest_.at = at;
  for (const auto& [column, from] : kRowTotals) told_ |= bit(column);
  double driver_active = 0;
  for (const SparkExecutor& row : list.executors) {
    if (row.id == kDriverId) {
      for (const auto& [column, from] : kRowTotals) Seen::raise(driver_[place(column)], row.*from);
      for (const Growing& field : kGrowing) raise_known(driver_facts_.*field.fact, row.*field.row);
      if (row.added.ms != 0) driver_added_ = row.added;
      driver_slots_ = static_cast<double>(row.max_tasks);
      driver_active = static_cast<double>(row.active_tasks);
      continue;
    }
    if (Entry* entry = seen_.find_or_make(executor_key(row.id)); entry != nullptr) {
      if (std::exchange(entry->detail.reading, reading_) == reading_) continue;  // twice in one list
      take(*entry, row, at);
      ++entry->holders;
      rest_listed_.push_back(entry);
    }
    if (!row.is_active) {  // a lost executor's row may say for ever that it runs a task
      ++rest_.dead;
      continue;
    }
    rest_.add(static_cast<double>(row.active_tasks), static_cast<double>(row.max_tasks),
              static_cast<double>(row.rdd_blocks));
  }
  if (is_local()) rest_.active_tasks = clamped(driver_active, driver_slots_);
  // The driver remembers 100 dead ones: when more die between two lists, some are in none.
  for (Entry* entry : listed_before_) {
    if (entry->detail.reading != reading_) losses_.lose(*entry, at);
    let_go(entry);
  }
  listed_before_.clear();
  losses_.told(at, list.complete);
  seen_.trim();
}

void ExecutorBook::forget_list() {
  rest_ = ExecutorsNow{};
  for (Entry* entry : rest_listed_) let_go(entry);
  rest_listed_.clear();
}

ExecutorBook::Entry* ExecutorBook::hold(const std::string& id) {
  Entry* entry = seen_.find_or_make(executor_key(id));
  if (entry == nullptr) return nullptr;
  ++entry->holders;
  entry->detail.facts.id = id;
  return entry;
}

void ExecutorBook::let_go(Entry* entry) {
  if (entry != nullptr) --entry->holders;
}

void ExecutorBook::take(Entry* entry, Measure measure, double value) {
  if (const std::size_t i = place_of_total(measure); i < kTotals) {
    if (!is_told(measure, value)) return;
    told_ |= bit(i);
    if (entry == nullptr) return;
    entry->detail.told |= bit(i);
    return Seen::raise(entry->counters[i], value);
  }
  if (entry == nullptr) return;
  const auto* const growing = std::ranges::find(kGrowing, measure, &Growing::measure);
  if (growing != kGrowing.end()) return raise_known(entry->detail.facts.*growing->fact, value);
  const auto* const moving = std::ranges::find(kMoving, measure, [](const auto& row) { return row.first; });
  if (moving != kMoving.end()) entry->detail.facts.*moving->second = value;
}

void ExecutorBook::take_driver(Measure measure, double value) {
  if (measure == Measure::kExecutorMaxTasks) driver_slots_ = value;
  const auto* const growing = std::ranges::find(kGrowing, measure, &Growing::measure);
  if (growing != kGrowing.end()) return raise_known(driver_facts_.*growing->fact, value);
  const std::size_t i = place_of_total(measure);
  if (i >= kTotals || !is_told(measure, value)) return;
  told_ |= bit(i);
  Seen::raise(driver_[i], value);
}

void ExecutorBook::begin_again(SteadyTime now) {
  forget_list();
  if (is_local()) {
    for (std::size_t i = 0; i < kTotals; ++i) driver_before_[i] += driver_[i];
  }
  driver_.fill(0);
  driver_added_ = {};
  driver_facts_ = {};
  losses_.begin_again(seen_, now);
  seen_.begin_again();
}

void ExecutorBook::write_listed(ExecutorListWriter& to) const {
  for (const bool is_active : {true, false}) {
    for (const Entry* entry : rest_listed_) {
      if (entry->detail.facts.is_active == is_active) to.add(*entry, is_active);
    }
  }
}

void ExecutorListWriter::add(const SeenExecutors::Entry& entry, bool is_active) {
  if (count_ == SparkAppFacts::kMaxExecutors) {
    ++facts_.executors_left_out;
    return;
  }
  if (count_ == facts_.executor_list.size()) facts_.executor_list.emplace_back();
  ExecutorFacts& out = facts_.executor_list[count_++];
  out = entry.detail.facts;
  out.is_active = is_active;
  out.active_tasks = is_active ? clamped(out.active_tasks, out.max_tasks) : 0;
  for (std::size_t i = 0; i < kTotals; ++i) {
    out.totals.values[i] = (entry.detail.told & bit(i)) != 0 ? entry.counters[i] : kNotTold;
  }
}

}  // namespace flintgauge::spark
