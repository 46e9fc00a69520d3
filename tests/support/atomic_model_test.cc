// The model checker itself, by the litmus tests that every memory model is described with.
#include "support/atomic_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/schedule_search.h"

namespace flintgauge::model {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kSeqCst = std::memory_order_seq_cst;

/// Two variables x and y, one plain cell, threads that leave a result each.
class Litmus {
 public:
  using Body = std::function<std::uint64_t(Litmus&)>;

  explicit Litmus(std::vector<Body> bodies) : bodies_(std::move(bodies)) {
    Machine::current() = &machine;
    x.emplace();
    y.emplace();
    machine.initial.cells.resize(1);
    for (std::size_t i = 0; i < bodies_.size(); ++i) machine.add_thread(1);
    machine.is_writer = [](ThreadId) { return false; };
    machine.kind = [](std::uint32_t location) { return location == 0 ? 'x' : 'y'; };
    machine.program = [this](ThreadId thread, std::uint32_t) {
      const std::uint64_t result = bodies_[thread](*this);
      machine.ghost([=](State& state) { return state.ghosts[thread] = result; });
    };
  }

  /// All results, one digit a thread; what the search objects to otherwise.
  std::set<std::string> outcomes() {
    std::set<std::string> results;
    Search search(machine, [&](const State& state) {
      std::string result;
      for (std::size_t i = 0; i < bodies_.size(); ++i) result += std::to_string(state.ghosts[i]);
      results.insert(result);
      return std::string();
    });
    if (!search.all()) results.insert(search.failure);
    return results;
  }

  Machine machine;
  std::optional<Atomic<int>> x, y;

 private:
  std::vector<Body> bodies_;
};

std::set<std::string> store_buffering(std::memory_order store, std::memory_order load) {
  return Litmus({[=](Litmus& l) {
                   l.x->store(1, store);
                   return l.y->load(load);
                 },
                 [=](Litmus& l) {
                   l.y->store(1, store);
                   return l.x->load(load);
                 }})
      .outcomes();
}

TEST(AtomicModel, StoreBufferingIsForbiddenOnlyWhenAllAccessesAreSeqCst) {
  EXPECT_THAT(store_buffering(kSeqCst, kSeqCst), UnorderedElementsAre("01", "10", "11"));
  EXPECT_THAT(store_buffering(kRelease, kSeqCst), UnorderedElementsAre("00", "01", "10", "11"));
  EXPECT_THAT(store_buffering(kSeqCst, kAcquire), UnorderedElementsAre("00", "01", "10", "11"));
  EXPECT_THAT(store_buffering(kRelaxed, kRelaxed), UnorderedElementsAre("00", "01", "10", "11"));
}

std::set<std::string> message_passing(std::memory_order store, std::memory_order load) {
  return Litmus({[=](Litmus& l) {
                   l.x->store(1, kRelaxed);
                   l.y->store(1, store);
                   return 0;
                 },
                 [=](Litmus& l) {
                   const int flag = l.y->load(load);
                   return 2 * flag + l.x->load(kRelaxed);
                 }})
      .outcomes();
}

TEST(AtomicModel, MessagePassingNeedsReleaseAndAcquire) {
  EXPECT_THAT(message_passing(kRelease, kAcquire), UnorderedElementsAre("00", "01", "03"));
  EXPECT_THAT(message_passing(kRelaxed, kAcquire), UnorderedElementsAre("00", "01", "02", "03"));
  EXPECT_THAT(message_passing(kRelease, kRelaxed), UnorderedElementsAre("00", "01", "02", "03"));
}

TEST(AtomicModel, ALoadNeverGoesBackBehindAnEarlierOne) {
  const auto results = Litmus({[](Litmus& l) {
                                 l.x->store(1, kRelaxed);
                                 l.x->store(2, kRelaxed);
                                 return 0;
                               },
                               [](Litmus& l) {
                                 const int first = l.x->load(kRelaxed);
                                 return 3 * first + l.x->load(kRelaxed);
                               }})
                           .outcomes();
  EXPECT_THAT(results, UnorderedElementsAre("00", "01", "02", "04", "05", "08"));
}

TEST(AtomicModel, CompareExchangeReplacesOnlyTheNewest) {
  const auto claim = [](Litmus& l) {
    int expected = 0;
    return l.x->compare_exchange_strong(expected, 1, kRelaxed, kRelaxed) ? 1 : 0;
  };
  EXPECT_THAT(Litmus({claim, claim}).outcomes(), UnorderedElementsAre("01", "10"));
}

std::set<std::string> handed_over_cell(std::memory_order store, std::memory_order load) {
  return Litmus(
             {[=](Litmus& l) {
                l.machine.write_cell(0, 7);
                l.x->store(1, store);
                return 0;
              },
              [=](Litmus& l) { return l.x->load(load) == 1 ? static_cast<int>(l.machine.read_cell(0)) : 0; }})
      .outcomes();
}

TEST(AtomicModel, PlainDataRaceUnlessHandedOver) {
  EXPECT_THAT(handed_over_cell(kRelease, kAcquire), UnorderedElementsAre("00", "07"));
  EXPECT_THAT(handed_over_cell(kRelaxed, kAcquire), ::testing::Contains(HasSubstr("race")));
  EXPECT_THAT(handed_over_cell(kRelease, kRelaxed), ::testing::Contains(HasSubstr("race")));
}

// A read-modify-write in between goes on with what the release store handed over.
TEST(AtomicModel, ReleaseSequenceGoesThroughAnExchange) {
  const auto results =
      Litmus({[](Litmus& l) {
                l.machine.write_cell(0, 7);
                l.x->store(1, kRelease);
                return 0;
              },
              [](Litmus& l) { return l.x->exchange(2, kRelaxed) == 1 ? 1 : 0; },
              [](Litmus& l) {
                // 2 alone may be the exchange of the initial 0
                return l.x->load(kAcquire) == 1 ? static_cast<int>(l.machine.read_cell(0)) : 0;
              }})
          .outcomes();
  EXPECT_THAT(results, UnorderedElementsAre("000", "007", "010", "017"));
}

}  // namespace
}  // namespace flintgauge::model
