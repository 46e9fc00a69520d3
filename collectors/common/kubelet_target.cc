#include "collectors/common/kubelet_target.h"

#include <algorithm>
#include <string>

namespace flintgauge {
namespace {

constexpr std::size_t kBodyLimit = 64UL * 1024 * 1024;  // a full node of 250 pods sends 15 MiB
constexpr std::int64_t kMinTtlMs = 60'000;              // twice the longest refresh of a cAdvisor sample
constexpr std::int64_t kMinTimeoutMs = 2'000;

}  // namespace

Target kubelet_target(const Discovery& discovery, std::string_view collector, std::string_view path,
                      Expect expect, std::int64_t interval_ms, std::int64_t timeout_ms) {
  // One request at a time: a hanging endpoint must not cost the others a round.
  const std::int64_t patience_ms = std::min(timeout_ms, std::max(kMinTimeoutMs, interval_ms * 8 / 10));
  Target target;
  target.key = collector;
  target.collector = collector;
  target.url = discovery.kubelet_url + std::string(path);
  target.expect = expect;
  target.send_kubelet_token = true;
  target.body_limit = kBodyLimit;
  target.pace = {.interval_ms = interval_ms,
                 .timeout_ms = patience_ms,
                 .first_timeout_ms = patience_ms,
                 .ttl_ms = std::max(kMinTtlMs, 3 * interval_ms)};
  return target;
}

}  // namespace flintgauge
