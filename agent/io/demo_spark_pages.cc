// What the web UI of the demo's drivers answers, in the shape of Spark 3.5 with spark.ui.prometheus.enabled
// and the PrometheusServlet sink.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <cmath>
#include <utility>

#include "agent/io/api_json.h"
#include "agent/io/demo_node.h"
#include "flintgauge/exposition.h"

namespace flintgauge::demo {
namespace {

using rapidjson::StringBuffer;

/// Spark's dates: "2026-01-31T23:59:59.123GMT".
std::string date_text(WallTime time) {
  std::string text = timestamp_text(time);
  text.pop_back();
  return text + "GMT";
}

class Json {
 public:
  Json() : writer_(buffer_) { writer_.StartArray(); }
  void begin() { writer_.StartObject(); }
  void end() { writer_.EndObject(); }
  void text(std::string_view name, std::string_view value) {
    key(name);
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void whole(std::string_view name, double value) {
    key(name);
    writer_.Int64(static_cast<std::int64_t>(value));
  }
  void flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  std::string take() {
    writer_.EndArray();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  StringBuffer buffer_;
  rapidjson::Writer<StringBuffer> writer_;
};

void write_executor(Json& json, const SparkExecutor& executor, const std::string& host, WallTime added) {
  json.text("id", executor.id);
  json.text("hostPort", host);
  json.flag("isActive", executor.is_active);
  json.whole("rddBlocks", static_cast<double>(executor.rdd_blocks));
  json.whole("totalCores", static_cast<double>(executor.total_cores));
  json.whole("maxTasks", static_cast<double>(executor.max_tasks));
  json.whole("activeTasks", static_cast<double>(executor.active_tasks));
  json.whole("failedTasks", executor.tasks_failed);
  json.whole("completedTasks", executor.tasks_completed);
  json.whole("totalTasks",
             executor.tasks_completed + executor.tasks_failed + static_cast<double>(executor.active_tasks));
  json.whole("totalGCTime", executor.gc_seconds * 1e3);
  json.whole("totalInputBytes", executor.input_bytes);
  json.whole("totalShuffleRead", executor.shuffle_read_bytes);
  json.whole("totalShuffleWrite", executor.shuffle_write_bytes);
  json.text("addTime", date_text(added));
  json.whole("resourceProfileId", 0);
}

SparkExecutor driver_row() {
  SparkExecutor row;
  row.id = "driver";
  return row;
}

std::string_view status_word(StageStatus status) {
  switch (status) {
    case StageStatus::kActive:
      return "ACTIVE";
    case StageStatus::kComplete:
      return "COMPLETE";
    case StageStatus::kPending:
      return "PENDING";
    case StageStatus::kFailed:
      return "FAILED";
    case StageStatus::kSkipped:
      break;
  }
  return "SKIPPED";
}

void write_stage(Json& json, const Stage& stage) {
  const SparkStage& facts = stage.facts;
  json.text("status", status_word(facts.status));
  json.whole("stageId", static_cast<double>(facts.stage_id));
  json.whole("attemptId", 0);
  json.whole("numTasks", static_cast<double>(facts.tasks));
  json.whole("numActiveTasks", static_cast<double>(facts.tasks_active));
  json.whole("numCompleteTasks", static_cast<double>(facts.tasks_complete));
  json.whole("numFailedTasks", static_cast<double>(facts.tasks_failed));
  json.whole("numKilledTasks", 0);
  json.whole("numCompletedIndices", static_cast<double>(facts.tasks_complete));
  json.text("submissionTime", date_text(stage.submitted));
  if (facts.status == StageStatus::kComplete) json.text("completionTime", date_text(stage.completed));
  json.whole("executorRunTime", facts.executor_run_seconds * 1e3);
  json.whole("executorCpuTime", facts.executor_cpu_seconds * 1e9);
  json.whole("jvmGcTime", facts.gc_seconds * 1e3);
  json.whole("memoryBytesSpilled", facts.memory_spilled_bytes);
  json.whole("diskBytesSpilled", facts.disk_spilled_bytes);
  json.whole("inputBytes", facts.input_bytes);
  json.whole("inputRecords", facts.input_records);
  json.whole("outputBytes", facts.output_bytes);
  json.whole("outputRecords", facts.output_records);
  json.whole("shuffleFetchWaitTime", facts.shuffle_fetch_wait_seconds * 1e3);
  json.whole("shuffleReadBytes", facts.shuffle_read_bytes);
  json.whole("shuffleWriteBytes", facts.shuffle_write_bytes);
  json.text("name", "collect at Job.scala:42");
  json.whole("resourceProfileId", 0);
}

/// True when the query names no status, or this one.
bool is_chosen(std::string_view query, std::string_view word) {
  if (query.find("status=") == std::string_view::npos) return true;
  std::string wanted = "status=";
  for (const char c : word) wanted += static_cast<char>(c - 'A' + 'a');
  return query.find(wanted) != std::string_view::npos;
}

using Gauge = std::pair<std::string_view, double>;

/// What is asked of the driver's registry, by the names it has there.
std::array<Gauge, 5> driver_gauges(const SparkApp& app) {
  return {Gauge{"DAGScheduler.job.activeJobs", app.active_jobs()},
          Gauge{"DAGScheduler.stage.runningStages", app.active_jobs() > 0 ? 1 : 0},
          Gauge{"DAGScheduler.stage.waitingStages", 0},
          Gauge{"ExecutorAllocationManager.executors.numberMaxNeededExecutors",
                static_cast<double>(app.needed_executors())},
          Gauge{"ExecutorAllocationManager.executors.numberTargetExecutors", app.profile().executors}};
}

}  // namespace

std::string applications_list(const SparkApp& app) {
  Json json;
  json.begin();
  json.text("id", app.app_id());
  json.text("name", app.profile().name);
  json.end();
  return json.take();
}

std::string executors_list(const SparkApp& app, bool with_dead) {
  Json json;
  json.begin();
  write_executor(json, driver_row(), app.driver().ip + ":7079", app.driver().started);
  json.end();
  for (const Executor& executor : app.executors()) {
    if (!executor.is_registered || (!with_dead && !executor.facts.is_active)) continue;
    json.begin();
    write_executor(json, executor.facts, executor.pod.ip + ":7079", executor.added);
    if (!executor.facts.is_active) {
      json.text("removeTime", date_text(executor.removed));
      json.text("removeReason", executor.facts.remove_reason);
    }
    json.end();
  }
  return json.take();
}

std::string stages_list(const SparkApp& app, std::string_view query) {
  Json json;
  for (std::size_t i = app.stages().size(); i > 0; --i) {  // newest first, as Spark
    const Stage& stage = app.stages()[i - 1];
    if (!is_chosen(query, status_word(stage.facts.status))) continue;
    json.begin();
    write_stage(json, stage);
    json.end();
  }
  return json.take();
}

std::string jobs_list(const SparkApp& app) {
  constexpr int kShown = 20;
  Json json;
  for (int id = app.jobs_done() + app.active_jobs() - 1, left = kShown; id >= 0 && left > 0; --id, --left) {
    json.begin();
    json.whole("jobId", id);
    json.text("name", "collect at Job.scala:42");
    json.text("status", id < app.jobs_done() ? "SUCCEEDED" : "RUNNING");
    json.end();
  }
  return json.take();
}

std::string environment_page(const SparkApp& app) {
  const std::string cores = std::to_string(app.profile().slots);
  const std::string instances = std::to_string(app.profile().executors);
  return R"({"sparkProperties":[["spark.app.name",")" + std::string(app.profile().name) +
         R"("],["spark.executor.cores",")" + cores + R"("],["spark.executor.instances",")" + instances +
         R"("],["spark.executor.memory","3g"],["spark.hadoop.fs.s3a.secret.key","*********"]],)" +
         R"("metricsProperties":[["*.sink.prometheusServlet.path","/metrics/prometheus"]],"resourceProfiles":)" +
         R"([{"id":0,"executorResources":{"cores":{"amount":)" + cores +
         R"(},"memory":{"amount":3072}},"taskResources":{"cpus":{"amount":1.0}}}]})";
}

