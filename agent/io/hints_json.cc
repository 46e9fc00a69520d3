#include "agent/io/hints_json.h"

#include <array>
#include <cmath>

#include "agent/io/bottleneck_json.h"
#include "agent/io/json_object.h"
#include "agent/io/sideways_json.h"
#include "agent/io/vertical_json.h"

namespace flintgauge {
namespace {

using json::Object;
using json::object_json;
using json::seconds_since;
using json::Writer;

void write_inputs(Writer& writer, const HorizontalInput& input) {
  Object object(writer);
  object.number("executors", input.executors);
  object.number("executorPods", input.executor_pods);
  object.number("busyExecutors", input.busy_executors);
  object.number("runningTasks", input.running_tasks);
  object.number("pendingTasks", input.pending_tasks);
  object.number("unschedulableSets", input.unschedulable_sets);
  object.number("tasksPerExecutor", input.tasks_per_executor);
  object.number("allocationRatio", input.allocation_ratio);
  object.number("meanTaskSeconds", input.mean_task_seconds);
  object.number("drainTargetSeconds", input.drain_target_seconds);
  object.number("startupSeconds", input.startup_seconds);
  object.number("minExecutors", input.min_executors);
  object.number("maxExecutors", input.max_executors);
  object.number("quotaHeadroomExecutors", input.quota_headroom_executors);
  object.number("clusterHeadroomExecutors", input.cluster_headroom_executors);
  object.number("maxNeededExecutors", input.max_needed_executors);
  object.number("confidence", input.confidence);
}

void write_terms(Writer& writer, const HorizontalInput& input, const HorizontalHint& hint) {
  Object object(writer);
  object.number("effectiveTargetSeconds", std::max(input.drain_target_seconds, 2 * input.startup_seconds));
  object.number("parity", hint.parity);
  object.number("workTaskSeconds", hint.work_task_seconds);
  object.number("need", hint.need);
  object.number("raw", hint.raw);
  object.number("safe", hint.safe);
  object.number("headroomExecutors", effective_headroom(input));
  object.number("desired", hint.desired);
  object.text("formula", "docs/hints.md section 1");
}

void write_profiles(Object& object, Writer& writer, const std::vector<ProfileHint>& profiles, bool explain) {
  object.key("profiles");
  writer.StartArray();
  for (const ProfileHint& profile : profiles) {
    Object one(writer);
    one.number("resourceProfileId", profile.id);
    one.number("current", profile.input.executors);
    one.number("desired", profile.hint.desired);
    one.text("reason", to_string(profile.hint.reason));
    if (!explain) continue;
    one.key("inputs");
    write_inputs(writer, profile.input);
    one.key("terms");
    write_terms(writer, profile.input, profile.hint);
  }
  writer.EndArray();
}

void write_queries(Object& object, Writer& writer, const std::vector<QueryHint>& queries) {
  object.key("queries");
  writer.StartArray();
  for (const QueryHint& query : queries) {
    Object one(writer);
    one.text("query", query.query);
    one.number("inputRowsPerSecond", query.input.input_rate);
    one.number("processedRowsPerSecond", query.input.processing_rate);
    one.number("batchesBehind", query.input.batches_behind);
    one.number("executors", query.executors);
  }
  writer.EndArray();
}

void write_pools(Object& object, Writer& writer, const std::vector<PoolHint>& pools, const HintList& list) {
  object.key("pools");
  writer.StartArray();
  for (const PoolHint& pool : pools) {
    if (!list.only.empty() && pool.cluster.namespace_name != list.only) continue;
    Object one(writer);
    one.text("namespace", pool.cluster.namespace_name);
    one.text("cluster", pool.cluster.app_id);
    one.number("current", pool.workers);
    one.number("desired", pool.desired);
    one.number("coresPerWorker", pool.cores_per_worker);
    one.key("applications");
    writer.StartArray();
    for (std::size_t i = 0; i < pool.demands.size(); ++i) {
      Object app(writer);
      app.text("appId", pool.app_ids[i]);
      app.number("desired", pool.demands[i].executors);
      app.number("executorCores", pool.demands[i].executor_cores);
    }
    writer.EndArray();
    if (!list.explain) continue;
    one.key("terms");
    Object terms(writer);
    terms.number("demandCores", demand_cores(pool.demands));
    terms.text("formula", "docs/hints.md section 1.8");
  }
  writer.EndArray();
}

/// How what stands beside the number was reached: confidence, the stable one, and the waste.
void write_beside(Object& object, Writer& writer, const AppHint& hint) {
  object.key("confidenceInputs");
  {
    Object one(writer);
    one.number("completedTasks", hint.confidence_terms.completed_tasks);
    one.number("observedSeconds", hint.confidence_terms.observed_seconds);
    one.number("ageSeconds", hint.age_seconds);
    one.number("maxAgeSeconds", hint.confidence_terms.max_age_seconds);
  }
  object.key("stableWindow");
  writer.StartArray();
  for (const StablePoint& point : hint.stable_window) {
    Object one(writer);
    one.number("ageSeconds", point.age_seconds);
    one.number("desired", point.desired);
  }
  writer.EndArray();
  object.key("waste");
  Object one(writer);
  one.number("beforeCoreSeconds", hint.waste.before);
  one.number("idleCores", hint.waste.idle_cores);
  one.number("seconds", hint.waste.seconds);
  one.number("executorCores", hint.executor_cores);
}

void write_horizontal(Object& object, Writer& writer, const AppHint& hint, double since, bool explain) {
  object.number("sampleAgeSeconds", hint.age_seconds + since);
  object.number("confidence", hint.confidence);
  object.text("reason", to_string(hint.hint.reason));
  object.number("current", hint.input.executors);
  object.number("desired", hint.hint.desired);
  object.number("desiredStable", hint.stable);
  object.number("min", hint.input.min_executors);
  object.number("max", hint.input.max_executors);
  object.number("unmet", hint.hint.unmet);
  object.number("backlogSeconds", hint.hint.backlog_seconds);
  object.number("idleExecutors", hint.hint.idle_executors);
  object.number("parity", hint.hint.parity);
  object.number("byRate", hint.by_rate);
  object.number("sparkTarget", hint.spark_target);
  object.number("wastedCoreSeconds", hint.wasted_core_seconds);
  object.number("startupsMeasured", static_cast<std::uint64_t>(hint.startups));
  object.flag("dynamicAllocation", hint.has_dynamic_allocation);
  object.key("inputs");
  write_inputs(writer, hint.input);
  if (!hint.profiles.empty()) write_profiles(object, writer, hint.profiles, explain);
  if (!explain) return;
  object.key("terms");
  write_terms(writer, hint.input, hint.hint);
  write_beside(object, writer, hint);
  if (!hint.queries.empty()) write_queries(object, writer, hint.queries);
}

void write_quota(Object& object, Writer& writer, const AppQuota& one, double since, bool explain) {
  object.number("sampleAgeSeconds", one.age_seconds + since);
  object.text("pressure", to_string(one.advice.pressure));
  object.number("confidence", one.advice.confidence);
  object.number("headroomExecutors", one.input.headroom);
  object.number("current", one.input.executors);
  object.number("nextTarget", one.advice.next_target);
  object.key("settings");
  {
    Object settings(writer);
    settings.number("spark.dynamicAllocation.maxExecutors", one.advice.dynamic_allocation_max_executors);
    settings.number("spark.executor.maxNumFailures", one.advice.executor_max_num_failures);
  }
  if (!explain) return;
  object.key("inputs");
  Object inputs(writer);
  inputs.number("executorPods", one.input.executor_pods);
  inputs.number("targetExecutors", one.input.target);
  inputs.number("executorsToAdd", one.input.to_add);
  inputs.number("maxNeeded", one.input.max_needed);
  inputs.number("maxExecutors", one.input.max_executors);
  inputs.number("shortfallSeconds", one.input.shortfall_seconds);
  inputs.number("pendingPods", one.input.pending_pods);
  inputs.number("startupSeconds", one.input.startup_seconds);
}

/// The members of the horizontal hint are those of the application itself; the others have objects of their
/// own.
void write_all(Object& object, Writer& writer, const HintsOfApp& hints, double since, bool explain) {
  if (hints.horizontal != nullptr) write_horizontal(object, writer, *hints.horizontal, since, explain);
  if (hints.vertical != nullptr) {
    object.key("vertical");
    Object one(writer);
    write_vertical(one, writer, *hints.vertical, since, explain);
  }
  if (hints.bottleneck != nullptr) {
    object.key("bottleneck");
    Object one(writer);
    write_bottleneck(one, writer, *hints.bottleneck, since, explain);
  }
  if (hints.quota != nullptr) {
    object.key("quota");
    Object one(writer);
    write_quota(one, writer, *hints.quota, since, explain);
  }
  if (hints.sideways != nullptr) {
    object.key("sideways");
    Object one(writer);
    write_sideways(one, writer, *hints.sideways);
  }
}

/// False when nothing is known of the part.
bool write_part(Object& object, Writer& writer, const HintsOfApp& hints, const HintQuestion& question,
                double since) {
  switch (question.part) {
    case HintPart::kAll:
      write_all(object, writer, hints, since, question.explain);
      // Executors of a driver elsewhere are no hint of their application.
      return hints.horizontal != nullptr || hints.vertical != nullptr || hints.bottleneck != nullptr;
    case HintPart::kHorizontal:
      if (hints.horizontal == nullptr) return false;
      write_horizontal(object, writer, *hints.horizontal, since, question.explain);
      return true;
    case HintPart::kVertical:
      if (hints.vertical == nullptr) return false;
      write_vertical(object, writer, *hints.vertical, since, question.explain);
      return true;
    case HintPart::kBottleneck:
      if (hints.bottleneck == nullptr) return false;
      write_bottleneck(object, writer, *hints.bottleneck, since, question.explain);
      return true;
    case HintPart::kQuota:
      if (hints.quota == nullptr) return false;
      write_quota(object, writer, *hints.quota, since, question.explain);
      return true;
    case HintPart::kSideways:
      if (hints.sideways == nullptr) return false;
      write_sideways(object, writer, *hints.sideways);
      return true;
  }
  return false;
}

const AppKey* key_of(const HintsOfApp& hints) {
  if (hints.horizontal != nullptr) return &hints.horizontal->app;
  if (hints.vertical != nullptr) return &hints.vertical->app;
  if (hints.bottleneck != nullptr) return &hints.bottleneck->app;
  if (hints.quota != nullptr) return &hints.quota->app;
  return hints.sideways != nullptr ? &hints.sideways->app : nullptr;
}

/// Everything that the report has a hint for, by key.
std::vector<HintsOfApp> all_hints(const Report& report, std::string_view only) {
  std::vector<AppKey> keys;
  const auto add = [&](const auto& items) {
    for (const auto& item : items) {
      if (only.empty() || item.app.namespace_name == only) keys.push_back(item.app);
    }
  };
  add(report.hints);
  add(report.verticals);
  add(report.bottlenecks);
  add(report.quotas);
  add(report.sideways);
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());  // clang 14 cannot take std::ranges::unique
  std::vector<HintsOfApp> out;
  out.reserve(keys.size());
  for (const AppKey& key : keys) out.push_back(hints_of(report, key.namespace_name, key.app_id));
  return out;
}

}  // namespace

