// A slow twin of the evaluator: everything that follows from the blocks of this moment, made anew each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/evaluate_support.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using testing::at;
using testing::Bench;
using testing::burst;
using testing::pod;
using testing::Row;

void count_series(const std::map<std::string, double>& series, std::map<std::string, double>& by_namespace) {
  for (const auto& [name, value] : series) {
    const std::string_view mark = "{namespace=\"";
    const auto begin = name.find(mark);
    std::string ns;
    if (begin != std::string::npos && !name.starts_with("flintgauge_series{")) {
      ns = name.substr(begin + mark.size(), name.find('"', begin + mark.size()) - begin - mark.size());
    }
    ++by_namespace[ns];
  }
}

using Known = std::set<std::pair<std::string, std::string>>;

// An application is one with a live pod, or one that still has series and has a pod or was known before.
Known known_now(const std::vector<Pod>& pods, const std::vector<Row>& app_rows, Known before) {
  Known out;
  for (const Pod& one : pods) {
    const std::pair key{one.namespace_name, std::string(identify(one).app_id)};
    if (one.phase != Phase::kSucceeded) out.insert(key);
    before.insert(key);
  }
  for (const Row& row : app_rows) {
    if (before.contains({row.labels[0], row.labels[1]})) out.emplace(row.labels[0], row.labels[1]);
  }
  return out;
}

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string named(std::string_view family, Labels labels) {
  std::string out(family);
  char before = '{';
  for (const auto& [label, value] : labels) {
    out.append(1, before).append(label).append("=\"").append(value).append("\"");
    before = ',';
  }
  return out.append("}");
}

void expect_hint(const AppHint& hint, const EvaluateSettings& settings, std::map<std::string, double>& out) {
  const HorizontalHint again = horizontal_hint(hint.input);
  const auto put = [&](std::string_view name, double value) {
    out[named(name, {{"namespace", hint.app.namespace_name}, {"app_id", hint.app.app_id}})] = value;
  };
  put("flintgauge_hint_executors_desired", again.desired);
  put("flintgauge_hint_executors_desired_stable", hint.stable);
  put("flintgauge_hint_executors_current", hint.input.executors);
  put("flintgauge_hint_executors_min", settings.min_executors);
  put("flintgauge_hint_executors_max", settings.max_executors);
  put("flintgauge_hint_executors_unmet", again.unmet);
  put("flintgauge_hint_executors_idle", again.idle_executors);
  put("flintgauge_hint_executors_parity", again.parity);
  put("flintgauge_hint_startup_seconds", settings.startup_seconds);
  put("flintgauge_hint_wasted_core_seconds_total", hint.wasted_core_seconds);
  put("flintgauge_hint_confidence_ratio", hint.confidence);
  put("flintgauge_hint_backlog_seconds", again.backlog_seconds);
  for (const std::string_view reason : kHintReasonNames) {
    out[named("flintgauge_hint_reason",
              {{"namespace", hint.app.namespace_name}, {"app_id", hint.app.app_id}, {"reason", reason}})] =
        reason == to_string(again.reason) ? 1 : 0;
  }
}

void expect_bottleneck(const AppBottleneck& one, std::map<std::string, double>& out) {
  const Bottleneck again = classify(one.input);
  const auto put = [&](std::string_view name, double value) {
    out[named(name, {{"namespace", one.app.namespace_name}, {"app_id", one.app.app_id}})] = value;
  };
  put("flintgauge_app_bottleneck_confidence_ratio", again.confidence);
  put("flintgauge_app_bottleneck_share_ratio", again.count > 0 ? again.found[0].share : 0);
  for (const std::string_view kind : kBottleneckNames) {
    out[named("flintgauge_app_bottleneck",
              {{"namespace", one.app.namespace_name}, {"app_id", one.app.app_id}, {"kind", kind}})] =
        kind == to_string(again.kind) ? 1 : 0;
  }
}

/// All pods here are drivers.
bool has_ended(const std::vector<Pod>& pods, const std::string& ns, const std::string& app) {
  return std::ranges::none_of(pods, [&](const Pod& pod) {
    return pod.namespace_name == ns && pod.name == "p" + app && pod.phase != Phase::kSucceeded;
  });
}

