#include "base/large_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pixmilter {
namespace {

// Of x86-64 and of arm64 with its usual base pages; elsewhere it is a number like any other.
constexpr std::uintptr_t kLargePage = std::uintptr_t{2} << 20;

}  // namespace

void ask_for_large_pages(const std::string& room) {
  const auto begin = reinterpret_cast<std::uintptr_t>(room.data());
  const std::uintptr_t first = (begin + kLargePage - 1) / kLargePage * kLargePage;
  const std::uintptr_t end = (begin + room.capacity()) / kLargePage * kLargePage;
  if (first >= end) return;
  const int before = errno;
  ::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
  errno = before;
}

bool give_back_beyond(std::size_t bytes, const std::string& room) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(room.data());
  const std::uintptr_t first = (begin + bytes + page - 1) / page * page;
  const std::uintptr_t end = (begin + room.capacity()) / page * page;
  if (first >= end) return false;
  const int before = errno;
  const bool given = ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED) == 0;
  errno = before;
  return given;
}

}  // namespace pixmilter
