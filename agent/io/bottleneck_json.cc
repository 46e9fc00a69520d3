#include "agent/io/bottleneck_json.h"

namespace flintgauge {
namespace {

using json::Object;
using json::Writer;

void write_figures(Writer& writer, const BottleneckFigures& figures) {
  Object object(writer);
  object.number("busy", figures.busy);
  object.number("gc", figures.gc);
  object.number("spill", figures.spill);
  object.number("fetch", figures.fetch);
  object.number("write", figures.write);
  object.number("cpu", figures.cpu);
  object.number("throttled", figures.throttled);
  object.number("failed", figures.failed);
  object.number("skew", figures.skew);
  object.number("meanTaskSeconds", figures.mean_task_seconds);
}

}  // namespace

void write_bottleneck(Object& object, Writer& writer, const AppBottleneck& one, double since, bool explain) {
  object.number("sampleAgeSeconds", one.age_seconds + since);
  object.text("kind", to_string(one.result.kind));
  object.number("confidence", one.result.confidence);
  object.number("windowSeconds", one.input.window_seconds);
  object.key("causes");
  writer.StartArray();
  for (const BottleneckCause& cause : one.result.causes()) {
    Object item(writer);
    item.text("kind", to_string(cause.kind));
    item.number("share", cause.share);
    item.number("confidence", cause.confidence);
    item.number("figure", cause.figure);
    item.number("threshold", cause.threshold);
  }
  writer.EndArray();
  object.key("figures");
  write_figures(writer, one.result.figures);
  if (!explain) return;
  object.key("inputs");
  Object inputs(writer);
  inputs.number("windowSeconds", one.input.window_seconds);
  for (const InputField& field : kInputFields) inputs.number(field.name, one.input.*field.value);
}

}  // namespace flintgauge
