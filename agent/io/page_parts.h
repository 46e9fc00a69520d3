// Pieces of which the pages are made. Text that is named "content" or "value" is HTML already.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/io/pages.h"
#include "flintgauge/hint_horizontal.h"
#include "flintgauge/time.h"

namespace flintgauge::html {

double seconds_between(SteadyTime from, SteadyTime to);

/// Doctype to `<main>`: name of the node, age of what is shown.
void append_head(const PageTitle& title, double age_seconds, std::string& out);
void append_cell(std::string_view label, const std::string& content, std::string& out);
void append_tile(std::string_view name, const std::string& value, bool is_bad, std::string& out);

/// A table of three columns: begin_table(), append_row() for each, "</tbody></table>".
void begin_table(std::string_view first, std::string_view second, std::string_view third, std::string& out);
void append_row(std::string_view name, const std::string& value, std::string_view meaning, std::string& out);
/// A heading and a sheet, which "</div>" ends. `about` is HTML.
void begin_section(std::string_view title, std::string_view about, std::string& out);

/// At most two decimals; a dash for what is not known.
std::string text(double value);
std::string text(const std::optional<double>& value);
std::string percent(double ratio);

/// A bar, empty when the whole is not known.
std::string bar(double part, double whole);

/// The reason of a hint in words.
std::string_view explain(HintReason reason);

/// Where the page of an application is; every byte that is no letter, digit, '-', '.' or '_' is not linkable
/// (paths are compared byte for byte), and gives "".
std::string app_path(std::string_view namespace_name, std::string_view app_id);

}  // namespace flintgauge::html
