// The clocks. No other file of the program reads one: everything else takes the time as an argument.
#pragma once

#include "flintgauge/time.h"

namespace flintgauge {

/// Both clocks, read one after the other (their difference is good to some microseconds). Steady is
/// CLOCK_BOOTTIME: it goes on while the machine is suspended, so data that got old in a sleep is old.
/// Any thread.
Now read_clocks() noexcept;

}  // namespace flintgauge
