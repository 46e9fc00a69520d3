#include "flintgauge/evaluate.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "agent/core/app_admission.h"
#include "agent/core/app_bottlenecks.h"
#include "agent/core/app_hints.h"
#include "agent/core/app_pools.h"
#include "agent/core/app_sideways.h"
#include "agent/core/app_table.h"
#include "agent/core/app_vertical.h"
#include "agent/core/series_count.h"
#include "agent/core/series_list.h"
#include "agent/core/vertical_series.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kClockJumpMs = 2'000;
constexpr int kSuppressedEvaluations = 2;

constexpr auto kAppInfo = family("flintgauge_app_info");
constexpr auto kUp = family("flintgauge_target_up");
constexpr auto kDuration = family("flintgauge_target_scrape_duration_seconds");
constexpr auto kLastSuccess = family("flintgauge_target_last_success_timestamp_seconds");
constexpr auto kKept = family("flintgauge_target_samples_kept");
constexpr auto kSkipped = family("flintgauge_target_samples_skipped");
constexpr auto kBlockAge = family("flintgauge_store_block_age_seconds");
constexpr auto kSeries = family("flintgauge_series");
constexpr auto kSeriesLimit = family("flintgauge_series_limit");
constexpr auto kSeriesOverflow = family("flintgauge_series_overflow_total");
constexpr auto kDesired = family("flintgauge_hint_executors_desired");
constexpr auto kDesiredStable = family("flintgauge_hint_executors_desired_stable");
constexpr auto kCurrent = family("flintgauge_hint_executors_current");
constexpr auto kMin = family("flintgauge_hint_executors_min");
constexpr auto kMax = family("flintgauge_hint_executors_max");
constexpr auto kUnmet = family("flintgauge_hint_executors_unmet");
constexpr auto kConfidence = family("flintgauge_hint_confidence_ratio");
constexpr auto kBacklog = family("flintgauge_hint_backlog_seconds");
constexpr auto kIdle = family("flintgauge_hint_executors_idle");
constexpr auto kReason = family("flintgauge_hint_reason");
constexpr auto kParity = family("flintgauge_hint_executors_parity");
constexpr auto kByRate = family("flintgauge_hint_executors_by_rate");
constexpr auto kWorkersDesired = family("flintgauge_hint_workers_desired");
constexpr auto kWithheld = family("flintgauge_hints_withheld_total");
constexpr auto kStartup = family("flintgauge_hint_startup_seconds");
constexpr auto kWasted = family("flintgauge_hint_wasted_core_seconds_total");
constexpr auto kNodeExecutors = family("flintgauge_hint_node_executors");
constexpr auto kNodeFree = family("flintgauge_hint_node_executors_free");
constexpr auto kNodeWaste = family("flintgauge_hint_node_waste_ratio");
constexpr auto kBottleneck = family("flintgauge_app_bottleneck");
constexpr auto kBottleneckConfidence = family("flintgauge_app_bottleneck_confidence_ratio");
constexpr auto kBottleneckShare = family("flintgauge_app_bottleneck_share_ratio");

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

struct Source {
  std::string_view name;
  const Block* block;  ///< null when it has published nothing
};
using Sources = std::array<Source, 3>;

/// Which series a target has now. An endpoint that does not exist there is neither up nor down.
struct TargetShape {
  std::string_view source;
  std::shared_ptr<const Target> target;
  bool has_up = false, has_duration = false, has_success = false;

  TargetShape(std::string_view source_name, const TargetState& state)
      : source(source_name),
        target(state.target),
        has_up(state.asked && !state.not_offered),
        has_duration(state.asked),
        has_success(state.ever_succeeded) {}
  /// A target made anew by the next discovery is the same one when its key is.
  bool operator==(const TargetShape& other) const {
    return source == other.source && has_up == other.has_up && has_duration == other.has_duration &&
           has_success == other.has_success && (target == other.target || target->key == other.target->key);
  }
};

void add_target(const TargetShape& shape, const TargetState& state, SeriesList& list) {
  const std::string_view key = shape.target->key;
  if (shape.has_up) list.add(kUp, {shape.source, key}, state.up ? 1 : 0);
  if (shape.has_duration) list.add(kDuration, {shape.source, key}, state.duration_seconds);
  if (!shape.has_success) return;
  list.add(kLastSuccess, {shape.source, key}, seconds(state.last_success_wall.ms));
  list.add(kKept, {shape.source, key}, static_cast<double>(state.counts.kept));
  list.add(kSkipped, {shape.source, key}, static_cast<double>(state.counts.skipped));
}

