// Passing over the lines of a metric that nobody wants, as fast as memory is read. Two implementations with
// the same results: one for any machine and one with AVX2, chosen once at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flintgauge {

struct SkipLimits {
  std::size_t line_size = 0;  ///< longest line, without its LF
  std::uint64_t lines = 0;    ///< stop after so many
};

struct Skipped {
  const char* next = nullptr;  ///< the first line that does not belong, or `end`
  std::uint64_t lines = 0;     ///< lines passed over
  bool too_long = false;       ///< the line at `next` is longer than allowed
};

/// Passes over whole lines that start with `name` and '{', ' ' or '\t'. [p, end) are whole lines: end[-1] is
/// LF. Lines are not looked into any further.
using SkipLines = Skipped (*)(const char* p, const char* end, std::string_view name,
                              const SkipLimits& limits);

Skipped skip_lines_portable(const char* p, const char* end, std::string_view name, const SkipLimits& limits);

/// The fastest implementation that this machine can run.
SkipLines skip_lines();

}  // namespace flintgauge
