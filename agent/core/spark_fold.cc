#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/core/series_budget.h"
#include "agent/core/series_list.h"
#include "agent/core/spark_app.h"
#include "agent/core/spark_per_executor.h"
#include "agent/core/spark_shown.h"
#include "agent/core/spark_spread.h"
#include "agent/core/spark_streaming.h"
#include "flintgauge/fold.h"
#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

using spark::App;
using spark::Shown;

/// All that an application can ever have, but for its executors' own.
constexpr std::size_t kAppSeries = spark::kShownSeries + spark::kSpreadSeries;

class SparkFold final : public Fold {
 public:
  SparkFold(const BudgetLimits& limits, const SparkFoldSettings& settings)
      : settings_(settings), budget_(limits) {}

  FoldCounts apply(const Target& target, const Batch& batch, const Now& now) override {
    if (std::holds_alternative<std::shared_ptr<const PodList>>(batch)) return {};
    Entry& entry = entry_of(target, now);
    entry.last_live = now.steady;
    const FoldCounts counts = apply_to(entry.app, target, batch, now);
    if (entry.app.is_driver_heard() && entry.place == Place::kNone) give_place(entry);
    return counts;
  }

  void see_pods(const PodList& pods, const Now& now) override {
    for (auto& [key, entry] : apps_) entry.app.begin_pods();
    for (const Pod& pod : pods.pods) {
      const PodIdentity who = identify(pod);
      if (who.app_id.empty() || who.role != Role::kExecutor || who.executor_id.empty()) continue;
      const auto at = apps_.find(AppKey{std::string(who.namespace_name), std::string(who.app_id)});
      if (at != apps_.end()) at->second.app.see_pod(std::string(who.executor_id), pod);
    }
    for (auto& [key, entry] : apps_) entry.app.end_pods(now.steady);
  }

  void drop(const Target& target, const Now& now) override {
    const auto at = apps_.find(target.app);
    if (at == apps_.end()) return;
    Entry& entry = at->second;
    if (entry.app.is_live()) entry.last_live = now.steady;
    entry.app.drop(target);
  }

  void forget(const Target& target, const Now& now) override {
    drop(target, now);
    if (const auto at = apps_.find(target.app); at != apps_.end()) at->second.app.forget(target);
  }

