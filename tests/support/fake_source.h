// A collector and a fold that do as little as a source needs: bodies are lines "NAME NUMBER\n", and a block
// shows one number per target.
#pragma once

#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge::testing {

/// The last number of a body, as a sample of series 0. Demands a final newline; the word "poison" is an error
/// while it arrives, "throw" an exception, "pods" makes the batch a pod list.
class FakeDecoder final : public Decoder {
 public:
  void begin() override {
    body_.clear();
    counts_ = {};
  }
  Status feed(std::string_view bytes) override {
    body_ += bytes;
    if (body_.find("poison") != std::string::npos) return fail(Reason::kParse, "line 1: poison");
    if (body_.find("throw") != std::string::npos) throw std::runtime_error("thrown on purpose");
    return {};
  }
  Result<Batch> finish() override {
    if (!body_.ends_with('\n')) return fail(Reason::kTruncated, "no newline at the end");
    counts_.bytes = body_.size();
    counts_.kept = 1;
    if (body_.find("pods") != std::string::npos) return Batch(std::make_shared<const PodList>());
    const std::size_t number = body_.rfind(' ') + 1;
    double value = 0;
    std::from_chars(body_.data() + number, body_.data() + body_.size(), value);
    sample_ = {0, value, kNoTimestamp};
    return Batch(SampleBatch{{&route_, 1}, {}, {}, {&sample_, 1}});
  }
  const ScrapeCounts& counts() const override { return counts_; }

 private:
  std::string body_;
  ScrapeCounts counts_;
  Route route_;
  Sample sample_{};
};

/// Offers the targets it was given.
class FakeCollector final : public Collector {
 public:
  FakeCollector(std::string_view name, SourceKind kind, std::vector<Target> targets)
      : name_(name), kind_(kind), targets_(std::move(targets)) {}
  std::string_view name() const override { return name_; }
  SourceKind source() const override { return kind_; }
  std::vector<Target> targets(const Discovery& discovery) const override {
    if (!of_pods) return targets_;
    std::vector<Target> made;  // one per pod
    for (const Pod& pod : discovery.pods->pods) {
      Target target = targets_.at(0);
      target.key = name_ + '/' + pod.namespace_name + '/' + pod.name;
      target.url = pod.annotations.at(0).second;
      target.pod_uid = pod.uid;
      target.app = {pod.namespace_name, pod.name};
      made.push_back(std::move(target));
    }
    return made;
  }
  std::unique_ptr<Decoder> make_decoder(const Target&) const override {
    return std::make_unique<FakeDecoder>();
  }

  /// Pods named "refused-..." are.
  std::vector<Refusal> refusals(const Discovery& discovery) const override {
    std::vector<Refusal> refused;
    if (discovery.pods == nullptr) return refused;
    for (const Pod& pod : discovery.pods->pods) {
      if (pod.name.starts_with("refused"))
        refused.push_back({pod.name, Reason::kBlockedAddress, "not asked"});
    }
    return refused;
  }

  bool of_pods = false;

 private:
  std::string name_;
  SourceKind kind_;
  std::vector<Target> targets_;
};

/// What a FakeFold was told, readable by the test while the source runs.
struct FoldDiary {
  std::mutex mutex;
  std::vector<std::string>
      events;  // "apply KEY NUMBER", "pods KEY", "drop KEY", "forget KEY", "see NUMBER pods"
  bool wants_pods = false;
  bool has_news = true;

  std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return events;
  }
  std::size_t count(const std::string& event) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
  }
};

class FakeFold final : public Fold {
 public:
  explicit FakeFold(FoldDiary& diary) : diary_(diary) {}

  FoldCounts apply(const Target& target, const Batch& batch, const Now&) override {
    const std::lock_guard lock(diary_.mutex);
    if (const auto* samples = std::get_if<SampleBatch>(&batch)) {
      const double value = samples->samples[0].value;
      values_[target.key] = value;
      diary_.events.push_back("apply " + target.key + ' ' + std::to_string(static_cast<int>(value)));
    } else if (const auto* pods = std::get_if<std::shared_ptr<const PodList>>(&batch)) {
      pods_ = *pods;
      diary_.events.push_back("pods " + target.key);
    }
    return {};
  }
  void drop(const Target& target, const Now&) override {
    const std::lock_guard lock(diary_.mutex);
    values_.erase(target.key);
    diary_.events.push_back("drop " + target.key);
  }
  void forget(const Target& target, const Now& now) override {
    drop(target, now);
    const std::lock_guard lock(diary_.mutex);
    diary_.events.push_back("forget " + target.key);
  }
  void see_pods(const PodList& pods, const Now&) override {
    const std::lock_guard lock(diary_.mutex);
    diary_.events.push_back("see " + std::to_string(pods.pods.size()) + " pods");
  }
  void expire(const Now&) override {}
  void fill(Block& block, const Now&) override {
    SchemaBuilder builder;
    for (const auto& [key, value] : values_) builder.add(family("flintgauge_series"), {key});
    block.schema = builder.build().schema;
    block.values.clear();
    for (const auto& [key, value] : values_) block.values.push_back(value);
    block.pods = pods_;
  }
  bool wants_pods() const override {
    const std::lock_guard lock(diary_.mutex);
    return diary_.wants_pods;
  }
  bool has_news(const Target&) const override {
    const std::lock_guard lock(diary_.mutex);
    return diary_.has_news;
  }

 private:
  FoldDiary& diary_;
  std::map<std::string, double> values_;
  std::shared_ptr<const PodList> pods_;
};

}  // namespace flintgauge::testing
