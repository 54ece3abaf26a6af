#include "config/redis_url.h"

#include <charconv>

#include "base/ascii.h"

namespace pixmilter::config {
namespace {

constexpr std::size_t kLongestSocketPath = 107;  // sun_path less its NUL
constexpr std::uint32_t kLastDatabase = 65'535;

// False: a % without two hexadecimal digits behind it, or a NUL.
bool percent_decoded(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned char byte = 0;
    if (i + 2 >= text.size()) return false;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc() || end != text.data() + i + 3 || byte == 0) return false;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return true;
}

template <class Number>
bool number(std::string_view text, Number highest, Number& out) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > highest)
    return false;
  out = value;
  return true;
}

}  // namespace

std::string RedisAddress::text() const {
  if (!path.empty()) return "unix:" + path;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<RedisAddress> parse_redis_url(std::string_view text) {
  const Error expected{
      "\"redis://[:PASSWORD@]HOST[:PORT][/DATABASE]\" or \"unix://[:PASSWORD@]/PATH[?db=DATABASE]\" is "
      "expected"};
  for (const char c : text)
    if (c <= ' ' || c > '~') return expected;
  if (ascii::istarts_with(text, "rediss:"))
    return Error{"Redis over TLS is not served: put a tunnel before it"};
  const bool tcp = ascii::istarts_with(text, "redis://");
  if (!tcp && !ascii::istarts_with(text, "unix://")) return expected;
  text.remove_prefix(text.find("//") + 2);
  RedisAddress address;
  const std::size_t authority = tcp ? std::min(text.find('/'), text.size()) : text.size();
  // A path may hold an @ as well: user and password end at the last one before it.
  const std::string_view before_path = tcp ? text.substr(0, authority) : text.substr(0, text.find('/'));
  if (const std::size_t at = before_path.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = text.substr(0, at);
    const std::size_t colon = login.find(':');
    if (colon == std::string_view::npos || !percent_decoded(login.substr(0, colon), address.user) ||
        !percent_decoded(login.substr(colon + 1), address.password) || address.password.empty())
      return Error{"before the @ stands :PASSWORD or USER:PASSWORD, percent-encoded"};
    text.remove_prefix(at + 1);
  }
  if (!tcp) {
    const std::size_t query = text.find('?');
    address.path = text.substr(0, query);
    if (!address.path.starts_with('/') || address.path.size() > kLongestSocketPath) return expected;
    if (query == std::string_view::npos) return address;
    text.remove_prefix(query + 1);
    if (!text.starts_with("db=") || !number(text.substr(3), kLastDatabase, address.database)) return expected;
    return address;
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view database = text.substr(slash + 1);
    if (!database.empty() && !number(database, kLastDatabase, address.database)) return expected;
    text = text.substr(0, slash);
  }
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return expected;
    address.host = text.substr(1, close - 1);
    if (close + 1 < text.size() && text[close + 1] != ':') return expected;
    colon = close + 1 < text.size() ? close + 1 : std::string_view::npos;
    if (address.host.find(':') == std::string::npos) return expected;
  } else {
    address.host = text.substr(0, colon);
    if (address.host.find(':') != std::string::npos) return expected;
  }
  std::uint16_t port = address.port;
  if (colon != std::string_view::npos && !number<std::uint16_t>(text.substr(colon + 1), 65'535, port))
    return expected;
  if (address.host.empty() || port == 0) return expected;
  address.port = port;
  return address;
}

}  // namespace pixmilter::config
