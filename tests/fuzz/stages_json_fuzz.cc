// Property: Spark's list of stages read by the decoder equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/spark_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_stages();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_spark_stages());
  check_json(
      *kDecoder, data, size, Repeats::kAgree,
      [](const reference::Json& tree) { return reference::stages(tree); },
      [](const Batch& batch, const std::vector<SparkStage>& expected) {
        return reference::describe(std::get<SparkStages>(batch).stages) == reference::describe(expected);
      });
  return 0;
}
