// Property: registry names, dotted and mangled, read as their slow twin reads them. The first line of the
// input is the prefix, the second the namespace that is known, the rest the name.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "support/slow_registry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  std::string name(reinterpret_cast<const char*>(data), size);
  const auto take_line = [&name] {
    const std::size_t end = std::min(name.find('\n'), name.size());
    std::string line = name.substr(0, end);
    name.erase(0, std::min(end + 1, name.size()));
    return line;
  };
  const std::string prefix = take_line();
  const std::string known = take_line();
  const auto parsed = parse_registry_name(name, prefix, known);
  if (reference::describe(parsed) != reference::slow_registry_name(name, prefix, known)) std::abort();
  const std::string own = mangle_registry_name(known);
  if (reference::describe(parse_mangled_name(name, own)) != reference::slow_mangled_name(name, own))
    std::abort();
  if (parsed) find_registry_metric(*parsed, CountSuffix::kGraphite);
  find_servlet_metric(name);
  find_jmx_metric(name);
  return 0;
}
