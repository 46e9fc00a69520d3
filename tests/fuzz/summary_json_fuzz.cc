// Property: /stats/summary read by a decoder that lives from body to body equals a slow walk over each tree,
// and its series are announced before they are used and stay what they are.
#include "fuzz/json_property.h"
#include "support/summary_reference.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_summary();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  static const auto kDecoder = decoder_of(*make_kubelet_summary());
  static reference::SeriesFollower follower;
  check_json(
      *kDecoder, data, size, Repeats::kAgree,
      [](const reference::Json& tree) { return reference::summary(tree); },
      [](const Batch& batch, const reference::Readings& expected) {
        return follower.apply(std::get<SampleBatch>(batch)) == expected;
      });
  return 0;
}