std::map<std::string, double> expected(const Bench& bench, const Known& apps, const std::vector<Pod>& pods,
                                       const Block& kubelet, const Block& spark, const Report& report,
                                       double stale) {
  std::map<std::string, double> out;
  std::set<std::string> namespaces = {""};
  for (const auto& [ns, app] : apps) {
    namespaces.insert(ns);
    out[named("flintgauge_app_info", {{"namespace", ns},
                                      {"app_id", app},
                                      {"app_name", ""},
                                      {"spark_version", ""},
                                      {"operator", "none"},
                                      {"job_name", "p" + app},
                                      {"ended", has_ended(pods, ns, app) ? "true" : "false"}})] = 1;
  }
  for (const AppHint& hint : report.hints) {
    namespaces.insert(hint.app.namespace_name);
    expect_hint(hint, bench.settings, out);
  }
  for (const AppBottleneck& one : report.bottlenecks) expect_bottleneck(one, out);
  for (const char* source : {"kubelet", "spark"}) {
    out[named("flintgauge_store_block_age_seconds", {{"source", source}})] = 0;
  }
  for (const std::string_view reason : {"stale", "incomplete", "no_slots", "clock"})
    out[named("flintgauge_hints_withheld_total", {{"reason", std::string(reason)}})] =
        reason == "stale" ? stale : 0;
  out[named("flintgauge_series_limit", {{"scope", "app"}})] = 500;
  out[named("flintgauge_series_limit", {{"scope", "namespace"}})] = 4000;
  out[named("flintgauge_series_limit", {{"scope", "node"}})] = 20000;
  for (const Block* block : {&kubelet, &spark}) {
    for (std::size_t i = 0; i < block->schema->size(); ++i) {
      namespaces.emplace(block->schema->labels(i)[0]);
    }
  }
  for (const std::string& ns : namespaces) out[named("flintgauge_series", {{"namespace", ns}})] = 0;
  std::map<std::string, double> counts;
  count_series(testing::series_of(kubelet), counts);
  count_series(testing::series_of(spark), counts);
  count_series(out, counts);
  for (const std::string& ns : namespaces) out[named("flintgauge_series", {{"namespace", ns}})] = counts[ns];
  return out;
}

TEST(EvaluateTwin, AgreesOverRandomChanges) {
  std::mt19937 random(1);
  Bench bench;
  Known known;
  double stale = 0;  // of the applications published last, at each evaluation
  std::vector<SparkAppFacts> published;
  const auto count_stale = [&](const Now& now) {
    stale += static_cast<double>(std::ranges::count_if(
        published, [&](const SparkAppFacts& one) { return now.steady.ms - one.stages_at.ms > 30'000; }));
  };
  const auto any = [&](unsigned below) { return static_cast<std::int64_t>(random() % below); };
  for (std::int64_t step = 0; step < 400; ++step) {
    const Now now = at(step * 10'000);
    std::vector<Pod> pods;
    std::vector<Row> kubelet_rows;
    std::vector<Row> spark_rows;
    std::vector<SparkAppFacts> facts;
    for (const std::string ns : {"a", "b", "c"}) {
      for (const std::string app : {"s-1", "s-2", "s-3"}) {
        const Phase phase = std::array{Phase::kSucceeded, Phase::kRunning, Phase::kPending}[random() % 3];
        if (any(8) > 5) pods.push_back(pod(ns, "p" + app, app, "driver", phase));
        if (any(8) > 5) {
          spark_rows.push_back(
              {family("flintgauge_spark_tasks_failed_total"), {ns, app}, static_cast<double>(step)});
        }
        if (any(8) > 5) {
          facts.push_back(burst(ns, app, SteadyTime{now.steady.ms - any(40'000)}));
          facts.back().pending_tasks = any(2'000);
          facts.back().executors = 2 + any(40);
          facts.back().busy_executors = 2 + any(static_cast<unsigned>(facts.back().executors) - 1);
        }
      }
      if (any(4) == 0) {
        kubelet_rows.push_back(
            {family("flintgauge_namespace_pods"), {ns, "spark", "Running"}, static_cast<double>(step)});
      }
    }
    // Most often nothing changes: the path that reuses the schema must be taken as well.
    if (step > 0 && any(3) > 0) {
      bench.evaluate(now);
      count_stale(now);
      continue;
    }
    published = facts;
    count_stale(now);
    bench.publish_pods(now, pods, kubelet_rows);
    bench.publish_facts(now, facts, spark_rows);
    const auto report = bench.evaluate(now);
    const auto fresh = std::ranges::count_if(
        facts, [&](const SparkAppFacts& one) { return now.steady.ms - one.stages_at.ms <= 30'000; });
    ASSERT_EQ(report->hints.size(), static_cast<std::size_t>(fresh));
    ASSERT_EQ(report->bottlenecks.size(), static_cast<std::size_t>(fresh));
    const View view = bench.store.read();
    known = known_now(pods, spark_rows, known);
    const auto want = expected(bench, known, pods, *view.block(Shard::kKubelet), *view.block(Shard::kSpark),
                               *report, stale);
    ASSERT_EQ(bench.series, want) << "step " << step;
  }
}

}  // namespace
}  // namespace flintgauge
