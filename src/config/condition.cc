#include "config/condition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "config/units.h"

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
  const bool mapped = std::equal(std::begin(kMapped), std::end(kMapped), other.begin());
  if (mapped && bits_ < 96) return false;
  const auto whole = static_cast<std::size_t>(bits_ / 8);
  if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole), other.begin()))
    return false;
  if (bits_ % 8 == 0) return true;
  const int shift = 8 - bits_ % 8;
  return bytes_[whole] >> shift == other[whole] >> shift;
}

bool Comparison::holds(double number) const {
  switch (op) {
    case Op::equal:
      return number == value;
    case Op::less:
      return number < value;
    case Op::less_equal:
      return number <= value;
    case Op::greater:
      return number > value;
    case Op::greater_equal:
      return number >= value;
  }
  return false;
}

Result<Comparison> Comparison::parse(std::string_view text, bool bytes) {
  const Error expected{bytes ? "a comparison such as \">1M\", \"<=500K\" or \"0\" is expected"
                             : "a comparison such as \">300\", \"<=1.5\" or \"640\" is expected"};
  Comparison comparison;
  const std::pair<std::string_view, Op> operators[] = {{">=", Op::greater_equal},
                                                       {"<=", Op::less_equal},
                                                       {">", Op::greater},
                                                       {"<", Op::less},
                                                       {"=", Op::equal}};
  for (const auto& [written, op] : operators) {
    if (!text.starts_with(written)) continue;
    comparison.op = op;
    text.remove_prefix(written.size());
    break;
  }
  text = ascii::trim(text);
  if (bytes) {
    const Result<std::uint64_t> size = parse_size(text);
    if (!size) return expected;
    comparison.value = static_cast<double>(*size);
    return comparison;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), comparison.value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || comparison.value < 0)
    return expected;
  return comparison;
}

bool is_of_client(Key key) {
  switch (key) {
    case Key::ip:
    case Key::local:
    case Key::authenticated:
    case Key::user:
    case Key::hostname:
    case Key::daemon_name:
      return true;
    default:
      return false;
  }
}

bool speaks_of_client(const Conditions& conditions) {
  return std::any_of(conditions.match.begin(), conditions.match.end(),
                     [](const Condition& condition) { return is_of_client(condition.key); });
}

std::string_view name(Key key) {
  switch (key) {
    case Key::ip:
      return "ip";
    case Key::local:
      return "local";
    case Key::authenticated:
      return "authenticated";
    case Key::user:
      return "user";
    case Key::from:
      return "from";
    case Key::from_mime:
      return "from_mime";
    case Key::rcpt:
      return "rcpt";
    case Key::rcpt_mime:
      return "rcpt_mime";
    case Key::header:
      return "header";
    case Key::hostname:
      return "hostname";
    case Key::daemon_name:
      return "daemon_name";
    case Key::size:
      return "size";
    case Key::subject:
      return "subject";
    case Key::list:
      return "list";
    case Key::dkim_signed:
      return "dkim_signed";
    case Key::source:
      return "source";
    case Key::type:
      return "type";
    case Key::width:
      return "width";
    case Key::height:
      return "height";
    case Key::megapixels:
      return "megapixels";
    case Key::bytes:
      return "bytes";
    case Key::frames:
      return "frames";
    case Key::alpha:
      return "alpha";
    case Key::gps:
      return "gps";
    case Key::attachment:
      return "attachment";
  }
  return "?";
}

}  // namespace pixmilter::config
