// The kubelet's /stats/summary: what /metrics/cadvisor lacks. Local disk of pods, the node's file system, the
// node's CPU and memory where the runtime feeds /metrics/cadvisor and its root row is missing, and the
// default interface of pods for kubelets whose page has no network rows (the fold decides whether it is
// needed), volumes that are claims. Containers are left out: /metrics/cadvisor has them, more often. Format:
// kubelet pkg/apis/stats/v1alpha1.
#include <array>
#include <string>
#include <vector>

#include "collectors/common/json_decoder.h"
#include "collectors/common/kubelet_target.h"
#include "collectors/common/rfc3339.h"
#include "collectors/common/text_series.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

using json::Kind;
using json::Verdict;

constexpr std::int64_t kTimeoutMs = 10'000;  // the kubelet walks volumes for it
constexpr std::size_t kMaxPods = 10'000;
constexpr std::size_t kMaxClaims = 10'000;  // of all pods
constexpr double kNanosPerSecond = 1e9;

enum class Field : std::uint8_t {
  kNode,
  kPods,
  kPod,
  kPodName,
  kPodNamespace,
  kPodUid,
  kVolume,
  kClaim,
  kNodeCpuTime,  // a time belongs to the readings of its object
  kNodeMemoryTime,
  kNodeFsTime,
  kStorageTime,
  kNetworkTime,
  kVolumeTime,
  kNodeCpu,  // readings, in the order of kReadings
  kNodeMemory,
  kNodeFsCapacity,
  kNodeFsAvailable,
  kStorage,
  kReceiveBytes,
  kTransmitBytes,
  kReceiveErrors,
  kTransmitErrors,
  kVolumeUsage,
  kVolumeCapacity,
};
constexpr auto kFirstReading = static_cast<std::size_t>(Field::kNodeCpu);

struct Reading {
  Field time;
  Scope scope;
  Measure measure;
  double unit = 1;
};
constexpr auto kReadings = std::to_array<Reading>({
    {Field::kNodeCpuTime, Scope::kNode, Measure::kCpuUsageSeconds, kNanosPerSecond},
    {Field::kNodeMemoryTime, Scope::kNode, Measure::kMemoryWorkingSetBytes},
    {Field::kNodeFsTime, Scope::kNode, Measure::kNodeFsCapacityBytes},
    {Field::kNodeFsTime, Scope::kNode, Measure::kNodeFsAvailableBytes},
    {Field::kStorageTime, Scope::kPod, Measure::kEphemeralStorageBytes},
    {Field::kNetworkTime, Scope::kSandbox, Measure::kNetworkReceiveBytes},
    {Field::kNetworkTime, Scope::kSandbox, Measure::kNetworkTransmitBytes},
    {Field::kNetworkTime, Scope::kSandbox, Measure::kNetworkReceiveErrors},
    {Field::kNetworkTime, Scope::kSandbox, Measure::kNetworkTransmitErrors},
    {Field::kVolumeTime, Scope::kVolume, Measure::kVolumeUsageBytes},
    {Field::kVolumeTime, Scope::kVolume, Measure::kVolumeCapacityBytes},
});
constexpr std::size_t kTimes = static_cast<std::size_t>(Field::kVolumeTime) + 1;
constexpr std::size_t kFirstOfVolume = static_cast<std::size_t>(Field::kVolumeUsage) - kFirstReading;

