// Where a JSON document ends, found while it arrives: without reading it, and with three words of memory.
#pragma once

#include <cstddef>
#include <string_view>

namespace flintgauge::json {

/// Counts brackets outside strings. Says nothing about whether the document is well formed.
class EndFinder {
 public:
  /// Takes the next bytes. True: the object or array had ended before the last of them and something other
  /// than blanks follows, so what is being sent is not one document.
  bool is_beyond_end(std::string_view bytes);

 private:
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool is_escaped_ = false;
  bool has_ended_ = false;
};

}  // namespace flintgauge::json
