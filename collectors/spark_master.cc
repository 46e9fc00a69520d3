// The page /json/ of a standalone master (spark.md section 0.1): how many workers and applications a shared
// cluster has, and how much of its cores and memory is given away. The master knows its workers, so their own
// pages, which hold the command lines of executors, are not asked.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/companion_target.h"
#include "collectors/common/json_decoder.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr double kMiB = 1024.0 * 1024.0;

enum class Field : std::uint8_t { kStatus, kWorker, kApplication, kState, kNumber };

struct Number {
  std::string_view name;
  Measure measure;
  double unit;
};
// The first two are counted here, the others are members of the document.
constexpr auto kNumbers = std::to_array<Number>({
    {"", Measure::kClusterWorkers, 1},
    {"", Measure::kClusterApplications, 1},
    {"", Measure::kClusterWaitingApplications, 1},
    {"aliveworkers", Measure::kClusterAliveWorkers, 1},
    {"cores", Measure::kClusterCores, 1},
    {"coresused", Measure::kClusterUsedCores, 1},
    {"memory", Measure::kClusterMemoryBytes, kMiB},
    {"memoryused", Measure::kClusterUsedMemoryBytes, kMiB},
});
enum Counted : std::uint8_t { kWorkers, kApplications, kWaiting, kFirstMember };

class Master final : public json::Visitor {
 public:
  Master() {
    for (const Number& number : kNumbers) {
      Route& route = routes_.emplace_back();
      route.measure = number.measure;
      route.scope = Scope::kTool;
    }
  }

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("status", Kind::kString, Field::kStatus);
      paths.want("workers[]", Kind::kObject, Field::kWorker);
      paths.want("activeapps[]", Kind::kObject, Field::kApplication);
      paths.want("activeapps[].state", Kind::kString, Field::kState);
      for (std::size_t i = kFirstMember; i < kNumbers.size(); ++i)
        paths.want(kNumbers[i].name, Kind::kNumber,
                   static_cast<Field>(static_cast<std::size_t>(Field::kNumber) + i));
      return paths;
    }();
    return kPaths;
  }

  /// A standby master knows no workers: it says nothing.
  Result<Batch> take() {
    if (!has_status_) return fail(Reason::kJson, "the document is no master's: it has no status");
    samples_.clear();
    for (std::size_t i = 0; is_alive_ && i < kNumbers.size(); ++i) {
      if (is_present_[i]) samples_.push_back({static_cast<SeriesIndex>(i), values_[i], kNoTimestamp});
    }
    created_.clear();
    for (SeriesIndex i = 0; !has_created_ && i < routes_.size(); ++i) created_.push_back(i);
    has_created_ = true;
    return Batch(SampleBatch{routes_, {}, created_, samples_});
  }

 private:
  void clear() override {
    values_.fill(0);
    is_present_.fill(false);
    std::fill_n(is_present_.begin(), std::size_t{kFirstMember}, true);
    has_status_ = is_alive_ = false;
  }

  void open(int id) override {
    if (static_cast<Field>(id) == Field::kWorker) values_[kWorkers] += 1;
    if (static_cast<Field>(id) == Field::kApplication) values_[kApplications] += 1;
  }

  Verdict value(int id, const json::Value& value) override {
    if (static_cast<Field>(id) == Field::kStatus) {
      has_status_ = true;
      is_alive_ = value.text == "ALIVE";
      return Verdict::kKept;
    }
    if (static_cast<Field>(id) == Field::kState) {
      values_[kWaiting] += value.text == "WAITING" ? 1 : 0;
      return Verdict::kKept;
    }
    if (value.number < 0) return Verdict::kNotFinite;
    const auto place = static_cast<std::size_t>(id - static_cast<int>(Field::kNumber));
    values_[place] = value.number * kNumbers[place].unit;
    is_present_[place] = true;
    return Verdict::kKept;
  }

  std::vector<Route> routes_;  // by place in kNumbers
  std::vector<SeriesIndex> created_;
  std::vector<Sample> samples_;
  std::array<double, kNumbers.size()> values_{};
  std::array<bool, kNumbers.size()> is_present_{};
  bool has_status_ = false;
  bool is_alive_ = false;
  bool has_created_ = false;
};

class MasterDecoder final : public JsonDecoder {
 public:
  explicit MasterDecoder(const Target& target) : JsonDecoder(Master::paths(), master_, target.body_limit) {}

 private:
  Result<Batch> batch(ScrapeCounts& /*counts*/) override { return master_.take(); }

  Master master_;
};

class SparkMaster final : public Collector {
 public:
  std::string_view name() const override { return "spark_master"; }
  SourceKind source() const override { return SourceKind::kCompanions; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const ClusterUi& ui : cluster_uis(discovery)) {
      if (!ui.is_worker) targets.push_back(cluster_target(ui, discovery, name(), "/json/", Expect::kJson));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<MasterDecoder>(target);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_master() { return std::make_unique<SparkMaster>(); }

}  // namespace flintgauge
