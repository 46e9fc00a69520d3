#include "agent/io/address_policy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

namespace flintgauge {
namespace {

/// Both forms must agree.
bool allowed(const std::string& text, AddressRule rule) {
  sockaddr_storage storage{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (text.find(':') == std::string::npos) {
    ipv4.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr), 1) << text;
  } else {
    ipv6.sin6_family = AF_INET6;
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
  }
  const bool binary = is_allowed(reinterpret_cast<const sockaddr&>(storage), rule);
  EXPECT_EQ(binary, is_allowed(std::string_view(text), rule)) << text;
  return binary;
}

TEST(AddressPolicy, PodsHaveOrdinaryAddresses) {
  for (const char* text : {"10.1.2.3", "192.168.7.8", "100.64.0.1", "8.8.8.8", "169.253.1.1",
                           "223.255.255.255", "fd00::1", "2001:db8::1", "::ffff:10.1.2.3", "fec0::1"}) {
    EXPECT_TRUE(allowed(text, AddressRule::kPods)) << text;
    EXPECT_TRUE(allowed(text, AddressRule::kPodsAndLoopback)) << text;
  }
}

TEST(AddressPolicy, WhatNoPodHas) {
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "fe80::1",
        "febf::1", "ff02::1", "::ffff:169.254.1.1", "::ffff:0.0.0.0"}) {
    EXPECT_FALSE(allowed(text, AddressRule::kPods)) << text;
    EXPECT_FALSE(allowed(text, AddressRule::kPodsAndLoopback)) << text;
    EXPECT_TRUE(allowed(text, AddressRule::kAny)) << text;
  }
}

TEST(AddressPolicy, LoopbackOnlyWhenAllowed) {
  for (const char* text : {"127.0.0.1", "127.64.3.2", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(allowed(text, AddressRule::kPods)) << text;
    EXPECT_TRUE(allowed(text, AddressRule::kPodsAndLoopback)) << text;
  }
}

TEST(AddressPolicy, WhatIsNoAddress) {
  for (const char* text : {"", "localhost", "10.1.2", "010.1.2.3", "0x7f.1", "2130706433", "10.1.2.3.4",
                           "::g", "10.1.2.3 ", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"})
    EXPECT_FALSE(is_allowed(std::string_view(text), AddressRule::kPodsAndLoopback)) << text;
  EXPECT_FALSE(is_allowed(std::string_view("fe80::1%eth0"), AddressRule::kPods));
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(is_allowed(reinterpret_cast<const sockaddr&>(local), AddressRule::kAny));
}

}  // namespace
}  // namespace flintgauge
