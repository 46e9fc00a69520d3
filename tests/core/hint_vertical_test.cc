#include "flintgauge/hint_vertical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "agent/core/vpa.h"

namespace flintgauge {
namespace {

using testing::ElementsAre;

constexpr double kMiB = kBytesPerMiB, kGiB = 1024 * kMiB;

// ---- Spark's arithmetic

struct RequestCase {
  const char* name;
  ExecutorMemory memory;
  std::int64_t request_mib;
};

class Request : public testing::TestWithParam<RequestCase> {};

TEST_P(Request, IsHeapAndOverheadAndWhatElseIsConfigured) {
  EXPECT_EQ(request_mib(GetParam().memory), GetParam().request_mib);
}

ExecutorMemory heap(std::int64_t mib, double factor = 0.1) {
  ExecutorMemory memory;
  memory.heap_mib = mib;
  memory.overhead_factor = factor;
  return memory;
}

template <typename Change>
ExecutorMemory with(ExecutorMemory memory, Change change) {
  change(memory);
  return memory;
}

INSTANTIATE_TEST_SUITE_P(
    Reference, Request,
    testing::Values(
        RequestCase{"least_overhead", heap(1024), 1408}, RequestCase{"truncated", heap(4096), 4505},
        RequestCase{"of_8g", heap(8192), 9011}, RequestCase{"of_20g", heap(20480), 22528},
        RequestCase{"factor_is_the_least", heap(3840), 4224}, RequestCase{"just_above", heap(3850), 4235},
        RequestCase{"python", heap(4096, 0.4), 5734},
        RequestCase{"pyspark_memory", with(heap(4096, 0.4), [](auto& m) { m.pyspark_mib = 2048; }), 7782},
        RequestCase{"offheap", with(heap(4096), [](auto& m) { m.offheap_mib = 1024; }), 5529},
        RequestCase{"overhead_is_set", with(heap(4096), [](auto& m) { m.overhead_mib = 100; }), 4196},
        RequestCase{"least_is_set", with(heap(1024), [](auto& m) { m.least_overhead_mib = 512; }), 1536}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(HeapOfRequest, IsTheInverse) {
  for (const double factor : {0.05, 0.1, 0.4}) {
    for (std::int64_t mib = 1; mib < 200'000; mib += 7) {
      const std::int64_t request = request_mib(heap(mib, factor));
      // Two heaps a MiB apart can have one request, where the overhead is truncated.
      const std::int64_t found = heap_of_request_mib(request, factor);
      ASSERT_NEAR(static_cast<double>(found), static_cast<double>(mib), 1) << mib << ' ' << factor;
      ASSERT_LE(request_mib(heap(found, factor)), request);
    }
  }
  EXPECT_EQ(heap_of_request_mib(1408, 0.1), 1024);
  EXPECT_EQ(heap_of_request_mib(9011, 0.1),
            8191);  // floor(9011 / 1.1): 8192 and 819.2 truncated are 9011 too
  EXPECT_EQ(heap_of_request_mib(22528, 0.1), 20480);
  EXPECT_EQ(heap_of_request_mib(4224, 0.1), 3840);
  EXPECT_EQ(heap_of_request_mib(384, 0.1), 0);
  EXPECT_EQ(heap_of_request_mib(100, 0.1), 0);
}

TEST(SparkSize, IsAsPeopleWriteIt) {
  EXPECT_EQ(spark_size(6 * kGiB), "6g");
  EXPECT_EQ(spark_size(896 * kMiB), "896m");
  EXPECT_EQ(spark_size(1.5 * kGiB), "1536m");
  EXPECT_EQ(spark_size(1), "1m");
  EXPECT_EQ(spark_size(std::numeric_limits<double>::quiet_NaN()), "0m");
}

// ---- The hint

Spread spread(double p50, double p90, double p95) { return {p50, p90, p95}; }

/// docs/hints.md, section "Vertical", worked example.
VerticalInput example() {
  VerticalInput in;
  in.heap_bytes = 8 * kGiB;
  in.overhead_bytes = 819 * kMiB;
  in.request_cores = 4;
  in.heap = spread(3.5 * kGiB, 5 * kGiB, 5.25 * kGiB);
  in.unified = spread(1 * kGiB, 1.4 * kGiB, 1.5 * kGiB);
  in.non_heap = spread(300 * kMiB, 500 * kMiB, 600 * kMiB);
  in.container = spread(5 * kGiB, 6 * kGiB, 6.5 * kGiB);
  in.cpu_cores = spread(1.016, 1.588, 1.99);
  in.gc_ratio = 0.02;
  in.runs = 6;
  in.executors = 24;
  return in;
}

void expect_part(const MemoryParts& parts, MemoryPart part, double mib) {
  EXPECT_EQ(parts[part] / kMiB, mib) << kMemoryPartNames[static_cast<std::size_t>(part)];
}

TEST(VerticalHint, OfTheWorkedExample) {
  const VerticalInput in = example();
  const VerticalHint hint = vertical_hint(in);
  EXPECT_EQ(hint.confidence, 1);
  EXPECT_DOUBLE_EQ(hint.heap_need_bytes / kMiB, 5888);
  EXPECT_DOUBLE_EQ(hint.unified_need_bytes / kMiB, 2860);
  EXPECT_DOUBLE_EQ(hint.overhead_need_bytes / kMiB, 575);
  expect_part(hint.target, MemoryPart::kHeap, 6656);  // 80 % of 8192 is 6553.6, in steps of 256
  EXPECT_EQ(to_string(hint.heap_reason), "step");
  expect_part(hint.target, MemoryPart::kOverhead, 704);  // 80 % of 819 is 655.2, in steps of 64
  EXPECT_EQ(to_string(hint.overhead_reason), "step");
  expect_part(hint.target, MemoryPart::kTotal, 7360);
  expect_part(hint.lower, MemoryPart::kHeap, 4352);  // 3.5 GiB * 1.15 = 4121.6
  expect_part(hint.lower, MemoryPart::kOverhead, 384);
  expect_part(hint.upper, MemoryPart::kHeap, 6656);
  expect_part(hint.upper, MemoryPart::kOverhead, 704);  // 600 * 1.15 = 690
  EXPECT_DOUBLE_EQ(hint.cpu_target_cores, 1.826);       // 1588 + trunc(238.2)
  EXPECT_DOUBLE_EQ(hint.cpu_lower_cores, 1.168);
  EXPECT_DOUBLE_EQ(hint.cpu_upper_cores, 2.288);
  EXPECT_THAT(vertical_lines(in, hint),
              ElementsAre("spark.executor.memory=6656m", "spark.executor.memoryOverhead=704m",
                          "spark.kubernetes.executor.request.cores=1826m"));
}

TEST(VerticalHint, OfADriverIsWrittenWithItsNamesAndRestsOnRuns) {
  VerticalInput in = example();
  in.is_driver = true;
  in.runs = in.executors = 3;  // one a run
  const VerticalHint hint = vertical_hint(in);
  EXPECT_DOUBLE_EQ(hint.confidence, 0.6);
  EXPECT_THAT(vertical_lines(in, hint),
              ElementsAre("spark.driver.memory=6656m", "spark.driver.memoryOverhead=704m",
                          "spark.kubernetes.driver.request.cores=1826m"));
}

template <typename Change>
VerticalHint changed(Change change) {
  VerticalInput in = example();
  change(in);
  return vertical_hint(in);
}

TEST(VerticalHint, ReachesThePeaksInSeveralRuns) {
  const VerticalHint hint = changed([](VerticalInput& in) {
    in.heap_bytes = 6656 * kMiB;
    in.overhead_bytes = 704 * kMiB;
  });
  expect_part(hint.target, MemoryPart::kHeap, 5888);
  EXPECT_EQ(to_string(hint.heap_reason), "peaks");
  expect_part(hint.target, MemoryPart::kOverhead, 576);
  EXPECT_EQ(to_string(hint.overhead_reason), "peaks");
}

TEST(VerticalHint, DoesNotGoLowerWithLittleSeen) {
  struct Seen {
    double runs, executors;
  };
  for (const Seen& seen : {Seen{2, 100}, Seen{100, 5}, Seen{0, 0}}) {
    const VerticalHint hint = changed([&](VerticalInput& in) {
      in.runs = seen.runs;
      in.executors = seen.executors;
    });
    expect_part(hint.target, MemoryPart::kHeap, 8192);
    expect_part(hint.target, MemoryPart::kOverhead, 819);
    EXPECT_EQ(to_string(hint.heap_reason), "low_confidence");
  }
  const VerticalHint enough = changed([](VerticalInput& in) { in.runs = 3; });
  EXPECT_DOUBLE_EQ(enough.confidence, 0.6);
  expect_part(enough.target, MemoryPart::kHeap, 6656);
}

TEST(VerticalHint, GrowsTheHeapWhenCollectionsTakeLong) {
  const VerticalHint hint = changed([](VerticalInput& in) { in.gc_ratio = 0.11; });
  expect_part(hint.target, MemoryPart::kHeap, 9984);  // 8192 * 1.2 = 9830.4
  EXPECT_EQ(to_string(hint.heap_reason), "gc");
  expect_part(changed([](VerticalInput& in) { in.gc_ratio = 0.10; }).target, MemoryPart::kHeap, 6656);
}

TEST(VerticalHint, DoesNotGrowTheHeapForItsGarbage) {
  const auto full = [](VerticalInput& in) { in.heap = spread(7 * kGiB, 8 * kGiB, 8 * kGiB); };
  const VerticalHint hint = changed(full);
  expect_part(hint.target, MemoryPart::kHeap, 8192);
  EXPECT_EQ(to_string(hint.heap_reason), "quiet");
  const VerticalHint live = changed([&](VerticalInput& in) {
    full(in);
    in.heap_is_live = true;
  });
  expect_part(live.target, MemoryPart::kHeap, 9472);  // 8192 * 1.15 = 9420.8
  EXPECT_EQ(to_string(live.heap_reason), "peaks");
}

TEST(VerticalHint, KeepsTheRegionOfCachedAndExecutionMemory) {
  const VerticalHint hint = changed([](VerticalInput& in) {
    in.heap_bytes = 7 * kGiB;
    in.unified = spread(1 * kGiB, 3.5 * kGiB, 3.6 * kGiB);
  });
  EXPECT_DOUBLE_EQ(hint.unified_need_bytes / kMiB, 6444);  // 3686.4 / 0.6 + 300
  expect_part(hint.target, MemoryPart::kHeap, 6656);
}

TEST(VerticalHint, NeverGoesBelowAnOutOfMemoryError) {
  const VerticalHint hint = changed([](VerticalInput& in) {
    in.heap_floor_bytes = oom_floor_bytes(in.heap_bytes);
    in.overhead_floor_bytes = 1500 * kMiB;
  });
  expect_part(hint.target, MemoryPart::kHeap, 9984);
  expect_part(hint.target, MemoryPart::kOverhead, 1536);
  expect_part(hint.lower, MemoryPart::kHeap, 9984);
  EXPECT_EQ(to_string(hint.heap_reason), "oom");
  EXPECT_EQ(to_string(hint.overhead_reason), "oom");
}

TEST(VerticalHint, GrowsTheOverheadOfAFullContainerOnly) {
  const auto large = [](VerticalInput& in) { in.non_heap = spread(kGiB, 1.2 * kGiB, 1.3 * kGiB); };
  const VerticalHint roomy = changed(large);
  expect_part(roomy.target, MemoryPart::kOverhead, 819);
  EXPECT_EQ(to_string(roomy.overhead_reason), "quiet");
  const VerticalHint full = changed([&](VerticalInput& in) {
    large(in);
    in.container = spread(8 * kGiB, 8.5 * kGiB, 8.6 * kGiB);
  });
  expect_part(full.target, MemoryPart::kOverhead, 1472);  // 1228.8 * 1.15 = 1413.12
}

TEST(VerticalHint, LowersTheOverheadOnlyWhereItSawTheContainer) {
  const VerticalHint unseen = changed([](VerticalInput& in) { in.container = {}; });
  expect_part(unseen.target, MemoryPart::kOverhead, 819);
  const VerticalHint unknown = changed([](VerticalInput& in) { in.non_heap = {}; });
  expect_part(unknown.target, MemoryPart::kOverhead, 819);
  EXPECT_EQ(to_string(unknown.overhead_reason), "setting");
}

TEST(VerticalHint, KeepsSparksLeastOverhead) {
  const VerticalHint hint = changed([](VerticalInput& in) {
    in.overhead_bytes = 400 * kMiB;
    in.non_heap = spread(10 * kMiB, 20 * kMiB, 30 * kMiB);
  });
  expect_part(hint.target, MemoryPart::kOverhead, 384);
  EXPECT_EQ(to_string(hint.overhead_reason), "least");
}

TEST(VerticalHint, CountsPythonWhereItIsConfigured) {
  const auto python = [](VerticalInput& in) {
    in.overhead_bytes = 3 * kGiB;
    in.python = spread(1 * kGiB, 2 * kGiB, 2 * kGiB);
  };
  const VerticalHint inside = changed(python);
  expect_part(inside.target, MemoryPart::kOverhead, 2944);  // (500 + 2048) * 1.15 = 2930.2
  expect_part(inside.target, MemoryPart::kPyspark, 0);
  const VerticalInput in = [&] {
    VerticalInput apart = example();
    python(apart);
    apart.pyspark_bytes = 2 * kGiB;
    return apart;
  }();
  const VerticalHint apart = vertical_hint(in);
  expect_part(apart.target, MemoryPart::kOverhead, 2496);  // 80 % of 3072 is 2457.6
  expect_part(apart.target, MemoryPart::kPyspark, 2368);   // 2048 * 1.15 = 2355.2
  EXPECT_THAT(vertical_lines(in, apart), testing::Contains("spark.executor.pyspark.memory=2368m"));
}

TEST(VerticalHint, IsAbsentWithoutPeaks) {
  EXPECT_FALSE(changed([](VerticalInput& in) { in.heap = {}; }).has_memory);
  EXPECT_FALSE(changed([](VerticalInput& in) { in.heap_bytes = 0; }).has_memory);
  EXPECT_FALSE(changed([](VerticalInput& in) { in.cpu_cores = {}; }).has_cpu);
  EXPECT_TRUE(vertical_lines({}, vertical_hint({})).empty());
}

TEST(VerticalHint, AsksForTheCoresAVerticalPodAutoscalerWould) {
  VpaHistory history;
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> cores(0.001, 8);
  for (int i = 0; i < 500; ++i) history.add_cpu(cores(random), {1'700'000'000'000 + i * 60'000LL});
  VerticalInput in;
  in.cpu_cores = spread_of(history.cpu_cores);
  const VerticalHint hint = vertical_hint(in);
  EXPECT_EQ(std::lround(hint.cpu_target_cores * 1000), vpa_cpu_millicores(history, 1).target);
  // The bounds are the recommender's before it widens them: `conf` is of days, jobs are of minutes.
  const VpaAmounts bounds = vpa_estimate(in.cpu_cores, 1000, 25, std::nullopt);
  EXPECT_EQ(std::lround(hint.cpu_lower_cores * 1000), bounds.lower);
  EXPECT_EQ(std::lround(hint.cpu_upper_cores * 1000), bounds.upper);
  EXPECT_EQ(bounds.lower, vpa_with_margin(history.cpu_cores.percentile(0.5) * 1000));
  EXPECT_EQ(bounds.upper, vpa_with_margin(history.cpu_cores.percentile(0.95) * 1000));
}

}  // namespace
}  // namespace flintgauge
