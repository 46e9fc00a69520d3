// What Spark's push sinks send: Graphite lines, StatsD datagrams, Pushgateway bodies. A push is decoded line
// by line into the latest values of one JVM's registry; whose registry it is comes from the address that
// sent (identity.h), never from the text or the path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/error.h"
#include "flintgauge/identity.h"
#include "flintgauge/time.h"

namespace flintgauge {

enum class PushProtocol : std::uint8_t { kGraphite, kStatsd, kPushgateway };
inline constexpr std::array<std::string_view, 3> kPushProtocolNames = {"graphite", "statsd", "pushgateway"};
constexpr std::string_view to_string(PushProtocol protocol) {
  return kPushProtocolNames[static_cast<std::size_t>(protocol)];
}

/// What became of one pushed line. Nothing is dropped silently: the counts of all results add up to the
/// lines that came. Keep kPushResultNames in step.
enum class PushResult : std::uint8_t {
  kKept,
  kSkipped,          ///< a name that nobody wants, or one without an application (a JVM that has no id yet)
  kSyntax,           ///< no line of the protocol
  kNotFinite,        ///< NaN, infinite, negative: the JVM cannot tell
  kLineTooLong,      ///< over kMaxPushLine, or the datagram was cut
  kIdentity,         ///< claims another application or another executor than the sender's pod
  kBudget,           ///< over the lines or bytes per second of the pod or its namespace
  kDriverElsewhere,  ///< the application's driver runs on another node, whose agent has its totals
  kDuplicate,        ///< the same series again in one body
};
inline constexpr std::array<std::string_view, 9> kPushResultNames = {
    "kept",     "skipped", "syntax",           "not_finite", "line_too_long",
    "identity", "budget",  "driver_elsewhere", "duplicate"};
inline constexpr std::size_t kPushResults = kPushResultNames.size();

using PushCounts = std::array<std::uint64_t, kPushResults>;
constexpr std::uint64_t& count_of(PushCounts& counts, PushResult result) {
  return counts[static_cast<std::size_t>(result)];
}

/// The longest real line has some 170 bytes (spark.md section 5.2).
inline constexpr std::size_t kMaxPushLine = 4096;

/// Pushed values count for so long after they were heard last.
inline constexpr std::int64_t kPushTtlMs = 5LL * 60 * 1000;

/// Who sent, from the pod list.
struct PushSender {
  AppKey app;
  Role role = Role::kExecutor;
  std::string instance;  ///< "driver", or the executor's id
  std::string pod_uid;
  bool operator==(const PushSender&) const = default;
};

/// What one sender says now, for the fold: owned, so that it can change threads.
struct PushReport {
  std::shared_ptr<const Target> target;
  bool is_over = false;  ///< the sender is gone: its values of now no longer count
  std::vector<Route> routes;
  std::vector<SeriesIndex> retired, created;
  std::vector<Sample> samples;

  SampleBatch batch() const { return {routes, retired, created, samples}; }
};

/// The latest values of one sender through one protocol. Bounded: one value for each measure that Spark's
/// registries have, whatever names are sent. One thread at a time.
class PushValues {
 public:
  virtual ~PushValues() = default;

  /// Something was taken, or grew too old, since the last report.
  virtual bool has_news(SteadyTime now) const = 0;

  /// All values that are not too old. Created and retired are relative to the report before.
  virtual PushReport report(SteadyTime now) = 0;
};

class PushDecoder : public PushValues {
 public:
  /// Takes a line without its LF (Graphite) or a datagram (StatsD), and counts what became of each of its
  /// lines.
  virtual void take(std::string_view text, SteadyTime now, PushCounts& counts) = 0;
};

/// REQUIRES: kGraphite or kStatsd.
std::unique_ptr<PushDecoder> make_push_decoder(PushProtocol protocol, PushSender sender);

/// What a Pushgateway's path names: the values that one push replaces or deletes.
struct PushGroup {
  std::vector<std::pair<std::string, std::string>> labels;  ///< by name, "job" among them; none is empty
  bool operator==(const PushGroup&) const = default;
};

inline constexpr std::size_t kMaxPushPath = 8192;
inline constexpr std::size_t kMaxPushLabels = 16;
inline constexpr std::size_t kMaxPushBody = std::size_t{1024} * 1024;

/// Reads "/metrics/job/JOB{/LABEL/VALUE}" as it stands in the request line; NAME@base64 has its value in
/// URL-safe base64. The error says what is wrong with it. Pure.
Result<PushGroup> parse_push_path(std::string_view path);

enum class PushAction : std::uint8_t { kMerge, kReplace, kForget };  ///< POST, PUT, DELETE

/// What became of a pushed body as a whole; its lines are counted one by one.
enum class PushVerdict : std::uint8_t {
  kAccepted,
  kUnknownSender,  ///< the address is not, or no more, the sender's
  kIdentity,       ///< the path names another application or executor
  kBudget,         ///< of lines or groups
  kUnreadable,     ///< no line of it could be read
};
struct PushOutcome {
  PushVerdict verdict = PushVerdict::kAccepted;
  std::string message;  ///< why not, for people
};

/// The values that one sender keeps at a Pushgateway, by group. Bounded: kGroups groups of one value for each
/// measure.
class PushGroups : public PushValues {
 public:
  static constexpr std::size_t kGroups = 8;

  /// Takes a body that `body` (made by make_push_body_decoder() for the same sender) was fed with. `fed`:
  /// what feed() said last. kForget: the body is not looked at.
  virtual PushOutcome take(const PushGroup& group, PushAction action, Decoder& body, const Status& fed,
                           SteadyTime now, PushCounts& counts) = 0;
};

std::unique_ptr<PushGroups> make_push_groups(PushSender sender);
/// Begun. Its memory is bounded by what is wanted, not by what is fed.
std::unique_ptr<Decoder> make_push_body_decoder(const PushSender& sender);

/// Sample lines of a body that was fed or finished.
constexpr std::uint64_t lines_of(const ScrapeCounts& counts) {
  return counts.kept + counts.skipped + counts.bad + counts.duplicate + counts.not_finite;
}

}  // namespace flintgauge
