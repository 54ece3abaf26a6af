#include "base/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace pixmilter {
namespace {

constexpr std::size_t kMaxHost = 253;
constexpr std::size_t kMaxLabel = 63;
// How often a path may be escaped on top of itself and still be looked through.
constexpr int kDecodings = 4;

bool unreserved(char c) { return ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }
bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void escape(char c, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
}

// The byte behind "%XX" at the place, or -1.
int escaped_at(std::string_view text, std::size_t i) {
  if (i + 2 >= text.size() || text[i] != '%') return -1;
  const int high = ascii::hex_value(text[i + 1]);
  const int low = ascii::hex_value(text[i + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Escapes in one spelling: none where the letter can stand for itself, upper case digits elsewhere.
Result<std::string> normal_escapes(std::string_view text) {
  static constexpr std::string_view kEscaped = " \"<>^`{|}";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '%') {
      if (static_cast<unsigned char>(c) > 0x7E || kEscaped.find(c) != std::string_view::npos)
        escape(c, out);
      else
        out.push_back(c);
      continue;
    }
    const int byte = escaped_at(text, i);
    if (byte < 0) return Error{"a % that begins no escape"};
    if (const char letter = static_cast<char>(byte); unreserved(letter))
      out.push_back(letter);
    else
      escape(letter, out);
    i += 2;
  }
  return out;
}

// RFC 3986, 5.2.4, for a path that begins with "/".
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = false;  // the path ends in "/"
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    folder = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!folder) kept.push_back(segment);
    begin = end + 1;
  }
  std::string out;
  for (const std::string_view segment : kept) out.append("/").append(segment);
  if (folder || kept.empty()) out.push_back('/');
  return out;
}

// Whether somebody who takes "%2F", "\" or ";" for something else than we do would see the path climb.
bool climbs(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("/\\", begin), path.size());
    std::string_view segment = path.substr(begin, end - begin);
    segment = segment.substr(0, segment.find(';'));
    if (segment == "." || segment == "..") return true;
    begin = end + 1;
  }
  return false;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = escaped_at(text, i);
    out.push_back(byte < 0 ? text[i] : static_cast<char>(byte));
    if (byte >= 0) i += 2;
  }
  return out;
}

bool number(std::string_view label) {
  const bool hexadecimal = ascii::istarts_with(label, "0x");
  if (hexadecimal) label.remove_prefix(2);
  return std::all_of(label.begin(), label.end(),
                     [&](char c) { return hexadecimal ? ascii::hex_value(c) >= 0 : c >= '0' && c <= '9'; });
}

Result<std::string> normal_address6(std::string_view bracketed) {
  const std::string inner(bracketed.substr(1, bracketed.size() - 2));
  in6_addr address{};
  char text[INET6_ADDRSTRLEN];
  if (::inet_pton(AF_INET6, inner.c_str(), &address) != 1 ||
      ::inet_ntop(AF_INET6, &address, text, sizeof text) == nullptr)
    return Error{"no address stands between [ and ]"};
  return "[" + std::string(text) + "]";
}

}  // namespace

std::string Url::text() const {
  std::string out = scheme + "://" + host;
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out + path + query;
}

bool Url::is_address() const {
  return host.front() == '[' || number(std::string_view(host).substr(host.rfind('.') + 1));
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

std::uint16_t parse_port(std::string_view text) {
  std::uint32_t port = 0;
  if (text.empty() || text.size() > 5) return 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port > 65535 ? std::uint16_t{0} : static_cast<std::uint16_t>(port);
}

Result<std::string> normal_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return normal_address6(host);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return Error{"no host"};
  if (host.size() > kMaxHost) return Error{"the host is too long"};
  std::string_view label;
  for (std::size_t begin = 0; begin <= host.size();) {
    const std::size_t end = std::min(host.find('.', begin), host.size());
    label = host.substr(begin, end - begin);
    if (label.empty() || label.size() > kMaxLabel) return Error{"the host has an empty or endless label"};
    for (const char c : label) {
      if (static_cast<unsigned char>(c) > 0x7E)
        return Error{"the host is not ASCII; a name in other letters has a form that begins with xn--"};
      if (!ascii::is_alnum(c) && c != '-' && c != '_')
        return Error{"the host has a character that no name has"};
    }
    begin = end + 1;
  }
  // A name that ends in a number is an address to somebody: only the one spelling that all agree on.
  in_addr address{};
  const std::string lower = ascii::to_lower(host);
  if (number(label) && ::inet_pton(AF_INET, lower.c_str(), &address) != 1)
    return Error{"the host is an address in an unusual spelling"};
  return lower;
}

Result<std::string> normal_path(std::string_view path) {
  if (path.empty()) return std::string("/");
  if (path.front() != '/') return Error{"the path does not begin with /"};
  if (path.find('\\') != std::string_view::npos) return Error{"a backslash"};
  Result<std::string> escaped = normal_escapes(path);
  if (!escaped) return escaped;
  std::string out = without_dot_segments(*escaped);
  std::string seen = out;
  for (int i = 0; i < kDecodings; ++i) {
    seen = decoded(seen);
    if (climbs(seen)) return Error{"the path hides a dot segment"};
    if (std::any_of(seen.begin(), seen.end(), control)) return Error{"the path hides a control character"};
  }
  if (seen != decoded(seen)) return Error{"the path is escaped over and over"};
  return out;
}

Result<std::string> normal_query(std::string_view query) {
  if (query.find('\\') != std::string_view::npos) return Error{"a backslash"};
  return normal_escapes(query);
}

Result<Url> parse_url(std::string_view text) {
  text = ascii::trim(text);
  if (text.size() > Url::kMaxSize) return Error{"the URL is too long"};
  if (std::any_of(text.begin(), text.end(), control)) return Error{"the URL has a control character"};
  Url url;
  const std::size_t colon = std::min(text.find(':'), text.size());
  url.scheme = ascii::to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return Error{"neither http nor https"};
  text.remove_prefix(std::min(colon + 1, text.size()));
  if (!text.starts_with("//")) return Error{"no // after the scheme"};
  text.remove_prefix(2);
  text = text.substr(0, text.find('#'));

  const std::size_t end = std::min(text.find_first_of("/?\\"), text.size());
  std::string_view authority = text.substr(0, end);
  text.remove_prefix(end);
  if (authority.find('@') != std::string_view::npos) return Error{"a user name in the URL"};
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.port = default_port(url.scheme);
  if (port != std::string_view::npos) {
    // "host:" is the scheme's port (RFC 3986, 3.2.3).
    if (port + 1 < authority.size()) url.port = parse_port(authority.substr(port + 1));
    if (url.port == 0) return Error{"no port stands after the host"};
    authority = authority.substr(0, port);
  }
  Result<std::string> host = normal_host(authority);
  if (!host) return host.error();
  url.host = *std::move(host);

  const std::size_t question = std::min(text.find('?'), text.size());
  Result<std::string> path = normal_path(text.substr(0, question));
  if (!path) return path.error();
  url.path = *std::move(path);
  Result<std::string> query = normal_query(text.substr(question));
  if (!query) return query.error();
  if (*query != "?") url.query = *std::move(query);
  if (url.text().size() > Url::kMaxSize) return Error{"the URL is too long"};
  return url;
}

}  // namespace pixmilter
