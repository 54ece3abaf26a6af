#include "base/every_thread.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "base/deadline.h"

#if defined(__SANITIZE_THREAD__)
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*);
#endif

namespace pixmilter {
namespace {

// A machine under load keeps a thread waiting for long.
constexpr Milliseconds kPatience{5'000};

// More threads than decoders start.
constexpr std::size_t kMaxThreads = 512;

// What the handler sees: it has no other way to get at anything, and may run late.
struct Order {
  std::atomic<int (*)(int)> what{nullptr};
  std::atomic<int> argument{0};
  std::atomic<int> error{0};
  std::atomic<std::size_t> answers{0};
  std::array<std::atomic<pid_t>, kMaxThreads> answered{};

  bool has_answer_of(pid_t thread) const {
    return std::find(answered.begin(), answered.end(), thread) != answered.end();
  }
};
Order g_order;

int order_signal() { return SIGRTMAX; }

pid_t this_thread() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

void obey(int) {
  const int kept = errno;
  int (*const what)(int) = g_order.what;
  if (what != nullptr) {
    if (what(g_order.argument) != 0) g_order.error = errno;
    const std::size_t place = g_order.answers++;
    if (place < kMaxThreads) g_order.answered[place] = this_thread();
  }
  errno = kept;
}

int handle(int number, const struct sigaction& handler, struct sigaction* before) {
#if defined(__SANITIZE_THREAD__)
  // The runtime keeps a signal back until its thread calls something that is watched, and threads of
  // libraries wait in calls that are not. By this name of the function it does not know of the handler.
  return ::__sigaction(number, &handler, before);
#else
  return ::sigaction(number, &handler, before);
#endif
}

bool other_threads(std::set<pid_t>& threads) {
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), ::closedir);
  if (!tasks) return false;
  const pid_t self = this_thread();
  threads.clear();
  while (const dirent* entry = ::readdir(tasks.get())) {
    const int number = std::atoi(entry->d_name);
    if (number > 0 && number != self) threads.insert(number);
  }
  return true;
}

// Signals each thread once and waits for the answers of all that are still there.
Status command() {
  std::set<pid_t> reached;
  const Deadline deadline = Deadline::after(kPatience);
  for (;;) {
    std::set<pid_t> threads;
    if (!other_threads(threads)) return Error{"/proc/self/task cannot be read"};
    bool waiting = false;
    for (const pid_t thread : threads) {
      if (g_order.has_answer_of(thread)) continue;
      waiting = true;
      if (reached.insert(thread).second) ::syscall(SYS_tgkill, ::getpid(), thread, order_signal());
    }
    if (!waiting) return Done{};
    if (deadline.passed()) return Error{"a thread did not answer"};
    ::usleep(50);
  }
}

}  // namespace

Status on_every_thread(int (*what)(int), int argument) {
  struct sigaction handler {};
  struct sigaction before {};
  handler.sa_handler = obey;
  handler.sa_flags = SA_RESTART;
  for (auto& thread : g_order.answered) thread = 0;
  g_order.answers = 0;
  g_order.error = 0;
  g_order.argument = argument;
  g_order.what = what;
  handle(order_signal(), handler, &before);
  const Status status = command();
  g_order.what = nullptr;
  handle(order_signal(), before, nullptr);
  if (!status) return status;
  if (g_order.error != 0) return Error{std::string("on another thread: ") + std::strerror(g_order.error)};
  if (what(argument) != 0) return Error{std::strerror(errno)};
  return status;
}

}  // namespace pixmilter
