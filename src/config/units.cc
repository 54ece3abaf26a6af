#include "config/units.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/ascii.h"

namespace pixmilter::config {
namespace {

constexpr std::uint64_t kLargestSize = 1ull << 60;
constexpr std::size_t kLongestSocketPath = 107;  // sun_path less its NUL

// The number at the beginning of text, which then begins with what follows it.
bool take_number(std::string_view& text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end == text.data()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const Error expected{"a size such as \"500\", \"500K\", \"10M\" or \"1G\" is expected"};
  std::uint64_t value = 0;
  if (!take_number(text, value)) return expected;
  int shift = 0;
  if (ascii::iequals(text, "K"))
    shift = 10;
  else if (ascii::iequals(text, "M"))
    shift = 20;
  else if (ascii::iequals(text, "G"))
    shift = 30;
  else if (!text.empty())
    return expected;
  if (value > kLargestSize >> shift) return Error{"the size is too large"};
  return value << shift;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const Error expected{"a duration such as \"250ms\", \"30s\" or \"5m\" is expected"};
  std::uint64_t value = 0;
  if (!take_number(text, value)) return expected;
  std::uint64_t unit = 0;
  if (text == "ms")
    unit = 1;
  else if (text == "s")
    unit = 1000;
  else if (text == "m")
    unit = 60'000;
  else
    return expected;
  constexpr std::uint64_t kDay = 24 * 60 * 60 * 1000;
  if (value == 0 || value > kDay / unit) return Error{"a duration from 1ms to a day is expected"};
  return std::chrono::milliseconds(value * unit);
}

Status check_socket(std::string_view text) {
  const Error expected{"one of unix:PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:N is expected"};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return expected;
  const std::string_view kind = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 1);
  std::uint64_t number = 0;
  if (kind == "unix" || kind == "local") {
    if (rest.empty() || rest.front() != '/') return Error{"an absolute path is expected after unix:"};
    if (rest.size() > kLongestSocketPath) return Error{"the path of a unix socket has at most 107 bytes"};
    return Done{};
  }
  if (kind == "fd")
    return take_number(rest, number) && rest.empty() && number < 1024 ? Status(Done{}) : Status(expected);
  if (kind != "inet" && kind != "inet6") return expected;
  if (!take_number(rest, number) || number == 0 || number > 65535 || !rest.starts_with('@') ||
      rest.size() < 2)
    return expected;
  return Done{};
}

Status check_folder(std::string_view path) {
  const Error expected{"a folder name without \".\", \"..\" and empty components is expected"};
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    if (component.empty() || component == "." || component == ".." ||
        component.find('\0') != std::string_view::npos)
      return expected;
    if (slash == std::string_view::npos) return Done{};
    path.remove_prefix(slash + 1);
  }
}

Status check_absolute(std::string_view path) {
  const Error expected{"an absolute path without \".\", \"..\" and empty components is expected"};
  if (!path.starts_with('/')) return expected;
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  return check_folder(path) ? Status(Done{}) : Status(expected);
}

HostAndPort split_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  HostAndPort out;
  if (colon == std::string_view::npos) return out;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string_view port = text.substr(colon + 1);
  std::uint64_t number = 0;
  if (!take_number(port, number) || !port.empty() || number > 65535) return out;
  out.host = host;
  out.port = static_cast<std::uint16_t>(number);
  return out;
}

Status check_address(std::string_view text) {
  if (text.empty()) return Done{};
  const HostAndPort address = split_address(text);
  const bool bracketed = text.front() == '[' && text.find("]:") != std::string_view::npos;
  if (address.host.empty() || address.port == 0 ||
      (address.host.find_first_of(":[] /") != std::string::npos && !bracketed))
    return Error{"an address such as \"127.0.0.1:9144\" or \"[::1]:9144\" is expected"};
  return Done{};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace pixmilter::config
