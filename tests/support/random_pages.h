// Random pages for the text decoder's twins: as endpoints write them, and damaged. Same seed, same bytes.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/text_decoder.h"
#include "support/text_twins.h"

namespace flintgauge {

/// What random_lines() are about: metrics whose names start with "w" are wanted, of them not the rows with
/// drop="yes". The route repeats all labels.
TextPage page_of_w();

/// The same as a Spark page: unreadable lines are skipped, values are not escaped.
TextPage lenient_page();

class RandomPages {
 public:
  explicit RandomPages(std::uint64_t seed) : random_(seed) {}

  /// Lines (without LF) of a page: samples of wanted and unwanted metrics in runs and mixed, in many
  /// spellings, comments and blank lines. Nearly all can be read.
  std::vector<std::string> lines();

  /// The page that the same endpoint might send next: new values, some lines gone, some new, some elsewhere.
  std::vector<std::string> next(std::vector<std::string> lines);

  /// Some bytes changed, put in, taken out, repeated or cut off.
  std::string damage(std::string body);

  /// Pieces of 0 to `most` bytes.
  Split split(std::size_t most);

  static std::string join(const std::vector<std::string>& lines, std::string_view line_end = "\n");

 private:
  std::size_t below(std::size_t limit);
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string_view pick(const std::vector<std::string_view>& choices) {
    return choices[below(choices.size())];
  }
  std::string series(std::string_view name);
  std::string line(std::string_view name);
  std::string value();

  std::mt19937_64 random_;
};

}  // namespace flintgauge
