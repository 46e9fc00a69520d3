// Real threads on the real store. ThreadSanitizer sees every block that is overwritten too early as a race;
// without it the poison does: a retired block is poisoned as soon as its writer gets it back.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "flintgauge/store.h"

namespace flintgauge {
namespace {

constexpr std::size_t kValues = 64;
constexpr std::uint64_t kPublications = 20'000;
constexpr std::size_t kReaderThreads = 6;
constexpr double kPoison = std::numeric_limits<double>::quiet_NaN();

struct Observer {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> completed{0};
};

class StoreStress : public testing::Test {
 protected:
  void write(Shard shard) {
    Observer& observer = observers_[static_cast<std::size_t>(shard)];
    for (std::uint64_t version = 1; version <= kPublications; ++version) {
      Block& block = store_.writable(shard);
      block.values.assign(kValues, kPoison);
      for (double& value : block.values) value = static_cast<double>(version);
      observer.begun.store(version);
      store_.publish(shard);
      observer.completed.store(version);
    }
    writers_left_.fetch_sub(1);
  }

  /// False when the block is not what exactly one publication left.
  static bool is_whole(const Block& block) {
    bool whole = block.values.size() == kValues;
    for (const double value : block.values) whole = whole && value == static_cast<double>(block.version);
    return whole;
  }

  void check(const View& view, std::array<std::uint64_t, kShards>& last,
             const std::array<std::uint64_t, kShards>& completed) {
    for (std::size_t i = 0; i < kShards; ++i) {
      const Block* block = view.block(static_cast<Shard>(i));
      const std::uint64_t version = block == nullptr ? 0 : block->version;
      if (block != nullptr && !is_whole(*block)) broken_.fetch_add(1);
      if (version < last[i] || version < completed[i] || version > observers_[i].begun.load())
        out_of_order_.fetch_add(1);
      last[i] = version;
    }
  }

  void read(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::array<std::uint64_t, kShards> last{};
    std::vector<View> kept;  // views that stay long: parked readers
    std::vector<std::array<std::uint64_t, kShards>> kept_versions;
    while (writers_left_.load() > 0) {
      std::array<std::uint64_t, kShards> completed{};
      for (std::size_t i = 0; i < kShards; ++i) completed[i] = observers_[i].completed.load();
      View view = store_.read();
      if (!view) continue;
      reads_.fetch_add(1);
      check(view, last, completed);
      if (random() % 64 == 0) {
        if (kept.size() == 2) kept.clear(), kept_versions.clear();
        kept.push_back(std::move(view));
        kept_versions.push_back(last);
      }
      for (std::size_t k = 0; k < kept.size(); ++k) {
        auto versions = kept_versions[k];
        check(kept[k], versions, versions);
        if (versions != kept_versions[k]) broken_.fetch_add(1);
      }
    }
  }

  Store store_;
  std::array<Observer, kShards> observers_;
  std::atomic<int> writers_left_{static_cast<int>(kShards)};
  std::atomic<std::uint64_t> reads_{0}, broken_{0}, out_of_order_{0};
};

TEST_F(StoreStress, ReadersSeeWholeBlocksInOrder) {
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kReaderThreads; ++i) threads.emplace_back([this, i] { read(i); });
    for (std::size_t i = 0; i < kShards; ++i)
      threads.emplace_back([this, i] { write(static_cast<Shard>(i)); });
  }
  EXPECT_EQ(broken_.load(), 0U);
  EXPECT_EQ(out_of_order_.load(), 0U);
  EXPECT_GT(reads_.load(), 0U);
  EXPECT_EQ(store_.statistics().publishes, kShards * kPublications);
  RecordProperty("reads", std::to_string(reads_.load()));
  RecordProperty("retries", std::to_string(store_.statistics().read_retries));
}

// More threads than rows: some are turned away, nobody is harmed, the rows come back.
TEST_F(StoreStress, MoreReadersThanRowsAreTurnedAwayAndNothingBreaks) {
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kReaders + 4; ++i) threads.emplace_back([this, i] { read(100 + i); });
    for (std::size_t i = 0; i < kShards; ++i)
      threads.emplace_back([this, i] { write(static_cast<Shard>(i)); });
  }
  EXPECT_EQ(broken_.load(), 0U);
  EXPECT_EQ(out_of_order_.load(), 0U);
  std::vector<View> all;
  for (std::size_t i = 0; i < kReaders; ++i) all.push_back(store_.read());
  for (const View& view : all) EXPECT_TRUE(view);
}

}  // namespace
}  // namespace flintgauge
