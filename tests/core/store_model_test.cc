// The store's protocol under a model of the C++ memory model: every schedule of small scenarios, many of
// larger ones, and the proof that the search can fail: each access of the protocol is weakened, removed or
// delayed in turn, and each damaged protocol must be caught.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "support/build_kind.h"
#include "support/store_scenario.h"

namespace flintgauge {
namespace {

using model::Mutation;
using model::Op;
using model::Search;
using model::Site;
using model::StoreScenario;
using Action = model::Mutation::Action;

constexpr std::uint32_t kPublishes = testing::kThorough ? 3 : 2;  // 3: 3 million states, 9 s

template <std::size_t Rows>
void expect_no_schedule_fails(std::size_t readers, std::uint32_t publishes, std::uint32_t reads) {
  StoreScenario<Rows> scenario(readers, publishes, reads);
  Search search = scenario.search();
  EXPECT_TRUE(search.all()) << search.failure;
  ::testing::Test::RecordProperty("states", std::to_string(search.states()));
}

TEST(StoreModel, EveryScheduleOfOneWriterAndTwoReadersIsRight) {
  expect_no_schedule_fails<2>(2, kPublishes, 1);
}

TEST(StoreModel, EveryScheduleOfTwoReadersThatShareOneRowIsRight) {
  expect_no_schedule_fails<1>(2, kPublishes, 2);
}

TEST(StoreModel, EveryScheduleOfAReaderThatComesAgainIsRight) { expect_no_schedule_fails<2>(1, 4, 3); }

/// How many seeds; more in a nightly run: FLINTGAUGE_SCHEDULES=1000000.
std::uint64_t schedules() {
  const char* text = std::getenv("FLINTGAUGE_SCHEDULES");
  return text == nullptr ? (testing::kThorough ? 30'000 : 2'000) : std::strtoull(text, nullptr, 10);
}

TEST(StoreModel, RandomSchedulesOfThreeReadersAreRight) {
  StoreScenario<2> scenario(3, 6, 3);
  Search search = scenario.search();
  for (std::uint64_t seed = 0; seed < schedules(); ++seed) {
    ASSERT_TRUE(search.random(seed)) << "seed " << seed << ": " << search.failure;
  }
}

TEST(StoreModel, PrioritySchedulesOfThreeReadersAreRight) {
  StoreScenario<2> scenario(3, 6, 3);
  Search search = scenario.search();
  for (std::uint64_t seed = 0; seed < schedules(); ++seed) {
    ASSERT_TRUE(search.priorities(seed, 1 + static_cast<int>(seed % 5)))
        << "seed " << seed << ": " << search.failure;
  }
}

// --- damaged protocols ---

struct Mutant {
  const char* name;
  Mutation mutation;
};

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kAcqRel = std::memory_order_acq_rel;
constexpr auto kSeqCst = std::memory_order_seq_cst;

// Locations: c current, t taken, h hazard.
constexpr Site kClaim{false, 't', Op::kCompareExchange, kAcquire};
constexpr Site kGuess{false, 'c', Op::kLoad, kRelaxed};
constexpr Site kPin{false, 'h', Op::kStore, kSeqCst};
constexpr Site kValidate{false, 'c', Op::kLoad, kSeqCst};
constexpr Site kClear{false, 'h', Op::kStore, kRelease};
constexpr Site kRelease_{false, 't', Op::kStore, kRelease};
constexpr Site kOwn{true, 'c', Op::kLoad, kRelaxed};
constexpr Site kCheckHazard{true, 'h', Op::kLoad, kSeqCst};
constexpr Site kPublish{true, 'c', Op::kExchange, kSeqCst};

const std::vector<Mutant> kMutants = {
    {"claim_relaxed", {kClaim, Action::kWeaken, kRelaxed}},
    {"claim_without_looking", {kClaim, Action::kRemove, {}}},
    {"guess_is_null", {kGuess, Action::kBlind, {}}},
    {"pin_release", {kPin, Action::kWeaken, kRelease}},
    {"pin_missing", {kPin, Action::kRemove, {}}},
    {"pin_after_the_check", {kPin, Action::kDelay, {}}},
    {"validate_acquire", {kValidate, Action::kWeaken, kAcquire}},
    {"validate_missing", {kValidate, Action::kRemove, {}}},
    {"clear_relaxed", {kClear, Action::kWeaken, kRelaxed}},
    {"clear_missing", {kClear, Action::kRemove, {}}},
    {"row_released_before_clear", {kClear, Action::kDelay, {}}},
    {"row_release_relaxed", {kRelease_, Action::kWeaken, kRelaxed}},
    {"row_release_missing", {kRelease_, Action::kRemove, {}}},
    {"own_block_unknown", {kOwn, Action::kBlind, {}}},
    {"hazard_check_acquire", {kCheckHazard, Action::kWeaken, kAcquire}},
    {"hazard_check_missing", {kCheckHazard, Action::kBlind, {}}},
    {"publish_acq_rel", {kPublish, Action::kWeaken, kAcqRel}},
    {"publish_missing", {kPublish, Action::kRemove, {}}},
};

class DamagedStore : public ::testing::TestWithParam<Mutant> {};

TEST_P(DamagedStore, IsCaughtByTheFullSearch) {
  StoreScenario<1> scenario(2, 3, 1);
  scenario.machine().mutation = GetParam().mutation;
  Search search = scenario.search();
  EXPECT_FALSE(search.all()) << "this damage goes unnoticed";
}

TEST_P(DamagedStore, IsCaughtByRandomOrPrioritySchedules) {
  StoreScenario<2> scenario(3, 6, 3);
  scenario.machine().mutation = GetParam().mutation;
  Search search = scenario.search();
  std::uint64_t seed = 0;
  while (seed < 20'000 && search.random(seed) && search.priorities(seed, 3)) ++seed;
  EXPECT_LT(seed, 20'000U) << "this damage goes unnoticed";
}

INSTANTIATE_TEST_SUITE_P(Protocol, DamagedStore, ::testing::ValuesIn(kMutants),
                         [](const auto& test) { return std::string(test.param.name); });

// The list above is complete: every access that the protocol makes is weakened one step where it has an
// order, and removed.
TEST(StoreModel, EveryAccessOfTheProtocolHasItsMutants) {
  StoreScenario<2> scenario(2, 2, 1);
  Search search = scenario.search();
  ASSERT_TRUE(search.all());
  const auto has = [](const Site& site, auto wanted) {
    return std::any_of(kMutants.begin(), kMutants.end(), [&](const Mutant& mutant) {
      return mutant.mutation.site == site && wanted(mutant.mutation.action);
    });
  };
  for (const Site& site : scenario.machine().sites) {
    const std::string name = std::string(site.writer ? "writer " : "reader ") + site.kind;
    EXPECT_TRUE(site.order == kRelaxed || has(site, [](Action action) { return action == Action::kWeaken; }))
        << name;
    EXPECT_TRUE(has(site, [](Action action) {
      return action == Action::kRemove || action == Action::kBlind;
    })) << name;
  }
  EXPECT_EQ(scenario.machine().sites.size(), 9U);
}

// The guess may be any: it is checked. So a reader that never looks the first time is right, only slower.
TEST(StoreModel, AStaleGuessIsHarmless) {
  StoreScenario<1> scenario(2, 3, 1);
  scenario.machine().mutation = {kGuess, Action::kRemove, {}};
  Search search = scenario.search();
  EXPECT_TRUE(search.all()) << search.failure;
}

}  // namespace
}  // namespace flintgauge
