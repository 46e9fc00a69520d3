// The agent's own counters: the families of the catalogue with Owner::kSelf, kept in a prometheus-cpp
// registry. Names, help and types come from the catalogue alone.
//
// All label values are closed sets or names of our own, so the number of series is bounded. Every method may
// be called from any thread; counting takes no lock and allocates nothing.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "flintgauge/catalogue.h"
#include "flintgauge/collector.h"
#include "flintgauge/error.h"
#include "flintgauge/exposition.h"
#include "flintgauge/fold.h"
#include "flintgauge/push.h"
#include "flintgauge/store.h"

namespace flintgauge {

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string compiler;
};

enum class HttpRejection : std::uint8_t { kBusy, kFraming, kHeaders, kTimeout };
inline constexpr std::array<std::string_view, 4> kHttpRejectionNames = {"busy", "framing", "headers",
                                                                        "timeout"};

enum class ClockJump : std::uint8_t { kForward, kBackward };
inline constexpr std::array<std::string_view, 2> kClockJumpNames = {"forward", "backward"};

/// Why a push was turned away before a line of it was looked at.
enum class PushRefusal : std::uint8_t {
  kUnknownPeer,  ///< no running pod of this node has the address
  kHostNetwork,  ///< the node's own address: it tells no pod
  kAmbiguous,    ///< two running pods claim the address
  kNotSpark,     ///< the pod is no JVM of a Spark application
  kConnections,
  kPodConnections,
  kTimeout,
  // Of requests to the Pushgateway.
  kRequest,   ///< path, method, framing
  kFormat,    ///< compressed, or no text
  kTooLarge,  ///< a body over kMaxPushBody
};
inline constexpr std::array<std::string_view, 10> kPushRefusalNames = {
    "unknown_peer",    "host_network", "ambiguous_address", "not_spark", "connections",
    "pod_connections", "timeout",      "request",           "format",    "too_large"};

/// Counters of what a namespace pushes through one protocol. Made by SelfMetrics::push().
class PushCounters {
 public:
  void add(const PushCounts& lines, std::uint64_t bytes) noexcept;
  void count_report() noexcept;  ///< the latest values of a sender were handed to the fold

 private:
  friend class SelfMetrics;
  std::array<prometheus::Counter*, kPushResults> lines_{};
  prometheus::Counter* bytes_ = nullptr;
  prometheus::Counter* reports_ = nullptr;
};

/// Counters of one kind of endpoint of one source. Made by SelfMetrics::endpoint().
class EndpointCounters {
 public:
  void count_scrape() noexcept;  ///< one scrape ended, good or bad
  void count_error(Reason reason) noexcept;
  void add_bytes(std::uint64_t bytes) noexcept;
  /// Of a good scrape: what the decoder counted and what the fold made of it.
  void add_samples(const ScrapeCounts& scrape, const FoldCounts& fold) noexcept;

 private:
  friend class SelfMetrics;
  static constexpr std::size_t kResults = 14;
  prometheus::Counter* scrapes_ = nullptr;
  prometheus::Counter* bytes_ = nullptr;
  prometheus::Counter* slow_lines_ = nullptr;
  prometheus::Counter* counter_resets_ = nullptr;       // of the source
  prometheus::Counter* identity_mismatches_ = nullptr;  // of the source
  std::array<prometheus::Counter*, kReasonCount> errors_{};
  std::array<prometheus::Counter*, kResults> samples_{};
};

class SelfMetrics {
 public:
  explicit SelfMetrics(const BuildInfo& build);

  /// Registers the endpoint with all known reasons at 0; the same object for the same arguments, valid as
  /// long as this one. `endpoint` is Collector::name(). Takes a lock: call once and keep the reference.
  EndpointCounters& endpoint(SourceKind source, std::string_view endpoint);

  void count_target_dropped(Reason reason) noexcept;  ///< kBlockedAddress or kLimit; others count as kLimit
  void count_token_reload() noexcept;
  void set_tls_verify_disabled(SourceKind source, bool disabled);

  /// `method` is foreign text: GET, HEAD, POST, else "other". `code` in [100, 599], else it counts as 500.
  /// Allocates when a (method, code) is counted for the first time.
  void count_http_request(std::string_view method, int code);
  void count_http_rejected(HttpRejection reason) noexcept;
  void count_clock_jump(ClockJump direction) noexcept;
  void count_history_file(std::string_view result);
  /// Totals since the start; they never fall. From one thread.
  void set_history(std::size_t jobs, std::uint64_t dropped, std::uint64_t left_out);

  /// A listener for the protocol exists: registers its counters at 0. Call before the methods below, and
  /// before there are other threads.
  void enable_push(PushProtocol protocol);
  /// The same object for the same arguments, valid as long as this one. Takes a lock: keep the reference.
  /// Namespaces after the first kPushNamespaces are counted together as "__overflow__".
  PushCounters& push(PushProtocol protocol, std::string_view namespace_name);
  void count_push_refused(PushProtocol protocol, PushRefusal reason) noexcept;
  void set_push_connections(PushProtocol protocol, std::size_t count) noexcept;
  void add_push_kernel_drops(std::uint64_t datagrams) noexcept;
  void count_push_queue_full() noexcept;
  static constexpr std::size_t kPushNamespaces = 256;

  /// The store's statistics are read whenever a page is made. It must outlive this object. Call before the
  /// first page.
  void watch_store(const Store& store) { store_ = &store; }

  /// Appends the families in catalogue order. What the kernel does not tell is left out.
  void append_page(PageFormat format, std::string& out) const;

 private:
  using CounterFamily = prometheus::Family<prometheus::Counter>;
  using GaugeFamily = prometheus::Family<prometheus::Gauge>;
  static constexpr std::size_t kMethods = 4;
  static constexpr std::size_t kFirstCode = 100, kCodes = 500;

  prometheus::Counter& counter(FamilyId id, std::initializer_list<std::string_view> label_values);
  prometheus::Gauge& gauge(FamilyId id, std::initializer_list<std::string_view> label_values);

  prometheus::Registry registry_;
  // By FamilyId; null for families of other owners and for those read at collection.
  std::array<CounterFamily*, kCatalogue.size()> counters_{};
  std::array<GaugeFamily*, kCatalogue.size()> gauges_{};

  std::mutex endpoints_mutex_;
  std::map<std::pair<SourceKind, std::string>, std::unique_ptr<EndpointCounters>> endpoints_;
  struct PushGate {
    std::array<prometheus::Counter*, kPushRefusalNames.size()> refused{};
    prometheus::Gauge* connections = nullptr;
  };
  std::array<PushGate, kPushProtocolNames.size()> push_gates_{};
  std::map<std::pair<PushProtocol, std::string>, std::unique_ptr<PushCounters>> pushes_;
  prometheus::Counter* push_kernel_drops_ = nullptr;
  prometheus::Counter* push_queue_full_ = nullptr;
  prometheus::Counter* dropped_blocked_ = nullptr;
  prometheus::Counter* dropped_limit_ = nullptr;
  prometheus::Counter* token_reloads_ = nullptr;
  std::array<prometheus::Counter*, kHttpRejectionNames.size()> http_rejected_{};
  std::array<prometheus::Counter*, kClockJumpNames.size()> clock_jumps_{};
  std::array<std::array<std::atomic<prometheus::Counter*>, kCodes>, kMethods> http_requests_{};
  const Store* store_ = nullptr;
};

}  // namespace flintgauge
