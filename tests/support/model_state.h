// What the model checker of atomic_model.h keeps: memory, threads, and the damage done to a program.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace flintgauge::model {

inline constexpr std::size_t kThreads = 4;
using ThreadId = std::uint8_t;
using Clock = std::array<std::uint16_t, kThreads>;

inline void join(Clock& into, const Clock& other) {
  for (std::size_t i = 0; i < kThreads; ++i) into[i] = std::max(into[i], other[i]);
}

/// One store in the modification order of a location.
struct Message {
  std::uint64_t value = 0;
  ThreadId thread = 0;
  std::uint16_t stamp = 0;  ///< epoch of the writer; 0 = there from the start
  Clock released{};         ///< what an acquire load of it learns
};

struct Location {
  std::vector<Message> messages;
  std::array<std::uint32_t, kThreads> floor{};  ///< newest message each thread has read or written
  std::uint32_t seq_cst_floor = 0;
};

/// A plain variable.
struct Cell {
  std::uint64_t value = 0;
  ThreadId writer = 0;
  std::uint16_t written = 0;
  std::array<std::uint16_t, kThreads> read{};
};

struct Thread {
  Clock clock{};
  std::uint32_t operation = 0;     ///< operations finished
  std::vector<std::uint64_t> log;  ///< results of the accesses of the present operation
  std::uint64_t memory = 0;        ///< what the program keeps between operations
  std::optional<Message> held;     ///< a delayed store (mutation)
  std::uint32_t held_location = 0;
  bool held_seq_cst = false;
  bool held_is_due = false;  ///< the next access has overtaken it
};

struct State {
  std::vector<Location> locations;
  std::vector<Cell> cells;
  std::array<Thread, kThreads> threads;
  std::array<std::uint64_t, 4> ghosts{};  ///< what the checker knows and the program does not
};

enum class Op : std::uint8_t { kLoad, kStore, kExchange, kCompareExchange };

/// Where in the program an access is: told apart by what it does to which kind of location with which order.
struct Site {
  bool writer = false;
  char kind = ' ';  ///< of the location, named by the scenario
  Op op = Op::kLoad;
  std::memory_order order = std::memory_order_seq_cst;
  auto operator<=>(const Site&) const = default;
};

/// A damaged program.
struct Mutation {
  enum class Action : std::uint8_t {
    kNone,
    kWeaken,  ///< use `order`
    kRemove,  ///< stores nothing; a load returns what its thread knew, a compare-exchange claims success
    kBlind,   ///< a load returns 0
    kDelay,   ///< a store takes effect after the thread's next access
  };
  Site site;
  Action action = Action::kNone;
  std::memory_order order = std::memory_order_relaxed;
};

}  // namespace flintgauge::model
