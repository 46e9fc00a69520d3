#include "agent/io/vertical_json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flintgauge {
namespace {

using json::Object;
using json::Writer;

void write_parts(Object& object, Writer& writer, std::string_view name, const MemoryParts& parts) {
  object.key(name);
  Object inner(writer);
  for (std::size_t i = 0; i < kMemoryPartNames.size(); ++i) inner.number(kMemoryPartNames[i], parts.bytes[i]);
}

void write_spread(Object& object, Writer& writer, std::string_view name, const Spread& spread) {
  object.key(name);
  Object inner(writer);
  inner.number("p50", spread.p50);
  inner.number("p90", spread.p90);
  inner.number("p95", spread.p95);
}

void write_memory(Object& object, Writer& writer, const VerticalInput& input, const VerticalHint& hint) {
  if (!hint.has_memory) return object.null("memoryBytes");
  object.key("memoryBytes");
  Object memory(writer);
  write_parts(memory, writer, "current", memory_now(input));
  write_parts(memory, writer, "target", hint.target);
  write_parts(memory, writer, "lower", hint.lower);
  write_parts(memory, writer, "upper", hint.upper);
  memory.text("heapReason", to_string(hint.heap_reason));
  memory.text("overheadReason", to_string(hint.overhead_reason));
}

void write_cpu(Object& object, Writer& writer, const VerticalInput& input, const VerticalHint& hint) {
  if (!hint.has_cpu) return object.null("cpuCores");
  object.key("cpuCores");
  Object cpu(writer);
  cpu.number("current", input.request_cores);
  cpu.number("target", hint.cpu_target_cores);
  cpu.number("lower", hint.cpu_lower_cores);
  cpu.number("upper", hint.cpu_upper_cores);
}

void write_inputs(Object& object, Writer& writer, const VerticalInput& input) {
  object.key("inputs");
  Object inputs(writer);
  inputs.number("heapBytes", input.heap_bytes);
  inputs.number("overheadBytes", input.overhead_bytes);
  inputs.number("offheapBytes", input.offheap_bytes);
  inputs.number("pysparkBytes", input.pyspark_bytes);
  inputs.number("memoryFraction", input.memory_fraction);
  inputs.number("requestCores", input.request_cores);
  write_spread(inputs, writer, "heapPeakBytes", input.heap);
  inputs.flag("heapPeakIsLive", input.heap_is_live);
  write_spread(inputs, writer, "unifiedPeakBytes", input.unified);
  write_spread(inputs, writer, "nonHeapPeakBytes", input.non_heap);
  write_spread(inputs, writer, "pythonPeakBytes", input.python);
  write_spread(inputs, writer, "containerPeakBytes", input.container);
  write_spread(inputs, writer, "cpuCores", input.cpu_cores);
  inputs.number("gcRatio", input.gc_ratio);
  inputs.number("heapFloorBytes", input.heap_floor_bytes);
  inputs.number("overheadFloorBytes", input.overhead_floor_bytes);
  inputs.number("runs", input.runs);
  inputs.number("executors", input.executors);
}

void write_terms(Object& object, Writer& writer, const VerticalHint& hint) {
  object.key("terms");
  Object terms(writer);
  terms.number("heapNeedBytes", hint.heap_need_bytes);
  terms.number("unifiedNeedBytes", hint.unified_need_bytes);
  terms.number("overheadNeedBytes", hint.overhead_need_bytes);
  terms.number("pysparkNeedBytes", hint.pyspark_need_bytes);
  terms.text("formula", "docs/hints.md section 2");
}

void write_settings(Object& object, Writer& writer, const VerticalInput& input, const VerticalHint& hint) {
  object.key("settings");
  writer.StartArray();
  for (const std::string& line : vertical_lines(input, hint))
    writer.String(line.data(), static_cast<rapidjson::SizeType>(line.size()));
  writer.EndArray();
}

void write_driver(Object& object, Writer& writer, const std::optional<DriverSize>& driver, bool explain) {
  if (!driver) return object.null("driver");
  object.key("driver");
  Object one(writer);
  one.number("confidence", driver->hint.confidence);
  one.number("runs", driver->input.runs);
  write_memory(one, writer, driver->input, driver->hint);
  write_cpu(one, writer, driver->input, driver->hint);
  write_settings(one, writer, driver->input, driver->hint);
  if (!explain) return;
  write_inputs(one, writer, driver->input);
  write_terms(one, writer, driver->hint);
}

}  // namespace

void write_vertical(Object& object, Writer& writer, const AppVerticalHint& one, double since, bool explain) {
  object.number("sampleAgeSeconds", one.age_seconds + since);
  object.text("jobName", one.job_name);
  object.number("resourceProfileId", one.resource_profile_id);
  object.number("confidence", one.hint.confidence);
  object.number("runs", one.input.runs);
  object.number("executorsSeen", one.input.executors);
  write_memory(object, writer, one.input, one.hint);
  write_cpu(object, writer, one.input, one.hint);
  object.key("outOfMemory");
  {
    Object oom(writer);
    oom.number("heap", one.heap_ooms);
    oom.number("container", one.container_ooms);
    oom.number("heapFloorBytes", one.input.heap_floor_bytes);
    oom.number("overheadFloorBytes", one.input.overhead_floor_bytes);
  }
  object.number("gcRatio", one.input.gc_ratio);
  object.number("slotEfficiency", one.slot_efficiency);
  write_settings(object, writer, one.input, one.hint);
  write_driver(object, writer, one.driver, explain);
  if (!explain) return;
  write_inputs(object, writer, one.input);
  write_terms(object, writer, one.hint);
  object.key("slotInputs");
  Object slots(writer);
  slots.number("taskCpuSeconds", one.task_cpu_seconds);
  slots.number("slotSeconds", one.slot_seconds);
}

}  // namespace flintgauge
