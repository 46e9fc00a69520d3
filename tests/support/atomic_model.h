// A small model checker for code written over an atomic template.
//
// Threads are plain functions. One step = one access to an atomic, by one thread; between two accesses a
// thread runs on at once. The state of the whole machine is a value that can be copied, so all schedules can
// be searched: to take a step of a thread its function is run from the start of the current operation, with
// the results of earlier accesses given from a log, up to the first new access (a longjmp leaves it there:
// the code under test must keep only trivially destructible things on its stack).
//
// Memory is that of C++20 for programs whose conflicting stores are ordered by happens-before: each location
// has its modification order; a load may return any message that coherence and happens-before leave it, a
// seq_cst access also not one older than what a seq_cst access has read or written there (the total order of
// seq_cst is the order of the steps). Release and acquire carry vector clocks; unordered accesses to plain
// cells are reported as races. Not modelled: fences, consume, loads that read stores of the future (needs
// relaxed stores, which the store does not use).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "support/model_state.h"

namespace flintgauge::model {

class Machine {
 public:
  static constexpr std::size_t kAccessLimit = 400;  ///< of one operation: more is no progress

  /// The program: runs operation `operation` of `thread`.
  using Program = std::function<void(ThreadId thread, std::uint32_t operation)>;
  /// Kind of a location, for Site.
  using Kind = std::function<char(std::uint32_t location)>;

  static Machine*& current() {
    static Machine* machine = nullptr;
    return machine;
  }

  std::size_t thread_count = 0;
  std::array<std::uint32_t, kThreads> operations{};  ///< how many each thread has to do
  State initial;  ///< locations and cells are added while the program's objects are constructed
  Program program;
  Kind kind;
  std::function<bool(ThreadId)> is_writer;
  Mutation mutation;
  std::vector<Site> sites;  ///< met so far
  std::string failure;      ///< of the last step; empty = none
  std::string last_access;  ///< for traces
  bool tracing = false;

  /// Adds a thread with so many operations. Call after the program's objects were constructed.
  void add_thread(std::uint32_t operation_count) {
    initial.threads[thread_count].clock[thread_count] = 1;
    operations[thread_count++] = operation_count;
  }

  bool is_done(const State& state, std::size_t thread) const {
    return thread >= thread_count || state.threads[thread].operation >= operations[thread];
  }

  /// One step of `thread`; `choice` picks among the messages its load may return. Returns how many there
  /// were to choose from.
  std::uint32_t step(State& state, ThreadId thread, std::uint32_t choice) {
    state_ = &state;
    thread_ = thread;
    choice_ = choice;
    alternatives_ = 1;
    budget_ = 1;
    position_ = 0;
    failure.clear();
    run();
    return alternatives_;
  }

  // --- called by the program ---

  std::uint64_t load(std::uint32_t location, std::memory_order order) {
    if (replaying()) return replay();
    begin_access();
    const Mutation::Action action = meet(location, Op::kLoad, order);
    // Is part of the thread's next step: taken later it may return all that it could have returned here, and
    // others do not see it.
    if (order == std::memory_order_relaxed) ++budget_;
    std::uint64_t value = 0;
    if (action == Mutation::Action::kRemove) {
      value = known(location);
    } else if (action != Mutation::Action::kBlind) {
      value = read(location, choose(location, order, [](std::uint32_t) { return true; }), order);
    }
    return end_access(location, "load", value);
  }

  void store(std::uint32_t location, std::uint64_t value, std::memory_order order) {
    if (replaying()) return void(replay());
    begin_access();
    const Mutation::Action action = meet(location, Op::kStore, order);
    if (action == Mutation::Action::kDelay) {
      Thread& self = me();
      self.held = make_message(value, order);
      self.held_location = location;
      self.held_seq_cst = order == std::memory_order_seq_cst;
      self.held_is_due = false;
      position_++;
      self.log.push_back(value);
      return;  // the next access performs it
    }
    if (action != Mutation::Action::kRemove) {
      append(location, make_message(value, order), order == std::memory_order_seq_cst);
    }
    end_access(location, "store", value);
  }

  std::uint64_t exchange(std::uint32_t location, std::uint64_t value, std::memory_order order) {
    if (replaying()) return replay();
    begin_access();
    const Mutation::Action action = meet(location, Op::kExchange, order);
    std::uint64_t before = known(location);
    if (action != Mutation::Action::kRemove) before = replace(location, value, order);
    end_access(location, "exchange", value);
    return me().log.back() = before;
  }

