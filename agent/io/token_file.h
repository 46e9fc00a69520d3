// The service account token: a file that the kubelet replaces while we run.
#pragma once

#include <cstdint>
#include <string>

#include "flintgauge/error.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Re-read by path when the file's modification time is another than at the last read, when older than 60 s,
/// and after expire(). What cannot be used (missing, empty, too large,
/// bytes that may not stand in a header) leaves the previous token in place and shows in error().
/// Source: kubelet-style bound tokens are renewed at 80 % of their life and swapped by symlink, so the file
/// is opened anew each time. One thread. Allocates only when the content changed.
class TokenFile {
 public:
  static constexpr std::int64_t kMaxAgeMs = 60'000;

  /// An empty path: no token, ever.
  explicit TokenFile(std::string path);

  /// The token, "" when there was never one. Looks at the file (one stat), and reads it when due.
  const std::string& get(SteadyTime now);

  /// The next get() reads the file: call when a server answered 401.
  void expire() { is_fresh_ = false; }

  /// Counts contents that differed from the one before; 0 = no token yet.
  std::uint64_t version() const { return version_; }

  /// Reads tried, good or bad.
  std::uint64_t reads() const { return reads_; }

  /// Why the last read gave nothing; "" when it was good.
  const std::string& error() const { return error_; }

 private:
  Status read();

  std::string path_;
  std::string token_;
  std::string error_;
  SteadyTime read_at_;
  std::int64_t modified_ns_ = 0;  // of the file as last read; 0 = not there
  bool is_fresh_ = false;
  std::uint64_t version_ = 0;
  std::uint64_t reads_ = 0;
};

}  // namespace flintgauge
