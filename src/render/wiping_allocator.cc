#include "render/wiping_allocator.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/sanitized.h"

#ifndef PIXMILTER_SANITIZED

// glibc's own, by the names that it keeps for those who stand before it.
extern "C" void* __libc_malloc(std::size_t size) noexcept;
extern "C" void __libc_free(void* block) noexcept;

// What was mapped for this block alone goes back to the system whole, and pages of it that nobody touched
// need not be made for that. glibc marks it in the word before the block (malloc.c, IS_MMAPPED).
static bool is_a_mapping(const void* block) {
  constexpr std::size_t kMapped = 2;
  return (static_cast<const std::size_t*>(block)[-1] & kMapped) != 0;
}

namespace {

// Blocks that wait to be wiped, chained through their own first words. Any thread may free one.
struct Waiting {
  Waiting* next;
};
std::atomic<Waiting*> g_waiting{nullptr};
// Counts on where no more may wait: a picture that frees so much is no small one.
std::atomic<std::size_t> g_waiting_bytes{0};

// A compressor alone has most of a megabyte, of which a small picture uses little. Wiping it while somebody
// waits for the answer costs twice: the time, and the cache.
constexpr std::size_t kLargeBlock = 16 << 10;
constexpr std::size_t kMostWaiting = 2 << 20;

bool may_wait(void* block, std::size_t usable) {
  if (usable < kLargeBlock ||
      g_waiting_bytes.fetch_add(usable, std::memory_order_relaxed) + usable > kMostWaiting)
    return false;
  auto* waiting = static_cast<Waiting*>(block);
  waiting->next = g_waiting.load(std::memory_order_relaxed);
  while (!g_waiting.compare_exchange_weak(waiting->next, waiting, std::memory_order_release,
                                          std::memory_order_relaxed)) {
  }
  return true;
}

}  // namespace

extern "C" void free(void* block) noexcept {
  if (block == nullptr) return;
  // The whole block: what stands behind the size that was asked for may have been used before. A compiler
  // that knows that size from where the block was asked for would call it an overflow.
  asm volatile("" : "+r"(block));
  if (!is_a_mapping(block)) {
    const std::size_t usable = ::malloc_usable_size(block);
    if (may_wait(block, usable)) return;
    ::explicit_bzero(block, usable);
  }
  ::__libc_free(block);
}

// Always by a copy where the block is too small, or much too large: what glibc moves it frees without a look.
extern "C" void* realloc(void* block, std::size_t size) noexcept {
  if (block == nullptr) return ::__libc_malloc(size);
  if (size == 0) {
    ::free(block);
    return nullptr;
  }
  const std::size_t usable = ::malloc_usable_size(block);
  if (size <= usable && size >= usable / 2) return block;
  asm volatile("" : "+r"(block));  // as above
  void* moved = ::__libc_malloc(size);
  if (moved == nullptr) return size <= usable ? block : nullptr;
  std::memcpy(moved, block, std::min(size, usable));
  ::free(block);
  return moved;
}

extern "C" void* reallocarray(void* block, std::size_t count, std::size_t size) noexcept {
  std::size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return ::realloc(block, bytes);
}

#endif

namespace pixmilter::render {

void wipe_what_waits() {
#ifndef PIXMILTER_SANITIZED
  Waiting* block = g_waiting.exchange(nullptr, std::memory_order_acquire);
  g_waiting_bytes = 0;
  while (block != nullptr) {
    Waiting* const next = block->next;
    ::explicit_bzero(block, ::malloc_usable_size(block));
    ::__libc_free(block);
    block = next;
  }
#endif
}

bool freed_memory_is_wiped() {
#ifdef PIXMILTER_SANITIZED
  return true;
#else
  // Large enough to be found again behind what the allocator writes at the beginning of a free block.
  constexpr std::size_t kSize = 256;
  constexpr std::size_t kOfTheAllocator = 32;
  constexpr unsigned char kPattern = 0xA5;
  void* first = std::malloc(kSize);
  if (first == nullptr) return false;
  std::memset(first, kPattern, kSize);
  const auto address = reinterpret_cast<std::uintptr_t>(first);
  std::free(first);
  // Of blocks of this size the thread cache hands out first what was freed last.
  void* again = std::malloc(kSize);
  if (again == nullptr) return false;
  const auto* bytes = static_cast<const volatile unsigned char*>(again);
  bool wiped = reinterpret_cast<std::uintptr_t>(again) == address;
  for (std::size_t i = kOfTheAllocator; i < kSize; ++i) wiped = wiped && bytes[i] == 0;
  std::free(again);
  return wiped;
#endif
}

}  // namespace pixmilter::render
