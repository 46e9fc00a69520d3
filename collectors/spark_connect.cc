// Sessions and operations of a Spark Connect server, from its REST interface: connect/sessions and
// connect/operations, seen with Spark 4.3.0 (3.5.9 answers 404). Every driver of 4.3 has both, with empty
// lists where nobody connects: such a driver says nothing. Times of the end are 0 while a session is open and
// an operation runs; nothing else of a row is looked at, statements and users least of all. Ended ones stay
// listed, up to 200 of each by default (spark.connect.ui.retainedSessions, retainedStatements).
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/json_decoder.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr std::int64_t kMinIntervalMs = 60'000;
constexpr std::int64_t kRounds = 6;

struct List {
  std::string_view path;
  std::string_view key;  ///< after the collector's name
  Measure measure;
};
constexpr auto kLists = std::to_array<List>({
    {"/connect/sessions", "", Measure::kDriverConnectSessions},
    {"/connect/operations", "_operations", Measure::kDriverConnectOperations},
});

enum class Field : std::uint8_t { kList, kFinish };

class Rows final : public json::Visitor {
 public:
  explicit Rows(Measure measure) {
    Route& route = routes_.emplace_back();
    route.measure = measure;
    route.scope = Scope::kDriver;
  }

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("", Kind::kArray, Field::kList);
      paths.want("[].finishTimestamp", Kind::kInteger, Field::kFinish);
      return paths;
    }();
    return kPaths;
  }

  Result<Batch> take() {
    if (!is_list_) return fail(Reason::kJson, "the document is no list");
    samples_.clear();
    created_.clear();
    if (has_rows_) {
      if (!has_created_) created_.push_back(0);
      has_created_ = true;
    }
    if (has_created_) samples_.push_back({0, open_, kNoTimestamp});
    return Batch(SampleBatch{routes_, {}, created_, samples_});
  }

 private:
  void clear() override {
    open_ = 0;
    is_list_ = has_rows_ = false;
  }
  void open(int /*id*/) override { is_list_ = true; }

  Verdict value(int /*id*/, const json::Value& value) override {
    if (value.integer < 0) return Verdict::kNotFinite;
    has_rows_ = true;
    open_ += value.integer == 0 ? 1 : 0;
    return Verdict::kKept;
  }

  std::vector<Route> routes_;
  std::vector<SeriesIndex> created_;
  std::vector<Sample> samples_;
  double open_ = 0;
  bool is_list_ = false;
  bool has_rows_ = false;
  bool has_created_ = false;
};

class ConnectDecoder final : public JsonDecoder {
 public:
  /// Statements are given back at once.
  ConnectDecoder(Measure measure, std::size_t body_limit)
      : JsonDecoder(Rows::paths(), rows_, body_limit, Body::kForgotten), rows_(measure) {}

 private:
  Result<Batch> batch(ScrapeCounts& /*counts*/) override { return rows_.take(); }

  Rows rows_;
};

class SparkConnect final : public Collector {
 public:
  std::string_view name() const override { return "spark_connect"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      for (const List& list : kLists) {
        const std::string path = "/api/v1/applications/" + driver.app.app_id + std::string(list.path);
        Target target = spark_target(driver, discovery, name(), path, Expect::kJson);
        target.key.insert(name().size(), list.key);
        target.optional = true;
        target.pace.interval_ms = std::max(kMinIntervalMs, kRounds * discovery.spark_interval_ms);
        target.pace.ttl_ms = 3 * target.pace.interval_ms;
        target.pace.retry_ms = discovery.spark_interval_ms;
        targets.push_back(std::move(target));
      }
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    const bool is_operations = target.url.ends_with(kLists[1].path);
    return std::make_unique<ConnectDecoder>(kLists[is_operations ? 1 : 0].measure, target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_connect() { return std::make_unique<SparkConnect>(); }

}  // namespace flintgauge
