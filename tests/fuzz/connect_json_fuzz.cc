// Property: a list of Spark Connect's sessions, read by the decoder, equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/connect_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_connect();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  const auto decoder = decoder_of(*make_spark_connect());
  check_json(*decoder, data, size, Repeats::kMayDiffer, reference::connect_open,
             [](const Batch& batch, double expected) {
               const auto& samples = std::get<SampleBatch>(batch).samples;
               return samples.empty() ? expected == -1 : samples[0].value == expected;
             });
  return 0;
}
