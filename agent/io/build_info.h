// What program this is. The only place that knows the version from the build.
#pragma once

#include "agent/io/self_metrics.h"

namespace flintgauge {

/// Version of the project, revision ("unknown" outside a git checkout) and compiler.
BuildInfo this_build();

}  // namespace flintgauge
