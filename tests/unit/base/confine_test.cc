// A confined process: what it may still do, and that everything else fails. Each attempt has a process of
// its own, since there is no way back.
#include "base/confine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "base/memfd.h"
#include "base/unique_fd.h"

namespace pixmilter {
namespace {

constexpr int kWentThrough = 0;

// What a confined process answers: 0, or the errno of its attempt.
int in_confinement(const Reach& reach, const std::function<long()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    confine(reach);
    errno = 0;
    ::_exit(attempt() >= 0 ? kWentThrough : errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// A folder with a file in it, gone with the object.
class Folder {
 public:
  Folder() {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    std::FILE* file = std::fopen(file_path().c_str(), "w");
    std::fputs("text\n", file);
    std::fclose(file);
  }
  ~Folder() {
    ::unlink(file_path().c_str());
    ::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }
  std::string file_path() const { return path_ + "/file"; }

 private:
  std::string path_ = (::getenv("TMPDIR") ? ::getenv("TMPDIR") : std::string("/tmp")) + "/confine-XXXXXX";
};

long result(long value) { return value < 0 ? -1 : 0; }
long opened(const std::string& path, int flags) {
  return result(::open(path.c_str(), flags | O_CLOEXEC, 0600));
}
long opened2(const std::string& path, unsigned long flags) {
  open_how how{};
  how.flags = flags;
  how.mode = (flags & O_CREAT) != 0 ? 0600 : 0;
  return result(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
}
long connected(std::uint16_t port) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return result(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
}

struct Attempt {
  const char* name;
  std::function<long()> attempt;
};

const Attempt kForbidden[] = {
    {"execve",
     [] {
       char name[] = "true";
       char* const words[] = {name, nullptr};
       return result(::execve("/bin/true", words, words + 1));
     }},
    {"execveat",
     [] {
       const int file = ::open("/usr/lib/os-release", O_RDONLY | O_CLOEXEC);
       char* const words[] = {nullptr};
       return result(::syscall(SYS_execveat, file, "", words, words, AT_EMPTY_PATH));
     }},
    {"fork", [] { return result(::fork()); }},
    {"vfork", [] { return result(::syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)); }},
    {"new_user_namespace", [] { return result(::unshare(CLONE_NEWUSER)); }},
    {"kill_parent", [] { return result(::kill(::getppid(), 0)); }},
    {"kill_everything", [] { return result(::kill(-1, 0)); }},
    {"pidfd_of_parent", [] { return result(::syscall(SYS_pidfd_open, ::getppid(), 0)); }},
    {"ptrace_parent", [] { return result(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr)); }},
    {"read_another_file", [] { return opened("/etc/passwd", O_RDONLY); }},
    {"read_another_file_by_openat2", [] { return opened2("/etc/passwd", O_RDONLY); }},
    {"list_a_folder", [] { return opened("/home", O_RDONLY | O_DIRECTORY); }},
    {"environment_of_parent",
     [] { return opened("/proc/" + std::to_string(::getppid()) + "/environ", O_RDONLY); }},
    {"make_a_file", [] { return opened("/tmp/pixmilter-confine-made", O_WRONLY | O_CREAT); }},
    {"make_a_file_by_openat2", [] { return opened2("/tmp/pixmilter-confine-made", O_WRONLY | O_CREAT); }},
    {"make_an_unnamed_file", [] { return opened("/tmp", O_TMPFILE | O_RDWR); }},
    {"write_to_a_file", [] { return opened("/proc/self/comm", O_WRONLY); }},
    {"make_a_folder", [] { return result(::mkdir("/tmp/pixmilter-confine-made", 0700)); }},
    {"make_a_socket_file",
     [] {
       const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
       const sockaddr_un address{AF_UNIX, "/tmp/pixmilter-confine-made"};
       return result(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address));
     }},
    {"change_a_mode", [] { return result(::chmod("/tmp", 01777)); }},
    {"internet_socket", [] { return result(::socket(AF_INET, SOCK_STREAM, 0)); }},
    {"internet6_socket", [] { return result(::socket(AF_INET6, SOCK_DGRAM, 0)); }},
    {"packet_socket", [] { return result(::socket(AF_PACKET, SOCK_RAW, 0)); }},
    {"memory_to_write_and_run",
     [] {
       void* memory =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return memory == MAP_FAILED ? -1L : 0L;
     }},
    {"memory_to_run",
     [] {
       void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return result(::mprotect(memory, 4096, PROT_READ | PROT_EXEC));
     }},
    {"bpf", [] { return result(::syscall(SYS_bpf, 0, nullptr, 0)); }},
    {"io_uring", [] { return result(::syscall(SYS_io_uring_setup, 1, nullptr)); }},
    {"userfaultfd", [] { return result(::syscall(SYS_userfaultfd, 0)); }},
    {"keyctl", [] { return result(::syscall(SYS_keyctl, 0, -3, 1)); }},
    {"mount", [] { return result(::mount("none", "/tmp", "tmpfs", 0, nullptr)); }},
    {"become_another_user", [] { return result(::setuid(65534)); }},
    {"limits_of_parent",
     [] {
       rlimit limit{};
       return result(::prlimit(::getppid(), RLIMIT_NOFILE, nullptr, &limit));
     }},
};

class ForbiddenTest : public testing::TestWithParam<Attempt> {};

TEST_P(ForbiddenTest, Fails) {
  const int answer = in_confinement({system_files(), {}, {}}, GetParam().attempt);
  EXPECT_TRUE(answer == EPERM || answer == EACCES) << answer;
}

INSTANTIATE_TEST_SUITE_P(Confine, ForbiddenTest, testing::ValuesIn(kForbidden),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ConfineTest, NothingLacksHere) {
  if (landlock_version() == 0) GTEST_SKIP() << "the kernel has no Landlock";
  EXPECT_EQ(confinement_report(probe_confinement()), "");
}

TEST(ConfineTest, WhatIsWithinReachIsRead) {
  const Folder folder;
  EXPECT_EQ(in_confinement({{folder.path()}, {}, {}}, [&] { return opened(folder.file_path(), O_RDONLY); }),
            0);
  EXPECT_EQ(in_confinement({{folder.path()}, {}, {}}, [&] { return opened(folder.path(), O_RDONLY); }), 0);
  // A file alone does not open its folder.
  const Reach one{{folder.file_path(), "/no/such/file"}, {}, {}};
  EXPECT_EQ(in_confinement(one, [&] { return opened(folder.file_path(), O_RDONLY); }), 0);
  EXPECT_EQ(in_confinement(one, [&] { return opened(folder.path(), O_RDONLY); }), EACCES);
  EXPECT_EQ(in_confinement({{folder.path()}, {}, {}}, [&] { return opened(folder.file_path(), O_RDWR); }),
            EACCES);
}

TEST(ConfineTest, ItsOwnWorkGoesOn) {
  const int answer = in_confinement({system_files(), {}, {}}, [] {
    long all = 0;
    std::thread([&] { all = 1; }).join();
    if (all != 1) return -1L;
    // A converter that is a file of its own.
    if (::iconv_open("UTF-8", "ISO-2022-JP") == reinterpret_cast<iconv_t>(-1)) return -1L;
    const auto memory = fixed_memfd(4096);
    if (!memory || ::pwrite(memory->get(), "x", 1, 0) != 1) return -1L;
    if (::kill(::getpid(), 0) != 0 || ::socket(AF_UNIX, SOCK_DGRAM, 0) < 0) return -1L;
    rlimit limit{};
    return result(::getrlimit(RLIMIT_NOFILE, &limit));
  });
  EXPECT_EQ(answer, kWentThrough);
}

TEST(ConfineTest, AnAbortIsTold) {
  EXPECT_EQ(in_confinement({}, []() -> long { ::abort(); }), -SIGABRT);
}

TEST(ConfineTest, OnlyThePortsThatWereNamed) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::uint16_t port = ntohs(address.sin_port);
  EXPECT_EQ(in_confinement({{}, {port}, {}}, [&] { return connected(port); }), kWentThrough);
  if (landlock_version() < 4) GTEST_SKIP() << "Landlock of this kernel knows no ports";
  const std::uint16_t other = port == 65535 ? 1024 : static_cast<std::uint16_t>(port + 1);
  EXPECT_EQ(in_confinement({{}, {other}, {}}, [&] { return connected(port); }), EACCES);
  EXPECT_EQ(in_confinement({{}, {}, {port}}, [&] { return connected(port); }), EACCES);
}

TEST(ConfineTest, AFileThatRootDoesNotOwnCanBeRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const Folder folder;
  ASSERT_EQ(::chown(folder.file_path().c_str(), 65534, 65534), 0);
  ASSERT_EQ(::chmod(folder.file_path().c_str(), 0600), 0);
  EXPECT_EQ(in_confinement({{folder.path()}, {}, {}}, [&] { return opened(folder.file_path(), O_RDONLY); }),
            0);
}

}  // namespace
}  // namespace pixmilter
