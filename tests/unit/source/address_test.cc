#include "source/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace pixmilter::source {
namespace {

struct Address {
  sockaddr_storage storage{};
  explicit Address(const char* text) {
    auto& four = reinterpret_cast<sockaddr_in&>(storage);
    auto& six = reinterpret_cast<sockaddr_in6&>(storage);
    if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
      storage.ss_family = AF_INET;
    } else {
      EXPECT_EQ(::inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
      storage.ss_family = AF_INET6;
    }
  }
  const sockaddr& get() const { return reinterpret_cast<const sockaddr&>(storage); }
};

// Each block with its first and its last address.
TEST(Address, WhatIsNotTheInternets) {
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "127.0.0.0",
                           "127.255.255.255",
                           "169.254.0.0",
                           "169.254.169.254",
                           "169.254.255.255",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.0",
                           "192.0.0.255",
                           "192.0.2.0",
                           "192.0.2.255",
                           "192.88.99.0",
                           "192.88.99.255",
                           "192.168.0.0",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.0",
                           "198.51.100.255",
                           "203.0.113.0",
                           "203.0.113.255",
                           "224.0.0.0",
                           "239.255.255.255",
                           "240.0.0.0",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::7f00:1",
                           "::127.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "64:ff9b::a00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                           "2001::",
                           "2001::1",
                           "2001:1ff::1",
                           "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                           "2001:db8::",
                           "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                           "2002::",
                           "2002:7f00:1::1",
                           "2002:ffff::1",
                           "3fff::",
                           "3fff:fff::1",
                           "4000::",
                           "5f00::1",
                           "fc00::1",
                           "fd00::1",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ffff::1"})
    EXPECT_NE(special_purpose(Address(text).get()), "") << text;
}

TEST(Address, TheInternets) {
  for (const char* text : {"1.0.0.0",         "9.255.255.255",    "11.0.0.0",       "100.63.255.255",
                           "100.128.0.0",     "126.255.255.255",  "128.0.0.0",      "169.253.255.255",
                           "169.255.0.0",     "172.15.255.255",   "172.32.0.0",     "191.255.255.255",
                           "192.0.1.0",       "192.0.3.0",        "192.88.98.255",  "192.88.100.0",
                           "192.167.255.255", "192.169.0.0",      "198.17.255.255", "198.20.0.0",
                           "198.51.99.255",   "198.51.101.0",     "203.0.112.255",  "203.0.114.0",
                           "223.255.255.255", "8.8.8.8",          "::ffff:8.8.8.8", "2000::1",
                           "2001:200::1",     "2001:db7:ffff::1", "2001:db9::1",    "2001:4860:4860::8888",
                           "2003::1",         "2a00:1450::1",     "3ffe:ffff::1",   "3fff:1000::1"})
    EXPECT_EQ(special_purpose(Address(text).get()), "") << text;
}

TEST(Address, NoFamilyOfOurs) {
  sockaddr unix_socket{};
  unix_socket.sa_family = AF_UNIX;
  EXPECT_NE(special_purpose(unix_socket), "");
  EXPECT_TRUE(own_address(unix_socket));
}

TEST(Address, OfThisHost) {
  EXPECT_TRUE(own_address(Address("127.0.0.1").get()));
  EXPECT_TRUE(own_address(Address("::ffff:127.0.0.1").get()));
  EXPECT_FALSE(own_address(Address("192.0.2.77").get()));
  EXPECT_EQ(text_of(Address("2001:DB8::1").get()), "2001:db8::1");
}

}  // namespace
}  // namespace pixmilter::source
