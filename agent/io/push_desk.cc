#include "agent/io/push_desk.h"

#include <algorithm>
#include <utility>

#include "agent/io/log.h"

namespace flintgauge {
namespace {

constexpr auto kProtocols =
    std::to_array({PushProtocol::kGraphite, PushProtocol::kStatsd, PushProtocol::kPushgateway});
static_assert(kProtocols.size() == kPushProtocolNames.size());

constexpr std::size_t index_of(PushProtocol protocol) { return static_cast<std::size_t>(protocol); }

PushRefusal refusal_of(PodAddresses::Kind kind) {
  switch (kind) {
    case PodAddresses::Kind::kHostNetwork:
      return PushRefusal::kHostNetwork;
    case PodAddresses::Kind::kAmbiguous:
      return PushRefusal::kAmbiguous;
    case PodAddresses::Kind::kUnknown:
    case PodAddresses::Kind::kPod:
      break;
  }
  return PushRefusal::kUnknownPeer;
}

/// Who a pod is as a sender; nothing when it is not one JVM of a Spark application.
std::optional<PushSender> sender_from(const Pod& pod) {
  const PodIdentity identity = identify(pod);
  const bool is_driver = identity.role == Role::kDriver;
  if (identity.app_id.empty() || pod.uid.empty() || (!is_driver && identity.executor_id.empty()))
    return std::nullopt;
  PushSender who;
  who.app = {std::string(identity.namespace_name), std::string(identity.app_id)};
  who.role = identity.role;
  who.instance = is_driver ? std::string_view("driver") : identity.executor_id;
  who.pod_uid = pod.uid;
  return who;
}

}  // namespace

PushDesk::PushDesk(PushConfig limits, PushQueue& queue, SelfMetrics& metrics)
    : limits_(std::move(limits)), queue_(queue), metrics_(metrics) {}

void PushDesk::set_pods(const std::shared_ptr<const PodList>& pods) {
  const std::lock_guard lock(mutex_);
  of_address_.clear();
  std::map<std::string_view, const Pod*> running;
  for (const Pod& pod : pods->pods) {
    if (pod.phase == Phase::kRunning) running.emplace(pod.uid, &pod);
  }
  addresses_.emplace(pods);
  for (auto at = senders_.begin(); at != senders_.end();) {
    const auto pod = running.find(at->first);
    const auto who = pod == running.end() ? std::nullopt : sender_from(*pod->second);
    if (who && *who == at->second.who) {
      at->second.has_driver = addresses_->has_driver(who->app);
      ++at;
      continue;
    }
    end(at->second);
    at = senders_.erase(at);
  }
  std::erase_if(namespaces_, [this](const auto& entry) {
    return std::ranges::none_of(
        senders_, [&entry](const auto& one) { return one.second.of_namespace == &entry.second; });
  });
}

void PushDesk::end(Sender& sender) {
  for (const PushProtocol protocol : kProtocols) {
    PushValues* const values = sender.values(protocol);
    if (values == nullptr) continue;
    if (values->has_news({})) over_.push_back(values->report({}));
    PushReport last = values->report({});
    last.is_over = true;
    over_.push_back(std::move(last));
  }
}

PushDesk::Sender& PushDesk::make_sender(const Pod& pod, PushSender who, SteadyTime now) {
  const auto known = senders_.find(pod.uid);
  if (known != senders_.end()) return known->second;
  const auto of_namespace = namespaces_
                                .try_emplace(who.app.namespace_name, limits_.namespace_lines_per_second,
                                             limits_.namespace_bytes_per_second, now)
                                .first;
  Sender sender{.who = std::move(who),
                .budget = Budget(limits_.pod_lines_per_second, limits_.pod_bytes_per_second, now),
                .of_namespace = &of_namespace->second,
                .decoders = {},
                .groups = {}};
  sender.has_driver = addresses_->has_driver(sender.who.app);
  return senders_.emplace(pod.uid, std::move(sender)).first->second;
}

/// Null, and why, when the address is nobody's.
PushDesk::Sender* PushDesk::sender_of(std::string_view address, SteadyTime now, PushRefusal& refusal) {
  std::string key(address);
  if (const auto known = of_address_.find(key); known != of_address_.end()) return known->second;
  const PodAddresses::Owner owner = addresses_ ? addresses_->find_by_ip(address) : PodAddresses::Owner{};
  refusal = refusal_of(owner.kind);
  if (owner.pod == nullptr) return nullptr;
  auto who = sender_from(*owner.pod);
  refusal = PushRefusal::kNotSpark;
  if (!who) return nullptr;
  Sender& sender = make_sender(*owner.pod, *std::move(who), now);
  of_address_.emplace(std::move(key), &sender);
  return &sender;
}

PushDesk::Sender* PushDesk::find(std::string_view address, PushProtocol protocol, SteadyTime now) {
  PushRefusal refusal = PushRefusal::kUnknownPeer;
  Sender* const sender = sender_of(address, now, refusal);
  if (sender != nullptr) return sender;
  metrics_.count_push_refused(protocol, refusal);
  const std::string_view why = kPushRefusalNames[static_cast<std::size_t>(refusal)];
  log::warn("push refused", {{"reason", why}, {"protocol", to_string(protocol)}, {"peer", address}});
  return nullptr;
}

PushCounters& PushDesk::counters_of(Sender& sender, PushProtocol protocol) {
  PushCounters*& counters = sender.counters[index_of(protocol)];
  if (counters == nullptr) counters = &metrics_.push(protocol, sender.who.app.namespace_name);
  return *counters;
}

bool PushDesk::admit(std::string_view address, PushProtocol protocol, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  return find(address, protocol, now) != nullptr;
}

std::size_t PushDesk::allowance(std::string_view address, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  PushRefusal ignored = PushRefusal::kUnknownPeer;
  Sender* const sender = sender_of(address, now, ignored);
  if (sender == nullptr) return 1;  // enough to find out by reading
  const double bytes = std::min(sender->budget.bytes.tokens(now), sender->of_namespace->bytes.tokens(now));
  return bytes < 1 ? 0 : static_cast<std::size_t>(bytes);
}

bool PushDesk::take(std::string_view address, PushProtocol protocol, std::span<const std::string_view> lines,
                    std::size_t bytes, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Sender* const sender = find(address, protocol, now);
  if (sender == nullptr) return false;
  PushCounts counts{};
  const bool has_bytes = sender->budget.bytes.tokens(now) > 0 && sender->of_namespace->bytes.tokens(now) > 0;
  sender->budget.bytes.charge(static_cast<double>(bytes));
  sender->of_namespace->bytes.charge(static_cast<double>(bytes));
  double left = std::min(sender->budget.lines.tokens(now), sender->of_namespace->lines.tokens(now));
  std::unique_ptr<PushDecoder>& decoder = sender->decoders[index_of(protocol)];
  if (!decoder) decoder = make_push_decoder(protocol, sender->who);
  std::size_t taken = 0;
  for (const std::string_view line : lines) {
    if (!has_bytes || left < 1) {
      ++count_of(counts, PushResult::kBudget);
      continue;
    }
    left -= 1;
    ++taken;
    if (sender->has_driver) {
      decoder->take(line, now, counts);
    } else {
      ++count_of(counts, PushResult::kDriverElsewhere);
    }
  }
  sender->budget.lines.charge(static_cast<double>(taken));
  sender->of_namespace->lines.charge(static_cast<double>(taken));
  counters_of(*sender, protocol).add(counts, bytes);
  return true;
}

std::optional<PushSender> PushDesk::sender_at(std::string_view address, PushProtocol protocol,
                                              SteadyTime now) {
  const std::lock_guard lock(mutex_);
  const Sender* const sender = find(address, protocol, now);
  return sender == nullptr ? std::nullopt : std::optional(sender->who);
}

bool PushDesk::charge(std::string_view address, PushProtocol protocol, std::size_t bytes, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Sender* const sender = find(address, protocol, now);
  if (sender == nullptr) return false;
  for (Budget* const budget : {&sender->budget, sender->of_namespace}) {
    budget->bytes.tokens(now);
    budget->bytes.charge(static_cast<double>(bytes));
  }
  counters_of(*sender, protocol).add({}, bytes);
  return true;
}

PushOutcome PushDesk::take_body(std::string_view address, const PushSender& who, const PushGroup& group,
                                PushAction action, Decoder& body, const Status& fed, SteadyTime now) {
  constexpr auto kProtocol = PushProtocol::kPushgateway;
  const std::lock_guard lock(mutex_);
  Sender* const sender = find(address, kProtocol, now);
  if (sender == nullptr) return {PushVerdict::kUnknownSender, {}};
  PushCounts counts{};
  PushOutcome outcome;
  const double left = std::min(sender->budget.lines.tokens(now), sender->of_namespace->lines.tokens(now));
  if (sender->who != who) {
    // The address has changed hands while the body came: its names were compared with another's.
    count_of(counts, PushResult::kIdentity) += lines_of(body.counts());
    outcome = {PushVerdict::kUnknownSender, {}};
  } else if (left < 1) {
    count_of(counts, PushResult::kBudget) += lines_of(body.counts());
    outcome = {PushVerdict::kBudget, "the budget of lines is used up"};
  } else if (!sender->has_driver) {
    count_of(counts, PushResult::kDriverElsewhere) += lines_of(body.counts());
  } else {
    if (!sender->groups) sender->groups = make_push_groups(sender->who);
    outcome = sender->groups->take(group, action, body, fed, now, counts);
  }
  for (Budget* const budget : {&sender->budget, sender->of_namespace})
    budget->lines.charge(left < 1 ? 0 : static_cast<double>(lines_of(body.counts())));
  counters_of(*sender, kProtocol).add(counts, 0);
  return outcome;
}

void PushDesk::count(std::string_view address, PushProtocol protocol, PushResult result, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  Sender* const sender = find(address, protocol, now);
  if (sender == nullptr) return;
  PushCounts counts{};
  ++count_of(counts, result);
  counters_of(*sender, protocol).add(counts, 0);
}

bool PushDesk::flush(SteadyTime now) {
  const std::lock_guard lock(mutex_);
  bool any = false;
  const auto has_room = [this] {
    const bool room = queue_.has_room();
    if (!room) metrics_.count_push_queue_full();
    return room;
  };
  std::size_t handed = 0;
  for (; handed < over_.size() && has_room(); ++handed) queue_.offer(std::move(over_[handed]));
  over_.erase(over_.begin(), over_.begin() + static_cast<std::ptrdiff_t>(handed));
  any = handed != 0;
  for (auto& [uid, sender] : senders_) {
    for (const PushProtocol protocol : kProtocols) {
      PushValues* const values = sender.values(protocol);
      if (values == nullptr || !values->has_news(now)) continue;
      if (!has_room()) return any;
      queue_.offer(values->report(now));
      sender.counters[index_of(protocol)]->count_report();
      any = true;
    }
  }
  return any;
}

}  // namespace flintgauge
