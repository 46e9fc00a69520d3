#include "agent/io/app_page_vertical.h"

#include <string_view>

#include "agent/io/html.h"
#include "agent/io/page_parts.h"

namespace flintgauge::html {
namespace {

/// As Spark's settings are written, so that the sums can be redone by hand.
std::string mib(double bytes) { return number_text(bytes / kBytesPerMiB, 1) + " MiB"; }

std::string_view explain(VerticalReason reason) {
  switch (reason) {
    case VerticalReason::kPeaks:
      return "its peaks and their margin";
    case VerticalReason::kGc:
      return "garbage collection takes more than a tenth of the tasks' time";
    case VerticalReason::kOom:
      return "it ran out of memory with less";
    case VerticalReason::kStep:
      return "a fifth less than now";
    case VerticalReason::kLowConfidence:
      return "as it is now: too little was seen to go lower";
    case VerticalReason::kQuiet:
      return "as it is now: nothing says that more is needed";
    case VerticalReason::kLeast:
      return "Spark's least overhead, 384 MiB";
    case VerticalReason::kSetting:
      return "as it is configured: not measured";
  }
  return {};
}

std::string_view what_would_change(VerticalReason reason, MemoryPart part) {
  switch (reason) {
    case VerticalReason::kPeaks:
      return "higher or lower peaks";
    case VerticalReason::kGc:
      return "less garbage collection lowers it";
    case VerticalReason::kOom:
      return "seven days without such an error lower it";
    case VerticalReason::kStep:
      return "the next run goes further down";
    case VerticalReason::kLowConfidence:
      return "more runs lower it";
    case VerticalReason::kQuiet:
      return part == MemoryPart::kHeap ? "an out-of-memory error or long collections raise it"
                                       : "an out-of-memory error or a full container raises it";
    case VerticalReason::kLeast:
      return "higher peaks beside the heap raise it";
    case VerticalReason::kSetting:
      return "its container on this node, or its peaks beside the heap, would be a measurement";
  }
  return {};
}

/// The term that decided, with its numbers; sizes are in steps, so the result may be a step larger.
std::string deciding_term(VerticalReason reason, double now, double floor) {
  switch (reason) {
    case VerticalReason::kGc:
      return "now &middot; 1.2 = " + mib(now) + " &middot; 1.2";
    case VerticalReason::kOom:
      return "what ran out proves " + mib(floor);
    case VerticalReason::kStep:
      return "now &middot; 0.8 = " + mib(now) + " &middot; 0.8";
    case VerticalReason::kLowConfidence:
    case VerticalReason::kQuiet:
    case VerticalReason::kSetting:
      return "now = " + mib(now);
    case VerticalReason::kPeaks:
    case VerticalReason::kLeast:
      break;
  }
  return "the need";
}

struct Column {
  MemoryParts now;
  const VerticalHint& hint;
};

void append_part(std::string_view name, MemoryPart part, const Column& column, std::string_view why,
                 std::string& out) {
  const double wanted = column.hint.target[part];
  const double now = column.now[part];
  append_row(name, mib(wanted),
             "now " + mib(now) + ", between " + mib(column.hint.lower[part]) + " and " +
                 mib(column.hint.upper[part]) + (why.empty() ? "" : "; ") + std::string(why),
             out);
}

void append_parts(const VerticalInput& in, const VerticalHint& hint, std::string& out) {
  begin_table("Part", "Should have", "What it has, and why", out);
  if (hint.has_memory) {
    const Column column{memory_now(in), hint};
    append_part("heap", MemoryPart::kHeap, column, explain(hint.heap_reason), out);
    append_part("overhead", MemoryPart::kOverhead, column, explain(hint.overhead_reason), out);
    if (hint.target[MemoryPart::kOffHeap] > 0)
      append_part("off-heap", MemoryPart::kOffHeap, column, explain(VerticalReason::kSetting), out);
    if (hint.target[MemoryPart::kPyspark] > 0) append_part("Python", MemoryPart::kPyspark, column, {}, out);
    append_part("container", MemoryPart::kTotal, column, "request and limit", out);
  }
  if (hint.has_cpu) {
    append_row("CPU", text(hint.cpu_target_cores) + " cores",
               "now " + text(in.request_cores) + ", between " + text(hint.cpu_lower_cores) + " and " +
                   text(hint.cpu_upper_cores) + ": a request, no limit",
               out);
  }
  out += "</tbody></table>";
}

std::string spread_text(const Spread& spread, bool is_bytes) {
  if (spread.p90 <= 0) return "&ndash;";
  const auto one = [&](double value) { return is_bytes ? mib(value) : text(value); };
  return one(spread.p50) + ", " + one(spread.p90) + ", " + one(spread.p95);
}

std::string or_dash(double bytes) { return bytes > 0 ? mib(bytes) : "&ndash;"; }

void append_peaks(const VerticalInput& in, std::string& out) {
  append_row("heap", spread_text(in.heap, true), "peaks of the JVM heap used", out);
  append_row("unified", spread_text(in.unified, true), "peaks of storage and execution memory in the heap",
             out);
  append_row("nonHeap", spread_text(in.non_heap, true), "peaks of what is beside heap, off-heap and Python",
             out);
  append_row("python", spread_text(in.python, true), "peaks of the Python workers", out);
  append_row("container", spread_text(in.container, true), "peaks of the container, where it is on this node",
             out);
  append_row("cpu", spread_text(in.cpu_cores, false), "cores of the container, a sample a minute", out);
}

void append_inputs(const VerticalInput& in, std::string& out) {
  begin_table("Input", "Value", "What it is; of three values: median, 90th and 95th percentile", out);
  append_row("heap now", or_dash(in.heap_bytes),
             in.is_driver ? "spark.driver.memory" : "spark.executor.memory", out);
  append_row("overhead now", or_dash(in.overhead_bytes), "memoryOverhead, or what Spark makes of its factor",
             out);
  if (in.offheap_bytes > 0)
    append_row("off-heap now", mib(in.offheap_bytes), "spark.memory.offHeap.size", out);
  if (in.pyspark_bytes > 0)
    append_row("Python now", mib(in.pyspark_bytes), "spark.executor.pyspark.memory", out);
  append_row("fraction", text(in.memory_fraction), "spark.memory.fraction", out);
  append_row("CPU now", text(in.request_cores) + " cores", "request", out);
  append_peaks(in, out);
  append_row("g", in.gc_ratio ? percent(*in.gc_ratio) : "&ndash;", "of the tasks' time in garbage collection",
             out);
  append_row("floors", or_dash(in.heap_floor_bytes) + ", " + or_dash(in.overhead_floor_bytes),
             "of heap and overhead: what out-of-memory errors of seven days prove", out);
  append_row("runs", text(in.runs), "of this job, seen on this node", out);
  if (!in.is_driver) append_row("executors", text(in.executors), "of all these runs", out);
  out += "</tbody></table>";
}

void append_step(const std::string& formula, const std::string& value, std::string& out) {
  out += "<li>" + formula + " = <b>" + value + "</b></li>";
}

void append_memory_steps(const VerticalInput& in, const VerticalHint& hint, std::string& out) {
  append_step("heap used &middot; 1.15 = " + mib(in.heap.p90) + " &middot; 1.15", mib(hint.heap_need_bytes),
              out);
  if (in.unified.p95 > 0) {
    append_step("unified / fraction + 300 MiB = " + mib(in.unified.p95) + " / " + text(in.memory_fraction) +
                    " + 300 MiB",
                mib(hint.unified_need_bytes), out);
  }
  const auto held = [](VerticalReason reason, double now, double floor) {
    return ", held against now (" + std::string(to_string(reason)) +
           "): " + deciding_term(reason, now, floor);
  };
  append_step(
      "heap = the larger, in steps of 256 MiB" + held(hint.heap_reason, in.heap_bytes, in.heap_floor_bytes),
      mib(hint.target[MemoryPart::kHeap]), out);
  append_step("beside the heap &middot; 1.15 = (" + or_dash(in.non_heap.p90) + " + Python " +
                  (in.pyspark_bytes > 0 ? "apart" : or_dash(in.python.p90)) + ") &middot; 1.15",
              mib(hint.overhead_need_bytes), out);
  append_step("overhead = that, at least 384 MiB, in steps of 64 MiB" +
                  held(hint.overhead_reason, in.overhead_bytes, in.overhead_floor_bytes),
              mib(hint.target[MemoryPart::kOverhead]), out);
  append_step("container = heap + overhead + off-heap + Python", mib(hint.target[MemoryPart::kTotal]), out);
}

void append_steps(const VerticalInput& in, const VerticalHint& hint, std::string& out) {
  out += "<ol class=\"steps\">";
  if (in.is_driver) {
    append_step("confidence = min(1, runs / 5) = min(1, " + text(in.runs) + " / 5)", text(hint.confidence),
                out);
  } else {
    append_step("confidence = min(1, runs / 5) &middot; min(1, executors / 10) = min(1, " + text(in.runs) +
                    " / 5) &middot; min(1, " + text(in.executors) + " / 10)",
                text(hint.confidence), out);
  }
  if (hint.has_memory) append_memory_steps(in, hint, out);
  if (hint.has_cpu) {
    append_step("CPU &middot; 1.15 = " + text(in.cpu_cores.p90) + " &middot; 1.15, at least 0.025",
                text(hint.cpu_target_cores) + " cores", out);
  }
  out += "</ol>";
}

void append_change(const VerticalHint& hint, std::string& out) {
  out += "<p class=\"note\">What would change it: ";
  if (hint.has_memory) {
    out.append("of the heap, ").append(what_would_change(hint.heap_reason, MemoryPart::kHeap));
    out.append("; of the overhead, ").append(what_would_change(hint.overhead_reason, MemoryPart::kOverhead));
    if (hint.has_cpu) out += "; ";
  }
  if (hint.has_cpu) out += "of the CPU, busier or quieter minutes";
  out += ".</p>";
}

/// What is beside the sums: what ran out, and how the slots are used.
void append_notes(const AppVerticalHint& one, std::string& out) {
  out += "<p class=\"note\">Out of memory since the agent first saw it: " + text(one.heap_ooms) +
         " executors of their heap, " + text(one.container_ooms) + " of their container &middot; GC takes " +
         (one.input.gc_ratio ? percent(*one.input.gc_ratio) : std::string("&ndash;")) +
         " of the tasks' time &middot; tasks compute in " +
         (one.slot_efficiency >= 0 ? percent(one.slot_efficiency) : std::string("&ndash;")) +
         " of the slots' time</p>";
}

void append_settings(const VerticalInput& in, const VerticalHint& hint, std::string& out) {
  out += "<pre class=\"note paste\">";
  for (const std::string& line : vertical_lines(in, hint)) out += escaped(line) + '\n';
  out += "</pre></div>";
}

void append_size(std::string_view whose, const std::string& job_name, const VerticalInput& in,
                 const VerticalHint& hint, std::string& out) {
  begin_section(
      "Size of " + std::string(whose),
      "for the next run, from " + text(in.runs) + " runs of " + escaped(job_name) + " seen on this node",
      out);
  append_inputs(in, out);
  append_steps(in, hint, out);
  append_parts(in, hint, out);
  append_change(hint, out);
}

}  // namespace

void append_vertical(const AppVerticalHint* one, std::string& out) {
  if (one == nullptr) return;
  if (one->hint.has_memory || one->hint.has_cpu) {
    append_size("an executor", one->job_name, one->input, one->hint, out);
    append_notes(*one, out);
    append_settings(one->input, one->hint, out);
  }
  if (!one->driver) return;
  append_size("the driver", one->job_name, one->driver->input, one->driver->hint, out);
  append_settings(one->driver->input, one->driver->hint, out);
}

}  // namespace flintgauge::html
