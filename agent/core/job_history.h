// What is remembered of a job's executors beyond one run of it, and the bytes in which it survives the agent.
// Pure: no clock, no file. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/decaying_histogram.h"
#include "flintgauge/hint_vertical.h"
#include "flintgauge/identity.h"
#include "flintgauge/time.h"

namespace flintgauge {

/// Not the application's id, which is another one in every run.
struct JobKey {
  std::string namespace_name;
  std::string job_name;  ///< PodIdentity::job_name; no name is longer than 253 bytes
  Role role = Role::kExecutor;
  std::int64_t resource_profile_id = 0;
  auto operator<=>(const JobKey&) const = default;
};

/// The ratio of two sums that lose half of their weight in a day.
struct DecayingRatio {
  double part = 0, whole = 0;
  WallTime at;

  void add(double part_more, double whole_more, WallTime now);
  /// Absent before anything was added.
  std::optional<double> value() const;
};

/// The least that an out-of-memory error proved too little, for seven days.
struct OomFloor {
  static constexpr std::int64_t kHoldMs = 7 * kDayMs;

  double bytes = 0;
  WallTime at;

  /// The larger one counts while it holds; the same one again holds anew.
  void raise(double to_bytes, WallTime now);
  double value(WallTime now) const { return bytes > 0 && now.ms - at.ms < kHoldMs ? bytes : 0; }
};

struct JobRecord {
  DecayingHistogram heap{memory_buckets()}, unified{memory_buckets()}, non_heap{memory_buckets()},
      python{memory_buckets()}, container{memory_buckets()}, cpu_cores{cpu_buckets()};
  DecayingRatio gc;
  OomFloor heap_floor, overhead_floor;
  std::int64_t runs = 0, executors = 0;  ///< that were seen
  double startup_seconds = 0;            ///< of its executors: the last median; 0 = never measured
  WallTime used;

  /// Counts the run once, whoever tells of it and across restarts: the last kRecentRuns are known. More runs
  /// of a job at the same time are counted again and again.
  void note_run(std::string_view app_id);

  static constexpr std::size_t kRecentRuns = 16;
  std::array<std::uint64_t, kRecentRuns> recent_runs{};  ///< hashes of application ids; 0 = none
  std::uint8_t next_run = 0;                             ///< the place that is written next
};

/// Why bytes are no history of ours. Closed set.
enum class SnapshotFault : std::uint8_t { kTruncated, kDamaged, kVersion, kNode };
inline constexpr std::array<std::string_view, 4> kSnapshotFaultNames = {"truncated", "damaged", "version",
                                                                        "node"};

class JobHistory {
 public:
  /// 200 applications of three resource profiles with their drivers are 800. 9.3 KB each when every
  /// histogram is in use, and at most 7.5 KB in the snapshot.
  static constexpr std::size_t kMaxJobs = 1'000;
  static constexpr std::size_t kMaxSnapshotBytes = std::size_t{8} * 1024 * 1024;

  /// The record of the job; made when it is new. With kMaxJobs the one that was not used for longest goes, of
  /// the namespace that has most: a tenant of many names loses its own.
  JobRecord& use(const JobKey& key, WallTime now);
  const JobRecord* find(const JobKey& key) const;
  std::size_t size() const { return jobs_.size(); }
  std::uint64_t dropped() const { return dropped_; }
  WallTime newest() const;  ///< use of any record; ms 0 = none

  /// All records as bytes: version, node, length, checksum, records.
  std::string encode(std::string_view node) const;
  /// Replaces all records by those of encode(node). On a fault nothing has changed.
  std::optional<SnapshotFault> decode(std::string_view bytes, std::string_view node);

 private:
  void drop_one();

  std::map<JobKey, JobRecord> jobs_;
  std::uint64_t dropped_ = 0;
};

}  // namespace flintgauge