HintsOfApp hints_of(const Report& report, std::string_view namespace_name, std::string_view app_id) {
  return {find_app(report.hints, namespace_name, app_id), find_app(report.verticals, namespace_name, app_id),
          find_app(report.bottlenecks, namespace_name, app_id),
          find_app(report.quotas, namespace_name, app_id), find_app(report.sideways, namespace_name, app_id)};
}

std::string hints_json(const Block& derived, const HintList& list, std::string_view node, const Now& now) {
  const double since = seconds_since(derived.report->at.steady, now.steady);
  return object_json([&](Object& object, Writer& writer) {
    json::write_envelope(object, node, now);
    object.key("hints");
    writer.StartArray();
    for (const HintsOfApp& hints : all_hints(*derived.report, list.only)) {
      Object one(writer);
      json::write_app(one, *key_of(hints));
      write_all(one, writer, hints, since, list.explain);
    }
    writer.EndArray();
    write_pools(object, writer, derived.report->pools, list);
  });
}

std::string hint_json(const HintsOfApp& hints, const HintQuestion& question, const Block& derived,
                      const Now& now) {
  const AppKey* key = key_of(hints);
  if (key == nullptr) return {};
  bool is_known = false;
  std::string body = object_json([&](Object& object, Writer& writer) {
    json::write_envelope(object, {}, now);
    json::write_app(object, *key);
    is_known =
        write_part(object, writer, hints, question, seconds_since(derived.report->at.steady, now.steady));
  });
  return is_known ? body : std::string();
}

std::string absent_hint_json(std::string_view namespace_name, std::string_view app_id, const Now& now) {
  return object_json([&](Object& object, Writer&) {
    json::write_envelope(object, {}, now);
    object.text("namespace", namespace_name);
    object.text("appId", app_id);
    object.flag("drivenHere", false);
    object.number("desired", std::int64_t{0});
    object.number("byRate", std::int64_t{0});
  });
}

}  // namespace flintgauge
