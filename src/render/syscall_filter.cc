#include "render/syscall_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

namespace pixmilter::render {
namespace {

// What pthread_create() of glibc passes to clone(2), exactly.
constexpr scmp_datum_t kThreadFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                      CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                      CLONE_CHILD_CLEARTID;

// Collects rules; after one that libseccomp does not take, failed() says so.
class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release) {
    // libseccomp asks the kernel first whether it knows this action.
    if (!context_) error_ = ENOSYS;
    if (error_ == 0) set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (error_ == 0) set(SCMP_FLTATR_CTL_NNP, 1);
    if (error_ == 0) set(SCMP_FLTATR_CTL_TSYNC, 1);
  }

  void allow(std::initializer_list<int> calls) {
    for (const int call : calls) add(SCMP_ACT_ALLOW, call, {});
  }
  void allow_if(int call, std::initializer_list<scmp_arg_cmp> arguments) {
    add(SCMP_ACT_ALLOW, call, arguments);
  }
  void answer(int call, int error, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, arguments);
  }
  int load() { return error_ != 0 ? error_ : -::seccomp_load(context_.get()); }

 private:
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    error_ = -::seccomp_attr_set(context_.get(), attribute, value);
  }
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments) {
    if (error_ != 0) return;
    error_ = -::seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(arguments.size()),
                                       arguments.begin());
  }
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp none_of(unsigned argument, scmp_datum_t bits) { return {argument, SCMP_CMP_MASKED_EQ, bits, 0}; }

// Between pictures: hear the front, answer it.
void allow_serving(Filter& filter, int socket) {
  const auto own = static_cast<scmp_datum_t>(socket);
  filter.allow_if(SCMP_SYS(recvmsg), {equals(0, own)});
  filter.allow_if(SCMP_SYS(sendto), {equals(0, own), equals(4, 0)});
  filter.allow_if(SCMP_SYS(write), {equals(0, STDERR_FILENO)});
  filter.allow({SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(exit_group)});
}

// What every decoder does: memory that is never executed, threads, locks, the time.
void allow_computing(Filter& filter) {
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
void allow_giving_up(Filter& filter) {
  filter.allow({SCMP_SYS(getpid), SCMP_SYS(gettid)});
  filter.allow_if(SCMP_SYS(rt_sigaction), {equals(0, SIGABRT)});
  filter.allow_if(SCMP_SYS(tgkill), {equals(0, static_cast<scmp_datum_t>(::getpid())), equals(2, SIGABRT)});
}

// Fonts are read when a text first asks for one. Landlock says where from.
void allow_reading(Filter& filter) {
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
void refuse_reading(Filter& filter) {
  for (const int call : {SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
                         SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink)})
    filter.answer(call, EACCES);
}

}  // namespace

Status forbid_system_calls(const FilterOptions& options) {
  Filter filter;
  allow_serving(filter, options.socket);
  allow_computing(filter);
  allow_giving_up(filter);
  if (options.read_files)
    allow_reading(filter);
  else
    refuse_reading(filter);
  const int error = filter.load();
  if (error != 0) return Error{std::string("seccomp: ") + std::strerror(error)};
  return Done{};
}

}  // namespace pixmilter::render
