// A collector knows one kind of endpoint: where it is and what its bytes mean. It does no I/O and keeps no
// state; what a target needs between scrapes lives in the Decoder that the collector makes for it.
//
// Life of a scrape:  begin() -> feed() for every block of bytes -> finish(); or begin() again: what came
// before is forgotten A scrape is a transaction: until finish() has returned a Batch nothing that the decoder
// says has changed.
//
// Add a collector: collectors/NAME.cc with `std::unique_ptr<Collector> make_NAME()`, one line in
// collectors/CMakeLists.txt, tests/collectors/NAME_test.cc. Nothing else changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "flintgauge/error.h"
#include "flintgauge/identity.h"
#include "flintgauge/measure.h"
#include "flintgauge/pod.h"
#include "flintgauge/spark.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Which source thread asks the endpoint and owns what it says.
enum class SourceKind : std::uint8_t { kKubelet, kSpark, kCompanions };
constexpr std::string_view to_string(SourceKind kind) {
  switch (kind) {
    case SourceKind::kKubelet:
      return "kubelet";
    case SourceKind::kSpark:
      return "spark";
    case SourceKind::kCompanions:
      return "companions";
  }
  return "";
}

enum class Expect : std::uint8_t { kText, kJson };  ///< which content types are acceptable

/// How often and how patiently an endpoint is asked. All times in milliseconds.
struct Pace {
  std::int64_t interval_ms = 10'000;
  std::int64_t timeout_ms = 10'000;  ///< total time of one request
  std::int64_t first_timeout_ms =
      10'000;  ///< for the first request to a target (a Spark driver warms up for up to 30 s)
  std::int64_t ttl_ms = 60'000;  ///< after this age without success its data count as absent
  /// A body of more bytes than its interval times this is asked for more rarely, so that it stays the most
  /// that the server has to write in a second for this page; 0: no limit.
  std::int64_t bytes_per_second = 0;
  std::int64_t retry_ms = 0;  ///< after a failure, when that is sooner than interval_ms; 0: as interval_ms
};

/// One URL to ask. Immutable once made; equal `key` = the same target in the next discovery.
struct Target {
  std::string key;        ///< unique in the process, stable: "cadvisor", "spark_stages/team-a/spark-123"
  std::string collector;  ///< Collector::name()
  std::string url;        ///< http or https, numeric host for pods
  Expect expect = Expect::kText;
  bool send_kubelet_token = false;  ///< only ever true for the own kubelet
  std::size_t body_limit = 0;       ///< decoded bytes
  Pace pace;
  AppKey app;                    ///< for Spark targets: the application of the pod that owns the address; for
                                 ///< companions only the namespace
  std::string pod_uid;           ///< for pods: the one asked
  WallTime pod_created;          ///< for companions: ms 0 = not known
  WallTime process_started;      ///< of what answers there: what is asked once is asked again of another;
                                 ///< ms 0 = makes no difference
  std::string workload;          ///< for companions: the tool that the pod's labels name, else ""
  std::size_t sample_limit = 0;  ///< for companions: wanted sample lines of one body
  /// Not empty: the pod asked, or that sends, is this executor (its label spark-exec-id), and what it says is
  /// its own registry: every sample of scope kExecutor is of this executor. The fold raises the counters that
  /// the driver's lists and stages tell of it too, it never adds them; it takes the page for no list of
  /// executors, and the pod for no driver. Counts only where the application's driver is heard as well: the
  /// totals are of the whole application, and its driver's node shows them.
  std::string executor_id;
  std::string fallback_of;  ///< key of the target this one stands in for; asked only while that one has
                            ///< failed 3 times in a row
  bool optional = false;    ///< 404 or redirect means "not offered": remembered, asked again rarely, no error
  bool only_after_news = false;  ///< not asked while Fold::has_news() is false: what it said is still so
  bool skip_unchanged =
      false;  ///< compared with the last good body; the same counts as success without decoding
};

/// Where drivers say that their PrometheusServlet is (SparkSettings::servlet_path).
using ServletPaths = std::map<AppKey, std::string>;

/// What discovery knows: the collectors turn it into targets.
struct Discovery {
  std::string kubelet_url;                            ///< "https://10.0.0.7:10250", no trailing slash
  std::shared_ptr<const PodList> pods;                ///< may be null before the first /pods
  std::shared_ptr<const ServletPaths> servlet_paths;  ///< null: no driver has told one
  bool allow_loopback = false;                        ///< addresses in 127.0.0.0/8 may be asked
  std::int64_t kubelet_interval_ms = 10'000;
  std::int64_t summary_interval_ms = 60'000;
  std::int64_t spark_interval_ms = 10'000;
  std::vector<int> own_ports;  ///< this program listens there: no annotation may send it to itself
  std::int64_t companions_interval_ms = 30'000;
  std::size_t companions_max_samples = 2'000;
};

