// Which collectors an agent uses.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// All collectors but those named in `disabled`, a list with commas. kConfig when a name is none of theirs,
/// or is that of the list of pods: without it nothing has an identity.
Result<std::vector<std::unique_ptr<Collector>>> choose_collectors(std::string_view disabled);

}  // namespace flintgauge
