// The registry of a standalone worker, /metrics/json/, and of a master, /metrics/master/json/
// (MetricsServlet, on by default; spark.md section 0.1): the worker's cores, memory and executors; of a
// master what its page /json/ says too, so it is asked only while that one fails. Workers' own pages /json/
// show the command lines of executors and are not asked; /metrics/applications/json/ has nothing that the
// master's /json/ has not.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/cluster_registry.h"
#include "collectors/common/companion_target.h"
#include "collectors/common/json_decoder.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

enum class Field : std::uint8_t { kGauges, kGauge };

class ClusterRegistry final : public json::Visitor {
 public:
  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("gauges", Kind::kObject, Field::kGauges);
      paths.want("gauges.*.value", Kind::kNumber, Field::kGauge);
      return paths;
    }();
    return kPaths;
  }

  Result<Batch> take(ScrapeCounts& counts) {
    if (!is_registry_) return fail(Reason::kJson, "the document is no metrics registry: it has no gauges");
    counts.kept -= repeats_;
    counts.duplicate += repeats_;
    samples_.clear();
    created_.clear();
    for (std::size_t i = 0; i < kMeasureCount; ++i) {
      if (valued_[i] != reading_) continue;
      if (series_[i] == kNone) {
        series_[i] = static_cast<SeriesIndex>(routes_.size());
        routes_.push_back(cluster_route(static_cast<Measure>(i)));
        created_.push_back(series_[i]);
      }
      samples_.push_back({series_[i], values_[i], kNoTimestamp});
    }
    counts.new_series = created_.size();
    return Batch(SampleBatch{routes_, {}, created_, samples_});
  }

 private:
  static constexpr SeriesIndex kNone = UINT32_MAX;

  void clear() override {
    ++reading_;
    repeats_ = 0;
    is_registry_ = false;
  }
  void open(int /*id*/) override { is_registry_ = true; }

  Verdict value(int /*id*/, const json::Value& value) override {
    const auto measure = find_cluster_metric(value.name);
    if (!measure) return Verdict::kSkipped;
    if (value.number < 0) return Verdict::kNotFinite;
    const auto place = static_cast<std::size_t>(*measure);
    if (valued_[place] == reading_) ++repeats_;
    valued_[place] = reading_;
    values_[place] = to_base(unit_of_cluster_measure(*measure), value.number);
    return Verdict::kKept;
  }

  std::array<double, kMeasureCount> values_{};
  std::array<std::uint64_t, kMeasureCount> valued_{};  // the last reading that had the measure
  std::array<SeriesIndex, kMeasureCount> series_ = [] {
    std::array<SeriesIndex, kMeasureCount> none{};
    none.fill(kNone);
    return none;
  }();
  std::vector<Route> routes_;
  std::vector<SeriesIndex> created_;
  std::vector<Sample> samples_;
  std::uint64_t reading_ = 0;
  std::uint64_t repeats_ = 0;
  bool is_registry_ = false;
};

class ClusterDecoder final : public JsonDecoder {
 public:
  explicit ClusterDecoder(const Target& target)
      : JsonDecoder(ClusterRegistry::paths(), registry_, target.body_limit) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override { return registry_.take(counts); }

  ClusterRegistry registry_;
};

class SparkClusterJson final : public Collector {
 public:
  std::string_view name() const override { return "spark_cluster_json"; }
  SourceKind source() const override { return SourceKind::kCompanions; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const ClusterUi& ui : cluster_uis(discovery)) {
      const std::string_view path = ui.is_worker ? "/metrics/json/" : "/metrics/master/json/";
      Target target = cluster_target(ui, discovery, name(), path, Expect::kJson);
      if (!ui.is_worker) target.fallback_of = "spark_master/" + ui.pod->namespace_name + "/" + ui.pod->name;
      targets.push_back(std::move(target));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<ClusterDecoder>(target);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_cluster_json() { return std::make_unique<SparkClusterJson>(); }

}  // namespace flintgauge
