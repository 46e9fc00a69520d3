// Pages of tools beside Spark, in pods annotated for scraping (prometheus.io/scrape, port, path, scheme):
// Kafka brokers and kafka_exporter, JupyterHub and notebook servers, Zeppelin. Only a short list of numbers
// is wanted of each; everything else on the page is passed over by name.
//
// Names, as their makers write them:
//   Kafka brokers: MBeans kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec (also with topic=...) and
//     kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions through Prometheus' JMX exporter. Its
//     rules for Kafka (prometheus/jmx_exporter examples/kafka-2_0_0.yml and kafka-kraft-3_0_0.yml, taken over
//     by Strimzi) give kafka_server_brokertopicmetrics_bytesin_total and
//     kafka_server_replicamanager_underreplicatedpartitions; without rules they are
//     kafka_server_BrokerTopicMetrics_Count{name="BytesInPerSec"} and
//     kafka_server_ReplicaManager_Value{name=...}. Others differ in case, underscores, and in leaving
//     "PerSec" or "Count" in the name.
//   kafka_exporter: kafka_consumergroup_lag{consumergroup,topic,partition}; -1 where a group has no offset.
//   JupyterHub from 1.3 (jupyterhub/metrics.py): jupyterhub_running_servers,
//     jupyterhub_server_spawn_duration_seconds{status}, with a label reason from 6.0.
//   Notebook and Jupyter Server (jupyter_server/prometheus/metrics.py): kernel_currently_running_total{type},
//     which is a gauge.
//   Zeppelin from 0.10 with zeppelin.metric.enable.prometheus (InterpreterSettingManager.java,
//     ConnectionManager.java): interpreter_group_size{name,group}, zeppelin_connected_sockets. It has no
//     number of running paragraphs.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/companion_target.h"
#include "collectors/common/spark_target.h"
#include "collectors/common/text_decoder.h"
#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

constexpr std::size_t kMaxPath = 256;
/// Passing over a line costs next to nothing and keeps nothing: a broker without rules has 10^4 of them.
constexpr std::size_t kMaxLines = 200'000;
constexpr std::size_t kMaxWantedLine = 512;

struct Wanted {
  std::string_view name;
  Measure measure;
};

constexpr auto kWanted = std::to_array<Wanted>({
    {"interpreter_group_size", Measure::kZeppelinInterpreterGroups},
    {"jupyterhub_running_servers", Measure::kJupyterRunningServers},
    {"jupyterhub_server_spawn_duration_seconds_count", Measure::kJupyterSpawns},
    {"jupyterhub_server_spawn_duration_seconds_sum", Measure::kJupyterSpawnSeconds},
    {"kafka_consumergroup_lag", Measure::kKafkaConsumerLag},
    {"kernel_currently_running_total", Measure::kJupyterRunningKernels},
    {"zeppelin_connected_sockets", Measure::kZeppelinConnections},
});

/// What follows kafka_server_, in lower case, without underscores and without the words that say only how the
/// number was read. Where it names no attribute, the label `name` does.
constexpr auto kWantedOfBrokers = std::to_array<Wanted>({
    {"brokertopicmetrics", Measure::kKafkaReceivedBytes},
    {"brokertopicmetricsbytesin", Measure::kKafkaReceivedBytes},
    {"brokertopicmetricsbytesout", Measure::kKafkaSentBytes},
    {"brokertopicmetricsmessagesin", Measure::kKafkaReceivedMessages},
    {"replicamanager", Measure::kKafkaUnderReplicatedPartitions},
    {"replicamanagerunderreplicatedpartitions", Measure::kKafkaUnderReplicatedPartitions},
});
constexpr auto kByLabel = std::to_array<Wanted>({
    {"BytesInPerSec", Measure::kKafkaReceivedBytes},
    {"BytesOutPerSec", Measure::kKafkaSentBytes},
    {"MessagesInPerSec", Measure::kKafkaReceivedMessages},
    {"UnderReplicatedPartitions", Measure::kKafkaUnderReplicatedPartitions},
});

