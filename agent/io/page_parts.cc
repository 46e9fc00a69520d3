#include "agent/io/page_parts.h"

#include <algorithm>

#include "agent/io/html.h"
#include "agent/io/page_style.h"

namespace flintgauge::html {
namespace {

constexpr int kRefreshSeconds = 10;

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

}  // namespace

std::string app_path(std::string_view namespace_name, std::string_view app_id) {
  if (!is_plain(namespace_name) || !is_plain(app_id)) return {};
  return "/app/" + std::string(namespace_name) + '/' + std::string(app_id);
}

std::string_view explain(HintReason reason) {
  switch (reason) {
    case HintReason::kIdle:
      return "no task runs or waits";
    case HintReason::kBacklog:
      return "work is waiting";
    case HintReason::kStartupBound:
      return "done before a new executor could help";
    case HintReason::kDrain:
      return "sized to finish the known work in time";
    case HintReason::kParity:
      return "as many as there are tasks for";
    case HintReason::kMin:
      return "the configured minimum";
    case HintReason::kMax:
      return "the configured maximum";
    case HintReason::kQuota:
      return "all that the quota allows";
    case HintReason::kBusyFloor:
      return "busy executors are kept";
    case HintReason::kStale:
      return "input too old";
  }
  return {};
}

double seconds_between(SteadyTime from, SteadyTime to) {
  return static_cast<double>(std::max<std::int64_t>(elapsed_ms(from, to), 0)) / 1e3;
}

void append_cell(std::string_view label, const std::string& content, std::string& out) {
  out.append("<td data-label=\"").append(label).append("\"><div>").append(content).append("</div></td>");
}

void append_row(std::string_view name, const std::string& value, std::string_view meaning, std::string& out) {
  out.append("<tr><td class=\"id\"><b>").append(name).append("</b></td>");
  append_cell("Value", value, out);
  out.append("<td class=\"wide\" data-label=\"Meaning\"><div>").append(meaning).append("</div></td></tr>");
}

void begin_table(std::string_view first, std::string_view second, std::string_view third, std::string& out) {
  out.append("<table><thead><tr><th>").append(first).append("</th><th>").append(second);
  out.append("</th><th>").append(third).append("</th></tr></thead><tbody>");
}

void begin_section(std::string_view title, std::string_view about, std::string& out) {
  out.append("<h2>").append(title).append("<small>").append(about).append(
      "</small></h2><div class=\"sheet\">");
}

std::string text(double value) { return number_text(value, 2); }
std::string text(const std::optional<double>& value) { return value ? text(*value) : "&ndash;"; }
std::string percent(double ratio) { return number_text(ratio * 100, 1) + "&nbsp;%"; }

std::string bar(double part, double whole) {
  if (!(whole > 0) || !(part >= 0)) return {};
  const double percent = std::min(100.0, 100 * part / whole);
  return "<div class=\"bar\"><span style=\"width:" + number_text(percent, 1) + "%\"></span></div>";
}

void append_tile(std::string_view name, const std::string& value, bool is_bad, std::string& out) {
  out.append(is_bad ? "<div class=\"tile bad\">" : "<div class=\"tile\">");
  out.append("<span class=\"soft small\">")
      .append(name)
      .append("</span><b>")
      .append(value)
      .append("</b></div>");
}

void append_head(const PageTitle& title, double age_seconds, std::string& out) {
  out +=
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"refresh\" content=\"" +
      std::to_string(kRefreshSeconds) + "\"><title>flintgauge ";
  html::append_escaped(title.node, out);
  out.append("</title><style>").append(kPageStyle).append("</style></head><body><header><div>");
  out += "<h1><i>flint</i>gauge</h1><span class=\"soft\">node <b>" + escaped(title.node) + "</b></span>";
  out += "<span class=\"soft right small\">version " + escaped(title.version) + " &middot; as of " +
         age_text(age_seconds) + " ago</span></div></header><main>";
}

}  // namespace flintgauge::html
