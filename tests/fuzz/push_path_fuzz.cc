// Property: the path of a Pushgateway request, base64 segments and all, reads as its slow twin reads it, and
// labels stay within their limits.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "support/slow_gateway.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  const std::string path(reinterpret_cast<const char*>(data), size);
  const auto fast = parse_push_path(path);
  const auto slow = reference::slow_push_path(path);
  if (fast.has_value() != slow.has_value()) std::abort();
  if (!fast) return 0;
  if (fast->labels.empty() || fast->labels.size() > kMaxPushLabels) std::abort();
  if (std::map<std::string, std::string>(fast->labels.begin(), fast->labels.end()) != *slow) std::abort();
  return 0;
}
