// A render program that has been taken over, for the tests of the seal.
//
// Linked in place of pixmilter-render, with render_picture wrapped (ld --wrap): a "picture" whose bytes
// begin with "ATTACK NAME WHERE" makes the worker, sealed as ever, try what NAME says, on its main thread
// or on a second one that was there before the seal. The product's own code holds no hook.
//
// What comes back: a picture, when the attempt went through; refused with "held: ..." when the kernel
// said no; and nothing at all when it killed the worker.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <vips/vips.h>

#include "image/job.h"
#include "worker/wire.h"

// NOLINTBEGIN: names that the linker makes.
extern "C++" {
pixmilter::image::ImageResult real_render_picture(const pixmilter::image::ImageJob& job) __asm__(
    "__real__ZN9pixmilter6render14render_pictureERKNS_5image8ImageJobE");
pixmilter::image::ImageResult wrapped_render_picture(const pixmilter::image::ImageJob& job) __asm__(
    "__wrap__ZN9pixmilter6render14render_pictureERKNS_5image8ImageJobE");
}
// NOLINTEND

namespace {

using namespace pixmilter;

constexpr int kSocket = 3;

// Went through: 0 or more. Held: -1 and errno.
using Attempt = long (*)();

// Asked for before the seal, which does not let it be asked for.
long g_parent = 0;
long parent() { return g_parent; }

// Where the heap begins; likewise.
const char* heap_start() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.ends_with("[heap]")) return reinterpret_cast<const char*>(std::stoull(line, nullptr, 16));
  return static_cast<const char*>(::sbrk(0));
}
const char* const g_heap = heap_start();

long held(long result) { return result < 0 ? -1 : 0; }

long map(int protection) {
  void* memory = ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? -1 : 0;
}

long execute_page() {
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static_cast<unsigned char*>(memory)[0] = 0xC3;  // ret
  if (::mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0) return -1;
  reinterpret_cast<void (*)()>(memory)();
  return 0;
}

long run_program(const char* path) {
  char name[] = "x";
  char* const arguments[] = {name, nullptr};
  return ::execve(path, arguments, arguments + 1);
}

// A process, not a thread: the child must not answer in our place.
long cloned(long pid) {
  if (pid == 0) ::_exit(0);
  return held(pid);
}

long send_descriptor() {
  char byte = 'x';
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  return held(::sendmsg(kSocket, &header, MSG_NOSIGNAL));
}

sockaddr_in somewhere() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(25);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

