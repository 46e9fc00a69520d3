// The lock-free store: owned shards, immutable blocks, hazard slots (hazard_slots.h has the protocol).
//
// Claims, each proved by a test (tests/core/store_*):
//   publish() is wait-free (x86-64): kReaders + 1 loads and one exchange. read() is lock-free: a repeat means
//   that a writer published meanwhile. A parked reader costs at most one block per shard and never delays a
//   writer; a parked writer never delays a reader. Nobody sees half a block. Versions never go back for one
//   reader. No lock, guard, futex or allocation in publish and read: agent/core/store.cc is a translation
//   unit of its own, its object file is checked.
// Not covered: what the writer does to fill its block (it may allocate).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "flintgauge/block.h"
#include "flintgauge/hazard_slots.h"

namespace flintgauge {

/// Fixed number of shards; each has exactly one writer thread.
enum class Shard : std::uint8_t { kKubelet, kSpark, kCompanions, kDerived };
inline constexpr std::size_t kShards = 4;
inline constexpr std::size_t kReaders = 16;

class Store;

/// A consistent look at the store: each shard's block as it was when the View was made. Blocks stay valid
/// until the View is destroyed, which must be before the Store is. Movable, not copyable; use from one
/// thread; keep it short-lived: copy a page out of it before you write it to a slow peer.
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
  std::size_t row_ = 0;
  std::array<const Block*, kShards> blocks_{};
};

class Store {
 public:
  Store();
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// A block to fill, from the shard's own pool; its old contents are there to be overwritten (capacity is
  /// reused). The same block until it is published. Writer of the shard only.
  Block& writable(Shard shard) noexcept;

  /// Publishes the block that writable() gave, and sets its version: 1, 2, 3... REQUIRES: writable() was
  /// called since the last publish. Writer of the shard only.
  void publish(Shard shard) noexcept;

  /// Any thread, at most kReaders views at once.
  View read() noexcept;

  struct Statistics {
    std::uint64_t publishes = 0;
    std::uint64_t read_retries = 0;  ///< a writer published while a reader was pinning
    std::uint64_t rows_busy = 0;     ///< reads refused because all rows were taken
  };
  Statistics statistics() const noexcept;

 private:
  friend class View;
  using Slots = HazardSlots<Block, kShards, kReaders>;
  struct alignas(64) Pool {  // owner thread only
    std::array<Block, Slots::kPoolBlocks> blocks;
    Block* building = nullptr;
    std::uint64_t version = 0;
  };
  Slots slots_;
  std::unique_ptr<std::array<Pool, kShards>> pools_;
  // Statistics order nothing: relaxed.
  std::atomic<std::uint64_t> publishes_{0}, read_retries_{0}, rows_busy_{0};
};

static_assert(std::atomic<Block*>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace flintgauge
