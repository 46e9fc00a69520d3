#include "flintgauge/store.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace flintgauge {
namespace {

void publish_value(Store& store, Shard shard, double value) {
  store.writable(shard).values.assign(3, value);
  store.publish(shard);
}

double value_of(const View& view, Shard shard) { return view.block(shard)->values.at(0); }

TEST(Store, HasNoBlockBeforeTheFirstPublication) {
  Store store;
  const View view = store.read();
  ASSERT_TRUE(view);
  for (const Shard shard : {Shard::kKubelet, Shard::kSpark, Shard::kCompanions, Shard::kDerived}) {
    EXPECT_EQ(view.block(shard), nullptr);
  }
}

TEST(Store, ReadSeesTheLastPublicationOfEachShard) {
  Store store;
  publish_value(store, Shard::kKubelet, 1);
  publish_value(store, Shard::kSpark, 2);
  publish_value(store, Shard::kKubelet, 3);
  const View view = store.read();
  EXPECT_EQ(value_of(view, Shard::kKubelet), 3);
  EXPECT_EQ(view.block(Shard::kKubelet)->version, 2U);
  EXPECT_EQ(value_of(view, Shard::kSpark), 2);
  EXPECT_EQ(view.block(Shard::kSpark)->version, 1U);
  EXPECT_EQ(view.block(Shard::kDerived), nullptr);
}

TEST(Store, AnUnpublishedBlockIsInvisibleAndStaysTheSame) {
  Store store;
  publish_value(store, Shard::kDerived, 1);
  Block& building = store.writable(Shard::kDerived);
  building.values.assign(3, 9);
  EXPECT_EQ(&store.writable(Shard::kDerived), &building);
  EXPECT_EQ(value_of(store.read(), Shard::kDerived), 1);
}

/// The owner's own mistake: no other thread is there, so no sanitizer would see it.
TEST(StoreDeathTest, ADebugBuildFindsAWriteAfterPublication) {
  const auto write_late = [] {
    Store store;
    Block& block = store.writable(Shard::kKubelet);
    block.values.assign(3, 1);
    store.publish(Shard::kKubelet);
    block.values[1] = 2;
    const View view = store.read();
  };
  EXPECT_DEBUG_DEATH(write_late(), "is_as_published");
}

TEST(Store, AViewKeepsItsBlocksHoweverMuchIsPublished) {
  Store store;
  publish_value(store, Shard::kKubelet, 7);
  const View old = store.read();
  for (int i = 0; i < 1000; ++i) publish_value(store, Shard::kKubelet, i);
  EXPECT_EQ(value_of(old, Shard::kKubelet), 7);
  EXPECT_EQ(old.block(Shard::kKubelet)->version, 1U);
  EXPECT_EQ(value_of(store.read(), Shard::kKubelet), 999);
}

// Every row parked on another block: the writer still has one to fill, and fills none that is seen.
TEST(Store, WriterHasABlockWhileAllReadersHoldADifferentOne) {
  Store store;
  std::vector<View> views;
  std::set<const Block*> held;
  for (std::size_t i = 0; i < kReaders; ++i) {
    publish_value(store, Shard::kKubelet, static_cast<double>(i));
    views.push_back(store.read());
    ASSERT_TRUE(views.back());
    held.insert(views.back().block(Shard::kKubelet));
  }
  EXPECT_EQ(held.size(), kReaders);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(held.contains(&store.writable(Shard::kKubelet)));
    publish_value(store, Shard::kKubelet, -1);
  }
  for (std::size_t i = 0; i < kReaders; ++i) {
    EXPECT_EQ(value_of(views[i], Shard::kKubelet), static_cast<double>(i));
  }
}

TEST(Store, RefusesAReaderWhenAllRowsAreTakenAndCountsIt) {
  Store store;
  std::vector<View> views;
  for (std::size_t i = 0; i < kReaders; ++i) views.push_back(store.read());
  EXPECT_FALSE(store.read());
  EXPECT_EQ(store.statistics().rows_busy, 1U);
  views.pop_back();
  EXPECT_TRUE(store.read());
}

TEST(Store, WithoutReadersTwoBlocksTakeTurns) {
  Store store;
  std::set<const Block*> used;
  for (int i = 0; i < 100; ++i) {
    used.insert(&store.writable(Shard::kSpark));
    store.publish(Shard::kSpark);
  }
  EXPECT_EQ(used.size(), 2U);
  EXPECT_EQ(store.statistics().publishes, 100U);
}

TEST(Store, AMovedViewReleasesItsRowOnce) {
  Store store;
  publish_value(store, Shard::kKubelet, 5);
  for (std::size_t i = 0; i < 4 * kReaders; ++i) {
    View a = store.read();
    View b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): the state after a move is part of the contract
    EXPECT_EQ(a.block(Shard::kKubelet), nullptr);
    a = std::move(b);
    ASSERT_TRUE(a);
    EXPECT_EQ(value_of(a, Shard::kKubelet), 5);
  }
}

}  // namespace
}  // namespace flintgauge
