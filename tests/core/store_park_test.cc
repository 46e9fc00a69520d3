// Park any thread forever at any of its accesses: all others go on. A parked thread is one that is left in
// the middle of an operation (longjmp) and never comes back.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csetjmp>
#include <cstdint>
#include <memory>

#include "flintgauge/hazard_slots.h"
#include "support/build_kind.h"

namespace flintgauge {
namespace {

/// Counts accesses, and leaves the operation before the one after `budget` of them.
struct Parking {
  static constexpr std::uint64_t kNever = UINT64_MAX;
  static inline std::uint64_t budget = kNever;
  static inline std::uint64_t accesses = 0;
  static inline std::jmp_buf parked;

  static void access() {
    if (accesses++ == budget) std::longjmp(parked, 1);  // NOLINT: only trivial objects are on the way
  }
};

/// std::atomic with parking.
template <typename T>
class ParkingAtomic {
 public:
  ParkingAtomic() = default;
  explicit(false) ParkingAtomic(T value) : value_(value) {}
  T load(std::memory_order order) const noexcept { return Parking::access(), value_.load(order); }
  void store(T value, std::memory_order order) noexcept { Parking::access(), value_.store(value, order); }
  T exchange(T value, std::memory_order order) noexcept {
    return Parking::access(), value_.exchange(value, order);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order success,
                               std::memory_order failure) noexcept {
    return Parking::access(), value_.compare_exchange_strong(expected, value, success, failure);
  }

 private:
  std::atomic<T> value_{};
};

constexpr std::uint64_t kRounds = testing::kThorough ? 1'000'000 : 20'000;
constexpr std::size_t kTestReaders = 3, kTestShards = 2;

struct TestBlock {
  std::uint64_t version = 0;
};

struct Bench {
  using Slots = HazardSlots<TestBlock, kTestShards, kTestReaders, ParkingAtomic>;
  Slots slots;
  std::array<std::array<TestBlock, Slots::kPoolBlocks>, kTestShards> pools{};
  std::array<std::uint64_t, kTestShards> versions{};

  void publish(std::size_t shard) {
    TestBlock* block = slots.find_free(shard, pools[shard]);
    block->version = ++versions[shard];
    slots.publish(shard, block);
  }

  /// Sum of the versions seen; 0 when no row was free.
  std::uint64_t read() {
    const std::size_t row = slots.claim_row();
    if (row == Slots::kNoRow) return 0;
    std::uint64_t retries = 0;
    std::uint64_t sum = 0;
    for (std::size_t shard = 0; shard < kTestShards; ++shard) {
      if (const TestBlock* block = slots.pin(row, shard, retries)) sum += block->version;
    }
    slots.release_row(row);
    return sum;
  }
};

/// Runs `operation` up to its access number `budget` and leaves it there. False when it ended before.
template <typename Operation>
bool park(std::uint64_t budget, Operation operation) {
  Parking::accesses = 0;
  Parking::budget = budget;
  volatile bool ended = false;
  if (setjmp(Parking::parked) == 0) {  // NOLINT
    operation();
    ended = true;
  }
  Parking::budget = Parking::kNever;
  return !ended;
}

template <typename Operation>
std::uint64_t accesses_of(Operation operation) {
  Parking::accesses = 0;
  operation();
  return Parking::accesses;
}

/// Everybody else: the writers that are not parked, and a reader, `rounds` times.
void expect_others_complete(Bench& bench, bool writer_0_parked, std::uint64_t rounds) {
  const std::uint64_t before = bench.versions[1];
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (!writer_0_parked) bench.publish(0);
    bench.publish(1);
    const std::uint64_t sum = bench.read();
    ASSERT_GT(sum, last) << "the reader got no row or an old block";
    last = sum;
  }
  EXPECT_EQ(bench.versions[1], before + rounds);
}

std::unique_ptr<Bench> fresh() {
  auto bench = std::make_unique<Bench>();
  for (std::size_t shard = 0; shard < kTestShards; ++shard) bench->publish(shard);
  return bench;
}

TEST(StorePark, AReaderParkedAtAnyAccessDelaysNobody) {
  std::uint64_t step = 0;
  for (;; ++step) {
    const auto bench = fresh();
    if (!park(step, [&] { bench->read(); })) break;
    expect_others_complete(*bench, false, kRounds);
  }
  // claim; guess, pin, validate for each shard; clear for each shard; release
  EXPECT_EQ(step, 1 + 3 * kTestShards + kTestShards + 1);
}

TEST(StorePark, AWriterParkedAtAnyAccessDelaysNobody) {
  std::uint64_t step = 0;
  for (;; ++step) {
    const auto bench = fresh();
    if (!park(step, [&] { bench->publish(0); })) break;
    expect_others_complete(*bench, true, kRounds);
  }
  EXPECT_EQ(step, 1 + kTestReaders + 1);  // own block, hazards, exchange
}

TEST(StorePark, AllReadersButOneAndAWriterParkedAnywhereDelayNobody) {
  for (std::uint64_t first = 0;; ++first) {
    auto bench = fresh();
    if (!park(first, [&] { bench->read(); })) break;
    for (std::uint64_t second = 0;; ++second) {
      bench = fresh();
      park(first, [&] { bench->read(); });
      bench->publish(0);
      if (!park(second, [&] { bench->read(); })) break;
      for (std::uint64_t writer = 0; writer < 1 + kTestReaders + 1; ++writer) {
        park(writer, [&] { bench->publish(0); });
        expect_others_complete(*bench, true, 200);
      }
    }
  }
}

TEST(StorePark, PublishIsBoundedWhateverReadersDo) {
  const auto bench = fresh();
  const std::uint64_t bound = 1 + kTestReaders + 1;
  EXPECT_EQ(accesses_of([&] { bench->publish(0); }), bound);
  for (std::uint64_t step = 3; step < 6; ++step) park(step, [&] { bench->read(); });  // all rows pinned
  EXPECT_EQ(bench->read(), 0U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(accesses_of([&] { bench->publish(0); }), bound);
}

}  // namespace
}  // namespace flintgauge
