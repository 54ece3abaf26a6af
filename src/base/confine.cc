#include "base/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/seccomp_filter.h"
#include "base/thread_sanitizer.h"
#include "base/unique_fd.h"

namespace pixmilter {
namespace {

// Programs, and processes that are not our own.
void deny_processes(SeccompFilter& filter) {
  for (const int call :
       {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
        SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(tkill), SCMP_SYS(setns),
        SCMP_SYS(unshare), SCMP_SYS(personality), SCMP_SYS(setpriority)})
    filter.answer(call, EPERM);
  filter.answer(SCMP_SYS(prlimit64), EPERM, {differs(0, 0)});
  // Threads are wanted, processes are not. The flags of clone3 lie in memory, where no filter sees them;
  // glibc then falls back to clone.
  filter.answer(SCMP_SYS(clone), EPERM, {none_of(0, CLONE_THREAD)});
  filter.answer(SCMP_SYS(clone3), ENOSYS);
  // Signals to others go by the descriptors that we are given of them.
  const auto self = static_cast<scmp_datum_t>(::getpid());
  for (const int call :
       {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)})
    filter.answer(call, EPERM, {differs(0, self)});
}

// Whatever changes the machine, looks into it, or has been a way into the kernel.
void deny_kernel(SeccompFilter& filter) {
  for (const int call : {SCMP_SYS(bpf),
                         SCMP_SYS(perf_event_open),
                         SCMP_SYS(userfaultfd),
                         SCMP_SYS(io_uring_setup),
                         SCMP_SYS(io_uring_enter),
                         SCMP_SYS(io_uring_register),
                         SCMP_SYS(keyctl),
                         SCMP_SYS(add_key),
                         SCMP_SYS(request_key),
                         SCMP_SYS(mount),
                         SCMP_SYS(umount2),
                         SCMP_SYS(pivot_root),
                         SCMP_SYS(chroot),
                         SCMP_SYS(move_mount),
                         SCMP_SYS(open_tree),
                         SCMP_SYS(mount_setattr),
                         SCMP_SYS(fsopen),
                         SCMP_SYS(fsconfig),
                         SCMP_SYS(fsmount),
                         SCMP_SYS(fspick),
                         SCMP_SYS(init_module),
                         SCMP_SYS(finit_module),
                         SCMP_SYS(delete_module),
                         SCMP_SYS(kexec_load),
                         SCMP_SYS(kexec_file_load),
                         SCMP_SYS(reboot),
                         SCMP_SYS(swapon),
                         SCMP_SYS(swapoff),
                         SCMP_SYS(sethostname),
                         SCMP_SYS(setdomainname),
                         SCMP_SYS(iopl),
                         SCMP_SYS(ioperm),
                         SCMP_SYS(modify_ldt),
                         SCMP_SYS(acct),
                         SCMP_SYS(quotactl),
                         SCMP_SYS(quotactl_fd),
                         SCMP_SYS(open_by_handle_at),
                         SCMP_SYS(fanotify_init),
                         SCMP_SYS(syslog),
                         SCMP_SYS(vhangup),
                         SCMP_SYS(settimeofday),
                         SCMP_SYS(clock_settime),
                         SCMP_SYS(adjtimex),
                         SCMP_SYS(clock_adjtime),
                         SCMP_SYS(setuid),
                         SCMP_SYS(setgid),
                         SCMP_SYS(setreuid),
                         SCMP_SYS(setregid),
                         SCMP_SYS(setresuid),
                         SCMP_SYS(setresgid),
                         SCMP_SYS(setfsuid),
                         SCMP_SYS(setfsgid),
                         SCMP_SYS(setgroups),
                         SCMP_SYS(capset),
                         SCMP_SYS(shmat),
                         SCMP_SYS(vmsplice)})
    filter.answer(call, EPERM);
}

// Memory that is written and then run. Libraries map theirs from files.
void deny_new_code(SeccompFilter& filter) {
  filter.answer(SCMP_SYS(mmap), EPERM, {all_of(2, PROT_WRITE | PROT_EXEC)});
  filter.answer(SCMP_SYS(mprotect), EPERM, {all_of(2, PROT_EXEC)});
  filter.answer(SCMP_SYS(pkey_mprotect), EPERM, {all_of(2, PROT_EXEC)});
}

// Files are read. openat2 has its flags in memory: Landlock alone sees those.
void deny_writing(SeccompFilter& filter) {
  for (const scmp_datum_t flag : {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC}) {
    filter.answer(SCMP_SYS(open), EACCES, {all_of(1, flag)});
    filter.answer(SCMP_SYS(openat), EACCES, {all_of(2, flag)});
  }
  for (const int call :
       {SCMP_SYS(creat),        SCMP_SYS(rename),    SCMP_SYS(renameat),    SCMP_SYS(renameat2),
        SCMP_SYS(unlink),       SCMP_SYS(unlinkat),  SCMP_SYS(rmdir),       SCMP_SYS(mkdir),
        SCMP_SYS(mkdirat),      SCMP_SYS(mknod),     SCMP_SYS(mknodat),     SCMP_SYS(link),
        SCMP_SYS(linkat),       SCMP_SYS(symlink),   SCMP_SYS(symlinkat),   SCMP_SYS(truncate),
        SCMP_SYS(chmod),        SCMP_SYS(fchmod),    SCMP_SYS(fchmodat),    SCMP_SYS(chown),
        SCMP_SYS(lchown),       SCMP_SYS(fchown),    SCMP_SYS(fchownat),    SCMP_SYS(setxattr),
        SCMP_SYS(lsetxattr),    SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
        SCMP_SYS(fremovexattr), SCMP_SYS(utime),     SCMP_SYS(utimes),      SCMP_SYS(futimesat),
        SCMP_SYS(utimensat)})
    filter.answer(call, EACCES);
}

// Without a port to talk to, only sockets between processes. The log is one.
void deny_network(SeccompFilter& filter, const Reach& reach) {
  if (reach.connect_ports.empty() && reach.listen_ports.empty())
    filter.answer(SCMP_SYS(socket), EACCES, {differs(0, AF_UNIX)});
  for (const scmp_datum_t family : {AF_PACKET, AF_VSOCK, AF_ALG, AF_KEY, AF_BLUETOOTH})
    filter.answer(SCMP_SYS(socket), EACCES, {equals(0, family)});
}

Status deny_system_calls(const Reach& reach) {
  SeccompFilter filter(SCMP_ACT_ALLOW);
  deny_processes(filter);
  deny_kernel(filter);
  deny_new_code(filter);
  deny_writing(filter);
  deny_network(filter, reach);
  return filter.load();
}

// Root's own: it reads the files that the administrator named, whoever owns them, and ends workers that
// run as another user.
bool drop_capabilities() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct kept[2] = {};
  if (::geteuid() == 0) {
    if (::syscall(SYS_capget, &header, kept) != 0) return false;
    const std::uint32_t wanted = 1U << CAP_DAC_READ_SEARCH | 1U << CAP_KILL;
    kept[0].effective = kept[0].permitted = kept[0].permitted & wanted;
    kept[0].inheritable = 0;
    kept[1] = {};
  }
  return ::syscall(SYS_capset, &header, kept) == 0;
}

