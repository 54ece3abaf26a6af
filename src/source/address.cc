#include "source/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

namespace pixmilter::source {
namespace {

using Bytes = std::array<unsigned char, 16>;  // an IPv6 address, or an IPv4 one in the first four

struct Block {
  std::string_view prefix;  // its first bytes
  unsigned bits;
  std::string_view what;
};

using namespace std::string_view_literals;

// RFC 6890 and what came after it.
constexpr Block kSpecial4[] = {{"\x00"sv, 8, "of this network"},
                               {"\x0A"sv, 8, "private"},
                               {"\x64\x40"sv, 10, "of a carrier's NAT"},
                               {"\x7F"sv, 8, "loopback"},
                               {"\xA9\xFE"sv, 16, "link-local"},
                               {"\xAC\x10"sv, 12, "private"},
                               {"\xC0\x00\x00"sv, 24, "of protocols"},
                               {"\xC0\x00\x02"sv, 24, "for documentation"},
                               {"\xC0\x58\x63"sv, 24, "of 6to4 relays"},
                               {"\xC0\xA8"sv, 16, "private"},
                               {"\xC6\x12"sv, 15, "for benchmarks"},
                               {"\xC6\x33\x64"sv, 24, "for documentation"},
                               {"\xCB\x00\x71"sv, 24, "for documentation"},
                               {"\xE0"sv, 3, "multicast or reserved"}};

// All that is given out lies in 2000::/3. Within it:
constexpr Block kGlobal6 = {"\x20"sv, 3, ""};
constexpr Block kSpecial6[] = {{"\x20\x01\x00"sv, 23, "of protocols"},
                               {"\x20\x01\x0D\xB8"sv, 32, "for documentation"},
                               {"\x20\x02"sv, 16, "of 6to4"},
                               {"\x3F\xFF\x00"sv, 20, "for documentation"}};

bool within(const unsigned char* bytes, const Block& block) {
  for (unsigned bit = 0; bit < block.bits; bit += 8) {
    const unsigned left = block.bits - bit;
    const unsigned mask = left >= 8 ? 0xFF : 0xFF << (8 - left) & 0xFF;
    const auto wanted = static_cast<unsigned char>(block.prefix[bit / 8]);
    if ((bytes[bit / 8] & mask) != (wanted & mask)) return false;
  }
  return true;
}

// The address with a v4-mapped one taken out of its wrapping. 0: neither family.
int bytes_of(const sockaddr& address, Bytes& out) {
  if (address.sa_family == AF_INET) {
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return 4;
  }
  if (address.sa_family != AF_INET6) return 0;
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  std::memcpy(out.data(), &six, out.size());
  if (!IN6_IS_ADDR_V4MAPPED(&six)) return 6;
  std::memcpy(out.data(), six.s6_addr + 12, 4);
  return 4;
}

}  // namespace

std::string special_purpose(const sockaddr& address) {
  Bytes bytes{};
  const int version = bytes_of(address, bytes);
  if (version == 4) {
    for (const Block& block : kSpecial4)
      if (within(bytes.data(), block)) return std::string(block.what);
    return {};
  }
  if (version != 6) return "of no family that we know";
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&six)) return "loopback";
  if (IN6_IS_ADDR_LINKLOCAL(&six)) return "link-local";
  if ((bytes[0] & 0xFE) == 0xFC) return "private";
  if (!within(bytes.data(), kGlobal6)) return "outside of what is given out";
  for (const Block& block : kSpecial6)
    if (within(bytes.data(), block)) return std::string(block.what);
  return {};
}

bool own_address(const sockaddr& address) {
  Bytes wanted{};
  const int version = bytes_of(address, wanted);
  ifaddrs* first = nullptr;
  if (version == 0 || ::getifaddrs(&first) != 0) return true;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(first, ::freeifaddrs);
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    Bytes own{};
    if (one->ifa_addr == nullptr || bytes_of(*one->ifa_addr, own) != version) continue;
    if (std::memcmp(own.data(), wanted.data(), version == 4 ? 4 : 16) == 0) return true;
  }
  return false;
}

std::string text_of(const sockaddr& address) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (address.sa_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  if (address.sa_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  return text;
}

}  // namespace pixmilter::source
