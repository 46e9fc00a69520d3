#include "collectors/common/text_skip.h"

#include <cstring>

#include "collectors/common/text_number.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace flintgauge {
namespace {

bool belongs(const char* line, const char* end, std::string_view name) {
  if (static_cast<std::size_t>(end - line) <= name.size()) return false;
  const char after = line[name.size()];
  return (after == '{' || is_blank(after)) && std::memcmp(line, name.data(), name.size()) == 0;
}

}  // namespace

Skipped skip_lines_portable(const char* p, const char* end, std::string_view name, const SkipLimits& limits) {
  Skipped skipped{.next = p};
  while (skipped.lines < limits.lines && belongs(skipped.next, end, name)) {
    const char* const line = skipped.next;
    const auto* const newline =
        static_cast<const char*>(std::memchr(line, '\n', static_cast<std::size_t>(end - line)));
    if (static_cast<std::size_t>(newline - line) > limits.line_size) {
      skipped.too_long = true;
      break;
    }
    skipped.next = newline + 1;
    ++skipped.lines;
  }
  return skipped;
}

#if defined(__x86_64__)
namespace {

constexpr std::size_t kHalf = 16;  // bytes of one comparison of the name
constexpr std::size_t kStep = 64;  // bytes looked at for LF at once

__attribute__((target("avx2"))) inline bool equal_16(const char* a, const char* b) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
  const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(x, y)) == 0xFFFF;
}

/// belongs() without a call: the name in steps of 16 bytes, the last one overlapping.
__attribute__((target("avx2"))) inline bool belongs_avx2(const char* line, const char* end,
                                                         std::string_view name) {
  if (name.size() < kHalf) return belongs(line, end, name);
  if (static_cast<std::size_t>(end - line) <= name.size()) return false;
  const char after = line[name.size()];
  if (after != '{' && !is_blank(after)) return false;
  for (std::size_t i = 0; i + kHalf < name.size(); i += kHalf) {
    if (!equal_16(line + i, name.data() + i)) return false;
  }
  const std::size_t last = name.size() - kHalf;
  return equal_16(line + last, name.data() + last);
}

__attribute__((target("avx2"))) inline std::uint64_t newlines_of_64(const char* p) {
  const __m256i newline = _mm256_set1_epi8('\n');
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
  const auto low_mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, newline)));
  const auto high_mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, newline)));
  return low_mask | (static_cast<std::uint64_t>(high_mask) << 32U);
}

__attribute__((target("avx2"))) Skipped skip_lines_avx2(const char* p, const char* end, std::string_view name,
                                                        const SkipLimits& limits) {
  Skipped skipped{.next = p};
  if (limits.lines == 0 || !belongs(p, end, name)) return skipped;
  for (; end - p >= static_cast<std::ptrdiff_t>(kStep); p += kStep) {
    for (std::uint64_t mask = newlines_of_64(p); mask != 0; mask &= mask - 1) {
      const char* const newline = p + __builtin_ctzll(mask);
      if (static_cast<std::size_t>(newline - skipped.next) > limits.line_size) {
        skipped.too_long = true;
        return skipped;
      }
      skipped.next = newline + 1;
      if (++skipped.lines == limits.lines || !belongs_avx2(skipped.next, end, name)) return skipped;
    }
  }
  // Fewer than 64 bytes are left unseen: the line that began before them, and perhaps more.
  const Skipped rest =
      skip_lines_portable(skipped.next, end, name, {limits.line_size, limits.lines - skipped.lines});
  return {.next = rest.next, .lines = skipped.lines + rest.lines, .too_long = rest.too_long};
}

}  // namespace
#endif

SkipLines skip_lines() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return skip_lines_avx2;
#endif
  return skip_lines_portable;
}

}  // namespace flintgauge
