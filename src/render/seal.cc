#include "render/seal.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/landlock.h"
#include "base/sanitized.h"
#include "base/thread_sanitizer.h"
#include "render/syscall_filter.h"

namespace pixmilter::render {

using worker::wire::Purpose;

namespace {

// Where fonts are, the configuration that says so, and the caches that make it quick. For a GdkPixbuf
// inside an SVG, the table of media types.
constexpr const char* kFontFolders[] = {
    "/usr/share/fonts",      "/usr/local/share/fonts", "/usr/share/fontconfig", "/etc/fonts",
    "/var/cache/fontconfig", "/usr/share/mime",        "/usr/share/libthai"};

// Whom root's workers become: the package's user, or nobody.
constexpr char kUser[] = "pixmilter";
constexpr uid_t kNobody = 65534;

constexpr int kNamespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;

// Between SIGXCPU, which says why, and SIGKILL.
constexpr rlim_t kLastSeconds = 5;

// Descriptors a worker has at once: standard ones, its socket, a picture's two; an SVG worker's fonts.
constexpr rlim_t kPictureDescriptors = 16;
constexpr rlim_t kSvgDescriptors = 64;
// Threads of everything that runs as this user. Far more than decoders start, far less than a fork bomb.
constexpr rlim_t kThreads = 4096;

std::string because(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

bool drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return ::syscall(SYS_capset, &header, none) == 0;
}

// Gone for good even for a program that gains privileges by execve, which no_new_privs forbids as well.
void drop_bounding_set() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
}

Status leave_root() {
  const passwd* user = ::getpwnam(kUser);
  const uid_t uid = user != nullptr && user->pw_uid != 0 ? user->pw_uid : kNobody;
  const gid_t gid = user != nullptr && user->pw_uid != 0 ? user->pw_gid : kNobody;
  if (::setgroups(0, nullptr) != 0) return Error{because("setgroups")};
  if (::setresgid(gid, gid, gid) != 0) return Error{because("setresgid")};
  if (::setresuid(uid, uid, uid) != 0) return Error{because("setresuid")};
  return Done{};
}

bool limit(__rlimit_resource resource, rlim_t value, rlim_t grace = 0) {
  rlimit current{};
  ::getrlimit(resource, &current);
  const rlimit wanted{std::min(value, current.rlim_max), std::min(value + grace, current.rlim_max)};
  return ::setrlimit(resource, &wanted) == 0;
}

// Bytes of address space in use.
std::uint64_t address_space() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long pages = 0;
  const bool read = std::fscanf(file, "%lu", &pages) == 1;
  std::fclose(file);
  return read ? std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void limit_resources(Purpose purpose, const Options& options, std::uint64_t now, Missing& missing) {
  // Sanitizers reserve terabytes.
  if (!kSanitized && (now == 0 || !limit(RLIMIT_AS, now + options.memory)))
    missing.push_back("no limit of memory");
  const rlim_t descriptors = purpose == Purpose::svg ? kSvgDescriptors : kPictureDescriptors;
  if (!limit(RLIMIT_CPU, options.cpu_seconds, kLastSeconds) || !limit(RLIMIT_FSIZE, 0) ||
      !limit(RLIMIT_NOFILE, descriptors) || !limit(RLIMIT_NPROC, kThreads) || !limit(RLIMIT_CORE, 0))
    missing.push_back(because("no resource limits"));
}

}  // namespace

bool enter_namespaces() {
  if (::geteuid() == 0) return ::unshare(kNamespaces) == 0;
  if (::unshare(CLONE_NEWUSER | kNamespaces) != 0) return false;
  drop_bounding_set();
  return drop_capabilities();
}

Status shed_privileges(UniqueFd& socket, pid_t zygote, bool namespaces, Missing& missing) {
  end_runtime_thread();
  if (socket.get() != kWorkerSocket) {
    if (::dup3(socket.get(), kWorkerSocket, O_CLOEXEC) < 0) return Error{because("dup3")};
    socket.reset(kWorkerSocket);
  }
  if (::close_range(kWorkerSocket + 1, ~0U, 0) != 0) return Error{because("close_range")};
  if (::geteuid() == 0) {
    // In a container that maps no other user it stays; its capabilities go all the same.
    const Status left = leave_root();
    if (!left) missing.push_back("root not left: " + left.error().text);
    // In a user namespace of its own that nobody is mapped in, no other process counts as its own kind.
    namespaces = ::unshare(CLONE_NEWUSER | (namespaces ? 0 : kNamespaces)) == 0;
  }
  if (!namespaces) missing.push_back("no namespaces");
  drop_bounding_set();
  if (!drop_capabilities()) return Error{because("capset")};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error{because("no_new_privs")};
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  // Not before: a change of user clears it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != zygote) return Error{"the zygote has gone"};
  const Status writing = forbid_writing();
  if (!writing) missing.push_back("no Landlock: " + writing.error().text);
  return Done{};
}

Status seal(Purpose purpose, const Options& options, Missing& missing) {
  ::close_range(kWorkerSocket + 1, ~0U, 0);
  const std::uint64_t in_use = address_space();  // while /proc can be read
  const bool svg = purpose == Purpose::svg;
  const Status reading =
      allow_reading_only(svg ? std::span<const char* const>(kFontFolders) : std::span<const char* const>());
  // shed_privileges() has said it already where there is none at all.
  if (!reading && landlock_version() > 0) missing.push_back("Landlock not complete: " + reading.error().text);
  limit_resources(purpose, options, in_use, missing);
  // Without Landlock a text is drawn with the fonts that the warm-up has read.
  const bool fonts = svg && reading.ok();
  return forbid_system_calls({.socket = kWorkerSocket, .read_files = fonts});
}

}  // namespace pixmilter::render
