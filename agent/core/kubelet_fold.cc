#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "agent/core/kubelet_page.h"
#include "agent/core/kubelet_samples.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

class KubeletFold final : public Fold {
 public:
  KubeletFold(const BudgetLimits& limits, const Now& started) : started_(started), groups_(limits) {}

  FoldCounts apply(const Target& target, const Batch& batch, const Now& now) override {
    if (const auto* samples = std::get_if<SampleBatch>(&batch))
      return samples_.apply(target, *samples, now, started_ms(now));
    const auto* list = std::get_if<std::shared_ptr<const PodList>>(&batch);
    if (list == nullptr || *list == nullptr) return {};
    list_target_ = target.key;
    list_ = *list;
    pods_.apply(*list_, now, WallTime{started_ms(now)});
    slots_.resolve_all(list_);
    samples_.choose_instances();
    FoldCounts counts;
    counts.folded = list_->pods.size();
    return counts;
  }

  void drop(const Target& target, const Now&) override {
    samples_.drop(target);
    if (target.key == list_target_) {
      list_ = nullptr;
      pods_.forget_list();
      slots_.resolve_all(nullptr);
    }
    samples_.choose_instances();
  }

  void expire(const Now& now) override {
    groups_.expire(now, [this](kubelet::GroupIndex group) { pods_.unbind(group); });
    pods_.expire(now, [this](kubelet::PodNumber pod) { slots_.unbind(pod); });
    slots_.expire(now);
  }

  void fill(Block& block, const Now& now) override {
    page_.fill(block, now);
    block.pods = list_;
    page_.fill_usage(block, now);
  }

  bool wants_pods() const override { return slots_.wants_pods(); }

 private:
  /// When the agent started, on the wall clock of now. After a step of the clock the later of both readings:
  /// what may have started before the agent is not counted from zero.
  std::int64_t started_ms(const Now& now) const {
    return std::max(started_.wall.ms, now.wall.ms - elapsed_ms(started_.steady, now.steady));
  }

  Now started_;
  kubelet::GroupTable groups_;
  kubelet::PodTable pods_{groups_};
  kubelet::SlotTable slots_{pods_};
  kubelet::SampleTable samples_{groups_, pods_, slots_};
  kubelet::Page page_{groups_, pods_, slots_, samples_};
  std::shared_ptr<const PodList> list_;
  std::string list_target_;
};

}  // namespace

std::unique_ptr<Fold> make_kubelet_fold(const BudgetLimits& limits, const Now& started) {
  return std::make_unique<KubeletFold>(limits, started);
}

}  // namespace flintgauge
