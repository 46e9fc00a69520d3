// Counts calls of operator new by this thread. Link tests/support/allocations.cc into the program that asks.
#pragma once

#include <cstdint>

namespace flintgauge::testing {

/// Calls of operator new (any form) by the calling thread since it began.
std::uint64_t allocations();

}  // namespace flintgauge::testing
