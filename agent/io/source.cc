#include "agent/io/source.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <stop_token>
#include <utility>

#include "agent/io/log.h"
#include "agent/io/system_clock.h"
#include "agent/io/thread_name.h"

namespace flintgauge {
namespace {

constexpr std::size_t kMaxInFlight = 32;      // requests of one source at once: bounds sockets and buffers
constexpr std::int64_t kMaxWaitMs = 60'000;   // with nothing to do
constexpr std::int64_t kPodsAgainMs = 5'000;  // between two looks at the pod list for rows without a pod

/// A block is always filled whole, whatever changed in it, and a reader works on what is new.
struct PublishPace {
  std::int64_t max_hold_ms;  ///< one slow server holds back the others for no longer than this
  std::int64_t min_gap_ms;   ///< between two blocks, so that servers that answer one by one share a block
};

// The kubelet's pod list and samples belong together, so it gets more time; it is one server.
PublishPace pace_of(SourceKind kind) {
  if (kind == SourceKind::kKubelet) return {.max_hold_ms = 5'000, .min_gap_ms = 0};
  return {.max_hold_ms = 1'000, .min_gap_ms = 1'000};
}

Shard shard_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::kKubelet:
      return Shard::kKubelet;
    case SourceKind::kSpark:
      return Shard::kSpark;
    case SourceKind::kCompanions:
      break;
  }
  return Shard::kCompanions;
}

}  // namespace

Source::Source(SourceSettings settings, const Collectors& collectors, std::unique_ptr<Fold> fold,
               Store& store, SelfMetrics& metrics, std::function<void()> published)
    : settings_(std::move(settings)),
      collectors_(collectors),
      fold_(std::move(fold)),
      store_(store),
      metrics_(metrics),
      published_(std::move(published)),
      token_(settings_.token_file),
      targets_(settings_.max_targets_per_namespace) {
  metrics_.set_tls_verify_disabled(settings_.kind, settings_.requests.trust.insecure_skip_verify);
}

Source::~Source() { stop(); }

void Source::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Source::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Source::run(const std::stop_token& stop) noexcept try {
  name_thread(to_string(settings_.kind).data());  // a literal
  const std::stop_callback end_wait(stop, [this] { client_.wake(); });
  while (!stop.stop_requested()) turn();
  for (const TargetSet::Entry& entry : targets_.entries()) {
    client_.cancel(entry.run->request());
    entry.run->abandon();
  }
} catch (const std::exception& thrown) {
  log::error("source ended, so does the program",
             {{"source", to_string(settings_.kind)}, {"error", thrown.what()}});
  std::abort();
}

void Source::turn() {
  Now now = read_clocks();
  if (discover(now)) start_due(now);
  HttpFetch* finished = client_.wait(wait_ms(now));
  now = read_clocks();
  if (finished) ended(static_cast<TargetRun&>(finished->sink()), now);
  start_due(now);
  fold_pushes(now);
  drop_outdated(now);
  publish_if_due(now);
}

bool Source::discover(const Now& now) {
  if (settings_.kind != SourceKind::kKubelet) {
    const View view = store_.read();
    const Block* const kubelet = view ? view.block(Shard::kKubelet) : nullptr;
    if (!kubelet || !kubelet->pods) return false;  // targets known before stay
    std::shared_ptr<const ServletPaths> paths = fold_->servlet_paths();
    if (has_discovered_ && kubelet->pods == settings_.discovery.pods &&
        paths == settings_.discovery.servlet_paths)
      return false;
    settings_.discovery.pods = kubelet->pods;
    settings_.discovery.servlet_paths = std::move(paths);
    fold_->see_pods(*kubelet->pods, now);
  } else if (has_discovered_) {
    return false;
  }
  has_discovered_ = true;
  const std::size_t over_before = targets_.over_limit();
  const auto make = [&](TargetSet::Wanted wanted) { return make_run(std::move(wanted), now); };
  for (const auto& gone : targets_.update(find_targets(), make)) {
    if (gone->is_running()) --in_flight_;
    client_.cancel(gone->request());
    gone->forget_from(*fold_, now);
  }
  for (std::size_t over = over_before; over < targets_.over_limit(); ++over)
    metrics_.count_target_dropped(Reason::kLimit);
  note_refused();
  touch(now);
  return true;
}

