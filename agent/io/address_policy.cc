#include "agent/io/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace flintgauge {
namespace {

using Ipv4 = std::array<std::uint8_t, 4>;
using Ipv6 = std::array<std::uint8_t, 16>;

// RFC 6890 (special-purpose address registries), RFC 3927 (link-local), RFC 5771 (multicast).
bool is_allowed_ipv4(const Ipv4& ip, AddressRule rule) {
  if (ip[0] == 127) return rule == AddressRule::kPodsAndLoopback;
  const bool is_unspecified = ip[0] == 0;
  const bool is_link_local = ip[0] == 169 && ip[1] == 254;
  const bool is_multicast_or_reserved = ip[0] >= 224;
  return !is_unspecified && !is_link_local && !is_multicast_or_reserved;
}

bool is_allowed_ipv6(const Ipv6& ip, AddressRule rule) {
  constexpr Ipv6 kUnspecified{};
  constexpr Ipv6 kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()))
    return is_allowed_ipv4({ip[12], ip[13], ip[14], ip[15]}, rule);
  if (ip == kLoopback) return rule == AddressRule::kPodsAndLoopback;
  const bool is_link_local = ip[0] == 0xfe && (ip[1] & 0xc0U) == 0x80;
  const bool is_multicast = ip[0] == 0xff;
  return ip != kUnspecified && !is_link_local && !is_multicast;
}

}  // namespace

bool is_allowed(const sockaddr& address, AddressRule rule) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    Ipv4 ip;
    std::memcpy(ip.data(), &in.sin_addr, ip.size());
    return rule == AddressRule::kAny || is_allowed_ipv4(ip, rule);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    Ipv6 ip;
    std::memcpy(ip.data(), &in.sin6_addr, ip.size());
    return rule == AddressRule::kAny || is_allowed_ipv6(ip, rule);
  }
  return false;  // no unix sockets
}

bool is_allowed(std::string_view numeric, AddressRule rule) noexcept {
  if (rule == AddressRule::kAny) return true;
  numeric = numeric.substr(0, numeric.find('%'));
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (numeric.size() >= text.size()) return false;
  std::copy(numeric.begin(), numeric.end(), text.begin());
  Ipv4 ipv4;
  if (inet_pton(AF_INET, text.data(), ipv4.data()) == 1) return is_allowed_ipv4(ipv4, rule);
  Ipv6 ipv6;
  if (inet_pton(AF_INET6, text.data(), ipv6.data()) == 1) return is_allowed_ipv6(ipv6, rule);
  return false;
}

}  // namespace flintgauge
