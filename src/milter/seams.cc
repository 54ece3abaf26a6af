#include "milter/seams.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include "base/log.h"

namespace pixmilter::milter::seams {
namespace {

using Routine = void* (*)(void*);

struct Start {
  Routine routine;
  void* argument;
};

thread_local Routine t_routine = nullptr;
thread_local std::shared_ptr<void> t_held;

// Two pointers more than were asked for, as zeros.
constexpr std::size_t kPadding = 2 * sizeof(void*);

// libmilter has one pool, so these are global as its own are. They are guarded by the pool's mutex, under
// which libmilter signals and waits.
Routine g_worker = nullptr;   // what the pool's threads run
unsigned long g_waiting = 0;  // workers inside the wait
unsigned long g_signalled =
    0;  // of these, the ones that are sure to wake and to look; never more than g_waiting

std::atomic<bool> g_no_connections{false};

void* run(void* raw) {
  const Start start = *static_cast<Start*>(raw);
  delete static_cast<Start*>(raw);
  t_routine = start.routine;
  return start.routine(start.argument);
}

int create(pthread_t* thread, const pthread_attr_t* attributes, Routine routine, void* argument) {
  auto* start = new (std::nothrow) Start{routine, argument};
  if (start == nullptr) return EAGAIN;
  const int failed = ::pthread_create(thread, attributes, run, start);
  if (failed != 0) delete start;
  return failed;
}

}  // namespace

void hold_until_reply(std::shared_ptr<void> held) noexcept { t_held = std::move(held); }

void no_reply() noexcept { t_held.reset(); }

void take_no_connections() noexcept { g_no_connections = true; }

}  // namespace pixmilter::milter::seams

using namespace pixmilter;
using namespace pixmilter::milter;

// The names that the Makefile gives to libmilter's undefined symbols.
extern "C" {

int pixmilter_seam_pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                  void* (*routine)(void*), void* argument) {
  return seams::create(thread, attributes, routine, argument);
}

int pixmilter_seam_pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                          const timespec* until) {
  seams::g_worker = seams::t_routine;
  ++seams::g_waiting;
  const int result = ::pthread_cond_timedwait(condition, mutex, until);
  --seams::g_waiting;
  // Whoever wakes looks for a ready session next, for whatever reason it woke: it stands for one of those
  // that were signalled. The one that was meant will wake as well and is then a look more than promised.
  if (seams::g_signalled > 0) --seams::g_signalled;
  return result;
}

int pixmilter_seam_pthread_cond_signal(pthread_cond_t* condition) {
  if (seams::g_waiting > seams::g_signalled) {
    ++seams::g_signalled;
    return ::pthread_cond_signal(condition);
  }
  // All that wait have been sent for already. A worker without a session looks for one.
  pthread_t thread;
  const int failed =
      seams::g_worker == nullptr ? EAGAIN : seams::create(&thread, nullptr, seams::g_worker, nullptr);
  if (failed != 0)
    log::warning(std::string("a session waits for a free worker: cannot start another: ") +
                 std::strerror(failed));
  return 0;
}

ssize_t pixmilter_seam_writev(int fd, const iovec* pieces, int count) {
  const ssize_t written = ::writev(fd, pieces, count);
  const int failure = errno;
  if (written >= 0 || (failure != EINTR && failure != EAGAIN)) seams::t_held.reset();
  errno = failure;
  return written;
}

void* pixmilter_seam_malloc(std::size_t size) {
  if (size > SIZE_MAX - seams::kPadding) return nullptr;
  auto* block = static_cast<char*>(std::malloc(size + seams::kPadding));
  if (block != nullptr) std::memset(block + size, 0, seams::kPadding);
  return block;
}

// libmilter polls first and does nothing else on this thread, so it sleeps here until the process ends.
int pixmilter_seam_accept(int socket, sockaddr* address, socklen_t* size) {
  while (seams::g_no_connections) ::pause();
  return ::accept(socket, address, size);
}

// What libmilter does with it is to count the seconds between two calls.
std::time_t pixmilter_seam_time(std::time_t* result) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

int pixmilter_seam_sigwait(const sigset_t*, int*) {
  for (;;) ::pause();
}

void pixmilter_seam_syslog_chk(int priority, int, const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char* c = text; *c != '\0'; ++c)
    if (static_cast<unsigned char>(*c) < ' ' || *c == '\x7f') *c = '?';
  const int level = LOG_PRI(priority);
  log::write(level <= LOG_ERR       ? log::Level::warning
             : level == LOG_WARNING ? log::Level::notice
             : level == LOG_DEBUG   ? log::Level::debug
                                    : log::Level::info,
             std::string("libmilter: ") + text);
}

void pixmilter_seam_syslog(int priority, const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  pixmilter_seam_syslog_chk(priority, 0, "%s", text);
}
}
