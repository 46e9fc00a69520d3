// Property: Spark's environment read by the decoder equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/spark_driver_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_environment();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_spark_environment());
  check_json(
      *kDecoder, data, size, Repeats::kMayDiffer,
      [](const reference::Json& tree) { return reference::settings(tree); },
      [](const Batch& batch, const std::string& expected) {
        return reference::describe(*std::get<std::shared_ptr<const SparkSettings>>(batch)) == expected;
      });
  return 0;
}
