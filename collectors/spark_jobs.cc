// A Spark driver's REST list of jobs (spark.md section 7): how many have succeeded and failed. The list costs
// the driver 0.7 KB for every job it remembers (1000 by default), so it is asked for rarely; the jobs that
// run now are a gauge of /metrics/json/.
#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/json_decoder.h"
#include "collectors/common/json_rows.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"
#include "flintgauge/spark.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;
using Row = SparkJob;

constexpr std::int64_t kMinIntervalMs = 60'000;
constexpr std::int64_t kRounds = 6;

enum class Field : std::uint8_t { kStatus, kSubmitted };

constexpr auto kIntegers = std::to_array<IntegerField<Row>>({{"jobId", &Row::job_id}});

struct StatusWord {
  std::string_view word;
  JobStatus status;
};
constexpr auto kStatusWords = std::to_array<StatusWord>({
    {"RUNNING", JobStatus::kRunning},
    {"SUCCEEDED", JobStatus::kSucceeded},
    {"FAILED", JobStatus::kFailed},
    {"UNKNOWN", JobStatus::kUnknown},
});

class Jobs final : public JsonRows<Row> {
 public:
  Jobs() : JsonRows(kIntegers, {}) {}

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("[].status", Kind::kString, Field::kStatus);
      paths.want("[].submissionTime", Kind::kString, Field::kSubmitted);
      want_numbers(paths, kIntegers, {});
      return paths;
    }();
    return kPaths;
  }

 private:
  void begin(Row& row) override {
    row.job_id = -1;  // not told
    has_status_ = false;
  }
  bool is_complete(const Row& row) const override { return row.job_id >= 0 && has_status_; }

  Verdict set(Row& row, int id, const json::Value& value) override {
    if (static_cast<Field>(id) == Field::kSubmitted) return set_time(row.submitted, value.text);
    const auto* const found = std::ranges::find(kStatusWords, value.text, &StatusWord::word);
    if (found == kStatusWords.end()) return Verdict::kBad;
    row.status = found->status;
    has_status_ = true;
    return Verdict::kKept;
  }

  bool has_status_ = false;
};

class JobsDecoder final : public JsonDecoder {
 public:
  explicit JobsDecoder(std::size_t body_limit) : JsonDecoder(Jobs::paths(), rows_, body_limit) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override {
    auto rows = rows_.take(counts);
    if (!rows) return tl::unexpected(rows.error());
    return Batch(SparkJobs{*std::move(rows)});
  }

  Jobs rows_;
};

class SparkJobsList final : public Collector {
 public:
  std::string_view name() const override { return "spark_jobs"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      const std::string path = "/api/v1/applications/" + driver.app.app_id + "/jobs";
      Target target = spark_target(driver, discovery, name(), path, Expect::kJson);
      target.pace.interval_ms = std::max(kMinIntervalMs, kRounds * discovery.spark_interval_ms);
      target.pace.ttl_ms = 3 * target.pace.interval_ms;
      target.pace.retry_ms = discovery.spark_interval_ms;
      targets.push_back(std::move(target));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<JobsDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_jobs() { return std::make_unique<SparkJobsList>(); }

}  // namespace flintgauge
