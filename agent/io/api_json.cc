#include "agent/io/api_json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "agent/io/log.h"

namespace flintgauge {
namespace {

constexpr int kSchemaVersion = 1;  // grows when a field changes its meaning; new fields do not count

using rapidjson::StringBuffer;
using Writer = rapidjson::Writer<StringBuffer>;

double seconds_since(SteadyTime then, SteadyTime now) {
  return static_cast<double>(std::max<std::int64_t>(elapsed_ms(then, now), 0)) / 1e3;
}

/// One object; its members in the order of the calls.
class Object {
 public:
  explicit Object(Writer& writer) : writer_(writer) { writer_.StartObject(); }
  ~Object() { writer_.EndObject(); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void text(std::string_view name, std::string_view value) {
    key(name);
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  /// Whole numbers without a fraction; null when not finite.
  void number(std::string_view name, double value) {
    key(name);
    if (!std::isfinite(value)) {
      writer_.Null();
    } else if (std::floor(value) == value && std::fabs(value) < 9e15) {
      writer_.Int64(static_cast<std::int64_t>(value));
    } else {
      writer_.Double(value);
    }
  }
  void number(std::string_view name, std::int64_t value) {
    key(name);
    writer_.Int64(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void null(std::string_view name) {
    key(name);
    writer_.Null();
  }

 private:
  Writer& writer_;
};

void write_app(Object& object, const AppKey& app) {
  object.text("namespace", app.namespace_name);
  object.text("appId", app.app_id);
}

void write_target(Writer& writer, const TargetState& state, const Now& now) {
  Object object(writer);
  const Target& target = *state.target;
  object.text("source", source_word(target));
  object.text("target", target.key);
  object.text("url", target.url);
  if (!target.app.app_id.empty()) write_app(object, target.app);
  object.text("state", state_word(state));
  object.flag("up", state.up);
  object.number("consecutiveFailures", state.consecutive_failures);
  if (state.asked && !state.up && !state.not_offered) {
    object.text("reason", to_string(state.last_reason));
    object.text("lastError", state.last_error ? std::string_view(*state.last_error) : std::string_view());
  }
  if (state.asked) {
    object.number("lastAttemptAgeSeconds", seconds_since(state.last_attempt, now.steady));
    object.number("durationSeconds", state.duration_seconds);
  }
  if (state.ever_succeeded) {
    object.number("lastSuccessAgeSeconds", seconds_since(state.last_success, now.steady));
    object.text("lastSuccess", timestamp_text(state.last_success_wall));
    object.number("samplesKept", state.counts.kept);
    object.number("samplesSkipped", state.counts.skipped);
    object.number("bodyBytes", state.counts.bytes);
  }
}

void write_row(Writer& writer, const AppRow& row) {
  Object object(writer);
  write_app(object, row.app);
  object.text("name", row.name);
  object.text("jobName", row.job_name);
  object.text("sparkVersion", row.spark_version);
  object.number("driverPods", row.driver_pods);
  object.number("executorPods", row.executor_pods);
  object.number("pendingPods", row.pending_pods);
  object.number("cpuCores", row.cpu_cores);
  object.number("cpuRequestsCores", row.cpu_requests_cores);
  object.number("memoryWorkingSetBytes", row.memory_working_set_bytes);
  object.number("memoryLimitsBytes", row.memory_limits_bytes);
  object.number("tasksActive", row.tasks_active);
  object.number("tasksPending", row.tasks_pending);
  object.number("tasksFailed", row.tasks_failed);
}

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
  if (input.quota_headroom_executors) {
    object.number("quotaHeadroomExecutors", *input.quota_headroom_executors);
  } else {
    object.null("quotaHeadroomExecutors");
  }
  object.number("confidence", input.confidence);
}

void write_terms(Writer& writer, const HorizontalHint& hint) {
  Object object(writer);
  object.number("parity", hint.parity);
  object.number("workTaskSeconds", hint.work_task_seconds);
  object.number("need", hint.need);
  object.number("raw", hint.raw);
  object.number("safe", hint.safe);
  object.number("desired", hint.desired);
  object.text("formula", "docs/hints.md section 1");
}

void write_hint_members(Object& object, Writer& writer, const AppHint& hint, double age_seconds,
                        bool explain) {
  write_app(object, hint.app);
  object.number("sampleAgeSeconds", age_seconds);
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
  object.key("inputs");
  write_inputs(writer, hint.input);
  if (!explain) return;
  object.key("terms");
  write_terms(writer, hint.hint);
}

/// What every answer starts with. The age of a hint has grown since the evaluation.
void write_envelope(Object& object, std::string_view node, const Now& now) {
  object.number("schemaVersion", std::int64_t{kSchemaVersion});
  object.text("generatedAt", timestamp_text(now.wall));
  if (!node.empty()) object.text("node", node);
}

double age_now(const AppHint& hint, const Report& report, const Now& now) {
  return hint.age_seconds + seconds_since(report.at.steady, now.steady);
}

/// The body of a list: envelope and one array. `write_item` is called for each item.
template <typename Items, typename Write>
std::string list_json(std::string_view name, const Items& items, std::string_view node, const Now& now,
                      Write write_item) {
  StringBuffer buffer;
  Writer writer(buffer);
  {
    Object object(writer);
    write_envelope(object, node, now);
    object.key(name);
    writer.StartArray();
    for (const auto& item : items) write_item(writer, item);
    writer.EndArray();
  }
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

}  // namespace

std::string targets_json(const Block& derived, std::string_view node, const Now& now) {
  return list_json("targets", derived.targets, node, now,
                   [&](Writer& writer, const TargetState& state) { write_target(writer, state, now); });
}

std::string apps_json(const Block& derived, std::string_view node, const Now& now) {
  return list_json("apps", derived.report->apps, node, now,
                   [](Writer& writer, const AppRow& row) { write_row(writer, row); });
}

std::string hints_json(const Block& derived, std::string_view node, const Now& now) {
  const Report& report = *derived.report;
  return list_json("hints", report.hints, node, now, [&](Writer& writer, const AppHint& hint) {
    Object object(writer);
    write_hint_members(object, writer, hint, age_now(hint, report, now), false);
  });
}

std::string hint_json(const AppHint& hint, const Block& derived, bool explain, const Now& now) {
  StringBuffer buffer;
  Writer writer(buffer);
  {
    Object object(writer);
    write_envelope(object, {}, now);
    write_hint_members(object, writer, hint, age_now(hint, *derived.report, now), explain);
  }
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

std::string error_json(std::string_view message) {
  StringBuffer buffer;
  Writer writer(buffer);
  {
    Object object(writer);
    object.text("error", log::printable(message));
  }
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

const AppHint* find_hint(const Report& report, std::string_view namespace_name, std::string_view app_id) {
  const auto found = std::find_if(report.hints.begin(), report.hints.end(), [&](const AppHint& hint) {
    return hint.app.namespace_name == namespace_name && hint.app.app_id == app_id;
  });
  return found == report.hints.end() ? nullptr : &*found;
}

std::string_view state_word(const TargetState& state) {
  if (state.not_offered) return "not_offered";
  if (!state.asked) return state.target->fallback_of.empty() ? "not_asked" : "standby";
  return state.up ? "up" : "down";
}

std::string_view source_word(const Target& target) {
  return to_string(target.app.app_id.empty() ? SourceKind::kKubelet : SourceKind::kSpark);
}

std::string timestamp_text(WallTime time) {
  const time_t seconds = time.ms / 1000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const std::string ms = std::to_string(1000 + time.ms % 1000);
  return std::string(text.data(), size) + '.' + ms.substr(1) + 'Z';
}

}  // namespace flintgauge
