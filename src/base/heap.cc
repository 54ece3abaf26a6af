#include "base/heap.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <latch>
#include <limits>
#include <thread>
#include <vector>

#include "base/sanitized.h"

namespace pixmilter {
namespace {

// Larger than what is freed without a look at the arena's end (malloc.c, FASTBIN_CONSOLIDATION_THRESHOLD).
constexpr std::size_t kLooked = std::size_t{256} << 10;
std::size_t g_kept = std::size_t{128} << 10;  // malloc's own

unsigned arenas() { return std::max(1U, std::thread::hardware_concurrency()); }

void keep(std::size_t bytes) {
  ::mallopt(M_TRIM_THRESHOLD,
            static_cast<int>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max())));
}

}  // namespace

void bound_heap(std::size_t own_mapping, std::size_t kept) {
  ::mallopt(M_ARENA_MAX, static_cast<int>(arenas()));
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(own_mapping));
  keep(g_kept = kept);
}

void give_back_free_pages() { ::malloc_trim(0); }

void give_back_all_free_pages() {
  give_back_free_pages();
  if (kSanitized) return;  // they have allocators of their own
  keep(kLooked / 2);
  // All at once: a thread that finds an arena without any other takes that one.
  std::latch all(arenas());
  std::vector<std::thread> threads;
  const auto visit = [&all] {
    void* volatile block = std::malloc(kLooked);
    all.arrive_and_wait();
    std::free(block);
  };
  try {
    while (threads.size() < arenas()) threads.emplace_back(visit);
  } catch (const std::exception&) {
    all.count_down(static_cast<std::ptrdiff_t>(arenas() - threads.size()));
  }
  for (std::thread& thread : threads) thread.join();
  keep(g_kept);
}

}  // namespace pixmilter
