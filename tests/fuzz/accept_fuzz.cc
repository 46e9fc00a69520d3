// Property: no bytes of a client crash the negotiation, and OpenMetrics is only ever chosen when the header
// names it or a range that covers it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "flintgauge/exposition.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  std::string lower(header);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto names = [&lower](std::string_view word) { return lower.find(word) != std::string::npos; };

  const flintgauge::PageFormat format = flintgauge::negotiate(header);
  if (format == flintgauge::PageFormat::kOpenMetrics100 && !names("application/openmetrics-text") &&
      !names("application/*") && !names("*/*")) {
    std::abort();
  }
  if (flintgauge::accepts_gzip(header) && !names("gzip")) std::abort();
  const std::string_view type = flintgauge::content_type(format, header);
  if (type.find("escaping") != std::string_view::npos && !names("escaping")) std::abort();
  return 0;
}
