// Publish and read, and nothing else: the object file of this unit must not need a lock, a guard, a futex or
// an allocation (tests/core/store_symbols.sh). What allocates is in store_pool.cc.
#include "flintgauge/store.h"

#include <bit>
#include <cassert>
#include <utility>

namespace flintgauge {
namespace {

/// Of what readers see of a block. Debug builds only (asserts): it finds the owner who writes to a block
/// after it was published, also when no reader is there to race with.
[[maybe_unused]] std::uint64_t checksum_of(const Block& block) noexcept {
  std::uint64_t sum = 14'695'981'039'346'656'037ULL;  // FNV-1a, a word at a time
  const auto mix = [&sum](std::uint64_t word) { sum = (sum ^ word) * 1'099'511'628'211ULL; };
  mix(block.version);
  mix(static_cast<std::uint64_t>(block.committed.ms));
  mix(block.targets.size());
  mix(block.spark_apps.size());
  mix(block.page_text.size());
  for (const double value : block.values) mix(std::bit_cast<std::uint64_t>(value));
  return sum;
}

[[maybe_unused]] bool is_as_published(const Block& block) noexcept {
  return block.version == 0 || block.checksum == checksum_of(block);
}

}  // namespace

Block& Store::writable(Shard shard) noexcept {
  const auto index = static_cast<std::size_t>(shard);
  Pool& pool = (*pools_)[index];
  if (pool.building == nullptr) {
    pool.building = slots_.find_free(index, pool.blocks);
    assert(is_as_published(*pool.building));
  }
  return *pool.building;
}

void Store::publish(Shard shard) noexcept {
  const auto index = static_cast<std::size_t>(shard);
  Pool& pool = (*pools_)[index];
  assert(pool.building != nullptr);
  pool.building->version = ++pool.version;
#ifndef NDEBUG
  pool.building->checksum = checksum_of(*pool.building);
#endif
  slots_.publish(index, std::exchange(pool.building, nullptr));
  publishes_.fetch_add(1, std::memory_order_relaxed);
}

View Store::read() noexcept {
  View view;
  view.row_ = slots_.claim_row();
  if (view.row_ == Slots::kNoRow) {
    rows_busy_.fetch_add(1, std::memory_order_relaxed);
    return view;
  }
  view.store_ = this;
  std::uint64_t retries = 0;
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    view.blocks_[shard] = slots_.pin(view.row_, shard, retries);
  }
  if (retries != 0) read_retries_.fetch_add(retries, std::memory_order_relaxed);
  return view;
}

Store::Statistics Store::statistics() const noexcept {
  return {publishes_.load(std::memory_order_relaxed), read_retries_.load(std::memory_order_relaxed),
          rows_busy_.load(std::memory_order_relaxed)};
}

View::~View() {
  if (store_ == nullptr) return;
  for ([[maybe_unused]] const Block* block : blocks_) assert(block == nullptr || is_as_published(*block));
  store_->slots_.release_row(row_);
}

View::View(View&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      row_(other.row_),
      blocks_(std::exchange(other.blocks_, {})) {}

View& View::operator=(View&& other) noexcept {
  View moved(std::move(other));  // and what this one held is released at the end of this function
  std::swap(store_, moved.store_);
  std::swap(row_, moved.row_);
  std::swap(blocks_, moved.blocks_);
  return *this;
}

}  // namespace flintgauge
