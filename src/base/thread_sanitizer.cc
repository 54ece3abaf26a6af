#include "base/thread_sanitizer.h"

#if defined(__SANITIZE_THREAD__)
#include <dlfcn.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>

#include <thread>

namespace pixmilter {
namespace {

// With the first thread of ours the runtime starts its own and learns how to end it. A process that is forked
// before that has one which nobody can end, so this is done before main().
[[maybe_unused]] const bool g_ended = [] {
  std::thread([] {}).join();
  end_runtime_thread();
  return true;
}();

}  // namespace

void end_runtime_thread() { __sanitizer_sandbox_on_notify(nullptr); }

}  // namespace pixmilter

// What a std::timed_mutex is locked by. GCC 12's runtime knows only of its unlocking.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) noexcept {
  static const auto real =
      reinterpret_cast<decltype(&::pthread_mutex_clocklock)>(::dlsym(RTLD_NEXT, "pthread_mutex_clocklock"));
  __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
  const int result = real(mutex, clock, until);
  __tsan_mutex_post_lock(mutex, __tsan_mutex_try_lock | (result == 0 ? 0 : __tsan_mutex_try_lock_failed), 0);
  return result;
}
#else
namespace pixmilter {

void end_runtime_thread() {}

}  // namespace pixmilter
#endif
