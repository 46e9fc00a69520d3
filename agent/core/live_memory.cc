#include "agent/core/live_memory.h"

#include <algorithm>
#include <cmath>

namespace flintgauge {
namespace {

constexpr std::int64_t kCpuSampleMs = 60'000;  // a Vertical Pod Autoscaler samples once a minute

double told(double value) { return std::isfinite(value) && value > 0 ? value : 0; }

}  // namespace

void LiveMemory::take(const SparkUsage& usage, JobRecord& record, WallTime at) {
  // Page cache is given back under pressure, so resident memory is what kills; the working set has some.
  const double resident = told(usage.memory_rss_bytes);
  const double bytes = resident > 0 ? resident : told(usage.memory_working_set_bytes);
  if (bytes > 0) {
    container_.add(bytes, at, record.container);
    container_bytes_ = std::max(container_bytes_, bytes);
  }
  if (!std::isfinite(usage.cpu_seconds)) return;
  const std::int64_t ms = usage.cpu_at_ms - cpu_at_ms_;
  if (cpu_at_ms_ != 0 && ms < kCpuSampleMs) return;
  if (cpu_at_ms_ != 0 && usage.cpu_seconds >= cpu_seconds_) {
    const double cores = (usage.cpu_seconds - cpu_seconds_) / (static_cast<double>(ms) / 1000);
    record.cpu_cores.add(cores, kVpaCpuWeight, at);
  }
  cpu_seconds_ = usage.cpu_seconds;
  cpu_at_ms_ = usage.cpu_at_ms;
}

void LiveMemory::take(const ExecutorFacts& facts, JobRecord& record, WallTime at) {
  const double heap = told(facts.peak_jvm_heap_bytes);
  const double unified = told(facts.peak_on_heap_unified_bytes);
  const double python = told(facts.peak_process_tree_python_rss_bytes);
  if (heap <= 0) return;  // before its first heartbeat
  heap_.add(heap, at, record.heap);
  if (unified > 0) unified_.add(unified, at, record.unified);
  if (python > 0) python_.add(python, at, record.python);
  const double jvm = told(facts.peak_jvm_off_heap_bytes) + told(facts.peak_direct_pool_bytes) +
                     told(facts.peak_mapped_pool_bytes);
  const double tree = told(facts.peak_process_tree_jvm_rss_bytes);
  const double seen = container_bytes_ > 0 ? container_bytes_ - python : tree;
  const double rest = seen - heap - told(facts.peak_off_heap_unified_bytes);
  const double non_heap = std::max(rest, jvm);
  if (non_heap > 0) non_heap_.add(non_heap, at, record.non_heap);
}

bool LiveMemory::run_out(const VerticalInput& shape) {
  if (ran_out_ || shape.heap_bytes <= 0) return false;
  ran_out_ = true;
  return true;
}

}  // namespace flintgauge
