#include "render/syscall_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/sanitized.h"
#include "base/seccomp_filter.h"

namespace pixmilter::render {
namespace {

// What pthread_create() of glibc passes to clone(2), exactly.
constexpr scmp_datum_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                      CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                      CLONE_CHILD_CLEARTID;

// Between pictures: hear the front, answer it.
void allow_serving(SeccompFilter& filter, int socket) {
  const auto own = static_cast<scmp_datum_t>(socket);
  filter.allow_if(SCMP_SYS(recvmsg), {equals(0, own)});
  filter.allow_if(SCMP_SYS(sendto), {equals(0, own), equals(4, 0)});
  filter.allow_if(SCMP_SYS(write), {equals(0, STDERR_FILENO)});
  filter.allow({SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(exit_group)});
}

// What every decoder does: memory that is never executed, threads, locks, the time.
void allow_computing(SeccompFilter& filter) {
  filter.allow_if(SCMP_SYS(mmap), {none_of(2, PROT_EXEC)});
  filter.allow_if(SCMP_SYS(mprotect), {none_of(2, PROT_EXEC)});
  filter.allow({SCMP_SYS(brk), SCMP_SYS(mremap), SCMP_SYS(madvise)});
  filter.allow({SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
                SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(rt_sigprocmask),
                SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime),
                SCMP_SYS(getrandom)});
  filter.allow_if(SCMP_SYS(clone), {equals(0, kThreadFlags)});
  // Its flags lie in memory, where no filter sees them; glibc then falls back to clone.
  filter.answer(SCMP_SYS(clone3), ENOSYS);
  filter.allow_if(SCMP_SYS(prctl), {equals(0, PR_SET_NAME)});
}

// abort(), so that a failed assertion is told from a forbidden call.
void allow_giving_up(SeccompFilter& filter) {
  filter.allow({SCMP_SYS(getpid), SCMP_SYS(gettid)});
  filter.allow_if(SCMP_SYS(rt_sigaction), {equals(0, SIGABRT)});
  filter.allow_if(SCMP_SYS(tgkill), {equals(0, static_cast<scmp_datum_t>(::getpid())), equals(2, SIGABRT)});
}

// Fonts are read when a text first asks for one. Landlock says where from.
void allow_reading(SeccompFilter& filter) {
  constexpr scmp_datum_t kChanging = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
  filter.allow_if(SCMP_SYS(openat), {none_of(2, kChanging)});
  filter.allow({SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
                SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat),
                SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(getdents64), SCMP_SYS(fadvise64)});
  filter.allow_if(SCMP_SYS(fcntl), {equals(1, F_SETFD)});
  filter.allow_if(SCMP_SYS(fcntl), {equals(1, F_GETFD)});
  filter.allow_if(SCMP_SYS(fcntl), {equals(1, F_GETFL)});
}

// Libraries that ask for a file all the same are told no, and do without it.
void refuse_reading(SeccompFilter& filter) {
  for (const int call : {SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
                         SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink)})
    filter.answer(call, EACCES);
}

// For sanitizers. Before a call that does not come back, an exception for one, the runtime asks for the stack
// of signals. And a report begins with looks at files, which it does without; a worker that is killed there
// has not said what was found.
void allow_reporting(SeccompFilter& filter) {
  filter.allow_if(SCMP_SYS(sigaltstack), {equals(0, 0)});
  filter.answer(SCMP_SYS(open), EACCES);
  filter.answer(SCMP_SYS(ioctl), ENOTTY, {equals(1, TCGETS)});
}

}  // namespace

Status forbid_system_calls(const FilterOptions& options) {
  SeccompFilter filter(SCMP_ACT_KILL_PROCESS);
  allow_serving(filter, options.socket);
  allow_computing(filter);
  allow_giving_up(filter);
  if (options.read_files)
    allow_reading(filter);
  else
    refuse_reading(filter);
  if constexpr (kSanitized) allow_reporting(filter);
  return filter.load();
}

}  // namespace pixmilter::render
