// A Spark driver's REST environment (spark.md section 7): 100 KB, of which a hint needs some twenty numbers.
// Settings do not change while a driver lives, so it is asked once, and once a day for the case of an agent
// that has read half of it. The rest is full of secrets: a property that is not wanted is not copied, and the
// body is given back as soon as it was read.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/common/json_decoder.h"
#include "collectors/common/spark_settings.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"
#include "flintgauge/spark.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr double kMebi = 1024.0 * 1024.0;
constexpr std::size_t kMaxProfiles = 100;
constexpr std::size_t kMaxKey = 128;

enum class Field : std::uint8_t {
  kSparkProperties,
  kSparkPair,
  kSparkText,
  kMetricsPair,
  kMetricsText,
  kProfile,
  kProfileId,
  kExecutorAmount,
  kTaskAmount,
};

class Environment final : public json::Visitor {
 public:
  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("sparkProperties", Kind::kArray, Field::kSparkProperties);
      paths.want("sparkProperties[]", Kind::kArray, Field::kSparkPair);
      paths.want("sparkProperties[][]", Kind::kString, Field::kSparkText);
      paths.want("metricsProperties[]", Kind::kArray, Field::kMetricsPair);
      paths.want("metricsProperties[][]", Kind::kString, Field::kMetricsText);
      paths.want("resourceProfiles[]", Kind::kObject, Field::kProfile);
      paths.want("resourceProfiles[].id", Kind::kInteger, Field::kProfileId);
      paths.want("resourceProfiles[].executorResources.*.amount", Kind::kNumber, Field::kExecutorAmount);
      paths.want("resourceProfiles[].taskResources.*.amount", Kind::kNumber, Field::kTaskAmount);
      return paths;
    }();
    return kPaths;
  }

  Result<Batch> take() {
    if (!is_environment_)
      return fail(Reason::kJson, "the document is no environment: it has no sparkProperties");
    if (is_over_)
      return fail(Reason::kLimit,
                  "environment of over " + std::to_string(kMaxProfiles) + " resource profiles");
    return Batch(std::make_shared<const SparkSettings>(std::move(settings_)));
  }

 private:
  void clear() override {
    settings_ = {};
    is_environment_ = is_over_ = false;
  }

  void open(int id) override {
    texts_ = 0;
    key_.clear();
    if (static_cast<Field>(id) == Field::kSparkProperties) is_environment_ = true;
    if (static_cast<Field>(id) != Field::kProfile) return;
    if (settings_.profiles.size() == kMaxProfiles) {
      is_over_ = true;
      settings_.profiles.pop_back();
    }
    settings_.profiles.emplace_back();
  }

  void null(int /*id*/) override { ++texts_; }

  Verdict value(int id, const json::Value& value) override {
    switch (static_cast<Field>(id)) {
      case Field::kSparkText:
      case Field::kMetricsText:
        return take_text(static_cast<Field>(id), value.text);
      case Field::kProfileId:
        if (value.integer < 0) return Verdict::kNotFinite;
        settings_.profiles.back().id = value.integer;
        return Verdict::kKept;
      case Field::kExecutorAmount:
        return take_amount(value, true);
      case Field::kTaskAmount:
        return take_amount(value, false);
      case Field::kSparkProperties:
      case Field::kSparkPair:
      case Field::kMetricsPair:
      case Field::kProfile:
        break;
    }
    return Verdict::kSkipped;
  }

  /// ["key", "value"]: the key is remembered only until its value, and only a value that is wanted is read.
  Verdict take_text(Field field, std::string_view text) {
    const std::size_t place = texts_++;
    if (place == 0) {
      key_ = text.substr(0, kMaxKey);
      return Verdict::kSkipped;
    }
    if (place != 1) return Verdict::kSkipped;
    const SettingVerdict verdict = field == Field::kSparkText ? take_spark_property(settings_, key_, text)
                                                              : take_metrics_property(settings_, key_, text);
    if (verdict == SettingVerdict::kNotWanted) return Verdict::kSkipped;
    return verdict == SettingVerdict::kKept ? Verdict::kKept : Verdict::kBad;
  }

  Verdict take_amount(const json::Value& value, bool of_executor) {
    if (value.number < 0) return Verdict::kNotFinite;
    SparkProfile& profile = settings_.profiles.back();
    if (!of_executor) {
      if (value.name != "cpus") return Verdict::kSkipped;
      profile.task_cpus = value.number;
      return Verdict::kKept;
    }
    std::optional<double>* const into = executor_amount(profile, value.name);
    if (into == nullptr) return Verdict::kSkipped;
    *into = value.number * (value.name == "cores" ? 1 : kMebi);
    return Verdict::kKept;
  }

  static std::optional<double>* executor_amount(SparkProfile& profile, std::string_view name) {
    if (name == "cores") return &profile.executor_cores;
    if (name == "memory") return &profile.executor_memory_bytes;
    if (name == "memoryOverhead") return &profile.memory_overhead_bytes;
    if (name == "offHeap") return &profile.offheap_bytes;
    if (name == "pyspark.memory") return &profile.pyspark_memory_bytes;
    return nullptr;
  }

  SparkSettings settings_;
  std::string key_;
  std::size_t texts_ = 0;
  bool is_environment_ = false;
  bool is_over_ = false;
};

class EnvironmentDecoder final : public JsonDecoder {
 public:
  explicit EnvironmentDecoder(std::size_t body_limit)
      : JsonDecoder(Environment::paths(), environment_, body_limit, Body::kForgotten) {}

 private:
  Result<Batch> batch(ScrapeCounts& /*counts*/) override { return environment_.take(); }

  Environment environment_;
};

class SparkEnvironment final : public Collector {
 public:
  std::string_view name() const override { return "spark_environment"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      const std::string path = "/api/v1/applications/" + driver.app.app_id + "/environment";
      targets.push_back(spark_target_once(driver, discovery, name(), path));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<EnvironmentDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_environment() { return std::make_unique<SparkEnvironment>(); }

}  // namespace flintgauge
