// What follows the series text of an exposition line: value, time stamp, line end.
#pragma once

#include <cstdint>
#include <string_view>

#include "collectors/common/text_number.h"
#include "flintgauge/collector.h"

namespace flintgauge {

/// What follows the series text of a line.
struct Value {
  double number = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
  NumberKind kind = NumberKind::kFinite;
};

inline const char* skip_blanks(const char* p) {
  while (is_blank(*p)) ++p;
  return p;
}

inline const char* end_of_token(const char* p) {
  while (!ends_token(*p)) ++p;
  return p;
}

/// Reads value, time stamp and line end at `p`, the end of the series text; gives the next line, or null when
/// they are no such thing. REQUIRES: LF at or after `p`.
inline const char* read_value(const char* p, Value& value) {
  p = skip_blanks(p);
  if (const char* const short_end = parse_short_number(p, value.number)) {
    p = short_end;
  } else {
    const char* const end = end_of_token(p);
    value.kind = parse_number({p, static_cast<std::size_t>(end - p)}, value.number);
    if (value.kind == NumberKind::kBad) return nullptr;
    p = end;
  }
  p = skip_blanks(p);
  if (*p != '\n' && *p != '\r') {
    const char* const short_end = parse_short_timestamp(p, value.timestamp_ms);
    const char* const end = short_end != nullptr ? short_end : end_of_token(p);
    if (short_end == nullptr && !parse_timestamp({p, static_cast<std::size_t>(end - p)}, value.timestamp_ms))
      return nullptr;
    p = skip_blanks(end);
  }
  p += *p == '\r' ? 1 : 0;
  return *p == '\n' ? p + 1 : nullptr;
}

/// May a value follow a series text that ends before `p`? A bare name needs a blank, and no brace after it.
inline bool is_separated(const char* p) { return p[-1] == '}' || (is_blank(*p) && *skip_blanks(p) != '{'); }

}  // namespace flintgauge
