// The size of an executor on the page of an application.
#pragma once

#include <string>

#include "flintgauge/evaluate.h"

namespace flintgauge::html {

/// Nothing when `one` is null.
void append_vertical(const AppVerticalHint* one, std::string& out);

}  // namespace flintgauge::html
