// Searches the schedules of a model::Machine: all of them, or many by seed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/atomic_model.h"

namespace flintgauge::model {

/// 128 bits over everything that can influence the future. Clocks are compared, never counted, so they go in
/// relative to what every thread still running knows: states that differ only in how long their past was
/// become equal.
class Fingerprint {
 public:
  Fingerprint(const State& state, const Machine& machine) : known_(known_to_all(state, machine)) {
    for (const Location& location : state.locations) add(location, state, machine);
    for (const Cell& cell : state.cells) {
      add(cell.value);
      add_stamp(cell.writer, cell.written);
      add(cell.read);
    }
    for (std::size_t id = 0; id < machine.thread_count; ++id) {
      add(state.threads[id].operation);
      if (!machine.is_done(state, id)) add(state.threads[id]);
    }
    for (const std::uint64_t ghost : state.ghosts) add(ghost);
  }
  std::uint64_t a() const { return a_; }
  std::uint64_t b() const { return b_; }

 private:
  /// Per thread, the newest of its epochs that all others still running know.
  static Clock known_to_all(const State& state, const Machine& machine) {
    Clock known;
    known.fill(0xffff);
    for (std::size_t id = 0; id < machine.thread_count; ++id) {
      if (machine.is_done(state, id)) continue;
      for (std::size_t of = 0; of < kThreads; ++of) {
        if (of != id) known[of] = std::min(known[of], state.threads[id].clock[of]);
      }
    }
    return known;
  }

  std::uint64_t relative(std::size_t thread, std::uint16_t stamp) const {
    return stamp <= known_[thread] ? 0 : std::uint64_t{stamp} - known_[thread];
  }

  void add(std::uint64_t word) {
    a_ = (a_ ^ word) * 0xff51afd7ed558ccd;
    a_ ^= a_ >> 32;
    b_ = (b_ + word) * 0xc4ceb9fe1a85ec53;
    b_ ^= b_ >> 29;
  }
  void add_stamp(ThreadId thread, std::uint16_t stamp) {
    const std::uint64_t late = relative(thread, stamp);
    add(late == 0 ? 0 : late << 8 | thread);
  }
  void add(const Clock& clock) {
    static_assert(kThreads * 16 == 64);
    std::uint64_t word = 0;
    for (std::size_t of = 0; of < kThreads; ++of) word = word << 16U | relative(of, clock[of]);
    add(word);
  }
  void add(const Message& message) {
    add(message.value);
    add_stamp(message.thread, message.stamp);
    add(message.released);
  }
  void add(const Location& location, const State& state, const Machine& machine) {
    add(location.messages.size());
    for (const Message& message : location.messages) add(message);
    for (std::size_t id = 0; id < machine.thread_count; ++id) {
      if (!machine.is_done(state, id)) add(location.floor[id]);
    }
    add(location.seq_cst_floor);
  }
  void add(const Thread& thread) {
    add(thread.clock);
    add(thread.log.size());
    for (const std::uint64_t result : thread.log) add(result);
    add(thread.memory);
    if (thread.held) add(*thread.held);
    add(thread.held ? 1U + std::uint64_t{thread.held_is_due} : 0U);
  }

  Clock known_;
  std::uint64_t a_ = 0x9e3779b97f4a7c15;
  std::uint64_t b_ = 0xc2b2ae3d27d4eb4f;
};

/// A set of fingerprints: 16 bytes each, open addressing.
class FingerprintSet {
 public:
  /// False when it was there.
  bool insert(const Fingerprint& print) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = find(slots_, {print.a() | 1U, print.b()});  // a of 0 marks a free slot
    if (slot.a != 0) return false;
    slot = {print.a() | 1U, print.b()};
    ++size_;
    return true;
  }
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t a = 0, b = 0;
  };
  static Slot& find(std::vector<Slot>& slots, const Slot& wanted) {
    for (std::size_t i = wanted.b & (slots.size() - 1);; i = (i + 1) & (slots.size() - 1)) {
      if (slots[i].a == 0 || (slots[i].a == wanted.a && slots[i].b == wanted.b)) return slots[i];
    }
  }
  void grow() {
    std::vector<Slot> larger(std::max<std::size_t>(1024, 2 * slots_.size()));
    for (const Slot& slot : slots_) {
      if (slot.a != 0) find(larger, slot) = slot;
    }
    slots_.swap(larger);
  }
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

