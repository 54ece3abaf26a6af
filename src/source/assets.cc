#include "source/assets.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "base/percent.h"
#include "base/unique_fd.h"

namespace pixmilter::source {
namespace {

// Beneath the folder, and through nothing that could lead elsewhere. EAGAIN says that something was renamed
// meanwhile (openat2(2)); whoever renames all the time gets nothing.
UniqueFd open_beneath(int folder, const std::string& path, std::uint64_t flags) {
  constexpr int kTries = 8;
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EINTR && (errno != EAGAIN || tries == kTries)) return UniqueFd();
  }
}

// For the log and the sender: what is wrong with the name, nothing about what else is there.
Error not_opened(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Error{"there is no such asset"};
    case ELOOP:
      return Error{"a symbolic link is on the way to it"};
    case EXDEV:
      return Error{"it leads out of the asset root"};
    default:
      return Error{std::string("it cannot be opened: ") + std::strerror(error)};
  }
}

Result<UniqueFd> open_root(const AssetRoot& root) {
  if (root.path.empty()) return Error{"no asset root is configured"};
  UniqueFd top(::open(root.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) return Error{std::string("the asset root cannot be opened: ") + std::strerror(errno)};
  if (root.folder.empty()) return top;
  UniqueFd folder = open_beneath(top.get(), root.folder, O_PATH | O_DIRECTORY);
  if (!folder)
    return Error{errno == ELOOP || errno == EXDEV
                     ? "a symbolic link is on the way to the asset folder \"" + root.folder + "\""
                     : "the asset folder \"" + root.folder + "\" cannot be opened: " + std::strerror(errno)};
  return folder;
}

// A file of the administrator's: no device, no pipe, and no second name for a file of somebody else's.
Status check_file(const struct stat& file, std::uint64_t max_bytes) {
  if (S_ISLNK(file.st_mode)) return Error{"it is a symbolic link"};
  if (S_ISDIR(file.st_mode)) return Error{"it is a folder"};
  if (!S_ISREG(file.st_mode)) return Error{"it is no regular file"};
  if (file.st_nlink != 1) return Error{"it has more than one hard link"};
  if (file.st_size == 0) return Error{"it is empty"};
  if (static_cast<std::uint64_t>(file.st_size) > max_bytes)
    return Error{"its " + std::to_string(file.st_size) +
                 " bytes are more than [assets] max_bytes = " + std::to_string(max_bytes)};
  return Done{};
}

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

// All of the file and nothing more, and the same file at the end as at the beginning.
Result<std::string> read_all(int fd, const struct stat& before) {
  std::string bytes(static_cast<std::size_t>(before.st_size), '\0');
  const Error changed{"it was changed while it was read"};
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{std::string("it cannot be read: ") + std::strerror(errno)};
    if (got == 0) return changed;
    done += static_cast<std::size_t>(got);
  }
  struct stat after {};
  if (::fstat(fd, &after) != 0) return Error{std::string("it cannot be read: ") + std::strerror(errno)};
  if (after.st_size != before.st_size || !same(after.st_mtim, before.st_mtim)) return changed;
  return bytes;
}

