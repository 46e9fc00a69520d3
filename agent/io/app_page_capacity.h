// What a quota and this node have room for, on the page of an application.
#pragma once

#include <string>
#include <vector>

#include "flintgauge/evaluate.h"

namespace flintgauge::html {

/// Nothing when `one` is null.
void append_quota(const AppQuota* one, std::string& out);
void append_sideways(const AppSideways* one, std::string& out);

/// The pool of workers that the application belongs to, where one of `pools` has it.
void append_pool(const std::vector<PoolHint>& pools, const AppKey& app, std::string& out);

}  // namespace flintgauge::html