void add_hint(const AppHint& hint, SeriesList& list) {
  const std::string_view ns = hint.app.namespace_name;
  const std::string_view app = hint.app.app_id;
  list.add(kDesired, {ns, app}, hint.hint.desired);
  list.add(kDesiredStable, {ns, app}, hint.stable);
  list.add(kCurrent, {ns, app}, hint.input.executors);
  list.add(kMin, {ns, app}, hint.input.min_executors);
  list.add(kMax, {ns, app}, hint.input.max_executors);
  list.add(kUnmet, {ns, app}, hint.hint.unmet);
  list.add(kConfidence, {ns, app}, hint.confidence);
  list.add(kBacklog, {ns, app}, hint.hint.backlog_seconds);
  list.add(kIdle, {ns, app}, hint.hint.idle_executors);
  list.add(kParity, {ns, app}, hint.hint.parity);
  if (hint.by_rate) list.add(kByRate, {ns, app}, *hint.by_rate);
  list.add(kStartup, {ns, app}, hint.input.startup_seconds);
  list.add(kWasted, {ns, app}, hint.wasted_core_seconds);
  for (std::size_t i = 0; i < kHintReasonNames.size(); ++i) {
    list.add(kReason, {ns, app, kHintReasonNames[i]}, static_cast<HintReason>(i) == hint.hint.reason ? 1 : 0);
  }
}

void add_bottleneck(const AppBottleneck& one, SeriesList& list) {
  const std::string_view ns = one.app.namespace_name;
  const std::string_view app = one.app.app_id;
  for (std::size_t i = 0; i < kBottleneckNames.size(); ++i) {
    const bool is_named = static_cast<BottleneckKind>(i) == one.result.kind;
    list.add(kBottleneck, {ns, app, kBottleneckNames[i]}, is_named ? 1 : 0);
  }
  list.add(kBottleneckConfidence, {ns, app}, one.result.confidence);
  list.add(kBottleneckShare, {ns, app}, one.result.count > 0 ? one.result.found[0].share : 0);
}

void add_sideways(const AppSideways& one, SeriesList& list) {
  const std::string_view ns = one.app.namespace_name;
  const std::string_view app = one.app.app_id;
  list.add(kNodeExecutors, {ns, app}, one.packing.executors);
  list.add(kNodeFree, {ns, app}, one.free_executors);
  list.add(kNodeWaste, {ns, app, "cpu"}, one.packing.waste_cpu);
  list.add(kNodeWaste, {ns, app, "memory"}, one.packing.waste_memory);
}

/// Keeps the keys of `items` in `keys`; true when they are others than before.
template <typename Item>
bool take_keys(const std::vector<Item>& items, std::vector<AppKey>& keys, AppKey Item::*key = &Item::app) {
  if (std::ranges::equal(items, keys, {}, key)) return false;
  keys.clear();
  for (const Item& item : items) keys.push_back(item.*key);
  return true;
}

/// Which series an application's horizontal hint has.
struct HintShape {
  AppKey app;
  bool has_rate = false;
};
bool take_shapes(const std::vector<AppHint>& hints, std::vector<HintShape>& shapes) {
  const auto same = [](const AppHint& hint, const HintShape& shape) {
    return hint.app == shape.app && hint.by_rate.has_value() == shape.has_rate;
  };
  if (std::ranges::equal(hints, shapes, same)) return false;
  shapes.clear();
  for (const AppHint& hint : hints) shapes.push_back({hint.app, hint.by_rate.has_value()});
  return true;
}

}  // namespace

struct Evaluator::State {
  State(const EvaluateSettings& settings, const BudgetLimits& budget, const Now& started)
      : limits(budget),
        admission(shares_of(budget).derived),
        last(started),
        hints(settings),
        verticals(settings, started),
        bottlenecks(settings) {}

  struct RefusedRow {
    std::string_view source;
    Refused refused;
  };

  BudgetLimits limits;
  AppAdmission admission;
  std::vector<Refused> own_refused;
  std::vector<RefusedRow> refused;  ///< of all blocks
  Now last;
  int suppressed = 0;  ///< evaluations that still give no hints
  AppTable apps;
  AppHints hints;
  AppVertical verticals;
  AppBottlenecks bottlenecks;
  std::vector<TargetShape> targets;
  std::vector<HintShape> hinted;
  std::vector<AppKey> pooled;
  std::vector<AppKey> placed;
  std::vector<VerticalShape> sized;
  std::vector<AppKey> classified;  ///< every hinted one is among them: both need the same fresh lists
  std::array<bool, std::tuple_size_v<Sources>> has_block{};
  SeriesCount count;
  SeriesList list;

