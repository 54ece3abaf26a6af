// Large pages for large blocks: a fresh block of some megabytes costs one fault of the processor for each
// page, and with pages of 4 kB these take longer than filling the block does.
#pragma once

#include <cstddef>
#include <string>

namespace pixmilter {

// From this size on a block is a mapping of its own, which comes and goes whole, where malloc is told so
// (mallopt(3), M_MMAP_THRESHOLD). Large pages beneath smaller blocks would stay with the heap.
inline constexpr std::size_t kOwnMapping = std::size_t{32} << 20;

// Asks for large pages beneath the room that the string has (its capacity), where whole ones fit in; best
// right after reserve(). A wish (madvise(2), MADV_HUGEPAGE): where the kernel grants none, nothing is
// different.
void ask_for_large_pages(const std::string& room);

// Gives the memory beneath the room of an empty string back to the system, but for so many bytes at its
// beginning; the room stays. False: it has none to give back.
bool give_back_beyond(std::size_t bytes, const std::string& room);

}  // namespace pixmilter