long connect_somewhere() {
  const sockaddr_in address = somewhere();
  return ::connect(kSocket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

long call32(long number) {
  long result;
  // The 32-bit way into the kernel, whose numbers mean other calls.
  asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory");
  errno = static_cast<int>(-result);
  return result < 0 ? -1 : 0;
}

long read_parent_memory() {
  char bytes[16];
  iovec local{bytes, sizeof bytes};
  iovec remote{reinterpret_cast<void*>(&read_parent_memory), sizeof bytes};
  return ::process_vm_readv(static_cast<pid_t>(parent()), &local, 1, &remote, 1, 0);
}

long write_everywhere() {
  long best = -1;
  for (int fd = 0; fd < 64; ++fd)
    if (fd != 2) best = std::max(best, static_cast<long>(::write(fd, "x", 1)));
  return best < 0 ? -1 : 0;
}

std::string of_parent(const char* file) { return "/proc/" + std::to_string(parent()) + "/" + file; }

const std::map<std::string, Attempt>& attempts() {
  static const std::map<std::string, Attempt> all = {
      // Files.
      {"open", [] { return ::syscall(SYS_open, "/etc/passwd", O_RDONLY); }},
      {"openat", [] { return ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
      {"openat2",
       [] {
         struct {
           std::uint64_t flags, mode, resolve;
         } how{};
         return ::syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof how);
       }},
      {"open_to_write", [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600); }},
      {"open_to_create",
       [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp/pixmilter-attack", O_CREAT | O_WRONLY, 0600); }},
      {"open_a_font_to_write",
       [] {
         return ::syscall(SYS_openat, AT_FDCWD, "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", O_RDWR);
       }},
      {"open_proc_self", [] { return ::syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY); }},
      {"read_parent_environ",
       [] { return ::syscall(SYS_openat, AT_FDCWD, of_parent("environ").c_str(), O_RDONLY); }},
      {"read_parent_mem", [] { return ::syscall(SYS_openat, AT_FDCWD, of_parent("mem").c_str(), O_RDONLY); }},
      {"list_root", [] { return ::syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY); }},
      {"list_mail_spool",
       [] { return ::syscall(SYS_openat, AT_FDCWD, "/var/spool", O_RDONLY | O_DIRECTORY); }},
      {"unlink", [] { return ::syscall(SYS_unlink, "/tmp/pixmilter-attack"); }},
      {"mkdir", [] { return ::syscall(SYS_mkdir, "/tmp/pixmilter-attack-folder", 0700); }},
      {"rename", [] { return ::syscall(SYS_rename, "/tmp/a", "/tmp/b"); }},
      {"symlink", [] { return ::syscall(SYS_symlink, "/etc/passwd", "/tmp/pixmilter-attack-link"); }},
      {"chmod", [] { return ::syscall(SYS_chmod, "/tmp", 0777); }},
      {"chroot", [] { return ::syscall(SYS_chroot, "/"); }},
      {"chdir", [] { return ::syscall(SYS_chdir, "/"); }},
      {"name_to_handle_at",
       [] { return ::syscall(SYS_name_to_handle_at, AT_FDCWD, "/", nullptr, nullptr, 0); }},
      {"write_other_descriptors", write_everywhere},
      {"truncate_descriptors",
       [] { return std::max(::syscall(SYS_ftruncate, 4, 1 << 30), ::syscall(SYS_ftruncate, 5, 1 << 30)); }},
      {"dup", [] { return ::syscall(SYS_dup, kSocket); }},
      {"fcntl_async", [] { return ::syscall(SYS_fcntl, kSocket, F_SETOWN, 1); }},
      {"ioctl", [] { return ::syscall(SYS_ioctl, 0, TIOCSTI, "x"); }},
      {"memfd_create", [] { return ::syscall(SYS_memfd_create, "x", 0); }},
      {"inotify", [] { return ::syscall(SYS_inotify_init1, 0); }},
      {"fanotify", [] { return ::syscall(SYS_fanotify_init, 0, 0); }},
      {"shared_memory", [] { return ::syscall(SYS_shmget, 0, 4096, 01600); }},
      {"message_queue", [] { return ::syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, nullptr); }},
      // The network, and the front.
      {"socket", [] { return ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
      {"socket_unix", [] { return ::syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
      {"socket_netlink", [] { return ::syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }},
      {"socketpair",
       [] {
         int ends[2];
         return ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
       }},
      {"connect", connect_somewhere},
      {"bind",
       [] {
         const sockaddr_in address = somewhere();
         return ::syscall(SYS_bind, kSocket, &address, sizeof address);
       }},
      {"listen", [] { return ::syscall(SYS_listen, kSocket, 1); }},
      {"accept", [] { return ::syscall(SYS_accept, kSocket, nullptr, nullptr); }},
      {"send_elsewhere",
       [] {
         const sockaddr_in address = somewhere();
         return ::syscall(SYS_sendto, kSocket, "x", 1, 0, &address, sizeof address);
       }},
      {"send_descriptor", send_descriptor},
      {"setsockopt",
       [] { return ::syscall(SYS_setsockopt, kSocket, SOL_SOCKET, SO_BROADCAST, "\1\0\0\0", 4); }},
      {"pidfd_open_parent", [] { return ::syscall(SYS_pidfd_open, parent(), 0); }},
      {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 4, 0, 0); }},
      // Processes.
      {"execve", [] { return run_program("/bin/true"); }},
      {"execve_self", [] { return run_program("/proc/self/exe"); }},
      {"execveat", [] { return ::syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); }},
      {"fork", [] { return cloned(::syscall(SYS_fork)); }},
      {"vfork", [] { return cloned(static_cast<long>(::vfork())); }},
      {"clone_process", [] { return cloned(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
      {"clone_namespace", [] { return cloned(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }},
      {"clone3_process",
       [] {
         std::uint64_t arguments[11] = {};
         return cloned(::syscall(SYS_clone3, arguments, sizeof arguments));
       }},
      {"kill_parent", [] { return ::syscall(SYS_kill, parent(), SIGKILL); }},
      {"kill_everyone", [] { return ::syscall(SYS_kill, -1, 0); }},
      {"tgkill_parent", [] { return ::syscall(SYS_tgkill, parent(), parent(), SIGKILL); }},
      {"tgkill_self_stop",
       [] { return ::syscall(SYS_tgkill, ::syscall(SYS_getpid), ::syscall(SYS_gettid), SIGCONT); }},
      {"ptrace_parent", [] { return ::syscall(SYS_ptrace, PTRACE_ATTACH, parent(), 0, 0); }},
      {"ptrace_me", [] { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }},
      {"process_vm_readv", read_parent_memory},
      {"kcmp", [] { return ::syscall(SYS_kcmp, parent(), parent(), 0, 0, 0); }},
      {"setpriority", [] { return ::syscall(SYS_setpriority, PRIO_PROCESS, 0, 5); }},
      {"sched_setaffinity",
       [] {
         cpu_set_t one;
         CPU_ZERO(&one);
         CPU_SET(0, &one);
         return ::syscall(SYS_sched_setaffinity, 0, sizeof one, &one);
       }},
      {"setrlimit",
       [] {
         const rlimit limit{1, 1};
         return ::syscall(SYS_setrlimit, RLIMIT_NOFILE, &limit);
       }},
      {"prlimit_parent",
       [] {
         rlimit limit{};
         return ::syscall(SYS_prlimit64, parent(), RLIMIT_NOFILE, nullptr, &limit);
       }},
      {"setsid", [] { return ::syscall(SYS_setsid); }},
      // Privileges.
      {"setuid_root", [] { return ::syscall(SYS_setresuid, 0, 0, 0); }},
      {"setgroups", [] { return ::syscall(SYS_setgroups, 0, nullptr); }},
      {"capset", [] { return ::syscall(SYS_capset, nullptr, nullptr); }},
      {"unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"setns", [] { return ::syscall(SYS_setns, 0, 0); }},
      {"mount", [] { return ::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr); }},
      {"umount", [] { return ::syscall(SYS_umount2, "/tmp", MNT_DETACH); }},
      {"open_tree", [] { return ::syscall(SYS_open_tree, AT_FDCWD, "/", 1); }},
      {"pivot_root", [] { return ::syscall(SYS_pivot_root, "/", "/"); }},
      {"keyctl", [] { return ::syscall(SYS_keyctl, 0, -3, 1); }},
      {"add_key", [] { return ::syscall(SYS_add_key, "user", "x", "y", 1, -3); }},
      {"bpf",
       [] {
         bpf_attr attributes{};
         attributes.map_type = BPF_MAP_TYPE_ARRAY;
         attributes.key_size = 4;
         attributes.value_size = 4;
         attributes.max_entries = 1;
         return ::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
       }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY); }},
      {"perf_event_open",
       [] {
         perf_event_attr attributes{};
         attributes.type = PERF_TYPE_SOFTWARE;
         attributes.size = sizeof attributes;
         attributes.config = PERF_COUNT_SW_CPU_CLOCK;
         attributes.exclude_kernel = 1;
         return ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
       }},
      {"io_uring_setup",
       [] {
         io_uring_params parameters{};
         return ::syscall(SYS_io_uring_setup, 4, &parameters);
       }},
      {"prctl_dumpable", [] { return ::syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }},
      {"prctl_pdeathsig", [] { return ::syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"prctl_ptracer", [] { return ::syscall(SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0); }},
      {"prctl_seccomp", [] { return ::syscall(SYS_prctl, PR_SET_SECCOMP, 2, nullptr, 0, 0); }},
      {"seccomp", [] { return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, nullptr); }},
      {"personality", [] { return ::syscall(SYS_personality, READ_IMPLIES_EXEC); }},
      {"modify_ldt", [] { return ::syscall(SYS_modify_ldt, 0, nullptr, 0); }},
      {"arch_prctl", [] { return ::syscall(SYS_arch_prctl, 0x1003, nullptr); }},
      {"sethostname", [] { return ::syscall(SYS_sethostname, "x", 1); }},
      {"clock_settime", [] { return ::syscall(SYS_clock_settime, 0, nullptr); }},
      {"reboot", [] { return ::syscall(SYS_reboot, 0, 0, 0, nullptr); }},
      {"syslog", [] { return ::syscall(SYS_syslog, 3, nullptr, 0); }},
      // Code.
      {"mmap_rwx", [] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }},
      {"mmap_exec", [] { return map(PROT_READ | PROT_EXEC); }},
      {"mprotect_to_exec", execute_page},
      {"pkey_mprotect", [] { return ::syscall(SYS_pkey_mprotect, nullptr, 4096, PROT_EXEC, -1); }},
      {"shmat_exec", [] { return ::syscall(SYS_shmat, 0, nullptr, 0100000); }},
      {"sigaction", [] { return ::syscall(SYS_rt_sigaction, SIGSYS, nullptr, nullptr, 8); }},
      // Other ways into the kernel.
      {"x32_getpid", [] { return ::syscall(0x40000000 + SYS_getpid); }},
      {"int80_getpid", [] { return call32(20); }},
      {"unknown_call", [] { return ::syscall(1023); }},
  };
  return all;
}

// The second thread. It is started by the first picture of the warm-up, so it is older than the seal.
class Accomplice {
 public:
  Accomplice()
      : thread_([this] {
          for (;;) {
            order_.wait(nullptr);
            const Attempt attempt = order_.exchange(nullptr);
            result_ = attempt();
            error_ = errno;
            done_ = true;
            done_.notify_all();
          }
        }) {
    thread_.detach();
    g_parent = ::syscall(SYS_getppid);
  }
  long run(Attempt attempt) {
    done_ = false;
    order_ = attempt;
    order_.notify_all();
    done_.wait(false);
    errno = error_;
    return result_;
  }

 private:
  std::atomic<Attempt> order_{nullptr};
  std::atomic<bool> done_{false};
  long result_ = 0;
  int error_ = 0;
  std::thread thread_;
};

Accomplice& accomplice() {
  static Accomplice one;
  return one;
}

image::ImageResult refuse(const std::string& reason) {
  image::ImageResult result;
  result.status = image::Status::refused;
  result.reason = reason;
  return result;
}

image::ImageResult breach() {
  image::ImageJob job;
  job.format = image::Format::raw;
  job.layout.width = job.layout.height = 1;
  job.bytes = "x";
  return real_render_picture(job);
}

// Not against the kernel but against the front: what a worker that lies can say.
image::ImageResult lie(const std::string& name) {
  image::ImageResult result = breach();
  if (name == "lie_width") result.width = 7;
  if (name == "lie_format") result.format = image::Format::jpeg;
  if (name == "lie_garbage") result.bytes = "no picture";
  if (name == "lie_tail") result.bytes += "and more";
  if (name == "lie_empty") result.bytes.clear();
  if (name == "lie_huge") result.bytes.replace(16, 8, std::string("\x7f\xff\xff\xff\x7f\xff\xff\xff", 8));
  if (name == "lie_huge") result.width = result.height = 0x7fffffff;
  const auto say = [](const std::string& packet) {
    ::send(kSocket, packet.data(), packet.size(), MSG_NOSIGNAL);
  };
  worker::wire::Answer answer;
  answer.number = 1'000'000;
  answer.status = image::Status::ok;
  if (name == "say_junk") say("junk");
  if (name == "say_long") say(std::string(100'000, 'x'));
  if (name == "say_nothing") say("");
  if (name == "say_wrong_number") say(worker::wire::encode(answer));
  if (name == "say_too_large") {
    answer.number = 0;
    answer.size = ~0ull;
    say(worker::wire::encode(answer));
  }
  if (name == "say_twice") {
    answer.number = 0;
    answer.status = image::Status::refused;
    say(worker::wire::encode(answer));
    say(worker::wire::encode(answer));
  }
  if (name == "say_again_later") {
    std::thread([say] {
      // The seal ends who sleeps.
      for (int i = 0; i < 50; ++i) {
        say("junk");
        for (int wait = 0; wait < 1000; ++wait) std::this_thread::yield();
      }
    }).detach();
  }
  if (name == "flood_stderr")
    for (int i = 0; i < 100'000; ++i)
      [[maybe_unused]] const ssize_t written =
          ::write(2, "pixmilter: all is well\nINJECTED \x1b[31m line\n", 43);
  return result;
}

image::ImageResult harm(const std::string& name, bool hurried) {
  if (name == "crash_segv") *static_cast<volatile int*>(nullptr) = 1;
  if (name == "crash_abort") std::abort();
  if (name == "crash_exit") ::_exit(0);
  if (name == "crash_throw") throw std::string("thrown");
  if (name == "spin")
    for (std::atomic<int> i{0};;) ++i;
  if (name == "hang")
    for (;;) std::this_thread::yield();
  if (name == "sleep") {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable().wait_for(lock, std::chrono::milliseconds(300));
    return breach();
  }
  if (name == "dawdle") {
    // Takes its time, unless it has to hurry.
    std::mutex mutex;
    std::unique_lock lock(mutex);
    if (!hurried) std::condition_variable().wait_for(lock, std::chrono::seconds(2));
    return breach();
  }
  if (name == "eat_memory")
    for (;;) std::memset(::operator new(1 << 20), 1, 1 << 20);
  if (name == "eat_glib") return refuse(g_malloc(std::size_t{1} << 40) == nullptr ? "none" : "some");
  if (name == "eat_threads")
    for (std::vector<std::thread> threads;;)
      threads.emplace_back([] {
        for (;;) std::this_thread::yield();
      });
  if (name == "eat_stack") {
    struct Recursion {
      static int deeper(int depth) {
        volatile char page[4096];
        page[depth % 4096] = 1;
        return depth < 1 << 30 ? deeper(depth + 1) + page[0] : 0;
      }
    };
    return refuse(std::to_string(Recursion::deeper(0)));
  }
  // What the last picture of this worker left in freed memory.
  if (name == "leave_secret") {
    std::vector<char*> pieces;
    for (int i = 0; i < 2000; ++i) {
      pieces.push_back(static_cast<char*>(std::malloc(1000)));
      std::memcpy(pieces.back() + 300, "pixel of another mail", 21);
    }
    for (char* piece : pieces) std::free(piece);
    return refuse("left");
  }
  if (name == "find_secret") {
    std::vector<char*> pieces;
    bool found = false;
    for (int i = 0; i < 4000; ++i) {
      pieces.push_back(static_cast<char*>(std::malloc(1000)));
      found = found || std::memcmp(pieces.back() + 300, "pixel of another mail", 21) == 0;
    }
    return refuse(found ? "found" : "clean");
  }
  // The same of what came with it, wherever it stands in the heap.
  if (name == "leave_packet") return refuse("left");
  if (name == "find_packet") {
    std::string_view heap(g_heap, static_cast<std::size_t>(static_cast<const char*>(::sbrk(0)) - g_heap));
    std::size_t found = 0;
    // Not spelt out: this would find its own copy.
    for (std::size_t at = 0; (at = heap.find("ixel of another mai", at)) != heap.npos; ++at)
      found += heap[at - 1] == 'p';
    return refuse(found > 0 ? std::to_string(found) + " found" : "clean");
  }
  return lie(name);
}

}  // namespace

pixmilter::image::ImageResult wrapped_render_picture(const pixmilter::image::ImageJob& job) {
  Accomplice& second = accomplice();
  if (!job.bytes.starts_with("ATTACK ")) return real_render_picture(job);
  const std::string text(job.bytes.substr(7, 60));
  const std::string name = text.substr(0, text.find(' '));
  const std::string rest = text.substr(std::min(text.size(), name.size() + 1));
  const bool on_thread = rest.starts_with("thread");
  const auto attempt = attempts().find(name);
  if (attempt == attempts().end()) return harm(name, job.hurried);
  errno = 0;
  const long result = on_thread ? second.run(attempt->second) : attempt->second();
  if (result >= 0) return breach();
  return refuse(std::string("held: ") + std::strerror(errno));
}