// A core dump is a file with mail in it.
bool forbid_core_dumps() {
  const rlimit none{0, 0};
  return ::setrlimit(RLIMIT_CORE, &none) == 0;
}

}  // namespace

std::vector<std::string> system_files() {
  return {"/usr/lib",
          "/lib",
          "/lib64",
          "/etc/ld.so.cache",
          "/etc/localtime",
          "/etc/timezone",
          "/usr/share/zoneinfo",
          "/etc/hosts",
          "/etc/host.conf",
          "/etc/gai.conf",
          "/etc/resolv.conf",
          "/run/systemd/resolve",
          "/etc/services",
          "/etc/ssl/openssl.cnf",
          "/etc/nsswitch.conf"};
}

std::vector<std::string> confine(const Reach& reach) {
  end_runtime_thread();
  std::vector<std::string> missing;
  if (!forbid_core_dumps() || !drop_capabilities() || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    missing.push_back(std::string("capabilities are not given up: ") + std::strerror(errno));
  if (const Status landlock = allow_only(reach); !landlock)
    missing.push_back("no Landlock: " + landlock.error().text);
  if (const Status filter = deny_system_calls(reach); !filter)
    missing.push_back("no filter of system calls: " + filter.error().text);
  return missing;
}

std::string confinement_report(const std::vector<std::string>& missing) {
  std::string text;
  for (const std::string& each : missing) text += (text.empty() ? "" : "; ") + each;
  return text.empty() ? text : "the process that reads mail is not confined wholly: " + text;
}

std::vector<std::string> probe_confinement() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    for (const std::string& each : confine({}))
      if (::write(write_end.get(), (each + "\n").data(), each.size() + 1) < 0) break;
    ::_exit(0);
  }
  write_end.reset();
  std::string text;
  char buffer[512];
  for (ssize_t size; (size = ::read(read_end.get(), buffer, sizeof buffer)) != 0;) {
    if (size < 0 && errno != EINTR) break;
    if (size > 0) text.append(buffer, static_cast<std::size_t>(size));
  }
  if (child > 0)
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  std::vector<std::string> missing;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    missing.push_back(text.substr(begin, end - begin));
  return missing;
}

}  // namespace pixmilter
