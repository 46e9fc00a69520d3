// Property: what a driver says of itself, read by the decoder, equals a slow walk over the tree.
#include "fuzz/json_property.h"
#include "support/spark_driver_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_applications();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = [] {
    Target target;
    target.body_limit = 1UL * 1024 * 1024;
    target.app.app_id = "a";
    return make_spark_applications()->make_decoder(target);
  }();
  check_json(
      *kDecoder, data, size, Repeats::kAgree,
      [](const reference::Json& tree) { return reference::about(tree, "a"); },
      [](const Batch& batch, const std::string& expected) {
        const auto& found = std::get<SparkAbout>(batch);
        return found.app_name + "|" + found.spark_version == expected;
      });
  return 0;
}