// Calls take(component) for each component of a path; false: it had enough.
template <class Take>
bool each_component(std::string_view path, Take take) {
  for (;;) {
    const std::size_t slash = path.find('/');
    if (!take(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool plain_component(std::string_view component) {
  return !component.empty() && component != "." && component != "..";
}

// What no name of an asset has, wherever it comes from.
Status check_path(std::string_view path) {
  if (path.empty()) return Error{"no name"};
  if (path.size() > kLongestAssetName)
    return Error{"a name of more than " + std::to_string(kLongestAssetName) + " bytes"};
  for (const char c : path) {
    if (c == '\0') return Error{"a NUL in the name"};
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') return Error{"a control character in the name"};
    if (c == '\\') return Error{"a backslash in the name"};
  }
  if (path.front() == '/') return Error{"an absolute path"};
  if (!each_component(path, plain_component)) return Error{"an empty component, \".\" or \"..\" in the name"};
  return Done{};
}

// An absolute path taken relative to the root, by its spelling alone.
Result<std::string> beneath(std::string_view path, const AssetRoot& root) {
  const Error outside{"the path is not beneath the asset root"};
  if (root.path.empty()) return Error{"no asset root is configured"};
  const std::string top = root.full();
  if (!path.starts_with(top) || path.size() == top.size() || path[top.size()] != '/') return outside;
  return std::string(path.substr(top.size() + 1));
}

Result<AssetName> checked(AssetName name) {
  if (Status valid = check_path(name.path); !valid) return valid.error();
  return name;
}

// What stands before "?" and "#", decoded, and what stands between them.
Result<AssetName> split(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  AssetName name;
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) {
    name.has_query = true;
    name.query = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  std::optional<std::string> path = percent::decoded(rest);
  if (!path) return Error{"a percent sign without two hexadecimal digits in the name"};
  name.path = std::move(*path);
  return name;
}

}  // namespace

std::string AssetRoot::full() const {
  std::string out = path;
  while (out.ends_with('/')) out.pop_back();
  return folder.empty() ? out : out + "/" + folder;
}

AssetRoot asset_root(const config::Settings& settings, const config::Policy& policy) {
  if (policy.assets.starts_with('/')) return {policy.assets, {}};
  return {settings.assets.root, policy.assets};
}

std::vector<AssetRoot> asset_roots(const config::Settings& settings) {
  std::vector<AssetRoot> roots;
  const auto add = [&](const config::Policy& policy) {
    AssetRoot root = asset_root(settings, policy);
    if ((policy.sources.asset || policy.sources.file) && !root.path.empty() &&
        std::find(roots.begin(), roots.end(), root) == roots.end())
      roots.push_back(std::move(root));
  };
  add(settings.defaults);
  for (const config::Rule& rule : settings.rules) add(rule.policy);
  return roots;
}

Result<AssetName> read_asset_url(std::string_view url) {
  constexpr std::string_view kScheme = "asset:";
  if (!ascii::istarts_with(url, kScheme)) return Error{"no asset: URL"};
  Result<AssetName> name = split(url.substr(kScheme.size()));
  if (!name) return name.error();
  return checked(std::move(*name));
}

Result<AssetName> read_file_url(std::string_view url, const AssetRoot& root) {
  constexpr std::string_view kScheme = "file:";
  if (!ascii::istarts_with(url, kScheme)) return Error{"no file: URL"};
  url.remove_prefix(kScheme.size());
  if (url.starts_with("//")) {
    const std::string_view host = url.substr(2, url.find('/', 2) - 2);
    if (!host.empty() && !ascii::iequals(host, "localhost")) return Error{"a file: URL with another host"};
    url.remove_prefix(2 + host.size());
  }
  Result<AssetName> name = split(url);
  if (!name) return name.error();
  Result<std::string> path = beneath(name->path, root);
  if (!path) return path.error();
  name->path = std::move(*path);
  return checked(std::move(*name));
}

Result<AssetName> read_plain_name(std::string_view text, const AssetRoot& root) {
  AssetName name;
  name.path = text;
  if (text.starts_with('/')) {
    Result<std::string> path = beneath(text, root);
    if (!path) return path.error();
    name.path = std::move(*path);
  }
  return checked(std::move(name));
}

Result<std::string> read_asset(const AssetRoot& root, const AssetName& name, std::uint64_t max_bytes) {
  if (Status valid = check_path(name.path); !valid) return valid.error();
  Result<UniqueFd> folder = open_root(root);
  if (!folder) return folder.error();
  struct stat file {};
  // A look first: merely opening a device or a pipe can do something.
  const UniqueFd look = open_beneath(folder->get(), name.path, O_PATH | O_NOFOLLOW);
  if (!look) return not_opened(errno);
  if (::fstat(look.get(), &file) != 0) return not_opened(errno);
  if (Status fit = check_file(file, max_bytes); !fit) return fit.error();
  // What was looked at and nothing else: its name may have come to mean a file from outside meanwhile.
  const std::string itself = "/proc/self/fd/" + std::to_string(look.get());
  const UniqueFd opened(::open(itself.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!opened) return not_opened(errno);
  if (::fstat(opened.get(), &file) != 0) return not_opened(errno);
  if (Status fit = check_file(file, max_bytes); !fit) return fit.error();
  return read_all(opened.get(), file);
}

Status check_asset_root(const AssetRoot& root) {
  const auto cannot = [&](int error) {
    return Error{"the asset root " + root.full() + " cannot be read: " + std::strerror(error)};
  };
  Result<UniqueFd> folder = open_root(root);
  if (!folder) return Error{root.full() + ": " + folder.error().text};
  if (::faccessat(folder->get(), ".", X_OK, AT_EACCESS) != 0) return cannot(errno);
  return Done{};
}

}  // namespace pixmilter::source
