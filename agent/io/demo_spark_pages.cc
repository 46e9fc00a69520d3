// What the web UI of the demo's drivers answers, in the shape of Spark 3.5 with spark.ui.prometheus.enabled
// and the PrometheusServlet sink.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

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
  void begin(std::string_view name) {
    key(name);
    writer_.StartObject();
  }
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
  json.whole("totalDuration", std::isnan(executor.duration_seconds) ? 0 : executor.duration_seconds * 1e3);
  json.whole("totalGCTime", executor.gc_seconds * 1e3);
  json.whole("totalInputBytes", executor.input_bytes);
  json.whole("totalShuffleRead", executor.shuffle_read_bytes);
  json.whole("totalShuffleWrite", executor.shuffle_write_bytes);
  json.text("addTime", date_text(added));
  json.whole("resourceProfileId", 0);
  if (std::isnan(executor.max_memory_bytes)) return;
  json.whole("memoryUsed", executor.memory_used_bytes);
  json.whole("maxMemory", executor.max_memory_bytes);
  if (std::isnan(executor.peak_jvm_heap_bytes)) return;  // before its first heartbeat
  json.begin("peakMemoryMetrics");
  json.whole("JVMHeapMemory", executor.peak_jvm_heap_bytes);
  json.whole("JVMOffHeapMemory", executor.peak_jvm_off_heap_bytes);
  json.whole("OnHeapUnifiedMemory", executor.peak_on_heap_unified_bytes);
  json.whole("ProcessTreePythonRSSMemory", executor.peak_process_tree_python_rss_bytes);
  json.end();
}

SparkExecutor driver_row() {
  constexpr double kMiB = 1024.0 * 1024.0;
  SparkExecutor row;
  row.id = "driver";
  row.max_memory_bytes = 434 * kMiB;
  row.memory_used_bytes = 2 * kMiB;
  row.peak_jvm_heap_bytes = 390 * kMiB;
  row.peak_jvm_off_heap_bytes = 190 * kMiB;
  row.peak_on_heap_unified_bytes = 2 * kMiB;
  row.peak_process_tree_python_rss_bytes = 0;
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

using Value = std::pair<std::string, double>;

void add_query(const SparkApp& app, std::vector<Value>& gauges) {
  if (app.profile().query.empty()) return;
  constexpr double kRows = 4'000;  // a second
  constexpr std::int64_t kLateMs = 30'000;
  const double wave = std::sin(static_cast<double>(app.now().ms % 600'000) / 95'493.0);
  const std::string head = "spark.streaming." + std::string(app.profile().query) + '.';
  gauges.emplace_back(head + "inputRate-total", kRows * (1 + 0.2 * wave));
  gauges.emplace_back(head + "processingRate-total", kRows * 1.4);
  gauges.emplace_back(head + "latency", std::floor(2'000 + 400 * wave));
  gauges.emplace_back(head + "states-rowsTotal", std::floor(60'000 + 5'000 * wave));
  gauges.emplace_back(head + "states-usedBytes", std::floor(24e6 + 2e6 * wave));
  gauges.emplace_back(head + "eventTime-watermark", static_cast<double>(app.now().ms - kLateMs));
}

/// What is asked of the driver's registry, by the names it has there.
std::vector<Value> driver_gauges(const SparkApp& app) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  double used = 0;
  double most = 0;
  for (const Executor& executor : app.executors()) {
    if (!executor.is_registered || !executor.facts.is_active) continue;
    used += executor.facts.memory_used_bytes;
    most += executor.facts.max_memory_bytes;
  }
  std::vector<Value> gauges = {
      {"BlockManager.memory.memUsed_MB", std::floor(used / kMebibyte)},
      {"BlockManager.memory.maxMem_MB", std::floor(most / kMebibyte)},
      {"DAGScheduler.job.activeJobs", app.active_jobs()},
      {"DAGScheduler.stage.runningStages", app.active_jobs() > 0 ? 1 : 0},
      {"DAGScheduler.stage.waitingStages", 0},
      {"ExecutorAllocationManager.executors.numberMaxNeededExecutors",
       static_cast<double>(app.needed_executors())},
      {"ExecutorAllocationManager.executors.numberTargetExecutors", app.profile().executors},
      {"ExecutorMetrics.JVMHeapMemory", std::floor(0.5 * app.driver().working_set_bytes)},
      {"ExecutorMetrics.TotalGCTime", std::floor(app.driver().cpu_seconds * 30)},
      {"JVMCPU.jvmCpuTime", std::floor(app.driver().cpu_seconds * 1e9)}};
  add_query(app, gauges);
  return gauges;
}

std::vector<Value> driver_counters(const SparkApp& app) {
  return {{"LiveListenerBus.queue.appStatus.numDroppedEvents", 0},
          {"LiveListenerBus.queue.shared.numDroppedEvents", 0},
          {"appStatus.jobs.failedJobs", 0},
          {"appStatus.jobs.succeededJobs", app.jobs_done()}};
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
  const auto line = [&](std::string name, std::string_view suffix, std::string_view type, double value) {
    for (char& c : name) c = c == '.' || c == '-' ? '_' : c;
    out.append("metrics_").append(id).append("_driver_").append(name).append(suffix);
    out.append("{type=\"").append(type).append("\"} ");
    append_value(value, out);
    out += '\n';
  };
  for (const auto& [name, value] : driver_gauges(app)) {
    line(name, "_Number", "gauges", value);
    line(name, "_Value", "gauges", value);
  }
  for (const auto& [name, value] : driver_counters(app)) line(name, "_Count", "counters", value);
  return out;
}

std::string driver_json(const SparkApp& app) {
  std::string out;
  const auto section = [&](std::string_view name, std::string_view field, const std::vector<Value>& values) {
    out.append(",\"").append(name).append("\":{");
    for (const auto& [metric, value] : values) {
      out.append(out.back() == '{' ? "\"" : ",\"").append(app.app_id()).append(".driver.").append(metric);
      out.append("\":{\"").append(field).append("\":");
      append_value(value, out);
      out += '}';
    }
    out += '}';
  };
  section("gauges", "value", driver_gauges(app));
  section("counters", "count", driver_counters(app));
  return R"({"version":"4.0.0")" + out + R"(,"histograms":{},"meters":{},"timers":{}})";
}

}  // namespace flintgauge::demo
