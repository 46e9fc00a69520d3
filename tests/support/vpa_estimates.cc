// Our side of tests/e2e/vpa: reads the histories that tests/tools/vpa_reference/main.go reads (its first
// lines say how they are written) and prints what agent/core/vpa.h makes of them, in the same form, and then
// what the vertical hint says of the same histories: CPU request in milli-cores, what the heap needs in
// bytes.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>

#include "agent/core/vpa.h"
#include "flintgauge/hint_vertical.h"

namespace {

struct History {
  std::int64_t containers = 1;
  flintgauge::VpaHistory usage;
  flintgauge::MemoryPeak peak;
  // The recommender drops a CPU sample that is not later than the container's last one.
  std::int64_t last_cpu_ms = INT64_MIN;
};

void take(const std::string& word, std::int64_t ms, std::int64_t amount, History& history) {
  const flintgauge::WallTime at{ms};
  if (word == "cpu") {
    if (ms > history.last_cpu_ms) history.usage.add_cpu(static_cast<double>(amount) / 1000, at);
    history.last_cpu_ms = std::max(history.last_cpu_ms, ms);
  } else if (word == "memory") {
    history.peak.add(static_cast<double>(amount), at, history.usage.memory_peaks);
  } else {
    history.peak.add_oom(static_cast<double>(amount), at, history.usage.memory_peaks);
  }
}

void print(const flintgauge::VpaAmounts& amounts, char end) {
  std::cout << amounts.target << ' ' << amounts.lower << ' ' << amounts.upper << end;
}

/// What is published: of an executor whose container and whose heap have this history.
void print_hint(const flintgauge::VpaHistory& usage) {
  flintgauge::VerticalInput in;
  in.heap_bytes = flintgauge::kBytesPerMiB;
  in.cpu_cores = flintgauge::spread_of(usage.cpu_cores);
  in.heap = flintgauge::spread_of(usage.memory_peaks);
  const flintgauge::VerticalHint hint = flintgauge::vertical_hint(in);
  std::cout << std::llround(hint.cpu_target_cores * 1000) << ' '
            << static_cast<std::int64_t>(hint.heap_need_bytes) << '\n';
}

}  // namespace

int main() {
  History history;
  std::string word;
  while (std::cin >> word) {
    if (word == "history") {
      history = {};
      std::cin >> history.containers;
    } else if (word == "container") {
      history.peak = {};
      history.last_cpu_ms = INT64_MIN;
    } else if (word == "end") {
      print(flintgauge::vpa_cpu_millicores(history.usage, history.containers), ' ');
      print(flintgauge::vpa_memory_bytes(history.usage, history.containers), ' ');
      print_hint(history.usage);
    } else if (word == "cpu" || word == "memory" || word == "oom") {
      std::int64_t ms = 0, amount = 0;
      std::cin >> ms >> amount;
      take(word, ms, amount, history);
    } else {
      std::cerr << "vpa_estimates: unknown word " << word << '\n';
      return 2;
    }
  }
  return 0;
}
