#include "agent/io/api_json.h"

#include <time.h>

#include <array>

#include "agent/io/json_object.h"
#include "agent/io/log.h"

namespace flintgauge {
namespace {

using json::list_json;
using json::Object;
using json::seconds_since;
using json::write_app;
using json::Writer;

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

}  // namespace

std::string targets_json(const Block& derived, std::string_view node, const Now& now) {
  return list_json("targets", derived.targets, node, now,
                   [&](Writer& writer, const TargetState& state) { write_target(writer, state, now); });
}

std::string apps_json(const Block& derived, std::string_view node, const Now& now) {
  return list_json("apps", derived.report->apps, node, now,
                   [](Writer& writer, const AppRow& row) { write_row(writer, row); });
}

std::string error_json(std::string_view message) {
  return json::object_json([&](Object& object, Writer&) { object.text("error", log::printable(message)); });
}

std::string_view state_word(const TargetState& state) {
  if (state.not_offered) return "not_offered";
  if (!state.asked) return state.target->fallback_of.empty() ? "not_asked" : "standby";
  return state.up ? "up" : "down";
}

std::string_view source_word(const Target& target) {
  if (!target.app.app_id.empty()) return to_string(SourceKind::kSpark);
  return to_string(target.app.namespace_name.empty() ? SourceKind::kKubelet : SourceKind::kCompanions);
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
