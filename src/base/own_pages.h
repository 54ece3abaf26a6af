// OwnPages: an allocator for what is kept long among much that comes and goes.
//
// In the common heap such blocks lie scattered between the buffers of messages, and the holes around them
// stay with the process for hours. Large ones get pages of their own here, which go back to the system with
// them; small ones, that fit into each other's holes, stay in the heap.
#pragma once

#include <cstddef>
#include <string>

namespace pixmilter {

// From so many bytes on a block has pages of its own. For each the kernel keeps a mapping, of which a process
// may have some ten thousand (vm.max_map_count); neighbours count as one.
inline constexpr std::size_t kOwnPages = std::size_t{32} << 10;

// Memory that a block of so many bytes takes: whole pages, where it has its own.
std::size_t footprint_in_own_pages(std::size_t bytes);

// As operator new and delete: throw std::bad_alloc, from any thread. Where the system grants no more
// mappings, a block comes from the heap after all.
void* allocate_in_own_pages(std::size_t bytes);
void free_in_own_pages(void* block) noexcept;

template <class T>
struct OwnPages {
  using value_type = T;
  OwnPages() = default;
  template <class U>
  explicit OwnPages(const OwnPages<U>& /*other*/) {}
  T* allocate(std::size_t count) { return static_cast<T*>(allocate_in_own_pages(count * sizeof(T))); }
  void deallocate(T* block, std::size_t /*count*/) noexcept { free_in_own_pages(block); }
  friend bool operator==(OwnPages /*a*/, OwnPages /*b*/) { return true; }
};

// A text that is kept long.
using KeptString = std::basic_string<char, std::char_traits<char>, OwnPages<char>>;

}  // namespace pixmilter
