#include "milter/seams.h"

#include <poll.h>
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
#include "milter/read_ahead.h"
#include "milter/reply_burst.h"

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
unsigned long g_deferred = 0;  // signals that wait for their moment
// The pool's, known once a worker has waited: before that no signal finds one.
pthread_cond_t* g_condition = nullptr;
pthread_mutex_t* g_mutex = nullptr;

// Workers that are neither inside the wait nor in long work: each looks for a ready session soon.
std::atomic<long> g_at_work{0};
thread_local bool t_counted = false;
thread_local bool t_long = false;

constexpr long kMomentNanoseconds = 1'000'000;

std::atomic<bool> g_no_connections{false};

void count(bool at_work) {
  if (t_counted == at_work) return;
  t_counted = at_work;
  g_at_work += at_work ? 1 : -1;
}

void* run(void* raw) {
  const Start start = *static_cast<Start*>(raw);
  delete static_cast<Start*>(raw);
  t_routine = start.routine;
  void* result = start.routine(start.argument);
  count(false);
  return result;
}

int create(pthread_t* thread, const pthread_attr_t* attributes, Routine routine, void* argument) {
  auto* start = new (std::nothrow) Start{routine, argument};
  if (start == nullptr) return EAGAIN;
  const int failed = ::pthread_create(thread, attributes, run, start);
  if (failed != 0) delete start;
  return failed;
}

// Wakes a waiting worker that nobody has sent for yet, or starts one.
void send_worker() {
  if (g_waiting > g_signalled) {
    ++g_signalled;
    ::pthread_cond_signal(g_condition);
    return;
  }
  // All that wait have been sent for already. A worker without a session looks for one.
  pthread_t thread;
  const int failed = g_worker == nullptr ? EAGAIN : create(&thread, nullptr, g_worker, nullptr);
  if (failed != 0)
    log::warning(std::string("a session waits for a free worker: cannot start another: ") +
                 std::strerror(failed));
}

pthread_cond_t g_some_deferred = PTHREAD_COND_INITIALIZER;

// Gives the signals that have waited for their moment. The pool's mutex is handed over: g_mutex may be read
// only by those who hold it.
void* give_deferred(void* raw) {
  auto* mutex = static_cast<pthread_mutex_t*>(raw);
  ::pthread_mutex_lock(mutex);
  for (;;) {
    while (g_deferred == 0) ::pthread_cond_wait(&g_some_deferred, mutex);
    ::pthread_mutex_unlock(mutex);
    const timespec moment{0, kMomentNanoseconds};
    ::nanosleep(&moment, nullptr);
    ::pthread_mutex_lock(mutex);
    for (; g_deferred > 0; --g_deferred) send_worker();
  }
}

// Whether enough workers are about to look for a session, and there is somebody to give the signal later.
bool may_defer() {
  static const long processors = ::sysconf(_SC_NPROCESSORS_ONLN);
  static bool giver = false;
  if (g_mutex == nullptr || g_at_work + static_cast<long>(g_signalled) < processors) return false;
  if (pthread_t thread; !giver && ::pthread_create(&thread, nullptr, give_deferred, g_mutex) == 0) {
    ::pthread_detach(thread);
    giver = true;
  }
  return giver;
}

}  // namespace

void take_long() noexcept {
  t_long = t_counted;
  count(false);
}

void step_over() noexcept {
  if (std::exchange(t_long, false)) count(true);
}

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
  seams::g_condition = condition;
  seams::g_mutex = mutex;
  // Whoever comes here has found no session that is ready: those that signals were deferred for have been
  // taken.
  seams::g_deferred = 0;
  seams::count(false);
  ++seams::g_waiting;
  const int result = ::pthread_cond_timedwait(condition, mutex, until);
  --seams::g_waiting;
  seams::count(true);
  // Whoever wakes looks for a ready session next, for whatever reason it woke: it stands for one of those
  // that were signalled. The one that was meant will wake as well and is then a look more than promised.
  if (seams::g_signalled > 0) --seams::g_signalled;
  return result;
}

int pixmilter_seam_pthread_cond_signal(pthread_cond_t*) {
  if (!seams::may_defer())
    seams::send_worker();
  else if (seams::g_deferred++ == 0)
    ::pthread_cond_signal(&seams::g_some_deferred);
  return 0;
}

ssize_t pixmilter_seam_writev(int fd, const iovec* pieces, int count) {
  const ssize_t written = reply_burst::writev(fd, pieces, count);
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
  const int connection = ::accept(socket, address, size);
  read_ahead::opened(connection);
  return connection;
}

int pixmilter_seam_close(int fd) {
  reply_burst::closed(fd);
  read_ahead::closed(fd);
  return ::close(fd);
}

// One that has hung up is left to the system's answer. Before a write nobody is asked: the write itself
// waits.
int pixmilter_seam_poll(pollfd* asked, nfds_t count, int timeout) {
  if (count == 1 && asked->events == POLLOUT) {
    reply_burst::allow(timeout);
    asked->revents = POLLOUT;
    return 1;
  }
  const bool one = count == 1 && (asked->events & POLLIN) != 0;
  if (one) reply_burst::flush(asked->fd);
  if (one && read_ahead::is_ready(asked->fd)) {
    asked->revents = POLLIN;
    return 1;
  }
  const int found = ::poll(asked, count, timeout);
  if (one && found == 1 && asked->revents == POLLIN) read_ahead::found_ready(asked->fd);
  return found;
}

ssize_t pixmilter_seam_read(int fd, void* to, std::size_t size) { return read_ahead::read(fd, to, size); }

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