  std::int64_t clock_jump(const Now& now);
  bool take_targets(const Sources& sources, Block& derived);
  bool take_blocks(const Sources& sources);
  bool take_refused(const Sources& sources);
  void advise(const Sources& sources, const Now& now, Report& report);
  void walk(const Sources& sources, const Report& report, const Block& derived, SeriesList& to) const;
};

/// Step of the wall clock since the last evaluation. Sample ages and hints rest on both clocks, so a step
/// makes hints wait for kSuppressedEvaluations: by then the sources have mostly been read again.
std::int64_t Evaluator::State::clock_jump(const Now& now) {
  const std::int64_t step = (now.wall.ms - last.wall.ms) - elapsed_ms(last.steady, now.steady);
  last = now;
  if (std::abs(step) <= kClockJumpMs) return 0;
  suppressed = kSuppressedEvaluations;
  return step;
}

/// Copies the states of all targets. True when a target has other series than last time.
bool Evaluator::State::take_targets(const Sources& sources, Block& derived) {
  derived.targets.clear();
  bool changed = false;
  for (const Source& source : sources) {
    if (source.block == nullptr) continue;
    for (const TargetState& state : source.block->targets) {
      if (state.target == nullptr) continue;
      TargetShape shape(source.name, state);
      const std::size_t i = derived.targets.size();
      derived.targets.push_back(state);
      if (i >= targets.size()) {
        targets.push_back(std::move(shape));
        changed = true;
        continue;
      }
      changed = changed || !(targets[i] == shape);
      targets[i] = std::move(shape);
    }
  }
  changed = changed || targets.size() != derived.targets.size();
  targets.erase(targets.begin() + static_cast<std::ptrdiff_t>(derived.targets.size()), targets.end());
  return changed;
}

bool Evaluator::State::take_blocks(const Sources& sources) {
  std::array<bool, std::tuple_size_v<Sources>> now_has{};
  std::ranges::transform(sources, now_has.begin(),
                         [](const Source& source) { return source.block != nullptr; });
  return std::exchange(has_block, now_has) != now_has;
}

/// What the blocks had to refuse, by namespace. True when it is about others than last time.
bool Evaluator::State::take_refused(const Sources& sources) {
  bool changed = false;
  std::size_t rows = 0;
  const auto take = [&](std::string_view source, const std::vector<Refused>& told) {
    for (const Refused& one : told) {
      if (rows == refused.size()) refused.emplace_back();
      RefusedRow& row = refused[rows++];
      changed = changed || row.source != source || row.refused.namespace_name != one.namespace_name;
      row.source = source;
      row.refused = one;
    }
  };
  for (const Source& source : sources) {
    if (source.block != nullptr) take(source.name, source.block->refused);
  }
  admission.write_refused(own_refused);
  take("derived", own_refused);
  changed = changed || rows != refused.size();
  refused.resize(rows);
  return changed;
}

/// All hints of now; none for a while after a step of the clock.
void Evaluator::State::advise(const Sources& sources, const Now& now, Report& report) {
  const auto [kubelet, spark, companions] = std::array{sources[0].block, sources[1].block, sources[2].block};
  if (suppressed > 0) {
    --suppressed;
    hints.withhold(spark);
  } else {
    hints.append(spark, apps, verticals.history(), now, report.hints);
    append_pools(companions, report.hints, now.steady, report.pools);
    verticals.sample(kubelet, spark, apps, now);
    for (const AppHint& hint : report.hints) {
      const App* app = apps.find(hint.app);
      if (app != nullptr && hint.startups > 0) verticals.note_startup(*app, hint.input.startup_seconds, now);
    }
    verticals.append(spark, apps, now, report.verticals);
    bottlenecks.append(spark, apps, now, report);
  }
  report.history_jobs = verticals.history().size();
  report.history_dropped = verticals.history().dropped();
  report.history_left_out = verticals.left_out();
  append_sideways(kubelet, spark, apps, report.sideways);
}

