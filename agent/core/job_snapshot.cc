// The bytes of a history. Little-endian, without padding:
//   header  "flgauge\n", u32 version, u16 size and name of the node, u64 size of the body, u64 XXH3 of the
//   body body    u32 records; each: key, six histograms, ratio, floors, counts, recent runs, start-up
// A change of the body is another version; another version is refused, not read (docs/hints.md).
#include <xxhash.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "agent/core/job_history.h"

namespace flintgauge {
namespace {

constexpr std::string_view kMagic = "flgauge\n";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kMaxText = 253;                      // of Kubernetes' names
constexpr std::int64_t kLatestMs = 4'102'444'800'000;      // 2100: no sum of times overflows
constexpr std::int64_t kEarliestMs = -62'135'596'800'000;  // year 1, of a histogram without samples
constexpr double kMostWeight = 1e60;                       // 2^100 half-lives of more samples than there are
constexpr double kMostStartup = 600;  // Spark gives a pod up that has not registered by then
constexpr std::int64_t kMostCount = 1'000'000'000'000;

class Output {
 public:
  template <typename T>
  void whole(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_ += static_cast<char>(static_cast<unsigned char>(static_cast<std::uint64_t>(value) >> (8 * i)));
    }
  }
  void real(double value) { whole(std::bit_cast<std::uint64_t>(value)); }
  void time(WallTime value) { whole(value.ms); }
  void text(std::string_view value) {
    value = value.substr(0, kMaxText);
    whole(static_cast<std::uint16_t>(value.size()));
    bytes_ += value;
  }
  void raw(std::string_view bytes) { bytes_ += bytes; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads as long as there are bytes and values make sense; afterwards ok() is false and every value 0.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

  template <typename T>
  T whole() {
    const std::string_view bytes = raw(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return static_cast<T>(value);
  }
  /// Finite, not negative, at most `most`.
  double real(double most) {
    const auto value = std::bit_cast<double>(whole<std::uint64_t>());
    return check(value >= 0 && value <= most) ? value : 0;
  }
  std::int64_t count() {
    const auto value = whole<std::int64_t>();
    return check(value >= 0 && value <= kMostCount) ? value : 0;
  }
  WallTime time() {
    const WallTime value{whole<std::int64_t>()};
    return check(value.ms >= kEarliestMs && value.ms <= kLatestMs) ? value : WallTime{};
  }
  std::string_view text() {
    const auto size = whole<std::uint16_t>();
    return check(size <= kMaxText) ? raw(size) : std::string_view();
  }
  std::string_view raw(std::size_t size) {
    if (!check(size <= rest_.size())) return {};
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  bool check(bool holds) { return ok_ = ok_ && holds; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void write(const DecayingHistogram& histogram, Output& out) {
  const HistogramCheckpoint saved = histogram.save();
  out.time(saved.reference);
  out.real(saved.total_weight);
  out.whole(static_cast<std::uint16_t>(saved.weights.size()));
  for (const auto& [bucket, parts] : saved.weights) {
    out.whole(bucket);
    out.whole(parts);
  }
}

void read(Input& in, DecayingHistogram& histogram) {
  HistogramCheckpoint saved;
  saved.reference = in.time();
  saved.total_weight = in.real(kMostWeight);
  const auto count = in.whole<std::uint16_t>();
  if (!in.check(count <= memory_buckets().count)) return;
  saved.weights.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    const auto bucket = in.whole<std::uint16_t>();
    const auto parts = in.whole<std::uint32_t>();
    saved.weights.emplace_back(bucket, parts);
  }
  in.check(in.ok() && histogram.load(saved));
}

constexpr std::array kHistograms = {&JobRecord::heap,   &JobRecord::unified,   &JobRecord::non_heap,
                                    &JobRecord::python, &JobRecord::container, &JobRecord::cpu_cores};

void write(const JobKey& key, const JobRecord& record, Output& out) {
  out.text(key.namespace_name);
  out.text(key.job_name);
  out.whole(static_cast<std::uint8_t>(key.role));
  out.whole(key.resource_profile_id);
  for (const auto member : kHistograms) write(record.*member, out);
  out.real(record.gc.part);
  out.real(record.gc.whole);
  out.time(record.gc.at);
  for (const OomFloor* floor : {&record.heap_floor, &record.overhead_floor}) {
    out.real(floor->bytes);
    out.time(floor->at);
  }
  out.whole(record.runs);
  out.whole(record.executors);
  out.time(record.used);
  for (const std::uint64_t run : record.recent_runs) out.whole(run);
  out.whole(record.next_run);
  out.real(record.startup_seconds);
}

std::pair<JobKey, JobRecord> read(Input& in) {
  JobKey key;
  JobRecord record;
  key.namespace_name = in.text();
  key.job_name = in.text();
  const auto role = in.whole<std::uint8_t>();
  in.check(role <= static_cast<std::uint8_t>(Role::kExecutor));
  key.role = static_cast<Role>(role);
  key.resource_profile_id = in.whole<std::int64_t>();
  for (const auto member : kHistograms) read(in, record.*member);
  record.gc.part = in.real(1e15);
  record.gc.whole = in.real(1e15);
  record.gc.at = in.time();
  for (OomFloor* floor : {&record.heap_floor, &record.overhead_floor}) {
    floor->bytes = in.real(1e15);
    floor->at = in.time();
  }
  record.runs = in.count();
  record.executors = in.count();
  record.used = in.time();
  for (std::uint64_t& run : record.recent_runs) run = in.whole<std::uint64_t>();
  record.next_run = in.whole<std::uint8_t>();
  in.check(record.next_run < JobRecord::kRecentRuns);
  record.startup_seconds = in.real(kMostStartup);
  return {std::move(key), std::move(record)};
}

}  // namespace

std::string JobHistory::encode(std::string_view node) const {
  Output body;
  body.whole(static_cast<std::uint32_t>(jobs_.size()));
  for (const auto& [key, record] : jobs_) write(key, record, body);
  const std::string bytes = body.take();

  Output out;
  out.raw(kMagic);
  out.whole(kVersion);
  out.text(node);
  out.whole(static_cast<std::uint64_t>(bytes.size()));
  out.whole(XXH3_64bits(bytes.data(), bytes.size()));
  out.raw(bytes);
  return out.take();
}

std::optional<SnapshotFault> JobHistory::decode(std::string_view bytes, std::string_view node) {
  Input in(bytes);
  const std::string_view magic = in.raw(kMagic.size());
  if (!in.ok()) return SnapshotFault::kTruncated;
  if (magic != kMagic) return SnapshotFault::kDamaged;
  const auto version = in.whole<std::uint32_t>();
  if (!in.ok()) return SnapshotFault::kTruncated;
  if (version != kVersion) return SnapshotFault::kVersion;
  const std::string_view of_node = in.text();
  const auto size = in.whole<std::uint64_t>();
  const auto hash = in.whole<std::uint64_t>();
  if (!in.ok() || in.rest().size() < size) return SnapshotFault::kTruncated;
  if (in.rest().size() > size || hash != XXH3_64bits(in.rest().data(), in.rest().size()))
    return SnapshotFault::kDamaged;
  if (of_node != node.substr(0, kMaxText)) return SnapshotFault::kNode;

  const auto count = in.whole<std::uint32_t>();
  in.check(count <= kMaxJobs);
  std::map<JobKey, JobRecord> jobs;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) jobs.insert(read(in));
  if (!in.ok() || !in.rest().empty() || jobs.size() != count) return SnapshotFault::kDamaged;
  jobs_ = std::move(jobs);
  return std::nullopt;
}

}  // namespace flintgauge
