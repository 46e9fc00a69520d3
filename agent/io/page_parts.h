// Pieces of which the pages are made. Text that is named "content" or "value" is HTML already.
#pragma once

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

/// A bar, empty when the whole is not known.
std::string bar(double part, double whole);

/// The reason of a hint in words.
std::string_view explain(HintReason reason);

/// Where the page of an application is; every byte that is no letter, digit, '-', '.' or '_' is not linkable
/// (paths are compared byte for byte), and gives "".
std::string app_path(std::string_view namespace_name, std::string_view app_id);

}  // namespace flintgauge::html
