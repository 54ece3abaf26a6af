#include "render/self_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/deadline.h"
#include "base/socket.h"
#include "render/seal.h"

namespace pixmilter::render {
namespace {

using worker::wire::Purpose;

constexpr Milliseconds kPatience{5'000};
// A trial that says nothing (the machine is short of something, or somebody has killed it) is held again.
constexpr int kTries = 3;
// Exit codes of a trial; being killed is the best there is.
constexpr int kHeld = 10;
constexpr int kWentThrough = 11;
constexpr int kNotSealed = 12;

bool open_a_file() { return ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0; }
bool make_a_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0; }
bool run_a_program() {
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  char* const environment[] = {nullptr};
  ::execve("/bin/true", arguments, environment);
  return false;
}

struct Trial {
  const char* what;
  bool (*attempt)();
  pid_t pid = -1;
};

[[noreturn]] void stand_trial(bool (*attempt)(), const Options& options, bool namespaces, pid_t zygote) {
  auto ends = socket_pair();
  Missing missing;
  if (!ends) ::_exit(kNotSealed);
  if (!shed_privileges(ends->first, zygote, namespaces, missing)) ::_exit(kNotSealed);
  std::atomic<bool> sealed{false};
  std::thread second([&] {
    sealed.wait(false);
    ::_exit(attempt() ? kWentThrough : kHeld);
  });
  if (!seal(Purpose::picture, options, missing)) ::_exit(kNotSealed);
  sealed = true;
  sealed.notify_all();
  second.join();
  ::_exit(kHeld);
}

// How it ended; a trial that does not end is killed, which says nothing good.
int verdict(pid_t pid) {
  int status = 0;
  for (const Deadline deadline = Deadline::after(kPatience);;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) break;
    if ((ended < 0 && errno != EINTR) || deadline.passed()) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return kNotSealed;
    }
    ::usleep(200);
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return kHeld;
  // A program that was run ends with its own code.
  if (!WIFEXITED(status)) return kNotSealed;
  return WEXITSTATUS(status) == 0 ? kWentThrough : WEXITSTATUS(status);
}

void begin(Trial& trial, const Options& options, bool namespaces, pid_t zygote) {
  trial.pid = ::fork();
  if (trial.pid == 0) stand_trial(trial.attempt, options, namespaces, zygote);
}

}  // namespace

std::string self_test(const Options& options, bool namespaces) {
  Trial trials[] = {{"open", open_a_file}, {"socket", make_a_socket}, {"exec", run_a_program}};
  const pid_t zygote = ::getpid();
  for (Trial& trial : trials) begin(trial, options, namespaces, zygote);
  std::string failed;
  for (Trial& trial : trials) {
    int code = trial.pid < 0 ? kNotSealed : verdict(trial.pid);
    for (int tries = 1; code == kNotSealed && tries < kTries; ++tries) {
      begin(trial, options, namespaces, zygote);
      code = trial.pid < 0 ? kNotSealed : verdict(trial.pid);
    }
    if (code == kHeld) continue;
    failed += failed.empty() ? "" : ", ";
    failed += std::string(trial.what) + (code == kWentThrough ? " goes through" : " could not be tried");
  }
  return failed;
}

}  // namespace pixmilter::render
