// A Spark driver's /metrics/json/ (MetricsServlet): the driver's own registry, served by every Spark from 1.x
// on without any setting (spark.md section 4). In local mode the driver is its own executor, and its registry
// holds the executor's counters too. Numbers only: a gauge that failed ({"error": ..}), NaN (a string), text
// and null are counted and give no value.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/common/json_decoder.h"
#include "collectors/common/spark_registry.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr std::string_view kDriver = "driver";

// A driver has some 250 names, and 10 more for each streaming query.
constexpr std::size_t kMaxNames = 20'000;

enum class Field : std::uint8_t { kGauges, kGauge, kCounter };

/// Hears one document after another; a name is looked into once in its life.
class Registry final : public json::Visitor {
 public:
  explicit Registry(std::string known_namespace) : known_namespace_(std::move(known_namespace)) {}

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("gauges", Kind::kObject, Field::kGauges);
      paths.want("gauges.*.value", Kind::kNumber, Field::kGauge);
      paths.want("counters.*.count", Kind::kNumber, Field::kCounter);
      return paths;
    }();
    return kPaths;
  }

  Result<Batch> take(ScrapeCounts& counts) {
    if (!is_registry_) return fail(Reason::kJson, "the document is no metrics registry: it has no gauges");
    if (is_over_) return fail(Reason::kLimit, "registry of over " + std::to_string(kMaxNames) + " names");
    counts.kept -= repeats_;
    counts.duplicate += repeats_;
    retired_.clear();
    created_.clear();
    const auto known =
        std::ranges::count_if(heard_, [](const Entry* entry) { return entry->series != kNone; });
    const std::size_t living = routes_.size() - free_.size();
    if (names_.size() != heard_names_ || static_cast<std::size_t>(known) != living) forget_unheard();
    for (Entry* entry : heard_) {
      if (entry->series == kNone) create(*entry);
      samples_[entry->sample].series = entry->series;
    }
    counts.new_series = created_.size();
    return Batch(SampleBatch{routes_, retired_, created_, samples_});
  }

 private:
  static constexpr SeriesIndex kNone = std::numeric_limits<SeriesIndex>::max();

  struct Entry {
    const RegistryMetric* metric = nullptr;  ///< null: nobody wants it
    std::string query;                       ///< of a streaming query's metric
    SeriesIndex series = kNone;
    std::size_t sample = 0;    ///< place in samples_, when valued
    std::uint64_t heard = 0;   ///< the last reading that had the name
    std::uint64_t valued = 0;  ///< ... with a number
  };
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard library looks for it
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void clear() override {
    ++reading_;
    heard_.clear();
    samples_.clear();
    // Bodies that were refused leave names behind.
    if (names_.size() > kMaxNames)
      std::erase_if(names_, [](const auto& name) { return name.second.series == kNone; });
    heard_names_ = 0;
    repeats_ = 0;
    is_over_ = is_registry_ = false;
  }

  void open(int /*id*/) override { is_registry_ = true; }

  Verdict value(int id, const json::Value& value) override {
    Entry* const entry = entry_of(value.name);
    if (entry == nullptr || entry->metric == nullptr) return Verdict::kSkipped;
    const bool is_gauge = static_cast<Field>(id) == Field::kGauge;
    if (is_gauge != (entry->metric->kind == RegistryKind::kGauge)) return Verdict::kSkipped;
    if (value.number < 0) return Verdict::kNotFinite;  // -1: the JVM cannot tell
    const double number = to_base(entry->metric->unit, value.number);
    if (entry->valued == reading_) {
      ++repeats_;
      samples_[entry->sample].value = number;
      return Verdict::kKept;
    }
    entry->valued = reading_;
    entry->sample = samples_.size();
    samples_.push_back({kNone, number, kNoTimestamp});
    heard_.push_back(entry);
    return Verdict::kKept;
  }

  /// Null for names that are too long, or too many.
  Entry* entry_of(std::string_view name) {
    if (name.size() > kMaxRegistryName) return nullptr;
    auto at = names_.find(name);
    if (at == names_.end()) {
      if (heard_names_ >= kMaxNames) {
        is_over_ = true;
        return nullptr;
      }
      at = names_.emplace(name, Entry{}).first;
      const auto parsed = parse_registry_name(name, {}, known_namespace_);
      if (parsed && parsed->instance == kDriver) {
        at->second.metric = find_registry_metric(*parsed);
        if (at->second.metric != nullptr) at->second.query = parsed->query;
      }
    }
    Entry& entry = at->second;
    heard_names_ += entry.heard == reading_ ? 0 : 1;
    entry.heard = reading_;
    return &entry;
  }

  void forget_unheard() {
    for (auto at = names_.begin(); at != names_.end();) {
      const Entry& entry = at->second;
      if (entry.series != kNone && entry.valued != reading_) {
        retired_.push_back(entry.series);
        free_.push_back(entry.series);
        at->second.series = kNone;
      }
      at = entry.heard == reading_ ? std::next(at) : names_.erase(at);
    }
  }

  void create(Entry& entry) {
    Route route = registry_route(*entry.metric, kDriver, entry.query);
    if (free_.empty()) {
      entry.series = static_cast<SeriesIndex>(routes_.size());
      routes_.push_back(std::move(route));
    } else {
      entry.series = free_.back();
      free_.pop_back();
      routes_[entry.series] = std::move(route);
    }
    created_.push_back(entry.series);
  }

  std::string known_namespace_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> names_;
  std::vector<Route> routes_;
  std::vector<SeriesIndex> free_, retired_, created_;
  std::vector<Sample> samples_;
  std::vector<Entry*> heard_;  // with a number, in the order of samples_
  std::uint64_t reading_ = 0;
  std::uint64_t repeats_ = 0;
  std::size_t heard_names_ = 0;
  bool is_over_ = false;
  bool is_registry_ = false;
};

class RegistryDecoder final : public JsonDecoder {
 public:
  explicit RegistryDecoder(const Target& target)
      : JsonDecoder(Registry::paths(), registry_, target.body_limit), registry_(target.app.app_id) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override { return registry_.take(counts); }

  Registry registry_;
};

class SparkMetricsJson final : public Collector {
 public:
  std::string_view name() const override { return "spark_metrics_json"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      // With the slash: without it Jetty redirects. Who has replaced the sink in metrics.properties has no
      // page.
      targets.push_back(spark_target(driver, discovery, name(), "/metrics/json/", Expect::kJson));
      targets.back().optional = true;
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<RegistryDecoder>(target);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_metrics_json() { return std::make_unique<SparkMetricsJson>(); }

}  // namespace flintgauge
