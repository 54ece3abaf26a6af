#include "source/fetch_seal.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/confine.h"
#include "base/log.h"
#include "base/sanitized.h"

namespace pixmilter::source {
namespace {

// Whom root's process becomes: the package's user, or nobody.
constexpr char kUser[] = "pixmilter";
constexpr uid_t kNobody = 65534;
constexpr std::uint16_t kNameServer = 53;

// Sessions (fetch_server.cc), connections, and what a name service opens.
constexpr rlim_t kDescriptors = 2048;
// Threads that look names up, and all else that runs as this user.
constexpr rlim_t kThreads = 4096;
// Beside the bodies: libraries, stacks of threads that look names up, TLS.
constexpr std::uint64_t kMemory = 2ull << 30;

Error because(const char* what) { return Error{std::string(what) + ": " + std::strerror(errno)}; }

bool limit(__rlimit_resource resource, rlim_t value) {
  rlimit current{};
  ::getrlimit(resource, &current);
  const rlim_t most = std::min(value, current.rlim_max);
  const rlimit wanted{most, most};
  return ::setrlimit(resource, &wanted) == 0;
}

Status leave_root() {
  const passwd* user = ::getpwnam(kUser);
  const uid_t uid = user != nullptr && user->pw_uid != 0 ? user->pw_uid : kNobody;
  const gid_t gid = user != nullptr && user->pw_uid != 0 ? user->pw_gid : kNobody;
  if (::setgroups(0, nullptr) != 0) return because("setgroups");
  if (::setresgid(gid, gid, gid) != 0) return because("setresgid");
  if (::setresuid(uid, uid, uid) != 0) return because("setresuid");
  return Done{};
}

// Of the file system, what looks names up and what checks certificates; of the network, the ports that are
// listed, and a name server's.
Reach reach_of(const config::Fetch& fetch) {
  Reach reach{system_files(), {kNameServer}, {}};
  reach.readable.emplace_back("/etc/ssl");
  for (const config::UrlPattern& pattern : fetch.allow)
    if (std::find(reach.connect_ports.begin(), reach.connect_ports.end(), pattern.port()) ==
        reach.connect_ports.end())
      reach.connect_ports.push_back(pattern.port());
  return reach;
}

}  // namespace

Status shed_privileges() {
  if (::geteuid() == 0) {
    for (unsigned long capability = 0; ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
    }
    // In a container that maps no other user root stays what it is there; its capabilities go all the same.
    static_cast<void>(leave_root().ok());
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, none) != 0) return because("capset");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return because("no_new_privs");
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return Done{};
}

Status seal(const config::Fetch& fetch) {
  // A body is there as it grows, and once more as it is handed over.
  const std::uint64_t bodies = 3 * fetch.max_bytes * fetch.max_concurrent;
  // Sanitizers reserve terabytes.
  if (!kSanitized && !limit(RLIMIT_AS, kMemory + bodies)) return because("limit of memory");
  if (!limit(RLIMIT_FSIZE, fetch.max_bytes) || !limit(RLIMIT_NOFILE, kDescriptors) ||
      !limit(RLIMIT_NPROC, kThreads) || !limit(RLIMIT_CORE, 0))
    return because("resource limits");
  std::string lack;
  for (const std::string& each : confine(reach_of(fetch))) lack += (lack.empty() ? "" : "; ") + each;
  if (!lack.empty()) log::warning("the process that fetches URLs is not confined wholly: " + lack);
  return Done{};
}

}  // namespace pixmilter::source
