// Property: REST streaming/statistics read by the decoder equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/streaming_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_streaming();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_spark_streaming());
  check_json(
      *kDecoder, data, size, Repeats::kAgree,
      [](const reference::Json& tree) { return reference::streaming(tree); },
      [](const Batch& batch, const std::string& expected) {
        return reference::describe_streaming(std::get<SampleBatch>(batch)) == expected;
      });
  return 0;
}
