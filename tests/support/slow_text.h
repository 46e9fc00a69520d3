// The slow, obvious twin of the text decoder: one body at a time, whole strings, maps, no state. It shares
// nothing with the fast one but what the collector gives to both (which names and rows are wanted, and the
// limits).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/text_decoder.h"

namespace flintgauge {

struct SlowSample {
  Route route;
  double value = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
};

struct SlowScrape {
  std::optional<Reason> failure;
  ScrapeCounts counts;  ///< without slow_lines and new_series, which depend on earlier scrapes
  std::vector<SlowSample> samples;
  std::map<std::string, Route> live;  ///< by series: name and sorted labels as written
};

SlowScrape slow_scrape(std::string_view body, const TextPage& page);

}  // namespace flintgauge