json::Paths make_paths() {
  json::Paths paths;
  paths.want("node", Kind::kObject, Field::kNode);
  paths.want("node.cpu.time", Kind::kString, Field::kNodeCpuTime);
  paths.want("node.cpu.usageCoreNanoSeconds", Kind::kNumber, Field::kNodeCpu);
  paths.want("node.memory.time", Kind::kString, Field::kNodeMemoryTime);
  paths.want("node.memory.workingSetBytes", Kind::kNumber, Field::kNodeMemory);
  paths.want("node.fs.time", Kind::kString, Field::kNodeFsTime);
  paths.want("node.fs.capacityBytes", Kind::kNumber, Field::kNodeFsCapacity);
  paths.want("node.fs.availableBytes", Kind::kNumber, Field::kNodeFsAvailable);
  paths.want("pods", Kind::kArray, Field::kPods);
  paths.want("pods[]", Kind::kObject, Field::kPod);
  paths.want("pods[].podRef.name", Kind::kString, Field::kPodName);
  paths.want("pods[].podRef.namespace", Kind::kString, Field::kPodNamespace);
  paths.want("pods[].podRef.uid", Kind::kString, Field::kPodUid);
  paths.want("pods[].ephemeral-storage.time", Kind::kString, Field::kStorageTime);
  paths.want("pods[].ephemeral-storage.usedBytes", Kind::kNumber, Field::kStorage);
  // The default interface stands beside the list of all, which has it again.
  paths.want("pods[].network.time", Kind::kString, Field::kNetworkTime);
  paths.want("pods[].network.rxBytes", Kind::kNumber, Field::kReceiveBytes);
  paths.want("pods[].network.txBytes", Kind::kNumber, Field::kTransmitBytes);
  paths.want("pods[].network.rxErrors", Kind::kNumber, Field::kReceiveErrors);
  paths.want("pods[].network.txErrors", Kind::kNumber, Field::kTransmitErrors);
  paths.want("pods[].volume[]", Kind::kObject, Field::kVolume);
  paths.want("pods[].volume[].time", Kind::kString, Field::kVolumeTime);
  paths.want("pods[].volume[].pvcRef.name", Kind::kString, Field::kClaim);
  paths.want("pods[].volume[].usedBytes", Kind::kNumber, Field::kVolumeUsage);
  paths.want("pods[].volume[].capacityBytes", Kind::kNumber, Field::kVolumeCapacity);
  return paths;
}

const json::Paths& paths() {
  static const json::Paths kPaths = make_paths();
  return kPaths;
}

/// Series are kept under a text of our own making: what, then who.
class SummaryDecoder final : public JsonDecoder, private json::Visitor {
 public:
  explicit SummaryDecoder(std::size_t body_limit)
      : JsonDecoder(paths(), *this, body_limit), series_(hash_seed(this), KeepRoutes::kUntilRead) {}

 private:
  struct Value {
    double number = 0;
    bool stated = false;
  };
  struct Volume {
    std::string claim;
    std::array<Value, 2> values;  // used, capacity
    std::int64_t time = kNoTimestamp;
  };

  void clear() override {
    series_.reset();
    is_summary_ = false;
    pods_ = 0;
    claims_seen_ = 0;
    repeated_ = 0;
    forget();
  }

  /// In place: the strings keep their room for the next pod.
  void forget() {
    route_.namespace_name.clear();
    route_.pod.clear();
    route_.pod_uid.clear();
    claims_ = 0;
    forget_volume();
    values_.fill({});
    times_.fill(kNoTimestamp);
  }

  void forget_volume() {
    claim_.clear();
    values_[kFirstOfVolume] = values_[kFirstOfVolume + 1] = {};
    times_[static_cast<std::size_t>(Field::kVolumeTime)] = kNoTimestamp;
  }

  void open(int id) override {
    is_summary_ = true;
    if (static_cast<Field>(id) == Field::kVolume) return forget_volume();
    if (static_cast<Field>(id) != Field::kPods) forget();
  }

  void close(int id) override {
    if (static_cast<Field>(id) == Field::kPods) return;
    if (static_cast<Field>(id) == Field::kVolume) return end_volume();
    if (static_cast<Field>(id) == Field::kPod && ++pods_ > kMaxPods) return;
    forget_volume();  // what is left belongs to no claim
    for (std::size_t i = 0; i < kReadings.size(); ++i) {
      if (values_[i].stated) take(kReadings[i], values_[i].number);
    }
    take_claims();
    forget();
  }

  /// Who the pod is may stand behind its volumes: they wait for its end.
  void end_volume() {
    if (claim_.empty() || ++claims_seen_ > kMaxClaims) return;
    if (claims_ == volumes_.size()) volumes_.emplace_back();
    Volume& volume = volumes_[claims_++];
    volume.claim = claim_;
    for (std::size_t i = 0; i < volume.values.size(); ++i) volume.values[i] = values_[kFirstOfVolume + i];
    volume.time = times_[static_cast<std::size_t>(Field::kVolumeTime)];
  }