// Counted and told once, not at every look.
void Source::note_refused() {
  std::vector<Refusal> refused;
  for (const auto& collector : collectors_) {
    if (collector->source() != settings_.kind) continue;
    std::vector<Refusal> own = collector->refusals(settings_.discovery);
    std::ranges::move(own, std::back_inserter(refused));
  }
  std::ranges::sort(refused);
  for (const Refusal& one : refused) {
    if (std::ranges::binary_search(refused_, one)) continue;
    metrics_.count_target_dropped(one.reason);
    log::info(one.why, {{"pod", one.pod}});
  }
  refused_ = std::move(refused);
}

std::vector<TargetSet::Wanted> Source::find_targets() const {
  std::vector<TargetSet::Wanted> wanted;
  for (const auto& collector : collectors_) {
    if (collector->source() != settings_.kind) continue;
    for (Target& target : collector->targets(settings_.discovery)) {
      target.body_limit = settings_.body_limit;
      wanted.push_back({std::move(target), collector.get()});
    }
  }
  return wanted;
}

std::unique_ptr<TargetRun> Source::make_run(TargetSet::Wanted wanted, const Now& now) {
  // All targets of a source share the node's phase, so that those of equal interval are one round: asked at
  // once, folded and published together. Each server has one lane, so no server is asked for more at once.
  const std::string place = settings_.node_name + ' ' + std::string(to_string(settings_.kind));
  const std::int64_t phase_ms = phase_of(place, wanted.target.pace.interval_ms);
  EndpointCounters& counters = metrics_.endpoint(settings_.kind, wanted.collector->name());
  const SteadyTime first{now.steady.ms + settings_.start_delay_ms};
  return std::make_unique<TargetRun>(std::make_shared<const Target>(std::move(wanted.target)),
                                     *wanted.collector, settings_.requests, counters, phase_ms, first);
}

void Source::start_due(const Now& now) {
  while (in_flight_ < kMaxInFlight) {
    TargetRun* const run = targets_.next(now.steady);
    if (!run) return;
    if (run->target().only_after_news && run->is_in_fold() && !fold_->has_news(run->target())) {
      run->take_as_said(now);
      continue;
    }
    ask(*run, now);
    ++in_flight_;
  }
}

void Source::ask(TargetRun& run, const Now& now) {
  const HttpTimes times = run.begin(now.steady);
  client_.start(run.request(), times, authorization(run.target(), now));
}

const std::string& Source::authorization(const Target& target, const Now& now) {
  static const std::string kNone;
  if (!target.send_kubelet_token || !may_carry_secret(target.url)) return kNone;
  const std::string& token = token_.get(now.steady);
  for (; token_reads_ < token_.reads(); ++token_reads_) metrics_.count_token_reload();
  if (authorization_version_ != token_.version()) {
    authorization_ = "Bearer " + token;
    authorization_version_ = token_.version();
  }
  return authorization_;
}

void Source::ended(TargetRun& run, const Now& now) {
  if (run.wants_retry()) {
    token_.expire();
    return ask(run, now);
  }
  --in_flight_;
  report(run, run.finish(*fold_, now));
  if (const auto at = run.outdated_at(); at && *at < look_for_outdated_) look_for_outdated_ = *at;
  while (TargetRun* const fallback = targets_.idle_fallback()) fallback->rest(*fold_, now);
  if (fold_->wants_pods()) ask_pods_soon(now);
  touch(now);
}

