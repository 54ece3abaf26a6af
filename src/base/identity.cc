#include "base/identity.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace pixmilter {
namespace {

template <class Number>
std::optional<Number> as_number(const std::string& text) {
  Number value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Error failure(const char* what) { return Error{std::string(what) + ": " + std::strerror(errno)}; }

}  // namespace

Result<Identity> find_identity(const std::string& user, const std::string& group) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    if (const auto number = as_number<uid_t>(user)) entry = ::getpwuid(*number);
  if (entry == nullptr) return Error{"--user: there is no user " + user};
  Identity identity{entry->pw_name, entry->pw_uid, entry->pw_gid};
  if (::geteuid() != 0 && ::geteuid() != identity.uid)
    return Error{"--user: only root can become " + identity.user};
  if (group.empty()) return identity;
  const struct group* found = ::getgrnam(group.c_str());
  if (found == nullptr)
    if (const auto number = as_number<gid_t>(group)) found = ::getgrgid(*number);
  if (found == nullptr) return Error{"--group: there is no group " + group};
  identity.gid = found->gr_gid;
  return identity;
}

Status take_identity(const Identity& identity) {
  if (::geteuid() != 0) return Done{};
  if (::initgroups(identity.user.c_str(), identity.gid) != 0) return failure("initgroups");
  if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return failure("setresgid");
  if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return failure("setresuid");
  if (identity.uid != 0 && ::setuid(0) == 0) return Error{"root could be had again"};
  return Done{};
}

}  // namespace pixmilter
