// Rendering the page: text format 0.0.4 and OpenMetrics 1.0, and choosing between them.
// Formats: prometheus/docs instrumenting/exposition_formats.md, specs/om/open_metrics_spec.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "flintgauge/block.h"

namespace flintgauge {

enum class PageFormat : std::uint8_t { kText004, kOpenMetrics100 };

/// The highest-q type we have. Unknown, missing or unparsable Accept gives text 0.0.4; never refuses.
PageFormat negotiate(std::string_view accept);

/// True when Accept-Encoding asks for gzip, by name and with q > 0.
bool accepts_gzip(std::string_view accept_encoding);

/// Content-Type to answer with. Says `escaping=underscores` when `accept` asks for it (OpenMetrics only).
std::string_view content_type(PageFormat format, std::string_view accept = {});

/// Appends all series of the blocks, family by family in catalogue order. Each family is owned by one block,
/// so blocks are not merged. Null blocks are skipped. Appends no "# EOF": the caller adds what else belongs
/// on the page, then finish_page().
void render(std::span<const Block* const> blocks, PageFormat format, std::string& out);

/// HELP and TYPE (and UNIT) lines of a family in the spelling of the format. In OpenMetrics a counter loses
/// its _total and an info family its _info; a state set is a gauge in both formats.
void append_family_header(const Family& family, PageFormat format, std::string& out);

/// Appends "# EOF\n" where the format asks for it.
void finish_page(PageFormat format, std::string& out);

/// Shortest text that reads back as the same double; NaN, +Inf, -Inf as Prometheus spells them.
void append_value(double value, std::string& out);

/// Escapes backslash, double quote and newline.
void append_escaped(std::string_view label_value, std::string& out);

}  // namespace flintgauge
