// A simulated pod of the demo: what a kubelet would know of it and measure in it. Plain values, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/pod.h"
#include "flintgauge/time.h"

namespace flintgauge::demo {

/// Number in [0, 1) that depends on the key alone (splitmix64).
double noise(std::uint64_t key);

/// Hash of a text and a number, for identifiers that look like the real ones.
std::string hex_id(std::string_view text, std::uint64_t number, std::size_t digits);
std::string uuid_of(std::string_view text, std::uint64_t number);

struct DemoPod {
  std::string namespace_name, name, uid;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string container, container_id, sandbox_id, image, ip;
  bool host_network = false;
  Phase phase = Phase::kRunning;
  WallTime created, started, finished;
  std::string end_reason;  ///< OOMKilled, Completed; empty while it runs
  int exit_code = 0;
  std::int64_t cpu_request_millicores = 0, cpu_limit_millicores = 0;  ///< limit 0: none
  double memory_limit_bytes = 0;                                      ///< request = limit

  // Counters since the start.
  double cpu_seconds = 0, throttled_seconds = 0, cpu_periods = 0, throttled_periods = 0, major_faults = 0;
  double received_bytes = 0, sent_bytes = 0, read_bytes = 0, written_bytes = 0;
  // Now.
  double working_set_bytes = 0, cache_bytes = 0, disk_bytes = 0;

  /// Runs for `seconds` wanting so many cores; above the limit it is throttled like a CFS quota would.
  void use_cpu(double cores, double seconds);
  void transfer(double received, double sent);
};

/// A pod with identifiers made from its name and `number` (which tells successive pods of one name apart).
DemoPod make_pod(std::string namespace_name, std::string name, std::uint64_t number, WallTime created);

}  // namespace flintgauge::demo
