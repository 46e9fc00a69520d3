// The page for people at `/`: one self-contained HTML document, no script, nothing loaded from elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "flintgauge/block.h"
#include "flintgauge/time.h"

namespace flintgauge {

struct PageTitle {
  std::string_view node;
  std::string_view version;
};

/// REQUIRES: `derived` is a published block of Shard::kDerived. All foreign text is escaped.
std::string status_page(const Block& derived, const PageTitle& title, const Now& now);

}  // namespace flintgauge
