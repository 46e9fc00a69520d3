#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "agent/core/series_budget.h"
#include "agent/core/series_list.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

/// A tool ends this long after its last page was read; what a page said is known for as long after its end.
constexpr std::int64_t kTtlMs = 15LL * 60 * 1000;
/// Pages of one namespace, those that are gone included. More than that live at once in no configuration.
constexpr std::size_t kMaxPages = 1'000;

struct Column {
  Measure measure;
  FamilyId family;
  std::string_view workload;  ///< the tool, or "" for a standalone cluster, which has a name of its own
  std::string_view status;    ///< value of the label status, or "" when the family has none
};
// In the order of the measures; counters first.
constexpr auto kColumns = std::to_array<Column>({
    {Measure::kKafkaReceivedBytes, family("flintgauge_tool_kafka_received_bytes_total"), "kafka", ""},
    {Measure::kKafkaSentBytes, family("flintgauge_tool_kafka_sent_bytes_total"), "kafka", ""},
    {Measure::kKafkaReceivedMessages, family("flintgauge_tool_kafka_received_messages_total"), "kafka", ""},
    {Measure::kJupyterSpawns, family("flintgauge_tool_jupyter_spawns_total"), "jupyter", "success"},
    {Measure::kJupyterSpawnsFailed, family("flintgauge_tool_jupyter_spawns_total"), "jupyter", "failure"},
    {Measure::kJupyterSpawnSeconds, family("flintgauge_tool_jupyter_spawn_seconds_total"), "jupyter", ""},
    {Measure::kKafkaUnderReplicatedPartitions, family("flintgauge_tool_kafka_under_replicated_partitions"),
     "kafka", ""},
    {Measure::kKafkaConsumerLag, family("flintgauge_tool_kafka_consumer_lag_messages"), "kafka", ""},
    {Measure::kJupyterRunningServers, family("flintgauge_tool_jupyter_running_servers"), "jupyter", ""},
    {Measure::kJupyterRunningKernels, family("flintgauge_tool_jupyter_running_kernels"), "jupyter", ""},
    {Measure::kZeppelinInterpreterGroups, family("flintgauge_tool_zeppelin_interpreter_groups"), "zeppelin",
     ""},
    {Measure::kZeppelinConnections, family("flintgauge_tool_zeppelin_connections"), "zeppelin", ""},
    {Measure::kClusterWorkers, family("flintgauge_spark_cluster_workers"), "", ""},
    {Measure::kClusterAliveWorkers, family("flintgauge_spark_cluster_alive_workers"), "", ""},
    {Measure::kClusterApplications, family("flintgauge_spark_cluster_applications"), "", ""},
    {Measure::kClusterWaitingApplications, family("flintgauge_spark_cluster_waiting_applications"), "", ""},
    {Measure::kClusterCores, family("flintgauge_spark_cluster_cores"), "", ""},
    {Measure::kClusterUsedCores, family("flintgauge_spark_cluster_used_cores"), "", ""},
    {Measure::kClusterMemoryBytes, family("flintgauge_spark_cluster_memory_bytes"), "", ""},
    {Measure::kClusterUsedMemoryBytes, family("flintgauge_spark_cluster_used_memory_bytes"), "", ""},
    {Measure::kWorkerPods, family("flintgauge_spark_worker_pods"), "", ""},
    {Measure::kWorkerExecutors, family("flintgauge_spark_worker_executors"), "", ""},
    {Measure::kWorkerFreeCores, family("flintgauge_spark_worker_free_cores"), "", ""},
    {Measure::kWorkerUsedCores, family("flintgauge_spark_worker_used_cores"), "", ""},
    {Measure::kWorkerFreeMemoryBytes, family("flintgauge_spark_worker_free_memory_bytes"), "", ""},
    {Measure::kWorkerUsedMemoryBytes, family("flintgauge_spark_worker_used_memory_bytes"), "", ""},
});
constexpr FamilyId kPods = family("flintgauge_tool_pods");
constexpr std::uint32_t kHasPods = 1U << 31U;  // in a set of columns
static_assert(kColumns.size() < 31);

constexpr std::size_t place(Measure measure) {
  return static_cast<std::size_t>(measure) - static_cast<std::size_t>(Measure::kKafkaReceivedBytes);
}
static_assert(std::ranges::all_of(kColumns, [](const Column& column) {
  return &column - kColumns.data() == static_cast<std::ptrdiff_t>(place(column.measure));
}));

/// A number per column; those that are not present are not known, which is not zero.
struct Numbers {
  std::array<double, kColumns.size()> value{};
  std::uint32_t present = 0;

  bool has(std::size_t column) const { return (present & (1U << column)) != 0; }
  /// What would leave the range of numbers stays out: a page may say anything.
  void add(std::size_t column, double amount) {
    if (std::isfinite(value[column] + amount)) value[column] += amount;
    present |= 1U << column;
  }
};