// One line per change, never per scrape; one per server that ends or comes back, not one per page of it.
void Source::report(const TargetRun& run, TargetRun::Change change) const {
  const Target& target = run.target();
  const TargetState& state = run.state();
  const bool is_told = change != TargetRun::Change::kNone && targets_.is_old_news(run);
  switch (change) {
    case TargetRun::Change::kNone:
      return;
    case TargetRun::Change::kUp:
      return log::write(is_told ? log::Level::kDebug : log::Level::kInfo, "target up",
                        {{"target", target.key}, {"url", target.url}});
    case TargetRun::Change::kNotOffered:
      return log::info("target not offered", {{"target", target.key}, {"url", target.url}});
    case TargetRun::Change::kDown:
      break;
  }
  log::write(is_told ? log::Level::kDebug : log::Level::kWarn, "target down",
             {{"target", target.key},
              {"url", target.url},
              {"reason", to_string(state.last_reason)},
              {"error", *state.last_error}});
  if (state.last_reason == Reason::kAuth && !token_.error().empty())
    log::warn("token not usable", {{"target", target.key}, {"error", token_.error()}});
}

void Source::ask_pods_soon(const Now& now) {
  for (const TargetSet::Entry& entry : targets_.entries()) {
    if (!entry.run->gives_pods() || !entry.run->state().up) continue;
    const SteadyTime again{entry.run->state().last_attempt.ms + kPodsAgainMs};
    entry.run->schedule().ask_by(std::max(again, now.steady));
  }
}

/// What was pushed goes through the same fold as what was asked for, so nothing is counted twice.
void Source::fold_pushes(const Now& now) {
  if (settings_.pushes == nullptr) return;
  for (const PushReport& report : settings_.pushes->take_all()) {
    if (report.is_over) {
      fold_->forget(*report.target, now);
    } else {
      const FoldCounts folded = fold_->apply(*report.target, Batch(report.batch()), now);
      metrics_.endpoint(settings_.kind, report.target->collector).add_samples({}, folded);
    }
    touch(now);
  }
}

// A target's time only moves on, so nothing can be outdated before the earliest of the last look.
void Source::drop_outdated(const Now& now) {
  if (now.steady < look_for_outdated_) return;
  look_for_outdated_ = kNever;
  for (const TargetSet::Entry& entry : targets_.entries()) {
    if (entry.run->is_outdated(now.steady)) {
      log::warn("data dropped: too old", {{"target", entry.run->target().key}});
      entry.run->drop_from(*fold_, now);
      touch(now);
    }
    if (const auto at = entry.run->outdated_at()) look_for_outdated_ = std::min(look_for_outdated_, *at);
  }
}

void Source::touch(const Now& now) {
  if (!unpublished_since_) unpublished_since_ = now.steady;
}

void Source::publish_if_due(const Now& now) {
  if (unpublished_since_ && now.steady >= publish_at()) publish(now);
}

SteadyTime Source::publish_at() const {
  const PublishPace pace = pace_of(settings_.kind);
  const SteadyTime latest{unpublished_since_->ms + pace.max_hold_ms};
  const bool is_first_round = first_round_ == 0;
  if (in_flight_ != 0) return latest;
  return is_first_round ? *unpublished_since_
                        : std::min(latest, SteadyTime{published_at_.ms + pace.min_gap_ms});
}

void Source::publish(const Now& now) {
  fold_->expire(now);
  const Shard shard = shard_of(settings_.kind);
  Block& block = store_.writable(shard);
  fold_->fill(block, now);
  block.committed = now.steady;
  block.committed_wall = now.wall;
  block.targets.resize(targets_.entries().size());
  for (std::size_t i = 0; i < block.targets.size(); ++i)
    block.targets[i] = targets_.entries()[i].run->state();
  store_.publish(shard);
  unpublished_since_.reset();
  published_at_ = now.steady;
  if (first_round_ == 0 && targets_.all_asked()) first_round_ = block.version;
  published_();
}

int Source::wait_ms(const Now& now) const {
  std::int64_t wait = kMaxWaitMs;
  const auto until = [&](SteadyTime at) {
    wait = std::min(wait, std::max<std::int64_t>(0, elapsed_ms(now.steady, at)));
  };
  if (in_flight_ < kMaxInFlight) {
    if (const auto at = targets_.next_at()) until(*at);
  }
  if (look_for_outdated_ < kNever) until(look_for_outdated_);
  if (unpublished_since_) until(publish_at());
  return static_cast<int>(wait);
}

}  // namespace flintgauge
