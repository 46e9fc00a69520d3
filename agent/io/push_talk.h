// What is said over one connection of a pusher: Graphite's lines, or a request to the Pushgateway. Knows no
// sockets; the bytes go to the desk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/io/push_desk.h"
#include "agent/io/push_request.h"
#include "agent/io/self_metrics.h"
#include "flintgauge/push.h"

namespace flintgauge {

/// What follows from bytes that came.
struct PushStep {
  enum class Next : std::uint8_t {
    kMore,
    kClose,
    kAnswered  ///< nothing more is read of it, but the peer is given time to read
  };
  Next next = Next::kMore;
  std::string answer = {};  ///< to be sent now; short
};

/// One thread at a time.
class PushTalk {
 public:
  virtual ~PushTalk() = default;
  virtual PushStep take(std::string_view bytes, SteadyTime now) = 0;
  /// The peer has sent all it had.
  virtual void end(SteadyTime now) = 0;
  /// What to say to a peer that took too long; may be empty.
  virtual std::string late() const = 0;
};

class GraphiteTalk final : public PushTalk {
 public:
  GraphiteTalk(PushDesk& desk, std::string peer) : desk_(desk), peer_(std::move(peer)) {}
  PushStep take(std::string_view bytes, SteadyTime now) override;
  void end(SteadyTime now) override;
  std::string late() const override { return {}; }

 private:
  PushDesk& desk_;
  std::string peer_;
  std::string carry_;  // the beginning of a line, at most kMaxPushLine bytes
  std::vector<std::string_view> lines_;
};

class GatewayTalk final : public PushTalk {
 public:
  GatewayTalk(PushDesk& desk, SelfMetrics& metrics, std::string peer, PushSender who)
      : desk_(desk), metrics_(metrics), peer_(std::move(peer)), who_(std::move(who)) {}
  PushStep take(std::string_view bytes, SteadyTime now) override;
  void end(SteadyTime /*now*/) override { metrics_.count_push_refused(kProtocol, PushRefusal::kRequest); }
  std::string late() const override;

  /// The same words whatever the reason: a refusal tells nobody which addresses or applications exist.
  static std::string forbidden();

 private:
  static constexpr auto kProtocol = PushProtocol::kPushgateway;
  std::optional<PushStep> open();
  PushStep close(SteadyTime now);
  PushStep refuse(PushRefusal reason, const PushAnswer& answer);

  PushDesk& desk_;
  SelfMetrics& metrics_;
  std::string peer_;
  PushSender who_;
  PushRequest request_;
  std::optional<PushGroup> group_;  // once the head is good
  std::unique_ptr<Decoder> body_;
  Status fed_;
  std::size_t left_ = 0;  // bytes of the body
};

}  // namespace flintgauge
