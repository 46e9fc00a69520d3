// Publish and read, and nothing else: the object file of this unit must not need a lock, a guard, a futex or
// an allocation (tests/core/store_symbols.sh). What allocates is in store_pool.cc.
#include "flintgauge/store.h"

#include <cassert>
#include <utility>

namespace flintgauge {

Block& Store::writable(Shard shard) noexcept {
  const auto index = static_cast<std::size_t>(shard);
  Pool& pool = (*pools_)[index];
  if (pool.building == nullptr) pool.building = slots_.find_free(index, pool.blocks);
  return *pool.building;
}

void Store::publish(Shard shard) noexcept {
  const auto index = static_cast<std::size_t>(shard);
  Pool& pool = (*pools_)[index];
  assert(pool.building != nullptr);
  pool.building->version = ++pool.version;
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
  if (store_ != nullptr) store_->slots_.release_row(row_);
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
