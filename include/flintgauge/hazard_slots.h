// The protocol of the store, over any atomic template: std::atomic in the program, a model of the C++ memory
// model in the schedule tests. It hands out pointers; T is opaque here.
//
// Slot per shard: atomic pointer `current`. Hazard table: Readers rows of one pointer per shard.
//   writer: block = find_free(pool); fill it; publish(block).
//   reader: row = claim_row(); p = pin(row, shard) for each shard; read *p; release_row(row).
//
// Why it is right. The reader stores its hazard, then looks at `current` again; the writer replaces
// `current`, then looks at the hazards. These four accesses are seq_cst, so one of the two comes first in the
// single total order: either the reader sees that the block is current no more and repeats, or the writer
// sees the hazard and leaves the block alone. A block that was recycled and published again between the
// reader's two loads is current again, and nothing of it was read before: harmless.
// The other orders are the weakest that are enough; each names its partner. tests/core/store_model_test.cc
// weakens, removes and delays every access in turn and shows that a checker objects.
//
// Bound. One block is current, each row names at most one block of a shard (a pinned one or one it is about
// to reject), so of Readers + 2 blocks one is always free and one more may be under construction.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace flintgauge {

template <typename T, std::size_t Shards, std::size_t Readers, template <typename> class Atomic = std::atomic>
class HazardSlots {
 public:
  static constexpr std::size_t kNoRow = Readers;
  static constexpr std::size_t kPoolBlocks = Readers + 2;

  /// A block of the shard's pool that is not current and that no reader holds. Never null (see Bound).
  /// Writer of `shard` only. Wait-free: Readers + 1 loads.
  T* find_free(std::size_t shard, std::span<T, kPoolBlocks> pool) const noexcept {
    std::array<bool, kPoolBlocks> used{};
    const auto mark = [&used, &pool](const T* block) {
      if (block != nullptr) used[static_cast<std::size_t>(block - pool.data())] = true;
    };
    mark(current_[shard].pointer.load(std::memory_order_relaxed));  // written by this thread alone
    for (const Row& row : rows_) mark(row.hazard[shard].load(std::memory_order_seq_cst));
    return pool.data() + (std::find(used.begin(), used.end(), false) - used.begin());
  }

  /// Makes `block` the current one. Writer of `shard` only. Wait-free where exchange is one instruction
  /// (x86-64, arm64 with LSE).
  void publish(std::size_t shard, T* block) noexcept {
    current_[shard].pointer.exchange(block, std::memory_order_seq_cst);
  }

  /// Claims a reader row; kNoRow when all are taken. Any thread; at most Readers attempts.
  std::size_t claim_row() noexcept {
    for (std::size_t row = 0; row < Readers; ++row) {
      bool taken = false;
      // acquire: pairs with release_row(), so that our hazards come after those of the row's last owner.
      if (rows_[row].taken.compare_exchange_strong(taken, true, std::memory_order_acquire,
                                                   std::memory_order_relaxed)) {
        return row;
      }
    }
    return kNoRow;
  }

  /// Pins what is current; null when nothing was published yet. Adds the repeats to `retries`: each means
  /// that the writer has published since the guess was made. Owner of `row` only. Lock-free.
  const T* pin(std::size_t row, std::size_t shard, std::uint64_t& retries) noexcept {
    for (;; ++retries) {
      T* seen = current_[shard].pointer.load(std::memory_order_relaxed);  // a guess, checked below
      rows_[row].hazard[shard].store(seen, std::memory_order_seq_cst);
      if (current_[shard].pointer.load(std::memory_order_seq_cst) == seen) return seen;
    }
  }

  /// Gives up all pins of the row and the row. Its owner only. Wait-free.
  void release_row(std::size_t row) noexcept {
    // release: pairs with the load in find_free(), so that the writer overwrites after we have read.
    for (auto& hazard : rows_[row].hazard) hazard.store(nullptr, std::memory_order_release);
    rows_[row].taken.store(false, std::memory_order_release);  // pairs with claim_row()
  }

 private:
  struct alignas(64) Slot {
    Atomic<T*> pointer{nullptr};
  };
  struct alignas(64) Row {
    Atomic<bool> taken{false};
    std::array<Atomic<T*>, Shards> hazard{};
  };
  std::array<Slot, Shards> current_{};
  std::array<Row, Readers> rows_{};
};

}  // namespace flintgauge