/// Every series of the derived block, in the same order while the set is the same.
void Evaluator::State::walk(const Sources& sources, const Report& report, const Block& derived,
                            SeriesList& to) const {
  for (const App& app : apps.apps()) {
    if (!admission.admits(app.key)) continue;
    to.add(kAppInfo,
           {app.key.namespace_name, app.key.app_id, app.name, app.spark_version, app.operator_name,
            app.job_name, app.ended ? "true" : "false"},
           1);
  }
  for (const AppHint& hint : report.hints) {
    if (admission.admits(hint.app)) add_hint(hint, to);
  }
  for (const AppVerticalHint& one : report.verticals) {
    if (admission.admits(one.app)) add_vertical(one, to);
  }
  for (const AppBottleneck& one : report.bottlenecks) {
    if (admission.admits(one.app)) add_bottleneck(one, to);
  }
  for (const AppSideways& one : report.sideways) {
    if (admission.admits(one.app)) add_sideways(one, to);
  }
  for (std::size_t i = 0; i < AppHints::kWithheldNames.size(); ++i)
    to.add(kWithheld, {AppHints::kWithheldNames[i]}, hints.withheld()[i]);
  for (const PoolHint& pool : report.pools)
    to.add(kWorkersDesired, {pool.cluster.namespace_name, pool.cluster.app_id}, pool.desired);
  for (std::size_t i = 0; i < targets.size(); ++i) add_target(targets[i], derived.targets[i], to);
  for (const Source& source : sources) {
    if (source.block == nullptr) continue;
    to.add(kBlockAge, {source.name},
           std::max(0.0, seconds(elapsed_ms(source.block->committed, report.at.steady))));
  }
  for (const auto& [name, series] : count.namespaces()) to.add(kSeries, {name}, static_cast<double>(series));
  for (const auto& [source, one] : refused) to.add(kSeriesOverflow, {one.namespace_name, source}, one.times);
  to.add(kSeriesLimit, {"app"}, static_cast<double>(limits.app));
  to.add(kSeriesLimit, {"namespace"}, static_cast<double>(limits.namespace_));
  to.add(kSeriesLimit, {"node"}, static_cast<double>(limits.node));
}

Evaluator::Evaluator(const EvaluateSettings& settings, const BudgetLimits& limits, const Now& started)
    : state_(std::make_unique<State>(settings, limits, started)) {}

Evaluator::~Evaluator() = default;

std::string Evaluator::save_history(std::string_view node) const {
  return state_->verticals.history().encode(node);
}

std::optional<std::string_view> Evaluator::load_history(std::string_view bytes, std::string_view node,
                                                        const Now& now) {
  if (const auto fault = state_->verticals.history().decode(bytes, node))
    return kSnapshotFaultNames[static_cast<std::size_t>(*fault)];
  state_->verticals.restart_clock(now);
  return std::nullopt;
}

std::shared_ptr<const Report> Evaluator::evaluate(const View& view, const Now& now, Block& derived) {
  State& state = *state_;
  const Block* kubelet = view.block(Shard::kKubelet);
  const Block* spark = view.block(Shard::kSpark);
  const Block* companions = view.block(Shard::kCompanions);
  const Sources sources{Source{"kubelet", kubelet}, Source{"spark", spark}, Source{"companions", companions}};

  auto report = std::make_shared<Report>();
  report->at = now;
  report->clock_jump_ms = state.clock_jump(now);
  bool changed = state.apps.update(kubelet, spark);
  state.apps.append_rows(kubelet, spark, now, report->apps);
  state.advise(sources, now, *report);
  changed = take_shapes(report->hints, state.hinted) || changed;
  changed = take_keys(report->pools, state.pooled, &PoolHint::cluster) || changed;
  changed = take_shapes(report->verticals, state.sized) || changed;
  changed = take_keys(report->bottlenecks, state.classified) || changed;
  changed = take_keys(report->sideways, state.placed) || changed;
  if (changed) state.admission.update(state.apps.apps(), state.classified);
  changed = state.take_refused(sources) || changed;
  changed = state.take_targets(sources, derived) || changed;
  changed = state.take_blocks(sources) || changed;
  changed =
      state.count.read({kubelet, spark, companions}, changed, state.apps.apps(), state.classified) || changed;

  const auto walk = [&](SeriesList& to) { state.walk(sources, *report, derived, to); };
  state.list.fill(derived, changed, walk);
  if (changed) {
    // The block counts its own series too, which are known only now.
    state.count.read_own(*derived.schema);
    state.list.fill(derived, false, walk);
  }
  derived.committed = now.steady;
  derived.committed_wall = now.wall;
  derived.report = report;
  return report;
}

}  // namespace flintgauge
