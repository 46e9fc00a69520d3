// The text decoder and its slow twin agree on any sequence of bodies, however they are cut into pieces. The
// first byte says how the page is read, the second how it is cut; bodies of one sequence are separated by RS
// (0x1E).
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "support/random_pages.h"
#include "support/text_twins.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  if (size < 2) return 0;
  std::string_view bodies(reinterpret_cast<const char*>(data) + 2, size - 2);
  TextTwins twins((data[0] & 1U) != 0 ? lenient_page() : page_of_w());
  std::uint32_t state = data[1];
  const Split split = [&] {
    state = state * 1'664'525U + 1'013'904'223U;
    return data[1] == 0 ? std::string::npos : (state >> 16U) % (4U * data[1]);
  };
  for (int scrape = 0; scrape < 8; ++scrape) {
    const std::string_view body = bodies.substr(0, bodies.find('\x1E'));
    const std::string difference = twins.scrape(body, split);
    if (!difference.empty()) {
      std::fprintf(stderr, "scrape %d: %s\n", scrape, difference.c_str());
      std::abort();
    }
    if (body.size() == bodies.size()) break;
    bodies.remove_prefix(body.size() + 1);
  }
  return 0;
}
