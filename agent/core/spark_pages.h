// The pages of one application whose rows are samples: its driver's list of executors, and registries of the
// driver and of executors, asked or pushed. Private to the Spark fold; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/spark_driver.h"
#include "agent/core/spark_executors.h"
#include "agent/core/spark_streaming.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge::spark {

class PageBook {
 public:
  /// More targets than this of one application are not read: executors of it on this node, three sinks each.
  static constexpr std::size_t kMaxPages = 512;

  /// `executors` must outlive the book.
  explicit PageBook(ExecutorBook& executors) : executors_(executors) {}

  FoldCounts apply(const Target& target, const SampleBatch& batch, SteadyTime at);

  /// The target says nothing about now any more, but its rows stay known.
  void drop(const Target& target);
  /// The target is gone.
  void forget(const Target& target);

  /// Another driver begins to number its executors anew. `renumber` is what makes the executors do so.
  template <typename Renumber>
  void begin_again(Renumber&& renumber) {
    let_go_executors();
    renumber();
    hold_executors();
  }

  /// What the driver's page of executors says of now.
  const ExecutorsNow& listed() const { return listed_; }
  void write_listed(ExecutorListWriter& to) const;
  /// What the pages say of the driver's registry: each gauge from the first page that has it.
  const DriverNow& driver() const { return driver_; }
  /// What they say of streaming queries.
  void write_queries(Streaming& to) const;
  std::size_t size() const { return pages_.size(); }

 private:
  struct Row {
    Measure measure = Measure::kExecutorTasksCompleted;
    Scope scope = Scope::kDriver;
    bool bound = false;          ///< false: of another application, or another executor than the pod asked
    std::uint32_t executor = 0;  ///< place in Page::executors, or in Page::queries
  };
  struct Executor {
    std::string id;
    std::uint32_t rows = 0;                ///< 0: the place is free
    ExecutorBook::Entry* entry = nullptr;  ///< null: the driver's own row, or one that was folded long ago
    double active_tasks = 0, max_tasks = 0;
    double rdd_blocks = kNotTold;
  };
  struct Page {
    std::string key;
    std::string owner;     ///< the executor whose own registry it is; empty: the driver's
    bool is_list = false;  ///< it says of each executor how many tasks it runs at once: no registry does
    DriverNow driver;      ///< what it says of the driver's registry
    QueryPage queries;
    std::vector<Row> rows;
    std::vector<Executor> executors;
  };

  Page* find(const std::string& key);
  void bind(Page& page, Row& row, const Route& route, const std::string& app_id);
  static void let_go(Page& page, Row& row);
  std::uint32_t place_of(Page& page, const std::string& executor_id);
  void take(Page& page, const Row& row, double value);
  void merge_drivers();
  ExecutorsNow summary_of(const Page& page, SteadyTime at) const;
  void let_go_executors();
  void hold_executors();

  ExecutorBook& executors_;
  std::vector<Page> pages_;
  std::string list_;  ///< key of the page that listed_ is of
  ExecutorsNow listed_;
  DriverNow driver_;
};

}  // namespace flintgauge::spark
