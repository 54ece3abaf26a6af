#include "base/own_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>

namespace pixmilter {
namespace {

// Before each block: how long its mapping is, 0 where it is one of the heap's.
struct alignas(std::max_align_t) Head {
  std::size_t mapped = 0;
};

std::size_t whole_pages(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

}  // namespace

std::size_t footprint_in_own_pages(std::size_t bytes) {
  return bytes < kOwnPages ? bytes + sizeof(Head) : whole_pages(bytes + sizeof(Head));
}

void* allocate_in_own_pages(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX - (std::size_t{1} << 20)) throw std::bad_alloc();
  std::size_t mapped = bytes < kOwnPages ? 0 : whole_pages(bytes + sizeof(Head));
  void* memory = MAP_FAILED;
  if (mapped > 0)
    memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    mapped = 0;
    memory = ::operator new(bytes + sizeof(Head));
  }
  return new (memory) Head{mapped} + 1;
}

void free_in_own_pages(void* block) noexcept {
  if (block == nullptr) return;
  Head* head = static_cast<Head*>(block) - 1;
  if (head->mapped > 0)
    ::munmap(head, head->mapped);
  else
    ::operator delete(head);
}

}  // namespace pixmilter
