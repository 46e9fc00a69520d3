// What /api/v1/hints... and /app/... answer.
#pragma once

#include <string_view>

#include "agent/io/http_server.h"
#include "agent/io/pages.h"
#include "flintgauge/block.h"
#include "flintgauge/time.h"

namespace flintgauge {

inline constexpr std::string_view kAllHints = "/api/v1/hints";
inline constexpr std::string_view kHintsPrefix = "/api/v1/hints/";
inline constexpr std::string_view kAppPrefix = "/app/";

/// REQUIRES: request.path is kAllHints or starts with kHintsPrefix. NAMESPACE, NAMESPACE/APP_ID,
/// NAMESPACE/APP_ID/PART.
HttpResponse hint_answer(const HttpRequest& request, const Block& derived, std::string_view node,
                         const Now& now);

/// REQUIRES: request.path starts with kAppPrefix. NAMESPACE/APP_ID.
HttpResponse app_answer(const HttpRequest& request, const Block& derived, const PageTitle& title,
                        const Now& now);

}  // namespace flintgauge