  void take_claims() {
    for (std::size_t i = 0; i < claims_; ++i) {
      const Volume& volume = volumes_[i];
      route_.container = volume.claim;
      times_[static_cast<std::size_t>(Field::kVolumeTime)] = volume.time;
      for (std::size_t j = 0; j < volume.values.size(); ++j) {
        if (volume.values[j].stated) take(kReadings[kFirstOfVolume + j], volume.values[j].number);
      }
    }
    route_.container.clear();
  }

  Verdict value(int id, const json::Value& value) override {
    const auto place = static_cast<std::size_t>(id);
    if (place >= kFirstReading) return take_number(place - kFirstReading, value.number);
    switch (static_cast<Field>(id)) {
      case Field::kPodName:
        route_.pod = value.text;
        return Verdict::kKept;
      case Field::kPodNamespace:
        route_.namespace_name = value.text;
        return Verdict::kKept;
      case Field::kPodUid:
        route_.pod_uid = value.text;
        return Verdict::kKept;
      case Field::kClaim:
        claim_ = value.text;
        return Verdict::kKept;
      default:
        break;  // times
    }
    const auto time = parse_rfc3339(value.text);
    if (!time) return Verdict::kBad;
    times_[place] = time->ms;
    return Verdict::kKept;
  }

  Verdict take_number(std::size_t reading, double number) {
    // Unsigned 64-bit numbers that an underflow made huge are known (kubelet-cadvisor.md section 7).
    constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;
    if (number < 0 || number >= kTwoTo63) return Verdict::kNotFinite;
    values_[reading] = {number / kReadings[reading].unit, true};
    return Verdict::kKept;
  }

  void take(const Reading& reading, double number) {
    route_.scope = reading.scope;
    route_.measure = reading.measure;
    static constexpr std::size_t kKeyHead = 2;  // bytes of what; a pod's other readings share the rest
    key_.assign(1, static_cast<char>(reading.scope));
    key_ += static_cast<char>(reading.measure);
    for (const std::string* part :
         {&route_.namespace_name, &route_.pod, &route_.pod_uid, &route_.container}) {
      key_ += *part;
      key_ += '\0';
    }
    const TextKey key = series_.key(key_, kKeyHead);
    TextId text = series_.find(key);
    if (text == kNone) text = series_.add(key, {}, std::optional(route_));
    if (text == kNone) return;  // 4 GiB of names: the body limit comes first
    series_.see(text);
    const std::int64_t time = times_[static_cast<std::size_t>(reading.time)];
    if (!series_.take(series_.text(text).series, number, time)) ++repeated_;
  }

  Result<Batch> batch(ScrapeCounts& counts) override {
    if (!is_summary_) return fail(Reason::kJson, "no stats summary: it has neither \"node\" nor \"pods\"");
    if (pods_ > kMaxPods)
      return fail(Reason::kLimit, "summary of over " + std::to_string(kMaxPods) + " pods");
    if (claims_seen_ > kMaxClaims)
      return fail(Reason::kLimit, "summary of over " + std::to_string(kMaxClaims) + " volume claims");
    series_.commit();
    const SampleBatch batch = series_.batch();
    counts.kept -= repeated_;
    counts.duplicate += repeated_;
    counts.new_series = batch.created.size();
    return Batch(batch);
  }

  SeriesTable series_;
  bool is_summary_ = false;
  std::size_t pods_ = 0;
  std::size_t claims_seen_ = 0;  // of all pods
  std::size_t repeated_ = 0;     // the same pod or claim again
  // Of the object being read: the node or one pod.
  Route route_;
  std::array<Value, kReadings.size()> values_{};
  std::array<std::int64_t, kTimes> times_{};
  std::string claim_;            // of the volume being read
  std::vector<Volume> volumes_;  // of the pod being read: the first claims_; the others are room
  std::size_t claims_ = 0;
  std::string key_;
};

class KubeletSummary final : public Collector {
 public:
  std::string_view name() const override { return "kubelet_summary"; }
  SourceKind source() const override { return SourceKind::kKubelet; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    return {kubelet_target(discovery, name(), "/stats/summary", Expect::kJson, discovery.summary_interval_ms,
                           kTimeoutMs)};
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    return std::make_unique<SummaryDecoder>(target.body_limit);
  }
};

}  // namespace

std::unique_ptr<Collector> make_kubelet_summary() { return std::make_unique<KubeletSummary>(); }

}  // namespace flintgauge
