// Prints a page with series of every family that blocks own, for promtool to judge.
#include <cstdio>
#include <string>

#include "flintgauge/exposition.h"
#include "support/page_blocks.h"

int main() {
  using namespace flintgauge;
  std::mt19937_64 random(4);
  const auto count = [](std::mt19937_64& source) { return static_cast<double>(source() % 100'000) / 8; };
  std::string page;
  for (const Owner owner : {Owner::kKubelet, Owner::kSpark, Owner::kCompanions, Owner::kDerived}) {
    const auto block = testing::make_block(owner, 500, random, count, testing::any_text);
    const Block* const blocks[] = {block.get()};
    render(blocks, PageFormat::kText004, page);
  }
  finish_page(PageFormat::kText004, page);
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}
