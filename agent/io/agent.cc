#include "agent/io/agent.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include "agent/io/collector_choice.h"
#include "agent/io/log.h"
#include "agent/io/schedule.h"
#include "agent/io/system_clock.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kKubeletConnectMs = 2'000;
constexpr std::int64_t kPodConnectMs = 1'000;  // on the same node: anything longer is not there
constexpr std::chrono::seconds kOnceLimit{60};
// Short: messages end after 256 bytes.
constexpr std::string_view kTlsMend =
    "see kubelet.ca_file, kubelet.pinned_certificate_file (self-signed), kubelet.server_name (other name)";

Discovery discovery_of(const Config& config) {
  Discovery discovery;
  discovery.kubelet_url = config.kubelet.url;
  discovery.allow_loopback = config.targets.allow_loopback;
  discovery.kubelet_interval_ms = config.kubelet.interval_ms;
  discovery.summary_interval_ms = config.kubelet.summary_interval_ms;
  discovery.spark_interval_ms = config.spark.interval_ms;
  for (const std::string& own : {config.web.listen_address, config.push.graphite_listen_address,
                                 config.push.pushgateway_listen_address}) {
    if (const auto address = parse_listen_address(own)) discovery.own_ports.push_back(address->port);
  }
  discovery.companions_interval_ms = config.companions.interval_ms;
  discovery.companions_max_samples = config.companions.max_samples;
  return discovery;
}

SourceSettings kubelet_settings(const Config& config, FirstRound first_round) {
  SourceSettings settings;
  settings.kind = SourceKind::kKubelet;
  settings.discovery = discovery_of(config);
  settings.requests.addresses = AddressRule::kAny;  // the operator named it
  settings.requests.trust.ca_file = config.kubelet.ca_file;
  settings.requests.trust.pinned_certificate_file = config.kubelet.pinned_certificate_file;
  settings.requests.trust.server_name = config.kubelet.server_name;
  settings.requests.trust.insecure_skip_verify = config.kubelet.insecure_skip_verify;
  settings.requests.trust.mend = kTlsMend;
  settings.requests.missing_type_ok = true;  // the paths are the kubelet's own
  settings.requests.connect_timeout_ms = kKubeletConnectMs;
  settings.body_limit = static_cast<std::size_t>(config.kubelet.body_limit_bytes);
  settings.token_file = config.kubelet.token_file;
  settings.node_name = config.node.name;
  if (first_round == FirstRound::kSpread)
    settings.start_delay_ms = start_delay_of(config.node.name, config.kubelet.interval_ms);
  return settings;
}

SourceSettings pods_settings(const Config& config, SourceKind kind, std::int64_t body_limit_bytes) {
  SourceSettings settings;
  settings.kind = kind;
  settings.discovery = discovery_of(config);
  settings.requests.addresses =
      config.targets.allow_loopback ? AddressRule::kPodsAndLoopback : AddressRule::kPods;
  settings.requests.connect_timeout_ms = kPodConnectMs;
  settings.body_limit = static_cast<std::size_t>(body_limit_bytes);
  settings.node_name = config.node.name;
  return settings;
}

SourceSettings spark_settings(const Config& config) {
  return pods_settings(config, SourceKind::kSpark, config.spark.body_limit_bytes);
}

