#include "collectors/common/text_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

TEST(TextPool, KeepsEveryTextOnce) {
  TextPool pool(1);
  const TextPool::Id first = pool.hold("{a=\"1\"}");
  EXPECT_EQ(pool.hold("{a=\"1\"}"), first);
  EXPECT_NE(pool.hold("{a=\"2\"}"), first);
  EXPECT_NE(pool.hold(""), first);
  EXPECT_EQ(pool.view(first), "{a=\"1\"}");
  EXPECT_EQ(pool.view(pool.hold("")), "");
}

TEST(TextPool, ForgetsATextWhenTheLastHolderLetsGo) {
  TextPool pool(1);
  const TextPool::Id id = pool.hold("old");
  pool.hold("old");
  pool.let_go(id);
  EXPECT_EQ(pool.view(id), "old");
  EXPECT_EQ(pool.hold("old"), id);
  pool.let_go(id);
  pool.let_go(id);
  EXPECT_EQ(pool.hold("new"), id) << "its number is used again";
  EXPECT_EQ(pool.view(id), "new");
}

/// The obvious way: a map from text to how many hold it.
class Twin {
 public:
  explicit Twin(std::uint64_t seed) : pool_(seed), random_(seed) {}

  void step() {
    switch (random_() % 8) {
      case 0:
        if (held_.empty()) return;
        return let_go(random_() % held_.size());
      case 1:
        return take_back();
      case 2:
        return commit();
      default:
        return hold();
    }
  }

  void check() const {
    std::map<std::string, TextPool::Id> ids;
    for (const Held& held : held_) {
      ASSERT_EQ(pool_.view(held.id), held.text);
      ASSERT_EQ(ids.emplace(held.text, held.id).first->second, held.id) << "one number a text";
    }
  }

 private:
  struct Held {
    std::string text;
    TextPool::Id id;
    bool is_committed = false;
  };

  void hold() {
    std::string text(random_() % 3 == 0 ? 20'000 : 20, static_cast<char>('a' + random_() % 20));
    const TextPool::Id id = pool_.hold(text);
    held_.push_back({std::move(text), id});
  }
  /// Only what a commit() has seen may go between two of them; the pool is told of it by the next one.
  void let_go(std::size_t place) {
    if (!held_[place].is_committed) return;
    take_back();
    if (place >= held_.size()) return;
    pool_.let_go(held_[place].id);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(place));
    commit();
  }
  void take_back() {
    for (const Held& held : held_) {
      if (!held.is_committed) pool_.let_go(held.id);
    }
    std::erase_if(held_, [](const Held& held) { return !held.is_committed; });
    pool_.take_back();
  }
  void commit() {
    for (Held& held : held_) held.is_committed = true;
    pool_.commit();
  }

  TextPool pool_;
  std::mt19937_64 random_;
  std::vector<Held> held_;
};

TEST(TextPool, AgreesWithAMapOnRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Twin twin(seed);
    for (int i = 0; i < 2'000; ++i) twin.step();
    twin.check();
  }
}

}  // namespace
}  // namespace flintgauge
