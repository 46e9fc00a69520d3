// What the vertical hint promises of any input (hint_vertical.h).
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <random>

#include "flintgauge/hint_vertical.h"

namespace flintgauge {
namespace {

constexpr double kMiB = kBytesPerMiB, kGiB = 1024 * kMiB;

double pick(std::mt19937_64& random, double most) {
  std::uniform_real_distribution<double> any(0, most);
  std::uniform_int_distribution<int> which(0, 9);
  switch (which(random)) {
    case 0:
      return 0;
    case 1:
      return most;
    default:
      return any(random);
  }
}

Spread random_spread(std::mt19937_64& random, double most) {
  const double p95 = pick(random, most);
  const double p90 = p95 * pick(random, 1);
  return {p90 * pick(random, 1), p90, p95};
}

VerticalInput random_input(std::mt19937_64& random) {
  VerticalInput in;
  in.heap_bytes = pick(random, 64 * kGiB);
  in.overhead_bytes = pick(random, 8 * kGiB);
  in.offheap_bytes = pick(random, 4 * kGiB);
  in.pyspark_bytes = pick(random, 1) < 0.5 ? 0 : pick(random, 4 * kGiB);
  in.memory_fraction = pick(random, 1);
  in.request_cores = pick(random, 16);
  in.heap = random_spread(random, 64 * kGiB);
  in.heap_is_live = pick(random, 1) < 0.5;
  in.unified = random_spread(random, 40 * kGiB);
  in.non_heap = random_spread(random, 8 * kGiB);
  in.python = random_spread(random, 8 * kGiB);
  in.container = random_spread(random, 80 * kGiB);
  in.cpu_cores = random_spread(random, 32);
  if (pick(random, 1) < 0.7) in.gc_ratio = pick(random, 0.3);
  in.heap_floor_bytes = pick(random, 1) < 0.7 ? 0 : pick(random, 64 * kGiB);
  in.overhead_floor_bytes = pick(random, 1) < 0.7 ? 0 : pick(random, 8 * kGiB);
  in.runs = std::floor(pick(random, 8));
  in.executors = std::floor(pick(random, 20));
  return in;
}

constexpr int kRounds = 50'000;

TEST(VerticalHint, KeepsItsPromisesOnRandomInput) {
  std::mt19937_64 random(11);
  for (int i = 0; i < kRounds; ++i) {
    const VerticalInput in = random_input(random);
    const VerticalHint hint = vertical_hint(in);
    if (hint.has_cpu) {
      ASSERT_LE(hint.cpu_lower_cores, hint.cpu_target_cores);
      ASSERT_LE(hint.cpu_target_cores, hint.cpu_upper_cores);
      ASSERT_GE(hint.cpu_lower_cores, 0.025);
    }
    if (!hint.has_memory) continue;
    double sum = 0;
    for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part) {
      ASSERT_TRUE(std::isfinite(hint.target.bytes[part]));
      ASSERT_LE(hint.lower.bytes[part], hint.target.bytes[part]) << kMemoryPartNames[part];
      ASSERT_LE(hint.target.bytes[part], hint.upper.bytes[part]) << kMemoryPartNames[part];
      if (part + 1 < kMemoryPartNames.size()) sum += hint.target.bytes[part];
    }
    ASSERT_EQ(hint.target[MemoryPart::kTotal], sum);
    ASSERT_GE(hint.lower[MemoryPart::kHeap], in.heap_floor_bytes);
    ASSERT_GE(hint.lower[MemoryPart::kOverhead], in.overhead_floor_bytes);
    ASSERT_GE(hint.target[MemoryPart::kHeap], in.heap_bytes * (hint.confidence >= 0.6 ? 0.8 : 1));
    ASSERT_GE(hint.target[MemoryPart::kOverhead], in.overhead_bytes * (hint.confidence >= 0.6 ? 0.8 : 1));
  }
}

TEST(VerticalHint, NeverFallsWhenAPeakGrows) {
  std::mt19937_64 random(12);
  constexpr Spread VerticalInput::*kPeaks[] = {&VerticalInput::heap,      &VerticalInput::unified,
                                               &VerticalInput::non_heap,  &VerticalInput::python,
                                               &VerticalInput::container, &VerticalInput::cpu_cores};
  for (int i = 0; i < kRounds; ++i) {
    const VerticalInput in = random_input(random);
    VerticalInput more = in;
    Spread& peak = more.*kPeaks[static_cast<std::size_t>(i) % std::size(kPeaks)];
    if (peak.p90 <= 0) continue;  // 0 is not a small peak, it is not known
    const double factor = 1 + pick(random, 1);
    peak = {peak.p50 * factor, peak.p90 * factor, peak.p95 * factor};
    const VerticalHint before = vertical_hint(in), after = vertical_hint(more);
    if (before.has_cpu) {
      ASSERT_LE(before.cpu_target_cores, after.cpu_target_cores);
    }
    if (!before.has_memory) continue;
    for (std::size_t part = 0; part < kMemoryPartNames.size(); ++part) {
      ASSERT_LE(before.target.bytes[part], after.target.bytes[part]) << kMemoryPartNames[part];
      ASSERT_LE(before.upper.bytes[part], after.upper.bytes[part]) << kMemoryPartNames[part];
    }
  }
}

TEST(VerticalHint, IsANumberWhateverComes) {
  constexpr double kBad[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             -1,
                             1e300,
                             1e-300};
  std::mt19937_64 random(13);
  std::uniform_int_distribution<std::size_t> which(0, std::size(kBad) - 1);
  for (int i = 0; i < kRounds; ++i) {
    VerticalInput in = random_input(random);
    double* fields[] = {&in.heap_bytes,
                        &in.overhead_bytes,
                        &in.offheap_bytes,
                        &in.pyspark_bytes,
                        &in.heap.p90,
                        &in.unified.p95,
                        &in.non_heap.p90,
                        &in.python.p50,
                        &in.runs,
                        &in.heap_floor_bytes,
                        &in.overhead_floor_bytes,
                        &in.memory_fraction,
                        &in.cpu_cores.p90,
                        &in.container.p95,
                        &in.executors};
    std::uniform_int_distribution<std::size_t> field(0, std::size(fields) - 1);
    *fields[field(random)] = kBad[which(random)];
    in.gc_ratio = kBad[which(random)];
    const VerticalHint hint = vertical_hint(in);
    for (const MemoryParts* parts : {&hint.target, &hint.lower, &hint.upper}) {
      for (const double bytes : parts->bytes) ASSERT_TRUE(std::isfinite(bytes) && bytes >= 0);
    }
    for (const double cores : {hint.cpu_lower_cores, hint.cpu_target_cores, hint.cpu_upper_cores})
      ASSERT_TRUE(std::isfinite(cores) && cores >= 0);
    ASSERT_TRUE(hint.confidence >= 0 && hint.confidence <= 1);
  }
}

// The unit in which a setting is written must not matter: a tenant may say 6g, 6144m or 6291456k.
TEST(VerticalHint, IsTheSameInEveryUnit) {
  std::mt19937_64 random(14);
  for (int i = 0; i < 1000; ++i) {
    VerticalInput in = random_input(random);
    const auto mib = std::floor(in.heap_bytes / kMiB);
    in.heap_bytes = mib * kMiB;
    const VerticalHint whole = vertical_hint(in);
    in.heap_bytes = mib / 1024 * kGiB;
    const VerticalHint of_gib = vertical_hint(in);
    ASSERT_EQ(whole.target.bytes, of_gib.target.bytes);
    ASSERT_EQ(vertical_lines(in, whole), vertical_lines(in, of_gib));
  }
}

}  // namespace
}  // namespace flintgauge
