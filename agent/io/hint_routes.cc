#include "agent/io/hint_routes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "agent/io/api_json.h"
#include "agent/io/app_page.h"
#include "agent/io/hints_json.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kPodsFreshMs = 60'000;  // as long as a pod list counts (Pace::ttl_ms)
constexpr std::string_view kPodsCollector = "kubelet_pods";

HttpResponse json(int status, std::string body) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}
HttpResponse error(int status, std::string_view message) { return json(status, error_json(message)); }

struct Path {
  std::string_view namespace_name, app_id, part;
  std::size_t pieces = 0;  ///< 4: too many
};

Path split(std::string_view rest) {
  Path path;
  std::array<std::string_view*, 3> pieces = {&path.namespace_name, &path.app_id, &path.part};
  while (path.pieces < pieces.size()) {
    const std::size_t slash = rest.find('/');
    *pieces[path.pieces++] = rest.substr(0, slash);
    if (slash == std::string_view::npos) return path;
    rest.remove_prefix(slash + 1);
  }
  path.pieces = 4;
  return path;
}

std::optional<HintPart> part_named(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, HintPart>, 6> kParts = {
      {{"", HintPart::kAll},
       {"horizontal", HintPart::kHorizontal},
       {"vertical", HintPart::kVertical},
       {"bottleneck", HintPart::kBottleneck},
       {"quota", HintPart::kQuota},
       {"sideways", HintPart::kSideways}}};
  const auto at = std::ranges::find(kParts, word, &std::pair<std::string_view, HintPart>::first);
  if (at == kParts.end()) return std::nullopt;
  return at->second;
}

struct Query {
  bool explain = false;
  bool absent_zero = false;
};

/// A parameter that we would ignore could be a filter that its sender relies on: nothing for one.
std::optional<Query> parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view one = text.substr(0, end);
    if (one == "explain=1") {
      query.explain = true;
    } else if (one == "absent=zero") {
      query.absent_zero = true;
    } else if (one != "explain=0") {
      return std::nullopt;
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) return std::nullopt;
  }
  return query;
}

bool knows_pods(const Block& derived, const Now& now) {
  return std::ranges::any_of(derived.targets, [&](const TargetState& state) {
    return state.target->collector == kPodsCollector && state.ever_succeeded &&
           elapsed_ms(state.last_success, now.steady) <= kPodsFreshMs;
  });
}

bool drives(const Report& report, const Path& path) {
  const AppRow* row = find_app(report.apps, path.namespace_name, path.app_id);
  return row != nullptr && row->driver_pods > 0;
}

/// ?absent=zero: no hint here. 0 only when it is known that another node drives the application.
HttpResponse absent_answer(const Path& path, const Block& derived, const Now& now) {
  if (!knows_pods(derived, now)) {
    return error(503,
                 "the pods of this node are not known now: whether it drives the application is not either");
  }
  if (drives(*derived.report, path)) {
    return error(503, "this node drives the application, and its driver has not answered lately");
  }
  return json(200, absent_hint_json(path.namespace_name, path.app_id, now));
}

HttpResponse of_namespace(const Path& path, const Query& query, const Block& derived, std::string_view node,
                          const Now& now) {
  if (query.absent_zero) return error(400, "absent=zero is for one application");
  const Report& report = *derived.report;
  const auto is_of = [&](const auto& item) { return item.app.namespace_name == path.namespace_name; };
  const bool is_known =
      std::ranges::any_of(report.hints, is_of) || std::ranges::any_of(report.verticals, is_of) ||
      std::ranges::any_of(report.bottlenecks, is_of) || std::ranges::any_of(report.sideways, is_of);
  if (path.namespace_name.empty() || !is_known)
    return error(404, "no fresh hint in this namespace on this node");
  return json(200, hints_json(derived, {path.namespace_name, query.explain}, node, now));
}

}  // namespace

HttpResponse hint_answer(const HttpRequest& request, const Block& derived, std::string_view node,
                         const Now& now) {
  const std::optional<Query> query = parse(request.query);
  if (!query) return error(400, "unknown query parameter");
  if (request.path == kAllHints) {
    if (query->absent_zero) return error(400, "absent=zero is for one application");
    return json(200, hints_json(derived, {{}, query->explain}, node, now));
  }
  const Path path = split(request.path.substr(kHintsPrefix.size()));
  if (path.pieces == 1) return of_namespace(path, *query, derived, node, now);
  const std::optional<HintPart> part = part_named(path.part);
  if (path.pieces > 3 || !part || (path.pieces == 3 && path.part.empty())) {
    return error(404,
                 "expected /api/v1/hints/NAMESPACE/APP_ID[/horizontal|vertical|bottleneck|quota|sideways]");
  }
  if (query->absent_zero && *part != HintPart::kAll && *part != HintPart::kHorizontal) {
    return error(400, "absent=zero is for the horizontal hint");
  }
  const HintsOfApp hints = hints_of(*derived.report, path.namespace_name, path.app_id);
  if (query->absent_zero && hints.horizontal == nullptr) return absent_answer(path, derived, now);
  std::string body = hint_json(hints, {*part, query->explain}, derived, now);
  if (!body.empty()) return json(200, std::move(body));
  return error(404,
               "no fresh hint for this application: it is not driven from this node, or its driver has not "
               "answered lately; see /api/v1/targets");
}

HttpResponse app_answer(const HttpRequest& request, const Block& derived, const PageTitle& title,
                        const Now& now) {
  if (!request.query.empty()) return {.status = 400, .body = "unknown query parameter\n"};
  const Path path = split(request.path.substr(kAppPrefix.size()));
  const AppRow* row =
      path.pieces == 2 ? find_app(derived.report->apps, path.namespace_name, path.app_id) : nullptr;
  if (row == nullptr) return {.status = 404, .body = "no such application on this node\n"};
  return {.content_type = "text/html; charset=utf-8", .body = app_page(*row, derived, title, now)};
}

}  // namespace flintgauge
