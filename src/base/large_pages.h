// Large pages for large blocks: a fresh block of some megabytes costs one fault of the processor for each
// page, and with pages of 4 kB these take longer than filling the block does.
#pragma once

#include <string>

namespace pixmilter {

// Asks for large pages beneath the room that the string has (its capacity), where whole ones fit in; best
// right after reserve(). A wish (madvise(2), MADV_HUGEPAGE): where the kernel grants none, nothing is
// different.
void ask_for_large_pages(const std::string& room);

}  // namespace pixmilter
