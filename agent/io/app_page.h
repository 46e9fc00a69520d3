// The page of one application: every hint with its inputs, steps and result, and what would change it.
#pragma once

#include <string>

#include "agent/io/pages.h"
#include "flintgauge/block.h"
#include "flintgauge/evaluate.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// REQUIRES: `app` is of the report of `derived`. All foreign text is escaped.
std::string app_page(const AppRow& app, const Block& derived, const PageTitle& title, const Now& now);

}  // namespace flintgauge
