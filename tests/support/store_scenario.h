// The store's protocol under the model checker: writers that publish, readers that pin, read and let go.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flintgauge/hazard_slots.h"
#include "support/atomic_model.h"
#include "support/schedule_search.h"

namespace flintgauge::model {

/// Three plain words that must always be equal: the version, twice more to see half a block.
struct ModelBlock {
  std::uint32_t first_cell = 0;
};
inline constexpr std::uint32_t kCellsPerBlock = 3;

/// One shard, one writer (thread 0), `readers` readers, `Rows` reader rows.
template <std::size_t Rows>
class StoreScenario {
 public:
  StoreScenario(std::size_t readers, std::uint32_t publishes, std::uint32_t reads) {
    Machine::current() = &machine_;
    for (std::size_t i = 0; i < pool_.size(); ++i) {
      pool_[i].first_cell = static_cast<std::uint32_t>(i) * kCellsPerBlock;
    }
    machine_.initial.cells.resize(pool_.size() * kCellsPerBlock);
    slots_.emplace();
    machine_.add_thread(publishes);
    for (std::size_t i = 0; i < readers; ++i) machine_.add_thread(reads);
    machine_.is_writer = [](ThreadId thread) { return thread == 0; };
    // Locations in the order of construction: current, then taken and hazard of each row.
    machine_.kind = [](std::uint32_t location) {
      return location == 0 ? 'c' : location % 2 == 1 ? 't' : 'h';
    };
    machine_.program = [this](ThreadId thread, std::uint32_t operation) {
      thread == 0 ? publish(operation + 1) : read();
    };
  }

  Machine& machine() { return machine_; }

  Search search() {
    return {machine_, [](const State& state) { return judge_end(state); }};
  }

 private:
  static constexpr std::size_t kBegun = 0, kCompleted = 1;  // ghosts: versions

  void publish(std::uint32_t version) {
    machine_.ghost([version](State& state) { return state.ghosts[kBegun] = version; });
    ModelBlock* block = slots_->find_free(0, pool_);
    if (block == pool_.data() + pool_.size()) return machine_.fail("no free block");
    for (std::uint32_t i = 0; i < kCellsPerBlock; ++i) machine_.write_cell(block->first_cell + i, version);
    slots_->publish(0, block);
    machine_.ghost([version](State& state) { return state.ghosts[kCompleted] = version; });
  }

  void read() {
    const std::uint64_t completed = machine_.ghost([](State& state) { return state.ghosts[kCompleted]; });
    const std::size_t row = slots_->claim_row();
    if (row == Rows) return;
    std::uint64_t retries = 0;
    const ModelBlock* block = slots_->pin(row, 0, retries);
    std::uint64_t version = 0;
    if (block != nullptr) {
      version = machine_.read_cell(block->first_cell);
      for (std::uint32_t i = 1; i < kCellsPerBlock; ++i) {
        if (machine_.read_cell(block->first_cell + i) != version) machine_.fail("half a block");
      }
    }
    const std::uint64_t begun = machine_.ghost([](State& state) { return state.ghosts[kBegun]; });
    if (version < completed) machine_.fail("older than what was published before the read began");
    if (version > begun) machine_.fail("a version from the future");
    if (version < machine_.me().memory) machine_.fail("versions went back");
    slots_->release_row(row);
    machine_.me().memory = version;
  }

  /// When everybody has left, no row is taken and no block pinned.
  static std::string judge_end(const State& state) {
    for (std::size_t location = 1; location < state.locations.size(); ++location) {
      if (state.locations[location].messages.back().value != 0) {
        return location % 2 == 1 ? "a row stays taken" : "a block stays pinned";
      }
    }
    return {};
  }

  Machine machine_;
  std::array<ModelBlock, Rows + 2> pool_{};
  std::optional<HazardSlots<ModelBlock, 1, Rows, Atomic>> slots_;
};

}  // namespace flintgauge::model
