#include "agent/core/spark_pages.h"

#include <algorithm>
#include <cmath>

namespace flintgauge::spark {

FoldCounts PageBook::apply(const Target& target, const SampleBatch& batch, SteadyTime at) {
  FoldCounts counts;
  Page* found = find(target.key);
  if (found == nullptr) {
    if (pages_.size() == kMaxPages) {
      counts.left_out = batch.samples.size();
      return counts;
    }
    found = &pages_.emplace_back();
    found->key = target.key;
    found->owner = target.executor_id;
  }
  Page& page = *found;
  if (page.rows.size() < batch.routes.size()) page.rows.resize(batch.routes.size());
  for (const SeriesIndex series : batch.retired) {
    if (series < page.rows.size()) let_go(page, page.rows[series]);
  }
  for (const SeriesIndex series : batch.created) {
    Row& row = page.rows[series];
    let_go(page, row);
    bind(page, row, batch.routes[series], target.app.app_id);
  }
  page.driver = DriverNow{};
  page.queries.begin();
  for (const Sample& sample : batch.samples) {
    const Row& row = page.rows[sample.series];
    if (!row.bound) {
      ++counts.identity_mismatch;
      continue;
    }
    take(page, row, sample.value);
    ++counts.folded;
  }
  merge_drivers();
  if (page.is_list) {
    list_ = page.key;
    listed_ = summary_of(page, at);
  }
  executors_.trim();
  return counts;
}

PageBook::Page* PageBook::find(const std::string& key) {
  const auto at = std::ranges::find(pages_, key, &Page::key);
  return at == pages_.end() ? nullptr : &*at;
}

void PageBook::bind(Page& page, Row& row, const Route& route, const std::string& app_id) {
  if (!route.app_id.empty() && route.app_id != app_id) return;
  const bool is_of_executor = route.scope == Scope::kExecutor;
  if (!page.owner.empty()) {  // the pod's label says who it is; its text may agree, or be silent
    if (!is_of_executor || (!route.container.empty() && route.container != page.owner)) return;
  }
  row.bound = true;
  row.measure = route.measure;
  row.scope = route.scope;
  if (route.scope == Scope::kQuery) row.executor = page.queries.take_place(route.container);
  if (!is_of_executor) return;
  if (page.owner.empty() && route.measure == Measure::kExecutorMaxTasks) page.is_list = true;
  row.executor = place_of(page, page.owner.empty() ? route.container : page.owner);
  ++page.executors[row.executor].rows;
}

std::uint32_t PageBook::place_of(Page& page, const std::string& executor_id) {
  std::size_t free = page.executors.size();
  for (std::size_t i = 0; i < page.executors.size(); ++i) {
    if (page.executors[i].rows != 0 && page.executors[i].id == executor_id)
      return static_cast<std::uint32_t>(i);
    if (page.executors[i].rows == 0) free = i;
  }
  if (free == page.executors.size()) page.executors.emplace_back();
  Executor& executor = page.executors[free];
  executor = Executor{};
  executor.id = executor_id;
  if (executor_id != kDriverId) executor.entry = executors_.hold(executor_id);
  return static_cast<std::uint32_t>(free);
}

void PageBook::let_go(Page& page, Row& row) {
  if (row.bound && row.scope == Scope::kExecutor) {
    Executor& executor = page.executors[row.executor];
    if (--executor.rows == 0) ExecutorBook::let_go(executor.entry);
  }
  if (row.bound && row.scope == Scope::kQuery) page.queries.let_go(row.executor);
  row = Row{};
}

void PageBook::take(Page& page, const Row& row, double value) {
  if (row.scope == Scope::kDriver) return page.driver.take(row.measure, value);
  if (row.scope == Scope::kQuery) return page.queries.take(row.executor, row.measure, value);
  if (row.scope != Scope::kExecutor) return;
  Executor& executor = page.executors[row.executor];
  if (row.measure == Measure::kExecutorActiveTasks) executor.active_tasks = value;
  if (row.measure == Measure::kExecutorMaxTasks) executor.max_tasks = value;
  if (row.measure == Measure::kExecutorRddBlocks) executor.rdd_blocks = value;
  if (executor.id == kDriverId) return executors_.take_driver(row.measure, value);
  executors_.take(executor.entry, row.measure, value);
}

void PageBook::merge_drivers() {
  driver_ = DriverNow{};
  for (const Page& page : pages_) driver_.add(page.driver);
}

void PageBook::write_queries(Streaming& to) const {
  for (const Page& page : pages_) to.add(page.queries);
}

ExecutorsNow PageBook::summary_of(const Page& page, SteadyTime at) const {
  ExecutorsNow summary;
  summary.known = true;
  summary.at = at;
  summary.knows_blocks = true;
  for (const Executor& executor : page.executors) {
    if (executor.rows == 0) continue;
    if (executor.id != kDriverId) {
      summary.add(executor.active_tasks, executor.max_tasks, executor.rdd_blocks);
      summary.knows_blocks = summary.knows_blocks && !std::isnan(executor.rdd_blocks);
    } else if (executors_.is_local()) {
      summary.active_tasks += clamped(executor.active_tasks, executor.max_tasks);
    }
  }
  return summary;
}

void PageBook::write_listed(ExecutorListWriter& to) const {
  const auto page = std::ranges::find(pages_, list_, &Page::key);
  if (page == pages_.end()) return;
  for (const Executor& executor : page->executors) {
    if (executor.rows != 0 && executor.entry != nullptr) to.add(*executor.entry, true);
  }
}

void PageBook::drop(const Target& target) {
  if (target.key == list_) listed_ = ExecutorsNow{};
  if (Page* page = find(target.key); page != nullptr) {
    page->driver = DriverNow{};
    page->queries.begin();
  }
  merge_drivers();
}

void PageBook::forget(const Target& target) {
  drop(target);
  const auto page = std::ranges::find(pages_, target.key, &Page::key);
  if (page == pages_.end()) return;
  for (Row& row : page->rows) let_go(*page, row);
  pages_.erase(page);
}

void PageBook::let_go_executors() {
  for (Page& page : pages_) {
    for (Executor& executor : page.executors) {
      if (executor.rows != 0) ExecutorBook::let_go(executor.entry);
    }
  }
}

void PageBook::hold_executors() {
  for (Page& page : pages_) {
    page.driver = DriverNow{};
    page.queries.begin();
    for (Executor& executor : page.executors) {
      if (executor.rows != 0 && executor.id != kDriverId) executor.entry = executors_.hold(executor.id);
    }
  }
  listed_ = ExecutorsNow{};
  driver_ = DriverNow{};
}

}  // namespace flintgauge::spark
