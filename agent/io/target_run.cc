#include "agent/io/target_run.h"

#include <exception>
#include <utility>
#include <variant>

#include "agent/io/log.h"

namespace flintgauge {
namespace {

HttpTarget http_target(const Target& target, const RequestPolicy& policy) {
  HttpTarget made;
  made.url = target.url;
  made.expect = target.expect;
  made.missing_type_ok = policy.missing_type_ok;
  made.body_limit = target.body_limit;
  made.addresses = policy.addresses;
  made.trust = policy.trust;
  return made;
}

}  // namespace

TargetRun::TargetRun(std::shared_ptr<const Target> target, const Collector& collector,
                     const RequestPolicy& policy, EndpointCounters& counters, std::int64_t phase_ms,
                     SteadyTime first)
    : counters_(counters),
      connect_timeout_ms_(policy.connect_timeout_ms),
      decoder_(collector.make_decoder(*target)),
      request_(http_target(*target, policy), *this),
      schedule_(target->pace.interval_ms, phase_ms, first, target->pace.retry_ms) {
  if (target->skip_unchanged) unchanged_.emplace();
  state_.target = std::move(target);
}

HttpTimes TargetRun::begin(SteadyTime now) {
  begun_ = now;
  is_running_ = true;
  if (unchanged_) {
    unchanged_->begin(*decoder_);
  } else {
    decoder_->begin();
  }
  const Pace& pace = target().pace;
  HttpTimes times;
  const bool is_warming_up = !state_.ever_succeeded && patience_left_ > 0;
  times.timeout_ms = is_warming_up ? pace.first_timeout_ms : pace.timeout_ms;
  times.connect_timeout_ms = connect_timeout_ms_;
  times.is_patient = is_warming_up && pace.first_timeout_ms > pace.timeout_ms;
  return times;
}

Status TargetRun::take(std::string_view bytes) {
  return unchanged_ ? unchanged_->take(bytes, *decoder_) : decoder_->feed(bytes);
}

bool TargetRun::wants_retry() {
  const bool retry = target().send_kubelet_token && request_.result().code == 401 && !has_retried_;
  has_retried_ = retry;
  return retry;
}

TargetRun::Change TargetRun::finish(Fold& fold, const Now& now) {
  is_running_ = false;
  has_retried_ = false;
  const HttpResult& result = request_.result();
  counters_.count_scrape();
  counters_.add_bytes(result.bytes);
  state_.asked = true;
  state_.last_attempt = begun_;
  state_.duration_seconds = result.seconds;
  Status done = result.status ? commit(fold, now) : result.status;
  return done ? succeed(now) : fail_with(std::move(done.error()), now);
}

// The one place where what a body said becomes part of the totals.
Status TargetRun::commit(Fold& fold, const Now& now) try {
  const auto of_target = [this](const Error& error) {
    return fail(error.reason, log::printable("GET " + target().url + ": " + error.message));
  };
  if (request_.result().bytes == 0) return of_target({Reason::kTruncated, "empty body"});
  if (unchanged_) {
    const Result<bool> is_same = unchanged_->finish(*decoder_);
    if (!is_same) return of_target(is_same.error());
    if (*is_same) return {};
  }
  const Result<Batch> batch = decoder_->finish();
  if (!batch) return of_target(batch.error());
  gives_pods_ = std::holds_alternative<std::shared_ptr<const PodList>>(*batch);
  const FoldCounts folded = fold.apply(target(), *batch, now);
  is_in_fold_ = was_in_fold_ = true;
  state_.counts = decoder_->counts();
  counters_.add_samples(state_.counts, folded);
  if (unchanged_) unchanged_->accept();
  return {};
} catch (const std::exception& thrown) {
  return fail(Reason::kInternal, thrown.what());
}

TargetRun::Change TargetRun::succeed(const Now& now) {
  const bool was_up = state_.up;
  state_.up = true;
  state_.not_offered = false;
  state_.ever_succeeded = true;
  state_.consecutive_failures = 0;
  absences_ = 0;
  state_.last_success = now.steady;
  state_.last_success_wall = now.wall;
  state_.last_error.reset();
  schedule_.succeeded(begun_, now.steady);
  if (const std::int64_t rate = target().pace.bytes_per_second; rate > 0) {
    constexpr std::int64_t kMsPerSecond = 1'000;
    pause_ms_ = static_cast<std::int64_t>(request_.result().bytes) * kMsPerSecond / rate;
    schedule_.put_off({begun_.ms + pause_ms_});
  }
  return was_up ? Change::kNone : Change::kUp;
}

TargetRun::Change TargetRun::fail_with(Error error, const Now& now) {
  const bool is_absent =
      target().optional && (error.reason == Reason::kNotOffered || error.reason == Reason::kRedirect);
  const bool was_known = state_.not_offered == is_absent && state_.last_error != nullptr;
  state_.up = false;
  state_.not_offered = is_absent;
  state_.last_reason = error.reason;
  state_.last_error = std::make_shared<const std::string>(std::move(error.message));
  if (is_absent) {
    state_.consecutive_failures = 0;
    schedule_.not_offered(begun_, ++absences_, now.steady);
    return was_known ? Change::kNone : Change::kNotOffered;
  }
  if (error.reason == Reason::kTimeout && patience_left_ > 0) --patience_left_;
  counters_.count_error(error.reason);
  ++state_.consecutive_failures;
  schedule_.failed(begun_, state_.consecutive_failures, now.steady);
  return was_known ? Change::kNone : Change::kDown;
}

void TargetRun::take_as_said(const Now& now) {
  state_.last_success = now.steady;
  state_.last_success_wall = now.wall;
  schedule_.look_again(now.steady);
}

std::optional<SteadyTime> TargetRun::outdated_at() const {
  if (!is_in_fold_) return std::nullopt;
  return SteadyTime{state_.last_success.ms + target().pace.ttl_ms + pause_ms_ + 1};
}

bool TargetRun::is_outdated(SteadyTime now) const {
  const std::optional<SteadyTime> at = outdated_at();
  return at && now >= *at;
}

void TargetRun::drop_from(Fold& fold, const Now& now) {
  if (!is_in_fold_) return;
  fold.drop(target(), now);
  is_in_fold_ = false;
  if (unchanged_) unchanged_->forget();
}

void TargetRun::forget_from(Fold& fold, const Now& now) {
  if (was_in_fold_) fold.forget(target(), now);
  is_in_fold_ = was_in_fold_ = false;
}

void TargetRun::rest(Fold& fold, const Now& now) {
  drop_from(fold, now);
  TargetState fresh;
  fresh.target = std::move(state_.target);
  state_ = std::move(fresh);
  absences_ = 0;
  schedule_.ask_by(now.steady);
}

}  // namespace flintgauge
