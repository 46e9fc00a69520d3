// What holds an application back, on the page of an application.
#pragma once

#include <string>

#include "flintgauge/evaluate.h"

namespace flintgauge::html {

/// Nothing when `one` is null.
void append_bottleneck(const AppBottleneck* one, std::string& out);

}  // namespace flintgauge::html
