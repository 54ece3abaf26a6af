// What a worker frees is overwritten, so that no picture finds pixels of another in its memory: small blocks
// at once, large ones when wipe_what_waits() is called, which is after the answer has been sent. Two
// megabytes in all may wait so; what comes on top is overwritten at once too.
//
// The programs that link this folder get their free() and realloc() from here, in front of the C library's.
// mallopt(3)'s M_PERTURB would do, but it also fills what malloc() hands out, leaves what the thread cache
// holds as it was, and fills the whole of a large free block again whenever a small one is cut from it by
// realloc(): a third of the time of a small picture. Builds with sanitizers keep the sanitizer's allocator.
#pragma once

namespace pixmilter::render {

// Whether that is so here: a block is written, freed and found empty. Before threads are started. True where
// a sanitizer has the allocator.
bool freed_memory_is_wiped();

// Overwrites the large blocks that wait, and gives them back to the allocator. From any thread.
void wipe_what_waits();

}  // namespace pixmilter::render
