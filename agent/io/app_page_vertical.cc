#include "agent/io/app_page_vertical.h"

#include <string_view>

#include "agent/io/html.h"
#include "agent/io/page_parts.h"

namespace flintgauge::html {
namespace {

std::string_view explain(VerticalReason reason) {
  switch (reason) {
    case VerticalReason::kPeaks:
      return "its peaks and their margin. Higher or lower peaks change it";
    case VerticalReason::kGc:
      return "garbage collection takes more than a tenth of the tasks' time. Less of it lowers this";
    case VerticalReason::kOom:
      return "an executor ran out of memory with less. Seven days without lower it";
    case VerticalReason::kStep:
      return "a fifth less than now: the next run goes further";
    case VerticalReason::kLowConfidence:
      return "as it is now: too little was seen to go lower. More runs change it";
    case VerticalReason::kQuiet:
      return "as it is now: nothing says that more is needed";
    case VerticalReason::kLeast:
      return "Spark's least overhead, 384 MiB";
    case VerticalReason::kSetting:
      return "as it is configured: not measured";
  }
  return {};
}

struct Column {
  MemoryParts now;
  const VerticalHint& hint;
};

void append_part(std::string_view name, MemoryPart part, const Column& column, std::string_view why,
                 std::string& out) {
  const double wanted = column.hint.target[part];
  const double now = column.now[part];
  append_row(name, bytes_text(wanted),
             "now " + bytes_text(now) + ", between " + bytes_text(column.hint.lower[part]) + " and " +
                 bytes_text(column.hint.upper[part]) + (why.empty() ? "" : "; ") + std::string(why),
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

void append_steps(const VerticalInput& in, const VerticalHint& hint, std::string& out) {
  const auto step = [&](const std::string& formula, const std::string& value) {
    out += "<li>" + formula + " = <b>" + value + "</b></li>";
  };
  out += "<ol class=\"steps\">";
  if (in.is_driver) {
    step("confidence = min(1, runs / 5) = min(1, " + text(in.runs) + " / 5)", text(hint.confidence));
  } else {
    step("confidence = min(1, runs / 5) &middot; min(1, executors / 10) = min(1, " + text(in.runs) +
             " / 5) &middot; min(1, " + text(in.executors) + " / 10)",
         text(hint.confidence));
  }
  if (hint.has_memory) {
    step("heap used &middot; 1.15 = " + bytes_text(in.heap.p90) + " &middot; 1.15",
         bytes_text(hint.heap_need_bytes));
    step("storage and execution / spark.memory.fraction + 300 MiB = " + bytes_text(in.unified.p95) + " / " +
             text(in.memory_fraction) + " + 300 MiB",
         bytes_text(hint.unified_need_bytes));
    step("beside the heap &middot; 1.15 = (" + bytes_text(in.non_heap.p90) + " + Python " +
             (in.pyspark_bytes > 0 ? "apart" : bytes_text(in.python.p90)) + ") &middot; 1.15",
         bytes_text(hint.overhead_need_bytes));
  }
  if (hint.has_cpu) {
    step("CPU &middot; 1.15 = " + text(in.cpu_cores.p90) + " &middot; 1.15",
         text(hint.cpu_target_cores) + " cores");
  }
  out += "</ol>";
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
  append_parts(in, hint, out);
  append_steps(in, hint, out);
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
