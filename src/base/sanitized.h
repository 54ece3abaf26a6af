// Whether this build has a sanitizer with an allocator and a memory layout of its own (address, thread,
// memory): such a build cannot live with limits of address space or another allocator, and is slow.
//
// GCC says it by macros, clang in words of its own.
#pragma once

#ifdef __SANITIZE_THREAD__
#define PIXMILTER_SANITIZED_THREAD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PIXMILTER_SANITIZED_THREAD 1
#endif
#endif
#ifdef PIXMILTER_SANITIZED_THREAD
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(PIXMILTER_SANITIZED_THREAD)
#define PIXMILTER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define PIXMILTER_SANITIZED 1
#endif
#endif

namespace pixmilter {

#ifdef PIXMILTER_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// An order between threads that ThreadSanitizer cannot see, as it is made by a lock of a library that is not
// built with it: what one thread did before tell_order() has happened for another after its see_order() of
// the same address. Nothing in other builds.
inline void tell_order([[maybe_unused]] void* what) {
#ifdef PIXMILTER_SANITIZED_THREAD
  __tsan_release(what);
#endif
}
inline void see_order([[maybe_unused]] void* what) {
#ifdef PIXMILTER_SANITIZED_THREAD
  __tsan_acquire(what);
#endif
}

}  // namespace pixmilter
