// Takes what was pushed, whatever the transport: finds out whose it is by the address that sent, holds each
// tenant to its budget, decodes, and hands finished reports on. Knows no sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/io/push_budget.h"
#include "agent/io/push_queue.h"
#include "agent/io/self_metrics.h"
#include "flintgauge/config.h"
#include "flintgauge/identity.h"
#include "flintgauge/push.h"

namespace flintgauge {

/// Every method may be called from any thread. Bounded by the pod list: one sender for each Spark pod that
/// has pushed, one namespace's budget for each of theirs.
class PushDesk {
 public:
  /// The queue and the metrics outlive the desk.
  PushDesk(PushConfig limits, PushQueue& queue, SelfMetrics& metrics);

  /// From now on these pods have addresses. Senders that are not among them are over.
  void set_pods(const std::shared_ptr<const PodList>& pods);

  /// May the owner of the address push? A refusal is counted.
  bool admit(std::string_view address, PushProtocol protocol, SteadyTime now);

  /// Bytes that may be read from the address now; 0: later. Counts nothing.
  std::size_t allowance(std::string_view address, SteadyTime now);

  /// Takes lines (or datagrams) that came from the address in `bytes` bytes. False when the address is
  /// nobody's any more: that is counted, the lines are not.
  bool take(std::string_view address, PushProtocol protocol, std::span<const std::string_view> lines,
            std::size_t bytes, SteadyTime now);

  /// Whose address it is; nothing, and the refusal counted, when it is nobody's.
  std::optional<PushSender> sender_at(std::string_view address, PushProtocol protocol, SteadyTime now);

  /// Bytes of a body, as they come. False when the address is nobody's any more.
  bool charge(std::string_view address, PushProtocol protocol, std::size_t bytes, SteadyTime now);

  /// A whole body for a Pushgateway, which `body` was fed with; see PushGroups::take(). `who`: as sender_at()
  /// said before it came.
  PushOutcome take_body(std::string_view address, const PushSender& who, const PushGroup& group,
                        PushAction action, Decoder& body, const Status& fed, SteadyTime now);

  /// A line that cannot be given to take().
  void count(std::string_view address, PushProtocol protocol, PushResult result, SteadyTime now);

  /// Hands on the reports of all that have news. True when there were any.
  bool flush(SteadyTime now);

 private:
  struct Budget {
    TokenBucket lines, bytes;
    Budget(std::size_t lines_per_second, std::int64_t bytes_per_second, SteadyTime now)
        : lines(static_cast<double>(lines_per_second), now),
          bytes(static_cast<double>(bytes_per_second), now) {}
  };
  struct Sender {
    PushSender who;
    bool has_driver = false;  ///< the application's driver runs on this node
    Budget budget;
    Budget* of_namespace = nullptr;
    std::array<std::unique_ptr<PushDecoder>, kPushProtocolNames.size()> decoders;  ///< of lines
    std::unique_ptr<PushGroups> groups;                                            ///< of a Pushgateway

    /// Null when nothing came by the protocol.
    PushValues* values(PushProtocol protocol) const {
      if (protocol == PushProtocol::kPushgateway) return groups.get();
      return decoders[static_cast<std::size_t>(protocol)].get();
    }
    std::array<PushCounters*, kPushProtocolNames.size()> counters{};
  };

  Sender* find(std::string_view address, PushProtocol protocol, SteadyTime now);
  Sender* sender_of(std::string_view address, SteadyTime now, PushRefusal& refusal);
  Sender& make_sender(const Pod& pod, PushSender who, SteadyTime now);
  PushCounters& counters_of(Sender& sender, PushProtocol protocol);
  void end(Sender& sender);

  PushConfig limits_;
  PushQueue& queue_;
  SelfMetrics& metrics_;
  std::mutex mutex_;  // of everything below
  std::optional<PodAddresses> addresses_;
  std::map<std::string, Budget, std::less<>> namespaces_;
  std::map<std::string, Sender, std::less<>> senders_;   // by pod uid
  std::unordered_map<std::string, Sender*> of_address_;  // those found since set_pods()
  std::vector<PushReport> over_;                         // of senders that are gone, not handed on yet
};

}  // namespace flintgauge
