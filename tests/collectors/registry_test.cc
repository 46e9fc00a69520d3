#include "flintgauge/collector.h"

#include <gtest/gtest.h>

#include <set>

namespace flintgauge {
namespace {

TEST(Registry, CollectorNamesAreUnique) {
  std::set<std::string> names;
  for (const auto& collector : make_collectors())
    EXPECT_TRUE(names.insert(std::string(collector->name())).second);
}

}  // namespace
}  // namespace flintgauge
