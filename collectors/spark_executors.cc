// A Spark driver's REST list of executors, dead ones included (spark.md section 7): slots, tasks, cached
// blocks, byte counts and peaks of memory of each as the driver knows them, and why the dead ones are gone.
// Where /allexecutors fails, /executors with the live ones.
#include <array>
#include <utility>

#include "collectors/common/json_decoder.h"
#include "collectors/common/json_rows.h"
#include "collectors/common/spark_target.h"
#include "flintgauge/collector.h"
#include "flintgauge/spark.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;
using Row = SparkExecutor;

constexpr std::size_t kMaxIdSize = 128;
constexpr double kMsPerSecond = 1e3;

enum class Field : std::uint8_t { kId, kIsActive, kAddTime, kRemoveTime, kRemoveReason };

constexpr auto kIntegers = std::to_array<IntegerField<Row>>({
    {"activeTasks", &Row::active_tasks},
    {"maxTasks", &Row::max_tasks},
    {"totalCores", &Row::total_cores},
    {"rddBlocks", &Row::rdd_blocks},
    {"resourceProfileId", &Row::resource_profile_id},
});
constexpr auto kNumbers = std::to_array<NumberField<Row>>({
    {"completedTasks", &Row::tasks_completed, 1},
    {"failedTasks", &Row::tasks_failed, 1},
    {"totalGCTime", &Row::gc_seconds, kMsPerSecond},
    {"totalInputBytes", &Row::input_bytes, 1},
    {"totalShuffleRead", &Row::shuffle_read_bytes, 1},
    {"totalShuffleWrite", &Row::shuffle_write_bytes, 1},
    {"totalDuration", &Row::duration_seconds, kMsPerSecond},
    {"memoryUsed", &Row::memory_used_bytes, 1},
    {"maxMemory", &Row::max_memory_bytes, 1},
    {"peakMemoryMetrics.JVMHeapMemory", &Row::peak_jvm_heap_bytes, 1},
    {"peakMemoryMetrics.JVMOffHeapMemory", &Row::peak_jvm_off_heap_bytes, 1},
    {"peakMemoryMetrics.OnHeapUnifiedMemory", &Row::peak_on_heap_unified_bytes, 1},
    {"peakMemoryMetrics.OffHeapUnifiedMemory", &Row::peak_off_heap_unified_bytes, 1},
    {"peakMemoryMetrics.DirectPoolMemory", &Row::peak_direct_pool_bytes, 1},
    {"peakMemoryMetrics.MappedPoolMemory", &Row::peak_mapped_pool_bytes, 1},
    {"peakMemoryMetrics.ProcessTreeJVMRSSMemory", &Row::peak_process_tree_jvm_rss_bytes, 1},
    {"peakMemoryMetrics.ProcessTreePythonRSSMemory", &Row::peak_process_tree_python_rss_bytes, 1},
    {"peakMemoryMetrics.ProcessTreeOtherRSSMemory", &Row::peak_process_tree_other_rss_bytes, 1},
});

class Executors final : public JsonRows<Row> {
 public:
  Executors() : JsonRows(kIntegers, kNumbers) {}

  static const json::Paths& paths() {
    static const json::Paths kPaths = [] {
      json::Paths paths;
      paths.want("[].id", Kind::kString, Field::kId);
      paths.want("[].isActive", Kind::kBool, Field::kIsActive);
      paths.want("[].addTime", Kind::kString, Field::kAddTime);
      paths.want("[].removeTime", Kind::kString, Field::kRemoveTime);
      paths.want("[].removeReason", Kind::kString, Field::kRemoveReason);
      want_numbers(paths, kIntegers, kNumbers);
      return paths;
    }();
    return kPaths;
  }

 private:
  bool is_complete(const Row& row) const override { return !row.id.empty(); }

  Verdict set(Row& row, int id, const json::Value& value) override {
    switch (static_cast<Field>(id)) {
      case Field::kIsActive:
        row.is_active = value.truth;
        return Verdict::kKept;
      case Field::kAddTime:
        return set_time(row.added, value.text);
      case Field::kRemoveTime:
        return set_time(row.removed, value.text);
      case Field::kRemoveReason:
        row.remove_reason = head(value.text);
        return Verdict::kKept;
      case Field::kId:
        break;
    }
    if (value.text.empty() || value.text.size() > kMaxIdSize) return Verdict::kBad;
    row.id = value.text;
    return Verdict::kKept;
  }

  /// What is kept of a long text: whole characters of UTF-8.
  static std::string_view head(std::string_view text) {
    if (text.size() <= Row::kMaxRemoveReason) return text;
    std::size_t end = Row::kMaxRemoveReason;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end);
  }
};

class ExecutorsDecoder final : public JsonDecoder {
 public:
  explicit ExecutorsDecoder(const Target& target)
      : JsonDecoder(Executors::paths(), rows_, target.body_limit), complete_(target.fallback_of.empty()) {}

 private:
  Result<Batch> batch(ScrapeCounts& counts) override {
    auto rows = rows_.take(counts);
    if (!rows) return tl::unexpected(rows.error());
    return Batch(SparkExecutors{complete_, *std::move(rows)});
  }

  Executors rows_;
  bool complete_;
};

class SparkExecutorsList final : public Collector {
 public:
  std::string_view name() const override { return "spark_executors"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      const std::string base = "/api/v1/applications/" + driver.app.app_id;
      Target all = spark_target(driver, discovery, name(), base + "/allexecutors", Expect::kJson);
      Target live = spark_target(driver, discovery, name(), base + "/executors", Expect::kJson);
      live.key.insert(name().size(), "_live");
      live.fallback_of = all.key;
      targets.push_back(std::move(all));
      targets.push_back(std::move(live));
    }
    return targets;
  }

  std::vector<Refusal> refusals(const Discovery& discovery) const override {
    return refused_drivers(discovery);
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<ExecutorsDecoder>(target);
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_executors() { return std::make_unique<SparkExecutorsList>(); }

}  // namespace flintgauge
