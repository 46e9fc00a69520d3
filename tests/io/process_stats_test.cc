#include "agent/io/process_stats.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/build_kind.h"

namespace flintgauge {
namespace {

// A line as proc(5) describes it, with a hostile program name.
constexpr std::string_view kStat =
    "1234 (a) b (c) S 1 1234 1234 0 -1 4194560 999 0 0 0 250 150 0 0 20 0 7 0 5000 10485760 256 "
    "18446744073709551615 1 1 0 0 0 0 0 4096 17642 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

TEST(ProcessStats, ReadsTheFieldsBehindTheProgramName) {
  const auto stats = parse_process_stat(kStat, 1'700'000'000, {.ticks_per_second = 100, .page_bytes = 4096});
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_DOUBLE_EQ(stats->cpu_seconds, 4.0);
  EXPECT_EQ(stats->threads, 7U);
  EXPECT_DOUBLE_EQ(stats->start_time_seconds, 1'700'000'050.0);
  EXPECT_EQ(stats->virtual_memory_bytes, 10'485'760U);
  EXPECT_EQ(stats->resident_memory_bytes, 256U * 4096U);
}

TEST(ProcessStats, RefusesEveryShorterLine) {
  const std::size_t last_field = kStat.find(" 256 ") + 2;  // one digit of field 24 is enough to be a number
  for (std::size_t size = 0; size < last_field; ++size) {
    EXPECT_FALSE(parse_process_stat(kStat.substr(0, size), 0, {})) << size;
  }
  EXPECT_FALSE(
      parse_process_stat("1 (x) S 1 2 three 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21", 0, {}));
}

TEST(ProcessStats, FindsTheBootTime) {
  EXPECT_EQ(parse_boot_time("cpu 1 2 3\nintr 5\nbtime 1700000000\nprocesses 4\n").value(), 1'700'000'000);
  EXPECT_FALSE(parse_boot_time("cpu 1 2 3\n"));
  EXPECT_FALSE(parse_boot_time("cpu 1\nbtime soon\n"));
}

TEST(ProcessStats, OfThisProcessAreThere) {
  const auto stats = read_process_stats();
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_GE(stats->threads, 1U);
  EXPECT_GE(stats->open_fds, 3U);
  EXPECT_LE(stats->open_fds, stats->max_fds);
  EXPECT_GT(stats->resident_memory_bytes, 100'000U);
  EXPECT_GE(stats->virtual_memory_bytes, stats->resident_memory_bytes);
  EXPECT_GE(stats->max_virtual_memory_bytes, stats->virtual_memory_bytes);
  EXPECT_GT(stats->start_time_seconds, 1.6e9);
}

TEST(ProcessStats, HeapIsWhatTheAllocatorHas) {
  constexpr std::size_t kBlock = std::size_t{64} * 1024 * 1024;
  const std::uint64_t before = read_process_stats()->heap_bytes;
  const std::vector<char> block(kBlock, 'x');
  const std::uint64_t after = read_process_stats()->heap_bytes;
  if (testing::kHasOwnMalloc) {
    EXPECT_GT(before, 0U);
    EXPECT_GE(after, before + block.size());
  }
}

}  // namespace
}  // namespace flintgauge
