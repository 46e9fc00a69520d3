// What the kernel says about this process: the process_* families.
#pragma once

#include <cstdint>
#include <string_view>

#include "flintgauge/error.h"

namespace flintgauge {

/// Base units.
struct ProcessStats {
  double cpu_seconds = 0;  ///< user and system
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;  ///< soft limit; UINT64_MAX = none
  std::uint64_t virtual_memory_bytes = 0;
  std::uint64_t max_virtual_memory_bytes = 0;  ///< soft limit; UINT64_MAX = none
  std::uint64_t heap_bytes = 0;                ///< arenas and mapped blocks of malloc
  std::uint64_t resident_memory_bytes = 0;
  double start_time_seconds = 0;  ///< since the Unix epoch
  std::uint64_t threads = 0;
};

/// Units of the kernel's files.
struct KernelUnits {
  std::int64_t ticks_per_second = 100;
  std::int64_t page_bytes = 4096;
};

/// The fields that /proc/PID/stat has: all but the file descriptors, the limits and the heap.
/// `boot_time_seconds` is btime of /proc/stat. Source: proc(5). Pure. kParse when the text is not such a
/// line.
Result<ProcessStats> parse_process_stat(std::string_view stat, std::int64_t boot_time_seconds,
                                        const KernelUnits& units);

/// btime of the text of /proc/stat. Pure. kParse when there is none.
Result<std::int64_t> parse_boot_time(std::string_view proc_stat);

/// Reads /proc/self. Any thread. kIo or kParse when the kernel does not tell.
Result<ProcessStats> read_process_stats();

}  // namespace flintgauge