  void expire(const Now& now) override {
    for (auto at = apps_.begin(); at != apps_.end();) {
      Entry& entry = at->second;
      if (entry.app.is_live()) entry.last_live = now.steady;
      if (elapsed_ms(entry.last_live, now.steady) <= settings_.ended_retention_ms) {
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
    bool changed = renumber(now.steady);
    changed = fill_facts(block) || changed;
    list_.fill(block, changed, [this](SeriesList& out) { walk(out); });
    budget_.write_refused(block.refused);
  }

  bool wants_pods() const override { return false; }
  bool has_news(const Target& target) const override {
    const auto at = apps_.find(target.app);
    return at == apps_.end() || at->second.app.has_stage_news();
  }
  std::shared_ptr<const ServletPaths> servlet_paths() const override { return servlet_paths_; }

 private:
  enum class Place : std::uint8_t {
    kNone,  ///< only executors were heard: no series
    kOwn,   ///< has series of its own
    kOverflow,
  };
  struct Entry {
    App app;
    SteadyTime last_live;
    Place place = Place::kNone;
    Shown shown;
    spark::Spread spread;
    spark::PerExecutor executors;
    spark::Streaming streaming;

    Entry(const AppKey& key, const Now& now) : app(key, now), last_live(now.steady) {}
  };

  /// What the applications of a namespace say that have no series of their own.
  struct Overflow {
    std::size_t apps = 0;
    Shown ended;  ///< totals of those that are over
    Shown shown;
  };

  FoldCounts apply_to(App& app, const Target& target, const Batch& batch, const Now& now) {
    FoldCounts counts;
    if (const auto* samples = std::get_if<SampleBatch>(&batch)) return app.apply(target, *samples, now);
    if (const auto* executors = std::get_if<SparkExecutors>(&batch)) {
      app.apply(target, *executors, now);
      counts.folded = executors->executors.size();
    } else if (const auto* stages = std::get_if<SparkStages>(&batch)) {
      app.apply(target, *stages, now);
      counts.folded = stages->stages.size();
    } else if (const auto* jobs = std::get_if<SparkJobs>(&batch)) {
      app.apply(target, *jobs, now);
      counts.folded = jobs->jobs.size();
    } else if (const auto* settings = std::get_if<std::shared_ptr<const SparkSettings>>(&batch)) {
      app.apply(target, *settings, now);
      note_servlet_path(target.app, (*settings)->servlet_path);
      counts.folded = 1;
    } else if (const auto* about = std::get_if<SparkAbout>(&batch)) {
      // Readers of the block look at facts that name an application when the set of series is another.
      changed_ = app.apply(target, *about, now) || changed_;
      counts.folded = 1;
    }
    return counts;
  }

  /// Another pointer only when a path is another.
  void note_servlet_path(const AppKey& app, const std::string& path) {
    if (path.empty()) return;
    ServletPaths paths = servlet_paths_ != nullptr ? *servlet_paths_ : ServletPaths();
    if (const auto known = paths.find(app); known != paths.end() && known->second == path) return;
    std::erase_if(paths, [this](const auto& told) { return !apps_.contains(told.first); });
    paths[app] = path;
    servlet_paths_ = std::make_shared<const ServletPaths>(std::move(paths));
  }

  Entry& entry_of(const Target& target, const Now& now) {
    const AppKey& key = target.app;
    if (const auto at = apps_.find(key); at != apps_.end()) return at->second;
    return apps_.try_emplace(key, key, now).first->second;
  }

  void give_place(Entry& entry) {
    const AppKey& key = entry.app.key();
    const bool admitted = budget_.admit(key.namespace_name, key.app_id, kAppSeries);
    entry.place = admitted ? Place::kOwn : Place::kOverflow;
    if (!admitted && ++overflow_[key.namespace_name].apps == 1)
      budget_.charge(key.namespace_name, kOverflowAppId, spark::kShownSeries);
    changed_ = true;
  }

  void end(Entry& entry) {
    if (entry.place == Place::kNone) return;
    changed_ = true;
    const AppKey& key = entry.app.key();
    entry.executors.end(key, budget_);
    entry.streaming.end(key, budget_);
    if (entry.place == Place::kOwn) return budget_.release(key.namespace_name, key.app_id, kAppSeries);
    const auto overflow = overflow_.find(key.namespace_name);
    overflow->second.ended.add_totals(entry.shown);
    if (--overflow->second.apps != 0) return;
    overflow_.erase(overflow);
    budget_.release(key.namespace_name, kOverflowAppId, spark::kShownSeries);
  }

  /// Brings all numbers up to now. True when the set of series is another than last time.
  bool renumber(SteadyTime now) {
    bool changed = std::exchange(changed_, false);
    for (auto& [name, overflow] : overflow_) overflow.shown = overflow.ended;
    for (auto& [key, entry] : apps_) {
      entry.app.renumber(now);
      const Shown shown{entry.app.numbers(), entry.app.losses()};
      changed |= !shown.has_series_of(entry.shown);
      entry.shown = shown;
      if (entry.place == Place::kOverflow) overflow_.find(key.namespace_name)->second.shown.add(shown);
    }
    return changed;
  }

  void walk(SeriesList& out) const {
    for (const auto& [key, entry] : apps_) {
      if (entry.place != Place::kOwn) continue;
      entry.shown.add_series(out, key.namespace_name, key.app_id);
      spark::add_series(out, key.namespace_name, key.app_id, entry.spread);
      entry.executors.add_series(out, key);
      entry.streaming.add_series(out, key);
    }
    for (const auto& [name, overflow] : overflow_) overflow.shown.add_series(out, name, kOverflowAppId);
  }

  /// True when the set of series that are made of facts is another than last time.
  bool fill_facts(Block& block) {
    std::size_t count = 0;
    bool changed = false;
    double refused = 0;
    for (auto& [key, entry] : apps_) {
      if (entry.place != Place::kOwn) continue;
      const std::uint32_t before = entry.spread.present;
      SparkAppFacts* told = nullptr;
      if (!entry.app.is_live()) {
        entry.spread = {};
        changed = entry.executors.silence(key, budget_) || changed;
      } else {
        if (count == block.spark_apps.size()) block.spark_apps.emplace_back();
        told = &block.spark_apps[count++];
        SparkAppFacts& facts = *told;
        entry.app.write_facts(facts);
        entry.spread = spark::spread_of(facts, scratch_);
        if (settings_.per_executor) changed = entry.executors.update(facts, budget_) || changed;
      }
      changed = changed || entry.spread.present != before;
      entry.streaming.begin();
      entry.app.write_queries(entry.streaming);
      changed = entry.streaming.finish(block.committed_wall, key, budget_) || changed;
      if (told != nullptr) entry.streaming.write_facts(told->queries);
    }
    block.spark_apps.resize(count);
    for (const auto& [name, use] : budget_.namespaces()) refused += use.refused > 0 ? 1 : 0;
    changed = changed || refused != std::exchange(namespaces_over_, refused);
    return changed;
  }

  SparkFoldSettings settings_;
  SeriesBudget budget_;
  std::shared_ptr<const ServletPaths> servlet_paths_;
  std::map<AppKey, Entry> apps_;
  std::map<std::string, Overflow, std::less<>> overflow_;
  SeriesList list_;
  std::vector<double> scratch_;
  double namespaces_over_ = 0;
  bool changed_ = false;  ///< an application began or ended
};

}  // namespace

std::unique_ptr<Fold> make_spark_fold(const BudgetLimits& limits, const Now& /*started*/,
                                      const SparkFoldSettings& settings) {
  return std::make_unique<SparkFold>(limits, settings);
}

}  // namespace flintgauge