  bool compare_exchange(std::uint32_t location, std::uint64_t expected, std::uint64_t desired,
                        std::memory_order success, std::memory_order failure_order, std::uint64_t& seen) {
    if (replaying()) return (seen = replay()) == expected;
    begin_access();
    if (meet(location, Op::kCompareExchange, success) == Mutation::Action::kRemove) {
      seen = expected;
    } else {
      // Only the newest message can be replaced; an older one can make it fail.
      const std::vector<Message>& messages = memory(location).messages;
      const auto newest = static_cast<std::uint32_t>(messages.size() - 1);
      const std::uint32_t index = choose(location, std::memory_order_relaxed, [&](std::uint32_t i) {
        return i == newest || messages[i].value != expected;
      });
      seen = messages[index].value == expected ? replace(location, desired, success)
                                               : read(location, index, failure_order);
    }
    end_access(location, "compare_exchange", seen);
    return seen == expected;
  }

  std::uint64_t read_cell(std::uint32_t cell) {
    if (replaying()) return replay();
    Cell& target = state_->cells[cell];
    if (!knows(target.writer, target.written)) fail("race: reads what another thread writes");
    target.read[thread_] = me().clock[thread_];
    return log_plain(target.value);
  }

  void write_cell(std::uint32_t cell, std::uint64_t value) {
    if (replaying()) return void(replay());
    Cell& target = state_->cells[cell];
    bool ordered = knows(target.writer, target.written);
    for (ThreadId reader = 0; reader < kThreads; ++reader)
      ordered = ordered && knows(reader, target.read[reader]);
    if (!ordered) fail("race: overwrites what another thread reads or writes");
    target = Cell{value, thread_, me().clock[thread_], {}};
    log_plain(value);
  }

  /// Looks at or changes the checker's own knowledge, once and at once.
  template <typename Action>
  std::uint64_t ghost(Action action) {
    if (replaying()) return replay();
    return log_plain(action(*state_));
  }

  void fail(const std::string& what) {
    if (failure.empty()) failure = what;
  }

  State& state() { return *state_; }
  Thread& me() { return state_->threads[thread_]; }

 private:
  bool replaying() { return position_ < me().log.size(); }
  std::uint64_t replay() { return me().log[position_++]; }
  std::uint64_t log_plain(std::uint64_t value) {
    position_++;
    me().log.push_back(value);
    return value;
  }

  void run() {
    if (setjmp(yield_) != 0) return;  // NOLINT: see the head of this file
    program(thread_, me().operation);
    if (me().held) perform_held();
    me().log.clear();
    me().operation++;
  }

  void begin_access() {
    if (me().held && me().held_is_due) perform_held();
    if (budget_ == 0 || !failure.empty()) std::longjmp(yield_, 1);  // NOLINT
    --budget_;
    if (me().log.size() > kAccessLimit) {
      fail("no progress");
      std::longjmp(yield_, 1);  // NOLINT
    }
  }

  std::uint64_t end_access(std::uint32_t location, const char* what, std::uint64_t value) {
    if (tracing) {
      last_access =
          std::string(what) + " " + kind(location) + std::to_string(location) + " " + std::to_string(value);
    }
    position_++;
    me().log.push_back(value);
    me().held_is_due = me().held.has_value();
    trim(memory(location));
    return value;
  }

  /// A step of its own: others may come between the access that overtook the store and this.
  void perform_held() {
    if (budget_ == 0) std::longjmp(yield_, 1);  // NOLINT
    --budget_;
    append(me().held_location, *me().held, me().held_seq_cst);
    me().held.reset();
  }

  /// Notes the site and applies the mutation that is meant for it.
  Mutation::Action meet(std::uint32_t location, Op op, std::memory_order& order) {
    const Site site{is_writer(thread_), kind(location), op, order};
    if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    if (mutation.action == Mutation::Action::kNone || !(mutation.site == site))
      return Mutation::Action::kNone;
    if (mutation.action == Mutation::Action::kWeaken) order = mutation.order;
    return mutation.action;
  }

  Location& memory(std::uint32_t location) { return state_->locations[location]; }
  bool knows(ThreadId thread, std::uint16_t stamp) {
    return thread == thread_ || me().clock[thread] >= stamp;
  }

  /// Oldest message this thread may still read.
  static std::uint32_t lowest(const Location& location, const Thread& thread, ThreadId id) {
    std::uint32_t low = location.floor[id];
    for (std::uint32_t i = low + 1; i < location.messages.size(); ++i) {
      const Message& message = location.messages[i];
      if (message.thread == id || thread.clock[message.thread] >= message.stamp) low = i;
    }
    return low;
  }

  std::uint64_t known(std::uint32_t location) {
    return memory(location).messages[memory(location).floor[thread_]].value;
  }

