// The list of collectors, generated from collectors/CMakeLists.txt. A list and not self-registration: a
// static library drops object files that nobody names.
#include "flintgauge/collector.h"

namespace flintgauge {

#define FLINTGAUGE_COLLECTOR(name) std::unique_ptr<Collector> make_##name();
#include "collector_list.inc"
#undef FLINTGAUGE_COLLECTOR

std::vector<std::unique_ptr<Collector>> make_collectors() {
  std::vector<std::unique_ptr<Collector>> all;
#define FLINTGAUGE_COLLECTOR(name) all.push_back(make_##name());
#include "collector_list.inc"
#undef FLINTGAUGE_COLLECTOR
  return all;
}

}  // namespace flintgauge
