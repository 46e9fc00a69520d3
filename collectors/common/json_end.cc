#include "collectors/common/json_end.h"

namespace flintgauge::json {

bool EndFinder::is_beyond_end(std::string_view bytes) {
  for (const char c : bytes) {
    if (in_string_) {
      in_string_ = is_escaped_ || c != '"';
      is_escaped_ = !is_escaped_ && c == '\\';
      continue;
    }
    const bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (has_ended_ && !is_blank) return true;
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      has_ended_ = --depth_ == 0;
    }
  }
  return false;
}

}  // namespace flintgauge::json
