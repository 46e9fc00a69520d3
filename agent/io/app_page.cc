#include "agent/io/app_page.h"

#include <algorithm>
#include <array>
#include <optional>

#include "agent/io/app_page_vertical.h"
#include "agent/io/hints_json.h"
#include "agent/io/html.h"
#include "agent/io/page_parts.h"
#include "agent/io/sideways_json.h"

namespace flintgauge {
namespace {

using html::append_row;
using html::append_tile;
using html::begin_section;
using html::begin_table;
using html::bytes_text;
using html::escaped;
using html::explain;
using html::percent;
using html::text;

void append_inputs(const AppHint& hint, std::string& out) {
  const HorizontalInput& in = hint.input;
  begin_table("Input", "Value", "What it is", out);
  append_row("E", text(in.executors), "executors registered with the driver", out);
  append_row("X", text(in.executor_pods), "executor pods, pending ones included", out);
  append_row("B", text(in.busy_executors), "busy: running a task, or holding cached blocks", out);
  append_row("R", text(in.running_tasks), "tasks running", out);
  append_row("P", text(in.pending_tasks), "tasks of active stages that wait", out);
  append_row("c", text(in.tasks_per_executor), "tasks an executor runs at once", out);
  append_row("a", text(in.allocation_ratio), "spark.dynamicAllocation.executorAllocationRatio", out);
  append_row("d", text(in.mean_task_seconds) + " s", "mean time of a task; 0: not known", out);
  append_row("T", text(in.drain_target_seconds) + " s", "drain target: hints.drain_target", out);
  append_row("S", text(in.startup_seconds) + " s",
             hint.startups > 0 ? "pod creation to registration, median of " + std::to_string(hint.startups) +
                                     " executors on this node"
                               : std::string("start-up of an executor: hints.startup"),
             out);
  append_row("min, max", text(in.min_executors) + ", " + text(in.max_executors),
             hint.has_dynamic_allocation ? "the narrower of the settings and of dynamic allocation's own"
                                         : "hints.min_executors, hints.max_executors",
             out);
  append_row("H", text(in.quota_headroom_executors), "room in the namespace's quota; a dash: not known", out);
  append_row("H cluster", text(in.cluster_headroom_executors),
             "room on the cluster's nodes; a dash: not known, which only a hub can", out);
  append_row("N", text(in.max_needed_executors),
             "numberMaxNeededExecutors of dynamic allocation; a dash: off, or not told", out);
  append_row("k", text(in.confidence), "confidence, without the age of the data", out);
  out += "</tbody></table>";
}

void append_steps(const AppHint& hint, std::string& out) {
  const HorizontalInput& in = hint.input;
  const HorizontalHint& h = hint.hint;
  const double target = std::max(in.drain_target_seconds, 2 * in.startup_seconds);
  const auto step = [&](const std::string& formula, double value) {
    out += "<li>" + formula + " = <b>" + text(value) + "</b></li>";
  };
  out += "<ol class=\"steps\">";
  step(std::string(in.max_needed_executors ? "parity = N, unless 0 beside tasks; by the rule "
                                           : "parity = ceil((R + P) &middot; a / c) = ") +
           "ceil((" + text(in.running_tasks) + " + " + text(in.pending_tasks) + ") &middot; " +
           text(in.allocation_ratio) + " / " + text(in.tasks_per_executor) + ")",
       h.parity);
  step("W = P &middot; d + R &middot; d / 2 = " + text(in.pending_tasks) + " &middot; " +
           text(in.mean_task_seconds) + " + " + text(in.running_tasks) + " &middot; " +
           text(in.mean_task_seconds) + " / 2",
       h.work_task_seconds);
  step("Te = max(T, 2 &middot; S)", target);
  step("need: executors that end W within Te, at most parity, at least ceil(R / c)", h.need);
  step("raw = need within [min, max]", h.raw);
  step("safe = raw, but no busy executor is given up", h.safe);
  step("desired = safe, as far as the lesser of H and H cluster has room", h.desired);
  out += "</ol>";
}

std::string_view what_would_change(HintReason reason) {
  switch (reason) {
    case HintReason::kIdle:
      return "A job that is submitted.";
    case HintReason::kBacklog:
      return "More or longer tasks raise it, a longer hints.drain_target lowers it.";
    case HintReason::kStartupBound:
      return "More than W = E &middot; c &middot; S of work raises it: until then a new executor comes too "
             "late.";
    case HintReason::kDrain:
      return "More or longer tasks raise it, fewer lower it.";
    case HintReason::kParity:
      return "More tasks raise it: there are as many slots as tasks. Known task times may lower it.";
    case HintReason::kMin:
      return "A lower minimum lowers it.";
    case HintReason::kMax:
      return "A higher maximum raises it: hints.max_executors, or spark.dynamicAllocation.maxExecutors.";
    case HintReason::kQuota:
      return "Room in the namespace's ResourceQuota, or on the cluster's nodes where that is less, raises "
             "it.";
    case HintReason::kBusyFloor:
      return "It falls as executors end their tasks and give up their cached blocks.";
    case HintReason::kStale:
      return "Fresh data of the driver.";
  }
  return {};
}

void append_horizontal(const AppHint* hint, std::string& out) {
  begin_section("Executors", "how many the application should have", out);
  if (hint == nullptr) {
    out +=
        "<p class=\"none\">No fresh hint: the application is not driven from this node, or its driver has "
        "not "
        "answered lately.</p></div>";
    return;
  }
  append_inputs(*hint, out);
  append_steps(*hint, out);
  out.append("<p class=\"note\">Decided by <b>").append(to_string(hint->hint.reason)).append("</b>: ");
  out.append(explain(hint->hint.reason)).append(". What would change it: ");
  out.append(what_would_change(hint->hint.reason)).append("</p>");
  for (const QueryHint& query : hint->queries) {
    out += "<p class=\"note\">Streaming query " + escaped(query.query) + ": " + text(query.input.input_rate) +
           " rows a second arrive, " + text(query.input.processing_rate) +
           " are processed; slower than its input for " + text(query.input.batches_behind) + " batches: <b>" +
           text(query.executors) + "</b> executors by its rate</p>";
  }
  out += "</div>";
}

void append_causes(const AppBottleneck& one, std::string& out) {
  begin_table("Cause", "Cost", "What decided", out);
  for (const BottleneckCause& cause : one.result.causes()) {
    append_row(to_string(cause.kind), percent(cause.share) + html::bar(cause.share, 1),
               text(cause.figure) + " against " + text(cause.threshold) + ", confidence " +
                   percent(cause.confidence),
               out);
  }
  out += "</tbody></table>";
}

void append_bottleneck(const AppBottleneck* one, std::string& out) {
  if (one == nullptr) return;
  begin_section("Held back by", "judged over " + html::age_text(one->input.window_seconds), out);
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
         " &middot; " + figure("CPU periods throttled", f.throttled) + "</p></div>";
}

void append_quota(const AppQuota* one, std::string& out) {
  if (one == nullptr || one->advice.pressure == QuotaPressure::kNone ||
      one->advice.pressure == QuotaPressure::kUnknown) {
    return;
  }
  begin_section("Quota", "seen from this node, which knows no quota", out);
  out +=
      "<p class=\"none\">" + std::string(to_string(one->advice.pressure)) + " (confidence " +
      percent(one->advice.confidence) + "): dynamic allocation asks for " + text(one->input.target) +
      " executors, " + text(one->input.executors) + " are there, for " + text(one->input.shortfall_seconds) +
      " s, and no executor pod is starting here. Either the namespace's quota refuses them, or no node has "
      "room for them.</p><p class=\"note\">Settings that help: spark.dynamicAllocation.maxExecutors=" +
      text(one->advice.dynamic_allocation_max_executors) +
      ", spark.executor.maxNumFailures=" + text(one->advice.executor_max_num_failures) + "</p></div>";
}

std::string amount_of(std::string_view resource, double amount) {
  return resource == "memory" ? bytes_text(amount) : text(amount) + " " + std::string(resource);
}

std::string_view what_would_change(SidewaysCode code) {
  switch (code) {
    case SidewaysCode::kFits:
      return "More pods on this node use the room up.";
    case SidewaysCode::kNoFreeNode:
      return "A pod here that ends, or a smaller executor.";
    case SidewaysCode::kNeverFits:
      return "A smaller executor, as the shape below, or larger nodes.";
    default:
      return "What only a hub can know.";
  }
}

void append_sideways_inputs(const AppSideways& one, std::string& out) {
  begin_table("Input", "Value", "What it is", out);
  const auto both = [](const NodeResources& resources) {
    return text(resources.cpu_cores) + " cores, " + bytes_text(resources.memory_bytes);
  };
  append_row("executor", both(one.executor), "requests of the largest executor here", out);
  append_row("node", both(one.capacity), "its capacity", out);
  append_row("daemonsets", both(one.daemonsets), "requests that every node has", out);
  append_row("requested", both(one.requested), "by all pods here", out);
  out += "</tbody></table>";
}

void append_sideways_steps(const AppSideways& one, std::string& out) {
  const auto step = [&](const std::string& formula, const std::string& value) {
    out += "<li>" + formula + " = <b>" + value + "</b></li>";
  };
  out += "<ol class=\"steps\">";
  step(
      "executors that an empty node like this would hold = min over cpu, memory of floor((node - daemonsets) "
      "/ executor)",
      text(one.packing.executors));
  step("executors that still fit here = the same of (node - requested)", text(one.free_executors));
  step("waste = 1 - executors &middot; executor / (node - daemonsets)",
       percent(one.packing.waste_cpu) + " CPU, " + percent(one.packing.waste_memory) + " memory");
  if (const auto& shape = one.result.shape) {
    step("shape that fills it, " + text(shape->executors_per_node) + " a node, at most",
         text(shape->cores) + " cores, " + bytes_text(shape->memory_bytes) +
             (one.overhead_factor ? ", heap " + bytes_text(shape->heap_bytes) : ", heap not known"));
  }
  out += "</ol>";
}

void append_sideways(const AppSideways* one, std::string& out) {
  if (one == nullptr) return;
  begin_section("This node", "upper bounds: capacity is more than what pods may use", out);
  append_sideways_inputs(*one, out);
  append_sideways_steps(*one, out);
  out.append("<p class=\"note\">One more executor here: <b>")
      .append(to_string(one->result.code))
      .append("</b>");
  if (!one->result.resource.empty()) out += ", lacking " + amount_of(one->result.resource, one->result.gap);
  out.append(". What would change it: ").append(what_would_change(one->result.code));
  out += " Not known to a node: ";
  for (const std::string_view name : kUnknownOnANode) {
    if (name != kUnknownOnANode.front()) out += ", ";
    out.append(name);
  }
  out += ".</p></div>";
}

void append_tiles(const HintsOfApp& hints, std::string& out) {
  const auto or_dash = [](const AppHint* hint, double value) {
    return hint ? text(value) : std::string("&ndash;");
  };
  const AppHint* hint = hints.horizontal;
  out += "<div class=\"tiles\">";
  append_tile("Executors now", or_dash(hint, hint ? hint->input.executors : 0), false, out);
  append_tile("Executors wanted", or_dash(hint, hint ? hint->hint.desired : 0), false, out);
  append_tile("Spark's own rule", or_dash(hint, hint ? hint->hint.parity : 0), false, out);
  append_tile("Confidence", hint ? percent(hint->confidence) : std::string("&ndash;"), false, out);
  const bool is_known = hints.bottleneck != nullptr;
  append_tile("Held back by",
              is_known ? std::string(to_string(hints.bottleneck->result.kind)) : std::string("&ndash;"),
              false, out);
  out += "</div>";
}

}  // namespace

std::string app_page(const AppRow& app, const Block& derived, const PageTitle& title, const Now& now) {
  const Report& report = *derived.report;
  const HintsOfApp hints = hints_of(report, app.app.namespace_name, app.app.app_id);
  std::string out;
  html::append_head(title, html::seconds_between(report.at.steady, now.steady), out);
  out += "<h2>" + escaped(app.name.empty() ? app.app.app_id : app.name) + "<small>" +
         escaped(app.app.namespace_name) + " / " + escaped(app.app.app_id) + "</small></h2>";
  append_tiles(hints, out);
  append_bottleneck(hints.bottleneck, out);
  append_horizontal(hints.horizontal, out);
  html::append_vertical(hints.vertical, out);
  append_quota(hints.quota, out);
  append_sideways(hints.sideways, out);
  const std::string api =
      "/api/v1/hints/" + escaped(app.app.namespace_name) + '/' + escaped(app.app.app_id) + "?explain=1";
  out += "</main><footer><a href=\"/\">All applications</a><a href=\"" + api +
         "\">Every term (JSON)</a></footer></body></html>\n";
  return out;
}

}  // namespace flintgauge
