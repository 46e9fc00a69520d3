#include "agent/io/push_listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <span>
#include <utility>

#include "agent/io/log.h"
#include "agent/io/push_talk.h"
#include "agent/io/system_clock.h"
#include "agent/io/thread_name.h"

namespace flintgauge {
namespace {

constexpr std::size_t kRead = std::size_t{64} * 1024;
/// Spark opens a connection for each report.
constexpr PushStreams::Limits kReportLimits = {.idle_ms = 60'000, .longest_ms = 300'000};
/// Clients of a Pushgateway wait for ten seconds.
constexpr PushStreams::Limits kRequestLimits = {.idle_ms = 5'000, .longest_ms = 10'000};

}  // namespace

PushListener::PushListener(const PushConfig& config, Store& store, PushQueue& queue, SelfMetrics& metrics,
                           std::function<void()> handed_on)
    : store_(store),
      metrics_(metrics),
      desk_(config, queue, metrics),
      handed_on_(std::move(handed_on)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      buffer_(std::max(kRead, PushDatagrams::buffer_size())) {}

Result<std::unique_ptr<PushListener>> PushListener::make(const PushConfig& config, Store& store,
                                                         PushQueue& queue, SelfMetrics& metrics,
                                                         std::function<void()> handed_on) {
  std::unique_ptr<PushListener> made(new PushListener(config, store, queue, metrics, std::move(handed_on)));
  if (Status status = made->listen(config); !status) return tl::unexpected(status.error());
  return made;
}

Status PushListener::listen(const PushConfig& config) {
  if (!wake_) return fail(Reason::kInternal, "no event descriptor");
  return listen_for_streams(config.graphite_listen_address, PushProtocol::kGraphite)
      .and_then(
          [&] { return listen_for_streams(config.pushgateway_listen_address, PushProtocol::kPushgateway); })
      .and_then(
          [&] { return listen_for_datagrams(config.graphite_udp_listen_address, PushProtocol::kGraphite); })
      .and_then([&] { return listen_for_datagrams(config.statsd_listen_address, PushProtocol::kStatsd); });
}

Status PushListener::listen_for_streams(const std::string& address, PushProtocol protocol) {
  if (address.empty()) return {};
  Result<Descriptor> bound = bind_socket(address, SOCK_STREAM);
  if (!bound) return tl::unexpected(bound.error());
  metrics_.enable_push(protocol);
  log::info(
      "listening for pushes",
      {{"protocol", to_string(protocol)}, {"transport", "tcp"}, {"address", bound_address(bound->get())}});
  const bool is_http = protocol == PushProtocol::kPushgateway;
  streams_.emplace_back(
      protocol, *std::move(bound), is_http ? kRequestLimits : kReportLimits,
      [this, protocol](const std::string& peer, SteadyTime now) { return open(protocol, peer, now); }, desk_,
      metrics_);
  return {};
}

Status PushListener::listen_for_datagrams(const std::string& address, PushProtocol protocol) {
  if (address.empty()) return {};
  Result<Descriptor> bound = bind_socket(address, SOCK_DGRAM);
  if (!bound) return tl::unexpected(bound.error());
  metrics_.enable_push(protocol);
  log::info(
      "listening for pushes",
      {{"protocol", to_string(protocol)}, {"transport", "udp"}, {"address", bound_address(bound->get())}});
  datagrams_.emplace_back(protocol, *std::move(bound), desk_, metrics_);
  return {};
}

PushStreams::Opening PushListener::open(PushProtocol protocol, const std::string& peer, SteadyTime now) {
  auto who = desk_.sender_at(peer, protocol, now);
  if (protocol == PushProtocol::kGraphite)
    return {.talk = who ? std::make_unique<GraphiteTalk>(desk_, peer) : nullptr};
  if (!who) return {.answer = GatewayTalk::forbidden()};
  return {.talk = std::make_unique<GatewayTalk>(desk_, metrics_, peer, *std::move(who))};
}

PushListener::~PushListener() { stop(); }

void PushListener::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void PushListener::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake();
  thread_.join();
}

void PushListener::wake() noexcept {
  eventfd_write(wake_.get(), 1);  // full: it is awake already
}

void PushListener::run(const std::stop_token& stop) noexcept try {
  name_thread("push");
  while (!stop.stop_requested()) turn();
  streams_.clear();
  flush(read_clocks().steady);
} catch (const std::exception& thrown) {
  log::error("push listener ended, so does the program", {{"error", thrown.what()}});
  std::abort();
}

void PushListener::find_pods() {
  const View view = store_.read();
  const Block* const kubelet = view ? view.block(Shard::kKubelet) : nullptr;
  if (kubelet == nullptr || !kubelet->pods || kubelet->pods == pods_) return;
  pods_ = kubelet->pods;
  desk_.set_pods(pods_);
}

int PushListener::wait_ms(SteadyTime now) const {
  std::int64_t wait = std::max<std::int64_t>(0, kFlushMs - elapsed_ms(flushed_, now));
  for (const PushStreams& streams : streams_) wait = streams.wait_ms(wait, now);
  for (const PushDatagrams& datagrams : datagrams_) wait = datagrams.wait_ms(wait, now);
  return static_cast<int>(wait);
}

void PushListener::turn() {
  SteadyTime now = read_clocks().steady;
  std::vector<pollfd> fds = {{wake_.get(), POLLIN, 0}};
  for (PushStreams& streams : streams_) streams.watch(fds, now);
  for (const PushDatagrams& datagrams : datagrams_) datagrams.watch(fds, now);
  const int ready = poll(fds.data(), fds.size(), wait_ms(now));
  now = read_clocks().steady;
  if (ready > 0 && fds[0].revents != 0) {
    eventfd_t count = 0;
    eventfd_read(wake_.get(), &count);
  }
  find_pods();
  if (ready > 0) {
    std::span<const pollfd> said = std::span(fds).subspan(1);
    for (PushStreams& streams : streams_) streams.serve(said, buffer_, now);
    for (PushDatagrams& datagrams : datagrams_) datagrams.serve(said, buffer_, now);
  }
  if (elapsed_ms(flushed_, now) < kFlushMs) return;
  for (PushStreams& streams : streams_) streams.close_old(now);
  flush(now);
}

void PushListener::flush(SteadyTime now) {
  flushed_ = now;
  if (desk_.flush(now)) handed_on_();
}

}  // namespace flintgauge
