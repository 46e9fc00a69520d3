// A Spark driver's REST list of applications, which has one entry: its own (spark.md section 7). It tells the
// version of Spark and the application's name to those whose pods have no labels for them (before 3.3).
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/common/json_decoder.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"
#include "flintgauge/spark.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

enum class Field : std::uint8_t { kApplications, kApplication, kId, kName, kVersion };

/// As identify() does with labels: what is long or not printable is no name.
bool is_plain(std::string_view text) {
  constexpr std::size_t kMaxName = 128;
  if (text.empty() || text.size() > kMaxName) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') return false;
  }
  return true;
}

class Applications final : public json::Visitor {
 public:
  explicit Applications(std::string app_id) : app_id_(std::move(app_id)) {}

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("", Kind::kArray, Field::kApplications);
      paths.want("[]", Kind::kObject, Field::kApplication);
      paths.want("[].id", Kind::kString, Field::kId);
      paths.want("[].name", Kind::kString, Field::kName);
      paths.want("[].attempts[].appSparkVersion", Kind::kString, Field::kVersion);
      return paths;
    }();
    return kPaths;
  }

  SparkAbout take() { return std::move(found_); }

 private:
  void clear() override {
    found_ = {};
    row_ = {};
    id_.clear();
  }

  void open(int id) override {
    if (static_cast<Field>(id) != Field::kApplication) return;
    row_ = {};
    id_.clear();
  }

  /// A History Server lists others too.
  void close(int id) override {
    if (static_cast<Field>(id) == Field::kApplication && id_ == app_id_) found_ = row_;
  }

  Verdict value(int id, const json::Value& value) override {
    if (!is_plain(value.text)) return Verdict::kBad;
    if (static_cast<Field>(id) == Field::kId) id_ = value.text;
    if (static_cast<Field>(id) == Field::kName) row_.app_name = value.text;
    // The newest attempt comes first.
    if (static_cast<Field>(id) == Field::kVersion && row_.spark_version.empty())
      row_.spark_version = value.text;
    return Verdict::kKept;
  }

  std::string app_id_;
  std::string id_;
  SparkAbout row_, found_;
};

class ApplicationsDecoder final : public JsonDecoder {
 public:
  explicit ApplicationsDecoder(const Target& target)
      : JsonDecoder(Applications::paths(), applications_, target.body_limit),
        applications_(target.app.app_id) {}

 private:
  Result<Batch> batch(ScrapeCounts& /*counts*/) override { return Batch(applications_.take()); }

  Applications applications_;
};

class SparkApplications final : public Collector {
 public:
  std::string_view name() const override { return "spark_applications"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery))
      targets.push_back(spark_target_once(driver, discovery, name(), "/api/v1/applications"));
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<ApplicationsDecoder>(target);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_applications() { return std::make_unique<SparkApplications>(); }

}  // namespace flintgauge