std::string executors_page(const SparkApp& app) {
  std::string out = "spark_info{version=\"3.5.1\", revision=\"demo\"} 1.0\n";
  const std::string head = "{application_id=\"" + app.app_id() + "\", application_name=\"" +
                           std::string(app.profile().name) + "\", executor_id=\"";
  const auto row = [&](const std::string& id, std::string_view name, double value) {
    out.append("metrics_executor_").append(name).append(head).append(id).append("\"} ");
    append_value(value, out);
    out += '\n';
  };
  const auto executor = [&](const SparkExecutor& facts) {
    row(facts.id, "rddBlocks", static_cast<double>(facts.rdd_blocks));
    row(facts.id, "totalCores", static_cast<double>(facts.total_cores));
    row(facts.id, "maxTasks", static_cast<double>(facts.max_tasks));
    row(facts.id, "activeTasks", static_cast<double>(facts.active_tasks));
    row(facts.id, "failedTasks_total", facts.tasks_failed);
    row(facts.id, "completedTasks_total", facts.tasks_completed);
    row(facts.id, "totalGCTime_seconds_total", std::floor(facts.gc_seconds * 1e3) / 1e3);
    row(facts.id, "totalInputBytes_bytes_total", facts.input_bytes);
    row(facts.id, "totalShuffleRead_bytes_total", facts.shuffle_read_bytes);
    row(facts.id, "totalShuffleWrite_bytes_total", facts.shuffle_write_bytes);
  };
  executor(driver_row());
  for (const Executor& each : app.executors()) {
    if (each.is_registered && each.facts.is_active) executor(each.facts);
  }
  return out;
}

std::string driver_page(const SparkApp& app) {
  std::string id = app.app_id();
  for (char& c : id) c = c == '-' ? '_' : c;
  std::string out;
  for (const auto& [name, value] : driver_gauges(app)) {
    std::string mangled(name);
    for (char& c : mangled) c = c == '.' ? '_' : c;
    for (const std::string_view suffix : {"_Number", "_Value"}) {
      out.append("metrics_").append(id).append("_driver_").append(mangled).append(suffix);
      out.append("{type=\"gauges\"} ");
      append_value(value, out);
      out += '\n';
    }
  }
  return out;
}

std::string driver_json(const SparkApp& app) {
  std::string out = R"({"version":"4.0.0","gauges":{)";
  for (const auto& [name, value] : driver_gauges(app)) {
    out.append(out.back() == '{' ? "\"" : ",\"").append(app.app_id()).append(".driver.").append(name);
    out.append("\":{\"value\":");
    append_value(value, out);
    out += '}';
  }
  return out + R"(},"counters":{},"histograms":{},"meters":{},"timers":{}})";
}

}  // namespace flintgauge::demo
