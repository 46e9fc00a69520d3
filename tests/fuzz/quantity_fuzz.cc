// Property: a quantity equals its schoolbook reading with digits of any length; milli and whole agree.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "flintgauge/quantity.h"
#include "support/quantity_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto milli = parse_milli(text);
  const auto whole = parse_whole(text);
  if (milli.has_value() != whole.has_value()) std::abort();
  constexpr std::size_t kExactDigits = 35;  // longer ones may only be rounded up (quantity.h)
  if (size > kExactDigits) return 0;
  const auto slow = reference::quantity(text, 3);
  if (milli.has_value() != slow.has_value()) std::abort();
  if (!slow) return 0;
  if (*milli != *slow || *whole != *reference::quantity(text, 0)) std::abort();
  return 0;
}
