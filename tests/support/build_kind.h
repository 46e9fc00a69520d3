// Long searches run in full where they are quick: optimised and not instrumented. They use one real thread,
// so sanitizers and coverage see nothing more in a longer one.
#pragma once

namespace flintgauge::testing {

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
inline constexpr bool kThorough = true;
#else
inline constexpr bool kThorough = false;
#endif

/// Sanitizers bring an allocator of their own, of which the C library's statistics know nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kHasOwnMalloc = false;
#else
inline constexpr bool kHasOwnMalloc = true;
#endif

}  // namespace flintgauge::testing