/// What one pod's page says of all tools.
struct Page {
  Numbers now;            ///< of the last good scrape
  Numbers last;           ///< counters as they were told last, also while the page cannot be read
  std::string cluster;    ///< of a master's or worker's page: the name of its cluster
  std::string read_from;  ///< the target that was read last
  bool is_live = false;
  bool has_been_read = false;
  SteadyTime read_at;
};

/// (namespace, target when it has no pod, pod).
using PageKey = std::tuple<std::string, std::string, std::string>;

/// One tool or one standalone cluster in one namespace.
struct Group {
  Numbers totals;  ///< counters since the agent saw the first page
  Numbers shown;
  double pods = 0;
  SteadyTime live_at;
  bool admitted = false;  ///< has series
};
/// A standalone cluster may have the name of a tool.
struct GroupKey {
  std::string namespace_name;
  bool is_cluster = false;
  std::string name;  ///< workload, or cluster
  bool operator==(const GroupKey&) const = default;
  bool operator<(const GroupKey& other) const {
    return std::tie(namespace_name, is_cluster, name) <
           std::tie(other.namespace_name, other.is_cluster, other.name);
  }
};

GroupKey group_key(const std::string& namespace_name, const Column& column, const Page& page) {
  const bool is_cluster = column.workload.empty();
  return {namespace_name, is_cluster, is_cluster ? page.cluster : std::string(column.workload)};
}

class ToolFold final : public Fold {
 public:
  ToolFold(const BudgetLimits& limits, const Now& started) : budget_(limits), started_(started) {}

