// One target over its life: its request, its decoder, when it is due, how it fared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "agent/io/http_client.h"
#include "agent/io/schedule.h"
#include "agent/io/self_metrics.h"
#include "agent/io/unchanged_body.h"
#include "flintgauge/block.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge {

/// How the requests of a source are made; the same for all its targets.
struct RequestPolicy {
  AddressRule addresses = AddressRule::kAny;
  HttpTrust trust;
  bool missing_type_ok = false;
  std::int64_t connect_timeout_ms = 2'000;
};

/// Owned by the source's thread. Knows nothing of other targets, the store or the log.
class TargetRun final : public BodySink {
 public:
  TargetRun(std::shared_ptr<const Target> target, const Collector& collector, const RequestPolicy& policy,
            EndpointCounters& counters, std::int64_t phase_ms, SteadyTime first);

  const Target& target() const { return *state_.target; }
  const TargetState& state() const { return state_; }
  Schedule& schedule() { return schedule_; }
  const Schedule& schedule() const { return schedule_; }
  HttpFetch& request() { return request_; }
  bool is_running() const { return is_running_; }

  /// Begins a scrape: the decoder is ready for bytes. Returns how long to wait for the answer.
  HttpTimes begin(SteadyTime now);

  Status take(std::string_view bytes) override;

  /// The answer was 401 and this is the first time in this scrape: ask again with a fresh token.
  bool wants_retry();

  /// Ends the scrape: commits a good body to the fold. True when the fold or the state has changed so that
  /// people should be told: see last_change().
  enum class Change : std::uint8_t { kNone, kUp, kDown, kNotOffered };
  Change finish(Fold& fold, const Now& now);

  /// Not asked now, because it would say what it said last: that is as good as an answer. REQUIRES: it is in
  /// the fold.
  void take_as_said(const Now& now);
  bool is_in_fold() const { return is_in_fold_; }

  /// The scrape is given up; nothing of it counts.
  void abandon() { is_running_ = false; }

  /// Older than its ttl, and the fold does not know yet.
  bool is_outdated(SteadyTime now) const;
  /// When is_outdated() turns true; nothing when there is nothing to outdate.
  std::optional<SteadyTime> outdated_at() const;
  /// Takes this target's data out of the fold.
  void drop_from(Fold& fold, const Now& now);
  /// As drop_from(), when the target is gone for good: whatever the fold keeps of it may go too.
  void forget_from(Fold& fold, const Now& now);
  /// Back to never asked: a stand-in that is not needed any more.
  void rest(Fold& fold, const Now& now);

  /// Its batches are pod lists (known after the first good one).
  bool gives_pods() const { return gives_pods_; }

 private:
  Status commit(Fold& fold, const Now& now);
  Change succeed(const Now& now);
  Change fail_with(Error error, const Now& now);

  TargetState state_;
  EndpointCounters& counters_;
  std::int64_t connect_timeout_ms_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<UnchangedBody> unchanged_;
  HttpFetch request_;
  Schedule schedule_;
  SteadyTime begun_;
  bool is_running_ = false;
  bool has_retried_ = false;
  int patience_left_ = 2;  // how often a server that never answered well may still use up first_timeout_ms
  std::int64_t pause_ms_ = 0;  // that the size of the last body asks for
  std::int64_t absences_ = 0;  // answers in a row that say that there is no such page, other failures between
  bool is_in_fold_ = false;
  bool was_in_fold_ = false;  // ever
  bool gives_pods_ = false;
};

}  // namespace flintgauge
