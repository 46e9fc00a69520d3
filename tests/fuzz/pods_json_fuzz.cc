// Property: /pods read by the decoder equals the pod list that a slow walk over the document's tree gives.
#include "fuzz/json_property.h"
#include "support/pods_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_pods();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_kubelet_pods());
  check_json(
      *kDecoder, data, size, Repeats::kMayDiffer,
      [](const reference::Json& tree) { return reference::pod_list(tree); },
      [](const Batch& batch, const PodList& expected) {
        const auto& list = *std::get<std::shared_ptr<const PodList>>(batch);
        return reference::describe(list) == reference::describe(expected);
      });
  return 0;
}