/// A pod that asks to be read, or would be, and may not.
struct Refusal {
  std::string pod;  ///< "NAMESPACE/POD", with the address where that is the reason
  Reason reason = Reason::kConfig;
  std::string why;  ///< for people, with what would help
  auto operator<=>(const Refusal&) const = default;
};

/// Where a series goes. Made once in a series' life, from its labels. Empty strings: the row does not say.
struct Route {
  Measure measure = Measure::kCpuUsageSeconds;
  Scope scope = Scope::kContainer;
  std::string namespace_name;
  std::string pod;           ///< pod name; for Scope::kExecutor the application id that the row claims
  std::string container;     ///< container name, executor id for Scope::kExecutor, name of the query for
                             ///< Scope::kQuery; empty with a container_id:
                             ///< the page names no pod, and this may be the sandbox's id as well
  std::string container_id;  ///< bare 64-hex id
  std::string pod_uid;
  std::string
      app_id;  ///< application id that the text claims (Spark); checked against Target::app, never believed
};

using SeriesIndex = std::uint32_t;

/// One wanted sample of a finished scrape.
struct Sample {
  SeriesIndex series;         ///< place in SampleBatch::routes, stable while the series lives
  double value;               ///< finite
  std::int64_t timestamp_ms;  ///< Unix ms as the endpoint said, or kNoTimestamp
};
inline constexpr std::int64_t kNoTimestamp = INT64_MIN;

/// Nothing is dropped silently: kept + skipped + bad + duplicate + not_finite == lines that are samples.
struct ScrapeCounts {
  std::uint64_t bytes = 0;
  std::uint64_t kept = 0;
  std::uint64_t skipped = 0;     ///< families or rows that nobody wants
  std::uint64_t bad = 0;         ///< unreadable lines (only where the collector tolerates them)
  std::uint64_t duplicate = 0;   ///< the same series again in one body: the last one wins
  std::uint64_t not_finite = 0;  ///< NaN, infinite or out of range values
  std::uint64_t slow_lines = 0;  ///< lines whose place was mispredicted
  std::uint64_t new_series = 0;  ///< label sets parsed in this scrape
};

/// Samples of one body. Spans are borrowed from the decoder and valid until its next begin().
/// `created` and `retired` are applied in this order: retire, create, samples. An index may be reused after
/// it was retired.
struct SampleBatch {
  std::span<const Route> routes;  ///< by series; of the kubelet's pages only those of `created` can be read
  std::span<const SeriesIndex> retired;
  std::span<const SeriesIndex> created;
  std::span<const Sample> samples;
};

/// What one verified body said.
using Batch = std::variant<SampleBatch, std::shared_ptr<const PodList>, SparkExecutors, SparkStages,
                           SparkJobs, std::shared_ptr<const SparkSettings>, SparkAbout>;

/// State of one target between scrapes. One thread at a time.
class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Starts a scrape; forgets an unfinished one.
  virtual void begin() = 0;

  /// Takes the next bytes, split anywhere. An error ends the scrape: call begin() next.
  virtual Status feed(std::string_view bytes) = 0;

  /// REQUIRES: the transport has verified the end of the body. Error: the scrape is as if it had never been.
  virtual Result<Batch> finish() = 0;

  /// Counts of the last scrape, complete after finish().
  virtual const ScrapeCounts& counts() const = 0;
};

/// Stateless after construction: every method may run on several threads at once.
class Collector {
 public:
  virtual ~Collector() = default;
  virtual std::string_view name() const = 0;  ///< label value and configuration key, snake_case
  virtual SourceKind source() const = 0;

  /// The endpoints of this kind that exist on this node now. Pure.
  virtual std::vector<Target> targets(const Discovery& discovery) const = 0;

  /// The pods that targets() leaves out although somebody may look for them, sorted; told and counted once
  /// each. Where several collectors ask the same pods, one of them tells. Pure.
  virtual std::vector<Refusal> refusals(const Discovery& /*discovery*/) const { return {}; }

  virtual std::unique_ptr<Decoder> make_decoder(const Target& target) const = 0;
};

/// All collectors, in the order in which their targets are asked within a round (collectors/CMakeLists.txt).
std::vector<std::unique_ptr<Collector>> make_collectors();

}  // namespace flintgauge
