#include "source/fetch_headers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/ascii.h"
#include "base/unique_fd.h"

namespace pixmilter::source {
namespace {

constexpr std::size_t kMaxFile = 1 << 20;

// What libcurl writes itself, and what would make two messages of one.
bool ours(std::string_view name) {
  for (const std::string_view one : {"host", "connection", "content-length", "transfer-encoding", "te",
                                     "upgrade", "expect", "accept-encoding", "range"})
    if (ascii::iequals(name, one)) return true;
  return false;
}

Result<HostHeader> parse_line(std::string_view line) {
  HostHeader header;
  const std::size_t space = line.find_first_of(" \t");
  if (space == std::string_view::npos) return Error{"HOST NAME: VALUE is expected"};
  std::string place(line.substr(0, space));
  if (place.find("://") == std::string::npos) place = "https://" + place;
  const Result<Url> url = parse_url(place);
  if (!url) return url.error();
  if (url->path != "/" || !url->query.empty()) return Error{"a host without a path is expected"};
  header.scheme = url->scheme;
  header.host = url->host;
  header.port = url->port;
  const std::string_view field = ascii::trim(line.substr(space));
  const std::size_t colon = field.find(':');
  const std::string_view name = field.substr(0, std::min(colon, field.size()));
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : ascii::trim(field.substr(colon + 1));
  static constexpr std::string_view kToken = "!#$%&'*+-.^_`|~";
  const bool token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return ascii::is_alnum(c) || kToken.find(c) != std::string_view::npos;
  });
  if (!token || value.empty()) return Error{"NAME: VALUE is expected after the host"};
  if (ours(name)) return Error{"the header " + std::string(name) + " is not for you to set"};
  for (const char c : value)
    if (c != '\t' && (c < ' ' || c > '~')) return Error{"the value is not printable ASCII"};
  header.field = std::string(name) + ": " + std::string(value);
  return header;
}

}  // namespace

Result<std::vector<HostHeader>> parse_host_headers(std::string_view text) {
  std::vector<HostHeader> headers;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = ascii::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    Result<HostHeader> header = parse_line(line);
    if (!header) return Error{"line " + std::to_string(number) + ": " + header.error().text};
    headers.push_back(*std::move(header));
  }
  return headers;
}

Result<std::string> read_whole_file(const std::string& path, std::size_t max, bool secret) {
  const auto failed = [&](const std::string& why) { return Error{path + ": " + why}; };
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return failed("no regular file");
  if (secret && (status.st_mode & S_IRWXO) != 0)
    return failed("everybody may get at it, and it holds what nobody else should know; chmod o= it");
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(std::strerror(errno));
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > max) return failed("larger than " + std::to_string(max) + " bytes");
  }
}

Result<std::vector<HostHeader>> read_host_headers(const std::string& path) {
  const Result<std::string> text = read_whole_file(path, kMaxFile, true);
  if (!text) return text.error();
  Result<std::vector<HostHeader>> headers = parse_host_headers(*text);
  if (!headers) return Error{path + ": " + headers.error().text};
  return headers;
}

}  // namespace pixmilter::source
