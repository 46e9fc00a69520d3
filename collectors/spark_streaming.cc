// A Spark driver's REST page of DStreams (spark.md section 7): input rate, processing time and scheduling
// delay of the batches it remembers. Applications without DStreams answer 404, which is remembered.
// Structured Streaming is in the driver's registry.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/json_decoder.h"
#include "collectors/common/spark_registry.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr std::int64_t kMinIntervalMs = 30'000;
constexpr std::int64_t kRounds = 3;
constexpr double kMsPerSecond = 1e3;

struct Wanted {
  std::string_view name;
  Measure measure;
  double unit;
};
constexpr auto kWanted = std::to_array<Wanted>({
    {"avgInputRate", Measure::kQueryInputRowsPerSecond, 1},
    {"avgProcessingTime", Measure::kQueryBatchSeconds, kMsPerSecond},
    {"avgSchedulingDelay", Measure::kQueryLagSeconds, kMsPerSecond},
});
constexpr int kBatchDuration = static_cast<int>(kWanted.size());

class Statistics final : public json::Visitor {
 public:
  Statistics() {
    for (const Wanted& wanted : kWanted) {
      Route& route = routes_.emplace_back();
      route.measure = wanted.measure;
      route.scope = Scope::kQuery;
      route.container = kDStreamsQuery;
    }
  }

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      for (std::size_t i = 0; i < kWanted.size(); ++i)
        paths.want(kWanted[i].name, Kind::kNumber, static_cast<int>(i));
      paths.want("batchDuration", Kind::kNumber, kBatchDuration);
      return paths;
    }();
    return kPaths;
  }

  /// Before its first batch the page has no averages.
  Result<Batch> take(ScrapeCounts& counts) {
    if (!is_statistics_)
      return fail(Reason::kJson, "the document is no streaming statistics: no batchDuration");
    created_.clear();
    samples_.clear();
    for (SeriesIndex i = 0; i < kWanted.size(); ++i) {
      if (!is_known_) created_.push_back(i);
      if (values_[i]) samples_.push_back({i, *values_[i] / kWanted[i].unit, kNoTimestamp});
    }
    counts.new_series = created_.size();
    is_known_ = true;
    return Batch(SampleBatch{routes_, {}, created_, samples_});
  }

 private:
  void clear() override {
    values_ = {};
    is_statistics_ = false;
  }

  Verdict value(int id, const json::Value& value) override {
    if (value.number < 0) return Verdict::kNotFinite;
    if (id == kBatchDuration) {
      is_statistics_ = true;
    } else {
      values_[static_cast<std::size_t>(id)] = value.number;
    }
    return Verdict::kKept;
  }

  std::vector<Route> routes_;
  std::vector<SeriesIndex> created_;
  std::vector<Sample> samples_;
  std::array<std::optional<double>, kWanted.size()> values_;
  bool is_statistics_ = false;
  bool is_known_ = false;  ///< its series were created
};

class StatisticsDecoder final : public JsonDecoder {
 public:
  explicit StatisticsDecoder(std::size_t body_limit)
      : JsonDecoder(Statistics::paths(), statistics_, body_limit) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override { return statistics_.take(counts); }

  Statistics statistics_;
};

class SparkStreaming final : public Collector {
 public:
  std::string_view name() const override { return "spark_streaming"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      const std::string path = "/api/v1/applications/" + driver.app.app_id + "/streaming/statistics";
      Target target = spark_target(driver, discovery, name(), path, Expect::kJson);
      target.pace.interval_ms = std::max(kMinIntervalMs, kRounds * discovery.spark_interval_ms);
      target.pace.ttl_ms = std::max(target.pace.ttl_ms, 3 * target.pace.interval_ms);
      target.optional = true;
      targets.push_back(std::move(target));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<StatisticsDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_streaming() { return std::make_unique<SparkStreaming>(); }

}  // namespace flintgauge
