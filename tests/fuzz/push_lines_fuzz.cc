// Property: pushed lines read as their slow twins read them, every line is counted once, a report holds
// finite values of the sender's own registry only. The first byte of the input chooses the protocol.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "support/slow_push.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  if (size == 0) return 0;
  const bool is_graphite = data[0] % 2 == 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto decoder = make_push_decoder(is_graphite ? PushProtocol::kGraphite : PushProtocol::kStatsd,
                                         reference::executor_sender());
  PushCounts counts{};
  decoder->take(text, {0}, counts);
  const std::uint64_t syntax = count_of(counts, PushResult::kSyntax);
  if (is_graphite) {
    if (reference::total(counts) != 1) std::abort();
    if (text.size() <= kMaxPushLine && (syntax == 0) != reference::slow_graphite(text).has_value())
      std::abort();
  } else if (text.find('\n') == std::string::npos && text.size() <= kMaxPushLine) {
    std::string type;
    if ((syntax == 0) != reference::slow_statsd(text, type).has_value()) std::abort();
  }
  const PushReport report = decoder->report({0});
  if (report.samples.size() > kMeasureCount) std::abort();
  for (const Sample& sample : report.samples) {
    if (!std::isfinite(sample.value) || sample.value < 0) std::abort();
    if (report.routes.at(sample.series).container != "3") std::abort();
  }
  return 0;
}