using Schedule = std::vector<std::pair<ThreadId, std::uint32_t>>;  ///< thread, choice

class Search {
 public:
  /// What is wrong when all threads are done; "" = nothing.
  using JudgeEnd = std::function<std::string(const State&)>;

  Search(Machine& searched, JudgeEnd judge) : machine(searched), judge_end(std::move(judge)) {}

  Machine& machine;
  JudgeEnd judge_end;
  std::uint64_t steps = 0;
  std::string failure;  ///< first one found, with its schedule
  Schedule path;

  /// Every schedule and every message a load may return. True when none fails.
  bool all() { return all_from(machine.initial, 0); }
  std::size_t states() const { return seen_.size(); }

  /// Threads and messages at random.
  bool random(std::uint64_t seed) {
    std::mt19937_64 source(seed);
    return by([&source](const std::vector<ThreadId>& ready) { return ready[source() % ready.size()]; },
              source);
  }

  /// A thread runs as long as none of higher priority can; `changes` times the running one falls to the end
  /// (probabilistic concurrency testing: finds bugs that need few, but well placed, switches).
  bool priorities(std::uint64_t seed, int changes) {
    std::mt19937_64 source(seed);
    std::array<std::uint64_t, kThreads> priority{};
    for (std::uint64_t& value : priority) value = source() | 1U << 20U;
    std::vector<std::uint64_t> change_at;
    for (int i = 0; i < changes; ++i) change_at.push_back(source() % 120);
    std::uint64_t step = 0;
    std::uint64_t lowest = 1U << 20U;
    return by(
        [&](const std::vector<ThreadId>& ready) {
          const auto first = [&] {
            return *std::max_element(ready.begin(), ready.end(),
                                     [&](ThreadId x, ThreadId y) { return priority[x] < priority[y]; });
          };
          if (std::find(change_at.begin(), change_at.end(), step++) != change_at.end()) {
            priority[first()] = --lowest;
          }
          return first();
        },
        source);
  }

 private:
  bool all_from(const State& state, std::size_t depth) {
    if (frames_.size() <= depth) frames_.emplace_back();  // a deque: references stay
    State& next = frames_[depth];                         // reused: its vectors keep their room
    bool ended = true;
    for (std::size_t i = 0; i < machine.thread_count; ++i) {
      const auto thread = static_cast<ThreadId>(i);
      if (machine.is_done(state, thread)) continue;
      ended = false;
      std::uint32_t alternatives = 1;
      for (std::uint32_t choice = 0; choice < alternatives; ++choice) {
        next = state;
        path.emplace_back(thread, choice);
        alternatives = machine.step(next, thread, choice);
        ++steps;
        if (!machine.failure.empty()) return report(machine.failure);
        if (seen_.insert({next, machine}) && !all_from(next, depth + 1)) return false;
        path.pop_back();
      }
    }
    if (!ended) return true;
    const std::string wrong = judge_end(state);
    return wrong.empty() || report(wrong);
  }

  template <typename Pick>
  bool by(Pick pick, std::mt19937_64& source) {
    State state = machine.initial;
    path.clear();
    for (;;) {
      std::vector<ThreadId> ready;
      for (std::size_t i = 0; i < machine.thread_count; ++i) {
        const auto thread = static_cast<ThreadId>(i);
        if (!machine.is_done(state, thread)) ready.push_back(thread);
      }
      if (ready.empty()) break;
      const ThreadId thread = pick(ready);
      const auto choice = static_cast<std::uint32_t>(source() % 2 == 0 ? 0 : source() % 8);
      path.emplace_back(thread, choice);
      machine.step(state, thread, choice);
      ++steps;
      if (!machine.failure.empty()) return report(machine.failure);
    }
    const std::string wrong = judge_end(state);
    return wrong.empty() || report(wrong);
  }

  /// Runs the failing schedule again and writes down its accesses.
  bool report(const std::string& what) {
    failure = what;
    machine.tracing = true;
    State state = machine.initial;
    for (const auto& [thread, choice] : path) {
      machine.step(state, thread, choice);
      failure += "\n  thread " + std::to_string(thread) + ": " + machine.last_access;
    }
    machine.tracing = false;
    return false;
  }

  FingerprintSet seen_;
  std::deque<State> frames_;
};

}  // namespace flintgauge::model
