// Run with a real German locale (decimal comma): pages, numbers and self-made text keep the point.
#include <gtest/gtest.h>

#include <clocale>
#include <cstdio>
#include <locale>
#include <random>
#include <string>

#include "flintgauge/exposition.h"
#include "support/page_blocks.h"

namespace flintgauge {
namespace {

TEST(Locale, DoesNotChangeAByteOfThePage) {
  std::mt19937_64 random(2);
  const auto block = testing::make_block(Owner::kKubelet, 500, random, testing::any_value, testing::any_text);
  const Block* const blocks[] = {block.get()};
  std::string before;
  render(blocks, PageFormat::kText004, before);

  ASSERT_NE(std::setlocale(LC_ALL, "de_DE.UTF-8"), nullptr) << "is LOCPATH set?";
  std::locale::global(std::locale("de_DE.UTF-8"));
  char comma[8];
  std::snprintf(comma, sizeof comma, "%.1f", 0.5);
  ASSERT_STREQ(comma, "0,5") << "the locale is not in force, this test would prove nothing";

  std::string after;
  render(blocks, PageFormat::kText004, after);
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace flintgauge