std::optional<Measure> find(std::span<const Wanted> wanted, std::string_view name) {
  const auto found = std::ranges::find(wanted, name, &Wanted::name);
  if (found == wanted.end()) return std::nullopt;
  return found->measure;
}

std::optional<Measure> measure_of_broker(std::string_view name) {
  std::array<char, 64> folded{};
  std::size_t size = 0;
  for (const char c : name) {
    if (c == '_') continue;
    if (size == folded.size()) return std::nullopt;
    folded[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::string_view word(folded.data(), size);
  const auto ends_in = [&word](std::string_view ending) {
    if (!word.ends_with(ending)) return false;
    word.remove_suffix(ending.size());
    return true;
  };
  const bool is_count = ends_in("total") || ends_in("count");  // a counter's, not a rate's
  if (!is_count) ends_in("value");
  ends_in("persec");
  const std::optional<Measure> measure = find(kWantedOfBrokers, word);
  return measure && is_counter(*measure) == is_count ? measure : std::nullopt;
}

std::optional<Measure> measure_of(std::string_view name) {
  constexpr std::string_view kOfBrokers = "kafka_server_";
  if (name.starts_with(kOfBrokers)) return measure_of_broker(name.substr(kOfBrokers.size()));
  return find(kWanted, name);
}

std::string_view tool_of(Measure measure) {
  switch (measure) {
    case Measure::kJupyterSpawns:
    case Measure::kJupyterSpawnsFailed:
    case Measure::kJupyterSpawnSeconds:
    case Measure::kJupyterRunningServers:
    case Measure::kJupyterRunningKernels:
      return "jupyter";
    case Measure::kZeppelinInterpreterGroups:
    case Measure::kZeppelinConnections:
      return "zeppelin";
    default:
      return "kafka";
  }
}

/// Rows per topic repeat the broker's total.
std::optional<Measure> measure_of_broker_row(Measure measure, std::span<const Label> labels) {
  if (!find_label(labels, "topic").empty()) return std::nullopt;
  const std::string_view attribute = find_label(labels, "name");
  if (attribute.empty()) return measure;
  const std::optional<Measure> named = find(kByLabel, attribute);
  return named && is_counter(*named) == is_counter(measure) ? named : std::nullopt;
}

std::optional<Measure> measure_of_spawn(Measure measure, std::span<const Label> labels) {
  const std::string_view status = find_label(labels, "status");
  if (status == "success") return measure;
  // Starts that were refused (throttled, already-pending, too-many-users) are no failures; from JupyterHub 6
  // on they are told apart by a reason.
  const bool has_failed = (status == "failure" || status == "error") && find_label(labels, "reason").empty();
  if (has_failed && measure == Measure::kJupyterSpawns) return Measure::kJupyterSpawnsFailed;
  return std::nullopt;
}

std::optional<Measure> measure_of_row(Measure measure, std::span<const Label> labels) {
  switch (measure) {
    case Measure::kKafkaReceivedBytes:
    case Measure::kKafkaSentBytes:
    case Measure::kKafkaReceivedMessages:
    case Measure::kKafkaUnderReplicatedPartitions:
      return measure_of_broker_row(measure, labels);
    case Measure::kJupyterSpawns:
    case Measure::kJupyterSpawnSeconds:
      return measure_of_spawn(measure, labels);
    default:
      return measure;
  }
}

std::optional<Route> route_of(Measure measure, std::span<const Label> labels) {
  const std::optional<Measure> wanted = measure_of_row(measure, labels);
  if (!wanted) return std::nullopt;
  Route route;
  route.measure = *wanted;
  route.scope = Scope::kTool;
  return route;
}

/// "/metrics" without an annotation; "" when it is nothing that may be asked for.
std::string_view path_of(const Pod& pod) {
  const std::string_view path = pod.annotation("prometheus.io/path");
  if (path.empty()) return "/metrics";
  const bool is_path = path.front() == '/' && path.size() <= kMaxPath &&
                       std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
  return is_path ? path : std::string_view();
}

/// The URL of the page, or why the pod has none that may be asked.
tl::expected<std::string, Refusal> url_of(const Pod& pod, const Discovery& discovery) {
  const auto refuse = [&pod](Reason reason, std::string_view why) {
    return tl::unexpected(
        Refusal{pod.namespace_name + '/' + pod.name, reason, "annotated pod not asked: " + std::string(why)});
  };
  const std::string_view scheme = pod.annotation("prometheus.io/scheme");
  if (!scheme.empty() && scheme != "http")
    return refuse(Reason::kConfig, "prometheus.io/scheme is not http, and no CA is known for pods");
  const int port = allowed_port(pod.annotation("prometheus.io/port"), discovery.own_ports);
  if (port == 0)
    return refuse(Reason::kConfig, "prometheus.io/port is missing or no port that a tenant may name");
  const std::string_view path = path_of(pod);
  if (path.empty()) return refuse(Reason::kConfig, "prometheus.io/path is no path");
  const std::string host = companion_host(pod, discovery);
  if (host.empty()) return refuse(Reason::kBlockedAddress, "no address of its own");
  return "http://" + host + ":" + std::to_string(port) + std::string(path);
}

/// kube-system and its like belong to no tenant; what Spark pods say is asked for by the Spark collectors.
bool is_companion(const Pod& pod) {
  return pod.phase == Phase::kRunning && !pod.ips.empty() &&
         pod.annotation("prometheus.io/scrape") == "true" && !pod.namespace_name.starts_with("kube-") &&
         identify(pod).workload != "spark";
}

Target target_of(const Pod& pod, std::string url, const Discovery& discovery) {
  Target target = companion_target(pod, discovery, "companion_page", std::move(url), Expect::kText);
  target.sample_limit = discovery.companions_max_samples;
  if (const std::string_view workload = identify(pod).workload; workload != "other")
    target.workload = workload;
  return target;
}

class CompanionPage final : public Collector {
 public:
  std::string_view name() const override { return "companion_page"; }
  SourceKind source() const override { return SourceKind::kCompanions; }

  /// The oldest first: where a namespace has more than are asked, a new pod puts no other out.
  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    if (discovery.pods == nullptr) return targets;
    for (const Pod& pod : discovery.pods->pods) {
      if (!is_companion(pod)) continue;
      if (auto url = url_of(pod, discovery)) targets.push_back(target_of(pod, *std::move(url), discovery));
    }
    std::ranges::sort(targets, {}, [](const Target& target) {
      return std::pair(target.pod_created.ms, std::string_view(target.key));
    });
    return targets;
  }

  std::vector<Refusal> refusals(const Discovery& discovery) const override {
    std::vector<Refusal> refusals;
    if (discovery.pods == nullptr) return refusals;
    for (const Pod& pod : discovery.pods->pods) {
      if (!is_companion(pod)) continue;
      if (auto url = url_of(pod, discovery); !url) refusals.push_back(std::move(url.error()));
    }
    std::ranges::sort(refusals);
    return refusals;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    TextPage page{.measure = measure_of, .route = route_of, .limits = kTenantTextLimits, .lenient = true};
    page.limits.samples = kMaxLines;
    page.limits.wanted_lines = target.sample_limit;
    page.limits.wanted_line_size = kMaxWantedLine;
    if (!target.workload.empty()) {
      // Labels that name a tool are believed: what else the page says is not this pod's business.
      page.measure = [tool = target.workload](std::string_view metric_name) {
        const std::optional<Measure> measure = measure_of(metric_name);
        return measure && tool_of(*measure) == tool ? measure : std::nullopt;
      };
    }
    return make_text_decoder(std::move(page));
  }
};

}  // namespace

std::unique_ptr<Collector> make_companion_page() { return std::make_unique<CompanionPage>(); }

}  // namespace flintgauge
