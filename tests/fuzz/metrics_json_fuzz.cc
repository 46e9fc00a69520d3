// Property: a driver's metrics registry read by the decoder equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/metrics_json_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_metrics_json();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_spark_metrics_json());
  check_json(
      *kDecoder, data, size, Repeats::kMayDiffer,
      [](const reference::Json& tree) { return reference::metrics_json(tree); },
      [](const Batch& batch, const reference::MetricsJson& expected) {
        return reference::describe(std::get<SampleBatch>(batch)) == expected;
      });
  return 0;
}