  FoldCounts apply(const Target& target, const Batch& batch, const Now& now) override {
    const auto* samples = std::get_if<SampleBatch>(&batch);
    if (samples == nullptr) return {};
    Page& page = page_of(target);
    FoldCounts counts;
    page.now = {};
    page.cluster = target.workload;
    std::array<std::uint64_t, kColumns.size()> rows{};
    for (const Sample& sample : samples->samples) {
      const Route& route = samples->routes[sample.series];
      if (route.scope != Scope::kTool) continue;
      if (sample.value < 0) {  // also a lag of -1, kafka_exporter's word for not known
        ++counts.impossible;
        continue;
      }
      page.now.add(place(route.measure), sample.value);
      ++rows[place(route.measure)];
    }
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
      if (!page.now.has(column)) continue;
      Group& group = group_of(group_key(target.app.namespace_name, kColumns[column], page), now);
      (group.admitted ? counts.folded : counts.left_out) += rows[column];
      if (!is_counter(kColumns[column].measure)) continue;
      const double before = page.last.value[column];
      if (page.last.has(column) && page.now.value[column] < before) ++counts.counter_resets;
      group.totals.add(column, growth(target, page, column, now));
      page.last.value[column] = page.now.value[column];
      page.last.present |= 1U << column;
    }
    if (page.now.has(place(Measure::kWorkerExecutors))) page.now.add(place(Measure::kWorkerPods), 1);
    page.read_from = target.key;
    page.is_live = page.has_been_read = true;
    page.read_at = now.steady;
    return counts;
  }

  void drop(const Target& target, const Now& now) override {
    const auto at = pages_.find(key_of(target));
    if (at == pages_.end() || !at->second.is_live || at->second.read_from != target.key) return;
    for_each_group(at->first, at->second, [&](Group& group) { group.live_at = now.steady; });
    at->second.is_live = false;
    at->second.read_at = now.steady;
  }

  void expire(const Now& now) override {
    std::erase_if(pages_, [&](const auto& entry) {
      return !entry.second.is_live && elapsed_ms(entry.second.read_at, now.steady) > kTtlMs;
    });
    for (const auto& entry : pages_) {
      const Page& page = entry.second;
      for_each_group(entry.first, page, [&](Group& group) {
        if (page.is_live) group.live_at = now.steady;
      });
    }
    for (auto at = groups_.begin(); at != groups_.end();) {
      auto& [key, group] = *at;
      const bool is_over = elapsed_ms(group.live_at, now.steady) > kTtlMs;
      if (is_over && group.admitted) budget_.release(key.namespace_name, budget_name(key), kSeries);
      if (!is_over && !group.admitted && budget_.fits(key.namespace_name, budget_name(key), kSeries))
        group.admitted = budget_.admit(key.namespace_name, budget_name(key), kSeries);
      at = is_over ? groups_.erase(at) : std::next(at);
    }
  }

  void fill(Block& block, const Now& now) override {
    block.committed = now.steady;
    block.committed_wall = now.wall;
    budget_.write_refused(block.refused);
    const bool changed = renumber();
    list_.fill(block, changed, [this](SeriesList& out) {
      for (const auto& [key, group] : groups_) {
        if (group.admitted) add_series(out, key, group);
      }
    });
  }

  bool wants_pods() const override { return false; }

 private:
  static constexpr std::size_t kSeries = kColumns.size() + 1;

  /// What stands in for another page of the pod tells the same numbers: they are one page.
  static PageKey key_of(const Target& target) {
    const bool has_pod = !target.pod_uid.empty();
    return {target.app.namespace_name, has_pod ? std::string() : target.key, target.pod_uid};
  }

  Page& page_of(const Target& target) {
    const auto [at, added] = pages_.try_emplace(key_of(target));
    if (added) make_room(target.app.namespace_name);
    return at->second;
  }

  /// Forgets the page of the namespace that is gone for longest when there are too many.
  void make_room(const std::string& namespace_name) {
    std::size_t count = 0;
    auto oldest = pages_.end();
    for (auto at = pages_.lower_bound({namespace_name, "", ""});
         at != pages_.end() && std::get<0>(at->first) == namespace_name; ++at) {
      ++count;
      if (at->second.is_live || !at->second.has_been_read) continue;
      if (oldest == pages_.end() || at->second.read_at < oldest->second.read_at) oldest = at;
    }
    if (count > kMaxPages && oldest != pages_.end()) pages_.erase(oldest);
  }

  Group& group_of(const GroupKey& key, const Now& now) {
    const auto [at, added] = groups_.try_emplace(key);
    Group& group = at->second;
    group.live_at = now.steady;
    if (added) group.admitted = budget_.admit(key.namespace_name, budget_name(key), kSeries);
    return group;
  }

  /// The budget's "application": no pod label holds a slash.
  static std::string budget_name(const GroupKey& key) {
    return key.is_cluster ? "cluster/" + key.name : key.name;
  }

  /// A counter of a pod that is older than the agent counts from its first value on. So does one that is seen
  /// late: its page may have been read before and forgotten.
  bool counts_whole(const Target& target, const Page& page, const Now& now) const {
    if (page.has_been_read) return true;
    const std::int64_t created = target.pod_created.ms;
    return created > started_.wall.ms && now.wall.ms - created <= kTtlMs;
  }

  double growth(const Target& target, const Page& page, std::size_t column, const Now& now) const {
    const double value = page.now.value[column];
    if (!page.last.has(column)) return counts_whole(target, page, now) ? value : 0;
    const double before = page.last.value[column];
    return value >= before ? value - before : value;
  }

  /// Calls `use` with each group that a page has numbers for, once.
  template <typename Use>
  void for_each_group(const PageKey& key, const Page& page, Use use) {
    std::array<const Group*, kColumns.size()> seen{};
    std::size_t count = 0;
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
      if (!page.now.has(column)) continue;
      const auto at = groups_.find(group_key(std::get<0>(key), kColumns[column], page));
      if (at == groups_.end() ||
          std::find(seen.begin(), seen.begin() + count, &at->second) != seen.begin() + count)
        continue;
      seen[count++] = &at->second;
      use(at->second);
    }
  }

  /// Brings all numbers up to now. True when the set of series is another than last time.
  bool renumber() {
    std::vector<std::pair<GroupKey, std::uint32_t>> set;
    for (auto& [key, group] : groups_) {
      group.shown = group.totals;
      group.pods = 0;
    }
    for (const auto& [key, page] : pages_) {
      if (!page.is_live) continue;
      for_each_group(key, page, [](Group& group) { group.pods += 1; });
      for (std::size_t column = 0; column < kColumns.size(); ++column) {
        if (!page.now.has(column) || is_counter(kColumns[column].measure)) continue;
        const auto at = groups_.find(group_key(std::get<0>(key), kColumns[column], page));
        if (at != groups_.end()) at->second.shown.add(column, page.now.value[column]);
      }
    }
    for (const auto& [key, group] : groups_) {
      if (group.admitted) set.emplace_back(key, group.shown.present | (group.pods > 0 ? kHasPods : 0));
    }
    const bool changed = set != series_set_;
    series_set_ = std::move(set);
    return changed;
  }

  static void add_series(SeriesList& out, const GroupKey& key, const Group& group) {
    if (group.pods > 0 && !key.is_cluster) out.add(kPods, {key.namespace_name, key.name}, group.pods);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (!group.shown.has(i)) continue;
      const Column& column = kColumns[i];
      if (column.status.empty()) {
        out.add(column.family, {key.namespace_name, key.name}, group.shown.value[i]);
      } else {
        out.add(column.family, {key.namespace_name, key.name, column.status}, group.shown.value[i]);
      }
    }
  }

  SeriesBudget budget_;
  Now started_;
  std::map<PageKey, Page> pages_;
  std::map<GroupKey, Group> groups_;
  std::vector<std::pair<GroupKey, std::uint32_t>> series_set_;  // as listed last
  SeriesList list_;
};

}  // namespace

std::unique_ptr<Fold> make_tool_fold(const BudgetLimits& limits, const Now& started) {
  return std::make_unique<ToolFold>(limits, started);
}

}  // namespace flintgauge
