// What a quota and this node have room for, on the page of an application.
#pragma once

#include <string>

#include "flintgauge/evaluate.h"

namespace flintgauge::html {

/// Nothing when `one` is null.
void append_quota(const AppQuota* one, std::string& out);
void append_sideways(const AppSideways* one, std::string& out);

}  // namespace flintgauge::html
