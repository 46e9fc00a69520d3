#include "agent/io/app_page.h"

#include <algorithm>
#include <array>
#include <optional>

#include "agent/io/app_page_bottleneck.h"
#include "agent/io/app_page_capacity.h"
#include "agent/io/app_page_vertical.h"
#include "agent/io/hints_json.h"
#include "agent/io/html.h"
#include "agent/io/page_parts.h"

namespace flintgauge {
namespace {

using html::append_row;
using html::append_tile;
using html::begin_section;
using html::begin_table;
using html::escaped;
using html::explain;
using html::percent;
using html::text;

void append_inputs(const AppHint& hint, std::string& out) {
  const HorizontalInput& in = hint.input;
  begin_table("Input", "Value", "What it is", out);
  append_row("E", text(in.executors), "executors registered with the driver", out);
  append_row("X", text(in.executor_pods), "executor pods, pending ones included", out);
  append_row("B", text(in.busy_executors),
             "busy: running a task, or holding cached blocks or tracked shuffle files", out);
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

/// Which case of docs/hints.md 1.3 the work is, with its numbers.
std::string need_step(const HorizontalInput& in, const HorizontalHint& h, double target) {
  if (in.running_tasks + in.pending_tasks + in.unschedulable_sets <= 0) return "need: nothing runs or waits";
  if (in.drain_target_seconds <= 0 || in.confidence < 0.3 || in.mean_task_seconds <= 0)
    return "need = parity, since T = 0, k &lt; 0.3, or d is not known";
  const double slots = in.executors * in.tasks_per_executor;
  const std::string work = text(h.work_task_seconds);
  const std::string by_all =
      "ceil(W / (c &middot; Te)) = ceil(" + work + " / " + text(in.tasks_per_executor * target) + ")";
  std::string drain;
  if (slots > 0 && h.work_task_seconds <= slots * in.startup_seconds) {
    drain = "W &le; E &middot; c &middot; S = " + text(slots * in.startup_seconds) +
            ", done before a new executor could help: min(E, " + by_all + ")";
  } else if (h.work_task_seconds > slots * target) {
    drain = "W &gt; E &middot; c &middot; Te = " + text(slots * target) +
            ": E + ceil((W - E &middot; c &middot; Te) / (c &middot; (Te - S))) = " + text(in.executors) +
            " + ceil((" + work + " - " + text(slots * target) + ") / " +
            text(in.tasks_per_executor * (target - in.startup_seconds)) + ")";
  } else {
    drain = by_all;
  }
  return "need = " + drain + ", at most parity, at least ceil(R / c) = ceil(" + text(in.running_tasks) +
         " / " + text(in.tasks_per_executor) + ")";
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
  step(need_step(in, h, target), h.need);
  step("raw = need within [min, max]", h.raw);
  step("safe = raw, but no busy executor is given up", h.safe);
  step("desired = safe, as far as the lesser of H and H cluster has room", h.desired);
  const ConfidenceTerms& seen = hint.confidence_terms;
  step(
      "confidence = min(1, tasks ended / 30) &middot; min(1, seconds seen / 60) &middot; (1 - age / greatest "
      "age) = min(1, " +
          text(seen.completed_tasks) + " / 30) &middot; min(1, " + text(seen.observed_seconds) +
          " / 60) &middot; (1 - " + text(hint.age_seconds) + " / " + text(seen.max_age_seconds) + ")",
      hint.confidence);
  step("stable = the greatest desired of 300 s, of " + std::to_string(hint.stable_window.size()) +
           " that no later one exceeds",
       hint.stable);
  step("wasted core-seconds = before + idle cores &middot; seconds = " + text(hint.waste.before) + " + " +
           text(hint.waste.idle_cores) + " &middot; " + text(hint.waste.seconds),
       hint.wasted_core_seconds);
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
      return "It falls as executors end their tasks and give up what they hold for others.";
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
  html::append_bottleneck(hints.bottleneck, out);
  append_horizontal(hints.horizontal, out);
  html::append_vertical(hints.vertical, out);
  html::append_quota(hints.quota, out);
  html::append_sideways(hints.sideways, out);
  html::append_pool(report.pools, app.app, out);
  const std::string api =
      "/api/v1/hints/" + escaped(app.app.namespace_name) + '/' + escaped(app.app.app_id) + "?explain=1";
  out += "</main><footer><a href=\"/\">All applications</a><a href=\"" + api +
         "\">Every term (JSON)</a></footer></body></html>\n";
  return out;
}

}  // namespace flintgauge
