#include "base/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/every_thread.h"
#include "base/unique_fd.h"

namespace pixmilter {
namespace {

// linux/landlock.h, up to version 6.
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};
struct NetPort {
  std::uint64_t allowed_access;
  std::uint64_t port;
};
constexpr unsigned kCreateVersion = 1;
constexpr int kRulePathBeneath = 1;
constexpr int kRuleNetPort = 2;
constexpr int kPortsSince = 4;
constexpr int kScopesSince = 6;

constexpr std::uint64_t kExecute = 1 << 0;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadDir = 1 << 3;
constexpr std::uint64_t kRemoveAndMake = 0x1FF0;    // REMOVE_DIR to MAKE_SYM
constexpr std::uint64_t kRefer = 1 << 13;           // version 2
constexpr std::uint64_t kTruncate = 1 << 14;        // version 3
constexpr std::uint64_t kIoctlDevice = 1 << 15;     // version 5
constexpr std::uint64_t kBindTcp = 1 << 0;          // version 4
constexpr std::uint64_t kConnectTcp = 1 << 1;       // version 4
constexpr std::uint64_t kAbstractSockets = 1 << 0;  // version 6
constexpr std::uint64_t kSignals = 1 << 1;          // version 6

Error failure(const char* what) { return Error{std::string(what) + ": " + std::strerror(errno)}; }

std::uint64_t changing_access(int version) {
  std::uint64_t access = kExecute | kWriteFile | kRemoveAndMake;
  if (version >= 2) access |= kRefer;
  if (version >= 3) access |= kTruncate;
  if (version >= 5) access |= kIoctlDevice;
  return access;
}

UniqueFd create_ruleset(const RulesetAttributes& attributes, int version) {
  std::size_t size = sizeof attributes.handled_access_fs;
  if (version >= kPortsSince) size += sizeof attributes.handled_access_net;
  if (version >= kScopesSince) size += sizeof attributes.scoped;
  return UniqueFd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
}

// Nothing that is not there is a mistake: it could not be read anyway.
Status add_readable(const UniqueFd& ruleset, const char* path) {
  const UniqueFd parent(::open(path, O_PATH | O_CLOEXEC));
  struct stat what {};
  if (!parent || ::fstat(parent.get(), &what) != 0) return Done{};
  const PathBeneath rule{S_ISDIR(what.st_mode) ? kReadFile | kReadDir : kReadFile, parent.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), kRulePathBeneath, &rule, 0) != 0)
    return failure("landlock_add_rule");
  return Done{};
}

Status add_port(const UniqueFd& ruleset, std::uint64_t access, std::uint16_t port) {
  const NetPort rule{access, port};
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), kRuleNetPort, &rule, 0) != 0)
    return failure("landlock_add_rule");
  return Done{};
}

int restrict_self(int ruleset) { return static_cast<int>(::syscall(SYS_landlock_restrict_self, ruleset, 0)); }

}  // namespace

int landlock_version() {
  return std::max(0, static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateVersion)));
}

Status forbid_writing() {
  const int version = landlock_version();
  if (version == 0) return Error{"the kernel has none"};
  const RulesetAttributes attributes{changing_access(version), kBindTcp | kConnectTcp,
                                     kAbstractSockets | kSignals};
  const UniqueFd ruleset = create_ruleset(attributes, version);
  if (!ruleset) return failure("landlock_create_ruleset");
  if (restrict_self(ruleset.get()) != 0) return failure("landlock_restrict_self");
  return Done{};
}

Status allow_reading_only(std::span<const char* const> folders) {
  const int version = landlock_version();
  if (version == 0) return Error{"the kernel has none"};
  const RulesetAttributes attributes{changing_access(version) | kReadFile | kReadDir, 0, 0};
  const UniqueFd ruleset = create_ruleset(attributes, version);
  if (!ruleset) return failure("landlock_create_ruleset");
  for (const char* folder : folders)
    if (auto added = add_readable(ruleset, folder); !added) return added;
  // A ruleset binds the thread that takes it on, and decoders have started threads.
  return on_every_thread(restrict_self, ruleset.get());
}

Status allow_only(const Reach& reach) {
  const int version = landlock_version();
  if (version == 0) return Error{"the kernel has none"};
  const RulesetAttributes attributes{changing_access(version) | kReadFile | kReadDir, kBindTcp | kConnectTcp,
                                     kAbstractSockets};
  const UniqueFd ruleset = create_ruleset(attributes, version);
  if (!ruleset) return failure("landlock_create_ruleset");
  for (const std::string& path : reach.readable)
    if (auto added = add_readable(ruleset, path.c_str()); !added) return added;
  if (version >= kPortsSince) {
    for (const std::uint16_t port : reach.connect_ports)
      if (auto added = add_port(ruleset, kConnectTcp, port); !added) return added;
    for (const std::uint16_t port : reach.listen_ports)
      if (auto added = add_port(ruleset, kBindTcp, port); !added) return added;
  }
  if (restrict_self(ruleset.get()) != 0) return failure("landlock_restrict_self");
  return Done{};
}

}  // namespace pixmilter
