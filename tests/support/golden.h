// Golden files of text pages: tests/golden/COLLECTOR/CASE.in is a page as an endpoint sent it (shortened by
// whole lines), CASE.expected is what the collector makes of it, one sample a line, in the order of the page.
#pragma once

#include <string>

#include "flintgauge/collector.h"

namespace flintgauge {

/// Whole file below the source tree; fails the test when it cannot be read.
std::string read_source_file(const std::string& path);

/// One line per sample:  measure scope namespace/pod/container id=<first 12> uid=... value @timestamp
/// and a last line with the counts.
std::string batch_text(const SampleBatch& batch, const ScrapeCounts& counts);

/// What `collector` makes of golden/COLLECTOR/CASE.in, as batch_text(). An error gives "error: reason:
/// message".
std::string decode_golden(const Collector& collector, const Target& target, const std::string& case_name);

/// Golden/COLLECTOR/CASE.expected. With FLINTGAUGE_UPDATE_GOLDEN set in the environment it is written from
/// `actual` first: look at the difference before you commit it.
std::string expected_golden(const Collector& collector, const std::string& case_name,
                            const std::string& actual);

}  // namespace flintgauge
