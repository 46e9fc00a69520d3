// What Spark's push sinks send: Graphite lines, StatsD datagrams. A push is decoded line
// by line into the latest values of one JVM's registry; whose registry it is comes from the address that
// sent (identity.h), never from the text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/identity.h"
#include "flintgauge/time.h"

namespace flintgauge {

enum class PushProtocol : std::uint8_t { kGraphite, kStatsd };
inline constexpr std::array<std::string_view, 2> kPushProtocolNames = {"graphite", "statsd"};
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
};
inline constexpr std::array<std::string_view, 8> kPushResultNames = {
    "kept", "skipped", "syntax", "not_finite", "line_too_long", "identity", "budget", "driver_elsewhere"};
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
class PushDecoder {
 public:
  virtual ~PushDecoder() = default;

  /// Takes a line without its LF (Graphite) or a datagram (StatsD), and counts what became of each of its
  /// lines.
  virtual void take(std::string_view text, SteadyTime now, PushCounts& counts) = 0;

  /// Something was taken, or grew too old, since the last report.
  virtual bool has_news(SteadyTime now) const = 0;

  /// All values that are not too old. Created and retired are relative to the report before.
  virtual PushReport report(SteadyTime now) = 0;
};

std::unique_ptr<PushDecoder> make_push_decoder(PushProtocol protocol, PushSender sender);

}  // namespace flintgauge
