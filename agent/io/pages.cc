#include "agent/io/pages.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "agent/io/api_json.h"
#include "agent/io/hints_json.h"
#include "agent/io/html.h"
#include "agent/io/page_parts.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {
namespace {

using html::age_text;
using html::append_cell;
using html::append_head;
using html::append_tile;
using html::bar;
using html::bytes_text;
using html::escaped;
using html::explain;
using html::number_text;
using html::seconds_between;

constexpr std::size_t kRowLimit = 500;  // of one table; the API has all

std::string use_of(const std::string& used, const std::string& whole, std::string_view word) {
  return used + "<div class=\"soft small\">of " + whole + ' ' + std::string(word) + "</div>";
}

std::string hint_cell(const AppHint* hint) {
  if (hint == nullptr) return "<span class=\"soft small\">no fresh hint</span>";
  const double current = hint->input.executors;
  std::string out = "<span class=\"hint\">" + number_text(current) + " &rarr; " +
                    number_text(hint->hint.desired) +
                    "</span> <span class=\"soft small\">executors</span><div class=\"soft small\">";
  out.append(explain(hint->hint.reason)).append(" (").append(to_string(hint->hint.reason)).append(")");
  if (hint->hint.unmet > 0) out += ", " + number_text(hint->hint.unmet) + " beyond the quota";
  return out + ", confidence " + number_text(hint->confidence * 100) + "&nbsp;%</div>";
}

/// With the page of the application behind it, where it has one.
std::string app_name_of(const AppRow& app) {
  const std::string name = escaped(app.name.empty() ? app.app.app_id : app.name);
  const std::string path = html::app_path(app.app.namespace_name, app.app.app_id);
  return path.empty() ? name : "<a href=\"" + path + "\">" + name + "</a>";
}

std::string bottleneck_line(const AppBottleneck* bottleneck) {
  if (bottleneck == nullptr || bottleneck->result.kind == BottleneckKind::kUnknown) return {};
  return "<div class=\"soft small\">held back by: " + std::string(to_string(bottleneck->result.kind)) +
         "</div>";
}

void append_app(const AppRow& app, const Report& report, std::string& out) {
  const AppHint* hint = find_app(report.hints, app.app.namespace_name, app.app.app_id);
  out += "<tr><td class=\"id app\"><b>" + app_name_of(app) + "</b> <span class=\"soft\">in " +
         escaped(app.app.namespace_name);
  if (!app.spark_version.empty()) out += " &middot; Spark " + escaped(app.spark_version);
  out += "</span><div class=\"soft small\">" + escaped(app.app.app_id) + "</div></td>";
  std::string pods = std::to_string(app.executor_pods) + " executors";
  pods +=
      "<div class=\"soft small\">" + std::string(app.driver_pods > 0 ? "driver here" : "driver elsewhere");
  if (app.pending_pods > 0) pods += ", " + std::to_string(app.pending_pods) + " pending";
  pods += "</div>";
  append_cell("Pods here", pods, out);
  append_cell("CPU",
              use_of(number_text(app.cpu_cores, 2), number_text(app.cpu_requests_cores, 1), "cores asked") +
                  bar(app.cpu_cores, app.cpu_requests_cores),
              out);
  append_cell("Memory",
              use_of(bytes_text(app.memory_working_set_bytes), bytes_text(app.memory_limits_bytes), "limit") +
                  bar(app.memory_working_set_bytes, app.memory_limits_bytes),
              out);
  std::string tasks = number_text(app.tasks_active) + " running<div class=\"soft small\">" +
                      number_text(app.tasks_pending) + " waiting";
  if (app.tasks_failed > 0) tasks += ", " + number_text(app.tasks_failed) + " failed";
  append_cell("Tasks", tasks + "</div>", out);
  append_cell(
      "Hint",
      hint_cell(hint) + bottleneck_line(find_app(report.bottlenecks, app.app.namespace_name, app.app.app_id)),
      out);
  out += "</tr>";
}

void append_rest(std::size_t rows, std::string_view where, std::string& out) {
  if (rows <= kRowLimit) return;
  out += "<p class=\"none\">" + std::to_string(rows - kRowLimit) + " more: <a href=\"" + std::string(where) +
         "\">" + std::string(where) + "</a></p>";
}

void append_apps(const Report& report, std::string& out) {
  out += "<h2>Applications<small>this node's share</small></h2><div class=\"sheet\">";
  if (report.apps.empty()) {
    out +=
        "<p class=\"none\">No Spark pod on this node. One is recognised by its label "
        "spark-app-selector.</p></div>";
    return;
  }
  out +=
      "<table><thead><tr><th>Application</th><th>Pods here</th><th>CPU</th><th>Memory</th><th>Tasks</th>"
      "<th>Hint: now &rarr; wanted</th></tr></thead><tbody>";
  for (const AppRow& app : std::span(report.apps).first(std::min(report.apps.size(), kRowLimit)))
    append_app(app, report, out);
  out += "</tbody></table>";
  append_rest(report.apps.size(), "/api/v1/apps", out);
  out += "</div>";
}

std::string_view shown_state(std::string_view word) {
  if (word == "not_offered") return "not offered";
  return word == "not_asked" ? "not asked yet" : word;
}

void append_target_name(const TargetState& state, bool is_down, std::string& out) {
  const Target& target = *state.target;
  out += "<td class=\"id\"><b>" + escaped(target.collector) + "</b>";
  if (!target.app.app_id.empty()) {
    out += " <span class=\"soft\">" + escaped(target.app.namespace_name) + " / " +
           escaped(target.app.app_id) + "</span>";
  }
  out += "<div class=\"soft small\">" + escaped(target.url) + "</div>";
  if (is_down && state.last_error) out += "<div class=\"error\">" + escaped(*state.last_error) + "</div>";
  out += "</td>";
}

void append_target(const TargetState& state, const Now& now, std::string& out) {
  const std::string_view word = state_word(state);
  const bool is_down = word == "down";
  const std::string_view style = word == "up" ? "up" : is_down ? "down" : "other";
  out += "<tr>";
  append_target_name(state, is_down, out);
  std::string shown =
      "<span class=\"state " + std::string(style) + "\">" + std::string(shown_state(word)) + "</span>";
  if (is_down) {
    shown += "<div class=\"soft small\">" + std::string(to_string(state.last_reason)) + ", " +
             std::to_string(state.consecutive_failures) + " in a row</div>";
  }
  append_cell("State", shown, out);
  std::string success = state.asked ? "never" : "&ndash;";
  if (state.ever_succeeded) success = age_text(seconds_between(state.last_success, now.steady)) + " ago";
  append_cell("Last success", success, out);
  append_cell("Took", state.asked ? number_text(state.duration_seconds * 1e3, 1) + " ms" : "&ndash;", out);
  append_cell("Samples", state.ever_succeeded ? std::to_string(state.counts.kept) : "&ndash;", out);
  out += "</tr>";
}

/// Those that need a look first, those that nobody asks last; otherwise the order of the block.
int rank(const TargetState& state) {
  const std::string_view word = state_word(state);
  if (word == "down") return 0;
  return word == "up" || word == "not_asked" ? 1 : 2;
}

std::vector<const TargetState*> by_need(const std::vector<TargetState>& targets) {
  std::vector<const TargetState*> order;
  order.reserve(targets.size());
  for (const TargetState& state : targets) order.push_back(&state);
  std::stable_sort(order.begin(), order.end(),
                   [](const TargetState* a, const TargetState* b) { return rank(*a) < rank(*b); });
  return order;
}

void append_targets(const std::vector<TargetState>& targets, const Now& now, std::string& out) {
  out += "<h2>Targets<small>what is asked, and how it fared</small></h2><div class=\"sheet\">";
  if (targets.empty()) {
    out += "<p class=\"none\">None yet.</p></div>";
    return;
  }
  out +=
      "<table><thead><tr><th>Target</th><th>State</th><th>Last success</th><th>Took</th><th>Samples</th></tr>"
      "</thead><tbody>";
  const std::vector<const TargetState*> order = by_need(targets);
  for (const TargetState* state : std::span(order).first(std::min(order.size(), kRowLimit)))
    append_target(*state, now, out);
  out += "</tbody></table>";
  append_rest(targets.size(), "/api/v1/targets", out);
  out += "</div>";
}

void append_tiles(const Block& derived, std::string& out) {
  std::size_t asked = 0;
  std::size_t up = 0;
  for (const TargetState& state : derived.targets) {
    if (!state.asked || state.not_offered) continue;
    ++asked;
    if (state.up) ++up;
  }
  const Report& report = *derived.report;
  double waiting = 0;
  for (const AppRow& app : report.apps) waiting += std::isfinite(app.tasks_pending) ? app.tasks_pending : 0;
  out += "<div class=\"tiles\">";
  append_tile("Targets up", std::to_string(up) + " <small>of " + std::to_string(asked) + "</small>",
              up < asked, out);
  append_tile("Applications", std::to_string(report.apps.size()), false, out);
  append_tile("Fresh hints", std::to_string(report.hints.size()), false, out);
  append_tile("Tasks waiting", number_text(waiting), false, out);
  out += "</div>";
}

}  // namespace

std::string status_page(const Block& derived, const PageTitle& title, const Now& now) {
  std::string out;
  append_head(title, seconds_between(derived.report->at.steady, now.steady), out);
  append_tiles(derived, out);
  append_apps(*derived.report, out);
  append_targets(derived.targets, now, out);
  out +=
      "</main><footer><a href=\"/metrics\">Metrics</a><a href=\"/api/v1/targets\">Targets (JSON)</a>"
      "<a href=\"/api/v1/apps\">Applications (JSON)</a><a href=\"/api/v1/hints\">Hints (JSON)</a>"
      "<a href=\"/-/ready\">Ready?</a></footer></body></html>\n";
  return out;
}

}  // namespace flintgauge
