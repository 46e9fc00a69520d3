// Saves decoding a body that is byte for byte the last good one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "flintgauge/collector.h"
#include "flintgauge/error.h"

namespace flintgauge {

/// Stands before a Decoder. Holds the last good body and compares as bytes arrive; at the first block that
/// differs, the decoder gets the equal beginning and then the rest as it comes. Bodies over kKeepLimit are
/// decoded always. Order of calls: begin, take..., finish, then accept() when the body was good.
/// One thread; allocates only when a body grows.
class UnchangedBody {
 public:
  static constexpr std::size_t kKeepLimit = 8UL * 1024 * 1024;  // /pods of a full node is 1 to 5 MB

  void begin(Decoder& decoder);
  Status take(std::string_view bytes, Decoder& decoder);

  /// REQUIRES: the transport has verified the end. True: the same as the last good body, and the decoder
  /// was not touched. False: the decoder has all of it, call its finish().
  Result<bool> finish(Decoder& decoder);

  /// The decoder found the body good, so the next one is compared with it.
  void accept() { has_good_ = !is_decoding_ || fits_; }

  /// The next body is decoded, whatever it is.
  void forget() { has_good_ = false; }

 private:
  Status decode_from_here(Decoder& decoder);

  std::string kept_;
  std::size_t equal_ = 0;     // bytes of this body found equal so far
  bool has_good_ = false;     // kept_ is a whole good body
  bool is_decoding_ = false;  // this body differs
  bool fits_ = false;         // kept_ is this body as far as it has come
};

}  // namespace flintgauge
