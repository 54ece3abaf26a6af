// What malloc() may keep of the memory that was given back to it, and giving that back to the system.
#pragma once

#include <cstddef>

namespace pixmilter {

// For a program of many threads, before it starts them: one arena for each processor at most (threads come
// and go, and each arena keeps what its largest work took), blocks from own_mapping bytes on as mappings of
// their own, and no more than kept free bytes at the end of an arena.
void bound_heap(std::size_t own_mapping, std::size_t kept);

// Gives back whole free pages wherever they lie but the ends of arenas other than the first: malloc_trim(3).
void give_back_free_pages();

// Those ends as well, whatever may be kept of them. Starts as many threads as there may be arenas, for a
// moment: glibc cuts the end of an arena only when a thread that uses it frees something large there. For a
// moment nothing is kept of what others free.
void give_back_all_free_pages();

}  // namespace pixmilter
