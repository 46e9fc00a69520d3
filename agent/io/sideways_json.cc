#include "agent/io/sideways_json.h"

namespace flintgauge {
namespace {

using json::Object;
using json::Writer;

void write_resources(Object& object, Writer& writer, std::string_view name, const NodeResources& resources) {
  object.key(name);
  Object one(writer);
  one.number("cpuCores", resources.cpu_cores);
  one.number("memoryBytes", resources.memory_bytes);
}

void write_gap(Object& object, const Sideways& result) {
  if (result.resource.empty()) {
    object.null("resource");
    object.null("gap");
    return;
  }
  object.text("resource", result.resource);
  object.number("gap", result.gap);
}

void write_shape(Object& object, Writer& writer, const AppSideways& one) {
  if (!one.result.shape) return object.null("shape");
  const ExecutorShape& shape = *one.result.shape;
  object.key("shape");
  Object inner(writer);
  inner.number("cores", shape.cores);
  inner.number("memoryBytes", shape.memory_bytes);
  if (one.overhead_factor) {
    inner.number("heapBytes", shape.heap_bytes);
  } else {
    inner.null("heapBytes");
  }
  inner.number("executorsPerNode", shape.executors_per_node);
}

}  // namespace

void write_sideways(Object& object, Writer& writer, const AppSideways& one) {
  object.text("scope", "this node; capacity, which is more than what is allocatable");
  object.text("code", to_string(one.result.code));
  write_gap(object, one.result);
  object.number("executorsPerNode", one.packing.executors);
  object.number("freeExecutors", one.free_executors);
  object.number("wasteCpu", one.packing.waste_cpu);
  object.number("wasteMemory", one.packing.waste_memory);
  write_shape(object, writer, one);
  object.key("unknown");
  writer.StartArray();
  for (const std::string_view name : kUnknownOnANode)
    writer.String(name.data(), static_cast<rapidjson::SizeType>(name.size()));
  writer.EndArray();
  object.key("inputs");
  Object inputs(writer);
  write_resources(inputs, writer, "capacity", one.capacity);
  write_resources(inputs, writer, "daemonsets", one.daemonsets);
  write_resources(inputs, writer, "requested", one.requested);
  write_resources(inputs, writer, "executor", one.executor);
  inputs.number("overheadFactor", one.overhead_factor);
}

}  // namespace flintgauge
