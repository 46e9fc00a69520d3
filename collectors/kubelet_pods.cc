// The kubelet's /pods: every pod bound to this node. Who is who, what they asked for, how their containers
// fare.
#include "collectors/common/json_decoder.h"
#include "collectors/common/kubelet_target.h"
#include "collectors/common/pod_list.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kTimeoutMs = 5'000;  // kubelet-cadvisor.md section 9

class PodsDecoder final : public JsonDecoder {
 public:
  /// The body is not kept: an unchanged list is not decoded, and a changed one is a new list anyway.
  explicit PodsDecoder(std::size_t body_limit)
      : JsonDecoder(PodListVisitor::paths(), visitor_, body_limit, Body::kForgotten) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override {
    auto list = visitor_.take(counts);
    if (!list) return tl::unexpected(list.error());
    drivers_.mark(**list);
    return Batch(std::shared_ptr<const PodList>(*std::move(list)));
  }

  PodListVisitor visitor_;
  ClientModeDrivers drivers_;
};

class KubeletPods final : public Collector {
 public:
  std::string_view name() const override { return "kubelet_pods"; }
  SourceKind source() const override { return SourceKind::kKubelet; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    Target target =
        kubelet_target(discovery, name(), "/pods", Expect::kJson, discovery.kubelet_interval_ms, kTimeoutMs);
    target.skip_unchanged = true;  // a quiet node says the same for hours
    return {std::move(target)};
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<PodsDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_kubelet_pods() { return std::make_unique<KubeletPods>(); }

}  // namespace flintgauge
