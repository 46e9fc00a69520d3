// A Spark driver's REST list of stages (spark.md section 7): the work that is left, and what tasks have used.
//
// Two targets for each driver. The stages that are active or wait for their parents are asked for every
// round: a short list, with quantiles over tasks (Spark 3.2 and later; others ignore the wish). The whole
// list, which costs the driver 3 KB for every stage it remembers (1000 by default), is asked for less often;
// and not while no task ends; it brings the final numbers of stages that ended between two rounds.
#include <algorithm>
#include <array>
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
using Row = SparkStage;

constexpr std::int64_t kMinWholeListMs = 30'000;
constexpr std::int64_t kWholeListRounds = 3;
constexpr double kMsPerSecond = 1e3;
constexpr double kNanosPerSecond = 1e9;
constexpr double kMedian = 0.5;
constexpr double kMaximum = 1.0;
constexpr std::size_t kMaxQuantiles = 16;

enum class Field : std::uint8_t { kStatus, kSubmitted, kFirstTask, kQuantile, kRunTime, kDelay };

constexpr auto kIntegers = std::to_array<IntegerField<Row>>({
    {"stageId", &Row::stage_id},
    {"attemptId", &Row::attempt_id},
    {"numTasks", &Row::tasks},
    {"numActiveTasks", &Row::tasks_active},
    {"numCompleteTasks", &Row::tasks_complete},
    {"numFailedTasks", &Row::tasks_failed},
    {"numKilledTasks", &Row::tasks_killed},
    {"resourceProfileId", &Row::resource_profile_id},
});
constexpr auto kNumbers = std::to_array<NumberField<Row>>({
    {"executorRunTime", &Row::executor_run_seconds, kMsPerSecond},
    {"executorCpuTime", &Row::executor_cpu_seconds, kNanosPerSecond},
    {"jvmGcTime", &Row::gc_seconds, kMsPerSecond},
    {"inputBytes", &Row::input_bytes, 1},
    {"inputRecords", &Row::input_records, 1},
    {"outputBytes", &Row::output_bytes, 1},
    {"outputRecords", &Row::output_records, 1},
    {"shuffleReadBytes", &Row::shuffle_read_bytes, 1},
    {"shuffleWriteBytes", &Row::shuffle_write_bytes, 1},
    {"shuffleFetchWaitTime", &Row::shuffle_fetch_wait_seconds, kMsPerSecond},
    {"memoryBytesSpilled", &Row::memory_spilled_bytes, 1},
    {"diskBytesSpilled", &Row::disk_spilled_bytes, 1},
    {"shuffleReadRecords", &Row::shuffle_read_records, 1},
    {"shuffleWriteRecords", &Row::shuffle_write_records, 1},
    {"shuffleWriteTime", &Row::shuffle_write_seconds, kNanosPerSecond},
    {"executorDeserializeTime", &Row::deserialize_seconds, kMsPerSecond},
    {"resultSize", &Row::result_bytes, 1},
});

struct StatusWord {
  std::string_view word;
  StageStatus status;
};
constexpr auto kStatusWords = std::to_array<StatusWord>({
    {"ACTIVE", StageStatus::kActive},
    {"COMPLETE", StageStatus::kComplete},
    {"PENDING", StageStatus::kPending},
    {"FAILED", StageStatus::kFailed},
    {"SKIPPED", StageStatus::kSkipped},
});

class Stages final : public JsonRows<Row> {
 public:
  Stages() : JsonRows(kIntegers, kNumbers) {}

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("[].status", Kind::kString, Field::kStatus);
      paths.want("[].submissionTime", Kind::kString, Field::kSubmitted);
      paths.want("[].firstTaskLaunchedTime", Kind::kString, Field::kFirstTask);
      paths.want("[].taskMetricsDistributions.quantiles[]", Kind::kNumber, Field::kQuantile);
      paths.want("[].taskMetricsDistributions.executorRunTime[]", Kind::kNumber, Field::kRunTime);
      paths.want("[].taskMetricsDistributions.schedulerDelay[]", Kind::kNumber, Field::kDelay);
      want_numbers(paths, kIntegers, kNumbers);
      return paths;
    }();
    return kPaths;
  }

 private:
  void begin(Row& row) override {
    row.stage_id = row.attempt_id = -1;  // not told
    has_status_ = false;
    quantiles_.clear();
    run_times_ = delays_ = 0;
  }
  bool is_complete(const Row& row) const override {
    return row.stage_id >= 0 && row.attempt_id >= 0 && has_status_;
  }

  Verdict set(Row& row, int id, const json::Value& value) override {
    switch (static_cast<Field>(id)) {
      case Field::kStatus:
        return set_status(row, value.text);
      case Field::kSubmitted:
        return set_time(row.submitted, value.text);
      case Field::kFirstTask:
        return set_time(row.first_task_launched, value.text);
      case Field::kQuantile:
        if (quantiles_.size() == kMaxQuantiles) return Verdict::kSkipped;
        quantiles_.push_back(value.number);
        return Verdict::kKept;
      case Field::kRunTime:
        return set_quantile(run_times_++, value.number, row.task_run_seconds_median,
                            &row.task_run_seconds_max);
      case Field::kDelay:
        return set_quantile(delays_++, value.number, row.scheduler_delay_seconds_median, nullptr);
    }
    return Verdict::kSkipped;
  }

  /// The list says which quantiles its arrays hold, before them.
  Verdict set_quantile(std::size_t place, double ms, double& median, double* max) {
    if (place >= quantiles_.size()) return Verdict::kSkipped;
    if (ms < 0) return Verdict::kNotFinite;
    if (quantiles_[place] == kMedian) {
      median = ms / kMsPerSecond;
    } else if (max != nullptr && quantiles_[place] == kMaximum) {
      *max = ms / kMsPerSecond;
    } else {
      return Verdict::kSkipped;
    }
    return Verdict::kKept;
  }

  Verdict set_status(Row& row, std::string_view word) {
    const auto* const found = std::ranges::find(kStatusWords, word, &StatusWord::word);
    if (found == kStatusWords.end()) return Verdict::kBad;
    row.status = found->status;
    has_status_ = true;
    return Verdict::kKept;
  }

  bool has_status_ = false;
  std::vector<double> quantiles_;  // of the row that is read
  std::size_t run_times_ = 0, delays_ = 0;
};

class StagesDecoder final : public JsonDecoder {
 public:
  explicit StagesDecoder(std::size_t body_limit) : JsonDecoder(Stages::paths(), rows_, body_limit) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override {
    auto rows = rows_.take(counts);
    if (!rows) return tl::unexpected(rows.error());
    return Batch(SparkStages{true, *std::move(rows)});
  }

  Stages rows_;
};

class SparkStagesList final : public Collector {
 public:
  std::string_view name() const override { return "spark_stages"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      const std::string path = "/api/v1/applications/" + driver.app.app_id + "/stages";
      targets.push_back(spark_target(
          driver, discovery, name(),
          path + "?status=active&status=pending&withSummaries=true&quantiles=0.5,1.0", Expect::kJson));
      Target whole = spark_target(driver, discovery, name(), path, Expect::kJson);
      whole.key.insert(name().size(), "_all");
      whole.pace.interval_ms = std::max(kMinWholeListMs, kWholeListRounds * discovery.spark_interval_ms);
      whole.pace.ttl_ms = std::max(whole.pace.ttl_ms, 3 * whole.pace.interval_ms);
      whole.only_after_news = true;
      targets.push_back(std::move(whole));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<StagesDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_stages() { return std::make_unique<SparkStagesList>(); }

}  // namespace flintgauge
