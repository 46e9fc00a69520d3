#include "agent/core/memory_shape.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "agent/core/vpa.h"

namespace flintgauge {
namespace {

constexpr double kDefaultHeapBytes =
    1024 * kBytesPerMiB;                          // spark.executor.memory and spark.driver.memory are 1g
constexpr int kHeapExit = 52, kKilledExit = 137;  // SparkExitCode.OOM, SIGKILL

std::int64_t mib(double bytes) { return static_cast<std::int64_t>(bytes / kBytesPerMiB); }

const SparkProfile* find_profile(const SparkSettings& settings, std::int64_t id) {
  const auto found = std::ranges::find(settings.profiles, id, &SparkProfile::id);
  return found == settings.profiles.end() ? nullptr : &*found;
}

/// What a profile says, else what the settings say.
std::optional<double> either(const SparkProfile* profile, std::optional<double> SparkProfile::*of_profile,
                             const std::optional<double>& of_settings) {
  if (profile != nullptr && profile->*of_profile) return profile->*of_profile;
  return of_settings;
}

void set_memory(const ExecutorMemory& memory, VerticalInput& shape) {
  shape.heap_bytes = static_cast<double>(memory.heap_mib) * kBytesPerMiB;
  shape.overhead_bytes = static_cast<double>(overhead_mib(memory)) * kBytesPerMiB;
}

}  // namespace

VerticalInput executor_shape(const SparkSettings& settings, std::int64_t profile_id) {
  const SparkProfile* profile = profile_id == 0 ? nullptr : find_profile(settings, profile_id);
  ExecutorMemory memory;
  const auto heap = either(profile, &SparkProfile::executor_memory_bytes, settings.executor_memory_bytes);
  memory.heap_mib = mib(heap.value_or(kDefaultHeapBytes));
  if (const auto set = either(profile, &SparkProfile::memory_overhead_bytes, settings.memory_overhead_bytes))
    memory.overhead_mib = mib(*set);
  memory.overhead_factor = settings.memory_overhead_factor.value_or(kMemoryOverheadFactor);
  if (settings.min_memory_overhead_bytes)
    memory.least_overhead_mib = mib(*settings.min_memory_overhead_bytes);
  const bool has_offheap = settings.offheap_enabled.value_or(false);
  const auto offheap = either(profile, &SparkProfile::offheap_bytes, settings.offheap_bytes);
  const auto cores = either(profile, &SparkProfile::executor_cores, settings.executor_cores);

  VerticalInput shape;
  set_memory(memory, shape);
  shape.offheap_bytes = has_offheap ? offheap.value_or(0) : 0;
  shape.pyspark_bytes =
      either(profile, &SparkProfile::pyspark_memory_bytes, settings.pyspark_memory_bytes).value_or(0);
  shape.memory_fraction = settings.memory_fraction.value_or(shape.memory_fraction);
  shape.request_cores = settings.request_cores.value_or(cores.value_or(1));
  return shape;
}

VerticalInput driver_shape(const SparkSettings& settings) {
  ExecutorMemory memory;
  memory.heap_mib = mib(settings.driver_memory_bytes.value_or(kDefaultHeapBytes));
  if (settings.driver_memory_overhead_bytes)
    memory.overhead_mib = mib(*settings.driver_memory_overhead_bytes);
  memory.overhead_factor = settings.driver_memory_overhead_factor.value_or(kMemoryOverheadFactor);
  if (settings.min_driver_memory_overhead_bytes)
    memory.least_overhead_mib = mib(*settings.min_driver_memory_overhead_bytes);

  VerticalInput shape;
  shape.is_driver = true;
  set_memory(memory, shape);  // BasicDriverFeatureStep: neither off-heap nor Python memory is in the request
  shape.memory_fraction = settings.memory_fraction.value_or(shape.memory_fraction);
  shape.request_cores = settings.driver_request_cores.value_or(settings.driver_cores.value_or(1));
  return shape;
}

VerticalInput shape_of_pod(const Pod& pod) {
  VerticalInput shape;
  const Resources requests = effective_requests(pod);
  if (!requests.memory_bytes) return shape;
  const auto request = *requests.memory_bytes / static_cast<std::int64_t>(kBytesPerMiB);
  const std::int64_t heap = heap_of_request_mib(request, kMemoryOverheadFactor);
  shape.heap_bytes = static_cast<double>(heap) * kBytesPerMiB;
  shape.overhead_bytes = static_cast<double>(request - heap) * kBytesPerMiB;
  if (requests.cpu_millicores) shape.request_cores = static_cast<double>(*requests.cpu_millicores) / 1000;
  return shape;
}

void take_record(const JobRecord& record, WallTime at, VerticalInput& in) {
  in.heap = spread_of(record.heap);
  in.unified = spread_of(record.unified);
  in.non_heap = spread_of(record.non_heap);
  in.python = spread_of(record.python);
  in.container = spread_of(record.container);
  in.cpu_cores = spread_of(record.cpu_cores);
  in.gc_ratio = record.gc.value();
  in.heap_floor_bytes = record.heap_floor.value(at);
  in.overhead_floor_bytes = record.overhead_floor.value(at);
  in.runs = static_cast<double>(record.runs);
  in.executors = static_cast<double>(record.executors);
}

Oom oom_of(const Pod& pod) {
  Oom found = Oom::kNone;
  for (const Container& container : pod.containers) {
    if (container.kind != ContainerKind::kRegular) continue;
    for (const auto& end : {container.terminated, container.last_terminated}) {
      if (!end) continue;
      if (end->reason == "OOMKilled") return Oom::kContainer;
      if (end->exit_code == kHeapExit) found = Oom::kHeap;
    }
  }
  return found;
}

Oom oom_of(std::string_view remove_reason) {
  constexpr std::string_view kWords = "exit code ";
  const std::size_t at = remove_reason.find(kWords);
  if (at == std::string_view::npos) return Oom::kNone;
  const std::string_view text = remove_reason.substr(at + kWords.size());
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  if (code == kHeapExit) return Oom::kHeap;
  return code == kKilledExit && text.find("OOM") != std::string_view::npos ? Oom::kContainer : Oom::kNone;
}

void raise_floor(Oom kind, const VerticalInput& shape, JobRecord& record, WallTime at) {
  if (kind == Oom::kHeap) return record.heap_floor.raise(oom_floor_bytes(shape.heap_bytes), at);
  const double limit = shape.heap_bytes + shape.overhead_bytes + shape.offheap_bytes + shape.pyspark_bytes;
  record.overhead_floor.raise(shape.overhead_bytes + oom_floor_bytes(limit) - limit, at);
}

}  // namespace flintgauge