SourceSettings companions_settings(const Config& config) {
  SourceSettings settings =
      pods_settings(config, SourceKind::kCompanions, config.companions.body_limit_bytes);
  settings.requests.missing_type_ok = true;  // Zeppelin's page has none
  settings.max_targets_per_namespace = config.companions.max_targets_per_namespace;
  return settings;
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::make(const Config& config, const BuildInfo& build,
                                           FirstRound first_round) try {
  Result<Source::Collectors> collectors = choose_collectors(config.targets.disabled_collectors);
  if (!collectors) return tl::unexpected(collectors.error());
  std::unique_ptr<Agent> agent(new Agent(config, *std::move(collectors), build, first_round));
  if (Status status = agent->listen_for_pushes(config.push); !status) return tl::unexpected(status.error());
  return agent;
} catch (const std::exception& thrown) {
  return fail(Reason::kInternal, thrown.what());
}

Agent::Agent(const Config& config, Source::Collectors collectors, const BuildInfo& build,
             FirstRound first_round)
    : collectors_(std::move(collectors)),
      metrics_(build),
      history_(config.history, metrics_),
      node_name_(config.node.name),
      evaluator_(config.hints, config.series, store_,
                 [this](const View& sources, const Report& report) { on_evaluated(sources, report); }) {
  const Now started = read_clocks();
  const BudgetShares series = shares_of(config.series);
  metrics_.watch_store(store_);
  if (config.spark.enabled) {
    SourceSettings settings = spark_settings(config);
    settings.pushes = &push_queue_;
    spark_ = std::make_unique<Source>(std::move(settings), collectors_,
                                      make_spark_fold(series.spark, started, config.spark.totals), store_,
                                      metrics_, [this] { on_pods_source_published(); });
  }
  if (config.companions.enabled) {
    companions_ = std::make_unique<Source>(companions_settings(config), collectors_,
                                           make_tool_fold(series.tools, started), store_, metrics_,
                                           [this] { on_pods_source_published(); });
  }
  kubelet_ = std::make_unique<Source>(kubelet_settings(config, first_round), collectors_,
                                      make_kubelet_fold(series.kubelet, started), store_, metrics_,
                                      [this] { on_kubelet_published(); });
  if (config.kubelet.insecure_skip_verify)
    log::warn("kubelet.insecure_skip_verify: the kubelet's certificate is not verified",
              {{"url", config.kubelet.url}});
  if (!config.kubelet.token_file.empty() && !may_carry_secret(config.kubelet.url))
    log::warn("kubelet.url is plain http: no token is sent there", {{"url", config.kubelet.url}});
}

Status Agent::listen_for_pushes(const PushConfig& config) {
  if (!config.is_on() || !spark_) return {};
  Result<std::unique_ptr<PushListener>> made =
      PushListener::make(config, store_, push_queue_, metrics_, [this] { spark_->wake(); });
  if (!made) return tl::unexpected(made.error());
  push_ = *std::move(made);
  return {};
}

Agent::~Agent() { stop(); }

Status Agent::start() try {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that servers close
  history_.load([this](std::string_view bytes) { return evaluator_.load_history(bytes, node_name_); });
  keeps_history_ = true;
  history_.start();
  evaluator_.start();
  if (spark_) spark_->start();
  if (companions_) companions_->start();
  kubelet_->start();
  if (push_) push_->start();
  return {};
} catch (const std::system_error& thrown) {
  stop();
  return fail(Reason::kInternal, std::string("cannot make a thread: ") + thrown.what());
}

void Agent::stop() {
  if (push_) push_->stop();
  kubelet_->stop();
  if (companions_) companions_->stop();
  if (spark_) spark_->stop();
  evaluator_.stop();
  history_.stop();
  if (std::exchange(keeps_history_, false)) history_.write(evaluator_.save_history(node_name_));
}

void Agent::on_kubelet_published() {
  if (spark_) spark_->wake();  // perhaps there are other pods
  if (push_) push_->wake();
  if (companions_) companions_->wake();
  evaluator_.wake();
  notify();
}

void Agent::on_pods_source_published() {
  evaluator_.wake();
  notify();
}

void Agent::on_evaluated(const View& sources, const Report& report) {
  if (report.clock_jump_ms != 0) {
    metrics_.count_clock_jump(report.clock_jump_ms > 0 ? ClockJump::kForward : ClockJump::kBackward);
    log::warn("the wall clock was set", {{"seconds", static_cast<double>(report.clock_jump_ms) / 1000}});
  }
  metrics_.set_history(report.history_jobs, report.history_dropped, report.history_left_out);
  if (history_.is_due(report.at.steady)) history_.offer(evaluator_.save_history(node_name_));
  const Block* const kubelet = sources.block(Shard::kKubelet);
  const std::uint64_t first = kubelet_->first_round();
  if (first != 0 && kubelet && kubelet->version >= first) is_ready_ = true;
}

bool Agent::has_pods() {
  const View view = store_.read();
  const Block* const kubelet = view ? view.block(Shard::kKubelet) : nullptr;
  return kubelet != nullptr && kubelet->pods != nullptr;
}

void Agent::notify() {
  { const std::lock_guard lock(mutex_); }  // whoever waits has looked at the state before, or is waiting now
  changed_.notify_all();
}

bool Agent::wait_for(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, condition);
}

Result<std::string> Agent::run_once() try {
  std::signal(SIGPIPE, SIG_IGN);
  kubelet_->start();
  wait_for(kOnceLimit, [this] { return kubelet_->first_round() != 0; });
  for (Source* source : {spark_.get(), companions_.get()}) {
    if (source == nullptr) continue;
    source->start();
    wait_for(kOnceLimit, [&] { return source->first_round() != 0 || !has_pods(); });
  }
  stop();
  evaluator_.evaluate();
  const View view = store_.read();
  const Block* const derived = view ? view.block(Shard::kDerived) : nullptr;
  if (!derived) return fail(Reason::kInternal, "nothing was evaluated");
  std::string page = derived->page_text;
  metrics_.append_page(PageFormat::kText004, page);
  return page;
} catch (const std::system_error& thrown) {
  return fail(Reason::kInternal, std::string("cannot make a thread: ") + thrown.what());
}

}  // namespace flintgauge