  /// Picks one of the messages the thread may read and that fit, newest first.
  template <typename Fits>
  std::uint32_t choose(std::uint32_t location, std::memory_order order, Fits fits) {
    const Location& target = memory(location);
    std::uint32_t low = lowest(target, me(), thread_);
    if (order == std::memory_order_seq_cst) low = std::max(low, target.seq_cst_floor);
    std::array<std::uint32_t, 64> candidates{};
    std::uint32_t count = 0;
    for (auto i = static_cast<std::uint32_t>(target.messages.size());
         i-- > low && count < candidates.size();) {
      if (fits(i)) candidates[count++] = i;
    }
    const std::uint32_t chosen = candidates[choice_ % count];
    choice_ /= count;
    alternatives_ *= count;
    return chosen;
  }

  std::uint64_t read(std::uint32_t location, std::uint32_t index, std::memory_order order) {
    Location& target = memory(location);
    target.floor[thread_] = index;
    if (order == std::memory_order_seq_cst) target.seq_cst_floor = std::max(target.seq_cst_floor, index);
    if (order != std::memory_order_relaxed) join(me().clock, target.messages[index].released);
    return target.messages[index].value;
  }

  static bool releases(std::memory_order order) {
    return order == std::memory_order_release || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
  }

  Message make_message(std::uint64_t value, std::memory_order order) {
    Thread& self = me();
    Message message{value, thread_, self.clock[thread_], {}};
    if (releases(order)) {
      message.released = self.clock;
      self.clock[thread_]++;  // what follows is not released by this store
    }
    return message;
  }

  void append(std::uint32_t location, const Message& message, bool seq_cst) {
    Location& target = memory(location);
    target.messages.push_back(message);
    const auto index = static_cast<std::uint32_t>(target.messages.size() - 1);
    target.floor[thread_] = index;
    if (seq_cst) target.seq_cst_floor = index;
  }

  std::uint64_t replace(std::uint32_t location, std::uint64_t value, std::memory_order order) {
    Message before = memory(location).messages.back();
    if (order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
        order == std::memory_order_seq_cst) {
      join(me().clock, before.released);
    }
    Message after = make_message(value, order);
    join(after.released, before.released);  // goes on with the release sequence
    append(location, after, order == std::memory_order_seq_cst);
    return before.value;
  }

  /// Forgets messages that nobody can read any more: equal futures become equal states.
  void trim(Location& location) {
    auto low = static_cast<std::uint32_t>(location.messages.size() - 1);
    for (std::size_t i = 0; i < thread_count; ++i) {
      const auto id = static_cast<ThreadId>(i);
      if (!is_done(*state_, id)) low = std::min(low, lowest(location, state_->threads[id], id));
    }
    if (low == 0) return;
    location.messages.erase(location.messages.begin(), location.messages.begin() + low);
    for (std::uint32_t& floor : location.floor) floor = floor > low ? floor - low : 0;
    location.seq_cst_floor = location.seq_cst_floor > low ? location.seq_cst_floor - low : 0;
  }

  State* state_ = nullptr;
  ThreadId thread_ = 0;
  std::uint32_t choice_ = 0;
  std::uint32_t alternatives_ = 1;
  std::uint32_t budget_ = 0;
  std::size_t position_ = 0;
  std::jmp_buf yield_{};
};

/// The atomic template of the model. T: a pointer or an integer of at most 64 bits.
template <typename T>
class Atomic {
 public:
  Atomic() : Atomic(T{}) {}
  Atomic(T value) : location_(static_cast<std::uint32_t>(machine().initial.locations.size())) {
    machine().initial.locations.push_back({{Message{.value = bits(value)}}, {}, 0});
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order) const noexcept { return value(machine().load(location_, order)); }
  void store(T desired, std::memory_order order) noexcept {
    machine().store(location_, bits(desired), order);
  }
  T exchange(T desired, std::memory_order order) noexcept {
    return value(machine().exchange(location_, bits(desired), order));
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) noexcept {
    std::uint64_t seen = 0;
    const bool done =
        machine().compare_exchange(location_, bits(expected), bits(desired), success, failure, seen);
    expected = value(seen);
    return done;
  }

 private:
  static Machine& machine() { return *Machine::current(); }
  static std::uint64_t bits(T value) {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<std::uintptr_t>(value);
    } else {
      return static_cast<std::uint64_t>(value);
    }
  }
  static T value(std::uint64_t bits) {
    if constexpr (std::is_pointer_v<T>) {
      return std::bit_cast<T>(static_cast<std::uintptr_t>(bits));
    } else {
      return static_cast<T>(bits);
    }
  }
  std::uint32_t location_;
};

}  // namespace flintgauge::model
