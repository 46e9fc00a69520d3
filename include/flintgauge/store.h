// The lock-free store: owned shards, immutable blocks, hazard slots.
//
// Claims, each proved by a test (tests/core/store_*_test.cc):
//   publish() is wait-free (x86-64): one exchange and kReaders loads.  read is lock-free: a repeat means that
//   the owner published meanwhile.  A parked reader costs at most one block per source and never delays a
//   writer; a parked writer never delays a reader.  Nobody sees half a block.  No lock, guard, futex or
//   allocation in publish and read (agent/core/store.cc is a translation unit of its own; its object file is
//   checked).
//
// Protocol. Slot per source: atomic pointer `current`. Hazard table: kReaders rows of one pointer per source.
//   writer: fill a free block of its own pool; old = current.exchange(block); retire old; a retired block
//   that no
//           hazard names is free again.
//   reader: claim a row (one CAS); per source: p = current; hazard = p; if current != p repeat; read *p;
//   clear; release.
// All shared accesses are seq_cst: the exchange and the hazard store must be in one total order, else a
// writer could miss a hazard that validated.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "flintgauge/block.h"

namespace flintgauge {

/// Fixed number of shards; each has exactly one writer thread.
enum class Shard : std::uint8_t { kKubelet, kSpark, kDerived };
inline constexpr std::size_t kShards = 3;
inline constexpr std::size_t kReaders = 16;
inline constexpr std::size_t kBlocksPerShard = kReaders + 2;  ///< 1 current + kReaders pinned + 1 being built

/// The protocol, without ownership of the pointed-to things, over any atomic template: std::atomic in the
/// program, an instrumented one in the schedule tests. T is opaque here.
template <typename T, template <typename> class Atomic = std::atomic>
class HazardSlots {
 public:
  /// Writer of `shard` only. Returns the pointer that was current before (null at first).
  T* exchange(std::size_t shard, T* block) noexcept { return current_[shard].pointer.exchange(block); }

  /// Writer of `shard` only: does any reader hold `block`?
  bool is_pinned(std::size_t shard, const T* block) const noexcept {
    for (const Row& row : rows_) {
      if (row.hazard[shard].load() == block) return true;
    }
    return false;
  }

  /// Claims a reader row; kReaders when all are taken.
  std::size_t claim_row() noexcept {
    for (std::size_t row = 0; row < kReaders; ++row) {
      bool free = false;
      if (rows_[row].taken.compare_exchange_strong(free, true)) return row;
    }
    return kReaders;
  }

  /// Pins what is current. Owner of `row` only. Null when nothing was published yet.
  const T* pin(std::size_t row, std::size_t shard) noexcept {
    for (;;) {
      T* seen = current_[shard].pointer.load();
      rows_[row].hazard[shard].store(seen);
      if (current_[shard].pointer.load() == seen) return seen;
    }
  }

  void release_row(std::size_t row) noexcept {
    for (auto& hazard : rows_[row].hazard) hazard.store(nullptr);
    rows_[row].taken.store(false);
  }

 private:
  struct alignas(64) Slot {
    Atomic<T*> pointer{nullptr};
  };
  struct alignas(64) Row {
    Atomic<bool> taken{false};
    std::array<Atomic<T*>, kShards> hazard{};
  };
  std::array<Slot, kShards> current_{};
  std::array<Row, kReaders> rows_{};
};

class Store;

/// A consistent look at the store: each shard's block as it was when the View was made. Blocks stay valid
/// until the View is destroyed. Movable, not copyable; use from one thread; keep it short-lived.
class View {
 public:
  View() = default;
  ~View();
  View(View&& other) noexcept;
  View& operator=(View&& other) noexcept;

  /// False when all reader rows were taken: answer 503.
  explicit operator bool() const noexcept { return store_ != nullptr; }
  /// Null when that shard has published nothing yet.
  const Block* block(Shard shard) const noexcept { return blocks_[static_cast<std::size_t>(shard)]; }

 private:
  friend class Store;
  Store* store_ = nullptr;
  std::size_t row_ = kReaders;
  std::array<const Block*, kShards> blocks_{};
};

class Store {
 public:
  Store();

  /// A block to fill, from the shard's own pool; its old contents are there to be overwritten (capacity is
  /// reused). Writer of the shard only. Never null: the pool is as large as the protocol can pin.
  Block& writable(Shard shard) noexcept;

  /// Publishes the block that writable() gave. Sets its version. Writer of the shard only.
  void publish(Shard shard) noexcept;

  /// Any thread, at most kReaders at once.
  View read() noexcept;

  struct Statistics {
    std::uint64_t publishes = 0;
    std::uint64_t read_retries = 0;
    std::uint64_t rows_busy = 0;
  };
  Statistics statistics() const noexcept;

 private:
  friend class View;
  struct Pool {
    std::array<Block, kBlocksPerShard> blocks;
    std::array<bool, kBlocksPerShard> free{};  // owner thread only
    std::size_t building = kBlocksPerShard;    // owner thread only
    std::uint64_t version = 0;                 // owner thread only
  };
  HazardSlots<Block> slots_;
  std::unique_ptr<std::array<Pool, kShards>> pools_;
  std::atomic<std::uint64_t> publishes_{0}, rows_busy_{0};
};

static_assert(std::atomic<Block*>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace flintgauge
