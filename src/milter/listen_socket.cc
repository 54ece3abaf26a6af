#include "milter/listen_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/log.h"

namespace pixmilter::milter {
namespace {

constexpr int kBacklog = SOMAXCONN;
constexpr std::string_view kForms = "write unix:PATH, inet:PORT@HOST, inet6:PORT@HOST or fd:N";

Error about(std::string_view what, std::string_view why) {
  return Error{"socket " + std::string(what) + ": " + std::string(why)};
}

template <class Number>
bool whole_number(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return about("unix:" + path, "the path is longer than " + std::to_string(sizeof address.sun_path - 1) +
                                     " bytes, which a unix socket cannot have");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

enum class Found { nothing, stale, live, other };

// What stands at the path. A socket that refuses connections belongs to nobody any more.
Result<Found> look_at(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Found::nothing;
    return about("unix:" + path, std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode)) return Found::other;
  const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return about("unix:" + path, std::strerror(errno));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return Found::live;
  if (errno == ECONNREFUSED) return Found::stale;
  if (errno == ENOENT) return Found::nothing;
  if (errno == EAGAIN || errno == EPROTOTYPE)
    return Found::live;  // its backlog is full; it is of another kind
  return about("unix:" + path,
               std::string("cannot tell whether anybody listens on it: ") + std::strerror(errno));
}

void give_group(const std::string& path, const std::string& group) {
  if (group.empty()) return;
  std::vector<char> buffer(16384);
  struct group entry {};
  struct group* found = nullptr;
  if (::getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return;
  if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0)
    log::warning("socket unix:" + path + ": cannot give it to group " + group + ": " + std::strerror(errno));
}

std::string address_text(const sockaddr_storage& address, socklen_t size, std::uint16_t& port) {
  char host[NI_MAXHOST];
  char service[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, service,
                    sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  whole_number(std::string_view(service), port);
  return host;
}

// The name of what a socket is bound to; nothing for families that are not ours.
std::optional<std::string> bound_name(int fd, bool& local) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  local = address.ss_family == AF_UNIX;
  if (local) {
    const auto& path = reinterpret_cast<const sockaddr_un&>(address);
    const std::size_t offset = offsetof(sockaddr_un, sun_path);
    const std::size_t length = size > offset ? ::strnlen(path.sun_path, size - offset) : 0;
    return "unix:" + std::string(path.sun_path, length);
  }
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return std::nullopt;
  std::uint16_t port = 0;
  const std::string host = address_text(address, size, port);
  return (address.ss_family == AF_INET ? "inet:" : "inet6:") + std::to_string(port) + "@" + host;
}

Result<UniqueFd> bind_address(const SocketSpec& spec) {
  const bool six = spec.kind == SocketSpec::Kind::inet6;
  const std::string what = (six ? "inet6:" : "inet:") + std::to_string(spec.port) + "@" + spec.host;
  addrinfo hints{};
  hints.ai_family = six ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const int failed = ::getaddrinfo(spec.host.c_str(), std::to_string(spec.port).c_str(), &hints, &first);
  if (failed != 0) return about(what, failed == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(failed));
  std::string why = "no address";
  UniqueFd fd;
  for (const addrinfo* at = first; at != nullptr && !fd; at = at->ai_next) {
    UniqueFd attempt(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (attempt && ::setsockopt(attempt.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!six || ::setsockopt(attempt.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        ::bind(attempt.get(), at->ai_addr, at->ai_addrlen) == 0 && ::listen(attempt.get(), kBacklog) == 0)
      fd = std::move(attempt);
    else
      why = std::strerror(errno);
  }
  ::freeaddrinfo(first);
  if (!fd) return about(what, why);
  return fd;
}

Result<UniqueFd> take_over(int number) {
  const std::string what = "fd:" + std::to_string(number);
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0)
    return about(what, std::strerror(errno));
  if (listening == 0) return about(what, "this socket does not listen");
  // libmilter expects accept() to block or to have been polled for; systemd may hand it over otherwise.
  const int flags = ::fcntl(number, F_GETFL);
  ::fcntl(number, F_SETFL, flags & ~O_NONBLOCK);
  ::fcntl(number, F_SETFD, FD_CLOEXEC);
  return UniqueFd(number);
}

}  // namespace

Result<SocketSpec> parse_socket_spec(std::string_view text) {
  SocketSpec spec;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return about(text, kForms);
  const std::string kind = ascii::to_lower(text.substr(0, colon));
  const std::string_view rest = text.substr(colon + 1);
  if (kind == "unix" || kind == "local") {
    spec.kind = SocketSpec::Kind::unix_path;
    spec.path = rest;
    if (rest.empty()) return about(text, "the path is missing");
    if (rest.find('\0') != std::string_view::npos) return about(text, "the path has a NUL in it");
    return spec;
  }
  if (kind == "inet" || kind == "inet6") {
    spec.kind = kind == "inet" ? SocketSpec::Kind::inet : SocketSpec::Kind::inet6;
    const auto at = rest.find('@');
    if (at == std::string_view::npos || at + 1 == rest.size())
      return about(text, "the host is missing: write " + kind + ":PORT@HOST");
    if (!whole_number(rest.substr(0, at), spec.port))
      return about(text, "the port is no number from 0 to 65535: write " + kind + ":PORT@HOST");
    std::string_view host = rest.substr(at + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    spec.host = host;
    return spec;
  }
  if (kind == "fd") {
    spec.kind = SocketSpec::Kind::descriptor;
    if (!whole_number(rest, spec.fd) || spec.fd < 0) return about(text, "the descriptor is no number");
    return spec;
  }
  return about(text, kForms);
}

Result<ListenSocket> ListenSocket::open(const SocketSpec& spec, std::uint32_t mode,
                                        const std::string& group) {
  ListenSocket made;
  if (spec.kind != SocketSpec::Kind::unix_path) {
    auto fd = spec.kind == SocketSpec::Kind::descriptor ? take_over(spec.fd) : bind_address(spec);
    if (!fd) return fd.error();
    made.fd_ = *std::move(fd);
    auto name = bound_name(made.fd_.get(), made.local_);
    if (!name) return about("fd:" + std::to_string(spec.fd), "neither a unix nor an internet socket");
    made.name_ = *std::move(name);
    return made;
  }
  made.local_ = true;
  made.name_ = "unix:" + spec.path;
  const auto address = unix_address(spec.path);
  if (!address) return address.error();
  const auto found = look_at(spec.path, *address);
  if (!found) return found.error();
  if (*found == Found::live) return about(made.name_, "another process listens on it");
  if (*found == Found::other) return about(made.name_, "something that is no socket stands there");
  if (*found == Found::stale) {
    log::notice("socket " + made.name_ + ": nobody listens on it any more; replacing it");
    if (::unlink(spec.path.c_str()) != 0) return about(made.name_, std::strerror(errno));
  }
  made.fd_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.fd_) return about(made.name_, std::strerror(errno));
  // Nobody may connect before group and mode are right: no permission until then, and no listen().
  const mode_t before = ::umask(0777);
  const int bound = ::bind(made.fd_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int failure = errno;
  ::umask(before);
  if (bound != 0) return about(made.name_, std::strerror(failure));
  made.path_ = spec.path;
  struct stat status {};
  if (::lstat(spec.path.c_str(), &status) != 0) return about(made.name_, std::strerror(errno));
  made.device_ = status.st_dev;
  made.inode_ = status.st_ino;
  give_group(spec.path, group);
  if (::chmod(spec.path.c_str(), mode & 0777) != 0 || ::listen(made.fd_.get(), kBacklog) != 0)
    return about(made.name_, std::strerror(errno));
  return made;
}

Status ListenSocket::give_to(uid_t owner) {
  if (path_.empty() || ::geteuid() == owner) return Done{};
  if (::lchown(path_.c_str(), owner, static_cast<gid_t>(-1)) == 0) return Done{};
  return about(name_,
               std::string("cannot give it to user ") + std::to_string(owner) + ": " + std::strerror(errno));
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::move(other.fd_)),
      local_(other.local_),
      name_(std::move(other.name_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

ListenSocket::~ListenSocket() {
  struct stat status {};
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_)
    ::unlink(path_.c_str());
}

}  // namespace pixmilter::milter
