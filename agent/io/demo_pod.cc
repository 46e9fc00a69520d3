#include "agent/io/demo_pod.h"

#include <algorithm>

namespace flintgauge::demo {
namespace {

constexpr double kPeriodSeconds = 0.1;  // of the CFS quota

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

}  // namespace

double noise(std::uint64_t key) { return static_cast<double>(mix(key) >> 11U) * 0x1p-53; }

std::string hex_id(std::string_view text, std::uint64_t number, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::uint64_t state = number;
  for (const char c : text) state = mix(state ^ static_cast<unsigned char>(c));
  std::string out;
  while (out.size() < digits) {
    state = mix(state);
    for (unsigned shift = 0; shift < 64 && out.size() < digits; shift += 4)
      out += kHex[(state >> shift) & 15U];
  }
  return out;
}

std::string uuid_of(std::string_view text, std::uint64_t number) {
  std::string id = hex_id(text, number, 32);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, 1, '-');
  return id;
}

void DemoPod::use_cpu(double cores, double seconds) {
  const double limit = static_cast<double>(cpu_limit_millicores) / 1000;
  const double granted = limit > 0 ? std::min(cores, limit) : cores;
  cpu_seconds += granted * seconds;
  if (limit <= 0) return;
  const double periods = seconds / kPeriodSeconds;
  cpu_periods += periods;
  if (cores <= limit) return;
  throttled_periods += periods;
  throttled_seconds += (cores - limit) * seconds;
}

void DemoPod::transfer(double received, double sent) {
  received_bytes += received;
  sent_bytes += sent;
}

DemoPod make_pod(std::string namespace_name, std::string name, std::uint64_t number, WallTime created) {
  DemoPod pod;
  const std::string key = namespace_name + '/' + name;
  pod.uid = uuid_of(key, number);
  pod.container_id = hex_id(key + "/container", number, 64);
  pod.sandbox_id = hex_id(key + "/sandbox", number, 64);
  pod.namespace_name = std::move(namespace_name);
  pod.name = std::move(name);
  pod.created = created;
  pod.started = created;
  return pod;
}

}  // namespace flintgauge::demo
