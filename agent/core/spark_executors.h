// The executors of one application: what lists of its driver and executors' own registries say of each.
// Private to the Spark fold; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_losses.h"
#include "agent/core/spark_seen_executors.h"
#include "flintgauge/measure.h"
#include "flintgauge/spark.h"
#include "flintgauge/spark_facts.h"
#include "flintgauge/time.h"

namespace flintgauge::spark {

/// An executor may report more running tasks than it has slots for some 100 ms (spark.md section 0.1).
double clamped(double active_tasks, double max_tasks);

/// What one list of executors says about now. The driver's own row is no executor; in local mode its tasks
/// count.
struct ExecutorsNow {
  bool known = false;
  bool complete = false;      ///< dead ones are listed too
  bool knows_blocks = false;  ///< cached blocks are listed
  SteadyTime at;
  std::int64_t active = 0, busy = 0, dead = 0;
  double slots = 0;         ///< of all active executors
  double active_tasks = 0;  ///< clamped to the slots of each

  void add(double active_tasks_told, double max_tasks, double rdd_blocks);
};

/// Fills the list of executors in place, so that the strings in it keep their memory. Call finish() at the
/// end.
class ExecutorListWriter {
 public:
  explicit ExecutorListWriter(SparkAppFacts& facts) : facts_(facts) { facts.executors_left_out = 0; }
  void add(const SeenExecutors::Entry& entry, bool is_active);
  void finish() { facts_.executor_list.resize(count_); }

 private:
  SparkAppFacts& facts_;
  std::size_t count_ = 0;
};

class ExecutorBook {
 public:
  using Seen = SeenExecutors;
  using Entry = Seen::Entry;

  /// The driver's own row says that it began later than when last listed: another SparkContext under the
  /// same application id, whose executors are numbered from 1 again.
  bool is_of_another_context(const SparkExecutors& list) const;
  /// A REST list. REQUIRES: it is not of another context.
  void apply(const SparkExecutors& list, SteadyTime at);
  void forget_list();
  const ExecutorsNow& listed() const { return rest_; }

  /// The executor of this id for a page that holds it; null when it was folded long ago. REQUIRES: not the
  /// driver's id. Give it back with let_go().
  Entry* hold(const std::string& id);
  static void let_go(Entry* entry);
  void trim() { seen_.trim(); }

  /// A sample of a page. `entry` may be null.
  void take(Entry* entry, Measure measure, double value);
  void take_driver(Measure measure, double value);

  /// Another driver of the application begins to count anew. REQUIRES: no page holds an executor.
  void begin_again(SteadyTime now);

  /// In local mode the driver is its own executor.
  bool is_local() const { return driver_slots_ > 0 && !seen_.ever(); }
  double driver_slots() const { return driver_slots_; }
  bool told(std::size_t total) const { return (told_ & bit(total)) != 0; }
  std::array<double, kTotals> totals() const;

  LossBook& losses() { return losses_; }
  const LossNumbers& loss_numbers() const { return losses_.numbers(); }
  /// Counts the losses that are due. `is_over`: nobody will say any more.
  void settle(SteadyTime now, bool is_over) { losses_.settle(seen_, now, is_over); }

  /// Peaks of memory of the driver's own row.
  const ExecutorFacts& driver() const { return driver_facts_; }
  bool knows_driver() const { return driver_facts_.peak_jvm_heap_bytes > 0 && driver_slots_ <= 0; }

  /// Executors of the REST list, active ones first.
  void write_listed(ExecutorListWriter& to) const;

 private:
  void take(Entry& entry, const SparkExecutor& row, SteadyTime at);

  Seen seen_;
  std::array<double, kTotals> driver_{};         ///< counters of the driver's own row
  std::array<double, kTotals> driver_before_{};  ///< in local mode: of those that are gone
  ExecutorFacts driver_facts_;
  WallTime driver_added_;    ///< ms 0 = not told
  double driver_slots_ = 0;  ///< 0 unless in local mode
  ColumnSet told_ = 0;       ///< totals that executors were ever said to have
  ExecutorsNow rest_;
  std::vector<Entry*> rest_listed_, listed_before_;
  LossBook losses_;
  std::uint64_t reading_ = 0;
};

}  // namespace flintgauge::spark
