#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "agent/core/series_budget.h"
#include "agent/core/series_list.h"
#include "agent/core/spark_app.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

using spark::App;
using spark::Numbers;

/// An application ends after this time without a word from its driver; its totals with it.
constexpr std::int64_t kAppTtlMs = 15LL * 60 * 1000;

class SparkFold final : public Fold {
 public:
  explicit SparkFold(const BudgetLimits& limits) : budget_(limits) {}

  FoldCounts apply(const Target& target, const Batch& batch, const Now& now) override {
    if (std::holds_alternative<std::shared_ptr<const PodList>>(batch)) return {};
    Entry& entry = entry_of(target, now);
    entry.last_live = now.steady;
    App& app = entry.app;
    FoldCounts counts;
    if (const auto* samples = std::get_if<SampleBatch>(&batch)) return app.apply(target, *samples, now);
    if (const auto* executors = std::get_if<SparkExecutors>(&batch)) {
      app.apply(target, *executors, now);
      counts.folded = executors->executors.size();
    } else if (const auto* stages = std::get_if<SparkStages>(&batch)) {
      app.apply(target, *stages, now);
      counts.folded = stages->stages.size();
    } else if (const auto* jobs = std::get_if<SparkJobs>(&batch)) {
      app.apply(target, *jobs);
      counts.folded = jobs->jobs.size();
    } else if (const auto* settings = std::get_if<std::shared_ptr<const SparkSettings>>(&batch)) {
      app.apply(target, *settings);
      counts.folded = 1;
    } else if (const auto* about = std::get_if<SparkAbout>(&batch)) {
      // Readers of the block look at facts that name an application when the set of series is another.
      changed_ = app.apply(target, *about) || changed_;
      counts.folded = 1;
    }
    return counts;
  }

  void drop(const Target& target, const Now& now) override {
    const auto at = apps_.find(target.app);
    if (at == apps_.end()) return;
    Entry& entry = at->second;
    if (entry.app.is_live()) entry.last_live = now.steady;
    entry.app.drop(target);
  }

  void expire(const Now& now) override {
    for (auto at = apps_.begin(); at != apps_.end();) {
      Entry& entry = at->second;
      if (entry.app.is_live()) entry.last_live = now.steady;
      if (elapsed_ms(entry.last_live, now.steady) <= kAppTtlMs) {
        ++at;
        continue;
      }
      end(entry);
      at = apps_.erase(at);
    }
  }

  void fill(Block& block, const Now& now) override {
    block.committed = now.steady;
    block.committed_wall = now.wall;
    const bool changed = renumber();
    list_.fill(block, changed, [this](SeriesList& out) {
      for (const auto& [key, entry] : apps_) {
        if (entry.admitted) add_series(out, key.namespace_name, key.app_id, entry.app.numbers());
      }
      for (const auto& [name, overflow] : overflow_) add_series(out, name, kOverflowAppId, overflow.shown);
    });
    fill_facts(block);
  }

  bool wants_pods() const override { return false; }

 private:
  struct Entry {
    App app;
    SteadyTime last_live;
    bool admitted = true;  ///< has series of its own
  };

  /// What the applications of a namespace say that have no series of their own.
  struct Overflow {
    std::size_t apps = 0;
    Numbers ended;  ///< totals of those that are over
    Numbers shown;
  };

  Entry& entry_of(const Target& target, const Now& now) {
    const AppKey& key = target.app;
    if (const auto at = apps_.find(key); at != apps_.end()) return at->second;
    Entry& entry = apps_.try_emplace(key, Entry{App(key, now), now.steady}).first->second;
    entry.admitted = budget_.admit(key.namespace_name, key.app_id, spark::kColumns);
    if (!entry.admitted && ++overflow_[key.namespace_name].apps == 1)
      budget_.charge(key.namespace_name, kOverflowAppId, spark::kColumns);
    changed_ = true;
    return entry;
  }

  void end(const Entry& entry) {
    changed_ = true;
    const AppKey& key = entry.app.key();
    if (entry.admitted) return budget_.release(key.namespace_name, key.app_id, spark::kColumns);
    const auto overflow = overflow_.find(key.namespace_name);
    overflow->second.ended.add(entry.app.numbers(), spark::kCountersMask);
    if (--overflow->second.apps != 0) return;
    overflow_.erase(overflow);
    budget_.release(key.namespace_name, kOverflowAppId, spark::kColumns);
  }

  /// Brings all numbers up to now. True when the set of series is another than last time.
  bool renumber() {
    bool changed = std::exchange(changed_, false);
    for (auto& [name, overflow] : overflow_) overflow.shown = overflow.ended;
    for (auto& [key, entry] : apps_) {
      App& app = entry.app;
      const spark::ColumnSet before = app.numbers().present;
      app.renumber();
      changed |= app.numbers().present != before;
      if (!entry.admitted)
        overflow_.find(key.namespace_name)->second.shown.add(app.numbers(), spark::kAllMask);
    }
    return changed;
  }

  static void add_series(SeriesList& out, std::string_view namespace_name, std::string_view app_id,
                         const Numbers& numbers) {
    for (std::size_t column = 0; column < spark::kColumns; ++column) {
      if ((numbers.present & spark::bit(column)) == 0) continue;
      const auto& [family, state] = spark::kColumnFamilies[column];
      if (state.empty()) {
        out.add(family, {namespace_name, app_id}, numbers.value[column]);
      } else {
        out.add(family, {namespace_name, app_id, state}, numbers.value[column]);
      }
    }
  }

  void fill_facts(Block& block) const {
    std::size_t count = 0;
    for (const auto& [key, entry] : apps_) {
      if (!entry.admitted || !entry.app.is_live()) continue;
      if (count == block.spark_apps.size()) block.spark_apps.emplace_back();
      entry.app.write_facts(block.spark_apps[count++]);
    }
    block.spark_apps.resize(count);
  }

  SeriesBudget budget_;
  std::map<AppKey, Entry> apps_;
  std::map<std::string, Overflow, std::less<>> overflow_;
  SeriesList list_;
  bool changed_ = false;  ///< an application began or ended
};

}  // namespace

std::unique_ptr<Fold> make_spark_fold(const BudgetLimits& limits, const Now&) {
  return std::make_unique<SparkFold>(limits);
}

}  // namespace flintgauge
