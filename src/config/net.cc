#include "config/net.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <string>

#include "base/ascii.h"

namespace pixmilter::config {
namespace {

constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// An address as 16 bytes, v4 as v4-mapped v6. v4: whether it is written so.
bool read_address(std::string_view text, std::array<std::uint8_t, 16>& out, bool& v4) {
  if (ascii::istarts_with(text, "ipv6:")) text.remove_prefix(5);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  const std::string copy(text);
  in_addr four{};
  in6_addr six{};
  v4 = ::inet_pton(AF_INET, copy.c_str(), &four) == 1;
  if (v4) {
    std::memcpy(out.data(), kMapped, sizeof kMapped);
    std::memcpy(out.data() + sizeof kMapped, &four, sizeof four);
    return true;
  }
  if (::inet_pton(AF_INET6, copy.c_str(), &six) != 1) return false;
  std::memcpy(out.data(), &six, sizeof six);
  return true;
}

bool is_mapped(const std::array<std::uint8_t, 16>& bytes) {
  return std::equal(std::begin(kMapped), std::end(kMapped), bytes.begin());
}

// The first bits alone.
std::array<std::uint8_t, 16> masked(std::array<std::uint8_t, 16> bytes, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  for (std::size_t i = whole; i < bytes.size(); ++i) bytes[i] &= i == whole ? 0xFF00 >> bits % 8 : 0;
  return bytes;
}

}  // namespace

Result<Net> Net::parse(std::string_view text) {
  const Error expected{"an address or a block such as \"192.0.2.0/24\" or \"2001:db8::/32\" is expected"};
  Net net;
  const std::size_t slash = text.find('/');
  bool v4 = false;
  if (!read_address(text.substr(0, slash), net.bytes_, v4)) return expected;
  if (slash == std::string_view::npos) return net;
  const std::string_view bits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), net.bits_);
  if (error != std::errc() || end != bits.data() + bits.size() || net.bits_ < 0 ||
      net.bits_ > (v4 ? 32 : 128))
    return expected;
  if (v4) net.bits_ += 96;
  return net;
}

bool Net::contains(std::string_view address) const {
  std::array<std::uint8_t, 16> other{};
  bool v4 = false;
  if (!read_address(address, other, v4)) return false;
  // A block of v6 means no v4 address, however wide it is.
  if (is_mapped(other) && bits_ < 96) return false;
  const auto whole = static_cast<std::size_t>(bits_ / 8);
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
    return false;
  if (bits_ % 8 == 0) return true;
  const int shift = 8 - bits_ % 8;
  return bytes_[whole] >> shift == other[whole] >> shift;
}

std::size_t NetSet::Hash::operator()(const Bytes& bytes) const {
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void NetSet::insert(const Net& net) { by_length_[net.bits_].insert(masked(net.bytes_, net.bits_)); }

bool NetSet::contains(std::string_view address) const {
  Bytes bytes{};
  bool v4 = false;
  if (by_length_.empty() || !read_address(address, bytes, v4)) return false;
  const bool mapped = is_mapped(bytes);
  return std::any_of(by_length_.begin(), by_length_.end(), [&](const auto& of_length) {
    const auto& [bits, nets] = of_length;
    return !(mapped && bits < 96) && nets.contains(masked(bytes, bits));
  });
}

}  // namespace pixmilter::config
