// Which addresses a request may go to. Checked on the numeric address before connect and again before the
// request is sent, so neither a name, a redirect nor a reused connection leads elsewhere.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string_view>

namespace flintgauge {

enum class AddressRule : std::uint8_t {
  kAny,   ///< configured by the operator: the own kubelet
  kPods,  ///< what a pod may have: no loopback, link-local, multicast, unspecified or reserved address
  kPodsAndLoopback,  ///< targets.allow_loopback: for tests and laptops
};

/// Pure; any thread. IPv4-mapped IPv6 addresses are judged as IPv4. Other families are refused.
bool is_allowed(const sockaddr& address, AddressRule rule) noexcept;

/// The same for a numeric address as text, without brackets ("10.1.2.3", "fd00::1", "fe80::1%eth0").
/// Anything else is refused unless the rule is kAny.
bool is_allowed(std::string_view numeric, AddressRule rule) noexcept;

}  // namespace flintgauge
