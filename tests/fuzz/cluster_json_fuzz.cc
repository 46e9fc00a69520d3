// Property: the registry of a standalone master or worker, read by the decoder, equals a slow walk over the
// tree.
#include "fuzz/json_property.h"
#include "support/cluster_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_spark_cluster_json();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_spark_cluster_json());
  // A name that comes twice is heard twice: rows and gauges are counted as they come.
  check_json(*kDecoder, data, size, Repeats::kMayDiffer, reference::cluster_registry,
             [](const Batch& batch, const reference::ClusterNumbers& expected) {
               return reference::cluster_numbers(batch) == expected;
             });
  return 0;
}
