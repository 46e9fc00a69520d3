#include "flintgauge/hint_vertical.h"

#include <algorithm>
#include <cmath>

#include "agent/core/vpa.h"

namespace flintgauge {
namespace {

constexpr double kMost = 1e14;             // bytes and cores; no sum of inputs overflows
constexpr double kReservedMiB = 300;       // of the heap, beside spark.memory.fraction (UnifiedMemoryManager)
constexpr double kLeastOverheadMiB = 384;  // spark.executor.minMemoryOverhead
constexpr double kHeapStepMiB = 256;       // what people write
constexpr double kOverheadStepMiB = 64;
constexpr double kGcHigh = 0.10, kGcGrowth = 1.2;  // Dr. Elephant: moderate
constexpr double kLeastOfNow = 0.8;                // a run goes down by a fifth at most,
constexpr double kLeastConfidence = 0.6;           // and only with this confidence
constexpr double kContainerFull = 0.9;             // of the limit (Spark 4.2 ExecutorResizePlugin)
constexpr double kMemoryFraction = 0.6;            // spark.memory.fraction's default
constexpr double kLeastMemoryFraction = 0.01;      // Spark refuses 0; less is no setting of anybody's
// Ours: five runs and ten executors show what a job needs. The days that a Vertical Pod Autoscaler counts
// would say nothing of jobs of ten minutes.
constexpr double kTrustedRuns = 5, kTrustedExecutors = 10;
constexpr double kMilliCoresPerCore = 1000;
constexpr std::int64_t kMiBPerGiB = 1024;

double sane(double value) { return value > 0 ? std::min(value, kMost) : 0; }  // NaN > 0 is false

Spread sane(const Spread& raw) {
  Spread out{sane(raw.p50), sane(raw.p90), sane(raw.p95)};
  out.p90 = std::max(out.p90, out.p50);
  out.p95 = std::max(out.p95, out.p90);
  return out;
}

VerticalInput sane(const VerticalInput& raw) {
  VerticalInput in = raw;
  for (double* value :
       {&in.heap_bytes, &in.overhead_bytes, &in.offheap_bytes, &in.pyspark_bytes, &in.request_cores,
        &in.heap_floor_bytes, &in.overhead_floor_bytes, &in.runs, &in.executors}) {
    *value = sane(*value);
  }
  for (Spread* spread : {&in.heap, &in.unified, &in.non_heap, &in.python, &in.container, &in.cpu_cores}) {
    *spread = sane(*spread);
  }
  if (!(in.memory_fraction > kLeastMemoryFraction && in.memory_fraction <= 1))
    in.memory_fraction = kMemoryFraction;
  if (in.gc_ratio && !std::isfinite(*in.gc_ratio)) in.gc_ratio.reset();
  return in;
}

double up_to_multiple(double bytes, double mib) {
  const double step = mib * kBytesPerMiB;
  return std::ceil(bytes / step) * step;
}

struct Term {
  double bytes;
  VerticalReason reason;
};

/// What the peaks ask for, held against what there is now: down by steps, up only for a reason.
struct Part {
  double now, need, step_mib, floor, confidence;
  bool may_grow, may_shrink;
};

Term decide(const Part& part) {
  Term term{up_to_multiple(part.need, part.step_mib), VerticalReason::kPeaks};
  if (term.bytes > part.now && !part.may_grow) term = {part.now, VerticalReason::kQuiet};
  if (term.bytes < part.now) {
    const bool trusted = part.confidence >= kLeastConfidence && part.may_shrink;
    const double least =
        trusted ? std::min(part.now, up_to_multiple(part.now * kLeastOfNow, part.step_mib)) : part.now;
    if (least > term.bytes) term = {least, trusted ? VerticalReason::kStep : VerticalReason::kLowConfidence};
  }
  if (part.floor > term.bytes) term = {up_to_multiple(part.floor, part.step_mib), VerticalReason::kOom};
  return term;
}

double with_margin(double bytes) { return static_cast<double>(vpa_with_margin(bytes)); }

double heap_need(const VerticalInput& in, double heap, double unified) {
  const double region = unified > 0 ? unified / in.memory_fraction + kReservedMiB * kBytesPerMiB : 0;
  return std::max(with_margin(heap), region);
}

double overhead_need(const VerticalInput& in, double non_heap, double python) {
  const double inside = in.pyspark_bytes > 0 ? 0 : python;
  return std::max(kLeastOverheadMiB * kBytesPerMiB, with_margin(non_heap + inside));
}

double pyspark_part(const VerticalInput& in, double python) {
  if (in.pyspark_bytes <= 0) return 0;
  return python > 0 ? up_to_multiple(with_margin(python), kOverheadStepMiB) : in.pyspark_bytes;
}

void add_total(MemoryParts& parts) {
  double& total = parts[MemoryPart::kTotal];
  total = 0;
  for (std::size_t i = 0; i + 1 < parts.bytes.size(); ++i) total += parts.bytes[i];
}

/// The parts as one percentile alone gives them, nothing below the floors.
MemoryParts bound(const VerticalInput& in, double Spread::*p) {
  MemoryParts out;
  const double heap = std::max(heap_need(in, in.heap.*p, in.unified.*p), in.heap_floor_bytes);
  const double overhead = std::max(overhead_need(in, in.non_heap.*p, in.python.*p), in.overhead_floor_bytes);
  out[MemoryPart::kHeap] = up_to_multiple(heap, kHeapStepMiB);
  out[MemoryPart::kOverhead] = up_to_multiple(overhead, kOverheadStepMiB);
  out[MemoryPart::kOffHeap] = in.offheap_bytes;
  out[MemoryPart::kPyspark] = pyspark_part(in, in.python.*p);
  return out;
}

void decide_heap(const VerticalInput& in, VerticalHint& out) {
  out.heap_need_bytes = with_margin(in.heap.p90);
  out.unified_need_bytes = in.unified.p95 > 0 ? heap_need(in, 0, in.unified.p95) : 0;
  // A JVM fills the heap it has: garbage is no need, unless collecting it takes too long.
  Term heap = decide({.now = in.heap_bytes,
                      .need = std::max(out.heap_need_bytes, out.unified_need_bytes),
                      .step_mib = kHeapStepMiB,
                      .floor = in.heap_floor_bytes,
                      .confidence = out.confidence,
                      .may_grow = in.heap_is_live,
                      .may_shrink = true});
  if (in.gc_ratio && *in.gc_ratio > kGcHigh) {
    const double grown = up_to_multiple(in.heap_bytes * kGcGrowth, kHeapStepMiB);
    if (grown > heap.bytes) heap = {grown, VerticalReason::kGc};
  }
  out.target[MemoryPart::kHeap] = heap.bytes;
  out.heap_reason = heap.reason;
}

void decide_overhead(const VerticalInput& in, VerticalHint& out) {
  const double measured = with_margin(in.non_heap.p90 + (in.pyspark_bytes > 0 ? 0 : in.python.p90));
  out.overhead_need_bytes = measured;
  const double limit = in.heap_bytes + in.overhead_bytes + in.offheap_bytes + in.pyspark_bytes;
  const bool is_known = in.non_heap.p90 > 0;
  const bool has_container = in.container.p95 > 0;
  // What the container left free it has left beside heap and overhead as they are.
  const bool is_full = in.container.p95 > kContainerFull * limit;
  Term overhead =
      decide({.now = in.overhead_bytes,
              .need = is_known ? overhead_need(in, in.non_heap.p90, in.python.p90) : in.overhead_bytes,
              .step_mib = kOverheadStepMiB,
              .floor = in.overhead_floor_bytes,
              .confidence = out.confidence,
              .may_grow = is_known && (!has_container || is_full),
              .may_shrink = has_container});
  if (!is_known && overhead.reason != VerticalReason::kOom) {
    overhead.reason = VerticalReason::kSetting;
  } else if (overhead.reason == VerticalReason::kPeaks && measured < kLeastOverheadMiB * kBytesPerMiB) {
    overhead.reason = VerticalReason::kLeast;
  }
  out.target[MemoryPart::kOverhead] = overhead.bytes;
  out.overhead_reason = overhead.reason;
}

double decide_pyspark(const VerticalInput& in, double confidence) {
  if (in.pyspark_bytes <= 0 || in.python.p90 <= 0) return in.pyspark_bytes;
  return decide({.now = in.pyspark_bytes,
                 .need = with_margin(in.python.p90),
                 .step_mib = kOverheadStepMiB,
                 .floor = 0,
                 .confidence = confidence,
                 .may_grow = true,
                 .may_shrink = true})
      .bytes;
}

void decide_memory(const VerticalInput& in, VerticalHint& out) {
  decide_heap(in, out);
  decide_overhead(in, out);
  out.pyspark_need_bytes = in.pyspark_bytes > 0 ? with_margin(in.python.p90) : 0;
  out.target[MemoryPart::kOffHeap] = in.offheap_bytes;
  out.target[MemoryPart::kPyspark] = decide_pyspark(in, out.confidence);
  out.lower = bound(in, &Spread::p50);
  out.upper = bound(in, &Spread::p95);
  for (std::size_t i = 0; i < out.target.bytes.size(); ++i) {
    out.lower.bytes[i] = std::min(out.lower.bytes[i], out.target.bytes[i]);
    out.upper.bytes[i] = std::max(out.upper.bytes[i], out.target.bytes[i]);
  }
  for (MemoryParts* parts : {&out.target, &out.lower, &out.upper}) add_total(*parts);
}

/// As a Vertical Pod Autoscaler of a pod of one container, whose bounds nothing widens.
void decide_cpu(const VerticalInput& in, VerticalHint& out) {
  const VpaAmounts amounts =
      vpa_estimate(in.cpu_cores, kMilliCoresPerCore, vpa_least_millicores(1), std::nullopt);
  const auto cores = [](std::int64_t amount) { return static_cast<double>(amount) / kMilliCoresPerCore; };
  out.cpu_target_cores = cores(amounts.target);
  out.cpu_lower_cores = cores(amounts.lower);
  out.cpu_upper_cores = cores(amounts.upper);
}

}  // namespace

std::int64_t overhead_mib(const ExecutorMemory& memory) {
  if (memory.overhead_mib) return *memory.overhead_mib;
  const double by_factor = std::trunc(memory.overhead_factor * static_cast<double>(memory.heap_mib));
  return std::max(vpa_amount(by_factor), memory.least_overhead_mib);
}

std::int64_t request_mib(const ExecutorMemory& memory) {
  return memory.heap_mib + overhead_mib(memory) + memory.offheap_mib + memory.pyspark_mib;
}

std::int64_t heap_of_request_mib(std::int64_t request_mib, double factor) {
  constexpr auto kLeast = static_cast<std::int64_t>(kLeastOverheadMiB);
  const std::int64_t with_least = std::max<std::int64_t>(request_mib - kLeast, 0);
  if (!(factor > 0) || static_cast<double>(with_least) <= kLeastOverheadMiB / factor) return with_least;
  return static_cast<std::int64_t>(std::floor(static_cast<double>(request_mib) / (1 + factor)));
}

std::string spark_size(double bytes) {
  const auto mib = static_cast<std::int64_t>(std::ceil(sane(bytes) / kBytesPerMiB));
  return mib > 0 && mib % kMiBPerGiB == 0 ? std::to_string(mib / kMiBPerGiB) + 'g'
                                          : std::to_string(mib) + 'm';
}

VerticalHint vertical_hint(const VerticalInput& input) {
  const VerticalInput in = sane(input);
  VerticalHint out;
  out.confidence = std::min(1.0, in.runs / kTrustedRuns);
  if (!in.is_driver) out.confidence *= std::min(1.0, in.executors / kTrustedExecutors);
  out.has_memory = in.heap_bytes > 0 && in.heap.p90 > 0;
  if (out.has_memory) decide_memory(in, out);
  out.has_cpu = in.cpu_cores.p90 > 0;
  if (out.has_cpu) decide_cpu(in, out);
  return out;
}

MemoryParts memory_now(const VerticalInput& input) {
  MemoryParts now;
  now[MemoryPart::kHeap] = sane(input.heap_bytes);
  now[MemoryPart::kOverhead] = sane(input.overhead_bytes);
  now[MemoryPart::kOffHeap] = sane(input.offheap_bytes);
  now[MemoryPart::kPyspark] = sane(input.pyspark_bytes);
  add_total(now);
  return now;
}

std::vector<std::string> vertical_lines(const VerticalInput& input, const VerticalHint& hint) {
  std::vector<std::string> lines;
  const std::string role = input.is_driver ? "driver" : "executor";
  if (hint.has_memory) {
    lines.push_back("spark." + role + ".memory=" + spark_size(hint.target[MemoryPart::kHeap]));
    lines.push_back("spark." + role + ".memoryOverhead=" + spark_size(hint.target[MemoryPart::kOverhead]));
    if (input.pyspark_bytes > 0)
      lines.push_back("spark.executor.pyspark.memory=" + spark_size(hint.target[MemoryPart::kPyspark]));
  }
  if (hint.has_cpu) {
    const auto millicores =
        static_cast<std::int64_t>(std::lround(hint.cpu_target_cores * kMilliCoresPerCore));
    lines.push_back("spark.kubernetes." + role + ".request.cores=" + std::to_string(millicores) + 'm');
  }
  return lines;
}

double oom_floor_bytes(double bytes) { return oom_need(sane(bytes)); }

}  // namespace flintgauge
