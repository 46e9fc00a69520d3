#include "agent/io/routes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/io/api_json.h"
#include "agent/io/gzip.h"
#include "agent/io/hint_routes.h"
#include "agent/io/log.h"
#include "agent/io/pages.h"
#include "flintgauge/exposition.h"

namespace flintgauge {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kGzipFrom = 1024;  // bytes; below it the header costs what compression saves

bool is_one_of(std::string_view path, std::initializer_list<std::string_view> paths) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

HttpResponse plain(int status, std::string_view text) {
  return {.status = status, .body = std::string(text)};
}

HttpResponse json(int status, std::string body) {
  return {.status = status, .content_type = kJson, .body = std::move(body)};
}

/// A parameter that we would ignore could be a filter that its sender relies on.
HttpResponse unknown_query() { return json(400, error_json("unknown query parameter")); }

}  // namespace

Routes::Routes(Store& store, const SelfMetrics& self_metrics, Settings settings)
    : store_(store), self_metrics_(self_metrics), settings_(std::move(settings)) {}

bool Routes::is_liveness(std::string_view path) {
  return is_one_of(path, {"/-/healthy", "/healthz", "/livez"});
}

HttpResponse Routes::answer(const HttpRequest& request) const {
  if (is_liveness(request.path)) return plain(200, "ok\n");
  if (is_one_of(request.path, {"/-/ready", "/readyz"}))
    return is_ready() ? plain(200, "ready\n") : plain(503, "not ready: nothing collected yet, or stopping\n");
  if (is_one_of(request.path, {"/", "/metrics", "/api/v1/targets", "/api/v1/apps", kAllHints}) ||
      request.path.starts_with(kHintsPrefix) || request.path.starts_with(kAppPrefix))
    return from_store(request);
  return plain(404, "not found; there is /, /metrics, /api/v1/targets, /api/v1/apps, /api/v1/hints\n");
}

bool Routes::is_ready() const {
  if (is_stopping_ || (settings_.is_ready && !settings_.is_ready())) return false;
  const View view = store_.read();
  return view && view.block(Shard::kDerived) != nullptr;
}

HttpResponse Routes::from_store(const HttpRequest& request) const {
  const View view = store_.read();
  if (!view) return plain(503, "busy: all reader rows of the store are taken\n");
  const Block* const derived = view.block(Shard::kDerived);
  if (derived == nullptr) return plain(503, "nothing collected yet\n");
  if (request.path == "/metrics") return metrics(request, *derived);
  const Now now = settings_.clocks();
  const PageTitle title{settings_.node, settings_.build.version};
  if (request.path.starts_with(kAppPrefix)) return app_answer(request, *derived, title, now);
  if (request.path != "/") return api(request, *derived, now);
  HttpResponse page = plain(200, status_page(*derived, title, now));
  page.content_type = "text/html; charset=utf-8";
  return page;
}

HttpResponse Routes::metrics(const HttpRequest& request, const Block& derived) const {
  if (!request.query.empty()) return unknown_query();
  const PageFormat format = negotiate(request.accept);
  const std::string& rendered =
      format == PageFormat::kOpenMetrics100 ? derived.page_openmetrics : derived.page_text;
  std::string page;
  page.reserve(rendered.size() + std::size_t{16} * 1024);
  page += rendered;
  self_metrics_.append_page(format, page);
  finish_page(format, page);
  HttpResponse response{.content_type = content_type(format, request.accept),
                        .vary = "Accept, Accept-Encoding",
                        .keep_alive = true};
  if (page.size() >= kGzipFrom && accepts_gzip(request.accept_encoding) &&
      GzipCompressor().compress(page, response.body)) {
    response.content_encoding = "gzip";
  } else {
    response.body = std::move(page);
  }
  return response;
}

HttpResponse Routes::api(const HttpRequest& request, const Block& derived, const Now& now) const {
  if (request.path == kAllHints || request.path.starts_with(kHintsPrefix))
    return hint_answer(request, derived, settings_.node, now);
  if (!request.query.empty()) return unknown_query();
  if (request.path == "/api/v1/targets") return json(200, targets_json(derived, settings_.node, now));
  return json(200, apps_json(derived, settings_.node, now));
}

}  // namespace flintgauge
