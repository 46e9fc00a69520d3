#include "agent/io/push_talk.h"

#include <algorithm>

namespace flintgauge {
namespace {

PushRefusal reason_of(int status) {
  constexpr int kTooLarge = 413;
  constexpr int kMediaType = 415;
  if (status == kTooLarge) return PushRefusal::kTooLarge;
  return status == kMediaType ? PushRefusal::kFormat : PushRefusal::kRequest;
}

PushStep answered(const PushAnswer& answer) { return {PushStep::Next::kAnswered, http_answer(answer)}; }

}  // namespace

PushStep GraphiteTalk::take(std::string_view bytes, SteadyTime now) {
  const std::size_t size = bytes.size();
  lines_.clear();
  const std::size_t first_end = bytes.find('\n');
  if (first_end != std::string_view::npos && !carry_.empty()) {
    carry_.append(bytes.substr(0, first_end));
    lines_.push_back(carry_);
    bytes.remove_prefix(first_end + 1);
  }
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    lines_.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  if (!desk_.take(peer_, PushProtocol::kGraphite, lines_, size, now)) return {PushStep::Next::kClose};
  if (!lines_.empty()) carry_.clear();
  carry_.append(bytes);
  if (carry_.size() <= kMaxPushLine) return {};
  desk_.count(peer_, PushProtocol::kGraphite, PushResult::kLineTooLong, now);
  return {PushStep::Next::kClose};
}

/// A line that was cut may hold half a number: it is no line.
void GraphiteTalk::end(SteadyTime now) {
  if (!carry_.empty()) desk_.count(peer_, PushProtocol::kGraphite, PushResult::kSyntax, now);
}

std::string GatewayTalk::forbidden() { return http_answer({403, "this address may not push that"}); }

std::string GatewayTalk::late() const { return http_answer({408, "the request took too long"}); }

PushStep GatewayTalk::refuse(PushRefusal reason, const PushAnswer& answer) {
  metrics_.count_push_refused(kProtocol, reason);
  return answered(answer);
}

PushStep GatewayTalk::take(std::string_view bytes, SteadyTime now) {
  if (!desk_.charge(peer_, kProtocol, bytes.size(), now)) return {PushStep::Next::kAnswered, forbidden()};
  PushStep step;
  if (!group_) {
    const PushRequest::State state = request_.feed(bytes);
    if (state == PushRequest::State::kHead) return step;
    if (state == PushRequest::State::kFault)
      return refuse(reason_of(request_.fault().status), request_.fault());
    if (auto refused = open()) return *std::move(refused);
    if (request_.wants_continue() && bytes.empty() && left_ != 0)
      step.answer = "HTTP/1.1 100 Continue\r\n\r\n";
  }
  const std::string_view piece = bytes.substr(0, left_);  // no second request is read
  left_ -= piece.size();
  if (!piece.empty() && request_.action() != PushAction::kForget) fed_ = body_->feed(piece);
  return left_ == 0 || !fed_ ? close(now) : step;
}

std::optional<PushStep> GatewayTalk::open() {
  Result<PushGroup> group = parse_push_path(request_.path());
  if (!group) return refuse(PushRefusal::kRequest, {400, group.error().message});
  group_ = *std::move(group);
  body_ = make_push_body_decoder(who_);
  left_ = request_.length();
  return std::nullopt;
}

PushStep GatewayTalk::close(SteadyTime now) {
  const PushOutcome outcome = desk_.take_body(peer_, who_, *group_, request_.action(), *body_, fed_, now);
  switch (outcome.verdict) {
    case PushVerdict::kAccepted:
      return answered({202, {}});
    case PushVerdict::kBudget:
      return answered({429, outcome.message + ": push less often"});
    case PushVerdict::kUnreadable:
      return answered({400, outcome.message});
    case PushVerdict::kUnknownSender:
    case PushVerdict::kIdentity:
      break;
  }
  return {PushStep::Next::kAnswered, forbidden()};
}

}  // namespace flintgauge
