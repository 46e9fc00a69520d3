// A derived block as the evaluator would leave it, with hostile text in the places where text is foreign.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"

namespace flintgauge::test {

inline constexpr Now kEvaluated{.steady = {1'000'000}, .wall = {1'700'000'000'123}};

inline TargetState make_target(const std::string& key, const AppKey& app, const std::string& url) {
  auto target = std::make_shared<Target>();
  target->key = key;
  target->collector = key;
  target->url = url;
  target->app = app;
  TargetState state;
  state.target = target;
  return state;
}

inline AppRow make_app(const std::string& name, const AppKey& app) {
  AppRow row;
  row.app = app;
  row.name = name;
  row.spark_version = "3.5.1";
  row.driver_pods = 1;
  row.executor_pods = 4;
  row.pending_pods = 2;
  row.cpu_cores = 3.25;
  row.cpu_requests_cores = 5;
  row.memory_working_set_bytes = 6.5 * 1024 * 1024 * 1024;
  row.memory_limits_bytes = 10.0 * 1024 * 1024 * 1024;
  row.tasks_active = 16;
  row.tasks_pending = 384;
  row.tasks_failed = 3;
  return row;
}

/// Two executors of four slots: garbage collection, and more tasks than slots.
inline AppBottleneck make_bottleneck(const AppKey& app) {
  AppBottleneck one;
  one.app = app;
  one.age_seconds = 2;
  BottleneckInput& in = one.input;
  in.window_seconds = 120;
  in.executors = 2;
  in.slots = in.active_tasks = 8;
  in.pending_tasks = 392;
  in.job_share = in.stage_share = in.backlog_share = 1;
  in.idle_share = 0;
  in.run_seconds = 960;
  in.cpu_seconds = 480;
  in.gc_seconds = 192;
  in.tasks_completed = 120;
  in.tasks_failed = 0;
  one.result = classify(in);
  return one;
}

/// The worked example of docs/hints.md section 2.
inline AppVerticalHint make_vertical(const AppKey& app) {
  constexpr double kGiB = 1024 * kBytesPerMiB;
  AppVerticalHint one;
  one.app = app;
  one.job_name = "nightly-<etl>";
  one.age_seconds = 2;
  VerticalInput& in = one.input;
  in.heap_bytes = 8 * kGiB;
  in.overhead_bytes = 819 * kBytesPerMiB;
  in.request_cores = 4;
  in.runs = 6;
  in.executors = 24;
  in.heap = {3.5 * kGiB, 5 * kGiB, 5.25 * kGiB};
  in.unified = {1 * kGiB, 1.4 * kGiB, 1.5 * kGiB};
  in.non_heap = {300 * kBytesPerMiB, 500 * kBytesPerMiB, 600 * kBytesPerMiB};
  in.container = {5 * kGiB, 6 * kGiB, 6.5 * kGiB};
  in.cpu_cores = {1.016, 1.588, 1.99};
  in.gc_ratio = 0.02;
  one.hint = vertical_hint(in);
  one.slot_efficiency = 0.5;
  one.task_cpu_seconds = 240;
  one.slot_seconds = 480;
  one.container_ooms = 2;
  return one;
}

inline AppQuota make_quota(const AppKey& app) {
  AppQuota one;
  one.app = app;
  one.age_seconds = 2;
  one.input.executors = one.input.executor_pods = 2;
  one.input.target = 8;
  one.input.shortfall_seconds = 40;
  one.input.pending_pods = 0;
  one.advice = quota_advice(one.input);
  return one;
}

inline AppSideways make_sideways(const AppKey& app) {
  AppSideways one;
  one.app = app;
  one.capacity = {16, 64.0 * 1024 * 1024 * 1024, std::numeric_limits<double>::infinity()};
  one.executor = {4, 9.0 * 1024 * 1024 * 1024, 1};
  one.requested = {6, 20.0 * 1024 * 1024 * 1024, 9};
  ClusterView view;
  view.nodes.emplace_back().allocatable = one.capacity;
  view.nodes.front().requested = one.requested;
  SidewaysInput input;
  input.placement.request = one.executor;
  one.result = sideways(view, input);
  one.packing = pack(one.capacity, one.executor);
  one.free_executors = 2;
  return one;
}

/// Three targets (up, down, not asked), two applications, a hint for the first.
inline void fill_derived(Block& block) {
  const AppKey etl{"team-a", "spark-0f3a"};
  const AppKey other{"team-<b>", "spark-\"x\"&y"};
  block.committed = kEvaluated.steady;
  block.committed_wall = kEvaluated.wall;
  SchemaBuilder builder;
  block.schema = builder.build().schema;
  block.values.clear();
  block.targets.clear();
  TargetState up = make_target("cadvisor", {}, "https://10.0.0.7:10250/metrics/cadvisor");
  up.asked = up.up = up.ever_succeeded = true;
  up.last_attempt = up.last_success = {998'500};
  up.last_success_wall = {1'699'999'998'623};
  up.duration_seconds = 0.0125;
  up.counts.kept = 4'321;
  block.targets.push_back(up);
  TargetState down =
      make_target("spark_stages/team-a/spark-0f3a", etl, "http://10.1.2.3:4040/api/v1?a=1&b=2");
  down.asked = down.ever_succeeded = true;
  down.consecutive_failures = 4;
  down.last_attempt = {999'000};
  down.last_success = {955'000};
  down.last_success_wall = {1'699'999'955'123};
  down.last_reason = Reason::kTimeout;
  down.last_error =
      std::make_shared<const std::string>("no answer in 10 s; body began \"<script>alert(1)</script>\"");
  block.targets.push_back(down);
  block.targets.push_back(make_target("summary", {}, "https://10.0.0.7:10250/stats/summary"));
  auto report = std::make_shared<Report>();
  report->at = kEvaluated;
  report->apps = {make_app("nightly-etl", etl), make_app("<b onmouseover='x'>", other)};
  report->apps[1].cpu_cores = std::numeric_limits<double>::quiet_NaN();
  AppHint hint;
  hint.app = etl;
  hint.input.executors = 4;
  hint.input.pending_tasks = 384;
  hint.input.mean_task_seconds = 2.5;
  hint.hint.desired = 11;
  hint.hint.reason = HintReason::kDrain;
  hint.hint.parity = 100;
  hint.hint.work_task_seconds = 980;
  hint.stable = 12;
  hint.confidence = 0.75;
  hint.age_seconds = 2;
  hint.input.running_tasks = 16;
  hint.input.confidence = 1;
  hint.startups = 3;
  hint.wasted_core_seconds = 120.5;
  hint.waste = {80.5, 8, 5};
  hint.executor_cores = 4;
  hint.confidence_terms = {90, 3600, 8};
  hint.stable_window = {{250, 12}, {0, 11}};
  report->hints = {hint};
  report->verticals = {make_vertical(etl)};
  report->bottlenecks = {make_bottleneck(etl)};
  report->quotas = {make_quota(etl)};
  report->sideways = {make_sideways(etl), make_sideways(other)};
  block.report = report;
  block.page_text =
      "# HELP flintgauge_target_up 1.\n# TYPE flintgauge_target_up gauge\n"
      "flintgauge_target_up{source=\"kubelet\",target=\"cadvisor\"} 1\n";
  block.page_openmetrics = block.page_text;
}

}  // namespace flintgauge::test
