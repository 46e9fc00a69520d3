#include "agent/io/app_page_bottleneck.h"

#include <array>
#include <optional>
#include <string_view>

#include "agent/io/bottleneck_json.h"
#include "agent/io/html.h"
#include "agent/io/page_parts.h"

namespace flintgauge::html {
namespace {

void append_causes(const AppBottleneck& one, std::string& out) {
  begin_table("Cause", "Cost", "What decided", out);
  for (const BottleneckCause& cause : one.result.causes()) {
    append_row(to_string(cause.kind), percent(cause.share) + bar(cause.share, 1),
               text(cause.figure) + " against " + text(cause.threshold) + ", confidence " +
                   percent(cause.confidence),
               out);
  }
  out += "</tbody></table>";
}

void append_inputs(const BottleneckInput& in, std::string& out) {
  begin_table("Input", "Value", "Over the window; what is not known is left out", out);
  for (const InputField& field : kInputFields) {
    if (const auto& value = in.*field.value) append_row(field.name, text(*value), field.meaning, out);
  }
  out += "</tbody></table>";
}

/// Every figure by its formula, with the numbers of this window.
void append_steps(const BottleneckInput& in, const BottleneckFigures& figures, std::string& out) {
  const auto step = [&](std::string_view name, std::string_view formula, const std::optional<double>& a,
                        const std::optional<double>& b, const std::optional<double>& value) {
    if (!value || !a || !b) return;
    out.append("<li>").append(name).append(" = ").append(formula).append(" = ");
    out += text(a) + " / " + text(b) + " = <b>" + text(value) + "</b></li>";
  };
  out += "<ol class=\"steps\">";
  step("busy", "active tasks / slots", in.active_tasks, in.slots, figures.busy);
  step("gc", "GC seconds / run seconds", in.gc_seconds, in.run_seconds, figures.gc);
  step("fetch", "seconds waiting for shuffle / run seconds", in.fetch_wait_seconds, in.run_seconds,
       figures.fetch);
  step("write", "seconds writing shuffle / run seconds", in.shuffle_write_seconds, in.run_seconds,
       figures.write);
  step("cpu", "CPU seconds / run seconds", in.cpu_seconds, in.run_seconds, figures.cpu);
  const auto sum = [](const std::optional<double>& a,
                      const std::optional<double>& b) -> std::optional<double> {
    if (!a && !b) return std::nullopt;
    return a.value_or(0) + b.value_or(0);
  };
  step("spill", "bytes spilled / bytes read", in.disk_spilled_bytes,
       sum(in.input_bytes, in.shuffle_read_bytes), figures.spill);
  step("failed", "tasks failed / tasks ended", in.tasks_failed, sum(in.tasks_failed, in.tasks_completed),
       figures.failed);
  step("mean task", "run seconds / tasks completed", in.run_seconds, in.tasks_completed,
       figures.mean_task_seconds);
  step("throttled", "periods throttled / periods", in.cfs_throttled_periods, in.cfs_periods,
       figures.throttled);
  step("skew", "longest task / median task", in.stage_max_seconds, in.stage_median_seconds, figures.skew);
  out += "</ol>";
}

struct Remedy {
  BottleneckKind kind;
  std::string_view words;
};
constexpr auto kRemedies = std::to_array<Remedy>({
    {BottleneckKind::kOom, "more memory, or fewer tasks at once in an executor"},
    {BottleneckKind::kFailingTasks, "tasks that do not fail: the driver&rsquo;s log says why they do"},
    {BottleneckKind::kIdle, "a job that is submitted"},
    {BottleneckKind::kDriver, "less work in the driver: what it collects, lists or plans"},
    {BottleneckKind::kSkew, "keys that are spread more evenly"},
    {BottleneckKind::kParallelism, "more partitions than slots"},
    {BottleneckKind::kGc, "more heap, or fewer objects"},
    {BottleneckKind::kSpill, "more memory a task: larger executors, or more partitions"},
    {BottleneckKind::kShuffleRead, "less to shuffle, or a faster network and disks"},
    {BottleneckKind::kShuffleWrite, "less to shuffle, or faster disks"},
    {BottleneckKind::kCpuLimit, "no CPU limit, or a higher one"},
    {BottleneckKind::kSmallTasks, "fewer, larger partitions"},
    {BottleneckKind::kQuota, "room in the namespace&rsquo;s quota"},
    {BottleneckKind::kScheduling, "nodes with room for the executors that wait"},
    {BottleneckKind::kMaxExecutors, "a higher spark.dynamicAllocation.maxExecutors"},
    {BottleneckKind::kSlots, "more executors: see above how many"},
    {BottleneckKind::kCpu, "more cores, or less to compute"},
    {BottleneckKind::kIoWait, "faster storage, or less to read"},
});

std::string_view what_would_change(BottleneckKind kind) {
  for (const auto& [known, words] : kRemedies) {
    if (known == kind) return words;
  }
  return "more and complete data";
}

}  // namespace

void append_bottleneck(const AppBottleneck* one, std::string& out) {
  if (one == nullptr) return;
  begin_section("Held back by", "judged over " + age_text(one->input.window_seconds), out);
  if (one->result.count == 0) {
    out += one->input.window_seconds > 0 ? "<p class=\"none\">The data do not decide.</p>"
                                         : "<p class=\"none\">The first window is not full yet.</p>";
  } else {
    append_causes(*one, out);
  }
  const BottleneckFigures& f = one->result.figures;
  const auto figure = [&](std::string_view name, const std::optional<double>& value) {
    return std::string(name) + ' ' + (value ? percent(*value) : "&ndash;");
  };
  out += "<p class=\"note\">" + figure("Slots busy", f.busy) +
         " &middot; of the tasks' time: " + figure("CPU", f.cpu) + ", " + figure("GC", f.gc) + ", " +
         figure("waiting for shuffle", f.fetch) + ", " + figure("writing shuffle", f.write) + " &middot; " +
         figure("spilled of what was read", f.spill) + " &middot; " + figure("tasks failed", f.failed) +
         " &middot; " + figure("CPU periods throttled", f.throttled) +
         "</p><p class=\"note\">What would change it: " + std::string(what_would_change(one->result.kind)) +
         ".</p>";
  append_inputs(one->input, out);
  append_steps(one->input, f, out);
  out += "</div>";
}

}  // namespace flintgauge::html
