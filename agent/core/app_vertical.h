// Samples of executors into the history of their jobs, and the vertical hints made of it. Private to the
// evaluator. One thread; time is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/core/app_table.h"
#include "agent/core/job_history.h"
#include "agent/core/live_memory.h"
#include "agent/core/memory_shape.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

class AppVertical {
 public:
  AppVertical(const EvaluateSettings& settings, const Now& started);

  /// Takes what the blocks (may be null) say anew into the history. REQUIRES: apps.update() with the same
  /// blocks.
  void sample(const Block* kubelet, const Block* spark, const AppTable& apps, const Now& now);
  /// Appends the hints of applications whose executor list is fresh, sorted by key.
  void append(const Block* spark, const AppTable& apps, const Now& now,
              std::vector<AppVerticalHint>& out) const;

  /// Remembers what executors of the application's job took to start.
  void note_startup(const App& app, double startup_seconds, const Now& now);

  JobHistory& history() { return history_; }
  const JobHistory& history() const { return history_; }
  /// Executors that were not sampled, because their application has too many.
  std::uint64_t left_out() const { return left_out_; }
  /// The history was replaced: its clock goes on from its newest record, if that is later than `now`.
  void restart_clock(const Now& now);

 private:
  /// An executor's or a driver's pod on this node.
  struct PodEntry {
    bool is_known = false;
    AppKey app;
    std::string executor_id;  ///< kDriverId for a driver
    JobKey job;
  };
  struct AppMemory {
    SteadyTime executors_at{-1};
    std::int64_t profile = 0;  ///< of the published hint
    double gc_seconds = 0, run_seconds = 0, cpu_seconds = 0;
    double cpu_spent = 0, slot_seconds = 0;    ///< since first seen
    double heap_ooms = 0, container_ooms = 0;  ///< since first seen
    bool has_totals = false;
    SteadyTime at;
    SteadyTime used;
    std::map<std::string, LiveMemory, std::less<>> executors;  ///< and the driver, as kDriverId
  };
  /// A driver says who its executors are: what is beyond is not sampled, and counted.
  static constexpr std::size_t kMaxExecutors = 2'000;

  WallTime time_of(const Now& now) const { return {base_.wall.ms + elapsed_ms(base_.steady, now.steady)}; }
  /// The executor, which lives now; counted in the record when it is new. Null when it is one too many.
  LiveMemory* live_of(const AppKey& app, std::string_view executor_id, JobRecord& record, const Now& now);
  void read_pods(const Block& kubelet, const AppTable& apps, const Now& now);
  void sample_usage(const Block& kubelet, const Now& now);
  void sample_app(const SparkAppFacts& facts, const App& app, const Now& now);
  void sample_driver(const SparkAppFacts& facts, const App& app, const Now& now);
  void sample_totals(const SparkAppFacts& facts, const App& app, AppMemory& memory, const Now& now);
  static void count_oom(Oom kind, AppMemory& memory);
  /// By the driver's settings, else by a pod of that role and profile on this node.
  VerticalInput shape_of(const SparkAppFacts& facts, Role role, std::int64_t profile) const;
  void size_executors(const SparkAppFacts& facts, const App& app, const AppMemory& memory, WallTime at,
                      AppVerticalHint& out) const;
  void size_driver(const SparkAppFacts& facts, const App& app, WallTime at, AppVerticalHint& out) const;
  void forget(SteadyTime now);

  EvaluateSettings settings_;
  Now base_;
  JobHistory history_;
  std::uint64_t left_out_ = 0;
  std::map<AppKey, AppMemory> apps_;
  std::shared_ptr<const PodList> pods_;
  std::vector<PodEntry> entries_;  ///< by place in pods_
  std::uint64_t kubelet_version_ = 0;
};

}  // namespace flintgauge
